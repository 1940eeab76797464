/** Which price a charge is made with, and that it says so for ever. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Mock, startMock } from '../mock/upstream.ts'
import { ask } from '../support/ask.ts'
import { atRest, makeKey, type Row, rowsOf } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { makeTemp, removeTemp } from '../support/temp.ts'

/** Words of the prompt and of the answer: what the mock counts. */
const TEXT = 'How much is the toll?'
const [IN, OUT] = [5, 20]

const dataDir = makeTemp('prices')
let mock: Mock
let gateway: Gateway

const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10)
const TOMORROW = day(Date.now() + 86_400_000)

function configuration(dearer: boolean) {
  const at = { api_base: `${mock.url}/v1`, api_key: 'sk-up' }
  return {
    model_list: [
      {
        model_name: 'plain',
        litellm_params: { model: 'openai/plain', ...at, input_cost_per_token: dearer ? 3e-6 : 1e-6 },
      },
      {
        model_name: 'dated',
        litellm_params: {
          ...{ model: 'openai/dated', ...at, input_cost_per_token: 1e-6, output_cost_per_token: 1e-6 },
          prices: [
            { from: '2024-01-01', input_cost_per_token: 2e-6 },
            { from: TOMORROW, input_cost_per_token: 9e-6 },
          ],
        },
      },
      {
        model_name: 'served',
        litellm_params: {
          ...{ model: 'openai/served', ...at, input_cost_per_token: 1e-6, output_cost_per_token: 1e-6 },
          ...{ input_cost_per_token_priority: 5e-6, input_cost_per_token_flex: 5e-7 },
        },
      },
      { model_name: 'listed', litellm_params: { model: 'openai/gpt-4o-mini', ...at } },
      { model_name: 'openai/*', litellm_params: { model: 'openai/*', ...at } },
      {
        model_name: 'margin',
        litellm_params: {
          ...{ model: 'anthropic/margin', api_base: mock.url, api_key: 'sk-up' },
          ...{ input_cost_per_token: 1e-6, output_cost_per_token: 1e-6 },
        },
      },
    ],
    litellm_settings: {
      cost_discount_config: { anthropic: 0.5 },
      cost_margin_config: { anthropic: { percentage: 0.2, fixed_amount: 0.000001 } },
    },
  }
}

beforeAll(async () => {
  mock = await startMock({ words: OUT })
  gateway = await startGateway({ dataDir, yaml: configuration(false) })
})
afterAll(async () => {
  await gateway.stop()
  mock.stop()
  removeTemp(dataDir)
})

interface Charge extends Row {
  price: { kind: string; version: string; rates: Record<string, number> }
}

async function charge(model: string, more: Record<string, unknown> = {}, fields: Record<string, unknown> = {}) {
  const key = await makeKey(gateway, { max_budget: 1, ...fields })
  const said = await ask(gateway, { model, key, text: TEXT, more })
  expect(said.status).toBe(200)
  await atRest(gateway)
  const [row] = (await rowsOf(gateway, key)) as Charge[]
  if (!row) throw new Error('no row')
  return row
}

describe('the price', () => {
  test('of the day, with the day in its version', async () => {
    const row = await charge('dated')
    expect(row.spend_nano).toBe(IN * 2_000 + OUT * 1_000)
    expect(row.price).toEqual({
      kind: 'priced',
      version: 'config, from 2024-01-01',
      rates: { input: 2e9, output: 1e9 },
    })
  })

  test('of the service that was sold, else of the one that was asked for', async () => {
    mock.plan('served', [{ detail: { service: 'priority' } }, { detail: { service: 'flex' } }, {}, {}])
    const sold = [await charge('served'), await charge('served', { service_tier: 'priority' })]
    expect(sold.map((row) => row.spend_nano)).toEqual([IN * 5_000 + OUT * 1_000, IN * 500 + OUT * 1_000])
    expect(sold.map((row) => row.price.version)).toEqual(['config, priority', 'config, flex'])
    // Nothing is said of it: what was asked for is held to be sold.
    expect((await charge('served', { service_tier: 'priority' })).spend_nano).toBe(IN * 5_000 + OUT * 1_000)
    expect((await charge('served', { service_tier: 'default' })).spend_nano).toBe(IN * 1_000 + OUT * 1_000)
  })

  test('of the list, with its release, and of what a name puts into a pattern', async () => {
    for (const model of ['listed', 'openai/gpt-4o-mini']) {
      const { price, spend_nano } = await charge(model)
      expect(spend_nano).toBe(IN * 150 + OUT * 600)
      expect(price.version).toMatch(/^genai-prices@\d+\.\d+\.\d+:openai\/gpt-4o-mini$/)
    }
  })

  test('with what the house takes off and puts on', async () => {
    const { price, spend_nano } = await charge('margin')
    expect(spend_nano).toBe((IN + OUT) * 600 + 1_000)
    expect(price.version).toBe('config, -50 %, +20 %, +$0.000001 a request')
  })

  test("of the caller's key, rate by rate", async () => {
    const pricing = { dated: { output_cost_per_token: 0.000_007 } }
    const { price, spend_nano } = await charge('dated', {}, { pricing })
    expect(spend_nano).toBe(IN * 2_000 + OUT * 7_000)
    expect(price.version).toBe('key over config, from 2024-01-01')
  })
})

test('other prices at the next start: told in the log, and no charge of before is another', async () => {
  const before = await charge('plain')
  expect(before.spend_nano).toBe(IN * 1_000)
  await gateway.stop()
  const file = join(dataDir, 'prices.json')
  const kept = JSON.parse(readFileSync(file, 'utf8'))
  expect(kept.prices['dated → openai/dated'].words).toMatchObject({
    input_cost_per_token: 2e-6,
    [`input_cost_per_token from ${TOMORROW}`]: 9e-6,
  })
  gateway = await startGateway({ dataDir, yaml: configuration(true) })
  const told = () => gateway.logs().includes('Prices have changed since the last start.')
  for (const end = Date.now() + 5_000; !told() && Date.now() < end; ) await Bun.sleep(20)
  expect(gateway.logs()).toContain(
    'plain → openai/plain: input_cost_per_token $1 per million tokens → $3 per million tokens',
  )
  expect((await charge('plain')).spend_nano).toBe(IN * 3_000)
  const rows = (await rowsOf(gateway)) as Charge[]
  const then = rows.find((row) => row.request_id === before.request_id)
  expect([then?.spend_nano, then?.price]).toEqual([IN * 1_000, before.price])
  await gateway.stop()
  // Nobody keeps a gateway from starting by what it noted down.
  writeFileSync(file, 'none of ours')
  gateway = await startGateway({ dataDir, yaml: configuration(true) })
  await gateway.stop()
  expect(gateway.logs()).not.toContain('Prices have changed')
  expect(JSON.parse(readFileSync(file, 'utf8')).library).toMatch(/^genai-prices@/)
}, 30_000)
