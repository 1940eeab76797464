/** What is found in a long JSON answer as it goes by is what JSON.parse would have found, whatever the pieces. */
import { describe, expect, test } from 'bun:test'
import * as fc from 'fast-check'
import { Skimmer } from '../../src/dialects/skim.ts'

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

function skim(text: string, cut: number): Record<string, unknown> {
  const skimmer = new Skimmer()
  const bytes = encode(text)
  const passed: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += cut)
    for (const { raw } of skimmer.push(bytes.subarray(at, at + cut))) passed.push(raw)
  // Every byte goes on as it came.
  expect(Buffer.concat(passed).equals(Buffer.from(bytes))).toBe(true)
  const [last] = skimmer.end()
  return last ? (JSON.parse(last.frame?.data ?? '') as Record<string, unknown>) : {}
}
const CUTS = [1, 2, 3, 7, 64, 1_000_000]

describe.each([
  ['OpenAI', { data: [{ usage: 1 }], usage: { total_tokens: 5 } }, { usage: { total_tokens: 5 } }],
  ['what stands first', { usage: { a: { b: [1, '}'] } }, data: ['x'] }, { usage: { a: { b: [1, '}'] } } }],
  [
    'one level below',
    { response: { id: 'r', usage: { input_tokens: 1 } } },
    { response: { usage: { input_tokens: 1 } } },
  ],
  ['a kind', { type: 'message', content: [{ type: 'text' }] }, { type: 'message' }],
  ['Gemini’s list', [{ usageMetadata: { n: 1 } }, { c: [], usageMetadata: { n: 2 } }], { usageMetadata: { n: 2 } }],
  [
    'texts that look like it',
    { text: '{"usage":{"x":1}}', more: ['"usage":{', '\\'], usage: { y: '\\"{' } },
    { usage: { y: '\\"{' } },
  ],
  ['deeper ones', { data: { more: { usage: { n: 1 } } }, list: [{ usage: { n: 2 } }] }, {}],
  ['what is no object', { usage: 'none', meta: [{ usage: 1 }], response: 'usage' }, {}],
  ['other spellings', { Usage: { n: 1 }, 'usage ': { n: 1 } }, {}],
  ['an item of a list in a holder', { message: [{ usage: { n: 1 } }] }, {}],
])('%s', (_name, said, found) => {
  test.each(CUTS)('in pieces of %d', (cut) => {
    expect(skim(JSON.stringify(said), cut)).toEqual(found as Record<string, unknown>)
    expect(skim(JSON.stringify(said, null, 2), cut)).toEqual(found as Record<string, unknown>)
  })
})

test('any JSON in any pieces: what JSON.parse finds at the top', () => {
  const key = fc.constantFrom('usage', 'meta', 'usageMetadata', 'data', 'a"b', 'x\\', 'message', 'response')
  const any = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.string(),
      fc.integer(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(key, tie('value'), { maxKeys: 4 }),
    ),
  })).value
  const isObject = (v: unknown): v is Record<string, unknown> =>
    typeof v === 'object' && v !== null && !Array.isArray(v)
  fc.assert(
    fc.property(fc.dictionary(key, any, { maxKeys: 6 }), fc.integer({ min: 1, max: 40 }), (json, cut) => {
      const wanted: Record<string, unknown> = {}
      for (const [name, value] of Object.entries(json)) {
        if (['usage', 'meta', 'usageMetadata'].includes(name) && isObject(value)) wanted[name] = value
        if (['message', 'response'].includes(name) && isObject(value) && isObject(value.usage))
          wanted[name] = { usage: value.usage }
      }
      expect(skim(JSON.stringify(json), cut)).toEqual(wanted)
    }),
    { numRuns: 500 },
  )
})

test('what is no JSON, and what is endless, harms nothing', () => {
  for (const text of [
    '',
    '}}}]]',
    '{"usage":{"a":',
    '"',
    `{"usage":{"a":"${'x'.repeat(100_000)}"}}`,
    '{'.repeat(9_000),
  ])
    for (const cut of [1, 1_000_000]) expect(skim(text, cut)).toEqual({})
})
