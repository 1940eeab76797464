/** What a budget says: its windows, its models, what it shares, what raises it, what happens at its end. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { inParallel } from '../support/ask.ts'
import { atRest, nano } from '../support/books.ts'
import { COST, DOLLARS, errorOf, fresh, ONE, startWorld, TWO, type World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld(['paid', 'other', 'gpt-a', 'gpt-b'], { tollgate: { budget_warn_at: [0.5, 1] } })
})
afterAll(() => world.stop())

test('a change holds from the next request on', async () => {
  const team_id = fresh('team')
  const key = await world.key({ team_id })
  const status = async () => (await world.ask({ key })).status
  // Nobody has made the team: it is a name that spend is counted by.
  expect(await status()).toBe(200)
  await world.manage('POST', '/team/new', { team_id, max_budget: DOLLARS })
  expect(await status()).toBe(422)
  await world.manage('POST', '/team/update', { team_id, max_budget: TWO })
  expect(await status()).toBe(200)
  expect(await status()).toBe(422)
  await world.manage('POST', '/team/update', { team_id, max_budget: null })
  expect(await status()).toBe(200)
  await world.manage('POST', '/team/update', { team_id, max_budget: DOLLARS })
  expect(await status()).toBe(422)
  await world.manage('POST', '/key/update', { key, team_id: null })
  expect(await status()).toBe(200)
  await world.manage('POST', '/team/delete', { team_ids: [team_id] })
})

test('an hour and a month at once: the tighter one refuses and says which it is', async () => {
  const key = await world.key({
    ...{ max_budget: 1, budget_duration: '1mo' },
    budget_limits: [{ max_budget: ONE, budget_duration: '1h' }],
  })
  expect((await world.ask({ key })).status).toBe(200)
  const refused = await world.ask({ key })
  expect([refused.status, errorOf(refused).budget_duration]).toEqual([422, '1h'])
  expect(Date.parse(String(errorOf(refused).reset_at)) - Date.now()).toBeLessThan(3_600_001)
  const { info } = await world.manage('GET', `/key/info?key=${key}`)
  expect(info).toMatchObject({
    spend: DOLLARS,
    max_budget: 1,
    budget_duration: '1mo',
    budget_limits: [{ max_budget: ONE, budget_duration: '1h' }],
    budgets: [
      { budget_duration: '1mo', max_budget: 1, spend: DOLLARS, remaining: (nano(1) - COST) / 1e9 },
      { budget_duration: '1h', max_budget: ONE, spend: DOLLARS, remaining: (nano(ONE) - COST) / 1e9 },
    ],
  })
})

test('the shorter window begins anew, the longer one goes on', async () => {
  const SECONDS = 2
  await Bun.sleep(SECONDS * 1000 - (Date.now() % (SECONDS * 1000)) + 20)
  const team_id = fresh('team')
  await world.manage('POST', '/team/new', {
    team_id,
    ...{ max_budget: TWO, budget_duration: '1mo' },
    budget_limits: [{ max_budget: ONE, budget_duration: `${SECONDS}s` }],
  })
  const key = await world.key({ team_id })
  expect((await world.ask({ key })).status).toBe(200)
  const refused = await world.ask({ key })
  expect([refused.status, errorOf(refused).budget_duration]).toEqual([422, `${SECONDS}s`])
  await Bun.sleep(Number(refused.headers.get('retry-after')) * 1000)
  expect((await world.ask({ key })).status).toBe(200)
  await Bun.sleep(SECONDS * 1000)
  const last = await world.ask({ key })
  expect([last.status, errorOf(last).budget_duration]).toEqual([422, '1mo'])
}, 15_000)

test('a budget of single models: it refuses those, and counts nothing of the others', async () => {
  const user_id = fresh('user')
  const made = await world.manage('POST', '/user/new', {
    user_id,
    model_max_budget: { other: { budget_limit: ONE, time_period: '1d' }, 'gpt-*': ONE },
  })
  const key = made.key as string
  expect(made.model_max_budget).toEqual({
    other: { max_budget: ONE, budget_duration: '1d' },
    'gpt-*': { max_budget: ONE, budget_duration: null },
  })
  for (let i = 0; i < 2; i++) expect((await world.ask({ key, model: 'paid' })).status).toBe(200)
  expect((await world.ask({ key, model: 'other' })).status).toBe(200)
  expect(errorOf(await world.ask({ key, model: 'other' }))).toMatchObject({ model: 'other', scope: `user:${user_id}` })
  expect((await world.ask({ key, model: 'gpt-a' })).status).toBe(200)
  const refused = await world.ask({ key, model: 'gpt-b' })
  expect(errorOf(refused)).toMatchObject({ type: 'budget_exceeded', model: 'gpt-*', spent: DOLLARS })
  expect(refused.error).toContain("for 'gpt-*'")
  expect((await world.ask({ key, model: 'paid' })).status).toBe(200)
})

test('two who share a budget have it each for himself, and a change of it changes both', async () => {
  const [budget_id, team_id, customer] = [fresh('budget'), fresh('team'), fresh('customer')]
  await world.manage('POST', '/budget/new', { budget_id, max_budget: ONE, budget_duration: '1mo', rpm_limit: 100 })
  await world.manage('POST', '/team/new', { team_id, budget_id })
  await world.manage('POST', '/customer/new', { user_id: customer, budget_id })
  const ofKey = { key: await world.key({ budget_id }) }
  const ofTeam = { key: await world.key({ team_id }) }
  const ofCustomer = { key: await world.key(), headers: { 'x-litellm-end-user-id': customer } }
  for (const mine of [ofTeam, ofCustomer, ofKey]) {
    expect((await world.ask(mine)).status).toBe(200)
    expect((await world.ask(mine)).status).toBe(422)
  }
  await world.manage('POST', '/budget/update', { budget_id, max_budget: TWO })
  for (const mine of [ofTeam, ofCustomer, ofKey]) expect((await world.ask(mine)).status).toBe(200)
  expect((await world.manage('GET', `/key/info?key=${ofKey.key}`)).info).toMatchObject({
    ...{ budget_id, max_budget: null },
    budgets: [{ max_budget: TWO, budget_duration: '1mo' }],
  })
  await world.manage('POST', '/key/delete', { keys: [ofKey.key] })
  // What a scope says itself wins, limit and window together.
  await world.manage('POST', '/team/update', { team_id, max_budget: 1 })
  expect((await world.ask(ofTeam)).status).toBe(200)
  expect((await world.ask(ofCustomer)).status).toBe(422)
  const info = await world.manage('GET', `/customer/info?end_user_id=${customer}`)
  expect(info.litellm_budget_table).toMatchObject({ budget_id, max_budget: TWO, rpm_limit: 100 })
  const { status, error } = await world.tell('POST', '/budget/delete', { id: budget_id })
  expect([status, error.code]).toEqual([400, 'conflict'])
  expect(error.message).toContain(`team '${team_id}', customer '${customer}'`)
})

test('a raise ends by itself', async () => {
  const key = await world.key({ max_budget: ONE })
  const ask = async () => (await world.ask({ key })).status
  expect([await ask(), await ask()]).toEqual([200, 422])
  const until = Date.now() + 2_000
  const raised = await world.manage('POST', '/key/update', {
    key,
    ...{ temp_budget_increase: 100, temp_budget_expiry: new Date(until).toISOString() },
  })
  expect(raised).toMatchObject({ max_budget: ONE, temp_budget_increase: 100, budgets: [{ max_budget: 100.000093 }] })
  expect([await ask(), await ask()]).toEqual([200, 200])
  await Bun.sleep(until - Date.now() + 20)
  const refused = await world.ask({ key })
  expect([refused.status, errorOf(refused).max_budget]).toEqual([422, ONE])
  // With what it raises it goes.
  expect(await world.manage('POST', '/key/update', { key, max_budget: null })).toMatchObject({
    temp_budget_increase: null,
    temp_budget_expiry: null,
  })
}, 10_000)

describe('at its end', () => {
  test('soft lets through, and warns at each share once', async () => {
    const team_id = fresh('soft')
    await world.manage('POST', '/team/new', { team_id, max_budget: 2 * DOLLARS, budget_mode: 'soft' })
    const key = await world.key({ team_id })
    for (let i = 0; i < 4; i++) expect((await world.ask({ key })).status).toBe(200)
    await Bun.sleep(300)
    const warned = world.gateway
      .logs()
      .split('\n')
      .filter((line) => line.includes(`team:${team_id}`))
    expect(warned.map((line) => JSON.parse(line).mark)).toEqual([DOLLARS, 2 * DOLLARS])
  })

  test('a soft budget is warned of, and refuses nobody', async () => {
    const team_id = fresh('warned')
    await world.manage('POST', '/team/new', { team_id, soft_budget: ONE })
    const key = await world.key({ team_id })
    for (let i = 0; i < 3; i++) expect((await world.ask({ key })).status).toBe(200)
    await Bun.sleep(300)
    const warned = world.gateway
      .logs()
      .split('\n')
      .filter((line) => line.includes(`team:${team_id}`))
    expect(warned.map((line) => JSON.parse(line).mark)).toEqual([ONE])
  })

  test('cap cuts the answer to what is left and says so; strict refuses', async () => {
    const left = 2 * DOLLARS
    const asks = { more: { max_tokens: 500 } }
    const capped = await world.ask({ key: await world.key({ max_budget: left, budget_mode: 'cap' }), ...asks })
    expect(capped.status).toBe(200)
    const [max, reason] = String(capped.headers.get('x-tollgate-max-tokens')).split('; ')
    expect(reason).toBe('reason=budget')
    expect(Number(max)).toBeWithin(20, 41)
    const strict = await world.ask({ key: await world.key({ max_budget: left, budget_mode: 'strict' }), ...asks })
    expect(strict.status).toBe(422)
  })

  test('what is left stands on every answer', async () => {
    const team_id = fresh('team')
    await world.manage('POST', '/team/new', { team_id, max_budget: 0.5 })
    const key = await world.key({ team_id, max_budget: 1 })
    const said = await world.ask({ key })
    expect(said.headers.get('x-litellm-key-max-budget')).toBe('1')
    const first = Number(said.headers.get('x-tollgate-budget-remaining'))
    const second = Number((await world.ask({ key, stream: true })).headers.get('x-tollgate-budget-remaining'))
    expect(first).toBeWithin(0.5 - 2 * DOLLARS, 0.5 + 1e-9)
    expect(nano(second)).toBe(nano(0.5) - COST)
    const budget_id = fresh('shared')
    await world.manage('POST', '/budget/new', { budget_id, max_budget: 2 })
    const shared = await world.ask({ key: await world.key({ budget_id }) })
    expect(shared.headers.get('x-litellm-key-max-budget')).toBe('2')
  })
})

test('many at once under several budgets: none is overspent, nobody is refused who could pay', async () => {
  const [team_id, name] = [fresh('team'), fresh('tag')]
  await world.manage('POST', '/team/new', {
    team_id,
    max_budget: 10 * DOLLARS,
    budget_limits: [{ max_budget: 1, budget_duration: '1h' }],
  })
  await world.manage('POST', '/tag/new', { name, max_budget: 7 * DOLLARS })
  const tagged = await world.key({ team_id, tags: [name] })
  const plain = await world.key({ team_id })
  const first = await inParallel(Array.from({ length: 12 }), 12, () => world.ask({ key: tagged }))
  expect(first.filter((s) => s.status === 200)).toHaveLength(7)
  for (const said of first.filter((s) => s.status !== 200)) expect(errorOf(said).scope).toBe(`tag:${name}`)
  const second = await inParallel(Array.from({ length: 8 }), 8, () => world.ask({ key: plain, stream: true }))
  expect(second.filter((s) => s.status === 200)).toHaveLength(3)
  await atRest(world.gateway)
  const { team_info } = await world.manage('GET', `/team/info?team_id=${team_id}`)
  expect(team_info).toMatchObject({ spend: (10 * COST) / 1e9, held: 0 })
}, 20_000)

test('a key that pays its own prices', async () => {
  const key = await world.key({
    max_budget: 1,
    pricing: { paid: { input_cost_per_token: 0, output_cost_per_token: 1e-9 } },
  })
  const said = await world.ask({ key })
  expect(Number(said.headers.get('x-litellm-response-cost'))).toBe(20e-9)
  expect((await world.manage('GET', `/key/info?key=${key}`)).info).toMatchObject({
    pricing: { paid: { input_cost_per_token: 0, output_cost_per_token: 1e-9 } },
  })
  const changed = await world.manage('POST', '/key/update', { key, pricing: null })
  expect(changed.pricing).toBeNull()
  expect(nano(Number((await world.ask({ key })).headers.get('x-litellm-response-cost')))).toBe(COST)
  for (const pricing of [{ paid: { cost: 1 } }, { nothing: { input_cost_per_token: 1 } }])
    expect(await world.tell('POST', '/key/update', { key, pricing })).toMatchObject({
      status: 400,
      error: { param: 'pricing' },
    })
})
