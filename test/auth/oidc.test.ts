/** Tokens of a real, certified OpenID provider (npm `oidc-provider`): found by discovery, with its own words, and rotated. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { createServer, type Server } from 'node:http'
import { exportJWK, generateKeyPair } from 'jose'
import Provider from 'oidc-provider'
import { freePort } from '../support/temp.ts'
import { bearer, startWorld, type World } from './world.ts'

const port = freePort()
const issuer = `http://127.0.0.1:${port}`
const SECRET = 'a secret of the client that is long'
let server: Server | undefined

/** One that gives machines tokens for the resource `urn:llm`, signed with a key of its own making. */
async function startProvider(kid: string): Promise<void> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const provider = new Provider(issuer, {
    clients: ['robot', 'chef'].map((client_id) => ({
      ...{ client_id, client_secret: SECRET, grant_types: ['client_credentials'] },
      id_token_signed_response_alg: 'ES256' as const,
      ...{ redirect_uris: [], response_types: [] },
    })),
    jwks: { keys: [{ ...(await exportJWK(privateKey)), kid, use: 'sig', alg: 'ES256' }] } as never,
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_, resource) => ({
          scope: 'llm:use llm:admin',
          audience: resource,
          accessTokenFormat: 'jwt',
          accessTokenTTL: 600,
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
    extraTokenClaims: (_, token) => ({ groups: [`${(token as { clientId?: string }).clientId}s`], sub: 'machine' }),
  })
  const started = createServer(provider.callback())
  await new Promise<void>((resolve) => started.listen(port, '127.0.0.1', resolve))
  server = started
}

const stopProvider = () =>
  new Promise<void>((resolve) => {
    server?.closeAllConnections()
    server?.close(() => resolve())
  })

async function token(client: string, scope: string, resource = 'urn:llm'): Promise<string> {
  const reply = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${client}:${encodeURIComponent(SECRET)}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope, resource }),
  })
  const said = (await reply.json()) as { access_token?: string; error?: string }
  if (!said.access_token) throw new Error(JSON.stringify(said))
  return said.access_token
}

let world: World
beforeAll(async () => {
  await startProvider('first')
  world = await startWorld(() => ({
    auth: [
      {
        jwt: {
          ...{ issuer, audience: 'urn:llm', keys_for: 1 },
          claims: { user: 'client_id', teams: 'groups', role: 'scope' },
          roles: { 'llm:admin': 'admin', 'llm:use': 'customer' },
        },
      },
    ],
  }))
})
afterAll(async () => {
  await world.stop()
  await stopProvider()
})

test('a machine comes in with what the provider gave it, and with what it may', async () => {
  const robot = bearer(await token('robot', 'llm:use'))
  expect(await world.who(robot)).toMatchObject({ status: 204, user: 'robot', role: 'customer' })
  expect(await world.chat(robot)).toBe(200)
  const chef = await token('chef', 'llm:use llm:admin')
  expect(await world.who(bearer(chef))).toMatchObject({ user: 'chef', role: 'proxy_admin' })
  expect((await world.who(bearer(await token('robot', 'llm:use', 'urn:other')))).status).toBe(401)
})

test('the provider takes another key: its new tokens come in, and the old ones no longer', async () => {
  const old = await token('robot', 'llm:use')
  expect((await world.who(bearer(old))).status).toBe(204)
  await stopProvider()
  // While it is away, what it signed holds: its keys are known.
  expect((await world.who(bearer(old))).status).toBe(204)
  await startProvider('second')
  const fresh = await token('robot', 'llm:use')
  // At most every ten seconds it is asked for its keys.
  await Bun.sleep(10_500)
  expect((await world.who(bearer(fresh))).status).toBe(204)
  expect((await world.who(bearer(old))).status).toBe(401)
}, 30_000)
