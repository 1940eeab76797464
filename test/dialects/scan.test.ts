import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { Refusal } from '../../src/core/refusal.ts'
import { MAX_DEPTH, scan } from '../../src/dialects/scan.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const decode = (part: Uint8Array) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(part)

function accepts(text: string): boolean {
  try {
    scan(bytes(text))
    return true
  } catch (cause) {
    if (cause instanceof Refusal && cause.code === 'invalid_json') return false
    throw cause
  }
}

function refusalOf(text: string): string {
  try {
    scan(bytes(text))
    return ''
  } catch (cause) {
    return (cause as Error).message
  }
}

/** What the scan must agree with: JSON.parse, for objects. */
function parses(text: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** The same text with harmless strings: what stands inside them is not the scan's to judge, but where they end is. */
function withoutStrings(text: string): string {
  let out = ''
  let inString = false
  for (let i = 0; i < text.length; i++) {
    const char = text[i] as string
    if (inString && char === '\\' && i + 1 < text.length) {
      out += '..'
      i++
    } else if (char === '"') {
      inString = !inString
      out += char
    } else out += inString && char !== '\0' ? '.' : char
  }
  return out
}

/** What the scan agrees with where a string holds what JSON forbids: the structure without its strings. */
const hasBadString = (text: string) => parses(text) === undefined && parses(withoutStrings(text)) !== undefined

function expectSameAsParse(text: string): void {
  const value = parses(text)
  if (value === undefined && hasBadString(text)) {
    // A NUL is refused wherever it stands, and so is the name of a field that cannot be read.
    if (!accepts(text)) expect(refusalOf(text)).toMatch(/a NUL|name of a field/)
    return
  }
  expect({ text, accepted: accepts(text) }).toEqual({ text, accepted: value !== undefined })
  if (value === undefined) return
  const body = bytes(text)
  const { keys } = scan(body)
  const found = new Map([...keys].map(([key, { start, end }]) => [key, JSON.parse(decode(body.subarray(start, end)))]))
  expect(found).toEqual(new Map(Object.entries(value)))
}

/** JSON texts with odd white space, escapes and numbers, not only what JSON.stringify writes. */
const space = fc.constantFrom('', '', '', ' ', '\n  ', '\t', '\r\n')
const stringText = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 6 }).map((text) => JSON.stringify(text).slice(1, -1)),
      fc.constantFrom(
        '\\u00e9',
        '\\\\',
        '\\"',
        '\\/',
        '\\n',
        'é',
        '😀',
        '\\ud83d\\ude00',
        '\\u0000',
        '{',
        '}',
        ']',
        ',',
        ':',
      ),
    ),
    { maxLength: 6 },
  )
  .map((parts) => `"${parts.join('')}"`)
const numberText = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => JSON.stringify(n)),
  fc.constantFrom('0', '-0', '1e5', '1E+5', '2.50', '-1.0e-7', '123456789012345678901234567890'),
)
const { value: valueText } = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom('true', 'false', 'null'),
    numberText,
    stringText,
    fc
      .array(fc.tuple(space, tie('value'), space), { maxLength: 4 })
      .map((items) => `[${items.map((item) => item.join('')).join(',')}]`),
    fc
      .array(fc.tuple(space, stringText, space, fc.constant(':'), space, tie('value'), space), { maxLength: 4 })
      .map((items) => `{${items.map((item) => item.join('')).join(',')}}`),
  ),
}))
const objectText = fc
  .tuple(space, fc.array(fc.tuple(space, stringText, space, space, valueText, space), { maxLength: 5 }), space)
  .map(([before, members, after]) => {
    const inner = members.map(([a, key, b, c, value, d]) => `${a}${key}${b}:${c}${value}${d}`).join(',')
    return `${before}{${inner}}${after}`
  })

describe('scan agrees with JSON.parse', () => {
  test('on valid objects, value by value', () => {
    fc.assert(fc.property(objectText, expectSameAsParse), { numRuns: 2000 })
  })

  test('on objects that were damaged', () => {
    const damage = fc.record({
      at: fc.nat(),
      remove: fc.nat({ max: 3 }),
      put: fc.constantFrom(
        '',
        '',
        '"',
        '\\',
        '{',
        '}',
        '[',
        ']',
        ',',
        ':',
        '0',
        '-',
        '.',
        'e',
        ' ',
        '\n',
        't',
        'nul',
        '\u0001',
        '\u0000',
        '\u007f',
        'é',
      ),
    })
    fc.assert(
      fc.property(objectText, fc.array(damage, { minLength: 1, maxLength: 3 }), (text, wounds) => {
        let hurt = text
        for (const { at, remove, put } of wounds) {
          const place = at % (hurt.length + 1)
          hurt = hurt.slice(0, place) + put + hurt.slice(place + remove)
        }
        // Half a surrogate pair cannot be written as UTF-8: the bytes would hold something else.
        if (hurt.isWellFormed()) expectSameAsParse(hurt)
      }),
      { numRuns: 4000 },
    )
  })

  test('on the classic mistakes', () => {
    const texts = [
      '', ' ', '{', '}', '{}', ' {} ', '{}x', '{}{}', '[]', '1', '"a"', 'null', '{"a"}', '{"a":}', '{"a":1,}', '{,}',
      '{"a":01}', '{"a":-}', '{"a":1.}', '{"a":.5}', '{"a":1e}', '{"a":+1}', '{"a":NaN}', '{"a":tru}', '{"a":truex}',
      '{"a":"\\x"}', '{"a":"\\u12g4"}', '{"a":"\\u12"}', '{"a":"\\', '{"a":"b', '{"a":"\t"}', '{"a":"\n"}',
      '{"a":[1,]}', '{"a":[,1]}', '{"a":[1 2]}', '{"a":{"b":1,}}', '{"a":{"b"}}', '{"a":[}', '{"a":{]}', '{a:1}',
      "{'a':1}", '{"a":1;}', '\ufeff{}', '{"a":1}\u0000', '{"a"\u0000:1}', '{"__proto__":1}', '{"a":"\\\\"}', '{"":0}',
      '{"\\u0061":1,"a":2}', '{"é":1}', '{"a":[[],{},[{}]],"b":{}}', '{ "a" : [ ] , "b" : { } }', '{"a":"\u2028"}',
    ] // biome-ignore format: a list
    for (const text of texts) expectSameAsParse(text)
  })
})

test('what only a string is wrong with is left to its reader, and its end is found all the same', () => {
  const texts = ['{"a":"\\x","b":1}', '{"a":"\\u12","b":1}', '{"a":"\t","b":1}', '{"a":"\\\\\\"]}","b":1}']
  for (const text of texts) {
    const { keys } = scan(bytes(text))
    expect(keys.get('b')).toMatchObject({ kind: 'number' })
  }
  expect(accepts('{"a":"\0"}')).toBe(false)
  expect(accepts('{"\\x":1}')).toBe(false)
  expect(accepts('{"a":"\\\\"b"}')).toBe(false)
})

describe('scan', () => {
  test('tells kinds and offsets in bytes', () => {
    const body = bytes('{"é":"ü","n":-1.5e3,"t":true,"f":false,"z":null,"o":{"a":[1]},"l":["]"]}')
    const seen = [...scan(body).keys].map(([key, span]) => [
      key,
      span.kind,
      decode(body.subarray(span.start, span.end)),
    ])
    expect(seen).toEqual([
      ['é', 'string', '"ü"'],
      ['n', 'number', '-1.5e3'],
      ['t', 'true', 'true'],
      ['f', 'false', 'false'],
      ['z', 'null', 'null'],
      ['o', 'object', '{"a":[1]}'],
      ['l', 'array', '["]"]'],
    ])
  })

  test('lists duplicates once, also when they are spelt with escapes', () => {
    expect(scan(bytes('{"a":1,"b":2,"\\u0061":3,"a":4}')).duplicates).toEqual(['a'])
  })

  test('refuses nesting beyond its limit, and takes what is just within', () => {
    const nested = (levels: number) => `{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`
    expect(accepts(nested(MAX_DEPTH))).toBe(true)
    expect(accepts(nested(MAX_DEPTH + 1))).toBe(false)
    expect(accepts(`{"a":${'['.repeat(100_000)}`)).toBe(false)
    expect(accepts(`{"a":${'{"b":'.repeat(100_000)}`)).toBe(false)
  })

  test('says where', () => {
    expect(() => scan(bytes('{"model": "x", }'))).toThrow('at byte 15')
    expect(() => scan(bytes('{"model": "x"'))).toThrow('it ends too early at byte 13')
    expect(() => scan(bytes(''))).toThrow('empty')
  })

  test('is linear on what would make a naive search quadratic', () => {
    const hostile = [
      `{"a":"${'\\"'.repeat(500_000)}"}`,
      `{"a":[${'"b",'.repeat(300_000)}"\\n"]}`,
      `{"a":[${'"b",\n'.repeat(200_000)}"c"]}`,
      `{"a":[${'"b",\t\n'.repeat(200_000)}"c"]}`,
    ]
    for (const text of hostile) {
      const before = Bun.nanoseconds()
      expect(accepts(text)).toBe(true)
      expect(Bun.nanoseconds() - before).toBeLessThan(1e9)
    }
  })
})
