/** Counting what nobody reported: in a worker, of every dialect, in time, and bounded in all ways. */
import { afterAll, describe, expect, test } from 'bun:test'
import type { DialectId, WireId } from '../../src/dialects/canonical.ts'
import type { ChatDialect } from '../../src/dialects/dialect.ts'
import { dialects } from '../../src/dialects/index.ts'
import { TokenCounter } from '../../src/pipeline/counting/counter.ts'
import type { CountJob } from '../../src/pipeline/counting/job.ts'
import { Kept, keptBytes } from '../../src/pipeline/counting/kept.ts'
import { vocabularyOf } from '../../src/pipeline/counting/vocabulary.ts'
import { chatDialects, plainChat, write } from '../dialects/support.ts'
import { promptTokens, tokensOf } from '../support/tokens.ts'

const bytes = (value: unknown): Uint8Array =>
  new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value))

const counter = new TokenCounter()
afterAll(() => counter.stop())

const SAID = 'The queue records the cost of each request. Größer als 日本 🚦'
const THOUGHT = 'Let us see.'

const asked = (dialect: WireId, body: unknown): CountJob['request'] => ({
  dialect,
  body: bytes(body),
  model: 'm',
  stream: true,
})
const heard = (dialect: WireId, body: unknown, isStream: boolean): CountJob['answer'] => ({
  dialect,
  isStream,
  body: bytes(body),
})
const count = (job: Partial<CountJob>) => counter.count({ model: 'gpt-4o', ...job })

describe('an answer', () => {
  const thinks = (id: DialectId) => id !== 'openai-completions'

  for (const { id } of chatDialects) {
    const dialect = dialects[id] as ChatDialect
    const text = write(
      dialect,
      [
        { type: 'start', id: 'a', model: 'm', created: 1 },
        ...(thinks(id) ? [{ type: 'thinking', choice: 0, text: THOUGHT } as const] : []),
        ...[...SAID].map((letter) => ({ type: 'text', choice: 0, text: letter }) as const),
        { type: 'finish', choice: 0, reason: { unified: 'stop', raw: 'stop' } },
        { type: 'end' },
      ],
      plainChat({ stream: true }),
    )
    const thought = thinks(id) ? tokensOf(THOUGHT) : 0

    test(`${id}: all of a stream, and what had come of one that was cut in the middle of a letter`, async () => {
      const all = await count({ answer: heard(id, text, true) })
      expect(all).toMatchObject({ output: thought + tokensOf(SAID), reasoning: thought })
      const cut = bytes(text)
      const part = await counter.count({
        model: 'm',
        answer: { dialect: id, isStream: true, body: cut.slice(0, cut.length * 0.6) },
      })
      expect(part?.output).toBeGreaterThan(thought)
      expect(part?.output).toBeLessThan(thought + tokensOf(SAID))
    })

    test(`${id}: a whole one`, async () => {
      const reply = {
        ...{ id: 'a', model: 'm', created: 1 },
        choices: [
          {
            index: 0,
            parts: [
              ...(thinks(id) ? [{ type: 'thinking', text: THOUGHT } as const] : []),
              { type: 'text', text: SAID } as const,
            ],
            finish: { unified: 'stop', raw: 'stop' } as const,
          },
        ],
      }
      const body = dialect.writeReply(reply, plainChat(), { id: 'a', created: 1 })
      expect(await count({ answer: heard(id, body, false) })).toMatchObject({ output: thought + tokensOf(SAID) })
    })
  }

  test('of calls: their names and arguments', async () => {
    const call = { index: 0, id: 'c', type: 'function', function: { name: 'weather', arguments: '{"city":"Paris"}' } }
    const body = {
      choices: [
        { index: 0, message: { role: 'assistant', content: null, tool_calls: [call] }, finish_reason: 'tool_calls' },
      ],
    }
    expect((await count({ answer: heard('openai-chat', body, false) }))?.output).toBe(
      tokensOf('weather{"city":"Paris"}'),
    )
  })

  test("a prompt that Anthropic told at the answer's beginning is taken from there, with its cache", async () => {
    const usage = { input_tokens: 10, cache_read_input_tokens: 900, cache_creation_input_tokens: 90, output_tokens: 1 }
    const body = [
      [
        'message_start',
        { type: 'message_start', message: { id: 'm', role: 'assistant', content: [], model: 'm', usage } },
      ],
      ['content_block_start', { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }],
      ['content_block_delta', { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hello' } }],
    ]
      .map(([event, data]) => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
      .join('')
    expect(await count({ answer: heard('anthropic', body, true) })).toMatchObject({
      told: { input: 1000, cacheRead: 900, cacheWrite: 90, cacheWriteHour: 0 },
      output: 1,
    })
  })
})

describe('a prompt', () => {
  const CASES: [WireId, unknown][] = [
    ['openai-chat', { model: 'm', messages: [{ role: 'user', content: SAID }] }],
    ['anthropic', { model: 'm', max_tokens: 5, messages: [{ role: 'user', content: SAID }] }],
    ['gemini', { contents: [{ role: 'user', parts: [{ text: SAID }] }] }],
    ['ollama-chat', { model: 'm', messages: [{ role: 'user', content: SAID }] }],
    ['openai-responses', { model: 'm', input: SAID }],
    ['openai-completions', { model: 'm', prompt: SAID }],
    ['ollama-generate', { model: 'm', prompt: SAID }],
  ]
  for (const [dialect, body] of CASES)
    test(dialect, async () => {
      expect((await count({ request: asked(dialect, body) }))?.input).toBe(promptTokens(SAID))
    })

  test('of embeddings: texts, and token ids that are counted already', async () => {
    const of = async (input: unknown) =>
      (await count({ request: asked('openai-embeddings', { model: 'm', input }) }))?.input
    expect(await of(SAID)).toBe(tokensOf(SAID))
    expect(await of([SAID, SAID])).toBe(2 * tokensOf(SAID))
    expect(await of([[1, 2, 3], [4]])).toBe(4)
  })

  test('what its tools say is prompt', async () => {
    const tools = [
      { type: 'function', function: { name: 'weather', description: 'Tells it', parameters: { type: 'object' } } },
    ]
    const bare = (
      await count({ request: asked('openai-chat', { model: 'm', messages: [{ role: 'user', content: SAID }] }) })
    )?.input
    const more = (
      await count({ request: asked('openai-chat', { model: 'm', messages: [{ role: 'user', content: SAID }], tools }) })
    )?.input
    expect((more ?? 0) - (bare ?? 0)).toBe(tokensOf('weather Tells it {"type":"object"}'))
  })

  test('with a picture is not counted by its text alone', async () => {
    const content = [
      { type: 'text', text: SAID },
      { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } },
    ]
    expect(
      (await count({ request: asked('openai-chat', { model: 'm', messages: [{ role: 'user', content }] }) }))?.input,
    ).toBeUndefined()
  })

  test('that is none of its dialect has no count', async () => {
    expect(await count({ request: asked('openai-chat', '{"messages":') })).toBeUndefined()
    expect((await count({ request: asked('openai-images', { prompt: 'x' }) }))?.input).toBeUndefined()
  })
})

test('the vocabulary is that of the model, or the nearest', () => {
  const older = [
    'gpt-4',
    'gpt-4-turbo',
    'gpt-4-0613',
    'openai/gpt-3.5-turbo',
    'gpt-35-turbo',
    'text-embedding-3-small',
    'azure.gpt-4',
  ]
  for (const model of older) expect([model, vocabularyOf(model)]).toEqual([model, 'cl100k_base'])
  for (const model of [
    'gpt-4o',
    'gpt-4.1',
    'gpt-5',
    'o3',
    'claude-sonnet-4-5',
    'gemini-2.5-pro',
    'llama3.2',
    'my-gpt-4',
  ])
    expect([model, vocabularyOf(model)]).toEqual([model, 'o200k_base'])
})

describe('bounded', () => {
  test('100,000 letters without a space, which would take seconds', async () => {
    await count({ request: asked('openai-chat', { model: 'm', messages: [{ role: 'user', content: 'warm' }] }) })
    const began = performance.now()
    const attack = { model: 'm', messages: [{ role: 'user', content: 'a'.repeat(100_000) }] }
    const counted = await count({ request: asked('openai-chat', attack) })
    expect(performance.now() - began).toBeLessThan(1_500)
    expect(counted?.input).toBeWithin(12_000, 13_500)
  })

  /** A worker that says what it is told to, and nothing by itself. */
  class Puppet {
    onmessage: ((event: { data: unknown }) => void) | null = null
    onerror: (() => void) | null = null
    ended = false
    readonly got: number[] = []
    constructor(readonly answers: (puppet: Puppet, id: number) => void) {}
    postMessage({ id }: { id: number }) {
      this.got.push(id)
      this.answers(this, id)
    }
    terminate() {
      this.ended = true
    }
    unref() {}
    tell(id: number) {
      this.onmessage?.({ data: { id, counted: { input: 1, output: 1, reasoning: 0, frames: 0 } } })
    }
  }
  const withPuppets = (answers: (puppet: Puppet, id: number) => void) => {
    const puppets: Puppet[] = []
    const line = new TokenCounter(() => {
      const puppet = new Puppet(answers)
      puppets.push(puppet)
      return puppet as unknown as Worker
    })
    return { line, puppets }
  }

  test('nothing is begun before there is something to count', () => {
    const { line, puppets } = withPuppets(() => {})
    expect([line.waiting, puppets.length]).toEqual([0, 0])
  })

  test('a worker that is stuck is ended after two seconds, and the next one has a new one', async () => {
    let first = true
    const { line, puppets } = withPuppets((puppet, id) => {
      if (!first) queueMicrotask(() => puppet.tell(id))
      first = false
    })
    const began = performance.now()
    const stuck = line.count({ model: 'm' })
    expect(await stuck).toBeUndefined()
    expect(performance.now() - began).toBeWithin(1_900, 2_600)
    expect(await line.count({ model: 'm' })).toMatchObject({ input: 1 })
    expect([puppets.length, puppets[0]?.ended, puppets[1]?.ended]).toEqual([2, true, false])
    await line.stop()
    expect(puppets[1]?.ended).toBe(true)
  }, 10_000)

  test('those behind one that takes long have their own two seconds', async () => {
    const { line, puppets } = withPuppets(() => {})
    const both = [line.count({ model: 'a' }), line.count({ model: 'b' })]
    expect(await Promise.all(both)).toEqual([undefined, undefined])
    expect(puppets[0]?.got).toEqual([1])
    await line.stop()
  }, 10_000)

  test('a worker that falls over takes only its own job along', async () => {
    let falls = true
    const { line } = withPuppets((puppet, id) => {
      queueMicrotask(() => (falls ? puppet.onerror?.() : puppet.tell(id)))
      queueMicrotask(() => {
        falls = false
      })
    })
    const [one, two] = await Promise.all([line.count({ model: 'a' }), line.count({ model: 'b' })])
    expect(one).toBeUndefined()
    expect(two).toMatchObject({ input: 1 })
    await line.stop()
  })

  test('a line that is full sends away, by number and by bytes', async () => {
    const { line } = withPuppets(() => {})
    const all = Array.from({ length: 300 }, () => line.count({ model: 'm' }))
    expect(line.waiting).toBe(257)
    expect(await all[299]).toBeUndefined()
    const stopped = line.stop()
    expect(await Promise.all(all)).toEqual(new Array(300).fill(undefined))
    await stopped
    const big = withPuppets(() => {})
    const body = new Uint8Array(20 * 1024 * 1024)
    const first = big.line.count({ model: 'm', answer: { dialect: 'openai-chat', isStream: false, body } })
    expect(
      await big.line.count({ model: 'm', answer: { dialect: 'openai-chat', isStream: false, body } }),
    ).toBeUndefined()
    await big.line.stop()
    expect(await first).toBeUndefined()
  }, 10_000)

  test('after its end nothing is counted', async () => {
    const { line, puppets } = withPuppets((puppet, id) => queueMicrotask(() => puppet.tell(id)))
    await line.stop()
    expect(await line.count({ model: 'm' })).toBeUndefined()
    expect(puppets.length).toBe(0)
  })
})

describe('what is kept of an answer', () => {
  const part = new Uint8Array(100 * 1024)

  test('is its beginning, in one piece, and its length', () => {
    const kept = new Kept('openai-chat')
    for (let i = 0; i < 5; i++) kept.push(part)
    expect(keptBytes()).toBe(200 * 1024)
    // What comes later may be small, and is not put behind a gap.
    kept.push(new Uint8Array(1))
    const heard = kept.take()
    expect([heard?.body.byteLength, heard?.length]).toEqual([200 * 1024, 500 * 1024 + 1])
    expect(keptBytes()).toBe(0)
    expect(kept.take()).toBeUndefined()
  })

  test('is let go where usage was reported', () => {
    const kept = new Kept('openai-chat')
    kept.push(part)
    kept.drop()
    kept.push(part)
    expect([keptBytes(), kept.take()]).toEqual([0, undefined])
  })

  test('is bounded for all answers together', () => {
    const all = Array.from({ length: 1_000 }, () => new Kept('openai-chat'))
    for (const kept of all) kept.push(part)
    expect(keptBytes()).toBeLessThanOrEqual(64 * 1024 * 1024)
    for (const kept of all) kept.drop()
    expect(keptBytes()).toBe(0)
  })
})
