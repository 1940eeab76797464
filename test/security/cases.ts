/** Requests for every route of the OpenAPI description: nearly right ones, wrong ones, and bytes. */
import fc from 'fast-check'
import { anything, type Schema, text, valueFor, withHuge } from './from-schema.ts'
import { requestBytes } from './wire.ts'

export interface Operation {
  method: string
  /** `/v1/files/{id}`. */
  path: string
  parameters: { name: string; in: string; schema: Schema }[]
  requestBody?: { content: Record<string, { schema?: Schema }> }
}

export interface Document {
  paths: Record<string, Record<string, Omit<Operation, 'method' | 'path'>>>
}

export const operationsOf = (document: Document): Operation[] =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ ...operation, method: method.toUpperCase(), path })),
  )

/** A request, readable where a test fails. */
export interface Case {
  /** Which of the callers sends it. */
  caller: number
  method: string
  target: string
  headers: (readonly [string, string])[]
  /** latin1, so that every byte shows. */
  body: string | undefined
}

const messages = fc.array(
  fc.record({
    role: fc.constantFrom('user', 'assistant', 'system', 'tool'),
    content: fc.oneof(text, fc.array(fc.record({ type: fc.constant('text'), text }), { maxLength: 3 }), anything),
  }),
  { minLength: 1, maxLength: 3 },
)
const documents = fc.array(text, { maxLength: 4 })
const tools = fc.array(
  fc.record({
    type: fc.constant('function'),
    function: fc.record({ name: text, parameters: fc.constant({ type: 'object' }) }),
  }),
  { maxLength: 2 },
)

/** Fields of the models' dialects, whose shape the description leaves to their makers. */
const FIELDS: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  model: fc.oneof(
    { arbitrary: fc.constantFrom('m', 'local', 'claude', 'gem'), weight: 9 },
    { arbitrary: anything, weight: 1 },
  ),
  messages: fc.oneof({ arbitrary: messages, weight: 9 }, { arbitrary: anything, weight: 1 }),
  input: fc.oneof(text, messages, documents, anything),
  prompt: fc.oneof(text, anything),
  query: text,
  documents: fc.oneof(documents, anything),
  contents: fc.array(fc.record({ role: fc.constant('user'), parts: fc.array(fc.record({ text }), { maxLength: 2 }) }), {
    maxLength: 3,
  }),
  tools: fc.oneof(tools, anything),
  max_tokens: fc.oneof(fc.integer({ min: 1, max: 50 }), anything),
}

const HEADERS: readonly (readonly [string, string])[] = [
  ['X-Forwarded-For', '127.0.0.1, 10.0.0.1'],
  ['X-Forwarded-For', "' OR 1=1 --"],
  ['X-Forwarded-Proto', 'https'],
  ['X-Real-IP', '::1'],
  ['Forwarded', 'for=127.0.0.1'],
  ['X-Client-Cert', 'x'],
  ['X-Remote-User', 'admin'],
  ['Remote-User', 'admin'],
  ['X-HTTP-Method-Override', 'DELETE'],
  ['X-Original-URL', '/key/list'],
  ['Host', 'x'],
  ['Host', '[::1]:0'],
  ['Origin', 'null'],
  ['Cookie', `a=${'b'.repeat(3_000)}`],
  ['Content-Type', 'application/x-www-form-urlencoded'],
  ['Content-Type', 'multipart/form-data'],
  ['Content-Type', 'multipart/form-data; boundary='],
  ['Content-Type', 'multipart/form-data; boundary=x'],
  ['Content-Type', 'application/json; charset=utf-16'],
  ['Content-Type', '\u00ff\u00fe'],
  ['Content-Encoding', 'gzip'],
  ['Accept', 'text/event-stream'],
  ['Accept-Encoding', 'br, zstd, gzip'],
  ['Expect', '100-continue'],
  ['Range', 'bytes=0-18446744073709551615'],
  ['If-None-Match', '*'],
  ['Idempotency-Key', 'a'.repeat(2_000)],
  ['anthropic-version', 'never'],
  ['anthropic-beta', ','.repeat(500)],
  ['x-litellm-timeout', '-1'],
  ['x-litellm-num-retries', '1e9'],
  ['x-litellm-tags', 'a,,b,\u00e9'],
  ['x-litellm-end-user-id', '\u00e9'.repeat(400)],
  ['litellm-changed-by', '\u0001'],
  ['x-session-id', '__proto__'],
  ['Upgrade', 'h2c'],
  ['Via', '1.1 x'],
]

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND']

const encoded = (value: string): string => {
  try {
    return encodeURIComponent(value)
  } catch {
    // Half of a pair of surrogates has no encoding; a path may hold such bytes all the same.
    return '%ED%A0%80'
  }
}

const segment = fc.oneof(
  { arbitrary: text.map(encoded), weight: 6 },
  {
    arbitrary: fc.constantFrom(
      '%',
      '%zz',
      '%2e%2e%2f',
      '..',
      '.',
      '//',
      '@',
      'm:generateContent',
      'm:countTokens',
      'm:nothing',
      'm/chat/completions',
      '%ff%fe',
      '\u00ff',
      '%00',
      ';',
      'victim_file',
      '?',
      '#',
    ),
    weight: 3,
  },
)

function targetOf({ path, parameters }: Operation): fc.Arbitrary<string> {
  const query = parameters.filter((one) => one.in === 'query')
  const asked = fc
    .subarray(query, { maxLength: Math.min(3, query.length) })
    .chain((chosen) =>
      fc.tuple(
        ...chosen.map(({ name, schema }) =>
          valueFor(schema).map(
            (value) => `${name}=${typeof value === 'object' ? '%5B' : encoded(String(value)).slice(0, 2_000)}`,
          ),
        ),
      ),
    )
  const stray = fc.oneof(
    { arbitrary: fc.constant(''), weight: 9 },
    { arbitrary: fc.constantFrom('&a=%', '&key=%00', '&page=1&page=2', '&__proto__=1', '&&&==', '&\u00ff'), weight: 1 },
  )
  const steps = path.split(/(\{\w+\})/)
  const filled = fc
    .tuple(...steps.map((step) => (step.startsWith('{') ? segment : fc.constant(step))))
    .map((all) => all.join(''))
  return fc.tuple(filled, asked, stray).map(([to, pairs, more]) => {
    const query = pairs.join('&') + more
    return query === '' ? to : `${to}?${query}`
  })
}

/** Some bytes of it gone, changed or twice. */
const damaged = (whole: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(whole, fc.nat(), fc.nat(20), fc.string({ unit: 'binary', maxLength: 4 })).map(([json, at, size, put]) => {
    const place = json.length === 0 ? 0 : at % json.length
    return json.slice(0, place) + put + json.slice(place + size)
  })

const BODIES = [
  '',
  '\u0000',
  '{',
  '[]',
  'null',
  '"x"',
  '1e400',
  '{"__proto__":{"isAdmin":true}}',
  '{"model":"m","model":"local"}',
  '\ufeff{}',
  `${'['.repeat(20_000)}`,
  `{"messages":${'{"a":'.repeat(5_000)}`,
  '{"model":"m","messages":[{"role":"user","content":"x"}],"max_tokens":1e400}',
  '{"constructor":{"prototype":{"x":1}},"key":"x"}',
]

const latin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')

function bodyOf({ requestBody }: Operation): fc.Arbitrary<{ type: string | undefined; body: string | undefined }> {
  const [type = 'application/json', content] = Object.entries(requestBody?.content ?? {})[0] ?? []
  const schema = content?.schema ?? { type: 'object' }
  const json = (type === 'application/json' ? valueFor(schema, FIELDS) : anything).map((value) =>
    withHuge(JSON.stringify(value) ?? ''),
  )
  const parts = fc
    .tuple(text, text, fc.string({ unit: 'binary', maxLength: 60 }))
    .map(
      ([model, name, data]) =>
        `--x\r\ncontent-disposition: form-data; name="model"\r\n\r\n${model}\r\n--x\r\ncontent-disposition: form-data; name="file"; filename="${name}"\r\n\r\n${data}\r\n--x--\r\n`,
    )
  const said = (body: fc.Arbitrary<string>, kind: string | undefined) =>
    body.map((text) => ({ type: kind, body: latin1(text) }))
  const form = said(
    fc.oneof({ arbitrary: parts, weight: 3 }, { arbitrary: damaged(parts), weight: 1 }),
    'multipart/form-data; boundary=x',
  )
  const usual = requestBody ? 14 : 2
  return fc.oneof(
    { arbitrary: type.startsWith('multipart') ? form : said(json, 'application/json'), weight: usual },
    { arbitrary: said(damaged(json), 'application/json'), weight: 3 },
    { arbitrary: said(fc.constantFrom(...BODIES), 'application/json'), weight: 2 },
    {
      arbitrary: fc
        .uint8Array({ maxLength: 200 })
        .map((bytes) => ({ type: 'application/json', body: Buffer.from(bytes).toString('latin1') })),
      weight: 2,
    },
    { arbitrary: form, weight: 1 },
    { arbitrary: fc.constant({ type: undefined, body: undefined }), weight: requestBody ? 1 : 12 },
  )
}

/** @param callers how many there are */
export function caseOf(operation: Operation, callers: number): fc.Arbitrary<Case> {
  return fc
    .record({
      // The last two are nobody: they come no farther than the door.
      caller: fc.nat(callers * 4 - 1).map((n) => (n < callers ? n : n % (callers - 2))),
      method: fc.oneof(
        { arbitrary: fc.constant(operation.method), weight: 19 },
        { arbitrary: fc.constantFrom(...METHODS), weight: 1 },
      ),
      target: targetOf(operation),
      headers: fc.oneof(
        { arbitrary: fc.constant<(readonly [string, string])[]>([]), weight: 3 },
        {
          arbitrary: fc.uniqueArray(fc.constantFrom(...HEADERS), { maxLength: 3, selector: ([name]) => name }),
          weight: 1,
        },
      ),
      sent: bodyOf(operation),
    })
    .map(({ sent, headers, ...rest }) => {
      const type = headers.some(([name]) => name === 'Content-Type') ? undefined : sent.type
      return { ...rest, headers: type ? [...headers, ['Content-Type', type] as const] : headers, body: sent.body }
    })
}

/** @param credentials headers of the caller who sends it */
export function bytesOf(
  { method, target, headers, body }: Case,
  credentials: readonly (readonly [string, string])[],
): Uint8Array {
  // A line ends where it ends: what would be another line is another test's matter (smuggling.test.ts).
  const line = Buffer.from(target, 'utf8')
    .toString('latin1')
    .replace(/[\x00-\x20\x7f]/g, (c) => encodeURIComponent(c))
  return requestBytes(
    method,
    line,
    [...credentials, ...headers],
    body === undefined ? undefined : Buffer.from(body, 'latin1'),
  )
}
