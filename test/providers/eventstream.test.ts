/** AWS's event stream: published bytes, every cut, and what is broken. */
import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { UpstreamFailure } from '../../src/core/failure.ts'
import { EventStreamFramer } from '../../src/dialects/eventstream.ts'
import { crc32, event, exception, message } from './frames.ts'

const frames = (bytes: Uint8Array, cuts: readonly number[] = []) => {
  const framer = new EventStreamFramer()
  const ends = [...cuts, bytes.length]
  let at = 0
  const found = ends.flatMap((end) => {
    const part = bytes.slice(at, end)
    at = end
    return framer.push(part)
  })
  return [...found, ...framer.end()]
}

/** `{"foo": "bar"}` without headers and with one, as public encoders of the format write them down byte for byte. */
const BARE = [
  0, 0, 0, 30, 0, 0, 0, 0, 186, 242, 246, 138, 123, 34, 102, 111, 111, 34, 58, 32, 34, 98, 97, 114, 34, 125, 174, 114,
  88, 228,
]
const HEADED = [
  0, 0, 0, 62, 0, 0, 0, 32, 64, 93, 249, 70, 12, 99, 111, 110, 116, 101, 110, 116, 45, 116, 121, 112, 101, 7, 0, 16, 97,
  112, 112, 108, 105, 99, 97, 116, 105, 111, 110, 47, 106, 115, 111, 110, 123, 34, 102, 111, 111, 34, 58, 32, 34, 98,
  97, 114, 34, 125, 111, 162, 191, 59,
]

test('the published messages are read, and are what our own writer makes', () => {
  for (const bytes of [BARE, HEADED]) {
    const [only, ...more] = frames(Uint8Array.from(bytes))
    expect(more).toEqual([])
    expect(only?.frame).toEqual({ event: undefined, data: '{"foo": "bar"}' })
    expect([...(only?.raw ?? [])]).toEqual(bytes)
  }
  expect([...message([], '{"foo": "bar"}')]).toEqual(BARE)
  expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926)
})

const STREAM = Buffer.concat([
  event('messageStart', { role: 'assistant' }),
  event('contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'Grüße, 世界 👋' } }),
  event('empty', {}),
  exception('throttlingException', 'Too many requests'),
])
const SAID = [
  { event: 'messageStart', data: '{"role":"assistant"}' },
  { event: 'contentBlockDelta', data: '{"contentBlockIndex":0,"delta":{"text":"Grüße, 世界 👋"}}' },
  { event: 'empty', data: '{}' },
  { event: 'throttlingException', data: '{"message":"Too many requests"}' },
]

test('every single cut gives the same messages, and their bytes', () => {
  for (let cut = 0; cut <= STREAM.length; cut++) {
    const found = frames(STREAM, [cut])
    expect(found.map(({ frame }) => frame)).toEqual(SAID)
    expect(Buffer.concat(found.map(({ raw }) => raw)).equals(STREAM)).toBe(true)
  }
})

test('so do single bytes, and any cuts', () => {
  expect(frames(STREAM, [...STREAM.keys()]).map(({ frame }) => frame)).toEqual(SAID)
  const cuts = fc.uniqueArray(fc.integer({ min: 0, max: STREAM.length }), { maxLength: 12 })
  fc.assert(
    fc.property(cuts, (some) => {
      expect(
        frames(
          STREAM,
          some.sort((a, b) => a - b),
        ).map(({ frame }) => frame),
      ).toEqual(SAID)
    }),
    { numRuns: 200 },
  )
})

test('any byte that is changed is noticed, before anything of it is told', () => {
  const one = event('contentBlockDelta', { delta: { text: 'Hello' } })
  for (let at = 0; at < one.length; at++) {
    const broken = Uint8Array.from(one)
    broken[at] = (broken[at] as number) ^ 0x20
    let failure: unknown
    try {
      // A length that has grown asks for more: nothing is told until it comes.
      expect(frames(broken)).toEqual([])
    } catch (cause) {
      failure = cause
    }
    expect(failure).toBeInstanceOf(UpstreamFailure)
  }
})

test('half a message at the end is none, and a page of HTML is no event stream', () => {
  expect(frames(STREAM.subarray(0, STREAM.length - 1)).map(({ frame }) => frame)).toEqual(SAID.slice(0, 3))
  expect(() => frames(new TextEncoder().encode('<html><body>Bad gateway</body></html>'))).toThrow('no event stream')
})

test('a message that claims to be huge is refused by its first bytes', () => {
  const framer = new EventStreamFramer(1_000)
  expect(() => framer.push(event('x', { text: 'a'.repeat(2_000) }).slice(0, 12))).toThrow('more than 1000 bytes')
})

test('headers of every other type are stepped over', () => {
  const bytes = (name: string, type: number, value: number[]) =>
    Uint8Array.from([name.length, ...new TextEncoder().encode(name), type, ...value])
  const headers = [
    bytes('true', 0, []),
    bytes('false', 1, []),
    bytes('byte', 2, [1]),
    bytes('short', 3, [0, 1]),
    bytes('int', 4, [0, 0, 0, 1]),
    bytes('long', 5, [0, 0, 0, 0, 0, 0, 0, 1]),
    bytes('bytes', 6, [0, 2, 9, 9]),
    bytes('time', 8, [0, 0, 0, 0, 0, 0, 0, 1]),
    bytes(
      'uuid',
      9,
      Array.from({ length: 16 }, () => 7),
    ),
    bytes(':event-type', 7, [0, 2, 0x68, 0x69]),
  ]
  expect(frames(message(headers, '{}'))[0]?.frame).toEqual({ event: 'hi', data: '{}' })
  expect(() => frames(message([bytes('odd', 12, [])], '{}'))).toThrow('header')
})
