/** Calls that Vertex AI streams value by value (`streamFunctionCallArguments`). */
import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { UpstreamFailure } from '../../src/core/failure.ts'
import type { Event, Json } from '../../src/dialects/canonical.ts'
import { chat, eventsIn, saidInEvents, write } from './support.ts'

const gemini = chat('gemini')
const chunk = (parts: Json[], finishReason?: string) =>
  `data: ${JSON.stringify({ candidates: [{ content: { role: 'model', parts }, ...(finishReason ? { finishReason } : {}) }] })}\n\n`
const call = (functionCall: Json, more: Json = {}) => chunk([{ functionCall, ...more }])

test('are put together, with their id and their signature, and others around them stay', () => {
  const stream =
    chunk([{ text: 'I look. ' }]) +
    call({ name: 'weather', id: 'c1', willContinue: true }, { thoughtSignature: 'sig' }) +
    call({ partialArgs: [{ jsonPath: '$.city', stringValue: 'Bo', willContinue: true }], willContinue: true }) +
    call({ partialArgs: [{ jsonPath: '$.city', stringValue: 'nn' }], willContinue: true }) +
    call({
      partialArgs: [
        { jsonPath: '$.days[0].n', numberValue: 1 },
        { jsonPath: '$.days[1].n', numberValue: 2.5 },
        { jsonPath: "$['a b']", boolValue: false },
        { jsonPath: '$.none', nullValue: 'NULL_VALUE' },
      ],
      willContinue: true,
    }) +
    call({}) +
    call({ name: 'time', args: { zone: 'CET' } }) +
    chunk([], 'STOP')
  const events = eventsIn(gemini, stream)
  expect(saidInEvents(events)).toMatchObject({
    text: 'I look. ',
    calls: [
      { name: 'weather', args: { city: 'Bonn', days: [{ n: 1 }, { n: 2.5 }], 'a b': false, none: null } },
      { name: 'time', args: { zone: 'CET' } },
    ],
    finish: 'tool-calls',
  })
  expect(events.find(({ type }) => type === 'call')).toMatchObject({
    id: 'c1',
    extras: { fields: { thoughtSignature: 'sig' } },
  })
  const openai = write(chat('openai-chat'), [...events, { type: 'end' }])
  expect(saidInEvents(eventsIn(chat('openai-chat'), openai)).calls).toHaveLength(2)
})

test('that begin before another has said its end are two', () => {
  const piece = (city: string): Json => ({
    partialArgs: [{ jsonPath: '$.city', stringValue: city }],
    willContinue: true,
  })
  const stream = call({ name: 'a', ...piece('x') }) + call({ name: 'b', ...piece('y') }) + chunk([], 'STOP')
  expect(saidInEvents(eventsIn(gemini, stream)).calls).toEqual([
    { name: 'a', args: { city: 'x' } },
    { name: 'b', args: { city: 'y' } },
  ])
})

test('that the limit cut are no calls', () => {
  const stream =
    call({ name: 'a', partialArgs: [{ jsonPath: '$.x', stringValue: 'cut' }], willContinue: true }) +
    chunk([], 'MAX_TOKENS')
  expect(eventsIn(gemini, stream).map(({ type }) => type)).toEqual(['start', 'finish'])
})

describe('paths that lead nowhere are a bad reply, and no memory', () => {
  test.each(['$', 'city', '$.a[1000000000]', '$.a.b[1]', '$[0]', '$.', '$..x', '$.city.more', '$.a[*]'])(
    '%s',
    (jsonPath) => {
      const stream = call({
        name: 'a',
        partialArgs: [
          { jsonPath: '$.city', stringValue: 'x' },
          { jsonPath, stringValue: 'y' },
        ],
      })
      expect(() => eventsIn(gemini, stream)).toThrow(UpstreamFailure)
    },
  )

  test('a name of an object of the language is a name like any other', () => {
    const stream =
      call({ name: 'a', partialArgs: [{ jsonPath: '$.__proto__.x', stringValue: 'y' }] }) + chunk([], 'STOP')
    const args = eventsIn(gemini, stream).find((event): event is Event & { type: 'args' } => event.type === 'args')
    expect(args?.text).toBe('{"__proto__":{"x":"y"}}')
    expect(({} as Json).x).toBeUndefined()
  })
})

type Value = string | number | boolean | null | Value[] | { [key: string]: Value }

/** A value as its pieces: texts in up to three, everything else whole. */
function pieces(value: Value, path: string, cut: number): Json[] {
  if (typeof value === 'string') {
    const at = [0, cut % (value.length + 1), value.length]
    return [0, 1].map((i) => ({ jsonPath: path, stringValue: value.slice(at[i], at[i + 1]), willContinue: i === 0 }))
  }
  if (typeof value === 'number') return [{ jsonPath: path, numberValue: value }]
  if (typeof value === 'boolean') return [{ jsonPath: path, boolValue: value }]
  if (value === null) return [{ jsonPath: path, nullValue: 'NULL_VALUE' }]
  if (Array.isArray(value)) return value.flatMap((one, i) => pieces(one, `${path}[${i}]`, cut + i))
  return Object.entries(value).flatMap(([key, one]) =>
    pieces(one, `${path}['${key.replace(/[\\']/g, '\\$&')}']`, cut + 1),
  )
}

test('any arguments come together, however they are cut', () => {
  const leaf = fc.oneof(
    fc.string(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0 || 0),
    fc.boolean(),
    fc.constant(null),
  )
  const { value } = fc.letrec<{ value: Value }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      leaf,
      fc.array(tie('value') as fc.Arbitrary<Value>, { minLength: 1, maxLength: 3 }),
      fc.dictionary(fc.string({ minLength: 1 }), tie('value') as fc.Arbitrary<Value>, { minKeys: 1, maxKeys: 3 }),
    ) as fc.Arbitrary<Value>,
  }))
  const args = fc.dictionary(fc.string({ minLength: 1 }), value, { maxKeys: 4, noNullPrototype: true })
  fc.assert(
    fc.property(args, fc.nat(9), (wanted, cut) => {
      const said = pieces(wanted, '$', cut)
      const stream =
        call({ name: 'f', willContinue: true }) +
        said.map((one) => call({ partialArgs: [one], willContinue: true })).join('') +
        call({}) +
        chunk([], 'STOP')
      const text = eventsIn(gemini, stream).find((event) => event.type === 'args')?.text
      expect(JSON.parse(text as string)).toEqual(JSON.parse(JSON.stringify(wanted)))
    }),
    { numRuns: 300 },
  )
})
