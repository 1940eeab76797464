/** Second factors: codes of an app, passkeys, recovery codes, and where they are required. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { Authenticator, type Twist } from './authenticator.ts'
import { type Browser, codeOf, PASSWORD, setUpTotp, startWorld, type World } from './world.ts'

// Passwords cost a core tens of milliseconds each, and the machine may have others to serve.
setDefaultTimeout(60_000)

let world: World
beforeAll(async () => {
  world = await startWorld({ auth_attempts: { free: 200 } })
})
afterAll(() => world.stop())

const site = () => `http://localhost:${world.gateway.port}`

/** Registers a passkey of a new device. */
async function register(browser: Browser, name = 'laptop', twist: Twist = {}) {
  const device = new Authenticator()
  const { options, ticket } = (await browser.post('/session/passkey/new')).json
  const response = device.create(options, site(), twist)
  return { device, ticket, response, said: await browser.post('/session/passkey/confirm', { ticket, response, name }) }
}

async function byPasskey(browser: Browser, device: Authenticator, twist: Twist = {}) {
  const { options, ticket } = (await browser.post('/login/passkey/options')).json
  return browser.post('/login/passkey', { ticket, response: device.get(options, site(), twist) })
}

test('an app is set up, asked for at the next login, and each of its codes counts once', async () => {
  await world.user('ada', 'proxy_admin')
  const first = await world.loggedIn('ada')
  const before = first.session
  const begun = (await first.post('/session/totp/new')).json
  expect(begun.uri).toStartWith('otpauth://totp/Tollgate:ada?')
  const confirm = (code: string) => first.post('/session/totp/confirm', { ticket: begun.ticket, code })
  const done = await confirm(codeOf(begun.secret, -1))
  expect(done.json.recovery_codes.length).toBe(10)
  expect(done.json).toMatchObject({ second_factor: 'shown', factors: { totp: true, recovery_codes: 10 } })
  expect(first.session).not.toBe(before)

  const half = world.browser()
  expect((await half.login('ada')).json.second_factor).toBe('to_show')
  const refused = await half.get('/user/list')
  expect([refused.status, refused.json.error.code]).toEqual([403, 'mfa_required'])
  for (const path of ['/session/totp/new', '/session/passkey/new', '/session/recovery/new', '/session/totp/delete'])
    expect([path, (await half.post(path)).status]).toEqual([path, 403])
  expect((await half.post('/session/password', { password: 'a thief sets a new one' })).status).toBe(403)
  expect((await half.post('/session/revoke', { all: true })).status).toBe(403)
  // A password that is known is no second factor.
  expect((await half.post('/session/verify', { password: PASSWORD })).status).toBe(403)

  const code = codeOf(begun.secret)
  const halfBefore = half.session as string
  expect((await half.post('/session/verify', { code })).json.second_factor).toBe('shown')
  expect(half.session).not.toBe(halfBefore)
  expect((await half.get('/user/list')).status).toBe(200)
  // The number before the second factor opens nothing any more.
  const old = world.browser()
  old.jar.set('__Host-tollgate', halfBefore)
  expect((await old.get('/session')).status).toBe(401)

  // The same code, and one from before it, count no more: not beside a password, and not after it.
  for (const used of [code, codeOf(begun.secret, -1)])
    expect((await world.browser().login('ada', { code: used })).status).toBe(401)
  // Clocks may be a step apart, and no farther.
  expect((await world.browser().login('ada', { code: codeOf(begun.secret, 3) })).status).toBe(401)
  expect((await world.browser().login('ada', { code: codeOf(begun.secret, 1) })).json.second_factor).toBe('shown')
})

test('a code that is used twice at the same time counts once', async () => {
  await world.user('amy')
  const { secret } = await setUpTotp(await world.loggedIn('amy'))
  const code = codeOf(secret)
  const said = await Promise.all(Array.from({ length: 4 }, () => world.browser().login('amy', { code })))
  expect(said.map(({ status }) => status).sort()).toEqual([200, 401, 401, 401])
})

test('recovery codes stand in, once each, however they are written, and new ones end those before', async () => {
  await world.user('bob')
  const browser = await world.loggedIn('bob')
  const { codes } = await setUpTotp(browser)
  const [one = '', two = '', three = ''] = codes
  expect(new Set(codes).size).toBe(10)
  expect((await world.browser().login('bob', { recovery_code: one.toUpperCase().replace('-', ' ') })).status).toBe(200)
  expect((await world.browser().login('bob', { recovery_code: one })).status).toBe(401)
  const other = await world.loggedIn('bob')
  const left = await other.post('/session/verify', { recovery_code: two })
  expect(left.json.factors.recovery_codes).toBe(8)
  const fresh = (await other.post('/session/recovery/new')).json.recovery_codes
  expect((await world.browser().login('bob', { recovery_code: three })).status).toBe(401)
  expect((await world.browser().login('bob', { recovery_code: fresh[0] })).status).toBe(200)
  const db = await Bun.file(`${world.gateway.dataDir}/tollgate.sqlite-wal`).bytes()
  for (const code of [one, fresh[1]]) expect(Buffer.from(db).includes(code.replace('-', ''))).toBe(false)
})

test('guessing codes has to wait, soon and for long, though the password is right', async () => {
  await world.user('cyd')
  const { secret } = await setUpTotp(await world.loggedIn('cyd'))
  const told: number[] = []
  for (let n = 0; n < 8; n++) told.push((await world.browser().login('cyd', { code: '000000' })).status)
  expect(told).toEqual([401, 401, 401, 401, 401, 401, 429, 429])
  // The right one does not count either, and neither do other factors of his.
  const waiting = await world.browser().login('cyd', { code: codeOf(secret) })
  expect(waiting.status).toBe(429)
  expect(Number(waiting.headers.get('retry-after'))).toBeGreaterThan(20)
  expect((await world.browser().login('cyd', { recovery_code: 'aaaaa-bbbbb' })).status).toBe(429)
})

test('a passkey is two factors: it logs in without a name, several of them, and is taken away', async () => {
  await world.user('dee')
  const browser = await world.loggedIn('dee')
  const { device, said, ticket, response } = await register(browser)
  expect(said.json).toMatchObject({ second_factor: 'shown', factors: { passkeys: [{ name: 'laptop' }] } })
  expect(said.json.recovery_codes.length).toBe(10)
  expect((await browser.post('/session/passkey/confirm', { ticket, response })).status).toBe(400)
  const other = await register(browser, 'key')
  const options = (await browser.post('/session/passkey/new')).json.options
  expect(options.excludeCredentials.length).toBe(2)
  expect(options.authenticatorSelection.userVerification).toBe('required')

  const fresh = world.browser()
  const asked = (await fresh.post('/login/passkey/options')).json.options
  // Nobody's name is told, and nobody's is asked.
  expect(asked.allowCredentials ?? []).toEqual([])
  const inside = await byPasskey(fresh, device)
  expect(inside.json).toMatchObject({ user_id: 'dee', second_factor: 'shown' })
  expect((await byPasskey(world.browser(), other.device)).status).toBe(200)

  // As the second factor of a password.
  const half = await world.loggedIn('dee')
  expect((await half.get('/user/list')).status).toBe(403)
  const second = (await half.post('/session/passkey/options')).json
  expect(second.options.allowCredentials.length).toBe(2)
  const shown = { ticket: second.ticket, response: device.get(second.options, site()) }
  expect((await half.post('/session/verify', shown)).json.second_factor).toBe('shown')

  const id = device.id.toString('base64url')
  expect((await fresh.post('/session/passkey/delete', { id })).status).toBe(200)
  expect((await byPasskey(world.browser(), device)).status).toBe(401)
  expect((await byPasskey(world.browser(), other.device)).status).toBe(200)
})

test('what is wrong with a passkey is refused in the same words', async () => {
  await world.user('eli')
  await world.user('eve')
  const [eli, eve] = [await world.loggedIn('eli'), await world.loggedIn('eve')] as const
  const { device } = await register(eli)
  const { device: eves } = await register(eve)
  const twists: [string, Twist][] = [
    ['another origin', { origin: 'https://evil.example' }],
    ['another site', { rpId: 'evil.example' }],
    ['nobody was verified', { flags: 1 }],
    ['another challenge', { challenge: 'AAAA' }],
    ['another ceremony', { type: 'webauthn.create' }],
    ['a copy of the device', { counter: 1 }],
    ['another user', { userHandle: Buffer.from('eve').toString('base64url') }],
  ]
  for (const [what, twist] of twists) {
    const said = await byPasskey(world.browser(), device, twist)
    expect([what, said.status, said.json.error.message]).toEqual([what, 401, 'This passkey opens nothing here.'])
  }
  expect((await byPasskey(world.browser(), new Authenticator())).json.error.message).toBe(
    'This passkey opens nothing here.',
  )
  // The answer of one login for another, and the same one twice.
  const browser = world.browser()
  const [one, two] = [
    (await browser.post('/login/passkey/options')).json,
    (await browser.post('/login/passkey/options')).json,
  ]
  const response = device.get(one.options, site())
  expect((await browser.post('/login/passkey', { ticket: two.ticket, response })).status).toBe(401)
  expect((await browser.post('/login/passkey', { ticket: one.ticket, response })).status).toBe(200)
  expect((await world.browser().post('/login/passkey', { ticket: one.ticket, response })).status).toBe(401)
  // Somebody else's as a second factor.
  const half = await world.loggedIn('eli')
  const asked = (await half.post('/session/passkey/options')).json
  const others = { ticket: asked.ticket, response: eves.get(asked.options, site()) }
  expect((await half.post('/session/verify', others)).status).toBe(401)
  // Registering for somebody else, or what was not verified.
  const begun = (await eli.post('/session/passkey/new')).json
  const made = new Authenticator().create(begun.options, site())
  expect((await eve.post('/session/passkey/confirm', { ticket: begun.ticket, response: made })).status).toBe(400)
  for (const twist of [{ flags: 1 }, { origin: 'https://evil.example' }, { rpId: 'evil.example' }] as Twist[])
    expect((await register(eli, 'x', twist)).said.status).toBe(400)
})

test('an administrator takes lost factors away, and the user is logged out', async () => {
  await world.user('fin')
  const browser = await world.loggedIn('fin')
  await setUpTotp(browser)
  expect(await world.manage('POST', '/user/factors/reset', { user_id: 'fin' })).toEqual({
    user_id: 'fin',
    ended_sessions: 1,
  })
  expect((await browser.get('/session')).status).toBe(401)
  expect((await world.browser().login('fin')).json).toMatchObject({
    second_factor: 'none',
    factors: { totp: false, recovery_codes: 0 },
  })
})

test('where it is required, nothing can be done before one is set up, and nothing without it', async () => {
  const strict = await startWorld({ admin: { require_mfa: true } })
  await strict.user('gil', 'proxy_admin')
  const browser = strict.browser()
  expect((await browser.login('gil')).json.second_factor).toBe('to_set_up')
  const refused = await browser.get('/key/list')
  expect([refused.status, refused.json.error.code]).toEqual([403, 'mfa_required'])
  expect((await browser.post('/key/generate')).status).toBe(403)
  expect((await browser.post('/session/password', { password: 'another one, long' })).status).toBe(403)
  const { secret } = await setUpTotp(browser)
  expect((await browser.get('/key/list')).status).toBe(200)
  // Taking it away leads back to where nothing can be done.
  expect((await browser.post('/session/totp/delete')).json.second_factor).toBe('to_set_up')
  expect((await browser.get('/key/list')).status).toBe(403)
  expect(secret.length).toBe(32)
  // Keys are no logins: they need none.
  expect((await strict.gateway.call('GET', '/key/list')).status).toBe(200)
  await strict.stop()
}, 30_000)
