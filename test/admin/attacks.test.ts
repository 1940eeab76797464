/** What others do with somebody's login. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { type Browser, PASSWORD, startWorld, type World } from './world.ts'

// Passwords cost a core tens of milliseconds each, and the machine may have others to serve.
setDefaultTimeout(60_000)

let world: World
beforeAll(async () => {
  world = await startWorld({ auth_attempts: { free: 500 } })
  await world.user('ada', 'proxy_admin')
  await world.user('mallory')
})
afterAll(() => world.stop())

test('fixation: a session that was put into a browser is not what its user gets, and what he had is over', async () => {
  const victim = world.browser()
  const planted = 'A'.repeat(43)
  victim.jar.set('__Host-tollgate', planted)
  await victim.login('ada')
  expect(victim.session).not.toBe(planted)
  const attacker = world.browser()
  attacker.jar.set('__Host-tollgate', planted)
  expect((await attacker.get('/session')).status).toBe(401)
  // One that is real, the attacker's own: it does not become the victim's, and ends where another login begins.
  const own = await world.loggedIn('mallory')
  const tricked = world.browser()
  tricked.jar.set('__Host-tollgate', own.session as string)
  await tricked.login('ada')
  expect((await own.get('/session')).status).toBe(401)
  expect((await tricked.get('/session')).json.user_id).toBe('ada')
})

const forge: [string, (browser: Browser) => [string | undefined, Record<string, string>]][] = [
  [
    'a form',
    () => [
      'name=forged',
      {
        'content-type': 'application/x-www-form-urlencoded',
        origin: 'https://evil.example',
        'sec-fetch-site': 'cross-site',
        'x-csrf-token': '',
      },
    ],
  ],
  [
    'a form of a site beside',
    () => [
      '{"name":"forged"}',
      {
        'content-type': 'text/plain',
        origin: 'https://beside.localhost',
        'sec-fetch-site': 'same-site',
        'x-csrf-token': '',
      },
    ],
  ],
  ['another origin that knows the token', () => ['{"name":"forged"}', { origin: 'https://evil.example' }]],
  ['another port', () => ['{"name":"forged"}', { origin: 'http://127.0.0.1:1', 'sec-fetch-site': 'same-site' }]],
  ['a sandboxed page', () => ['{"name":"forged"}', { origin: 'null' }]],
  ['a typed address', () => ['{"name":"forged"}', { 'sec-fetch-site': 'none' }]],
  ['no token', () => ['{"name":"forged"}', { 'x-csrf-token': '' }]],
  [
    'another token',
    (browser) => ['{"name":"forged"}', { 'x-csrf-token': browser.token.replace(/./, (c) => (c === 'a' ? 'b' : 'a')) }],
  ],
  ['no JSON', () => ['{"name":"forged"}', { 'content-type': 'text/plain' }]],
]
test.each(forge)('another site can not change anything: %s', async (_, how) => {
  const browser = await world.loggedIn('ada')
  const [body, headers] = how(browser)
  const said = await browser.post('/tag/new', body, headers)
  expect([said.status, said.json.error.code, /Nothing was done\.$/.test(said.json.error.message)]).toEqual([
    403,
    'forbidden',
    true,
  ])
  expect(JSON.stringify(await world.manage('GET', '/tag/list'))).not.toContain('forged')
})

test('the token of one session is none of another', async () => {
  const [one, two] = [await world.loggedIn('ada'), await world.loggedIn('ada')] as const
  expect(one.token).not.toBe(two.token)
  expect((await one.post('/tag/new', { name: 'forged' }, { 'x-csrf-token': two.token })).status).toBe(403)
})

test('another site can not log somebody in, or out, or see anything', async () => {
  const elsewhere = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }
  const browser = await world.loggedIn('ada')
  const login = await browser.post('/login', { username: 'mallory', password: PASSWORD }, elsewhere)
  expect([login.status, login.headers.get('set-cookie')]).toEqual([403, null])
  const form = { ...elsewhere, 'content-type': 'text/plain' }
  expect((await browser.post('/login', '{"username":"mallory","password":"x"}', form)).status).toBe(403)
  expect((await browser.post('/logout', {}, { ...elsewhere, 'x-csrf-token': '' })).status).toBe(403)
  expect((await browser.get('/session')).status).toBe(200)
  // Nobody is told that another origin may read.
  for (const method of ['GET', 'OPTIONS']) {
    const asked = await browser.ask(method, '/session', undefined, {
      origin: 'https://evil.example',
      'access-control-request-method': 'POST',
    })
    expect(asked.headers.get('access-control-allow-origin')).toBeNull()
  }
})

test('the cookie of another host or path is none, and of two nobody knows which', async () => {
  const browser = await world.loggedIn('ada')
  const session = browser.session as string
  const as = (cookie: string) => fetch(`${world.gateway.url}/session`, { headers: { cookie } }).then((r) => r.status)
  expect(await as(`__Host-tollgate=${session}`)).toBe(200)
  // What a site beside can set has no prefix, or stands beside ours.
  for (const name of ['tollgate', '__Secure-tollgate', '__host-tollgate', '__Host-tollgate2'])
    expect([name, await as(`${name}=${session}`)]).toEqual([name, 401])
  expect(await as(`__Host-tollgate=${'x'.repeat(43)}; __Host-tollgate=${session}`)).toBe(401)
  for (const strange of ['', 'x', 'x'.repeat(9_000), `${session}x`, '%00', `${session}%20`])
    expect(await as(`__Host-tollgate=${strange}`)).toBe(401)
})

test('whoever guesses has to wait, by the account, from wherever he comes, and by the address', async () => {
  const other = await startWorld({ auth_attempts: { free: 4 }, trusted_proxies: ['127.0.0.1'] })
  await other.user('ann')
  await other.user('ben')
  const guess = (ip: string, username: string, password = 'wrong wrong wrong') =>
    other
      .browser()
      .post('/login', { username, password }, { 'x-forwarded-for': ip })
      .then(({ status }) => status)
  const told: number[] = []
  for (let n = 1; n <= 6; n++) told.push(await guess(`10.0.0.${n}`, 'ann'))
  expect(told).toEqual([401, 401, 401, 401, 401, 429])
  expect(await guess('10.0.0.9', 'ann', PASSWORD)).toBe(429)
  expect(await guess('10.0.0.9', 'ben', PASSWORD)).toBe(200)
  for (let n = 1; n <= 5; n++) await guess('10.0.1.1', `nobody-${n}`)
  expect(await guess('10.0.1.1', 'ben', PASSWORD)).toBe(429)
  await other.stop()
}, 30_000)

test('nothing tells which names there are: no words, and no time', async () => {
  await world.manage('POST', '/user/new', { user_id: 'no-password', auto_create_key: false })
  const names = ['ada', 'no-password', 'nobody', 'nobody@example.com', 'x'.repeat(200)]
  const guess = async (username: string) => {
    const at = performance.now()
    const { status, text } = await world.browser().post('/login', { username, password: 'wrong wrong wrong' })
    return { ms: performance.now() - at, told: `${status} ${text}` }
  }
  await guess('ada')
  const times = new Map(names.map((name) => [name, [] as number[]]))
  const words = new Set<string>()
  for (let n = 0; n < 4; n++)
    for (const name of names) {
      const { ms, told } = await guess(name)
      times.get(name)?.push(ms)
      words.add(told)
    }
  expect(words.size).toBe(1)
  const least = names.map((name) => Math.min(...(times.get(name) as number[])))
  // A check of argon2 takes tens of milliseconds; without one an answer takes one or two.
  expect(Math.max(...least) / Math.min(...least)).toBeLessThan(3)
}, 60_000)

test('many at one time: passwords are checked a few at a time, and the gateway goes on', async () => {
  const all = await Promise.all(
    Array.from({ length: 90 }, (_, n) =>
      world.browser().post('/login', { username: `crowd-${n}`, password: 'wrong wrong wrong' }),
    ),
  )
  const told = new Set(all.map(({ status }) => status))
  expect([...told].sort()).toEqual([401, 429])
  expect((await fetch(`${world.gateway.url}/health/liveliness`)).status).toBe(200)
}, 60_000)

test('where only some addresses may manage, others can not log in', async () => {
  const other = await startWorld({ trusted_proxies: ['127.0.0.1'], admin: { allowed_ips: ['127.0.0.1'] } })
  await other.user('ann')
  const from = { 'x-forwarded-for': '203.0.113.9' }
  const refused = await other.browser().post('/login', { username: 'ann', password: PASSWORD }, from)
  expect([refused.status, refused.json.error.code]).toEqual([403, 'address_forbidden'])
  const inside = await other.loggedIn('ann')
  expect((await inside.ask('GET', '/session', undefined, from)).status).toBe(403)
  expect((await inside.get('/session')).status).toBe(200)
  await other.stop()
}, 30_000)
