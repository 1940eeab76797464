/** Bodies that no client should send, and what is said of each. */
import type { Door } from './world.ts'

/** Stands in each prompt: it must not be found in the log. */
export const MARK = 'heliotrope-and-cinnabar'
const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value))
const deep = (open: string, close: string): Uint8Array => Buffer.from(open.repeat(100_000) + close.repeat(100_000))

export type Bad = [name: string, body: (door: Door) => Uint8Array, status: number, says: RegExp]

export const BODIES: readonly Bad[] = [
  ['an empty body', () => Buffer.alloc(0), 400, /empty|JSON/i],
  ['only blanks', () => Buffer.from(' \r\n\t '), 400, /empty|JSON/i],
  ['no JSON', () => Buffer.from(`${MARK} is not JSON`), 400, /JSON/],
  ['JSON that is cut off', ({ good }) => json({ ...good, mark: MARK }).subarray(0, -3), 400, /JSON/],
  ['something behind the JSON', ({ good }) => Buffer.concat([json(good), Buffer.from(' {}')]), 400, /JSON/],
  ['single quotes', () => Buffer.from("{'model': 'm'}"), 400, /JSON/],
  ['a trailing comma', () => Buffer.from('{"model": "m",}'), 400, /JSON/],
  ['NaN', ({ good }) => Buffer.from(JSON.stringify({ ...good, x: 0 }).replace(/0\}$/, 'NaN}')), 400, /JSON/],
  ['a list', ({ good }) => json([good]), 400, /object/],
  ['a string', () => json(MARK), 400, /object/],
  ['a number', () => json(7), 400, /object/],
  ['null', () => Buffer.from('null'), 400, /object/],
  ['a NUL in the text', () => Buffer.from(`{"model": "m\0", "messages": []}`), 400, /JSON/],
  ['a NUL between tokens', () => Buffer.from(`{"model":\0"m"}`), 400, /JSON/],
  [
    'invalid UTF-8',
    () => Buffer.concat([Buffer.from('{"model":"m","x":"'), Buffer.from([0xc3, 0x28, 0xff]), Buffer.from('"}')]),
    400,
    /UTF-8/,
  ],
  [
    'half of a character',
    () => Buffer.concat([Buffer.from('{"model":"m","x":"'), Buffer.from([0xe2, 0x82]), Buffer.from('"}')]),
    400,
    /UTF-8/,
  ],
  ['UTF-16', () => Buffer.from('{"model":"m"}', 'utf16le'), 400, /JSON|UTF/],
  ['100,000 lists deep', () => deep('[', ']'), 400, /./],
  [
    '100,000 objects deep',
    ({ good }) =>
      Buffer.from(`${JSON.stringify(good).slice(0, -1)},"x":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`),
    400,
    /nest|deep/i,
  ],
  ['no model', ({ good }) => json({ ...good, model: undefined }), 400, /model/],
  ['an empty model', ({ good }) => json({ ...good, model: '' }), 400, /model/],
  ['model: null', ({ good }) => json({ ...good, model: null }), 400, /model/],
  ['a model that is a number', ({ good }) => json({ ...good, model: 7 }), 400, /model.*string/],
  ['a model that is a list', ({ good }) => json({ ...good, model: ['m'] }), 400, /model.*string/],
  ['two models', ({ good }) => Buffer.from(JSON.stringify(good).replace('{', '{"model":"local",')), 400, /model/],
  [
    'two models, one of them escaped',
    ({ good }) => Buffer.from(JSON.stringify(good).replace('{', '{"mod\\u0065l":"local",')),
    400,
    /model/,
  ],
  [
    'an unknown model',
    ({ good }) => json({ ...good, model: 'gpt-99' }),
    404,
    /gpt-99.*not (found|exist).*m, local, team\/large/,
  ],
  ['a model of another case', ({ good }) => json({ ...good, model: 'M' }), 404, /not (found|exist)/],
  ['a model that is a path', ({ good }) => json({ ...good, model: '../../etc/passwd' }), 404, /not (found|exist)/],
  [
    'a model that is a word of JavaScript',
    ({ good }) => json({ ...good, model: '__proto__' }),
    404,
    /not (found|exist)/,
  ],
  [
    'a model with a name of 100 kB',
    ({ good }) => json({ ...good, model: 'x'.repeat(100_000) }),
    404,
    /not (found|exist)/,
  ],
]
