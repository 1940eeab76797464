/** Tokens of identity providers, as they should be and as attackers make them. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createHmac } from 'node:crypto'
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose'
import { startGateway } from '../support/gateway.ts'
import { type Issuer, startIssuer } from './issuer.ts'
import { bearer, startWorld, type World } from './world.ts'

let issuer: Issuer
let world: World
beforeAll(async () => {
  issuer = await startIssuer()
  world = await startWorld(() => ({
    auth_attempts: { free: 1_000 },
    auth: [
      { api_key: {} },
      {
        jwt: {
          issuer: issuer.url,
          audience: ['llm', 'other-llm'],
          clock_skew: 5,
          header: 'X-Id-Token',
          claims: {
            teams: 'groups',
            role: 'roles',
            models: 'models',
            rpm_limit: 'rpm',
            customer: 'shop',
            organization: 'org',
          },
          roles: { boss: 'admin', dev: 'write', lead: 'team_admin' },
          require: { tenant: ['t1', 't2'] },
        },
      },
    ],
  }))
  await world.gateway.call('POST', '/team/new', { team_id: 'red' })
})
afterAll(async () => {
  await world.stop()
  issuer.stop()
})

const sign = (claims: Record<string, unknown> = {}, header = {}) => issuer.sign({ tenant: 't1', ...claims }, header)
const who = async (token: string | Promise<string>) => world.who(bearer(await token))
const seconds = () => Math.floor(Date.now() / 1000)
const host = () => issuer.url.replace('http://', '')

describe('a right one', () => {
  test('lets in whom it names, with what it says', async () => {
    expect(await who(sign({ groups: ['blue', 'red'], roles: ['dev'], org: 'acme' }))).toMatchObject({
      ...{ status: 204, name: `jwt:ada@${host()}`, role: 'internal_user', user: 'ada', team: 'red' },
    })
    expect(await who(sign({ sub: 'bob' }))).toMatchObject({ role: 'customer', team: '' })
    expect(await who(sign({ sub: 'chef', roles: ['dev', 'boss'] }))).toMatchObject({ role: 'proxy_admin' })
    expect(await who(sign({ roles: ['proxy_admin', 'admin'] }))).toMatchObject({ role: 'customer' })
    expect((await world.who({ 'x-id-token': await sign() })).status).toBe(204)
    expect((await who(sign({ aud: ['x', 'other-llm'] }))).status).toBe(204)
    expect((await who(sign({ tenant: 't2' }))).status).toBe(204)
  })

  test('calls what its claims allow, as often as they say', async () => {
    const token = await sign({ sub: 'cyd', models: ['m'], rpm: 2, shop: 'shop-7', groups: ['red'] })
    const said = []
    for (let i = 0; i < 3; i++) said.push(await world.chat(bearer(token)))
    expect([...said, await world.chat(bearer(token), 'other')]).toEqual([200, 200, 429, 403])
    const rows = (await (await world.gateway.call('GET', '/spend/logs?user_id=cyd')).json()) as Record<string, string>[]
    expect(rows[0]).toMatchObject({ api_key: `jwt:cyd@${host()}`, team_id: 'red', end_user: 'shop-7' })
  })

  test('administers the team that it names, and no other', async () => {
    const token = await sign({ sub: 'lea', groups: ['red'], roles: ['lead'] })
    const make = (team_id: string) =>
      fetch(`${world.gateway.url}/key/generate`, {
        method: 'POST',
        headers: bearer(token),
        body: JSON.stringify({ team_id }),
      })
    expect([(await make('red')).status, (await make('blue')).status]).toEqual([200, 403])
  })

  test('is what the user is here, where it names no role', async () => {
    await world.gateway.call('POST', '/user/new', { user_id: 'una', auto_create_key: false })
    const token = await sign({ sub: 'una' })
    expect((await who(token)).role).toBe('internal_user_viewer')
    await world.gateway.call('POST', '/user/update', { user_id: 'una', user_role: 'internal_user' })
    expect((await who(token)).role).toBe('internal_user')
    await world.gateway.call('POST', '/user/update', { user_id: 'una', blocked: true })
    expect([(await who(token)).status, await world.chat(bearer(token))]).toEqual([401, 401])
  })
})

describe('a wrong one', () => {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

  test('unsigned, by whatever name', async () => {
    const claims = { iss: issuer.url, aud: 'llm', sub: 'ada', tenant: 't1', exp: seconds() + 600, roles: ['boss'] }
    expect((await who(new UnsecuredJWT(claims).encode())).status).toBe(401)
    for (const alg of ['none', 'None', 'NONE', 'nOnE', '', undefined, null, 'RS256', 'HS256'])
      for (const signature of ['', 'AA', 'e30'])
        expect([
          alg,
          (await who(`${part({ alg, typ: 'JWT', kid: 'k0' })}.${part(claims)}.${signature}`)).status,
        ]).toEqual([alg, 401])
    const [header, , signature] = (await sign()).split('.')
    expect((await who(`${header}.${part(claims)}.${signature}`)).status).toBe(401)
  })

  test('signed with the public key as if it were a secret', async () => {
    const claims = { iss: issuer.url, aud: 'llm', sub: 'ada', tenant: 't1', exp: seconds() + 600 }
    for (const secret of [
      issuer.publicPem,
      issuer.publicPem.trim(),
      issuer.publicPem.replaceAll(/-----.*-----|\s/g, ''),
    ]) {
      const text = `${part({ alg: 'HS256', kid: 'k0' })}.${part(claims)}`
      const signature = createHmac('sha256', secret).update(text).digest('base64url')
      expect((await who(`${text}.${signature}`)).status).toBe(401)
    }
  })

  test('signed with a key that it brings along, or names elsewhere', async () => {
    const own = await generateKeyPair('RS256', { extractable: true })
    const jwk = await exportJWK(own.publicKey)
    const before = issuer.asked
    for (const header of [
      ...[{ jwk }, { jku: `${issuer.url}/jwks` }, { jku: 'http://127.0.0.1:1/jwks' }, { x5u: 'http://127.0.0.1:1/x' }],
      ...[
        { kid: 'k0' },
        { kid: '../../dev/null' },
        { kid: "k0' OR '1'='1" },
        { kid: '' },
        { kid: 'k'.repeat(5_000) },
        {},
      ],
      ...[{ crit: ['b64'], b64: false }, { x5c: ['AA=='] }],
    ]) {
      const token = await new SignJWT({ tenant: 't1' })
        .setProtectedHeader({ alg: 'RS256', ...header } as never)
        .setIssuer(issuer.url)
        .setAudience('llm')
        .setSubject('ada')
        .setExpirationTime('5m')
        .sign(own.privateKey)
        .catch(() => '')
      if (token !== '') expect([header, (await who(token)).status]).toEqual([header, 401])
    }
    // However many unknown keys are named, the issuer is not asked each time.
    expect(issuer.asked - before).toBeLessThan(3)
  })

  test.each([
    ['expired', { exp: 1 }, 401, 'has expired'],
    ['expired just beyond the skew', () => ({ exp: seconds() - 7 }), 401, 'has expired'],
    ['without an end', { exp: undefined }, 401, 'exp'],
    ['an end that is a text', { exp: '9999999999' }, 401, 'exp'],
    ['not yet', () => ({ nbf: seconds() + 60 }), 401, 'not valid yet'],
    ['another issuer', { iss: 'https://evil.example' }, 401, 'issuer'],
    ['an issuer with something behind it', () => ({ iss: `${issuer.url}.evil.example` }), 401, 'issuer'],
    ['no issuer', { iss: undefined }, 401, 'iss'],
    ['for another audience', { aud: 'llm2' }, 401, 'aud'],
    ['for no audience', { aud: undefined }, 401, 'aud'],
    ['for a list of others', { aud: ['l', 'LLM'] }, 401, 'aud'],
    ['of another tenant', { tenant: 't3' }, 403, 'tenant'],
    ['of no user', { sub: undefined }, 403, 'sub'],
  ] as const)('%s', async (_, claims, status, told) => {
    const said = await who(sign(typeof claims === 'function' ? claims() : claims))
    expect([said.status, said.message.includes(told)]).toEqual([status, true])
    expect(said.message).not.toContain('eyJ')
  })

  test('within the skew it is a right one', async () => {
    expect((await who(sign({ exp: seconds() - 2 }))).status).toBe(204)
    expect((await who(sign({ nbf: seconds() + 2 }))).status).toBe(204)
  })

  test('torn, doubled, huge', async () => {
    const good = await sign()
    for (const token of [
      good.slice(0, -2),
      `${good}.${good}`,
      good.replaceAll('.', '..'),
      `${good}=`,
      good.toUpperCase(),
    ])
      expect((await who(token)).status).toBe(401)
  })
})

test('two tokens that begin alike are two: not even their first twenty characters make one of them', async () => {
  const [ada, eve] = [await sign({ sub: 'ada' }), await sign({ sub: 'eve' })]
  expect(ada.slice(0, 40)).toBe(eve.slice(0, 40))
  for (let i = 0; i < 3; i++) {
    expect((await who(ada)).user).toBe('ada')
    expect((await who(eve)).user).toBe('eve')
  }
  // One that differs in its last characters only is none.
  const near = `${ada.slice(0, -4)}${ada.slice(-4) === 'AAAA' ? 'BBBB' : 'AAAA'}`
  expect((await who(near)).status).toBe(401)
})

test('a verified token is over when it is over', async () => {
  const token = await sign({ exp: seconds() - 4 })
  expect((await who(token)).status).toBe(204)
  await Bun.sleep(2_200)
  expect((await who(token)).status).toBe(401)
})

test('a token is not another user of a key, and a key not a token', async () => {
  // Who has the id of a badge has nothing.
  expect((await world.who(bearer(`jwt:ada@${host()}`))).status).toBe(401)
  const { status } = await fetch(`${world.gateway.url}/key/info?key=jwt:ada@${host()}`, {
    headers: bearer(world.gateway.masterKey),
  })
  expect(status).toBe(404)
})

test('keys rotate: the new one is fetched, and the old one opens nothing any more', async () => {
  const own = await startIssuer()
  const other = await startWorld(() => ({
    auth: [{ jwt: { jwks: own.jwks, issuer: own.url, audience: 'llm', keys_for: 1 } }],
  }))
  try {
    const old = await own.sign()
    expect((await other.who(bearer(old))).status).toBe(204)
    expect(own.asked).toBe(1)
    await own.rotate()
    const fresh = await own.sign()
    // Not asked again at once: whoever names unknown keys would have it asked at his will.
    expect((await other.who(bearer(fresh))).status).toBe(401)
    await Bun.sleep(10_500)
    expect((await other.who(bearer(fresh))).status).toBe(204)
    expect((await other.who(bearer(old))).status).toBe(401)
    expect(own.asked).toBe(2)
  } finally {
    await other.stop()
    own.stop()
  }
}, 30_000)

test('an issuer that is away: what is known holds, and nobody is called wrong', async () => {
  const own = await startIssuer()
  own.broken = { status: 503, text: 'no' }
  const other = await startWorld(() => ({ auth: [{ jwt: { jwks: own.jwks, issuer: own.url, audience: 'llm' } }] }))
  try {
    const said = await other.who(bearer(await own.sign()))
    expect([said.status, said.name, said.headers.get('retry-after')]).toEqual([503, 'auth_unavailable', '5'])
    for (const wrong of ['{}', '[]', 'null', '{"keys":5}', 'x'.repeat(600_000)]) {
      own.broken = { status: 200, text: wrong }
      expect([wrong.slice(0, 20), (await other.who(bearer(await own.sign()))).status]).toEqual([
        wrong.slice(0, 20),
        503,
      ])
    }
  } finally {
    await other.stop()
    own.stop()
  }
})

test('a secret of one’s own, and no other algorithm with it', async () => {
  const secret = 'a-secret-that-is-long-enough-for-it'
  const other = await startWorld(() => ({ auth: [{ jwt: { secret, audience: 'llm' } }] }))
  try {
    const token = (alg: string, key: string, claims = {}) =>
      new SignJWT({ sub: 'ada', aud: 'llm', exp: seconds() + 60, ...claims })
        .setProtectedHeader({ alg })
        .sign(new TextEncoder().encode(key))
    expect((await other.who(bearer(await token('HS256', secret)))).name).toBe('jwt:ada@secret')
    expect((await other.who(bearer(await token('HS256', `${secret}!`)))).status).toBe(401)
    expect((await other.who(bearer(await issuer.sign()))).status).toBe(401)
    // Nobody is the user of an issuer by the name alone.
    const twin = await token('HS256', secret, { iss: issuer.url })
    expect((await other.who(bearer(twin))).name).toBe(`jwt:ada@${host()}`)
  } finally {
    await other.stop()
  }
})

test('LiteLLM’s words do the same', async () => {
  const other = await startWorld(
    () => ({}),
    {
      general_settings: {
        enable_jwt_auth: true,
        litellm_jwtauth: { user_id_jwt_field: 'email', team_id_jwt_field: 'team', admin_jwt_scope: 'llm:admin' },
      },
    },
    { JWT_PUBLIC_KEY_URL: issuer.jwks, JWT_AUDIENCE: 'llm' },
  )
  try {
    const token = await issuer.sign({ email: 'ada@example.com', team: 'red', scope: 'openid llm:admin' })
    expect(await other.who(bearer(token))).toMatchObject({ user: 'ada@example.com', team: 'red', role: 'proxy_admin' })
    expect((await other.who(bearer(await issuer.sign({ aud: 'x', email: 'a' })))).status).toBe(401)
    expect((await other.who(bearer(other.gateway.masterKey))).name).toBe('master')
  } finally {
    await other.stop()
  }
  const yaml = { general_settings: { enable_jwt_auth: true } }
  expect(startGateway({ yaml })).rejects.toThrow('JWT_PUBLIC_KEY_URL')
})
