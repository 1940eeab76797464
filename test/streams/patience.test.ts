/** A silent upstream is waited for. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { send, startWorld, type World } from './world.ts'

let world: World
/** Silences of 12 s: Bun alone would cut at 10 s. */
let silences: Promise<[string, number, string]>[]

beforeAll(async () => {
  world = await startWorld(12, ['silent:12000', 'slowheaders:12000'])
  const asked: [string, 'openai' | 'ollama', boolean][] = [
    ['openai/silent:12000', 'openai', true],
    ['ollama/silent:12000', 'ollama', true],
    ['openai/slowheaders:12000', 'openai', true],
    ['ollama/slowheaders:12000', 'ollama', false],
  ]
  silences = asked.map(async ([model, caller, stream]): Promise<[string, number, string]> => {
    const reply = await send(world, caller, model, stream)
    return [`${model}, ${stream ? 'streamed' : 'whole'}`, reply.status, await reply.text()]
  })
})
afterAll(() => world.stop())

test('a silence of 12 s, before the headers or in the middle, breaks nothing', async () => {
  for (const [name, status, body] of await Promise.all(silences)) {
    expect([name, status, body]).toEqual([name, 200, expect.stringContaining('größer11')])
    expect([name, body]).toEqual([name, expect.stringMatching(/\[DONE\]|"done":true/)])
  }
}, 30_000)
