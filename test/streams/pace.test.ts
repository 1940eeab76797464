/** A stream is never buffered, shows signs of life, and its usage is shown to those who asked. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { wordsFor } from '../mock/answer.ts'
import { ask } from '../support/ask.ts'
import { rowsOf } from '../support/books.ts'
import { type Caller, END, type Provider, send, startWorld, WAYS, type World } from './world.ts'

const WORDS = 24
const FULL = wordsFor('Hi', WORDS).join('')

let world: World
beforeAll(async () => {
  world = await startWorld(WORDS, ['ok', 'silent:1200', 'silent:3000', 'slow:30'], {
    tollgate: { heartbeat: 1 },
  })
})
afterAll(() => world.stop())

/** Each part of a stream and the ms after the request at which it came. */
async function timed(reply: Response, began: number): Promise<{ at: number; text: string }[]> {
  const decoder = new TextDecoder()
  const parts: { at: number; text: string }[] = []
  for await (const part of reply.body ?? [])
    parts.push({ at: performance.now() - began, text: decoder.decode(part, { stream: true }) })
  return parts
}

/** All ways from a caller's dialect to a provider's, at once. */
const everyWay = (each: (caller: Caller, provider: Provider) => Promise<void>): Promise<unknown> =>
  Promise.all(WAYS.map(([caller, provider]) => each(caller, provider)))

test('the first byte leaves when it comes', () =>
  everyWay(async (caller, provider) => {
    const began = performance.now()
    const parts = await timed(await send(world, caller, `${provider}/silent:1200`, true), began)
    // Ten words, then nothing for 1.2 s.
    const early = parts.flatMap((p) => (p.at < 900 ? [p.text] : [])).join('')
    expect([caller, provider, early]).toEqual([caller, provider, expect.stringMatching(/Hi[\s\S]*fare9/)])
    expect(early).not.toContain('bridge10')
    expect(parts.at(-1)!.at).toBeGreaterThan(1_190)
    expect(parts.map((p) => p.text).join('')).toMatch(END[caller])
  }))

test('words come one by one', () =>
  everyWay(async (caller, provider) => {
    const parts = await timed(await send(world, caller, `${provider}/slow:30`, true), performance.now())
    // 24 words at 30 ms: a busy machine joins some, a buffer would join all.
    expect([caller, provider, parts.length > 12]).toEqual([caller, provider, true])
    const gaps = parts.slice(1).map((p, i) => p.at - parts[i]!.at)
    expect(Math.max(...gaps)).toBeLessThan(400)
  }))

test('a silent stream gets signs of life where its dialect has any', async () => {
  const [openai, anthropic, ollama] = await Promise.all(
    (['openai', 'anthropic', 'ollama'] as const).map(async (caller) =>
      (await send(world, caller, `${caller}/silent:3000`, true)).text(),
    ),
  )
  expect(openai!.match(/^: keep-alive$/gm)?.length).toBeWithin(1, 4)
  expect(anthropic!.match(/^event: ping$/gm)?.length).toBeWithin(1, 5)
  for (const line of ollama!.trimEnd().split('\n')) expect(JSON.parse(line)).toHaveProperty('message')
}, 10_000)

test.each([
  ['openai/ok', 'openai'],
  ['ollama/ok', 'openai'],
  ['anthropic/ok', 'openai'],
] as const)('%s: usage is asked of the upstream, shown where asked for, and only there', async (model) => {
  const without = await ask(world.gateway, { model, stream: true })
  expect(without).toMatchObject({ whole: true, text: FULL, usage: undefined })
  expect(without.body).not.toMatch(/"choices":\[\]|prompt_tokens/)
  const withUsage = await ask(world.gateway, { model, stream: true, more: { stream_options: { include_usage: true } } })
  expect(withUsage).toMatchObject({ whole: true, text: FULL, usage: { prompt: 2, completion: WORDS } })
  expect(withUsage.body.match(/"choices":\[\]/g)).toHaveLength(1)
  const rows = (await rowsOf(world.gateway)).filter((r) => r.model_group === model)
  expect(rows).toHaveLength(2)
  for (const row of rows)
    expect(row).toMatchObject({ prompt_tokens: 2, completion_tokens: WORDS, usage_source: 'provider' })
})

test('one id for the whole stream', async () => {
  for (const provider of ['openai', 'ollama', 'anthropic']) {
    const { body } = await ask(world.gateway, { model: `${provider}/ok`, stream: true })
    expect(new Set([...body.matchAll(/"id":"([^"]+)"/g)].map((m) => m[1])).size).toBe(1)
  }
})
