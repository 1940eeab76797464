/** kill -9 in the middle of things: what reached the upstream is in the ledger, once, and nothing stays held. */
import { expect, test } from 'bun:test'
import { type Mock, startMock } from '../mock/upstream.ts'
import { ask, type Said } from '../support/ask.ts'
import { makeKey, nano, rowsOf, sum, totals } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'

const WORDS = 20
const PRICE = { input: 1_000, output: 3_000 }
const COST = 2 * PRICE.input + WORDS * PRICE.output

const MODELS = ['quick', 'silent', 'streaming', 'other'] as const
const yaml = (mock: Mock) => ({
  model_list: MODELS.map((model) => ({
    model_name: model,
    litellm_params: {
      model: `openai/${model}`,
      api_base: `${mock.url}/v1`,
      api_key: 'sk-up',
      input_cost_per_token: PRICE.input / 1e9,
      output_cost_per_token: PRICE.output / 1e9,
    },
  })),
  litellm_settings: { num_retries: 0 },
})

/** Requests that may be cut off. */
const many = (gateway: Gateway, model: string, count: number, stream: boolean, key: string): Promise<Said | 'cut'>[] =>
  Array.from({ length: count }, () => ask(gateway, { model, stream, key }).catch(() => 'cut' as const))

for (const round of [1, 2]) {
  test(`kill -9 with 50 requests in flight, round ${round}`, async () => {
    const mock = await startMock({ words: WORDS })
    mock.plan('silent', ['hang'])
    mock.plan('streaming', ['slow:300'])
    mock.plan('other', ['slowfirst:20', 'ok'])
    const first = await startGateway({ yaml: yaml(mock) })
    let second: Gateway | undefined
    try {
      const key = await makeKey(first, { max_budget: 10 })
      expect((await Promise.all(many(first, 'quick', 20, round === 1, key))).every((s) => s !== 'cut' && s.whole)).toBe(
        true,
      )
      const inFlight = [...many(first, 'silent', 25, false, key), ...many(first, 'streaming', 25, true, key)]
      await mock.until(() => mock.of('silent').length === 25 && mock.of('streaming').length === 25)
      expect((await totals(first)).open_holds).toBeGreaterThanOrEqual(50)
      // And more that come and go at the very moment.
      const busy = many(first, 'other', 40, false, key)
      await mock.until(() => mock.of('other').length >= 5)

      const began = performance.now()
      await first.kill9()
      for (const said of await Promise.all(inFlight)) expect(said === 'cut' || !said.whole).toBe(true)
      const others = await Promise.all(busy)
      expect(performance.now() - began).toBeLessThan(2_000)

      second = await startGateway({ yaml: yaml(mock), dataDir: first.dataDir, port: first.port })
      expect(performance.now() - began).toBeLessThan(5_000)
      expect(await totals(second)).toMatchObject({ open_holds: 0, held: 0 })

      const rows = await rowsOf(second, key)
      expect(new Set(rows.map((r) => `${r.request_id} ${r.attempt}`)).size).toBe(rows.length)
      const of = (model: string) => rows.filter((r) => r.model === model)
      expect(of('quick').map((r) => nano(r.spend))).toEqual(Array(20).fill(COST))
      for (const model of ['silent', 'streaming']) {
        expect(of(model).map((r) => [r.outcome, r.usage_source])).toEqual(Array(25).fill(['interrupted', 'estimated']))
        // The prompt at least was sold: it is charged, and no more is invented.
        for (const row of of(model)) expect(nano(row.spend)).toBeWithin(PRICE.input, COST)
      }
      // One that was held and not yet sent may have a row; one that was sent must have one; one that was answered is charged.
      expect(of('other').length).toBeWithin(mock.of('other').length, 41)
      const answered = others.filter((s) => s !== 'cut' && s.whole).length
      expect(of('other').length).toBeGreaterThanOrEqual(answered)

      // The key's counter, the sum of its rows and the gateway's total are one truth, and it goes on.
      const spent = sum(rows.map((r) => nano(r.spend)))
      const info = async () =>
        (await (await second!.call('GET', `/key/info?key=${key}`)).json()) as { info: { spend: number; held: number } }
      expect(nano((await info()).info.spend)).toBe(spent)
      expect(nano((await totals(second)).spend)).toBe(spent)
      expect(await ask(second, { model: 'quick', key })).toMatchObject({ status: 200, whole: true })
      expect(nano((await info()).info.spend)).toBe(spent + COST)
      expect((await rowsOf(second, key)).length).toBe(rows.length + 1)
    } finally {
      await second?.stop()
      await first.stop()
      mock.stop()
    }
  }, 30_000)
}

test('an orderly stop waits for what is in flight, and books it', async () => {
  const mock = await startMock({ words: WORDS })
  mock.plan('streaming', ['slow:30'])
  const first = await startGateway({ yaml: yaml(mock) })
  const dataDir = first.dataDir
  const asked = many(first, 'streaming', 10, true, first.masterKey)
  await mock.until(() => mock.of('streaming').length === 10)
  process.kill(first.pid, 'SIGTERM')
  for (const said of await Promise.all(asked)) expect(said === 'cut' ? said : said.whole).toBe(true)
  while (
    await fetch(`${first.url}/health/liveliness`).then(
      () => true,
      () => false,
    )
  )
    await Bun.sleep(10)
  const second = await startGateway({ yaml: yaml(mock), dataDir })
  const rows = await rowsOf(second)
  expect(rows.map((r) => [r.outcome, nano(r.spend)])).toEqual(Array(10).fill(['ok', COST]))
  await second.stop()
  await first.stop()
  mock.stop()
}, 30_000)
