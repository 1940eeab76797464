import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { Refusal } from '../../src/core/refusal.ts'
import type { ChatDialect } from '../../src/dialects/dialect.ts'
import { type Peek, peek } from '../../src/dialects/peek.ts'
import { scan } from '../../src/dialects/scan.ts'
import { edit, splice } from '../../src/dialects/splice.ts'

/** A dialect as far as peeking looks at it. */
const dialect = (fields: Partial<ChatDialect['fields']> = {}, streamsByDefault = false) =>
  ({
    id: 'openai-chat',
    op: 'chat',
    streamsByDefault,
    fields: {
      maxTokens: ['max_completion_tokens', 'max_tokens'],
      required: { messages: 'array' },
      known: ['messages', 'max_tokens', 'tools'],
      ...fields,
    },
  }) as unknown as ChatDialect

const bytes = (text: string) => new TextEncoder().encode(text)
const look = (body: unknown, as = dialect()): Peek =>
  peek(bytes(typeof body === 'string' ? body : JSON.stringify(body)), as)

function refusal(body: unknown, as = dialect()): { code: string; status: number; param: string | undefined } {
  try {
    look(body, as)
  } catch (cause) {
    if (cause instanceof Refusal) return { code: cause.code, status: cause.status, param: cause.detail.param }
    throw cause
  }
  throw new Error('It was not refused.')
}

const messages = [{ role: 'user', content: 'Hi' }]

describe('peek', () => {
  test('reads what the way depends on', () => {
    const body = { model: 'gpt', messages, stream: true, stream_options: { include_usage: true }, max_tokens: 9, n: 2 }
    expect(look(body)).toMatchObject({
      model: 'gpt',
      stream: true,
      includeUsage: true,
      maxTokens: 9,
      maxTokensField: 'max_tokens',
      n: 2,
    })
  })

  test('takes nulls for missing, and defaults for what is missing', () => {
    const body = { model: 'gpt', messages, stream: null, stream_options: null, max_tokens: null, n: null }
    const { scan: _, ...seen } = look(body)
    expect(seen).toEqual({ model: 'gpt', stream: false, includeUsage: false, n: 1 })
    expect(look({ model: 'gpt', messages }, dialect({}, true)).stream).toBe(true)
    expect(look({ model: 'gpt', messages, stream: false }, dialect({}, true)).stream).toBe(false)
  })

  test('decodes a model name that is spelt with escapes or beyond ASCII', () => {
    expect(look('{"model":"caf\\u00e9/\\"x\\"","messages":[1]}').model).toBe('café/"x"')
    expect(look('{"model":"café","messages":[1]}').model).toBe('café')
  })

  test('where two limits stand, the smaller one counts', () => {
    expect(look({ model: 'm', messages, max_tokens: 5, max_completion_tokens: 9 })).toMatchObject({
      maxTokens: 5,
      maxTokensField: 'max_completion_tokens',
    })
  })

  test('reads a nested limit, where zero and less mean none', () => {
    const nested = dialect({ maxTokens: ['options.num_predict'], zeroIsUnlimited: true })
    expect(look({ model: 'm', messages, options: { num_predict: 7 } }, nested).maxTokens).toBe(7)
    expect(look({ model: 'm', messages, options: { num_predict: -1 } }, nested).maxTokens).toBeUndefined()
    expect(refusal({ model: 'm', messages, options: 'no' }, nested).param).toBe('options')
  })

  test.each([
    ['messages is a string', { model: 'm', messages: 'hi' }, 'messages'],
    ['messages is missing', { model: 'm' }, 'messages'],
    ['messages is null', { model: 'm', messages: null }, 'messages'],
    ['messages is empty', { model: 'm', messages: [] }, 'messages'],
    ['model is missing', { messages }, 'model'],
    ['model is a number', { model: 4, messages }, 'model'],
    ['model is empty', { model: '', messages }, 'model'],
    ['a negative limit', { model: 'm', messages, max_tokens: -5 }, 'max_tokens'],
    ['a limit of 0', { model: 'm', messages, max_tokens: 0 }, 'max_tokens'],
    ['a broken limit', { model: 'm', messages, max_tokens: 1.5 }, 'max_tokens'],
    ['a limit in words', { model: 'm', messages, max_tokens: '5' }, 'max_tokens'],
    ['stream is a string', { model: 'm', messages, stream: 'yes' }, 'stream'],
    ['stream_options is a list', { model: 'm', messages, stream_options: [] }, 'stream_options'],
    ['no choices', { model: 'm', messages, n: 0 }, 'n'],
    ['the model twice', '{"model":"cheap","model":"dear","messages":[1]}', 'model'],
    ['messages twice', '{"model":"m","messages":[1],"messages":[2]}', 'messages'],
    ['the model in another case', '{"model":"cheap","Model":"dear","messages":[1]}', 'Model'],
    ['tools with a long s', '{"model":"m","messages":[1],"toolſ":[]}', 'toolſ'],
  ])('refuses %s', (_, body, param) => {
    expect(refusal(body)).toEqual({ code: 'invalid_request', status: 400, param })
  })

  test('lets an unknown field stand twice or be spelt as it likes', () => {
    expect(look('{"model":"m","messages":[1],"x":1,"x":2,"fooBar":3}').model).toBe('m')
  })

  test('allows 0 where the dialect gives it a meaning', () => {
    expect(look({ model: 'm', messages, max_tokens: 0 }, dialect({ leastTokens: 0 })).maxTokens).toBe(0)
  })

  test('refuses what is not UTF-8', () => {
    const body = bytes('{"model":"m?","messages":[1]}')
    body[11] = 0xff
    expect(() => peek(body, dialect())).toThrow('UTF-8')
  })
})

describe('splice', () => {
  const spliced = (text: string, edits: Record<string, unknown>) => new TextDecoder().decode(splice(bytes(text), edits))

  test('replaces, inserts, and leaves every other byte alone', () => {
    expect(spliced('{ "model" : "a",\n"messages":[ 1.0, "é" ] }', { model: 'bé"', max_tokens: 5 })).toBe(
      '{"max_tokens":5, "model" : "bé\\"",\n"messages":[ 1.0, "é" ] }',
    )
    expect(spliced('{}', { a: { b: 1 } })).toBe('{"a":{"b":1}}')
    expect(spliced('{"a":1}', { a: undefined })).toBe('{"a":1}')
  })

  test('gives what parsing, changing and writing would have given', () => {
    const object = fc.dictionary(fc.string({ maxLength: 4 }), fc.jsonValue({ maxDepth: 2 }), {
      maxKeys: 6,
      noNullPrototype: true,
    })
    fc.assert(
      fc.property(object, object, (body, edits) => {
        const text = JSON.stringify(body)
        expect(JSON.parse(spliced(text, edits))).toEqual({ ...JSON.parse(text), ...JSON.parse(JSON.stringify(edits)) })
      }),
    )
  })

  test('sets a nested field and keeps its neighbours', () => {
    const body = bytes('{"options":{"seed":7,"num_predict":3}}')
    const changed = splice(body, edit(body, scan(body), 'options.num_predict', 2))
    expect(JSON.parse(new TextDecoder().decode(changed))).toEqual({ options: { seed: 7, num_predict: 2 } })
    const bare = bytes('{"model":"m"}')
    expect(edit(bare, scan(bare), 'options.num_predict', 2)).toEqual({ options: { num_predict: 2 } })
    expect(edit(bare, scan(bare), 'max_tokens', 2)).toEqual({ max_tokens: 2 })
  })
})
