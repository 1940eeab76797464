/** The life of whoever has a budget, by LiteLLM's routes, methods and answers. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { startGateway } from '../support/gateway.ts'
import { fresh, startWorld, type World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld(['paid', 'other'])
})
afterAll(() => world.stop())

type Json = Record<string, unknown>

const TERMS = {
  ...{ max_budget: 12.5, soft_budget: 10, budget_duration: '1mo', budget_mode: 'strict' },
  budget_limits: [{ max_budget: 1, budget_duration: '1h' }],
  model_max_budget: { paid: { max_budget: 5, budget_duration: '1d' } },
}
const LIMITS = { rpm_limit: 10, tpm_limit: 1_000, max_parallel_requests: 3 }
const REST = { models: ['paid', 'local/*'], metadata: { cost_centre: 42 }, blocked: false }

interface Kind {
  base: string
  id: string
  fields: Json
  /** What /update and /delete are. */
  update: 'POST' | 'PATCH'
  remove: 'POST' | 'DELETE'
  /** The holder in the answers of /update and /info, and what /delete takes. */
  changed(answer: Json): unknown
  info(id: string): Promise<unknown>
  list(answer: unknown): unknown[]
  removal(id: string): Json
}

const plain = (answer: Json) => answer
const asList = (answer: unknown) => answer as unknown[]
const get = (path: string) => world.manage('GET', path)

const KINDS: Record<string, Kind> = {
  team: {
    ...{ base: '/team', id: 'team_id', update: 'POST', remove: 'POST' },
    fields: { ...TERMS, ...LIMITS, ...REST, team_alias: 'Red', tags: ['batch'] },
    changed: (answer) => answer.data,
    info: async (id) => (await get(`/team/info?team_id=${id}`)).team_info,
    list: asList,
    removal: (id) => ({ team_ids: [id] }),
  },
  user: {
    ...{ base: '/user', id: 'user_id', update: 'POST', remove: 'POST' },
    fields: { ...TERMS, ...LIMITS, ...REST, user_alias: 'Ada', user_email: 'ada@example.com' },
    changed: (answer) => answer.data,
    info: async (id) => (await get(`/user/info?user_id=${id}`)).user_info,
    list: (answer) => (answer as { users: unknown[] }).users,
    removal: (id) => ({ user_ids: [id] }),
  },
  customer: {
    ...{ base: '/customer', id: 'user_id', update: 'POST', remove: 'POST' },
    fields: { ...TERMS, ...LIMITS, ...REST, alias: 'Shop' },
    changed: plain,
    info: (id) => get(`/end_user/info?end_user_id=${id}`),
    list: asList,
    removal: (id) => ({ user_ids: [id] }),
  },
  organization: {
    ...{ base: '/organization', id: 'organization_id', update: 'PATCH', remove: 'DELETE' },
    fields: { ...TERMS, ...LIMITS, ...REST, organization_alias: 'Acme', tags: [] },
    changed: plain,
    info: (id) => get(`/organization/info?organization_id=${id}`),
    list: asList,
    removal: (id) => ({ organization_ids: [id] }),
  },
  project: {
    ...{ base: '/project', id: 'project_id', update: 'POST', remove: 'DELETE' },
    fields: { ...TERMS, ...LIMITS, ...REST, project_alias: 'Search', description: 'Finds things', tags: ['p'] },
    changed: plain,
    info: (id) => get(`/project/info?project_id=${id}`),
    list: asList,
    removal: (id) => ({ project_ids: [id] }),
  },
  tag: {
    ...{ base: '/tag', id: 'name', update: 'POST', remove: 'POST' },
    fields: { ...TERMS, ...LIMITS, description: 'What runs at night' },
    changed: (answer) => answer.tag,
    info: async (id) => (await world.manage('POST', '/tag/info', { names: [id] }))[id],
    list: asList,
    removal: (id) => ({ name: id }),
  },
  'model budget': {
    ...{ base: '/model/budget', id: 'model', update: 'POST', remove: 'POST' },
    fields: TERMS,
    changed: plain,
    info: (id) => get(`/model/budget/info?model=${id}`),
    list: asList,
    removal: (id) => ({ models: [id] }),
  },
  'provider budget': {
    ...{ base: '/provider/budget', id: 'provider', update: 'POST', remove: 'POST' },
    fields: TERMS,
    changed: plain,
    info: (id) => get(`/provider/budget/info?provider=${id}`),
    list: asList,
    removal: (id) => ({ providers: [id] }),
  },
}

const HAS_TABLE = ['customer', 'organization', 'project', 'tag']

/** The metadata holds what LiteLLM keeps there as well. */
const shownAs = ({ metadata, tags, description, user_email, ...fields }: Json): Json => ({
  ...fields,
  ...(metadata ? { metadata: expect.objectContaining(metadata as object) } : {}),
  ...(tags ? { tags } : {}),
  ...(description ? { description } : {}),
  ...(user_email ? { user_email } : {}),
})

describe.each(Object.keys(KINDS))('a %s', (name) => {
  const kind = KINDS[name] as Kind
  const id = name === 'model budget' ? 'other' : name === 'provider budget' ? 'mistral' : fresh(name)
  const path = (step: string) => `${kind.base}/${step}`

  test('is made with all of its fields, shown, listed, changed and removed', async () => {
    const made = await world.manage('POST', path('new'), { [kind.id]: id, ...kind.fields, auto_create_key: false })
    const shown = { [kind.id]: id, ...shownAs(kind.fields), held: 0, total_spend: expect.any(Number) }
    expect(name === 'tag' ? made.tag : made).toMatchObject(shown)
    expect(await kind.info(id)).toMatchObject(shown)
    const budgets = [
      { max_budget: 12.5, budget_duration: '1mo', model: null, budget_mode: 'strict', soft_budget: 10 },
      { max_budget: 1, budget_duration: '1h', model: null, budget_mode: 'strict' },
      { max_budget: 5, budget_duration: '1d', model: 'paid', budget_mode: 'strict' },
    ]
    expect(await kind.info(id)).toMatchObject({ budgets, budget_reset_at: expect.any(String) })
    if (HAS_TABLE.includes(name))
      expect(await kind.info(id)).toMatchObject({
        litellm_budget_table: { max_budget: 12.5, soft_budget: 10, budget_duration: '1mo', rpm_limit: 10 },
      })
    const listed = kind.list(await get(path('list'))) as Json[]
    expect(listed.find((one) => one[kind.id] === id)).toMatchObject(shown)

    // What is not there is left alone, null clears.
    const changes = { max_budget: null, soft_budget: null, model_max_budget: null, budget_mode: null }
    const changed = kind.changed(await world.manage(kind.update, path('update'), { [kind.id]: id, ...changes }))
    const after = { ...shown, ...changes, model_max_budget: {} }
    expect(changed).toMatchObject(after)
    expect((changed as { budgets: Json[] }).budgets).toMatchObject([{ max_budget: 1, budget_mode: 'cap' }])
    if (kind.fields.rpm_limit) {
      const limits = { rpm_limit: null, max_parallel_requests: 5 }
      const limited = kind.changed(await world.manage(kind.update, path('update'), { [kind.id]: id, ...limits }))
      expect(limited).toMatchObject({ ...after, ...limits, tpm_limit: 1_000 })
    }
    await world.manage(kind.remove, path('delete'), kind.removal(id))
    expect(kind.list(await get(path('list')))).not.toContainEqual(expect.objectContaining({ [kind.id]: id }))
    expect((await world.tell(kind.remove, path('delete'), kind.removal(id))).status).toBe(404)
  })

  test('a wrong field is named, an unknown one refused, a second one of the same id too', async () => {
    const wrong: [Json, string][] = [
      [{ max_budget: 'lots' }, 'max_budget'],
      [{ max_budget: -1 }, 'max_budget'],
      [{ budget_duration: 'whenever', max_budget: 1 }, 'budget_duration'],
      [{ budget_duration: '1d' }, 'budget_duration'],
      [{ budget_mode: 'gentle' }, 'budget_mode'],
      [{ budget_limits: [{ budget_duration: '1h' }] }, 'budget_limits.0'],
      [{ budget_limits: [{ max_budget: 1 }, { max_budget: 2 }] }, 'budget_limits'],
      [{ budget_limits: [{ max_budget: 1, color: 'red' }] }, 'budget_limits'],
      [{ model_max_budget: { paid: { max_budget: 1, budget_limit: 2 } } }, 'model_max_budget.paid'],
      [{ model_max_budget: { piad: 1 } }, 'model_max_budget'],
      [{ temp_budget_increase: 1, max_budget: 1 }, 'temp_budget_increase'],
      [{ temp_budget_expiry: '1d', max_budget: 1 }, 'temp_budget_expiry'],
      [{ temp_budget_increase: 1, temp_budget_expiry: '1d' }, 'temp_budget_increase'],
      [{ temp_budget_increase: 1, temp_budget_expiry: '2001-01-01', max_budget: 1 }, 'temp_budget_expiry'],
      [{ temp_budget_increase: 1, temp_budget_expiry: 'soon', max_budget: 1 }, 'temp_budget_expiry'],
      [{ members_with_roles: [{ role: 'lord', user_id: 'x' }] }, 'members_with_roles'],
    ]
    const some = name === 'model budget' ? 'paid' : name === 'provider budget' ? 'groq' : fresh(name)
    for (const [fields, field] of wrong) {
      const { status, error } = await world.tell('POST', path('new'), { [kind.id]: some, ...fields })
      expect([fields, status, error.type]).toEqual([fields, 400, 'invalid_request_error'])
      expect([fields, String(error.message).includes(field)]).toEqual([fields, true])
    }
    const { status, error } = await world.tell('POST', path('new'), { [kind.id]: some, budget_id: 'nobody' })
    expect([status, error.param]).toEqual([404, 'budget_id'])
    for (const bad of ['', 7, 'x'.repeat(300), 'a\nb'])
      expect([bad, (await world.tell('POST', path('new'), { [kind.id]: bad })).error.param]).toEqual([bad, kind.id])

    // What LiteLLM's clients send along without asking for it.
    const empty = { members: [], send_invite_email: false, spend: 0, guardrails: null, object_permission: {} }
    await world.manage('POST', path('new'), { [kind.id]: some, max_budget: 1, auto_create_key: false, ...empty })
    const again = await world.tell('POST', path('new'), { [kind.id]: some })
    expect([again.status, again.error.code, again.error.param]).toEqual([400, 'conflict', kind.id])
    expect((await world.tell(kind.update, path('update'), { [kind.id]: fresh('nobody') })).status).toBe(404)
    await world.manage(kind.remove, path('delete'), kind.removal(some))
  })
})

test('ids are made where LiteLLM makes them', async () => {
  for (const kind of ['team', 'organization', 'project'] as const) {
    const made = await world.manage('POST', `/${kind}/new`, {})
    expect(made[`${kind}_id`]).toMatch(/^[0-9a-f-]{36}$/)
  }
  expect((await world.manage('POST', '/budget/new', {})).budget_id).toMatch(/^[0-9a-f-]{36}$/)
  expect((await world.tell('POST', '/customer/new', {})).error.param).toBe('user_id')
  expect((await world.tell('POST', '/tag/new', {})).error.param).toBe('name')
})

test('a user is made with a key of its own, unless it is not wanted', async () => {
  const alias = fresh('k')
  const made = await world.manage('POST', '/user/new', { max_budget: 5, key_alias: alias, duration: '30d' })
  const { info } = (await get(`/key/info?key=${made.key}`)) as { info: Json }
  expect(info).toMatchObject({ key_alias: alias, user_id: made.user_id, max_budget: null, expires: expect.any(String) })
  const shown = await get(`/user/info?user_id=${made.user_id}`)
  expect(shown).toMatchObject({
    user_id: made.user_id,
    user_info: { max_budget: 5 },
    keys: [{ key_alias: alias }],
    teams: [],
  })
  expect((await world.manage('POST', '/user/new', { auto_create_key: false })).key).toBeUndefined()
})

test('who belongs to whom is shown, and has to be there', async () => {
  const [organization_id, team_id, project_id] = [fresh('org'), fresh('team'), fresh('project')]
  for (const [path, body, param] of [
    ['/team/new', { organization_id }, 'organization_id'],
    ['/user/new', { organization_id }, 'organization_id'],
    ['/project/new', { team_id }, 'team_id'],
    ['/key/generate', { organization_id }, 'organization_id'],
    ['/key/generate', { project_id }, 'project_id'],
    ['/key/generate', { budget_id: 'nobody' }, 'budget_id'],
  ] as const) {
    const { status, error } = await world.tell('POST', path, body)
    expect([path, status, error.param]).toEqual([path, 404, param])
  }
  await world.manage('POST', '/organization/new', { organization_id })
  await world.manage('POST', '/team/new', { team_id, organization_id })
  await world.manage('POST', '/project/new', { project_id, team_id })
  const key = await world.key({ project_id, key_alias: fresh('of-project') })
  expect(await get(`/organization/info?organization_id=${organization_id}`)).toMatchObject({ teams: [{ team_id }] })
  expect(await get(`/team/list?organization_id=${organization_id}`)).toMatchObject([{ team_id }])
  const other = fresh('team')
  expect((await world.tell('POST', '/key/update', { key, team_id: other })).error.param).toBe('project_id')
  expect((await world.manage('POST', '/key/update', { key, team_id })).team_id).toBe(team_id)
  expect(await get(`/key/list?project_id=${project_id}`)).toMatchObject({ total_count: 1 })
})

test('what belongs to whoever is deleted goes with him, and nothing else', async () => {
  const [organization_id, team_id, project_id, user_id] = ['o', 't', 'p', 'u'].map(fresh)
  await world.manage('POST', '/organization/new', { organization_id })
  await world.manage('POST', '/team/new', { team_id, organization_id })
  await world.manage('POST', '/project/new', { project_id, team_id })
  await world.manage('POST', '/user/new', { user_id, key_alias: fresh('users-key') })
  const alias = fresh('projects-key')
  const key = await world.key({ project_id, key_alias: alias })
  const own = await world.key({ user_id })
  const count = async () => (await get('/key/list?size=500')).total_count as number
  const before = await count()
  expect(await world.manage('POST', '/user/delete', { user_ids: [user_id] })).toMatchObject({
    deleted_users: [user_id],
    deleted_keys: [expect.any(String), expect.any(String)],
  })
  expect(await count()).toBe(before - 2)
  expect((await world.tell('GET', `/key/info?key=${own}`)).status).toBe(404)
  expect((await get(`/key/info?key=${key}`)).info).toMatchObject({ project_id })
  await world.manage('DELETE', '/organization/delete', { organization_ids: [organization_id] })
  expect(await count()).toBe(before - 3)
  for (const path of [
    `/key/info?key=${key}`,
    `/project/info?project_id=${project_id}`,
    `/team/info?team_id=${team_id}`,
  ])
    expect([path, (await world.tell('GET', path)).status]).toEqual([path, 404])
  // All or none.
  const [a, b] = [fresh('t'), fresh('t')]
  await world.manage('POST', '/team/new', { team_id: a })
  expect((await world.tell('POST', '/team/delete', { team_ids: [a, b] })).status).toBe(404)
  expect((await get(`/team/info?team_id=${a}`)).team_id).toBe(a)
})

test('shared budgets by their routes', async () => {
  const budget_id = fresh('budget')
  const fields = { ...TERMS, ...LIMITS }
  expect(await world.manage('POST', '/budget/new', { budget_id, ...fields })).toMatchObject({ budget_id, ...fields })
  expect((await world.tell('POST', '/budget/new', { budget_id })).error).toMatchObject({
    code: 'conflict',
    param: 'budget_id',
  })
  const changed = await world.manage('POST', '/budget/update', { budget_id, max_budget: 3, rpm_limit: null })
  expect(changed).toMatchObject({ ...fields, max_budget: 3, rpm_limit: null })
  expect(await world.manage('POST', '/budget/info', { budgets: [budget_id] })).toMatchObject([
    { budget_id, max_budget: 3 },
  ])
  expect(await get('/budget/list')).toContainEqual(changed)
  const settings = (await get(`/budget/settings?budget_id=${budget_id}`)) as unknown as Json[]
  expect(settings.find((s) => s.field_name === 'max_budget')).toMatchObject({
    field_type: 'Float',
    field_value: 3,
    stored_in_db: true,
  })
  for (const [path, body] of [
    ['/budget/update', { budget_id: 'nobody' }],
    ['/budget/info', { budgets: ['nobody'] }],
    ['/budget/delete', { id: 'nobody' }],
  ] as const)
    expect([path, (await world.tell('POST', path, body)).status]).toEqual([path, 404])
  for (const wrong of [
    { temp_budget_increase: 5, temp_budget_expiry: '1d' },
    { budget_id: 'x', max_budget: 'y' },
    { color: 'red' },
  ])
    expect((await world.tell('POST', '/budget/new', wrong)).status).toBe(400)
  expect(await world.manage('POST', '/budget/delete', { id: budget_id })).toMatchObject({ budget_id })
})

test('what only was named is shown with what it spent', async () => {
  const user = fresh('shopper')
  expect((await world.tell('GET', `/customer/info?end_user_id=${user}`)).status).toBe(404)
  await world.ask({ more: { user } })
  expect(await get(`/customer/info?end_user_id=${user}`)).toMatchObject({
    user_id: user,
    created_at: null,
    total_spend: 62e-6,
  })
})

test('long lists come in pages', async () => {
  for (let i = 0; i < 5; i++) await world.manage('POST', '/customer/new', { user_id: `page-${i}` })
  const seen: string[] = []
  for (let page: string | null = '1'; page; ) {
    const reply: Response = await world.gateway.call('GET', `/customer/list?size=3&page=${page}`)
    const ids = ((await reply.json()) as { user_id: string }[]).map((one) => one.user_id)
    expect(ids.length).toBeLessThanOrEqual(3)
    seen.push(...ids)
    expect(Number(reply.headers.get('x-tollgate-total'))).toBeGreaterThanOrEqual(5)
    page = reply.headers.get('x-tollgate-next')
  }
  expect(new Set(seen).size).toBe(seen.length)
  expect(seen).toEqual(expect.arrayContaining(['page-0', 'page-4']))
  expect((await world.tell('GET', '/customer/list?size=5000')).status).toBe(400)
})

test('no virtual key manages anybody', async () => {
  const key = await world.key()
  const routes = Object.values(KINDS).flatMap(({ base, update, remove }) => [
    ['POST', `${base}/new`],
    [update, `${base}/update`],
    [remove, `${base}/delete`],
    ['GET', `${base}/list`],
    [base === '/tag' ? 'POST' : 'GET', `${base}/info`],
  ])
  const others = ['new', 'update', 'info', 'delete'].map((step) => ['POST', `/budget/${step}`])
  const rest = [
    ...['team', 'customer'].flatMap((k) => [
      ['POST', `/${k}/block`],
      ['POST', `/${k}/unblock`],
    ]),
  ]
  for (const [method = '', path = ''] of [
    ...routes,
    ...others,
    ...rest,
    ['GET', '/budget/list'],
    ['GET', '/budget/settings'],
    ['GET', '/provider/budgets'],
  ]) {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
    const body = method === 'GET' ? {} : { body: '{}' }
    expect([path, (await fetch(world.gateway.url + path, { method, headers, ...body })).status]).toEqual([path, 403])
    expect([path, (await fetch(world.gateway.url + path, { method, ...body })).status]).toEqual([path, 401])
  }
})

test('after a restart all is as it was', async () => {
  const [team_id, user_id] = [fresh('team'), fresh('customer')]
  const until = new Date(Date.now() + 86_400_000).toISOString()
  await world.manage('POST', '/team/new', {
    team_id,
    ...{ ...TERMS, ...LIMITS, ...REST, tags: ['t'] },
    ...{ temp_budget_increase: 2, temp_budget_expiry: until },
  })
  await world.manage('POST', '/customer/new', { user_id, max_budget: 0 })
  const key = await world.key({ team_id, ...TERMS, tags: ['x'], pricing: { paid: { output_cost_per_token: 2e-9 } } })
  await world.ask({ key })
  const shown = async () => [
    await get(`/team/info?team_id=${team_id}`),
    await get(`/customer/info?end_user_id=${user_id}`),
    await get(`/key/info?key=${key}`),
  ]
  const before = await shown()
  await world.gateway.kill9()
  world.gateway = await startGateway({
    yaml: readFileSync(world.gateway.configFile, 'utf8'),
    dataDir: world.gateway.dataDir,
    port: world.gateway.port,
  })
  expect(await shown()).toEqual(before)
  expect((await world.ask({ key, more: { user: user_id } })).status).toBe(422)
}, 30_000)
