/** What the configuration says of those who have no budget of their own, and of new keys. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { DOLLARS, errorOf, fresh, ONE, startWorld, TWO, type World } from './world.ts'

describe('customers and users without a budget of their own', () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld(['paid'], {
      litellm_settings: {
        ...{ max_end_user_budget_id: 'tier', max_end_user_budget: 0 },
        ...{ max_internal_user_budget: ONE, internal_user_budget_duration: '1d' },
        tag_budget_config: { nightly: { max_budget: ONE } },
      },
      tollgate: { budgets: { 'team:red': { max_budget: ONE, budget_duration: '1mo' } } },
    })
  })
  afterAll(() => world.stop())

  const by = (user: string) => world.ask({ more: { user } })

  test('the one holds that is there; each has it for himself; the own one wins', async () => {
    // The log waits for company.
    await Bun.sleep(300)
    expect(world.gateway.logs()).toMatch(/A budget that the configuration names does not exist.*"budget_id":"tier"/)
    const [a, b, own] = ['a', 'b', 'own'].map(fresh) as [string, string, string]
    // Until the shared one is made, the amount of the file holds.
    expect(errorOf(await by(a))).toMatchObject({ type: 'budget_exceeded', scope: `customer:${a}`, max_budget: 0 })
    await world.manage('POST', '/budget/new', { budget_id: 'tier', max_budget: ONE, rpm_limit: 3 })
    for (const user of [a, b]) {
      expect((await by(user)).status).toBe(200)
      expect(errorOf(await by(user))).toMatchObject({ scope: `customer:${user}`, max_budget: ONE, spent: DOLLARS })
      expect((await by(user)).status).toBe(422)
      expect((await by(user)).status).toBe(429)
    }
    await world.manage('POST', '/customer/new', { user_id: own, max_budget: TWO })
    for (const status of [200, 200, 422]) expect((await by(own)).status).toBe(status)
    // Known, and without a budget of his own.
    await world.manage('POST', '/customer/update', { user_id: own, max_budget: null, alias: 'Own' })
    expect(errorOf(await by(own))).toMatchObject({ max_budget: ONE })
    const { status, error } = await world.tell('POST', '/budget/delete', { id: 'tier' })
    expect([status, String(error.message).includes('every customer')]).toEqual([400, true])
  })

  test('users, whether somebody has made them or not', async () => {
    const [named, made] = [fresh('user'), fresh('user')]
    await world.manage('POST', '/user/new', { user_id: made, auto_create_key: false })
    for (const user_id of [named, made]) {
      const key = await world.key({ user_id })
      expect((await world.ask({ key })).status).toBe(200)
      expect(errorOf(await world.ask({ key }))).toMatchObject({ scope: `user:${user_id}`, budget_duration: '1d' })
    }
  })

  test('what the file says of a scope holds until a route says otherwise', async () => {
    const key = await world.key({ team_id: 'red' })
    expect((await world.ask({ key })).status).toBe(200)
    expect(errorOf(await world.ask({ key }))).toMatchObject({ scope: 'team:red', budget_duration: '1mo' })
    expect(await world.manage('GET', '/team/info?team_id=red')).toMatchObject({ team_info: { max_budget: ONE } })
    await world.manage('POST', '/team/new', { team_id: 'red', max_budget: 1 })
    expect((await world.ask({ key })).status).toBe(200)
    const tagged = { headers: { 'x-litellm-tags': 'nightly' } }
    expect((await world.ask(tagged)).status).toBe(200)
    expect(errorOf(await world.ask(tagged))).toMatchObject({ scope: 'tag:nightly' })
    expect(await world.manage('GET', '/tag/list')).toMatchObject([{ name: 'nightly', max_budget: ONE }])
  })
})

describe('new keys', () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld(['paid', 'other'], {
      litellm_settings: {
        default_key_generate_params: {
          max_budget: 5,
          budget_duration: '1mo',
          models: ['paid'],
          tags: ['new'],
          rpm_limit: 50,
        },
        upperbound_key_generate_params: { max_budget: 10, duration: '30d', tpm_limit: 1_000 },
      },
    })
  })
  afterAll(() => world.stop())

  const make = (fields: object) => world.manage('POST', '/key/generate', fields)

  test('are what the file says where nothing is said', async () => {
    const usual = {
      max_budget: 5,
      budget_duration: '1mo',
      models: ['paid'],
      tags: ['new'],
      rpm_limit: 50,
      tpm_limit: 1_000,
    }
    expect(await make({})).toMatchObject(usual)
    // LiteLLM's clients say null and [] for that.
    expect(await make({ max_budget: null, models: [], tags: null })).toMatchObject(usual)
    expect(await make({ max_budget: 7, models: ['other'] })).toMatchObject({
      ...usual,
      max_budget: 7,
      models: ['other'],
    })
    const key = await world.key()
    expect((await world.ask({ key })).status).toBe(200)
    expect((await world.ask({ key, model: 'other' })).status).toBe(403)
    const life = Date.parse(String((await make({})).expires)) - Date.now()
    expect(life).toBeWithin(30 * 86_400_000 - 10_000, 30 * 86_400_000 + 1_000)
  })

  test('with a shared budget have its amounts, within the bounds', async () => {
    await world.manage('POST', '/budget/new', { budget_id: 'small', max_budget: 2 })
    await world.manage('POST', '/budget/new', { budget_id: 'large', max_budget: 20 })
    await world.manage('POST', '/budget/new', { budget_id: 'rates', rpm_limit: 7 })
    const small = await make({ budget_id: 'small' })
    expect(small).toMatchObject({ max_budget: null, budget_duration: null, budgets: [{ max_budget: 2 }] })
    expect((await world.tell('POST', '/key/generate', { budget_id: 'large' })).error.message).toContain('max_budget')
    // One that says nothing of money leaves the bound.
    expect(await make({ budget_id: 'rates' })).toMatchObject({ max_budget: 10 })
  })

  test('are held to the bounds, when they are made and when they change', async () => {
    const { key } = await make({})
    for (const [fields, field] of [
      [{ max_budget: 11 }, 'max_budget'],
      [{ duration: '31d' }, 'duration'],
      [{ tpm_limit: 1_001 }, 'tpm_limit'],
    ] as const)
      for (const [path, body] of [
        ['/key/generate', fields],
        ['/key/update', { key, ...fields }],
      ] as const) {
        const { status, error } = await world.tell('POST', path, body)
        expect([path, status, error.param]).toEqual([path, 400, field])
        expect(error.message).toContain('upperbound_key_generate_params')
      }
    for (const cleared of [{ max_budget: null }, { duration: null }, { tpm_limit: null }])
      expect((await world.tell('POST', '/key/update', { key, ...cleared })).status).toBe(400)
    expect(await world.manage('POST', '/key/update', { key, max_budget: 10, duration: '1d' })).toMatchObject({
      max_budget: 10,
    })
  })
})
