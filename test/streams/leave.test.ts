/** A caller that leaves stops the upstream at once, wherever the request is, and nothing is asked again for him. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { Seen } from '../mock/record.ts'
import { atRest, rowsOf } from '../support/books.ts'
import { send, startWorld, WAYS, type World } from './world.ts'

const MOMENTS = [
  { name: 'before the headers', fault: 'hang', stream: true },
  { name: 'after the headers, before the first word', fault: 'slowfirst:20000', stream: true },
  { name: 'in the stream', fault: 'slow:20', stream: true },
  { name: 'in a stream that is silent', fault: 'stall:10', stream: true },
  { name: 'while a plain answer is waited for', fault: 'slowfirst:20000', stream: false },
] as const

let world: World
beforeAll(async () => {
  world = await startWorld(200, ['hang', 'slowfirst:20000', 'slow:20', 'stall:10', '429:1', 'ok'])
})
afterAll(() => world.stop())

/** Leaves once the upstream is where it should be. @returns ms until the upstream noticed */
async function leave(caller: (typeof WAYS)[number][0], model: string, stream: boolean, ready: (seen: Seen) => boolean) {
  const { mock } = world
  const before = mock.of(model).length
  const stop = new AbortController()
  const alias = model.replace('!', '/')
  const asked = send(world, caller, alias, stream, { signal: stop.signal }).then(
    (reply) => reply.text(),
    () => '',
  )
  await mock.until(() => mock.of(model).length > before && ready(mock.of(model).at(-1)!))
  const seen = mock.of(model).at(-1)!
  const left = Date.now()
  stop.abort()
  await asked.catch(() => {})
  await mock.until(() => seen.abortedAt !== undefined)
  return seen.at + seen.abortedAt! - left
}

test.each(MOMENTS)(
  '$name',
  async ({ fault, stream }) => {
    const took: number[] = []
    const before = world.mock.requests.length
    for (const [caller, provider] of WAYS) {
      const ready = (seen: Seen): boolean =>
        fault === 'hang' || (!stream && seen.sold.prompt > 0) || (stream && fault.startsWith('slowfirst'))
          ? true
          : seen.sold.completion >= 8
      took.push(await leave(caller, `${provider}!${fault}`, stream, ready))
    }
    // The mock's clock starts a moment after the request came; the machine may hiccup once.
    await Bun.sleep(100)
    // Nothing was asked again for anybody.
    expect(world.mock.requests.length - before).toBe(WAYS.length)
    took.sort((a, b) => a - b)
    expect(took[Math.floor(took.length / 2)]).toBeLessThan(100)
    expect(took.at(-1)).toBeLessThan(500)
  },
  20_000,
)

test('while the gateway waits before another attempt: there is none', async () => {
  const { mock } = world
  const stop = new AbortController()
  const asked = send(world, 'openai', 'openai/429:1', true, { signal: stop.signal }).catch(() => {})
  await mock.until(() => mock.of('openai!429:1').length === 1)
  await Bun.sleep(100)
  stop.abort()
  await asked
  await Bun.sleep(1_400)
  expect(mock.of('openai!429:1').length).toBe(1)
}, 10_000)

test('all of them are in the ledger as aborted, and nothing is held', async () => {
  await atRest(world.gateway)
  const rows = await rowsOf(world.gateway)
  expect(rows.length).toBe(world.mock.requests.length)
  expect(rows.filter((r) => r.outcome !== 'aborted').map((r) => [r.model, r.outcome])).toEqual([
    ['openai!429:1', 'rate_limited'],
  ])
})
