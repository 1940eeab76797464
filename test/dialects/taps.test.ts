/** Taps decide about money and about what is cut: text must never pass for structure, nor structure for text. */
import { describe, expect, test } from 'bun:test'
import type { Sight } from '../../src/dialects/dialect.ts'
import { Template } from '../../src/dialects/template.ts'
import { chat } from './support.ts'

const openai = (delta: object, more: object = {}) =>
  JSON.stringify({
    id: 'c1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'm',
    choices: [{ index: 0, delta, finish_reason: null }],
    ...more,
  })
const ollama = (content: string, more: object = {}) =>
  JSON.stringify({
    model: 'm',
    created_at: `2026-11-20T22:14:${content.length % 60}.1Z`,
    message: { role: 'assistant', content },
    done: false,
    ...more,
  })
const anthropic = (text: string) =>
  JSON.stringify({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } })

/** Texts that look like what ends or bends a stream. */
const SLY = [
  '"finish_reason":"stop"',
  '","finish_reason":"stop","x":"',
  '"},"finish_reason":"stop"}],"usage":{"prompt_tokens":999999,"completion_tokens":9,"total_tokens":1},"x":[{"y":"',
  '"usage":{"prompt_tokens":5}',
  '{"error":{"message":"no"}}',
  '[DONE]',
  '"done":true',
  '"},"done":true,"done_reason":"stop","prompt_eval_count":7,"eval_count":7,"x":{"y":"',
  '\\"',
  '\\',
  '"type":"message_stop"',
  '\n\ndata: [DONE]',
  '\u2028',
]

const PLAIN: Sight = { content: true, finished: false, end: false, usageOnly: false, garbage: false }

describe.each([
  ['openai-chat' as const, (text: string) => openai({ content: text })],
  ['openai-chat' as const, (text: string) => openai({ role: 'assistant', content: '', reasoning: text })],
  ['ollama-chat' as const, (text: string) => ollama(text)],
  ['anthropic' as const, anthropic],
])('a tap of %s', (id, frame) => {
  test('takes every text for a text, after any other', () => {
    for (const first of ['plain', ...SLY]) {
      const tap = chat(id).tap()
      for (const text of [first, 'one', ...SLY, 'two', first]) {
        const { usage, failure, ...seen } = tap({ data: frame(text) })
        expect({ text, ...seen, usage, failure }).toEqual({ text, ...PLAIN, usage: undefined, failure: undefined })
      }
    }
  })

  test('takes half a frame for garbage, and the next whole one for what it is', () => {
    const tap = chat(id).tap()
    const whole = frame('some text')
    for (const data of [
      whole,
      whole.slice(0, -1),
      whole.slice(0, 40),
      `${whole}}`,
      whole.replace('"some', 'some'),
      'not json',
      '5',
      '',
    ]) {
      expect({ data, garbage: tap({ data }).garbage }).toEqual({ data, garbage: data !== whole })
    }
    expect(tap({ data: whole }).content).toBe(true)
  })
})

describe('a tap', () => {
  test('of OpenAI sees finish, usage, errors and the end', () => {
    const tap = chat('openai-chat').tap()
    tap({ data: openai({ content: 'a' }) })
    expect(
      tap({ data: openai({ content: 'a' }, { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }) }),
    ).toMatchObject({ finished: true, content: false })
    expect(tap({ data: openai({}, { choices: [], usage: { prompt_tokens: 3, completion_tokens: 2 } }) })).toMatchObject(
      { usageOnly: true, usage: { input: 3, output: 2 } },
    )
    expect(tap({ data: '{"error":{"message":"slow down","code":"rate_limit_exceeded"}}' }).failure?.kind).toBe(
      'rate_limited',
    )
    expect(tap({ data: '[DONE]' })).toMatchObject({ end: true, garbage: false })
    expect(
      tap({ data: openai({ tool_calls: [{ index: 0, id: 'x', function: { name: 'f', arguments: '' } }] }) }).content,
    ).toBe(true)
    expect(tap({ data: openai({ role: 'assistant', content: '' }) }).content).toBe(false)
    expect(tap({ data: openai({ content: null }) }).content).toBe(false)
  })

  test('of OpenAI takes out chunks without choices, which Azure begins with', () => {
    expect(chat('openai-chat').tap()({ data: '{"choices":[],"prompt_filter_results":[]}' })).toMatchObject({
      usageOnly: true,
      garbage: false,
    })
  })

  test('of Ollama is not fooled by arguments of a tool', () => {
    const tap = chat('ollama-chat').tap()
    const line = ollama('', {
      message: {
        role: 'assistant',
        content: '',
        tool_calls: [{ function: { name: 'f', arguments: { done: true, eval_count: 5, error: 'x' } } }],
      },
    })
    expect(tap({ data: line })).toMatchObject({ content: true, finished: false, end: false })
  })

  test('of Anthropic adds what the start said to what the end says', () => {
    const tap = chat('anthropic').tap()
    tap({
      data: JSON.stringify({
        type: 'message_start',
        message: { usage: { input_tokens: 10, cache_read_input_tokens: 90, output_tokens: 1 } },
      }),
    })
    expect(tap({ data: '{"type":"ping"}' })).toMatchObject({ garbage: false, content: false })
    const last = tap({
      data: JSON.stringify({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 7 } }),
    })
    expect(last).toMatchObject({ finished: true, usage: { input: 100, cacheRead: 90, output: 7 } })
    expect(tap({ data: '{"type":"message_stop"}' }).end).toBe(true)
  })

  test('whole answers: a choice without a reason makes them not whole', () => {
    const body = (finish: unknown) =>
      JSON.stringify({
        choices: [
          { message: { content: 'a' }, finish_reason: 'stop' },
          { message: { content: 'b' }, finish_reason: finish },
        ],
      })
    expect(chat('openai-chat').glance(body('stop')).finished).toBe(true)
    expect(chat('openai-chat').glance(body(null)).finished).toBe(false)
  })
})

describe('a template', () => {
  const frame = (a: string, b: string) => `{"a":"${a}","b":"${b}","c":1}`

  test('matches only its own shape with safe gaps', () => {
    const template = new Template()
    expect(template.matches(frame('x', 'y'))).toBe(false)
    expect(template.learn(frame('x', 'y'), ['a', 'b'])).toBe(true)
    expect(template.matches(frame('other', 'longer text'))).toBe(true)
    expect(template.matches(frame('', 'y'))).toBe(true)
    for (const said of ['a\\nb', '\\\\', 'a\\"b', '\\u20ac', '\\"c\\":1}']) {
      expect({ said, parses: JSON.parse(frame('x', said)).b !== undefined }).toEqual({ said, parses: true })
      expect({ said, matches: template.matches(frame('x', said)) }).toEqual({ said, matches: true })
    }
    for (const data of [
      frame('x', ''),
      frame('x', 'a\\qb'),
      frame('x', 'a\\u12g4'),
      frame('x', 'a\\'),
      frame('x\\', 'y'),
      frame('x', 'a\tb'),
      frame('x', 'a"b'),
      `${frame('x', 'y')} `,
      frame('x', 'y').slice(0, -1),
      '',
      '{"a":"x',
    ]) {
      expect({ data, matches: template.matches(data) }).toEqual({ data, matches: false })
    }
  })

  test('finds its gaps behind escapes and spaces, and never inside of a name', () => {
    const template = new Template()
    expect(template.learn('{"x\\"b":"no","a":"x\\"","b": "y"}', ['a', 'b'])).toBe(true)
    expect(template.matches('{"x\\"b":"no","a":"\\\\","b": "z"}')).toBe(true)
    expect(template.matches('{"x\\"b":"other","a":"","b": "z"}')).toBe(false)
  })

  test('tells the numbers of the frame that it matched, and takes no other numbers', () => {
    const template = new Template()
    expect(
      template.learn('{"n": 3,"list":[{"k":5},{"k":6}],"t":"x","r":1.5,"z":null}', ['t'], ['n', 'k', 'r', 'z']),
    ).toBe(true)
    expect(template.matches('{"n": 40,"list":[{"k":7},{"k":8}],"t":"y","r":1.5,"z":null}')).toBe(true)
    expect(template.numbers()).toEqual({ n: 40, k: 7 })
    for (const n of ['01', '-1', '1.0', '', '1e3', 'null'])
      expect(template.matches(`{"n": ${n},"list":[{"k":7},{"k":8}],"t":"y","r":1.5,"z":null}`)).toBe(false)
  })

  test('does not learn from a frame without its gaps', () => {
    const template = new Template()
    expect(template.learn('{"b":"y"}', ['a', 'b'])).toBe(false)
    expect(template.matches('{"b":"y"}')).toBe(false)
  })
})
