/** With nobody else to ask: never a truncated answer that looks whole, streamed or not, in any dialect. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { END, ERROR, send, startWorld, WAYS, type World } from './world.ts'

const CUTS = ['cut:40', 'fin:40', 'reset:40', 'nofinish', 'inband:40', 'cut:59'] as const

let world: World
beforeAll(async () => {
  world = await startWorld(60, [...CUTS, 'nodone', 'stall:20'], { tollgate: { timeouts: { idle: 1 } } })
})
afterAll(() => world.stop())

test.each([...CUTS, 'stall:20'])('%s, streamed: what came, and an error', async (fault) => {
  await Promise.all(
    WAYS.map(async ([caller, provider]) => {
      const reply = await send(world, caller, `${provider}/${fault}`, true)
      const body = await reply.text()
      const way = [caller, provider]
      // Where all of it came at once nothing was delivered yet, and another attempt could be made.
      if (reply.status === 502 || reply.status === 503) return expect(JSON.parse(body)).toHaveProperty('error')
      expect([way, reply.status]).toEqual([way, 200])
      expect([way, body]).toEqual([way, expect.stringMatching(ERROR[caller])])
      expect([way, END[caller].test(body)]).toEqual([way, false])
      expect([way, /finish_reason":"|done_reason|stop_reason":"/.test(body)]).toEqual([way, false])
      expect([way, body.includes('Hi')]).toEqual([way, true])
      expect(body).not.toMatch(/The server had an error|127\.0\.0\.1/)
    }),
  )
})

test('lines of Ollama that end without done: true', async () => {
  for (const caller of ['openai', 'ollama', 'anthropic'] as const) {
    const body = await (await send(world, caller, 'ollama/nodone', true)).text()
    expect(body).toMatch(ERROR[caller])
    expect(body).not.toMatch(END[caller])
  }
})

test('an answer that only lacks its end mark gets it', async () => {
  for (const provider of ['openai', 'anthropic'] as const) {
    const body = await (await send(world, 'openai', `${provider}/nodone`, true)).text()
    expect([provider, body]).toEqual([
      provider,
      expect.stringMatching(/"finish_reason":"stop"[\s\S]*data: \[DONE\]\n\n$/),
    ])
    expect(body).not.toContain('error')
  }
})

test.each(['cut:40', 'fin:40', 'reset:40', 'nofinish'])('%s, whole: an error, with its status', async (fault) => {
  await Promise.all(
    WAYS.map(async ([caller, provider]) => {
      const reply = await send(world, caller, `${provider}/${fault}`, false)
      const body = await reply.text()
      expect([caller, provider, reply.status, body.slice(0, 90)]).toEqual([caller, provider, 502, expect.any(String)])
      expect(JSON.parse(body)).toHaveProperty('error')
      expect(body).not.toContain('lane')
    }),
  )
})
