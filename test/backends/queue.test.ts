/** Slots, queues and overflow of a machine in the house, over the wire. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Mock, startMock } from '../mock/upstream.ts'
import { ask } from '../support/ask.ts'
import { atRest, makeKey, rowsOf } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'

let gpu: Mock
let other: Mock
let cloud: Mock
let gateway: Gateway

const SPILL = 1
const WAIT = 3

const at = (alias: string, model: string, mock: Mock, more: Record<string, unknown> = {}) => ({
  model_name: alias,
  litellm_params: {
    model,
    api_base: model.startsWith('openai/') ? `${mock.url}/v1` : mock.url,
    api_key: 'sk-up',
    ...more,
  },
})

const world = (tollgate: Record<string, unknown>, more: Record<string, unknown> = {}) =>
  startGateway({
    yaml: {
      model_list: [
        at('house', 'ollama/m', gpu),
        at('pair', 'ollama/m', gpu),
        at('pair', 'ollama/m', other),
        at('safe', 'ollama/m', gpu, { order: 0 }),
        at('safe', 'openai/cloud', cloud, { order: 1, input_cost_per_token: 1e-6, output_cost_per_token: 1e-6 }),
      ],
      router_settings: { num_retries: 0 },
      ...more,
      tollgate: {
        backends: { [gpu.url]: { slots: 1, queue: 3, queue_timeout: WAIT }, [`${other.url}/`]: { slots: 1 } },
        ...tollgate,
      },
    },
  })

beforeAll(async () => {
  ;[gpu, other, cloud] = await Promise.all([
    startMock({ words: 5, slots: 1 }),
    startMock({ words: 5, slots: 1 }),
    startMock({ words: 5 }),
  ])
  // Loading is a matter of its own.
  for (const mock of [gpu, other]) mock.house.load('m')
  gateway = await world({})
})
afterAll(async () => {
  await atRest(gateway)
  await gateway.stop()
  for (const mock of [gpu, other, cloud]) mock.stop()
})

/** Answers of `m` take so long from now on. */
const slow = (ms: number, ...mocks: Mock[]) => {
  for (const mock of mocks.length > 0 ? mocks : [gpu, other]) mock.plan('m', [{ delayFirst: ms }])
}

/** Requests that have come and are not answered. */
const under = (mock: Mock) =>
  mock.of('m').filter((seen) => seen.doneAt === undefined && seen.abortedAt === undefined).length

interface Told {
  url: string
  slots: number | null
  slots_from: string
  running: number
  expected_wait_ms: number
  queue: { waiting: number; most: number; by_key: Record<string, number> }
}
const told = async (mock: Mock, from = gateway): Promise<Told> => {
  const { data } = (await (await from.call('GET', '/backends')).json()) as { data: Told[] }
  return data.find(({ url }) => url === mock.url) as Told
}
const until = async (holds: () => Promise<boolean> | boolean) => {
  for (const end = Date.now() + 5_000; !(await holds()); await Bun.sleep(10))
    if (Date.now() > end) throw new Error('it did not come to that')
}

describe('a machine with one slot', () => {
  test('is asked by one at a time; the others wait, are told where, and /backends shows it', async () => {
    slow(400)
    const key = await makeKey(gateway, { key_alias: 'waiter' })
    const first = ask(gateway, { model: 'house' })
    await until(() => under(gpu) === 1)
    const rest = [1, 2].map(() => ask(gateway, { model: 'house', key, stream: true }))
    await until(async () => (await told(gpu)).queue.waiting === 2)
    const now = await told(gpu)
    expect(now).toMatchObject({ slots: 1, slots_from: 'said', running: 1, queue: { waiting: 2, most: 3 } })
    expect(Object.values(now.queue.by_key)).toEqual([2])
    expect(JSON.stringify(now)).not.toContain(key)
    expect(now.expected_wait_ms).toBeGreaterThan(0)
    expect(under(gpu)).toBe(1)
    const [a, ...others] = await Promise.all([first, ...rest])
    expect(a.headers.get('x-tollgate-queue')).toBeNull()
    for (const said of others) {
      expect(said).toMatchObject({ status: 200, whole: true })
      expect(said.headers.get('x-tollgate-queue')).toMatch(/^waited=\d+ms; place=[12]$/)
    }
    expect(gpu.peak).toBe(1)
  })

  test('whoever leaves the queue leaves at once, and his request is never sent', async () => {
    slow(600)
    const before = gpu.of('m').length
    const first = ask(gateway, { model: 'house' })
    await until(() => under(gpu) === 1)
    const stop = new AbortController()
    const gone = ask(gateway, { model: 'house', signal: stop.signal }).catch(() => 'left')
    await until(async () => (await told(gpu)).queue.waiting === 1)
    const left = performance.now()
    stop.abort()
    await until(async () => (await told(gpu)).queue.waiting === 0)
    expect(performance.now() - left).toBeLessThan(100)
    expect(await gone).toBe('left')
    await first
    expect(gpu.of('m').length - before).toBe(1)
  })

  test('whoever leaves his slot hands it to the next within 100 ms', async () => {
    slow(2_000)
    const stop = new AbortController()
    const first = ask(gateway, { model: 'house', stream: true, signal: stop.signal }).catch(() => 'left')
    await until(() => under(gpu) === 1)
    const next = ask(gateway, { model: 'house' })
    await until(async () => (await told(gpu)).queue.waiting === 1)
    const count = gpu.of('m').length
    gpu.plan('m', ['ok'])
    const left = performance.now()
    stop.abort()
    await until(() => gpu.of('m').length > count)
    expect(performance.now() - left).toBeLessThan(100)
    expect((await next).status).toBe(200)
    expect(await first).toBe('left')
  })

  test('beyond its queue it refuses, saying how long it will take; in each dialect', async () => {
    slow(500)
    const all = Array.from({ length: 4 }, () => ask(gateway, { model: 'house' }))
    await until(async () => (await told(gpu)).queue.waiting === 3)
    for (const tongue of ['openai', 'ollama'] as const) {
      const said = await ask(gateway, { model: 'house', tongue })
      expect(said).toMatchObject({ status: 503, error: expect.stringContaining('queue is full: 3 requests wait') })
      expect(Number(said.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
      expect(said.headers.get('x-should-retry')).toBe('true')
    }
    // Who has nothing in the queue takes the place of who has most.
    const poor = await makeKey(gateway, {})
    const served = ask(gateway, { model: 'house', key: poor })
    const statuses = (await Promise.all(all)).map((said) => said.status).sort()
    expect(statuses).toEqual([200, 200, 200, 503])
    expect((await served).status).toBe(200)
    expect(gateway.logs()).toContain('A backend is saturated')
  })

  test('nobody waits longer than he may', async () => {
    slow(5_000)
    const stop = new AbortController()
    const first = ask(gateway, { model: 'house', signal: stop.signal }).catch(() => 'left')
    await until(() => under(gpu) === 1)
    const late = await ask(gateway, { model: 'house' })
    expect(late).toMatchObject({ status: 503, error: expect.stringContaining(`within ${WAIT} s`) })
    expect(late.headers.get('retry-after')).not.toBeNull()
    stop.abort()
    await first
  }, 10_000)

  test('batch waits for what is interactive, by header, by field and by key; other words are refused', async () => {
    slow(250)
    const order: string[] = []
    const first = ask(gateway, { model: 'house' })
    await until(() => under(gpu) === 1)
    const nightly = await makeKey(gateway, { metadata: { priority: 'batch' } })
    const all: Promise<unknown>[] = [first]
    const go = async (name: string, given: object) => {
      const before = (await told(gpu)).queue.waiting
      all.push(ask(gateway, { model: 'house', ...given }).then(() => order.push(name)))
      await until(async () => (await told(gpu)).queue.waiting === before + 1)
    }
    await go('key', { key: nightly })
    await go('header', { headers: { 'x-tollgate-priority': 'batch' } })
    await go('person', {})
    await Promise.all(all)
    expect(order[0]).toBe('person')
    expect(await ask(gateway, { model: 'house', more: { priority: 'soon' } })).toMatchObject({
      status: 400,
      error: expect.stringContaining("'priority'"),
    })
    expect((await ask(gateway, { model: 'house', more: { priority: 2 } })).status).toBe(200)
    expect(gpu.of('m').at(-1)?.body).not.toHaveProperty('priority')
  })
})

test('two machines: neither is idle while somebody waits', async () => {
  slow(200)
  const before = [gpu.of('m').length, other.of('m').length] as const
  const began = performance.now()
  const all = await Promise.all(Array.from({ length: 4 }, () => ask(gateway, { model: 'pair' })))
  expect(all.map((said) => said.status)).toEqual([200, 200, 200, 200])
  expect([gpu.of('m').length - before[0], other.of('m').length - before[1]]).toEqual([2, 2])
  expect(performance.now() - began).toBeLessThan(800)
})

describe('when the house is full', () => {
  /** One runs, one waits: the next one would wait longer than it may. */
  async function fill(one: Gateway): Promise<() => Promise<void>> {
    slow(200, gpu)
    await ask(one, { model: 'house' })
    slow(4_000, gpu)
    const stop = new AbortController()
    const all = [1, 2, 3].map(() => ask(one, { model: 'house', signal: stop.signal }).catch(() => 'left'))
    await until(async () => (await told(gpu, one)).queue.waiting === 2)
    return async () => {
      stop.abort()
      await Promise.all(all)
      gpu.plan('m', ['ok'])
      await until(async () => (await told(gpu, one)).running === 0)
    }
  }
  const withWorld = async (tollgate: object, more: object, act: (one: Gateway) => Promise<void>) => {
    const one = await world({ ...tollgate }, { ...more })
    try {
      await act(one)
      await atRest(one)
    } finally {
      await one.stop()
    }
  }

  test('a cloud is asked on saturation, says why, and is paid with the tag `overflow`', () =>
    withWorld({ cloud_overflow: 'on_saturation', spill_after: 0.2 }, {}, async (one) => {
      const empty = await fill(one)
      const said = await ask(one, { model: 'safe' })
      expect(said).toMatchObject({ status: 200, by: 'openai/cloud' })
      expect(said.headers.get('x-tollgate-why')).toMatch(/^ollama\/m: saturated \(wait \d+ s\)$/)
      const [row] = (await rowsOf(one)) as unknown as { request_tags: string[] }[]
      expect(row?.request_tags).toEqual(['overflow'])
      await empty()
      expect(await ask(one, { model: 'safe' })).toMatchObject({ status: 200, by: 'ollama/m' })
    }))

  test('and no further than the budget of that tag: then the house is waited for', () =>
    withWorld(
      { cloud_overflow: 'on_saturation', spill_after: 0.2 },
      { litellm_settings: { tag_budget_config: { overflow: { max_budget: 0.000_000_001, budget_duration: '1d' } } } },
      async (one) => {
        const empty = await fill(one)
        const waits = ask(one, { model: 'safe' })
        await until(async () => (await told(gpu, one)).queue.waiting === 3)
        await empty()
        expect(await waits).toMatchObject({ status: 200, by: 'ollama/m' })
      },
    ))

  test('where the guess was wrong, whoever has waited too long goes to the cloud', () =>
    withWorld({ cloud_overflow: 'on_saturation', spill_after: SPILL }, {}, async (one) => {
      slow(10, gpu)
      for (let i = 0; i < 3; i++) await ask(one, { model: 'house' })
      slow(4_000, gpu)
      const stop = new AbortController()
      const first = ask(one, { model: 'house', signal: stop.signal }).catch(() => 'left')
      await until(() => under(gpu) === 1)
      const said = await ask(one, { model: 'safe' })
      expect(said).toMatchObject({ status: 200, by: 'openai/cloud' })
      expect(said.headers.get('x-tollgate-why')).toBe('ollama/m: saturated (waited 1 s)')
      expect(said.headers.get('x-tollgate-queue')).toMatch(/^waited=1\d\d\dms; place=1$/)
      stop.abort()
      await first
    }))

  test('without that, the house is waited for, and a cloud asked only where it fails or its queue is full', () =>
    withWorld({}, {}, async (one) => {
      const empty = await fill(one)
      const third = ask(one, { model: 'safe' })
      await until(async () => (await told(gpu, one)).queue.waiting === 3)
      const fourth = await ask(one, { model: 'safe' })
      expect(fourth).toMatchObject({ status: 200, by: 'openai/cloud' })
      await empty()
      expect(await third).toMatchObject({ status: 200, by: 'ollama/m' })
      gpu.plan('m', ['status:500'])
      expect(await ask(one, { model: 'safe' })).toMatchObject({ status: 200, by: 'openai/cloud' })
      gpu.plan('m', ['ok'])
    }))

  test('never is never', () =>
    withWorld({ cloud_overflow: 'never' }, {}, async (one) => {
      gpu.plan('m', ['status:500'])
      const before = cloud.requests.length
      expect((await ask(one, { model: 'safe' })).status).toBe(502)
      expect(cloud.requests.length).toBe(before)
      gpu.plan('m', ['ok'])
    }))
})

test('/backends is the operator’s', async () => {
  const key = await makeKey(gateway, {})
  const reply = await fetch(`${gateway.url}/backends`, { headers: { authorization: `Bearer ${key}` } })
  expect(reply.status).toBe(403)
})
