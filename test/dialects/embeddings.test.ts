import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { UpstreamFailure } from '../../src/core/failure.ts'
import { Refusal } from '../../src/core/refusal.ts'
import type { DialectId, Json } from '../../src/dialects/canonical.ts'
import { fromBase64, toBase64 } from '../../src/dialects/openai-embeddings/vectors.ts'
import { dialectOf, embed, fixture, fixtures, json, warnings } from './support.ts'

const IDS = ['openai-embeddings', 'ollama-embed', 'ollama-embeddings'] as const
const reply = (name: string) => {
  const one = fixture(name)
  return embed(dialectOf(one)!).readReply(json(one.response.body))
}
const request = (id: DialectId, body: Json) => embed(id).readRequest({ model: 'm', ...body })

describe('recorded embeddings', () => {
  test('the same texts have the same vectors and tokens in both dialects', () => {
    const native = reply('embed-batch')
    expect(native.vectors).toEqual(reply('v1-embeddings').vectors)
    expect(native.vectors.map((vector) => vector.length)).toEqual([8, 8])
    expect([native.usage?.input, reply('v1-embeddings').usage?.input]).toEqual([8, 8])
    expect(native.timings).toEqual({ total: 6640587, load: 2742215 })
  })

  test('base64 is read as the floats that the native route gives', () => {
    const floats = reply('embed').vectors[0]!.map(Math.fround)
    expect(reply('v1-embeddings-base64').vectors[0]).toEqual(floats)
    expect(reply('embeddings').vectors[0]).toHaveLength(64)
  })

  test('base64 is written exactly as Ollama writes it', () => {
    const recorded = json(fixture('v1-embeddings-base64').response.body)
    const asked = request('openai-embeddings', { input: 'hello world', encoding_format: 'base64' })
    const written = embed('openai-embeddings').writeReply(reply('embed'), asked)
    expect((written.data as Json[])[0]?.embedding).toBe((recorded.data as Json[])[0]?.embedding as string)
    expect(written.usage).toEqual(recorded.usage as Json)
  })

  const recorded = fixtures.filter(
    (one) => one.response.status === 200 && IDS.includes(dialectOf(one) as (typeof IDS)[number]),
  )
  test.each(recorded.map((one) => [one.name, one] as const))('%s comes through every dialect', (_, one) => {
    const from = embed(dialectOf(one)!)
    const read = from.readReply(json(one.response.body))
    const seen = from.glance(one.response.body)
    expect([seen.finished, seen.garbage, seen.usage]).toEqual([true, false, read.usage])
    for (const id of IDS) {
      const asked = request(id, id === 'ollama-embeddings' ? { prompt: 'x' } : { input: 'x' })
      const again = embed(id).readReply(json(JSON.stringify(embed(id).writeReply(read, asked))))
      expect(again.vectors).toEqual(id === 'ollama-embeddings' ? read.vectors.slice(0, 1) : read.vectors)
    }
  })
})

describe('requests', () => {
  const translate = (from: DialectId, to: DialectId, body: Json) => {
    const { warn, lost } = warnings()
    return { written: embed(to).writeRequest(request(from, body), warn), lost }
  }

  test('to Ollama: never cut, a list where it was one', () => {
    const body = { input: ['a', 'b'], dimensions: 8, encoding_format: 'base64', user: 'u' }
    expect(translate('openai-embeddings', 'ollama-embed', body)).toEqual({
      written: { model: 'm', input: ['a', 'b'], dimensions: 8, truncate: false },
      lost: [],
    })
    expect(translate('openai-embeddings', 'ollama-embed', { input: 'a' }).written.input).toBe('a')
  })

  test('an empty text is sent in a list: alone it would have no vector', () => {
    expect(translate('openai-embeddings', 'ollama-embed', { input: '' }).written.input).toEqual([''])
  })

  test('go back as they came', () => {
    const body = { model: 'm', input: [[1, 2], [3]], encoding_format: 'base64', dimensions: 4, user: 'u', extra: 1 }
    expect(translate('openai-embeddings', 'openai-embeddings', body).written).toEqual(body)
    const own = { model: 'm', input: ['a'], truncate: true, keep_alive: '1m' }
    expect(translate('ollama-embed', 'ollama-embed', own).written).toEqual(own)
    expect(translate('ollama-embed', 'openai-embeddings', own)).toEqual({
      written: { model: 'm', input: ['a'] },
      lost: [],
    })
  })

  test('the old route takes one text', () => {
    expect(translate('ollama-embeddings', 'ollama-embed', { prompt: 'x' }).written).toMatchObject({ input: 'x' })
    expect(translate('openai-embeddings', 'ollama-embeddings', { input: ['x'] }).written).toEqual({
      model: 'm',
      prompt: 'x',
    })
    expect(() => translate('openai-embeddings', 'ollama-embeddings', { input: ['x', 'y'] })).toThrow(Refusal)
    expect(translate('openai-embeddings', 'ollama-embeddings', { input: 'x', dimensions: 4 }).lost).toEqual([
      'dimensions',
    ])
  })

  test('token ids only go where they mean something', () => {
    expect(() => translate('openai-embeddings', 'ollama-embed', { input: [1, 2] })).toThrow('token ids')
    expect(translate('openai-embeddings', 'openai-embeddings', { input: [1, 2] }).written.input).toEqual([1, 2])
  })

  test.each([
    ['nothing', { input: undefined }],
    ['an empty list', { input: [] }],
    ['a number', { input: 5 }],
    ['a mixture', { input: ['a', { b: 1 }] }],
    ['an unknown encoding', { input: 'a', encoding_format: 'int8' }],
  ])('refuse %s', (_, body) => {
    expect(() => request('openai-embeddings', body)).toThrow(Refusal)
  })
})

describe('base64', () => {
  test('holds 32-bit floats, little end first', () => {
    expect(toBase64([1, -2])).toBe(Buffer.from([0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]).toString('base64'))
    const floats = fc.array(fc.float({ noNaN: true }), { minLength: 1 })
    fc.assert(fc.property(floats, (vector) => expect(fromBase64(toBase64(vector))).toEqual(vector)))
  })

  test('that is none is a bad reply', () => {
    for (const text of ['', 'AAA=', '!!']) expect(() => fromBase64(text)).toThrow(UpstreamFailure)
  })
})

test('what is no answer is a failure', () => {
  for (const id of IDS) {
    expect(() => embed(id).readReply({ error: 'boom' })).toThrow(UpstreamFailure)
    expect(() => embed(id).readReply({})).toThrow(UpstreamFailure)
    expect(embed(id).glance('{}').garbage).toBe(true)
    expect(embed(id).glance('{"error":"busy"}').failure).toBeDefined()
  }
})

test("what stands in Gemini's path is no field that a target does not know", () => {
  const asked = embed('gemini-embed').readRequest({ content: { parts: [{ text: 'x' }] }, model: 'm', stream: false })
  for (const to of ['openai-embeddings', 'ollama-embed', 'ollama-embeddings'] as const) {
    const { warn, lost, adapted } = warnings()
    embed(to).writeRequest(asked, warn)
    expect({ to, lost, adapted }).toEqual({ to, lost: [], adapted: [] })
  }
})
