import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { UpstreamFailure } from '../../src/core/failure.ts'
import type { FramedEvent } from '../../src/dialects/carry.ts'
import type { Frame } from '../../src/dialects/dialect.ts'
import { NdjsonFramer } from '../../src/dialects/ndjson.ts'
import { SseFramer } from '../../src/dialects/sse.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const concat = (parts: Uint8Array[]) => Buffer.concat(parts).toString('latin1')

interface Framer {
  push(chunk: Uint8Array): FramedEvent[]
  end(): FramedEvent[]
}

function run(framer: Framer, whole: Uint8Array, cuts: number[]): { frames: Frame[]; raw: string } {
  const events: FramedEvent[] = []
  const places = [...new Set(cuts.map((cut) => cut % (whole.length + 1)))].sort((a, b) => a - b)
  let from = 0
  for (const place of [...places, whole.length]) {
    events.push(...framer.push(whole.slice(from, place)))
    from = place
  }
  events.push(...framer.end())
  return {
    frames: events.flatMap(({ frame }) => (frame ? [frame] : [])),
    raw: concat(events.map(({ raw }) => raw)),
  }
}

/** The standard's algorithm on the whole text, written the slow and obvious way. */
function specified(text: string): Frame[] {
  const frames: Frame[] = []
  let data: string[] = []
  let event = ''
  for (const line of [...text.replace(/^\ufeff/, '').split(/\r\n|\r|\n/), '']) {
    if (line === '') {
      if (data.length > 0) frames.push(event === '' ? { data: data.join('\n') } : { event, data: data.join('\n') })
      data = []
      event = ''
      continue
    }
    const [, name, value] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) as unknown as [string, string, string | undefined]
    if (name === 'data') data.push(value ?? '')
    if (name === 'event') event = value ?? ''
  }
  return frames
}

const eol = fc.constantFrom('\n', '\n', '\r\n', '\r')
const sseLine = fc.oneof(
  fc.constantFrom(
    'data: {"a":1}',
    'data:{"b":"ü€😀"}',
    'data',
    'data:',
    'data:  two',
    'data: a: b',
    'event: ping',
    'event:x',
  ),
  fc.constantFrom(': comment', ':', 'id: 5', 'retry: 10', 'nonsense', 'datum: x', ''),
  fc.string({ maxLength: 8 }).map((text) => `data: ${text.replace(/[\r\n]/g, '')}`),
)
const sseText = fc
  .tuple(fc.constantFrom('', '', '\ufeff'), fc.array(fc.tuple(sseLine, eol), { maxLength: 20 }), fc.boolean())
  .map(([bom, lines, whole]) => bom + lines.map(([line, end]) => line + end).join('') + (whole ? '\n\n' : ''))
const cuts = fc.array(fc.nat(), { maxLength: 12 })

describe('server-sent events', () => {
  test('read as the standard says, however they are cut, and no byte is lost', () => {
    fc.assert(
      fc.property(sseText, cuts, (text, places) => {
        const whole = bytes(text)
        const { frames, raw } = run(new SseFramer(), whole, places)
        expect(frames).toEqual(specified(text))
        const original = concat([whole])
        expect(raw.startsWith(original)).toBe(true)
        expect(raw.slice(original.length)).toMatch(/^\n{0,2}$/)
      }),
      { numRuns: 3000 },
    )
  })

  test('survive a cut at every byte', () => {
    const text = '\ufeff: hi\r\n\r\nevent: a\r\ndata: {"é":\r\ndata: "€😀"}\r\n\r\nid: 3\rdata:x\r\rdata: [DONE]'
    const whole = bytes(text)
    const every = Array.from({ length: whole.length }, (_, i) => i)
    const wanted = [{ event: 'a', data: '{"é":\n"€😀"}' }, { data: 'x' }, { data: '[DONE]' }]
    expect(run(new SseFramer(), whole, every).frames).toEqual(wanted)
    for (const at of every) expect(run(new SseFramer(), whole, [at]).frames).toEqual(wanted)
  })

  test('hand out the chunk itself where nothing is cut', () => {
    const chunk = bytes('data: {"a":1}\n\n: keep\n\ndata: {"b":2}\n\n')
    const events = new SseFramer().push(chunk)
    expect(events.map(({ frame }) => frame?.data)).toEqual(['{"a":1}', undefined, '{"b":2}'])
    expect(events.map(({ raw }) => raw.buffer === chunk.buffer)).toEqual([true, true, true])
    expect(events.map(({ raw }) => new TextDecoder().decode(raw))).toEqual([
      'data: {"a":1}\n\n',
      ': keep\n\n',
      'data: {"b":2}\n\n',
    ])
  })

  test('end an event at a bare CR without waiting for what follows', () => {
    const framer = new SseFramer()
    expect(framer.push(bytes('data: 1\r\r')).map(({ frame }) => frame?.data)).toEqual(['1'])
    expect(framer.push(bytes('\ndata: 2\r\r')).map(({ frame }) => frame?.data)).toEqual(['2'])
  })

  test('take lines of a megabyte', () => {
    const long = 'x'.repeat(1_000_000)
    const whole = bytes(`data: "${long}"\n\ndata: 2\n\n`)
    const places = Array.from({ length: 60 }, (_, i) => i * 17_000)
    expect(run(new SseFramer(), whole, places).frames).toEqual([{ data: `"${long}"` }, { data: '2' }])
  })
})

const jsonLine = fc.oneof(fc.constantFrom('{"a":1}', '{"b":"ü€😀"}', '', ' ', '{"c":"\\n"}'), fc.json({ maxDepth: 1 }))

describe('newline-delimited JSON', () => {
  test('reads the same lines however they are cut, and no byte is lost', () => {
    const text = fc
      .tuple(fc.array(fc.tuple(jsonLine, fc.constantFrom('\n', '\r\n')), { maxLength: 12 }), jsonLine)
      .map(([lines, last]) => lines.map((line) => line.join('')).join('') + last)
    fc.assert(
      fc.property(text, cuts, (all, places) => {
        const whole = bytes(all)
        const { frames, raw } = run(new NdjsonFramer(), whole, places)
        const lines = all.split(/\r?\n/).filter((line) => line.trim() !== '')
        expect(frames.map(({ data }) => data)).toEqual(lines)
        const original = concat([whole])
        expect([original, `${original}\n`]).toContain(raw)
      }),
      { numRuns: 2000 },
    )
  })
})

describe.each([
  ['server-sent events', (max: number) => new SseFramer(max), 'data: '],
  ['newline-delimited JSON', (max: number) => new NdjsonFramer(max), '{"a":'],
])('a limit on one event of %s', (_, make, head) => {
  test('holds for what never ends', () => {
    const framer = make(10_000)
    const drip = bytes('x'.repeat(100))
    framer.push(bytes(head))
    let sent = 0
    const endless = () => {
      for (; sent < 1000; sent++) framer.push(drip)
    }
    expect(endless).toThrow(UpstreamFailure)
    expect(sent).toBeLessThan(101)
  })

  test('holds for an event that comes in one piece, and lets smaller ones pass', () => {
    expect(() => make(100).push(bytes(`${head}${'x'.repeat(200)}\n\n`))).toThrow('more than 100 bytes')
    expect(
      make(100)
        .push(bytes(`${head}${'x'.repeat(50)}\n\n`.repeat(50)))
        .filter(({ frame }) => frame),
    ).toHaveLength(50)
  })

  test('costs linear time for a drip of single bytes', () => {
    const framer = make(10_000_000)
    framer.push(bytes(head))
    const byte = bytes('x')
    const before = Bun.nanoseconds()
    for (let i = 0; i < 300_000; i++) framer.push(byte)
    expect(Bun.nanoseconds() - before).toBeLessThan(3e9)
    expect(framer.push(bytes('\n\n'))[0]?.frame?.data).toHaveLength(head.startsWith('data') ? 300_000 : 300_005)
  })
})
