/** What a real Ollama answered (0.17.4), read in its own dialect and written in every other. */
import { describe, expect, test } from 'bun:test'
import { UpstreamFailure } from '../../src/core/failure.ts'
import type { Event } from '../../src/dialects/canonical.ts'
import {
  ANSWERING,
  asSaidIn,
  chat,
  chatDialects,
  dialectOf,
  eventsIn,
  type Fixture,
  fixture,
  fixtures,
  framesOf,
  json,
  plainChat,
  saidInEvents,
  saidInReply,
  write,
} from './support.ts'

const isStream = (one: Fixture) => /event-stream|ndjson/.test(one.response.headers['content-type'] ?? '')
const answers = fixtures.filter((one) => {
  const id = dialectOf(one)
  return one.response.status === 200 && id !== undefined && chatDialects.some((dialect) => dialect.id === id)
})
const streams = answers.filter(isStream)
const replies = answers.filter((one) => !isStream(one))
const dialectFor = (one: Fixture) => chat(dialectOf(one)!)
const read = (one: Fixture): Event[] => eventsIn(dialectFor(one), one.response.body)

/** Cut by the server: one token too often, a dead runner, a caller who left. */
const CUT = /no-done|runner-died|aborted/

test('there is something to test', () => {
  expect(streams.length).toBeGreaterThan(15)
  expect(replies.length).toBeGreaterThan(15)
})

describe.each(streams.map((one) => [one.name, one] as const))('the stream %s', (name, one) => {
  test('ends with a reason exactly where it is whole', () => {
    const events = read(one)
    expect(events.some(({ type }) => type === 'finish')).toBe(!CUT.test(name))
    expect(events.some(({ type }) => type === 'end')).toBe(!CUT.test(name))
    expect(events.filter(({ type }) => type === 'start')).toHaveLength(1)
  })

  test('is read the same however it is cut', () => {
    const dialect = dialectFor(one)
    const whole = framesOf(dialect, one.response.body)
    for (const size of [1, 7, 100]) expect(framesOf(dialect, one.response.body, size)).toEqual(whole)
  })

  test.each(chatDialects.map((to) => [to.id, to] as const))('says the same in %s', (id, to) => {
    const events = read(one)
    const written = write(to, events, plainChat({ includeUsage: true }))
    const again = eventsIn(to, written)
    if (CUT.test(name)) {
      expect(again.some(({ type }) => type === 'finish')).toBe(false)
      return
    }
    expect(saidInEvents(again)).toEqual(asSaidIn(saidInEvents(events), id))
    // The end of a Gemini's stream is its connection's.
    if (id !== 'gemini') expect(again.at(-1)).toEqual({ type: 'end' })
  })

  test('shows a tap the same as a reader', () => {
    const dialect = dialectFor(one)
    const tap = dialect.tap()
    const reader = dialect.reader()
    for (const frame of framesOf(dialect, one.response.body)) {
      const events = reader(frame)
      const has = (...types: Event['type'][]) => events.some(({ type }) => types.includes(type))
      const seen = tap(frame)
      const usage = events.find((event) => event.type === 'usage')
      expect({ ...seen, usageOnly: false, failure: seen.failure?.kind }).toEqual({
        content: events.some(
          (event) => (event.type === 'text' && event.text !== '') || ['thinking', 'call', 'args'].includes(event.type),
        ),
        finished: has('finish'),
        end: has('end'),
        usage: usage?.usage,
        garbage: false,
        usageOnly: false,
        failure: events.find((event) => event.type === 'error')?.kind as undefined,
      })
    }
  })
})

describe.each(replies.map((one) => [one.name, one] as const))('the answer %s', (name, one) => {
  const reply = () => dialectFor(one).readReply(json(one.response.body))

  test('has a reason exactly where it is whole', () => {
    expect(reply().choices[0]?.finish !== undefined).toBe(!CUT.test(name))
    expect(dialectFor(one).glance(one.response.body)).toMatchObject({
      finished: !CUT.test(name),
      garbage: false,
      usage: reply().usage,
    })
  })

  test.each(chatDialects.map((to) => [to.id, to] as const))('says the same in %s', (id, to) => {
    const written = to.writeReply(reply(), plainChat({ stream: false }), ANSWERING)
    const again = to.readReply(json(JSON.stringify(written)))
    const wanted = asSaidIn(saidInReply(reply()), id)
    expect(saidInReply(again)).toEqual(wanted)
  })
})

describe('in particular', () => {
  test('an answer that Ollama cut at a repeated token has neither reason nor usage', () => {
    for (const name of ['chat-no-done', 'v1-chat-no-done']) {
      const one = fixture(name)
      const reply = dialectFor(one).readReply(json(one.response.body))
      expect(reply.choices[0]?.finish).toBeUndefined()
      expect(reply.usage).toBeUndefined()
    }
  })

  test('a runner that dies in a stream is an error there, and an error of the server', () => {
    const events = read(fixture('err-runner-died-stream'))
    expect(events.at(-1)).toMatchObject({ type: 'error', kind: 'server' })
    expect(read(fixture('err-v1-runner-died-stream')).every(({ type }) => type === 'start' || type === 'text')).toBe(
      true,
    )
  })

  test('zeros of /v1/completions are no usage: only the last report counts', () => {
    const usages = read(fixture('v1-completions-stream')).filter((event) => event.type === 'usage')
    expect(usages.map(({ usage }) => [usage.input, usage.output])).toEqual([[9, 4]])
  })

  test("Anthropic's estimate at the start gives way to the count at the end", () => {
    const said = saidInEvents(read(fixture('v1-messages-tool-stream')))
    expect([said.usage?.input, said.usage?.output]).toEqual([144, 8])
  })

  test('parallel calls of a native stream become separate blocks for Anthropic', () => {
    const written = write(chat('anthropic'), read(fixture('chat-tools-stream')))
    const lines = written.split('\n').flatMap((line) => (line.startsWith('data: ') ? [json(line.slice(6))] : []))
    expect(lines.map(({ type, index, content_block, delta }) => [type, index, content_block ?? delta])).toEqual([
      ['message_start', undefined, undefined],
      ['content_block_start', 0, { type: 'tool_use', id: 'call_dod3f4sq', name: 'get_weather', input: {} }],
      ['content_block_delta', 0, { type: 'input_json_delta', partial_json: '{"city":"Paris"}' }],
      ['content_block_stop', 0, undefined],
      ['content_block_start', 1, { type: 'tool_use', id: 'call_t2ygqh23', name: 'get_time', input: {} }],
      ['content_block_delta', 1, { type: 'input_json_delta', partial_json: '{"tz":"UTC"}' }],
      ['content_block_stop', 1, undefined],
      ['message_delta', undefined, { stop_reason: 'tool_use', stop_sequence: null }],
      ['message_stop', undefined, undefined],
    ])
    expect(lines.at(-2)?.usage).toEqual({
      input_tokens: 231,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      output_tokens: 11,
    })
  })

  test('and chunks with an index each for OpenAI, finished by tool_calls though Ollama says stop', () => {
    const written = write(chat('openai-chat'), read(fixture('chat-tools-stream')))
    const chunks = written.split('\n\n').flatMap((line) => (line.startsWith('data: {') ? [json(line.slice(6))] : []))
    expect(chunks.map(({ choices }) => (choices as { delta: unknown; finish_reason: unknown }[])[0])).toEqual([
      { index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null },
      call(0, { id: 'call_dod3f4sq', type: 'function', function: { name: 'get_weather', arguments: '' } }),
      call(0, { function: { arguments: '{"city":"Paris"}' } }),
      call(1, { id: 'call_t2ygqh23', type: 'function', function: { name: 'get_time', arguments: '' } }),
      call(1, { function: { arguments: '{"tz":"UTC"}' } }),
      { index: 0, delta: {}, finish_reason: 'tool_calls' },
    ] as never)
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1)
    expect(chunks.some((chunk) => 'usage' in chunk)).toBe(false)
    expect(written.endsWith('data: [DONE]\n\n')).toBe(true)
  })

  test('thinking goes by its name in each dialect', () => {
    const events = read(fixture('chat-think-stream'))
    expect(write(chat('openai-chat'), events)).toContain('"delta":{"reasoning_content":"Let"}')
    expect(write(chat('anthropic'), events)).toContain('"delta":{"type":"thinking_delta","thinking":"Let"}')
    expect(write(chat('ollama-chat'), read(fixture('v1-chat-think-stream')))).toContain('"content":"","thinking":"Let"')
  })

  test('durations stay as they are among Ollama dialects', () => {
    const one = fixture('chat')
    const reply = chat('ollama-chat').readReply(json(one.response.body))
    expect(chat('ollama-chat').writeReply(reply, plainChat(), ANSWERING)).toEqual({
      ...json(one.response.body),
      created_at: '2026-11-20T22:14:36.000Z',
    })
    expect(chat('ollama-generate').writeReply(reply, plainChat(), ANSWERING)).toMatchObject({
      done_reason: 'stop',
      total_duration: 30430121,
      eval_count: 23,
    })
  })

  test('loading and unloading a model is a whole answer', () => {
    for (const [name, reason] of [
      ['generate-load', 'load'],
      ['generate-unload', 'unload'],
    ] as const) {
      const reply = chat('ollama-generate').readReply(json(fixture(name).response.body))
      expect(reply.choices[0]?.finish).toEqual({ unified: 'stop', raw: reason })
      expect(chat('ollama-generate').writeReply(reply, plainChat(), ANSWERING).done_reason).toBe(reason)
    }
  })

  test('odds of tokens stand where each dialect has them', () => {
    const reply = chat('ollama-chat').readReply(json(fixture('chat-logprobs').response.body))
    const openai = chat('openai-chat').writeReply(reply, plainChat(), ANSWERING)
    const recorded = json(fixture('v1-chat-logprobs').response.body)
    const odds = (body: unknown) =>
      (body as { choices: { logprobs: { content: unknown[] } }[] }).choices[0]!.logprobs.content.slice(0, 2)
    expect(odds(openai)).toEqual(odds(recorded))
    const completion = chat('openai-completions').writeReply(reply, plainChat(), ANSWERING)
    expect((completion.choices as unknown[])[0]).toMatchObject({
      logprobs: { tokens: ['The', ' queue', ' and'], text_offset: [0, 3, 9] },
    })
  })

  test('an answer that is malformed is the fault of the upstream, never of the caller', () => {
    const wrong: Record<string, object> = {
      'openai-chat': { choices: [{ message: { content: 5 }, finish_reason: 'stop' }] },
      'openai-completions': { choices: [{ text: 5 }] },
      'openai-responses': { status: 'completed', output: [{ type: 'function_call', name: 5 }] },
      anthropic: { content: [{ type: 'tool_use', id: 5 }] },
      gemini: { candidates: [{ content: { parts: [{ functionCall: { name: 5 } }] }, finishReason: 'STOP' }] },
      'ollama-chat': { message: { tool_calls: [{ function: { name: 5 } }] }, done: true },
      'ollama-generate': { response: 5, done: true },
    }
    for (const dialect of chatDialects) {
      expect(() => dialect.readReply(wrong[dialect.id] as never)).toThrow(UpstreamFailure)
    }
    const line = JSON.stringify(wrong['ollama-chat'])
    expect(() => eventsIn(chat('ollama-chat'), line)).toThrow(UpstreamFailure)
  })

  test('an error inside of a 200 is a failure, not an answer', () => {
    for (const dialect of chatDialects) {
      expect(() => dialect.readReply({ error: 'boom' })).toThrow(UpstreamFailure)
      expect(dialect.glance('{"error":{"message":"boom"}}').failure?.kind).toBe('server')
      expect(dialect.glance('<html>').garbage).toBe(true)
      expect(dialect.glance('{"hello":1}').garbage).toBe(true)
    }
  })
})

function call(index: number, said: object) {
  return { index: 0, delta: { tool_calls: [{ index, ...said }] }, finish_reason: null }
}
