/** A gateway full of secrets, before upstreams of four makers: whoever finds one of them in what it says has won. */
import { Database } from 'bun:sqlite'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Browser, PASSWORD } from '../admin/world.ts'
import { type Mock, startMock } from '../mock/upstream.ts'
import { makeKey } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'

/** What a caller said and an upstream answered, which is kept sealed. */
export const SEALED = 'the-words-of-a-sealed-response-4711'
export const UPSTREAM_KEYS = [
  'sk-upstream-openai-never-seen',
  'sk-upstream-anthropic-never-seen',
  'upstream-gemini-never-seen',
] as const

export interface Caller {
  name: string
  headers: readonly (readonly [name: string, value: string])[]
}

export interface World {
  mock: Mock
  gateway: Gateway
  callers: readonly Caller[]
  /** Logs in anew, for the caller `session`, whom a request of his own may have logged out. At most 40 times. */
  login(): Promise<void>
  /** The key of each caller who has one. */
  keys: Readonly<Record<'viewer' | 'user' | 'customer' | 'owner', string>>
  /** What no answer and no log line may hold: name → text. */
  secrets: ReadonlyMap<string, string>
  /** The id of a kept response of `owner`'s. */
  kept: string
  manage(method: string, path: string, body?: unknown): Promise<Record<string, unknown>>
  stop(): Promise<void>
}

export async function startWorld(more: Record<string, unknown> = {}): Promise<World> {
  const mock = await startMock({ words: 5 })
  const price = { input_cost_per_token: 1e-6, output_cost_per_token: 1e-6 }
  const model = (model_name: string, model: string, api_base: string, api_key?: string) => ({
    ...{ model_name, litellm_params: { model, api_base, ...(api_key ? { api_key } : {}), ...price } },
  })
  const gateway = await startGateway({
    yaml: {
      model_list: [
        model('m', 'openai/m', `${mock.url}/v1`, UPSTREAM_KEYS[0]),
        model('local', 'ollama/local', mock.url),
        model('claude', 'anthropic/claude', mock.url, UPSTREAM_KEYS[1]),
        model('gem', 'gemini/gem', mock.url, UPSTREAM_KEYS[2]),
      ],
      ...more,
      tollgate: { keep_responses: 1, auth_attempts: { free: 1_000 }, ...(more.tollgate as object | undefined) },
    },
  })
  const manage: World['manage'] = async (method, path, body) => {
    const reply = await gateway.call(method, path, body)
    const text = await reply.text()
    if (reply.status !== 200) throw new Error(`${method} ${path}: ${reply.status} ${text}`)
    return JSON.parse(text) as Record<string, unknown>
  }
  await manage('POST', '/organization/new', { organization_id: 'victim-org' })
  await manage('POST', '/team/new', { team_id: 'victim-team', organization_id: 'victim-org' })
  const user = async (user_id: string, user_role: string) =>
    (await manage('POST', '/user/new', { user_id, user_role })).key as string
  const keys = {
    viewer: await user('vera', 'proxy_admin_viewer'),
    user: await user('ida', 'internal_user'),
    customer: await makeKey(gateway, { allowed_passthrough_routes: ['*'] }),
    owner: await makeKey(gateway),
  }
  const reply = await fetch(`${gateway.url}/v1/responses`, {
    method: 'POST',
    headers: { authorization: `Bearer ${keys.owner}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'm', input: SEALED, store: true }),
  })
  const kept = ((await reply.json()) as { id: string }).id
  const secrets = new Map<string, string>([
    ['the master key', gateway.masterKey],
    ...Object.entries(keys).map(([name, key]) => [`the key of ${name}`, key] as const),
    ...UPSTREAM_KEYS.map((key) => [key, key] as const),
    ['the pepper', readFileSync(join(gateway.dataDir, 'pepper'), 'utf8').trim()],
    ...digestsIn(gateway.dataDir).map((digest, i) => [`digest ${i} of a key`, digest] as const),
    ['a sealed response', SEALED],
    ['a password', PASSWORD],
  ])
  await manage('POST', '/user/new', { user_id: 'petra', user_role: 'proxy_admin' })
  await manage('POST', '/user/password', { user_id: 'petra', password: PASSWORD })
  const session: { name: string; headers: Caller['headers'] } = { name: 'session', headers: [] }
  let logins = 0
  const login = async () => {
    if (++logins > 40) return
    const browser = new Browser(gateway.url)
    const said = await browser.login('petra')
    // One of the requests has changed the password, or deleted her: that is how it is then.
    if (said.status !== 200) return
    session.headers = [
      ['Cookie', [...browser.jar].map(([name, value]) => `${name}=${value}`).join('; ')],
      ['X-CSRF-Token', browser.token],
      ['Origin', gateway.url],
      ['Sec-Fetch-Site', 'same-origin'],
      ['Host', `127.0.0.1:${gateway.port}`],
    ]
  }
  await login()
  if (session.headers.length === 0) throw new Error('petra could not log in')
  const bearer = (key: string) => [['Authorization', `Bearer ${key}`]] as const
  return {
    ...{ mock, gateway, keys, secrets, kept, manage, login },
    callers: [
      { name: 'master', headers: bearer(gateway.masterKey) },
      { name: 'viewer', headers: bearer(keys.viewer) },
      { name: 'user', headers: [['x-api-key', keys.user]] },
      { name: 'customer', headers: bearer(keys.customer) },
      session,
      { name: 'nobody', headers: [] },
      { name: 'stranger', headers: [['Authorization', 'Bearer sk-a-stranger-with-a-wrong-key']] },
    ],
    async stop() {
      await gateway.stop()
      mock.stop()
    },
  }
}

/** Digests of keys as the database has them. */
export function digestsIn(dataDir: string): string[] {
  const db = new Database(join(dataDir, 'tollgate.sqlite'), { readonly: true })
  try {
    return (db.query('SELECT digest FROM keys').all() as { digest: string | Uint8Array }[]).map(({ digest }) =>
      typeof digest === 'string' ? digest : Buffer.from(digest).toString('hex'),
    )
  } finally {
    db.close()
  }
}

/** The names of the secrets that stand in these bytes. */
export function leaks(secrets: ReadonlyMap<string, string>, bytes: Buffer | string): string[] {
  return [...secrets].flatMap(([name, secret]) => (bytes.includes(secret) ? [name] : []))
}
