/** Rates, lists of models and blocks of everybody that a key belongs to. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { errorOf, fresh, startWorld, type World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld(['paid', 'other'])
})
afterAll(() => world.stop())

const KINDS = [
  ['team', 'team_id'],
  ['user', 'user_id'],
  ['organization', 'organization_id'],
  ['project', 'project_id'],
] as const

const make = async (kind: string, field: string, fields: object) => {
  const id = fresh(kind)
  await world.manage('POST', `/${kind}/new`, { [field]: id, auto_create_key: false, ...fields })
  return id
}

test.each(KINDS)('the rate of a %s holds over all of its keys, and its refusal names it', async (kind, field) => {
  const id = await make(kind, field, { rpm_limit: 3 })
  const [one, two] = [await world.key({ [field]: id }), await world.key({ [field]: id, rpm_limit: 100 })]
  for (const key of [one, two, one]) expect((await world.ask({ key })).status).toBe(200)
  const refused = await world.ask({ key: two })
  expect([refused.status, errorOf(refused).scope]).toEqual([429, `${kind}:${id}`])
  expect(refused.error).toContain(`Rate limit exceeded for ${kind} '${id}': 3 of 3 requests`)
  expect(Number(refused.headers.get('retry-after'))).toBeWithin(1, 62)
})

test('a request that one limit refuses uses up none of the others', async () => {
  const team_id = await make('team', 'team_id', { rpm_limit: 3 })
  const name = fresh('tag')
  await world.manage('POST', '/tag/new', { name, rpm_limit: 1 })
  const key = await world.key({ team_id })
  const tagged = { key, headers: { 'x-litellm-tags': name } }
  expect((await world.ask(tagged)).status).toBe(200)
  for (let i = 0; i < 5; i++) expect(errorOf(await world.ask(tagged)).scope).toBe(`tag:${name}`)
  for (let i = 0; i < 2; i++) expect((await world.ask({ key })).status).toBe(200)
  expect(errorOf(await world.ask({ key })).scope).toBe(`team:${team_id}`)
})

test('customers have the limits of their shared budget, each for himself, whoever asks for them', async () => {
  const [budget_id, a, b] = [fresh('tier'), fresh('customer'), fresh('customer')]
  await world.manage('POST', '/budget/new', { budget_id, rpm_limit: 1 })
  for (const user_id of [a, b]) await world.manage('POST', '/customer/new', { user_id, budget_id })
  const by = (user: string, key?: string) => world.ask({ more: { user }, ...(key ? { key } : {}) })
  expect((await by(a)).status).toBe(200)
  expect((await by(b, await world.key())).status).toBe(200)
  const refused = await by(a)
  expect([refused.status, errorOf(refused).entity_type, errorOf(refused).entity_id]).toEqual([429, 'customer', a])
  await world.manage('POST', '/budget/update', { budget_id, rpm_limit: 2 })
  expect((await by(a)).status).toBe(200)
})

test('as many at once as the team may, and the slots are free again', async () => {
  const team_id = await make('team', 'team_id', { max_parallel_requests: 2 })
  const key = await world.key({ team_id })
  const all = await Promise.all(Array.from({ length: 6 }, () => world.ask({ key, stream: true, model: 'slow' })))
  expect(all.filter((s) => s.status === 200)).toHaveLength(2)
  for (const said of all.filter((s) => s.status !== 200))
    expect(errorOf(said)).toMatchObject({ scope: `team:${team_id}`, limit: 'parallel requests', max: 2 })
  expect((await world.ask({ key })).status).toBe(200)
})

test('tokens a minute of a project', async () => {
  const project_id = await make('project', 'project_id', { tpm_limit: 300 })
  const key = await world.key({ project_id })
  const statuses: number[] = []
  for (let i = 0; i < 12; i++) statuses.push((await world.ask({ key, more: { max_tokens: 40 } })).status)
  expect(statuses.filter((s) => s === 200).length).toBeWithin(5, 12)
  expect(statuses.at(-1)).toBe(429)
})

test.each(KINDS)('the models of a %s bound its keys, and the refusal says whose list it is', async (kind, field) => {
  const id = await make(kind, field, { models: ['paid', 'loc*'] })
  const key = await world.key({ [field]: id })
  for (const model of ['paid', 'local']) expect((await world.ask({ key, model })).status).toBe(200)
  const refused = await world.ask({ key, model: 'other' })
  expect([refused.status, errorOf(refused).code]).toEqual([403, 'model_access_denied'])
  expect(refused.error).toContain(`${kind[0]?.toUpperCase()}${kind.slice(1)} '${id}' may not use the model 'other'`)
  const list = await fetch(`${world.gateway.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } })
  expect(((await list.json()) as { data: { id: string }[] }).data.map((m) => m.id).sort()).toEqual(['local', 'paid'])
  await world.manage(kind === 'organization' ? 'PATCH' : 'POST', `/${kind}/update`, { [field]: id, models: ['other'] })
  expect((await world.ask({ key, model: 'other' })).status).toBe(200)
  expect((await world.ask({ key, model: 'paid' })).status).toBe(403)
})

test("a customer's models bound who asks for him; the master key is bound by nothing", async () => {
  const user_id = fresh('customer')
  await world.manage('POST', '/customer/new', { user_id, models: ['other'] })
  const more = { user: user_id }
  const key = await world.key()
  expect((await world.ask({ key, more })).status).toBe(403)
  expect((await world.ask({ key, more, model: 'other' })).status).toBe(200)
  expect((await world.ask({ key })).status).toBe(200)
  expect((await world.ask({ more })).status).toBe(200)
})

test("'all-team-models' is what the team may use, and nothing without a team", async () => {
  const team_id = await make('team', 'team_id', { models: ['other'] })
  const key = await world.key({ team_id, models: ['all-team-models'] })
  expect((await world.ask({ key, model: 'other' })).status).toBe(200)
  expect((await world.ask({ key, model: 'paid' })).status).toBe(403)
  const alone = await world.key({ models: ['all-team-models'] })
  expect((await world.ask({ key: alone, model: 'other' })).status).toBe(403)
})

test('whoever is blocked is refused at once, with all that belong to him', async () => {
  const organization_id = await make('organization', 'organization_id', {})
  const team_id = await make('team', 'team_id', { organization_id })
  const key = await world.key({ team_id })
  const status = async () => (await world.ask({ key })).status
  expect(await status()).toBe(200)
  await world.manage('POST', '/team/block', { team_id })
  expect(await status()).toBe(401)
  expect((await world.ask({ key })).error).toContain(`team '${team_id}' are blocked`)
  await world.manage('POST', '/team/unblock', { team_id })
  expect(await status()).toBe(200)
  await world.manage('PATCH', '/organization/update', { organization_id, blocked: true })
  expect((await world.ask({ key })).error).toContain(`organization '${organization_id}'`)
})

test('a customer can be blocked whom nobody has made', async () => {
  const [a, b] = [fresh('customer'), fresh('customer')]
  const { blocked_users } = await world.manage('POST', '/customer/block', { user_ids: [a, b] })
  expect(blocked_users).toMatchObject([
    { user_id: a, blocked: true },
    { user_id: b, blocked: true },
  ])
  expect((await world.ask({ more: { user: a } })).status).toBe(401)
  await world.manage('POST', '/end_user/unblock', { user_ids: [a] })
  expect((await world.ask({ more: { user: a } })).status).toBe(200)
  expect((await world.ask({ more: { user: b } })).status).toBe(401)
})
