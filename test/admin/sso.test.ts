/** Logging in by a real OpenID provider, end to end, and every way in which it is to fail. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { freePort } from '../support/temp.ts'
import { CLIENT, type IdP, loginBySso, pathOf, startIdP, throughIdP } from './provider.ts'
import { setUpTotp, startWorld, type World } from './world.ts'

// Passwords cost a core tens of milliseconds each, and the machine may have others to serve.
setDefaultTimeout(60_000)

const port = freePort()
let idp: IdP
let world: World
beforeAll(async () => {
  idp = await startIdP(`http://localhost:${port}/sso/callback`)
  world = await startWorld(
    {
      auth_attempts: { free: 500 },
      sso: [
        {
          ...{
            provider: 'keycloak',
            name: 'The house',
            issuer: idp.issuer,
            client_id: CLIENT.id,
            client_secret: CLIENT.secret,
          },
          ...{ allowed_domains: ['example.com'], roles: { admins: 'proxy_admin', staff: 'internal_user' } },
          teams: { staff: 'staff', night: 'night' },
        },
      ],
    },
    { port },
  )
  for (const team_id of ['staff', 'night']) await world.manage('POST', '/team/new', { team_id })
  idp.accounts.set('ada', { email: 'Ada@example.com', email_verified: true, groups: ['staff', 'admins'] })
})
afterAll(async () => {
  await world.stop()
  await idp.stop()
})

const teamsOf = async (id: string) =>
  ((await world.manage('GET', `/user/info?user_id=${encodeURIComponent(id)}`)).teams as { team_id: string }[])
    .map((one) => one.team_id)
    .sort()

test('somebody comes for the first time: he is made, with the role and the teams of his groups', async () => {
  const browser = world.browser()
  expect((await browser.get('/login/methods')).json.sso).toEqual([
    { id: 'keycloak', name: 'The house', url: '/sso/start/keycloak' },
  ])
  const back = await throughIdP(browser, 'ada', '/sso/start/keycloak?return_to=/keys%3Fpage%3D2')
  const trip = browser.jar.get('__Host-tollgate-sso') as string
  const said = await browser.get(pathOf(back))
  expect(said.status).toBe(200)
  expect(said.text).toContain('content="0;url=/keys?page=2"')
  expect(said.headers.get('content-security-policy')).toStartWith("default-src 'none'")
  const cookies = said.headers.getSetCookie()
  expect(cookies[0]).toMatch(/^__Host-tollgate=[\w-]{43}; Path=\/; Max-Age=43200; Secure; HttpOnly; SameSite=Strict$/)
  expect(browser.jar.has('__Host-tollgate-sso')).toBe(false)
  const { json } = await browser.get('/session')
  expect(json).toMatchObject({ user_id: 'ada@example.com', role: 'proxy_admin', session: { way: 'sso:keycloak' } })
  expect((await browser.post('/tag/new', { name: 'by-sso' })).status).toBe(200)
  expect(await teamsOf('ada@example.com')).toEqual(['staff'])
  // Neither the way back nor what was kept for it counts twice.
  for (const jar of [new Map<string, string>(), new Map([['__Host-tollgate-sso', trip]])]) {
    const other = world.browser()
    for (const [name, value] of jar) other.jar.set(name, value)
    const again = await other.get(pathOf(back))
    expect([again.status, again.headers.getSetCookie()]).toEqual([401, []])
  }
})

test('groups that change, change what he is at the next login; without any he does not come in', async () => {
  idp.accounts.set('bob', { email: 'bob@example.com', email_verified: true, groups: ['staff'] })
  const login = () => loginBySso(world.browser(), 'bob')
  expect((await login()).status).toBe(200)
  const role = async () =>
    ((await world.manage('GET', '/user/info?user_id=bob@example.com')).user_info as { user_role: string }).user_role
  expect(await role()).toBe('internal_user')
  idp.accounts.set('bob', { email: 'bob@example.com', email_verified: true, groups: ['admins', 'night'] })
  expect((await login()).status).toBe(200)
  expect([await role(), await teamsOf('bob@example.com')]).toEqual(['proxy_admin', ['night']])
  idp.accounts.set('bob', { email: 'bob@example.com', email_verified: true, groups: ['others'] })
  const refused = await login()
  expect([refused.status, refused.json.error.message]).toEqual([403, expect.stringContaining('None of your groups')])
})

test('who is a user here already is that user, by his verified address, and stays so when the address changes', async () => {
  await world.manage('POST', '/user/new', { user_id: 'cyd', user_email: 'cyd@example.com', auto_create_key: false })
  idp.accounts.set('c-1', { email: 'cyd@example.com', email_verified: true, groups: ['staff'] })
  const browser = world.browser()
  await loginBySso(browser, 'c-1')
  expect((await browser.get('/session')).json.user_id).toBe('cyd')
  idp.accounts.set('c-1', { email: 'cydney@example.com', email_verified: true, groups: ['staff'] })
  const again = world.browser()
  await loginBySso(again, 'c-1')
  expect((await again.get('/session')).json.user_id).toBe('cyd')
  await world.manage('POST', '/user/update', { user_id: 'cyd', blocked: true })
  expect((await loginBySso(world.browser(), 'c-1')).status).toBe(403)
})

test.each([
  [
    'not verified',
    { email: 'ada@example.com', email_verified: false, groups: ['admins'] },
    'has not verified your address',
  ],
  ['not said to be verified', { email: 'ada@example.com', groups: ['admins'] }, 'has not verified your address'],
  ['of another domain', { email: 'ada@evil.example', email_verified: true, groups: ['admins'] }, 'not of a domain'],
  [
    'of a domain that ends alike',
    { email: 'ada@evil-example.com', email_verified: true, groups: ['admins'] },
    'not of a domain',
  ],
  ['of two domains', { email: 'ada@evil.example@example.com', email_verified: true, groups: ['admins'] }, 'no address'],
  ['missing', { groups: ['admins'] }, 'tells no address'],
] as const)('an address that is %s lets nobody in', async (what, account, told) => {
  idp.accounts.set(`mallory ${what}`, account as never)
  const browser = world.browser()
  const said = await loginBySso(browser, `mallory ${what}`)
  expect([said.status, said.json.error.message]).toEqual([403, expect.stringContaining(told)])
  expect(browser.session).toBeUndefined()
})

test('the way back is for the browser that went, and for nothing else', async () => {
  const [mine, others] = [world.browser(), world.browser()]
  const back = await throughIdP(mine, 'ada')
  // Somebody is made to open an address of the attacker's: he is not logged in as the attacker.
  await others.get('/sso/start/keycloak')
  const victim = await others.get(pathOf(back))
  expect([victim.status, others.session]).toEqual([401, undefined])
  const twisted = (how: (query: URLSearchParams) => void) => {
    const url = new URL(back)
    how(url.searchParams)
    return pathOf(url.href)
  }
  for (const how of [
    (query: URLSearchParams) => query.set('state', 'another'),
    (query: URLSearchParams) => query.delete('state'),
    (query: URLSearchParams) => query.set('iss', 'https://evil.example'),
    (query: URLSearchParams) => query.delete('iss'),
    (query: URLSearchParams) => query.set('code', 'another'),
    (query: URLSearchParams) => query.delete('code'),
    (query: URLSearchParams) => query.set('error', 'access_denied<script>'),
  ]) {
    const browser = world.browser()
    const own = await throughIdP(browser, 'ada')
    const url = new URL(own)
    how(url.searchParams)
    const said = await browser.get(pathOf(url.href))
    expect([how.toString(), said.status, browser.session]).toEqual([how.toString(), 401, undefined])
    expect(said.text).not.toContain('<script>')
    // It was tried: the right answer comes too late.
    expect((await browser.get(pathOf(own))).status).toBe(401)
  }
  expect((await mine.get(twisted(() => {}))).status).toBe(200)
})

test('nobody is sent elsewhere from here', async () => {
  for (const to of [
    ...['https://evil.example', '//evil.example', '/\\evil.example', '\\\\evil.example', 'javascript:alert(1)'],
    ...[
      '/%0d%0aSet-Cookie:x=y',
      '/\t/evil.example',
      'evil.example',
      '/"><script>alert(1)</script>',
      '/./../..//evil.example',
    ],
  ]) {
    const browser = world.browser()
    const said = await loginBySso(browser, 'ada', `/sso/start/keycloak?return_to=${encodeURIComponent(to)}`)
    const landed = /content="0;url=([^"]*)"/.exec(said.text)?.[1] as string
    expect([to, new URL(landed, 'http://localhost').origin]).toEqual([to, 'http://localhost'])
    expect(said.text).not.toContain('<script>')
  }
  expect((await world.browser().get('/sso/start/nobody')).status).toBe(404)
})

test('a second factor of ours is asked for, unless the provider says that it asked', async () => {
  await world.manage('POST', '/user/new', { user_id: 'dee', user_email: 'dee@example.com', auto_create_key: false })
  idp.accounts.set('dee', { email: 'dee@example.com', email_verified: true, groups: ['staff'] })
  const first = world.browser()
  await loginBySso(first, 'dee')
  await first.get('/session')
  await setUpTotp(first)
  const second = world.browser()
  await loginBySso(second, 'dee')
  expect((await second.get('/session')).json.second_factor).toBe('to_show')
  expect((await second.get('/key/list')).status).toBe(403)
})
