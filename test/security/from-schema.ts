/** Values for a JSON Schema: mostly such as it asks for, some that are near, some that nobody would send by accident. */
import fc from 'fast-check'

export type Schema = Record<string, unknown>

/** Keys that reach an object's prototype, where somebody copies them carelessly. */
const PROTO = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf']

/** What breaks parsers, databases, paths, numbers and terminals. */
const NASTY = [
  ...['', ' ', '*', '.', '..', '../../etc/passwd', '%00', '\u0000', '\ud800', '\u202e', '\ufeff', 'é'.repeat(300)],
  ...["' OR 1=1 --", "'; DROP TABLE keys; --", '" OR ""="', '{{7*7}}', '<script>alert(1)</script>'],
  ...['\r\nx-injected: 1', '\u001b[31m', 'NaN', '1e400', '-1', '0', 'null', 'true', 'undefined', '[object Object]'],
  ...['http://169.254.169.254/latest/meta-data/', 'file:///etc/passwd', 'javascript:alert(1)', 'a'.repeat(5_000)],
  ...PROTO,
]
/** Names that are there, or have a meaning. */
const KNOWN = [
  ...['m', 'local', 'claude', 'gem', 'openai/m', 'victim-team', 'victim-org', 'victim-user', 'victim-project', 'shop'],
  ...['1h', '-1', '1mo', '30d', '2026-11-21', '2026-11-21T10:00:00Z', '2026-11', 'Europe/Berlin', '-60', 'json', 'csv'],
  ...[
    'gpt-4o',
    'all-proxy-models',
    'strict',
    'admin',
    'user',
    'proxy_admin',
    'internal_user',
    'req_1',
    '10r/m burst 5',
  ],
  ...['openai', 'ollama', 'text', 'batch', '/v1/chat/completions', 'victim-tag', 'victim-budget', 'sk-0123456789abc'],
]

/** A number that JSON has and no double: put in where its mark stands (`withHuge`). */
export const HUGE = '\u00abhuge\u00bb'
export const withHuge = (json: string): string => json.replaceAll(`"${HUGE}"`, '1e400')

export const text = fc.oneof(
  { arbitrary: fc.constantFrom(...KNOWN), weight: 6 },
  { arbitrary: fc.constantFrom(...NASTY), weight: 3 },
  { arbitrary: fc.string({ unit: 'binary', maxLength: 40 }), weight: 2 },
)

const number = fc.oneof(
  fc.constantFrom(0, -0, 1, -1, 0.5, 2 ** 31, 2 ** 53, 2 ** 53 + 2, -(2 ** 63), 1e21, 1e308, 5e-324, 9_000_000.000001),
  fc.integer({ min: 0, max: 100 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
)

/** JSON of any shape. */
export const anything: fc.Arbitrary<unknown> = fc.oneof(
  {
    arbitrary: fc.constantFrom(null, true, false, HUGE, [], {}, { toString: 0, valueOf: 0 }, [[{ toString: 0 }]]),
    weight: 3,
  },
  { arbitrary: text, weight: 3 },
  { arbitrary: number, weight: 2 },
  { arbitrary: fc.array(fc.oneof(text, number, fc.constant(null)), { maxLength: 4 }), weight: 1 },
  {
    arbitrary: fc.dictionary(fc.oneof(text, fc.constantFrom(...PROTO)), fc.oneof(text, number), { maxKeys: 4 }),
    weight: 1,
  },
  { arbitrary: fc.integer({ min: 1, max: 3_000 }).map(deep), weight: 1 },
)

function deep(levels: number): unknown {
  let value: unknown = 'x'
  for (let i = 0; i < levels; i++) value = i % 2 === 0 ? [value] : { a: value }
  return value
}

/** `JSON.stringify` goes as deep as the stack; this does not. */
export const part = <T>(arbitrary: fc.Arbitrary<T>, wrong = 6): fc.Arbitrary<unknown> =>
  fc.oneof(
    { arbitrary: arbitrary as fc.Arbitrary<unknown>, weight: 100 - wrong },
    { arbitrary: anything, weight: wrong },
  )

/** What fits a schema, and in six places of a hundred what does not. @param byName values of a field of this name */
export function valueFor(
  schema: Schema,
  byName: Readonly<Record<string, fc.Arbitrary<unknown>>> = {},
): fc.Arbitrary<unknown> {
  const kinds = (schema.anyOf ?? schema.oneOf) as Schema[] | undefined
  if (kinds) return fc.oneof(...kinds.map((one) => valueFor(one, byName)))
  if (Array.isArray(schema.enum)) return part(fc.constantFrom(...(schema.enum as unknown[])))
  if ('const' in schema) return part(fc.constant(schema.const))
  switch (schema.type) {
    case 'string':
      return part(text)
    case 'boolean':
      return part(fc.boolean())
    case 'null':
      return fc.constant(null)
    case 'integer':
    case 'number':
      return part(fc.oneof({ arbitrary: fc.integer({ min: 0, max: 50 }), weight: 3 }, { arbitrary: number, weight: 1 }))
    case 'array':
      return part(fc.array(valueFor((schema.items ?? {}) as Schema, byName), { maxLength: 4 }))
    case 'object':
      return part(objectOf(schema, byName))
    default:
      return anything
  }
}

function objectOf(schema: Schema, byName: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<unknown> {
  const properties = (schema.properties ?? {}) as Record<string, Schema>
  const required = new Set((schema.required ?? []) as string[])
  const names = Object.keys(properties)
  const fields = Object.fromEntries(
    names.map((name) => [name, byName[name] ?? valueFor(properties[name] as Schema, byName)]),
  )
  const other = schema.additionalProperties
  const more = fc.dictionary(text, typeof other === 'object' ? valueFor(other as Schema, byName) : anything, {
    maxKeys: typeof other === 'object' ? 3 : 1,
  })
  const extra =
    typeof other === 'object'
      ? more
      : fc.oneof({ arbitrary: fc.constant({}), weight: 9 }, { arbitrary: more, weight: 1 })
  const needed = names.filter((name) => required.has(name))
  // A few of many: with all of them at once one is always wrong, and nothing would get any farther.
  const optional = names.filter((name) => !required.has(name))
  return fc
    .tuple(fc.subarray(optional, { maxLength: Math.min(4, optional.length) }), extra)
    .chain(([chosen, extra]) =>
      fc
        .record(Object.fromEntries([...needed, ...chosen].map((name) => [name, fields[name] as fc.Arbitrary<unknown>])))
        .map((record) => ({ ...record, ...extra })),
    )
}
