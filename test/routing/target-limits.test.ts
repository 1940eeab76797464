/** `rpm` and `tpm` of targets, at the wire: what their provider would refuse is not sent, and what it would take is. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Mock, startMock } from '../mock/upstream.ts'
import { ask, inParallel, type Said } from '../support/ask.ts'
import { atRest } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'

const RPM = [3, 5, 8, 10, 14, 20, 30, 40, 60, 70]
const TOTAL = RPM.reduce((a, b) => a + b, 0)
const CALLERS = 40

let mock: Mock
beforeAll(async () => {
  mock = await startMock({ words: 3 })
})
afterAll(() => mock.stop())

const at = (alias: string, model: string, params: Record<string, unknown> = {}) => ({
  model_name: alias,
  litellm_params: { model: `openai/${model}`, api_base: `${mock.url}/v1`, api_key: 'sk-up', ...params },
})
const STRICT = { optional_pre_call_checks: ['enforce_model_rate_limits'] }

async function withGateway(
  models: Record<string, unknown>[],
  router: Record<string, unknown>,
  act: (gateway: Gateway) => Promise<void>,
): Promise<void> {
  mock.reset()
  const gateway = await startGateway({ yaml: { model_list: models, router_settings: router } })
  try {
    await act(gateway)
    await atRest(gateway)
  } finally {
    await gateway.stop()
  }
}
const askMany = (gateway: Gateway, model: string, n: number, more: Record<string, unknown> = {}): Promise<Said[]> =>
  inParallel(Array(n).fill(model) as string[], CALLERS, () => ask(gateway, { model, more }))

describe.each([
  'simple-shuffle',
  'usage-based-routing',
  'least-busy',
  'latency-based-routing',
  'cost-based-routing',
  'lowest-queue',
  'sticky',
])('%s', (routing_strategy) => {
  test('ten unequal limits: none is passed, all of them are used, and the rest is told when to come again', async () => {
    const models = RPM.map((rpm, i) => at('many', `m${i}`, { rpm }))
    await withGateway(models, { ...STRICT, routing_strategy }, async (gateway) => {
      const all = await askMany(gateway, 'many', TOTAL + 60)
      const sent = RPM.map((_, i) => mock.of(`m${i}`).length)
      for (const [i, rpm] of RPM.entries()) expect([i, sent[i]! <= rpm, sent[i]]).toEqual([i, true, sent[i]])
      expect(sent.reduce((a, b) => a + b, 0)).toBeGreaterThanOrEqual(TOTAL * 0.97)
      const refused = all.filter((said) => said.status !== 200)
      expect(all.length - refused.length).toBe(sent.reduce((a, b) => a + b, 0))
      for (const said of refused) {
        expect([said.status, said.error]).toEqual([429, expect.stringContaining('at the limits of its provider')])
        const wait = Number(said.headers.get('retry-after'))
        expect(wait).toBeGreaterThan(30)
        expect(wait).toBeLessThanOrEqual(60)
      }
    })
  }, 30_000)
})

test('tokens: counted while they are under way, corrected when they are known', async () => {
  // Each answer is likely to be 1,000 tokens, and is 6: four at once, and many one after another.
  await withGateway([at('t', 't!slow:40', { tpm: 4_200 })], { ...STRICT, num_retries: 0 }, async (gateway) => {
    const once = await askMany(gateway, 't', 10, { max_tokens: 1_000 })
    expect(once.filter((said) => said.status === 200).length).toBe(4)
    for (let i = 0; i < 10; i++)
      expect((await ask(gateway, { model: 't', more: { max_tokens: 1_000 } })).status).toBe(200)
  })
}, 20_000)

test('another attempt at the same target counts, too: it is not made beyond the limit', async () => {
  await withGateway([at('bad', 'bad!status:500', { rpm: 2 })], { ...STRICT, num_retries: 5 }, async (gateway) => {
    // Why nobody answers is its failure, and not our counting.
    expect((await ask(gateway, { model: 'bad' })).status).toBe(502)
    // Nor is anybody else sent there.
    expect((await ask(gateway, { model: 'bad' })).status).toBe(429)
    expect(mock.of('bad!status:500')).toHaveLength(2)
  })
})

test('a fallback is asked when all targets of an alias are at their limits, and says why', async () => {
  const models = [at('first', 'first', { rpm: 2 }), at('second', 'second')]
  await withGateway(models, { ...STRICT, fallbacks: [{ first: ['second'] }] }, async (gateway) => {
    const all = await askMany(gateway, 'first', 6)
    expect(all.map((said) => said.status)).toEqual(Array(6).fill(200))
    expect([mock.of('first').length, mock.of('second').length]).toEqual([2, 4])
    expect(all.at(-1)!.headers.get('x-tollgate-why')).toBe('openai/first: at its limit (rpm or tpm)')
    const route = (await (
      await gateway.call('POST', '/utils/route', { model: 'first', messages: [{ role: 'user', content: 'Hi' }] })
    ).json()) as { chosen: string; targets: { id: string; place: number; room: boolean }[] }
    expect(route.chosen).toBe('second#1')
    expect(route.targets.map(({ id, place, room }) => [id, place, room])).toEqual([
      ['second#1', 1, true],
      ['first#1', 0, false],
    ])
  })
})

test('without being told to keep them, they say who is asked first and refuse nobody', async () => {
  const models = [at('soft', 'a', { rpm: 5 }), at('soft', 'b', { rpm: 15 }), at('other', 'other')]
  await withGateway(models, { fallbacks: [{ soft: ['other'] }] }, async (gateway) => {
    const all = await inParallel(Array(20).fill(0), 1, () => ask(gateway, { model: 'soft' }))
    expect(all.every((said) => said.status === 200)).toBe(true)
    expect([mock.of('a').length, mock.of('b').length]).toEqual([5, 15])
    for (let i = 0; i < 10; i++) expect((await ask(gateway, { model: 'soft' })).status).toBe(200)
    expect(mock.of('other')).toHaveLength(0)
  })
})
