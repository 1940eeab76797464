/** 600 streams at once, all held, all whole. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { join } from 'node:path'
import { atRest } from '../support/books.ts'
import { residentBytes } from '../support/memory.ts'
import { bury } from '../support/temp.ts'
import { startWorld, type World } from './world.ts'

const COUNT = 600
const WORDS = 24

let world: World
beforeAll(async () => {
  world = await startWorld(WORDS, ['crowd'])
  for (const provider of ['openai', 'ollama']) {
    // Until all have come.
    world.mock.plan(`${provider}!crowd`, [{ silence: { after: 5, ms: 1_500 } }])
  }
})
afterAll(() => world.stop())

test.each([
  ['openai', 'openai'],
  ['openai', 'ollama'],
] as const)(
  'asked in the words of %s, answered by %s',
  async (tongue, provider) => {
    const { mock, gateway } = world
    mock.peak = 0
    const child = Bun.spawn(
      [
        process.execPath,
        join(import.meta.dir, 'crowd-child.ts'),
        gateway.url,
        gateway.masterKey,
        `${provider}/crowd`,
        tongue,
        String(COUNT),
        String(WORDS),
      ],
      { env: { ...process.env, BUN_CONFIG_MAX_HTTP_REQUESTS: '2000' }, stdout: 'pipe', stderr: 'inherit' },
    )
    bury(child)
    await mock.until(() => mock.inFlight === COUNT, 10_000)
    expect((await atLeast(COUNT)).open_holds).toBeGreaterThanOrEqual(COUNT)
    expect(residentBytes(gateway.pid)).toBeLessThan(400 * 1024 * 1024)
    expect(JSON.parse(await new Response(child.stdout).text())).toEqual({ whole: COUNT, failed: [] })
    expect(mock.peak).toBe(COUNT)
    await atRest(gateway)

    async function atLeast(holds: number): Promise<{ open_holds: number }> {
      for (;;) {
        const now = (await (await gateway.call('GET', '/global/spend')).json()) as { open_holds: number }
        if (now.open_holds >= holds || mock.inFlight < COUNT) return now
      }
    }
  },
  30_000,
)
