/** A provider that lies: tokens that nobody should believe, and documents that are somebody else's. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose'
import { freePort } from '../support/temp.ts'
import { startWorld, type World } from './world.ts'

// Passwords cost a core tens of milliseconds each, and the machine may have others to serve.
setDefaultTimeout(60_000)

type Claims = Record<string, unknown>
interface Lie {
  claims?: Claims
  header?: Record<string, unknown>
  /** Signed in another way. */
  sign?: (claims: Claims) => Promise<string>
  /** Of the discovery document, of userinfo, of the token endpoint. */
  document?: Claims
  userinfo?: Claims
  token?: { status: number; body: unknown }
}

const port = freePort()
let lie: Lie = {}
let nonce = ''
let redeemed: URLSearchParams | undefined
let pair: Awaited<ReturnType<typeof generateKeyPair>>
let url = ''
let server: ReturnType<typeof Bun.serve>
let world: World

const b64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

beforeAll(async () => {
  pair = await generateKeyPair('RS256', { extractable: true })
  server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request: Request) {
      const { pathname } = new URL(request.url)
      if (pathname === '/.well-known/openid-configuration')
        return Response.json({
          ...{ issuer: url, jwks_uri: `${url}/jwks`, authorization_endpoint: `${url}/authorize` },
          ...{ token_endpoint: `${url}/token`, userinfo_endpoint: `${url}/userinfo`, ...lie.document },
          token_endpoint_auth_methods_supported: ['client_secret_post'],
        })
      if (pathname === '/jwks')
        return Response.json({ keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'one', alg: 'RS256', use: 'sig' }] })
      if (pathname === '/userinfo') return Response.json({ sub: 'ada', ...lie.userinfo })
      redeemed = new URLSearchParams(await request.text())
      if (lie.token) return Response.json(lie.token.body, { status: lie.token.status })
      const now = Math.floor(Date.now() / 1000)
      const claims = JSON.parse(
        JSON.stringify({
          ...{ iss: url, aud: 'gate', sub: 'ada', iat: now, exp: now + 300, nonce },
          ...{ email: 'ada@example.com', email_verified: true, groups: ['staff'], ...lie.claims },
        }),
      )
      const sign =
        lie.sign ??
        ((said: Claims) =>
          new SignJWT(said).setProtectedHeader({ alg: 'RS256', kid: 'one', ...lie.header }).sign(pair.privateKey))
      return Response.json({ access_token: 'at', token_type: 'Bearer', id_token: await sign(claims) })
    },
  })
  url = `http://127.0.0.1:${server.port}`
  world = await startWorld(
    {
      auth_attempts: { free: 500 },
      sso: [
        {
          id: 'house',
          issuer: url,
          client_id: 'gate',
          client_secret: 'a client secret',
          allowed_domains: ['example.com'],
        },
        // What is found by discovery has to be of who was asked.
        { id: 'twin', issuer: `${url}/`, client_id: 'gate', allowed_domains: ['example.com'] },
      ],
    },
    { port },
  )
})
afterAll(async () => {
  await world.stop()
  await server.stop(true)
})

async function login(said: Lie) {
  lie = said
  const browser = world.browser()
  const begun = await browser.get('/sso/start/house')
  if (begun.status !== 303) return { ...begun, session: browser.session }
  const to = new URL(begun.headers.get('location') as string)
  nonce = to.searchParams.get('nonce') as string
  const back = await browser.get(`/sso/callback?code=one&state=${to.searchParams.get('state')}`)
  return { ...back, session: browser.session, asked: to.searchParams }
}

test('an honest one lets in, by PKCE, and with its secret where it wants it', async () => {
  const said = await login({})
  expect([said.status, said.session?.length]).toEqual([200, 43])
  const asked = 'asked' in said ? said.asked : undefined
  expect(asked?.get('code_challenge_method')).toBe('S256')
  expect(redeemed?.get('client_secret')).toBe('a client secret')
  const challenge = new Bun.CryptoHasher('sha256').update(redeemed?.get('code_verifier') ?? '').digest('base64url')
  expect(asked?.get('code_challenge')).toBe(challenge)
  for (const name of ['state', 'nonce']) expect(asked?.get(name)?.length).toBe(43)
  expect(world.gateway.logs()).not.toContain('a client secret')
})

const now = () => Math.floor(Date.now() / 1000)
const lies: [string, () => Lie][] = [
  ['alg none', () => ({ sign: async (claims) => `${b64({ alg: 'none' })}.${b64(claims)}.` })],
  [
    'alg none with a signature',
    () => ({ sign: async (claims) => `${b64({ alg: 'None', kid: 'one' })}.${b64(claims)}.AAAA` }),
  ],
  [
    'its public key as a secret',
    () => ({
      sign: async (claims) =>
        new SignJWT(claims)
          .setProtectedHeader({ alg: 'HS256', kid: 'one' })
          .sign(new TextEncoder().encode(await exportSPKI(pair.publicKey))),
    }),
  ],
  [
    'the client’s secret',
    () => ({
      sign: (claims) =>
        new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode('a client secret')),
    }),
  ],
  [
    'another key',
    () => ({
      sign: async (claims) =>
        new SignJWT(claims)
          .setProtectedHeader({ alg: 'RS256', kid: 'one' })
          .sign((await generateKeyPair('RS256')).privateKey),
    }),
  ],
  [
    'a key that it brings along',
    () => ({
      sign: async (claims) => {
        const own = await generateKeyPair('RS256', { extractable: true })
        const jwk = await exportJWK(own.publicKey)
        return new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'one', jwk }).sign(own.privateKey)
      },
    }),
  ],
  ['another issuer', () => ({ claims: { iss: 'https://evil.example' } })],
  ['for somebody else', () => ({ claims: { aud: 'another' } })],
  ['for several, made for another', () => ({ claims: { aud: ['gate', 'another'], azp: 'another' } })],
  ['for several, and for whom is not said', () => ({ claims: { aud: ['gate', 'another'] } })],
  ['expired', () => ({ claims: { iat: now() - 7_200, exp: now() - 3_600 } })],
  ['without an end', () => ({ claims: { exp: undefined } })],
  ['of a time to come', () => ({ claims: { nbf: now() + 3_600 } })],
  ['of another login', () => ({ claims: { nonce: 'another' } })],
  ['without a nonce', () => ({ claims: { nonce: undefined } })],
  ['without a subject', () => ({ claims: { sub: undefined } })],
  ['cut off', () => ({ sign: async () => 'eyJhbGciOiJSUzI1NiJ9.e30' })],
  ['a code that was used', () => ({ token: { status: 400, body: { error: 'invalid_grant' } } })],
  ['no token at all', () => ({ token: { status: 200, body: { access_token: 'at' } } })],
  [
    'what it tells is of somebody else',
    () => ({ claims: { email: undefined }, userinfo: { sub: 'eve', email: 'ada@example.com', email_verified: true } }),
  ],
]
test.each(lies)('nobody comes in by a token that is %s', async (_, make) => {
  const said = await login(make())
  expect([said.status, said.json.error?.code, said.session]).toEqual([401, 'invalid_credentials', undefined])
})

test('what is not in the token is asked for, and is of the same somebody', async () => {
  const more = { email: 'ada@example.com', email_verified: true }
  expect((await login({ claims: { email: undefined, email_verified: undefined }, userinfo: more })).status).toBe(200)
})

test('a provider that says it asked for several factors is believed, and is told apart', async () => {
  const said = await login({ claims: { amr: ['pwd', 'mfa'] } })
  const me = await fetch(`${world.gateway.url}/session`, { headers: { cookie: `__Host-tollgate=${said.session}` } })
  expect(((await me.json()) as { second_factor: string }).second_factor).toBe('shown')
})

test('a document of another issuer is none, and a provider that is away is told as that', async () => {
  const twin = await world.browser().get('/sso/start/twin')
  expect([twin.status, twin.json.error.code]).toEqual([503, 'auth_unavailable'])
  expect(twin.text).not.toContain(url)
  expect((await login({ token: { status: 502, body: {} } })).status).toBe(503)
})

test('what the configuration would let in, whom nobody meant, is refused at the start', async () => {
  const told = async (sso: Record<string, unknown>, env: Record<string, string> = {}) => {
    try {
      const other = await startWorld({ sso: [sso] }, { env })
      const methods = (await other.browser().get('/login/methods')).json.sso
      await other.stop()
      return `${JSON.stringify(methods)} ${other.gateway.logs()}`
    } catch (cause) {
      return String(cause)
    }
  }
  expect(await told({ client_id: 'x' })).toContain('needs `issuer`')
  expect(await told({ provider: 'google', client_id: 'x', create_users: true })).toContain(
    'everybody who has an account there',
  )
  expect(await told({ provider: 'microsoft', client_id: 'x', tenant: 'common' })).toContain('must be your directory')
  expect(await told({ provider: 'microsoft', client_id: 'x' })).toContain('MICROSOFT_TENANT')
  expect(await told({ issuer: 'https://a.example', roles: { a: 'org_admin' } })).toContain('/organization/member_add')
  const env = { GOOGLE_CLIENT_ID: 'g', GOOGLE_CLIENT_SECRET: 's', GENERIC_CLIENT_ID: 'x' }
  const google = await told({ provider: 'okta', issuer: 'https://a.example' }, env)
  expect(google).toContain('"id":"okta"')
  expect(google).toContain('"id":"google"')
}, 60_000)
