/** A budget of each kind of scope: when it is spent it refuses, says whose it is, and stands in nobody else's way. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { Question } from '../support/ask.ts'
import { atRest } from '../support/books.ts'
import { COST, DOLLARS, errorOf, fresh, ONE, startWorld, type World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld(['paid', 'other', 'of-model', 'metered'], {
    router_settings: { num_retries: 0, provider_budget_config: { mistral: { budget_limit: 100, time_period: '1d' } } },
  })
})
afterAll(() => world.stop())

const BUDGET = { max_budget: ONE, budget_duration: '1mo' }

interface Case {
  /** Makes the scope with the budget; says how a request belongs to it, and how one does not. */
  set(): Promise<{ scope: string; mine: Partial<Question>; other: Partial<Question> }>
}

const holder = async (kind: string, path: string, field: string, keyField: string) => {
  const id = fresh(kind)
  await world.manage('POST', `${path}/new`, { [field]: id, ...BUDGET })
  return {
    scope: `${kind}:${id}`,
    mine: { key: await world.key({ [keyField]: id }) },
    other: { key: await world.key() },
  }
}

const customer = async (mine: (id: string) => Partial<Question>) => {
  const id = fresh('customer')
  await world.manage('POST', '/customer/new', { user_id: id, ...BUDGET })
  const key = await world.key()
  return { scope: `customer:${id}`, mine: { key, ...mine(id) }, other: { key, ...mine(`${id}-else`) } }
}

const tag = async (mine: (name: string) => Partial<Question>) => {
  const name = fresh('tag')
  await world.manage('POST', '/tag/new', { name, ...BUDGET })
  const key = await world.key()
  return { scope: `tag:${name}`, mine: { key, ...mine(name) }, other: { key, ...mine(`${name}-else`) } }
}

const CASES: Record<string, Case['set']> = {
  key: async () => {
    const key = await world.key({ key_alias: fresh('k'), ...BUDGET })
    const info = (await world.manage('GET', `/key/info?key=${key}`)).info as { token: string }
    return { scope: `key:${info.token}`, mine: { key }, other: { key: await world.key() } }
  },
  team: () => holder('team', '/team', 'team_id', 'team_id'),
  user: () => holder('user', '/user', 'user_id', 'user_id'),
  organization: () => holder('organization', '/organization', 'organization_id', 'organization_id'),
  project: () => holder('project', '/project', 'project_id', 'project_id'),
  'organization of a team': async () => {
    const [organization_id, team_id] = [fresh('organization'), fresh('team')]
    await world.manage('POST', '/organization/new', { organization_id, ...BUDGET })
    await world.manage('POST', '/team/new', { team_id, organization_id })
    return {
      scope: `organization:${organization_id}`,
      mine: { key: await world.key({ team_id }) },
      other: { key: await world.key() },
    }
  },
  'team of a project': async () => {
    const [project_id, team_id] = [fresh('project'), fresh('team')]
    await world.manage('POST', '/team/new', { team_id, ...BUDGET })
    await world.manage('POST', '/project/new', { project_id, team_id })
    return {
      scope: `team:${team_id}`,
      mine: { key: await world.key({ project_id }) },
      other: { key: await world.key() },
    }
  },
  'customer by `user`': () => customer((user) => ({ more: { user } })),
  'customer by header': () => customer((id) => ({ headers: { 'x-litellm-customer-id': id } })),
  'customer by metadata.user_id': () => customer((user_id) => ({ more: { metadata: { user_id } } })),
  'tag by header': () => tag((name) => ({ headers: { 'x-litellm-tags': `a, ${name}` } })),
  'tag by metadata': () => tag((name) => ({ more: { metadata: { tags: [name] } } })),
  'tag of the key': async () => {
    const name = fresh('tag')
    await world.manage('POST', '/tag/new', { name, ...BUDGET })
    return {
      scope: `tag:${name}`,
      mine: { key: await world.key({ tags: [name] }) },
      other: { key: await world.key({ tags: ['else'] }) },
    }
  },
  'tag of the team': async () => {
    const [name, team_id] = [fresh('tag'), fresh('team')]
    await world.manage('POST', '/tag/new', { name, ...BUDGET })
    await world.manage('POST', '/team/new', { team_id, tags: [name] })
    return { scope: `tag:${name}`, mine: { key: await world.key({ team_id }) }, other: { key: await world.key() } }
  },
  model: async () => {
    const before = (await world.manage('GET', '/model/budget/info?model=of-model')) as { total_spend: number }
    const max_budget = before.total_spend + ONE
    await world.manage('POST', '/model/budget/new', { model: 'of-model', max_budget, budget_duration: '1mo' })
    const key = await world.key()
    return { scope: 'model:of-model', mine: { key, model: 'of-model' }, other: { key } }
  },
  provider: async () => {
    const before = (await world.manage('GET', '/provider/budget/info?provider=groq')) as { total_spend: number }
    const max_budget = before.total_spend + ONE
    await world.manage('POST', '/provider/budget/new', { provider: 'groq', max_budget })
    const key = await world.key()
    return { scope: 'provider:groq', mine: { key, model: 'first' }, other: { key } }
  },
}

describe.each(Object.keys(CASES))('the budget of a %s', (name) => {
  test('lets through what it pays for, refuses the rest, and nobody else', async () => {
    const { scope, mine, other } = await (CASES[name] as Case['set'])()
    expect((await world.ask(mine)).status).toBe(200)
    const refused = await world.ask(mine)
    const [kind, id] = [scope.slice(0, scope.indexOf(':')), scope.slice(scope.indexOf(':') + 1)]
    const error = errorOf(refused)
    expect([refused.status, error.type, error.scope]).toEqual([422, 'budget_exceeded', scope])
    expect(error).toMatchObject({ entity_type: kind, entity_id: id, held: 0, needed: expect.any(Number) })
    expect(Number(error.max_budget) - Number(error.spent)).toBeLessThan(DOLLARS)
    expect(error.message).toContain(kind === 'key' ? 'this key' : `${kind} '${id}'`)
    if (kind !== 'provider') expect(Date.parse(String(error.reset_at))).toBeGreaterThan(Date.now())
    // In a stream it is the same.
    expect((await world.ask({ ...mine, stream: true })).status).toBe(422)
    expect((await world.ask(other)).status).toBe(200)
    // What costs nothing goes on.
    if (mine.model === undefined) expect((await world.ask({ ...mine, model: 'local' })).status).toBe(200)
  })
})

test("Anthropic's metadata.user_id names a customer, too", async () => {
  const id = fresh('customer')
  await world.manage('POST', '/end_user/new', { user_id: id, max_budget: ONE })
  const key = await world.key()
  const send = (user_id: string) =>
    fetch(`${world.gateway.url}/v1/messages`, {
      method: 'POST',
      headers: { 'x-api-key': key, 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
      body: JSON.stringify({
        ...{ model: 'paid', max_tokens: 100, metadata: { user_id } },
        messages: [{ role: 'user', content: 'Hi there' }],
      }),
    })
  expect((await send(id)).status).toBe(200)
  const refused = await send(id)
  expect(refused.status).toBe(422)
  expect(((await refused.json()) as { error: { details: object } }).error.details).toMatchObject({
    error_code: 'budget_exceeded',
    scope: `customer:${id}`,
  })
  expect((await send(`${id}-else`)).status).toBe(200)
})

test('a provider that is spent is passed over for the next target, and nobody is refused', async () => {
  const key = await world.key()
  // The case above has made it already.
  await world.manage('POST', '/provider/budget/delete', { providers: ['groq'] })
  expect((await world.ask({ key, model: 'two' })).by).toBe('groq/two')
  const { total_spend } = (await world.manage('GET', '/provider/budget/info?provider=groq')) as { total_spend: number }
  await world.manage('POST', '/provider/budget/new', { provider: 'groq', max_budget: total_spend })
  const passed = await world.ask({ key, model: 'two' })
  expect([passed.status, passed.by]).toEqual([200, 'mistral/two'])
  expect((await world.ask({ key, model: 'first' })).status).toBe(422)
  const { providers } = (await world.manage('GET', '/provider/budgets')) as { providers: Record<string, object> }
  expect(providers.groq).toMatchObject({ budget_limit: total_spend, spend: total_spend, budget_reset_at: null })
  expect(providers.mistral).toMatchObject({ budget_limit: 100, time_period: '1d', budget_reset_at: expect.any(String) })
  await world.manage('POST', '/provider/budget/delete', { providers: ['groq'] })
  expect((await world.ask({ key, model: 'two' })).by).toBe('groq/two')
})

test('the budget of the whole gateway stops everybody, and nothing that is free', async () => {
  const small = await startWorld(['paid'], { litellm_settings: { max_budget: 1, budget_duration: '1d' } })
  try {
    const spent = (await atRest(small.gateway)).total_spend
    const left = Math.floor((1 - spent) / DOLLARS)
    expect(left).toBeGreaterThan(10)
    const tight = await startWorld(['paid'], {
      litellm_settings: { max_budget: spent + DOLLARS, budget_exceeded_status_code: 429, timezone: 'UTC' },
    })
    try {
      const key = await tight.key()
      expect((await tight.ask({ key })).status).toBe(200)
      for (const who of [key, tight.gateway.masterKey]) {
        const refused = await tight.ask({ key: who })
        expect([refused.status, errorOf(refused).scope]).toEqual([429, 'gateway'])
        expect(errorOf(refused).message).toContain('the whole gateway')
        expect(refused.headers.get('x-should-retry')).toBe('false')
      }
      expect((await tight.ask({ key, model: 'local' })).status).toBe(200)
    } finally {
      await tight.stop()
    }
  } finally {
    await small.stop()
  }
}, 30_000)

test('every scope of a request counts it, to the nano-dollar', async () => {
  const [team_id, user_id, organization_id, project_id, customerId, name] = ['t', 'u', 'o', 'p', 'c', 'g'].map(fresh)
  const wide = { max_budget: 1 }
  await world.manage('POST', '/organization/new', { organization_id, ...wide })
  await world.manage('POST', '/team/new', { team_id, organization_id, ...wide })
  await world.manage('POST', '/user/new', { user_id, auto_create_key: false, ...wide })
  await world.manage('POST', '/project/new', { project_id, team_id, ...wide })
  await world.manage('POST', '/customer/new', { user_id: customerId, ...wide })
  await world.manage('POST', '/tag/new', { name, ...wide })
  const key = await world.key({ project_id, user_id, tags: [name], ...wide })
  for (let i = 0; i < 3; i++) await world.ask({ key, more: { user: customerId } })
  const team = (await world.manage('GET', `/team/info?team_id=${team_id}`)).team_info
  const user = (await world.manage('GET', `/user/info?user_id=${user_id}`)).user_info
  const tags = await world.manage('POST', '/tag/info', { names: [name] })
  for (const shown of [
    team,
    user,
    tags[name as string],
    await world.manage('GET', `/organization/info?organization_id=${organization_id}`),
    await world.manage('GET', `/project/info?project_id=${project_id}`),
    await world.manage('GET', `/customer/info?end_user_id=${customerId}`),
    (await world.manage('GET', `/key/info?key=${key}`)).info,
  ])
    expect(shown).toMatchObject({
      spend: (3 * COST) / 1e9,
      total_spend: (3 * COST) / 1e9,
      held: 0,
      budgets: [{ max_budget: 1, spend: (3 * COST) / 1e9, held: 0, remaining: 1 - (3 * COST) / 1e9 }],
    })
})
