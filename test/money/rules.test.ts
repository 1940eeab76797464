/** What a budget means: its window, what costs nothing, what has no price, what a fallback costs, and what a failure does. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { wordsFor } from '../mock/answer.ts'
import { type Mock, startMock } from '../mock/upstream.ts'
import { ask } from '../support/ask.ts'
import { atRest, billed, makeKey, nano, rowsOf, sum } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { promptTokens, tokensOf } from '../support/tokens.ts'

const WORDS = 60
const PRICE = { input: 1_000, output: 3_000 }
const COST = 2 * PRICE.input + WORDS * PRICE.output
const PRICED = { input_cost_per_token: PRICE.input / 1e9, output_cost_per_token: PRICE.output / 1e9 }

let mock: Mock
let gateway: Gateway
beforeAll(async () => {
  mock = await startMock({ words: WORDS })
  const cloud = (alias: string, model: string, more: Record<string, unknown> = PRICED) => ({
    model_name: alias,
    litellm_params: { model: `openai/${model}`, api_base: `${mock.url}/v1`, api_key: 'sk-up', ...more },
  })
  const local = (alias: string, model: string) => ({
    model_name: alias,
    litellm_params: { model: `ollama/${model}`, api_base: mock.url },
  })
  gateway = await startGateway({
    yaml: {
      model_list: [
        cloud('paid', 'paid'),
        cloud('unpriced', 'nobody-knows-this-model', {}),
        cloud('free-cloud', 'free-cloud', { input_cost_per_token: 0, output_cost_per_token: 0 }),
        local('local', 'local'),
        local('local-first', 'broken!status:503'),
        cloud('cloud-second', 'second'),
        cloud('cut', 'cut!cut:40'),
        cloud('cut-early', 'early!cut:0'),
        cloud('slow', 'slow!slow:20'),
        cloud('liar', 'liar!liar'),
        cloud('silent-later', 'silent-later'),
      ],
      router_settings: { fallbacks: [{ 'local-first': ['cloud-second'] }], num_retries: 0 },
    },
  })
  // How long a prompt is, is guessed from the last ones: a first guess is a high one.
  await ask(gateway, { model: 'paid' })
})
afterAll(async () => {
  await gateway.stop()
  mock.stop()
})

const empty = async (): Promise<string> => {
  const key = await makeKey(gateway, { max_budget: COST / 1e9 })
  expect((await ask(gateway, { model: 'paid', key })).status).toBe(200)
  return key
}

test('a refusal says what is spent, what is left and what is needed, and asks nobody', async () => {
  const key = await empty()
  const before = mock.of('paid').length
  const said = await ask(gateway, { model: 'paid', key })
  expect(said.status).toBe(422)
  expect(JSON.parse(said.body).error).toMatchObject({
    type: 'budget_exceeded',
    code: 'budget_exceeded',
    message: expect.stringMatching(/budget of this key is \$0\.000182.*spent.*left.*needs/),
    max_budget: COST / 1e9,
    spent: COST / 1e9,
    held: 0,
  })
  const ollama = await ask(gateway, { model: 'paid', key, tongue: 'ollama' })
  expect(ollama).toMatchObject({ status: 422, error: expect.stringContaining('budget') })
  expect(mock.of('paid').length).toBe(before)
})

test('free models go on when the dollars are gone', async () => {
  const key = await empty()
  for (const model of ['local', 'free-cloud'])
    for (const stream of [true, false])
      expect(await ask(gateway, { model, key, stream })).toMatchObject({ status: 200, whole: true })
  const nothing = await makeKey(gateway, { max_budget: 0 })
  expect(await ask(gateway, { model: 'local', key: nothing })).toMatchObject({ status: 200, whole: true })
  expect((await ask(gateway, { model: 'paid', key: nothing })).status).toBe(422)
})

test('a model without a price is refused to a caller with a budget, and says what to do', async () => {
  const key = await makeKey(gateway, { max_budget: 1 })
  const said = await ask(gateway, { model: 'unpriced', key })
  expect(said.status).toBe(403)
  expect(said.error).toMatch(/price of 'unpriced' is not known.*input_cost_per_token/)
  expect(mock.of('nobody-knows-this-model').length).toBe(0)
  expect((await ask(gateway, { model: 'unpriced', key: await makeKey(gateway) })).status).toBe(200)
})

test('a free local model that fails over to a paid one is checked against the budget of the paid one', async () => {
  const rich = await makeKey(gateway, { max_budget: 1 })
  const served = await ask(gateway, { model: 'local-first', key: rich })
  expect(served).toMatchObject({ status: 200, by: 'openai/second', whole: true })
  expect(nano(Number(served.headers.get('x-litellm-response-cost')))).toBe(COST)

  const poor = await empty()
  const before = mock.of('second').length
  for (const stream of [true, false])
    expect(await ask(gateway, { model: 'local-first', key: poor, stream })).toMatchObject({
      status: 422,
      error: expect.stringContaining('budget'),
    })
  expect(mock.of('second').length).toBe(before)
  await atRest(gateway)
})

test('a budget with a duration: refused until it begins anew, told when, and then served', async () => {
  const SECONDS = 3
  // Its windows are whole periods since the epoch: begin with one.
  await Bun.sleep(SECONDS * 1000 - (Date.now() % (SECONDS * 1000)) + 20)
  const key = await makeKey(gateway, { max_budget: COST / 1e9, budget_duration: `${SECONDS}s` })
  expect((await ask(gateway, { model: 'paid', key })).status).toBe(200)
  const said = await ask(gateway, { model: 'paid', key })
  expect(said.status).toBe(422)
  expect(said.error).toContain('resets at')
  const wait = Number(said.headers.get('retry-after'))
  expect(wait).toBeWithin(1, SECONDS + 1)
  await Bun.sleep(wait * 1000)
  expect((await ask(gateway, { model: 'paid', key })).status).toBe(200)
  const { info } = (await (await gateway.call('GET', `/key/info?key=${key}`)).json()) as {
    info: { spend: number; total_spend: number; budget_reset_at: string }
  }
  expect([nano(info.spend), nano(info.total_spend)]).toEqual([COST, 2 * COST])
  expect(Date.parse(info.budget_reset_at)).toBeGreaterThan(Date.now())
}, 15_000)

test('what an answer cost stands on it', async () => {
  const key = await makeKey(gateway, { max_budget: 1 })
  for (const n of [1, 2]) {
    const said = await ask(gateway, { model: 'paid', key })
    expect(nano(Number(said.headers.get('x-litellm-response-cost')))).toBe(COST)
    expect(nano(Number(said.headers.get('x-litellm-key-spend')))).toBe(n * COST)
    expect(said.headers.get('x-litellm-model-id')).toBe('paid#1')
  }
  const local = await ask(gateway, { model: 'local', key })
  expect(local.headers.get('x-litellm-response-cost')).toBe('0')
})

test('a count of our own charges what was held at most, so that it overspends no budget', async () => {
  mock.plan('silent-later', ['ok', 'nousage'])
  await ask(gateway, { model: 'silent-later' })
  const purse = 2 * PRICE.input + 10 * PRICE.output
  const key = await makeKey(gateway, { max_budget: purse / 1e9 })
  // To the mock that is two words, and was; to tiktoken it is more.
  const said = await ask(gateway, { model: 'silent-later', key, more: { max_tokens: 10 } })
  expect(said).toMatchObject({ status: 200, finish: 'length' })
  await atRest(gateway)
  const rows = await rowsOf(gateway, key)
  expect(rows.map((row) => [row.usage_source, row.prompt_tokens])).toEqual([['counted', 2]])
  expect(nano(rows[0]?.spend ?? 0)).toBeWithin(1, purse + 1)
})

test('what was sold before a stream broke is charged, and what was not is not', async () => {
  const key = await makeKey(gateway, { max_budget: 1 })
  // So that the gateway has seen how long a prompt is.
  await ask(gateway, { model: 'cut', key, more: { stream: true } })
  const broken = await ask(gateway, { model: 'cut', key, stream: true })
  expect(broken.whole).toBe(false)
  const early = await ask(gateway, { model: 'cut-early', key, stream: true })
  expect(early.status).toBe(502)
  await atRest(gateway)
  const rows = await rowsOf(gateway, key)
  const row = rows.find((r) => r.model.startsWith('cut') && r.status !== 'success')
  expect(row).toMatchObject({
    ...{ prompt_tokens: promptTokens('Hi there'), completion_tokens: tokensOf(broken.text) },
    usage_source: 'counted',
  })
  expect(row?.spend_nano).toBe((row?.prompt_tokens ?? 0) * PRICE.input + tokensOf(broken.text) * PRICE.output)
  expect(rows.find((r) => r.model.startsWith('early'))).toMatchObject({ spend: 0, usage_source: 'none' })
})

test('a caller that leaves is charged what he was sold, and everything is let go', async () => {
  const key = await makeKey(gateway, { max_budget: 1, max_parallel_requests: 1 })
  const leave = new AbortController()
  const asked = ask(gateway, { model: 'slow', key, stream: true, signal: leave.signal }).catch(() => undefined)
  await mock.until(() => (mock.of('slow!slow:20').at(-1)?.sold.completion ?? 0) >= 10)
  leave.abort()
  await asked
  await atRest(gateway)
  await mock.until(() => mock.of('slow!slow:20').at(-1)?.abortedAt !== undefined)
  const [row] = await rowsOf(gateway, key)
  expect(row).toMatchObject({ outcome: 'aborted', usage_source: 'counted' })
  const sold = mock.of('slow!slow:20').at(-1)!.sold.completion
  // What was on its way when he left is on nobody's side for sure.
  const tokens = (words: number) => tokensOf(wordsFor('Hi there', words).join(''))
  expect(row!.completion_tokens).toBeWithin(tokens(sold - 3), tokens(sold) + 1)
  // His slot is free again.
  expect((await ask(gateway, { model: 'paid', key })).status).toBe(200)
})

test('the ledger and the bill of the upstream agree over everything that was answered', async () => {
  const rows = (await rowsOf(gateway)).filter((r) => r.model === 'paid')
  expect(rows.length).toBe(mock.of('paid').length)
  expect(sum(rows.map((r) => nano(r.spend)))).toBe(billed(mock, 'paid', PRICE))
})

test('an answer that ends just where its hold does is whole, however slowly its end comes', async () => {
  // The first prompt's length is a guess: the next ones are exact.
  await ask(gateway, { model: 'slow' })
  const key = await makeKey(gateway, { max_budget: COST / 1e9 })
  const said = await ask(gateway, { model: 'slow', key, stream: true, more: { max_tokens: WORDS } })
  expect(said).toMatchObject({ status: 200, whole: true })
  const [row] = await rowsOf(gateway, key)
  expect([row?.outcome, row?.usage_source, nano(row?.spend ?? 0)]).toEqual(['ok', 'provider', COST])
})
