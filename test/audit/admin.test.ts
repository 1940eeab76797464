/** What is written down of what is done to the gateway: who, what, before and after, and nothing that opens anything. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { tollgate } from '../cli/world.ts'
import { makeKey } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { after } from './make.ts'

let gateway: Gateway
beforeAll(async () => {
  gateway = await startGateway({
    yaml: {
      model_list: [{ model_name: 'm', litellm_params: { model: 'openai/m', api_key: 'k', mock_response: 'x' } }],
      litellm_settings: { store_audit_logs: true },
    },
  })
})
afterAll(() => gateway.stop())

type Json = Record<string, unknown>

const get = async (path: string): Promise<Json> => (await gateway.call('GET', path)).json() as Promise<Json>
const logs = async (query = ''): Promise<Json[]> => (await get(`/audit?page_size=100${query}`)).audit_logs as Json[]
const as = (key: string, method: string, path: string, body?: unknown) =>
  fetch(gateway.url + path, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', 'litellm-changed-by': 'petra' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })

test('a start says of which configuration it is', async () => {
  const [first] = await logs('&table_name=config')
  expect(first).toMatchObject({ action: 'started', object_id: 'start', changed_by: 'gateway' })
  expect(((first?.updated_values ?? {}) as Json).config_sha256).toMatch(/^[\da-f]{64}$/)
})

test('the life of a key: made, changed, blocked, given another secret, deleted', async () => {
  const made = (await (
    await gateway.call('POST', '/key/generate', { key_alias: 'life', max_budget: 1 })
  ).json()) as Json
  const { key, token } = made as { key: string; token: string }
  await as(gateway.masterKey, 'POST', '/key/update', {
    key: token,
    max_budget: 5,
    metadata: { api_key: 'sk-hidden-hidden' },
  })
  await gateway.call('POST', '/key/block', { key: token })
  await gateway.call('POST', '/key/regenerate', { key: token })
  await gateway.call('POST', '/key/delete', { keys: [token] })
  const all = await logs(`&object_id=${token}`)
  expect(all.map(({ action }) => action)).toEqual(['deleted', 'rotated', 'blocked', 'updated', 'created'])
  const [, , blocked, updated, created] = all as [Json, Json, Json, Json, Json]
  expect(created).toMatchObject({
    table_name: 'LiteLLM_VerificationToken',
    changed_by: 'master',
    way: 'master',
    before_value: null,
  })
  expect(created.updated_values).toMatchObject({ name: 'life', maxBudget: 1_000_000_000 })
  expect(updated.changed_by).toBe('petra')
  expect(updated.before_value).toMatchObject({ maxBudget: 1_000_000_000 })
  expect(updated.updated_values).toMatchObject({ maxBudget: 5_000_000_000, metadata: { api_key: '***' } })
  expect(Object.keys(updated.updated_values as Json)).not.toContain('name')
  expect([blocked.before_value, blocked.updated_values]).toEqual([{ blocked: false }, { blocked: true }])
  expect(JSON.stringify(all)).not.toContain(key)
  expect(JSON.stringify(all)).not.toContain('hidden-hidden')
  const shown = await get(`/audit/${created.id}`)
  expect(shown).toEqual(created)
  expect((await gateway.call('GET', '/audit/999999')).status).toBe(404)
})

test('teams, users, members, budgets and credentials; what each was before', async () => {
  await gateway.call('POST', '/team/new', { team_id: 'red', max_budget: 1 })
  await gateway.call('POST', '/team/update', { team_id: 'red', max_budget: 2 })
  await gateway.call('POST', '/user/new', { user_id: 'ada', auto_create_key: false })
  await gateway.call('POST', '/team/member_add', { team_id: 'red', member: { user_id: 'ada', role: 'user' } })
  await gateway.call('POST', '/user/password', { user_id: 'ada', password: 'a long password of ada' })
  await gateway.call('POST', '/budget/new', { budget_id: 'b', max_budget: 3 })
  await gateway.call('POST', '/credentials', {
    credential_name: 'c',
    credential_values: { api_key: 'sk-provider-secret' },
  })
  await gateway.call('POST', '/team/delete', { team_ids: ['red'] })
  const all = await logs()
  const find = (table: string, action: string, id?: string) =>
    all.find((one) => one.table_name === table && one.action === action && (id === undefined || one.object_id === id))
  expect(find('LiteLLM_TeamTable', 'created', 'red')).toBeDefined()
  expect(find('LiteLLM_TeamTable', 'updated', 'red')).toMatchObject({
    before_value: { maxBudget: 1_000_000_000 },
    updated_values: { maxBudget: 2_000_000_000 },
  })
  expect(find('LiteLLM_UserTable', 'created', 'ada')).toBeDefined()
  expect(find('LiteLLM_TeamMembership', 'created')).toMatchObject({ object_id: 'team:red ada' })
  expect(find('LiteLLM_TeamMembership', 'deleted')).toBeDefined()
  expect(find('login', 'updated', 'ada')).toMatchObject({ updated_values: { parts: ['password set'] } })
  expect(find('LiteLLM_BudgetTable', 'created', 'b')).toBeDefined()
  expect(find('LiteLLM_CredentialsTable', 'created', 'c')).toMatchObject({ updated_values: { settings: ['api_key'] } })
  expect(find('LiteLLM_TeamTable', 'deleted', 'red')).toBeDefined()
  expect(JSON.stringify(all)).not.toMatch(/a long password|sk-provider-secret/)
})

test('logins, failed ones, and those who have to wait', async () => {
  const login = (password: string) =>
    fetch(`${gateway.url}/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'ada', password }),
    })
  expect((await login('a long password of ada')).status).toBe(200)
  for (let i = 0; i < 14; i++) await login('wrong')
  const all = await logs()
  expect(all.find((one) => one.table_name === 'session' && one.action === 'created')).toMatchObject({
    ...{ updated_values: { userId: 'ada', way: 'password' }, route: 'POST /login', status: 200 },
  })
  expect(all.find((one) => one.table_name === 'login' && one.action === 'failed')).toMatchObject({
    ...{ object_id: 'ada', status: 401, outcome: 'invalid_credentials', ip: '127.0.0.0' },
  })
  const locked = all.filter((one) => one.action === 'locked_out')
  expect(locked.length).toBeGreaterThan(0)
  expect(locked.every(({ object_id }) => !String(object_id).includes('127.0.0.1'))).toBe(true)
  expect(all.some((one) => one.outcome === 'too_many_attempts')).toBe(true)
})

test('what is refused to somebody is written down with his name; what he merely looks at is not', async () => {
  const key = await makeKey(gateway, { key_alias: 'nosy' })
  expect((await as(key, 'POST', '/team/new', { team_id: 'mine' })).status).toBe(403)
  expect((await as(key, 'GET', '/audit')).status).toBe(403)
  await gateway.call('GET', '/key/list')
  const all = await logs()
  for (const route of ['POST /team/new', 'GET /audit'])
    expect(all.find((one) => one.route === route && one.status === 403)).toMatchObject({
      outcome: 'forbidden',
      way: 'key',
    })
  expect(all.some((one) => one.route === 'GET /key/list')).toBe(false)
})

test('the list by what was done, to what, by whom, when, and page by page', async () => {
  const whole = (await get('/audit?page_size=100')).total as number
  const page = await get('/audit?page=2&page_size=5')
  expect(page).toMatchObject({ page: 2, page_size: 5, total: whole, total_pages: Math.ceil(whole / 5) })
  expect((page.audit_logs as Json[]).map(({ id }) => id)).toEqual((await logs()).slice(5, 10).map(({ id }) => id))
  for (const one of await logs('&action=created&table_name=LiteLLM_TeamTable'))
    expect([one.action, one.table_name]).toEqual(['created', 'LiteLLM_TeamTable'])
  expect((await logs('&changed_by=petra')).length).toBeGreaterThan(0)
  expect(await logs('&end_date=2001-01-01')).toEqual([])
  expect((await logs('&start_date=2001-01-01')).length).toBe(Math.min(100, whole))
  expect((await gateway.call('GET', '/audit?start_date=nonsense')).status).toBe(400)
})

test('requests by whom they were, and both chains as files', async () => {
  const key = await makeKey(gateway, { user_id: 'berta' })
  const body = { model: 'm', messages: [{ role: 'user', content: 'x' }] }
  for (let i = 0; i < 3; i++) await (await as(key, 'POST', '/v1/chat/completions', body)).text()
  await (await gateway.call('POST', '/v1/chat/completions', body)).text()
  const his = (await get('/audit/requests?user=berta')) as unknown as Json[]
  expect(his).toHaveLength(3)
  expect(his.every(({ way }) => way === 'key')).toBe(true)
  expect(await get('/audit/requests?user=nobody')).toEqual([] as never)
  const first = await gateway.call('GET', '/audit/requests?user=berta&limit=2')
  expect(((await first.json()) as Json[]).length).toBe(2)
  const rest = await gateway.call('GET', `/audit/requests?user=berta&before=${first.headers.get('x-tollgate-next')}`)
  expect(((await rest.json()) as Json[]).length).toBe(1)
  const lines = (await (await gateway.call('GET', '/audit/export')).text()).trim().split('\n')
  expect(lines.map((line) => JSON.parse(line).seq)).toEqual(lines.map((_, i) => i + 1))
  const cef = (await (await gateway.call('GET', '/audit/export?format=cef&chain=admin')).text()).trim().split('\n')
  expect(cef.every((line) => line.startsWith('CEF:0|Tollgate|Tollgate|'))).toBe(true)
  expect(cef.length).toBeGreaterThan(10)
  const { out } = await tollgate(['audit', 'export', '--data', gateway.dataDir, '--chain', 'requests'])
  expect(out.split('\n').slice(0, 3)).toEqual(lines.slice(0, 3))
  const later = await tollgate(['audit', 'export', '--data', gateway.dataDir, '--from', '2100-01-01'])
  expect([later.code, later.out]).toEqual([0, ''])
  expect(String((await get('/audit/key')).public_key)).toContain('BEGIN PUBLIC KEY')
})

test('what stands beside an entry cannot be changed unseen', async () => {
  process.kill(gateway.pid, 'SIGTERM')
  for (
    let i = 0;
    i < 300 && (await tollgate(['audit', 'verify', '--data', gateway.dataDir])).out.includes('not yet');
    i++
  )
    await Bun.sleep(20)
  const whole = await tollgate(['audit', 'verify', '--data', gateway.dataDir])
  expect([whole.code, whole.err]).toEqual([0, expect.any(String)])
  const told = await after({ dir: gateway.dataDir, path: `${gateway.dataDir}/tollgate.sqlite` } as never, (sqlite) =>
    sqlite.exec("UPDATE audit_details SET text = replace(text, 'petra', 'paula')"),
  )
  expect(told.text).toContain('what stands beside this entry was changed, and no entry says so')
  expect(told.code).toBe(1)
  const gone = await after({ dir: gateway.dataDir, path: `${gateway.dataDir}/tollgate.sqlite` } as never, (sqlite) =>
    sqlite.exec('DELETE FROM audit_details WHERE seq = 2'),
  )
  expect(gone.text).toContain('admin 2: what stands beside this entry is gone')
})
