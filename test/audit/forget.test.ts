/** Whoever is forgotten is named nowhere any more, and not a nano-dollar is lost. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { withoutNames } from '../../src/core/redact-names.ts'
import { verifyFile } from '../../src/store/verify-file.ts'
import { tollgate } from '../cli/world.ts'
import { type Mock, startMock } from '../mock/upstream.ts'
import { type Gateway, MASTER_KEY, startGateway } from '../support/gateway.ts'
import { makeTemp, removeTemp } from '../support/temp.ts'

let mock: Mock
let gateway: Gateway
beforeAll(async () => {
  mock = await startMock({ words: 5 })
  const price = { input_cost_per_token: 1e-6, output_cost_per_token: 1e-6 }
  gateway = await startGateway({
    yaml: {
      model_list: [
        { model_name: 'm', litellm_params: { model: 'openai/m', api_base: `${mock.url}/v1`, api_key: 'k', ...price } },
      ],
    },
  })
})
afterAll(async () => {
  await gateway.stop()
  await mock.stop()
})

type Json = Record<string, unknown>
const manage = async (path: string, body: Json) => {
  const said = await gateway.call('POST', path, body)
  const json = (await said.json()) as Json
  if (said.status !== 200) throw new Error(`${path}: ${JSON.stringify(json)}`)
  return json
}
const ask = async (key: string, path: string, body: Json) => {
  const response = await fetch(gateway.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return (await response.text()) && response.status
}
const chat = (more: Json = {}) => ({ model: 'm', messages: [{ role: 'user', content: 'x' }], ...more })

const ADDRESS = 'adalovelace@example.com'

/** Everything that the database holds, as text; in the log of SQLite as well. */
function everything(): string {
  const sqlite = new Database(join(gateway.dataDir, 'tollgate.sqlite'), { readonly: true })
  const tables = sqlite.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").pluck().all() as string[]
  const text = tables
    .map((table) => `${table}: ${JSON.stringify(sqlite.prepare(`SELECT * FROM ${table}`).all())}`)
    .join('\n')
  sqlite.close()
  return text
}

const total = async (): Promise<unknown> => ((await (await gateway.call('GET', '/global/spend')).json()) as Json).spend

test('a user: his record, keys, logins, responses and content go, and so does his name from whatever stays', async () => {
  await manage('/team/new', { team_id: 'red' })
  await manage('/user/new', {
    user_id: 'adalovelace',
    user_email: ADDRESS,
    user_alias: 'Countess',
    auto_create_key: false,
  })
  await manage('/user/password', { user_id: 'adalovelace', password: 'a rather long one' })
  await manage('/team/member_add', { team_id: 'red', member: { user_id: 'adalovelace', role: 'user' } })
  const made = await manage('/key/generate', {
    ...{ user_id: 'adalovelace', key_alias: 'adas-laptop', metadata: { log_content: true, tags: [ADDRESS] } },
  })
  const key = made.key as string
  const other = (await manage('/key/generate', { user_id: 'bob', key_alias: 'bobs' })).key as string
  await fetch(`${gateway.url}/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'adalovelace', password: 'a rather long one' }),
  })
  for (let i = 0; i < 4; i++) expect(await ask(key, '/v1/chat/completions', chat())).toBe(200)
  expect(await ask(key, '/v1/responses', { model: 'm', input: 'x' })).toBe(200)
  expect(await ask(other, '/v1/chat/completions', chat())).toBe(200)
  await manage('/key/regenerate', { key: made.token as string })
  await Bun.sleep(200)
  const before = await total()
  expect(everything()).toMatch(/adalovelace/)

  const { code, out, err } = await tollgate(['privacy', 'forget', '--user', 'adalovelace', '--url', gateway.url], {
    TOLLGATE_MASTER_KEY: MASTER_KEY,
  })
  expect([code, err]).toEqual([0, expect.stringContaining('before-migration')])
  for (const table of ['keys', 'holders', 'contents', 'payers', 'words', 'audit_salts', 'audit_details', 'responses'])
    expect(out).toMatch(new RegExp(`^${table} +[1-9]`, 'm'))
  await Bun.sleep(200)
  const left = everything()
  for (const name of [/adalovelace/i, /countess/i, /adas-laptop/]) expect(left).not.toMatch(name)
  expect(left).toMatch(/forgotten-[\da-f]{12}/)
  // Nobody else's.
  expect(left).toMatch(/bobs/)
  expect(await total()).toBe(before)
  expect(await ask(key, '/v1/chat/completions', chat())).toBe(401)
  expect(await ask(other, '/v1/chat/completions', chat())).toBe(200)
  const users = await (await gateway.call('GET', '/spend/users')).text()
  expect(users).toMatch(/forgotten-/)
})

test('whoever takes the name later begins anew', async () => {
  const key = (await manage('/key/generate', { user_id: 'adalovelace' })).key as string
  expect(await ask(key, '/v1/chat/completions', chat())).toBe(200)
  const entries = (await (await gateway.call('GET', '/audit/requests?user=adalovelace')).json()) as Json[]
  expect(entries).toHaveLength(1)
  const logs = (await (await gateway.call('GET', '/spend/logs?user_id=adalovelace')).json()) as Json[]
  expect(logs).toHaveLength(1)
})

test('a customer: whom requests name', async () => {
  for (let i = 0; i < 3; i++)
    expect(await ask(MASTER_KEY, '/v1/chat/completions', chat({ user: 'kunde-4711' }))).toBe(200)
  await manage('/customer/new', { user_id: 'kunde-4711', max_budget: 5 })
  await Bun.sleep(100)
  const before = await total()
  const said = await manage('/privacy/forget', { customer_id: 'kunde-4711' })
  expect(said.pseudonym).toMatch(/^forgotten-/)
  await Bun.sleep(100)
  expect(everything()).not.toContain('kunde-4711')
  expect(await total()).toBe(before)
  // He is somebody new now.
  expect(await ask(MASTER_KEY, '/v1/chat/completions', chat({ user: 'kunde-4711' }))).toBe(200)
  await Bun.sleep(100)
  const found = (await (await gateway.call('GET', '/audit/requests?customer=kunde-4711')).json()) as Json[]
  expect(found).toHaveLength(1)
})

test('the books add up, and both chains are whole', async () => {
  const answer = await gateway.call('GET', '/audit?action=forgotten')
  const { audit_logs: logs } = (await answer.json()) as { audit_logs: Json[] }
  expect(logs.map(({ table_name }) => table_name)).toEqual(['LiteLLM_EndUserTable', 'LiteLLM_UserTable'])
  expect(verifyFile(join(gateway.dataDir, 'tollgate.sqlite')).differences).toEqual([])
  const { code, out, err } = await tollgate(['audit', 'verify', '--data', gateway.dataDir])
  expect([code, out, err.includes('stands beside')]).toEqual([0, expect.stringContaining('The audit is whole.'), false])
})

test('answers that are kept for him go, and so do alerts about him and what his keys usually do', async () => {
  const dataDir = makeTemp('forget')
  const yaml = {
    model_list: [{ model_name: 'm', litellm_params: { model: 'openai/m', api_base: `${mock.url}/v1`, api_key: 'k' } }],
    litellm_settings: { cache: true, cache_params: { type: 'disk' } },
    tollgate: { unpriced: 'allow', cache: { tenant: 'user' } },
  }
  let at = await startGateway({ yaml, dataDir })
  const call = async (path: string, body: Json, key = MASTER_KEY, headers: Record<string, string> = {}) => {
    const response = await fetch(at.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
    expect(response.status).toBe(200)
    return (await response.json()) as Json
  }
  const made = await call('/key/generate', { user_id: 'gracehopper', key_alias: 'graces' })
  const bobs = (await call('/key/generate', { user_id: 'bob' })).key as string
  for (const key of [made.key as string, bobs]) {
    await call('/v1/chat/completions', chat({ temperature: 0 }), key)
    await call('/v1/chat/completions', chat({ temperature: 0.5 }), key, { 'idempotency-key': 'once' })
  }
  await at.stop()
  const sqlite = new Database(join(dataDir, 'tollgate.sqlite'))
  const kept = () => sqlite.prepare('SELECT shelf, key FROM kept_things').all() as { shelf: string; key: string }[]
  const before = kept()
  expect(before.map(({ shelf }) => shelf).sort()).toEqual([
    'answers',
    'answers',
    'answers',
    'answers',
    'repeats',
    'repeats',
  ])
  const put = (id: string, subject: string, text: string, looked?: Json) => {
    const facts = { id, rule: 'gracehopper', subject, severity: 'info', text, since: 1, seenAt: 1, done: [], looked }
    sqlite.prepare('INSERT INTO alerts VALUES (?, NULL, ?)').run(id, JSON.stringify(facts))
  }
  put('al_1', `key:${made.token}`, 'x')
  put('al_2', 'user:gracehopper model:m', 'x')
  put('al_3', 'certificate:x', "gracehopper's", { by: 'gracehopper', at: 1 })
  put('al_4', 'user:gracehopper2', 'x')
  const habit = JSON.stringify({ subject: `key:${made.token}`, first: 1, models: ['m'] })
  sqlite.prepare('INSERT OR REPLACE INTO alert_habits VALUES (?, ?)').run(`key:${made.token}`, habit)
  at = await startGateway({ yaml, dataDir })
  const { rows } = await call('/privacy/forget', { user_id: 'gracehopper' })
  expect(rows).toMatchObject({ kept_answers: 3, alerts: 3, alert_habits: 1 })
  await at.stop()
  expect(kept().length).toBe(3)
  const left = sqlite.prepare('SELECT facts FROM alerts ORDER BY id').pluck().all() as string[]
  expect(left.map((text) => JSON.parse(text))).toMatchObject([
    {
      id: 'al_3',
      rule: 'gracehopper',
      text: expect.stringMatching(/^forgotten-/),
      looked: { by: expect.stringMatching(/^forgotten-/) },
    },
    { id: 'al_4', subject: 'user:gracehopper2' },
  ])
  expect(sqlite.prepare('SELECT subject FROM alert_habits WHERE subject = ?').get(`key:${made.token}`)).toBeUndefined()
  sqlite.close()
  removeTemp(dataDir)
}, 60_000)

test('nobody is forgotten by mistake', async () => {
  for (const body of [{}, { user_id: 'a', customer_id: 'b' }])
    expect((await gateway.call('POST', '/privacy/forget', body)).status).toBe(400)
  expect((await manage('/privacy/forget', { user_id: 'never-was-here' })).rows).toEqual({})
})

test('names are replaced whole, and parts of others are not', () => {
  const clean = withoutNames(['ada', 'ada@example.com', 'A. L.'], 'X')
  expect(
    clean({ a: 'session:ada', b: ['team:red ada', 'adapter', 'canada', 'ada@example.com', 'ada@example.org', 'ada.'] }),
  ).toEqual({
    a: 'session:X',
    b: ['team:red X', 'adapter', 'canada', 'X', 'ada@example.org', 'X.'],
  })
})
