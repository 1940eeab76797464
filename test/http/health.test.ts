/** `GET /health` and what finds it out: on demand, or in the background, where it moves who is asked. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type Mock, startMock } from '../mock/upstream.ts'
import { ask } from '../support/ask.ts'
import { atRest, rowsOf } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'

interface Endpoint {
  model: string
  model_id: string
  model_group: string
  error?: string
  checked_at?: string
}
interface Health {
  healthy_endpoints: Endpoint[]
  unhealthy_endpoints: Endpoint[]
  healthy_count: number
  unhealthy_count: number
  unchecked_endpoints?: Endpoint[]
}

let mock: Mock
let shaky: Mock
let gateway: Gateway
const at = (alias: string, on: Mock, params: Record<string, unknown> = {}, info?: Record<string, unknown>) => ({
  model_name: alias,
  litellm_params: {
    ...{ model: `openai/${alias}`, api_base: `${on.url}/v1`, api_key: 'sk-up' },
    ...{ input_cost_per_token: 1e-6, output_cost_per_token: 1e-6 },
    ...params,
  },
  ...(info ? { model_info: info } : {}),
})
const looks = (on: Mock) => on.requests.filter(({ path }) => path === '/v1/models')
const health = async (of: Gateway, query = ''): Promise<Health> =>
  (await (await of.call('GET', `/health${query}`)).json()) as Health
async function until(test: () => Promise<boolean>, ms = 25_000): Promise<void> {
  const end = Date.now() + ms
  while (!(await test())) {
    if (Date.now() > end) throw new Error(`waited ${ms} ms in vain`)
    await Bun.sleep(50)
  }
}

beforeAll(async () => {
  ;[mock, shaky] = await Promise.all([startMock({ words: 3 }), startMock({ words: 3 })])
  gateway = await startGateway({
    yaml: {
      model_list: [
        at('pair', shaky, { order: 0 }),
        at('pair', mock, { order: 1, model: 'openai/backup' }),
        at('broken', mock, { model: 'openai/broken!status:500' }),
        at('asked', mock, {}, { health_check_model: 'openai/small' }),
        at('embeds', mock, {}, { mode: 'embedding', health_check_model: 'vectors' }),
        at('left-alone', mock, { api_key: 'sk-other' }, { disable_background_health_check: true }),
      ],
      general_settings: { background_health_checks: true, health_check_interval: 1, health_check_concurrency: 2 },
      router_settings: { num_retries: 0, allowed_fails: 0, cooldown_time: 20 },
    },
  })
}, 30_000)
afterAll(async () => {
  await gateway.stop()
  mock.stop()
  shaky.stop()
})

test('a target that is found down is passed over before a caller finds it so, and let back in when it is well', async () => {
  await until(async () => (await health(gateway)).healthy_endpoints.some(({ model_id }) => model_id === 'pair#1'))
  expect(await ask(gateway, { model: 'pair' })).toMatchObject({ by: 'openai/pair', attempts: 1 })
  shaky.down()
  await until(async () => gateway.logs().includes('A target is down'))
  const { unhealthy_endpoints } = await health(gateway, '?model=pair')
  expect(unhealthy_endpoints).toEqual([
    {
      ...{ model: 'openai/pair', model_id: 'pair#1', model_group: 'pair' },
      error: 'its server cannot be reached',
      checked_at: expect.stringMatching(/^\d{4}-.*Z$/),
    },
  ])
  const said = await ask(gateway, { model: 'pair' })
  expect(said).toMatchObject({ by: 'openai/backup', attempts: 1 })
  expect(said.headers.get('x-tollgate-why')).toBe('openai/pair: cooling down (found down)')
  expect(gateway.logs()).not.toContain('An attempt failed')
  shaky.up()
  await until(async () => gateway.logs().includes('A target is well again'))
  expect(await ask(gateway, { model: 'pair' })).toMatchObject({ by: 'openai/pair', attempts: 1 })
  expect((await health(gateway)).unhealthy_endpoints.some(({ model_id }) => model_id === 'pair#1')).toBe(false)
}, 60_000)

test('one that is there and fails its requests is not let back in by a look', async () => {
  expect((await ask(gateway, { model: 'broken' })).status).toBe(502)
  const before = looks(mock).length
  await until(async () => looks(mock).length >= before + 2)
  const { targets } = (await (
    await gateway.call('POST', '/utils/route', { model: 'broken', messages: [{ role: 'user', content: 'Hi' }] })
  ).json()) as { targets: { state: string }[] }
  expect(targets.map(({ state }) => state)).toEqual(['cooling down (server)'])
})

test('where the operator names a model for it a request is made, which the tag health_check pays for', async () => {
  await until(async () => mock.of('small').length > 1 && mock.of('vectors').length > 1)
  expect(mock.of('small')[0]!.body).toMatchObject({ max_tokens: 1, messages: [{ role: 'user', content: 'Hi' }] })
  expect(mock.of('vectors')[0]!.path).toBe('/v1/embeddings')
  expect(mock.of('asked')).toHaveLength(0)
  const rows = (await rowsOf(gateway)).filter(({ model }) => model === 'small' || model === 'vectors')
  expect(rows.length).toBeGreaterThan(1)
  for (const row of rows) expect(row).toMatchObject({ outcome: 'ok', request_tags: ['health_check'] })
  expect((await health(gateway, '?model=asked')).healthy_count).toBe(1)
})

test('targets of the same server and key are looked at together, few at a time, and who is left out is not', async () => {
  const { unchecked_endpoints } = await health(gateway)
  expect(unchecked_endpoints?.map(({ model_id }) => model_id)).toEqual(['left-alone#1'])
  expect(looks(mock).some(({ headers }) => headers.authorization === 'Bearer sk-other')).toBe(false)
  expect(mock.peak).toBeLessThanOrEqual(3)
  // Two targets of this key share each look: about one a second, not two.
  const [first, last] = [looks(mock)[0]!, looks(mock).at(-1)!]
  expect((looks(mock).length - 1) / ((last.at - first.at) / 1_000)).toBeLessThan(1.5)
})

test('without background checks nothing is asked until somebody wants to know, and then now; they end with the gateway', async () => {
  mock.reset()
  const quiet = await startGateway({
    yaml: { model_list: [at('one', mock), at('two', mock, { api_key: 'sk-two' }), at('three', shaky)] },
  })
  await Bun.sleep(300)
  expect(looks(mock).filter(({ headers }) => headers.authorization === 'Bearer sk-two')).toEqual([])
  // Two who ask at the same time have the same answer.
  for (const told of await Promise.all([health(quiet), health(quiet)]))
    expect(told).toMatchObject({ healthy_count: 3, unhealthy_count: 0 })
  expect(looks(mock).filter(({ headers }) => headers.authorization === 'Bearer sk-two')).toHaveLength(1)
  shaky.down()
  const { unhealthy_endpoints } = await health(quiet)
  expect(unhealthy_endpoints.map(({ model_id, checked_at }) => [model_id, checked_at])).toEqual([
    ['three#1', undefined],
  ])
  // On demand nothing is decided by it.
  expect((await ask(quiet, { model: 'three' })).headers.get('x-tollgate-why')).toBe(null)
  shaky.up()
  await quiet.stop()
}, 20_000)

test('a stop ends them, also one that hangs', async () => {
  mock.plan('/v1/models', ['hang'])
  const ending = await startGateway({
    yaml: {
      model_list: [at('one', mock)],
      general_settings: { background_health_checks: true, health_check_interval: 1 },
    },
  })
  await mock.until((seen) =>
    seen.some(({ path, headers }) => path === '/v1/models' && headers.authorization === 'Bearer sk-up'),
  )
  const began = Date.now()
  await ending.stop()
  expect(Date.now() - began).toBeLessThan(4_000)
  await atRest(gateway)
}, 20_000)
