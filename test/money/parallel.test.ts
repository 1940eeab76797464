/**
 * 200 callers at once on a purse that pays for some of them: no dollar too much, no refusal too many, nothing held
 * afterwards, and the ledger says what the upstream's own bill says.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Mock, startMock } from '../mock/upstream.ts'
import { ask, inParallel, type Said } from '../support/ask.ts'
import { atRest, billed, makeKey, nano, rowsOf, sum } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'

/** Nano-dollars a token. */
const PRICE = { input: 1_000, output: 3_000 }
const WORDS = 20
/** What one request costs: two words of prompt, twenty of answer. */
const COST = 2 * PRICE.input + WORDS * PRICE.output
const CALLERS = 200

let mock: Mock
beforeAll(async () => {
  mock = await startMock({ words: WORDS })
})
afterAll(() => mock.stop())

function start(tollgate: Record<string, unknown>, litellm: Record<string, unknown> = {}): Promise<Gateway> {
  const target = (alias: string, model: string) => ({
    model_name: alias,
    litellm_params: {
      model,
      api_base: model.startsWith('openai/') ? `${mock.url}/v1` : mock.url,
      api_key: 'sk-up',
      input_cost_per_token: PRICE.input / 1e9,
      output_cost_per_token: PRICE.output / 1e9,
    },
  })
  return startGateway({
    yaml: {
      model_list: [
        target('obedient', 'openai/obedient'),
        target('headstrong', 'openai/headstrong!long_winded'),
        target('local', 'ollama/local'),
      ],
      litellm_settings: litellm,
      tollgate,
    },
  })
}

interface Shape {
  name: string
  model: string
  more: Record<string, unknown>
  form: 'streams' | 'wholes' | 'both'
}

const SHAPES: readonly Shape[] = [
  { name: 'max_tokens given exactly', model: 'obedient', more: { max_tokens: WORDS }, form: 'both' },
  { name: 'max_tokens given loosely', model: 'obedient', more: { max_tokens: 4_000 }, form: 'both' },
  { name: 'max_tokens not given, streams', model: 'obedient', more: {}, form: 'streams' },
  { name: 'max_tokens not given, wholes', model: 'obedient', more: {}, form: 'wholes' },
  { name: 'an upstream that ignores max_tokens', model: 'headstrong', more: { max_tokens: 500 }, form: 'both' },
  { name: 'an upstream that ignores it, and nobody said any', model: 'headstrong', more: {}, form: 'both' },
  { name: 'a priced model of Ollama', model: 'local', more: {}, form: 'both' },
]

const upstreamName = (model: string): string => (model === 'headstrong' ? 'headstrong!long_winded' : model)

async function all(gateway: Gateway, { model, more, form }: Shape, key: string): Promise<Said[]> {
  return await inParallel([...Array(CALLERS).keys()], CALLERS, (i) =>
    ask(gateway, { model, more, key, stream: form === 'streams' || (form === 'both' && i % 2 === 0) }),
  )
}

/** @param purse nano-dollars that were there to be spent */
function judge(said: readonly Said[], spent: number, purse: number): void {
  const served = said.filter((s) => s.status === 200)
  const refused = said.filter((s) => s.status !== 200)
  for (const s of served) expect(s.whole).toBe(true)
  for (const s of refused) {
    expect([s.status, s.error]).toEqual([422, expect.stringMatching(/budget/i)])
  }
  expect(spent).toBeLessThanOrEqual(purse)
  // None was refused for whom there was enough.
  expect(served.length).toBeGreaterThanOrEqual(Math.min(CALLERS, Math.floor(purse / COST)))
  if (refused.length > 0) expect(purse - spent).toBeLessThan(COST)
}

/** Rows, requests and the mock's bill are the same story. */
async function audit(gateway: Gateway, model: string, before: { requests: number; bill: number }, key?: string) {
  const rows = await rowsOf(gateway, key)
  const name = upstreamName(model)
  expect(rows.length).toBe(mock.of(name).length - before.requests)
  expect(new Set(rows.map((r) => `${r.request_id} ${r.attempt}`)).size).toBe(rows.length)
  expect(rows.map((r) => r.usage_source).filter((s) => s !== 'provider')).toEqual([])
  const spent = sum(rows.map((r) => nano(r.spend)))
  expect(spent).toBe(billed(mock, name, PRICE) - before.bill)
  return spent
}

const mark = (model: string) => ({
  requests: mock.of(upstreamName(model)).length,
  bill: billed(mock, upstreamName(model), PRICE),
})

describe('the budget of a key', () => {
  let gateway: Gateway
  beforeAll(async () => {
    gateway = await start({})
  })
  afterAll(() => gateway.stop())

  for (const shape of SHAPES) {
    test(shape.name, async () => {
      const purse = 37 * COST + Math.floor(COST / 2)
      const key = await makeKey(gateway, { max_budget: purse / 1e9 })
      const before = mark(shape.model)
      const said = await all(gateway, shape, key)
      await atRest(gateway)
      const spent = await audit(gateway, shape.model, before, key)
      judge(said, spent, purse)
      const { info } = (await (await gateway.call('GET', `/key/info?key=${key}`)).json()) as {
        info: { spend: number; held: number }
      }
      expect({ spend: nano(info.spend), held: info.held }).toEqual({ spend: spent, held: 0 })
    }, 30_000)
  }

  test('a purse that is enough refuses nobody, to the last nano-dollar', async () => {
    const key = await makeKey(gateway, { max_budget: (CALLERS * COST) / 1e9 })
    const said = await all(gateway, SHAPES[0]!, key)
    expect(said.filter((s) => s.status === 200).length).toBe(CALLERS)
    const rows = await rowsOf(gateway, key)
    expect(sum(rows.map((r) => nano(r.spend)))).toBe(CALLERS * COST)
    const last = await ask(gateway, { model: 'obedient', key })
    expect(last.status).toBe(422)
  }, 30_000)
})

test('the budget of the whole gateway, shared by keys and the master key', async () => {
  const purse = 37 * COST + Math.floor(COST / 2)
  const gateway = await start({}, { max_budget: purse / 1e9 })
  try {
    const keys = [await makeKey(gateway), await makeKey(gateway, { max_budget: 1 }), gateway.masterKey]
    const before = mark('obedient')
    const said = await inParallel([...Array(CALLERS).keys()], CALLERS, (i) =>
      ask(gateway, { model: 'obedient', stream: i % 2 === 0, key: keys[i % 3] as string }),
    )
    const now = await atRest(gateway)
    const spent = await audit(gateway, 'obedient', before)
    judge(said, spent, purse)
    expect(nano(now.spend)).toBe(spent)
    expect(now.total_requests).toBe(said.filter((s) => s.status === 200).length)
  } finally {
    await gateway.stop()
  }
}, 30_000)

test('strict: what is not surely paid for is refused, and nothing is cut', async () => {
  const gateway = await start({ budget_mode: 'strict' })
  try {
    const purse = 10 * COST + Math.floor(COST / 2)
    const exact = await makeKey(gateway, { max_budget: purse / 1e9 })
    const said = await all(gateway, SHAPES[0]!, exact)
    expect(said.filter((s) => s.status === 200).length).toBe(10)
    const loose = await makeKey(gateway, { max_budget: purse / 1e9 })
    const none = await ask(gateway, { model: 'obedient', key: loose, more: { max_tokens: 4_000 } })
    expect([none.status, none.headers.get('x-tollgate-max-tokens')]).toEqual([422, null])
    await atRest(gateway)
  } finally {
    await gateway.stop()
  }
}, 30_000)

test('cap: what is left pays for a shorter answer, and a header says so', async () => {
  const gateway = await start({})
  try {
    const five = 2 * PRICE.input + 5 * PRICE.output
    // Likely prompt of a first request: a quarter of its bytes.
    const key = await makeKey(gateway, { max_budget: (five + 30 * PRICE.input) / 1e9 })
    const said = await ask(gateway, { model: 'obedient', key, more: { max_tokens: 15 } })
    expect(said).toMatchObject({ status: 200, finish: 'length', whole: true })
    const told = Number.parseInt(said.headers.get('x-tollgate-max-tokens') ?? '', 10)
    expect(told).toBeWithin(1, 15)
    expect(mock.of('obedient').at(-1)?.body).toMatchObject({ max_tokens: told })
    expect(nano(Number(said.headers.get('x-litellm-response-cost')))).toBe(2 * PRICE.input + told * PRICE.output)
  } finally {
    await gateway.stop()
  }
}, 30_000)
