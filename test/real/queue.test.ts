/** Two real Ollamas, many callers: no slot idle while somebody waits, fair between keys, and leavers make room at once. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { ask } from '../support/ask.ts'
import { atRest, makeKey } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { type RealOllama, startOllama } from './ollama.ts'

const PARALLEL = 2
const SLOTS = 2 * PARALLEL
/** Requests that may wait: 32 callers, and no more. */
const QUEUE = 28
const FOR_MS = 12_000

let servers: RealOllama[]
let gateway: Gateway
beforeAll(async () => {
  servers = await Promise.all([1, 2].map(() => startOllama({ parallel: PARALLEL, models: ['tiny-loop'] })))
  gateway = await startGateway({
    yaml: {
      model_list: servers.map(({ url }) => ({
        model_name: 'loop',
        litellm_params: { model: 'ollama/tiny-loop', api_base: url },
      })),
      tollgate: { queue: QUEUE },
    },
    // As on a machine where Ollama and the gateway share it.
    env: { OLLAMA_NUM_PARALLEL: String(PARALLEL) },
  })
  // Both have it loaded, and what one request takes is known.
  for (const { url } of servers)
    await fetch(`${url}/api/generate`, { method: 'POST', body: JSON.stringify({ model: 'tiny-loop', stream: false }) })
  for (const end = Date.now() + 10_000; ; await Bun.sleep(100)) {
    if ((await told()).every(({ models }) => models.length === 1)) break
    if (Date.now() > end) throw new Error('the models are not seen to be loaded')
  }
}, 60_000)
afterAll(async () => {
  await gateway?.stop()
  for (const server of servers ?? []) await server.stop()
}, 30_000)

interface Told {
  slots: number
  running: number
  queue: { waiting: number }
  models: unknown[]
}
const told = async (): Promise<Told[]> =>
  ((await (await gateway.call('GET', '/backends')).json()) as { data: Told[] }).data
const sum = (all: readonly Told[], of: (one: Told) => number): number => all.reduce((n, one) => n + of(one), 0)
const until = async (holds: (all: Told[]) => boolean) => {
  for (const end = Date.now() + 10_000; !holds(await told()); await Bun.sleep(2))
    if (Date.now() > end) throw new Error(`it did not come to that: ${JSON.stringify(await told())}`)
}
const long = (signal: AbortSignal) =>
  ask(gateway, { model: 'loop', stream: true, more: { max_tokens: 20_000 }, signal }).catch(() => 'left')

test('32 callers: no slot is idle while somebody waits, and no key waits more than twice its fair share', async () => {
  const crowd = { many: 20, some: 8, few: 3, one: 1 } as const
  const end = Date.now() + FOR_MS
  const waits = new Map<string, number[]>()
  const times: number[] = []
  const caller = async (name: string, key: string) => {
    for (let i = 0; Date.now() < end; i++) {
      const said = await ask(gateway, { model: 'loop', key, stream: i % 2 === 0, more: { max_tokens: 60 } })
      expect(said).toMatchObject({ status: 200, whole: true })
      const waited = Number(/waited=(\d+)/.exec(said.headers.get('x-tollgate-queue') ?? '')?.[1] ?? 0)
      times.push(said.ms - waited)
      // The beginning, when all come at once, is nobody's usual.
      if (Date.now() > end - FOR_MS + 3_000) waits.set(name, [...(waits.get(name) ?? []), waited])
    }
  }
  const all: Promise<void>[] = []
  for (const [name, count] of Object.entries(crowd)) {
    const key = await makeKey(gateway, { key_alias: name })
    for (let i = 0; i < count; i++) all.push(caller(name, key))
  }
  let looks = 0
  let idle = 0
  while (Date.now() < end) {
    const now = await told()
    if (sum(now, (one) => one.queue.waiting) > 0) {
      looks++
      if (sum(now, (one) => one.running) < SLOTS) idle++
      expect(Math.max(...now.map((one) => one.running))).toBeLessThanOrEqual(PARALLEL)
    }
    await Bun.sleep(10)
  }
  await Promise.all(all)
  expect(looks).toBeGreaterThan(100)
  expect(idle).toBe(0)
  const mean = times.reduce((a, b) => a + b, 0) / times.length
  for (const [name, count] of Object.entries(crowd)) {
    const own = waits.get(name) ?? []
    const waited = own.reduce((a, b) => a + b, 0) / own.length
    expect(own.length).toBeGreaterThan(5)
    expect([name, waited < 2 * ((count * 4 * mean) / SLOTS)]).toEqual([name, true])
  }
  await atRest(gateway)
}, 60_000)

test('whoever leaves makes room within 100 ms; beyond the queue callers are sent away, told when to come back', async () => {
  const times: number[] = []
  for (let round = 0; round < 3; round++) {
    const stops = Array.from({ length: SLOTS }, () => new AbortController())
    const running = stops.map((stop) => long(stop.signal))
    await until((all) => sum(all, (one) => one.running) === SLOTS)
    const next = ask(gateway, { model: 'loop', stream: true, more: { max_tokens: 5 } })
    await until((all) => sum(all, (one) => one.queue.waiting) > 0)
    const left = performance.now()
    stops[0]?.abort()
    await until((all) => sum(all, (one) => one.queue.waiting) === 0)
    times.push(performance.now() - left)
    expect(await next).toMatchObject({ status: 200, whole: true })
    for (const stop of stops) stop.abort()
    await Promise.all(running)
    await until((all) => sum(all, (one) => one.running) === 0)
  }
  expect(Math.min(...times)).toBeLessThan(100)
  expect(times.filter((ms) => ms < 100).length).toBeGreaterThanOrEqual(2)

  const stop = new AbortController()
  const running = Array.from({ length: SLOTS + QUEUE }, () => long(stop.signal))
  await until((all) => all.every((one) => one.queue.waiting === QUEUE))
  const sent = await ask(gateway, { model: 'loop' })
  expect(sent).toMatchObject({ status: 503, error: expect.stringContaining('queue is full') })
  expect(Number(sent.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
  stop.abort()
  await Promise.all(running)
  await atRest(gateway)
}, 60_000)
