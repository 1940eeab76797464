/** Names and passwords, sessions, and what a cookie is worth. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { Browser, PASSWORD, startWorld, type World } from './world.ts'

// Passwords cost a core tens of milliseconds each, and the machine may have others to serve.
setDefaultTimeout(60_000)

let world: World
beforeAll(async () => {
  world = await startWorld({ auth_attempts: { free: 200 } })
  await world.user('ada', 'proxy_admin')
  await world.user('bob')
})
afterAll(() => world.stop())

test('somebody logs in, does what his role may, and logs out', async () => {
  const browser = world.browser()
  const said = await browser.login('ada')
  expect(said.json).toMatchObject({ user_id: 'ada', role: 'proxy_admin', second_factor: 'none' })
  const cookie = said.headers.get('set-cookie') as string
  expect(cookie).toMatch(/^__Host-tollgate=[\w-]{43}; Path=\/; Max-Age=43200; Secure; HttpOnly; SameSite=Strict$/)
  expect((await browser.get('/user/list')).status).toBe(200)
  expect((await browser.post('/tag/new', { name: 'by-cookie' })).status).toBe(200)
  const bob = await world.loggedIn('bob')
  const refused = await bob.post('/tag/new', { name: 'not-his' })
  expect([refused.status, refused.text.includes('You are internal_user here')]).toEqual([403, true])
  expect((await bob.get('/user/info?user_id=bob')).json.user_id).toBe('bob')
  expect((await bob.post('/key/generate', { key_alias: 'bobs' })).json.user_id).toBe('bob')
  const { session } = browser
  expect((await browser.post('/logout')).json).toEqual({ logged_out: true })
  expect(browser.session).toBeUndefined()
  browser.jar.set('__Host-tollgate', session as string)
  expect((await browser.get('/user/list')).status).toBe(401)
})

test('an address names a user, if it is his alone', async () => {
  await world.manage('POST', '/user/update', { user_id: 'bob', user_email: 'Bob@example.com' })
  expect((await world.browser().login('bob@example.com')).json.user_id).toBe('bob')
})

test('a cookie counts for no model and for nothing that a key is for', async () => {
  const browser = await world.loggedIn('ada')
  const chat = { model: 'm', messages: [{ role: 'user', content: 'Hi' }] }
  for (const path of ['/v1/chat/completions', '/api/chat', '/v1/messages'])
    expect([path, (await browser.post(path, chat)).status]).toEqual([path, 401])
  expect((await browser.get('/v1/models')).status).toBe(401)
  expect((await browser.get('/auth/validate')).status).toBe(401)
})

test('whoever says who he is in a header means that', async () => {
  const browser = await world.loggedIn('bob')
  const headers = { authorization: `Bearer ${world.gateway.masterKey}` }
  expect((await browser.ask('POST', '/tag/new', { name: 'by-key' }, headers)).status).toBe(200)
  expect((await browser.ask('GET', '/user/list', undefined, { authorization: 'Bearer sk-wrong' })).status).toBe(401)
  const byKey = await browser.ask('GET', '/session', undefined, headers)
  expect([byKey.status, byKey.text.includes('A key has no session')]).toEqual([403, true])
})

test('sessions are listed and ended: own ones by oneself, all by who administers, and with the next request', async () => {
  await world.user('cyd')
  const [one, two, three] = [
    await world.loggedIn('cyd'),
    await world.loggedIn('cyd'),
    await world.loggedIn('cyd'),
  ] as const
  const { sessions } = (await one.get('/session/list')).json
  expect(sessions.length).toBe(3)
  expect(sessions.filter((s: { current: boolean }) => s.current).length).toBe(1)
  expect(JSON.stringify(sessions)).not.toContain(one.session as string)
  const { id } = (await two.get('/session')).json.session
  expect((await one.post('/session/revoke', { id })).json).toEqual({ ended: 1 })
  expect((await two.get('/session')).status).toBe(401)
  expect((await three.get('/session')).status).toBe(200)
  const others = (await (await world.loggedIn('bob')).get('/session')).json.session.id
  expect((await one.post('/session/revoke', { id: others })).status).toBe(404)
  expect((await one.post('/session/revoke', { all: true })).json).toEqual({ ended: 1 })
  expect((await three.get('/session')).status).toBe(401)
  const seen = (await world.manage('GET', '/user/sessions?user_id=cyd')).sessions as unknown[]
  expect(seen.length).toBe(1)
  await world.manage('POST', '/user/sessions/revoke', { user_id: 'cyd' })
  expect((await one.get('/session')).status).toBe(401)
})

test('whoever is blocked, gone, or given another password is logged out; a name that is made anew is somebody else', async () => {
  await world.user('dan')
  const dan = await world.loggedIn('dan')
  await world.manage('POST', '/user/update', { user_id: 'dan', blocked: true })
  expect((await dan.get('/session')).status).toBe(401)
  expect((await world.browser().login('dan')).status).toBe(401)
  await world.manage('POST', '/user/update', { user_id: 'dan', blocked: false })
  const again = await world.loggedIn('dan')
  await world.manage('POST', '/user/password', { user_id: 'dan', password: 'quite another one, long' })
  expect((await again.get('/session')).status).toBe(401)
  const third = world.browser()
  expect((await third.login('dan', { password: 'quite another one, long' })).status).toBe(200)
  await world.manage('POST', '/user/delete', { user_ids: ['dan'] })
  expect((await third.get('/session')).status).toBe(401)
  await world.manage('POST', '/user/new', { user_id: 'dan', auto_create_key: false })
  expect((await third.get('/session')).status).toBe(401)
  expect((await world.browser().login('dan', { password: 'quite another one, long' })).status).toBe(401)
})

test('a role that is taken away is gone with the next request', async () => {
  await world.user('eva', 'proxy_admin')
  const eva = await world.loggedIn('eva')
  expect((await eva.post('/tag/new', { name: 'evas' })).status).toBe(200)
  await world.manage('POST', '/user/update', { user_id: 'eva', user_role: 'internal_user' })
  expect((await eva.post('/tag/new', { name: 'evas-2' })).status).toBe(403)
})

test('an invitation sets a password, once, for whom it was', async () => {
  await world.manage('POST', '/user/new', { user_id: 'fay', auto_create_key: false })
  const made = (await world.manage('POST', '/invitation/new', { user_id: 'fay' })) as {
    id: string
    invitation_link: string
  }
  expect(made).toMatchObject({ user_id: 'fay', is_accepted: false, created_by: 'master' })
  // In the fragment, which no server and no log gets.
  expect(made.invitation_link).toBe(`http://localhost:${world.gateway.port}/onboarding#invitation_id=${made.id}`)
  const claim = (body: Record<string, unknown>) => world.browser().post('/onboarding/claim_token', body)
  const right = { invitation_link: made.id, user_id: 'fay', password: PASSWORD }
  expect((await claim({ ...right, password: 'short' })).json.error.param).toBe('password')
  expect((await claim({ ...right, user_id: 'ada' })).status).toBe(401)
  expect((await claim({ ...right, invitation_link: 'x'.repeat(43) })).status).toBe(401)
  const both = await Promise.all([claim(right), claim({ ...right, password: 'another password, long' })])
  expect(both.map((said) => said.status).sort()).toEqual([200, 401])
  expect((await claim(right)).status).toBe(401)
  const first = (await world.manage('POST', '/invitation/new', { user_id: 'fay' })) as { id: string }
  const second = (await world.manage('POST', '/invitation/new', { user_id: 'fay' })) as { id: string }
  expect((await claim({ ...right, invitation_link: first.id })).status).toBe(401)
  expect(await world.manage('POST', '/invitation/delete', { invitation_id: second.id })).toMatchObject({
    user_id: 'fay',
  })
  expect((await claim({ ...right, invitation_link: second.id })).status).toBe(401)
})

test('who administers an organisation invites its users, and none who stands above him', async () => {
  await world.manage('POST', '/organization/new', { organization_id: 'acme' })
  const users = [{ user_id: 'gus' }, { user_id: 'hal', user_role: 'proxy_admin' }, { user_id: 'olga' }]
  for (const user of users)
    await world.manage('POST', '/user/new', { ...user, organization_id: 'acme', auto_create_key: false })
  await world.manage('POST', '/user/password', { user_id: 'olga', password: PASSWORD })
  await world.manage('POST', '/organization/member_add', {
    organization_id: 'acme',
    member: { user_id: 'olga', role: 'org_admin' },
  })
  const olga = await world.loggedIn('olga')
  expect((await olga.post('/invitation/new', { user_id: 'gus' })).status).toBe(200)
  for (const user_id of ['hal', 'ada', 'bob', 'nobody'])
    expect([user_id, (await olga.post('/invitation/new', { user_id })).status]).toEqual([user_id, 403])
  expect((await olga.post('/user/password', { user_id: 'gus', password: PASSWORD })).status).toBe(403)
})

test('one’s own password: a new session, and the others are logged out', async () => {
  await world.user('ivy')
  const [one, two] = [await world.loggedIn('ivy'), await world.loggedIn('ivy')] as const
  const before = one.session
  const said = await one.post('/session/password', { password: 'my new password, longer' })
  expect(said.status).toBe(200)
  expect(one.session).not.toBe(before)
  expect((await one.get('/session')).status).toBe(200)
  expect((await two.get('/session')).status).toBe(401)
  expect((await world.browser().login('ivy')).status).toBe(401)
  expect((await one.post('/session/verify', { password: PASSWORD })).status).toBe(401)
  expect((await one.post('/session/verify', { password: 'my new password, longer' })).status).toBe(200)
})

test('nothing of a login is in the log or in the database', async () => {
  const browser = await world.loggedIn('bob')
  const logs = world.gateway.logs()
  for (const secret of [PASSWORD, browser.session as string, browser.token]) expect(logs).not.toContain(secret)
  const file = await Bun.file(`${world.gateway.dataDir}/tollgate.sqlite-wal`).bytes()
  for (const secret of [PASSWORD, browser.session as string, browser.token])
    expect(Buffer.from(file).includes(secret)).toBe(false)
})

test('a session outlives a restart, and not its time', async () => {
  const dataDir = `${world.gateway.dataDir}-again`
  const yaml = (idle: number) => ({ tollgate: { admin: { session_idle: idle } } })
  const first = await startWorld(yaml(60).tollgate, { dataDir })
  await first.user('jo')
  const { session } = await first.loggedIn('jo')
  await first.stop()
  const second = await startWorld(yaml(60).tollgate, { dataDir })
  const browser = new Browser(second.gateway.url)
  browser.jar.set('__Host-tollgate', session as string)
  const said = await browser.get('/session')
  expect(said.json.user_id).toBe('jo')
  const left = Date.parse(said.json.session.expires_at) - Date.now()
  expect(left).toBeGreaterThan(50_000)
  expect(left).toBeLessThanOrEqual(60_000)
  await second.stop()
}, 60_000)

test('UI_USERNAME and UI_PASSWORD are somebody who manages everything', async () => {
  const env = { UI_USERNAME: 'root', UI_PASSWORD: 'from the environment' }
  const other = await startWorld({}, { env })
  const browser = other.browser()
  expect((await browser.login('root')).status).toBe(401)
  expect((await browser.login('root', { password: env.UI_PASSWORD })).json.role).toBe('proxy_admin')
  expect((await browser.post('/session/password', { password: PASSWORD })).status).toBe(409)
  expect(other.gateway.logs()).not.toContain(env.UI_PASSWORD)
  await other.stop()
}, 30_000)
