/**
 * What a network and other people's servers do to a stream, in every dialect, relayed and translated: cut anywhere, other
 * line ends, comments, events that are none, an end that is missing, events of a megabyte. What was said arrives whole.
 */
import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { Refusal } from '../../src/core/refusal.ts'
import { NO_USAGE } from '../../src/core/usage.ts'
import type { DialectId, Event } from '../../src/dialects/canonical.ts'
import type { ChatDialect } from '../../src/dialects/dialect.ts'
import { relayCarrier, Source, transcodeCarrier } from '../../src/pipeline/source.ts'
import { ANSWERING, chat, chatDialects, eventsIn, plainChat, saidInEvents, write } from './support.ts'

const choice = 0
const request = plainChat({ includeUsage: true })
const bare = (id: DialectId) => id === 'openai-completions' || id === 'ollama-generate'

/** An answer in its pieces; each dialect is given what it can say. */
function answer(id: DialectId, text: string, args: string): Event[] {
  const half = Math.floor(text.length / 2)
  return [
    { type: 'start', id: 'up_1', model: 'm', created: 1_700_000_000 },
    { type: 'text', choice, text: text.slice(0, half) || 'a' },
    { type: 'text', choice, text: text.slice(half) || 'b' },
    ...(bare(id)
      ? []
      : ([
          { type: 'call', choice, index: 0, id: 'c1', name: 'f' },
          { type: 'args', choice, index: 0, text: args },
        ] as Event[])),
    { type: 'finish', choice, reason: { unified: bare(id) ? 'stop' : 'tool-calls', raw: 'stop' } },
    { type: 'usage', usage: { ...NO_USAGE, input: 9, output: 4 } },
    { type: 'end' },
  ]
}

interface Harm {
  eol: string
  /** Lines that no reader may stumble over, after the event of this number. */
  noise: { at: number; line: string }[]
  cuts: number[]
  endMissing: boolean
}

function harmed(dialect: ChatDialect, wire: string, { eol, noise, cuts, endMissing }: Harm): Uint8Array[] {
  const isSse = dialect.framing === 'sse'
  const blank = isSse ? '\n\n' : '\n'
  const events = wire.split(blank).filter((one) => one !== '')
  if (endMissing && events.at(-1) === 'data: [DONE]') events.pop()
  for (const { at, line } of noise) events.splice(at % events.length, 0, line)
  // A carriage return alone ends a line of events, and none of NDJSON.
  const whole = events
    .map((one) => one + blank)
    .join('')
    .replaceAll('\n', isSse || eol !== '\r' ? eol : '\n')
  const bytes = new TextEncoder().encode(whole)
  const places = [...new Set(cuts.map((cut) => cut % bytes.length))].sort((a, b) => a - b)
  return [...places, bytes.length].map((end, i) => bytes.slice(places[i - 1] ?? 0, end))
}

async function carried(from: ChatDialect, to: ChatDialect, chunks: Uint8Array[]) {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk)
      controller.close()
    },
  })
  const carrier = from === to ? relayCarrier(from, true) : transcodeCarrier(from, to, request, ANSWERING)
  const source = new Source(body, from.framing, carrier, new AbortController())
  let out = ''
  const decoder = new TextDecoder()
  let closed = false
  for (let some = await source.read(); some; some = await source.read()) {
    out += decoder.decode(some, { stream: true })
    closed = source.ended && source.finished
  }
  return { out: source.finished && !closed ? out + source.end() : out, source }
}

const text = fc.string({ unit: 'grapheme', minLength: 2, maxLength: 40 })
const args = fc.dictionary(fc.string({ maxLength: 4 }), fc.string({ maxLength: 8 }), { maxKeys: 3 })
const NOISE = {
  sse: [
    ': keep-alive',
    ':',
    'data: not json',
    'data: {"half":',
    'data: 5',
    'data:',
    'nonsense',
    'id: 7',
    'retry: 10',
    'data: \u0000',
  ],
  ndjson: ['not json', '{"half":', '5', ' ', '"text"'],
}
const harm = (framing: 'sse' | 'ndjson') =>
  fc.record({
    eol: fc.constantFrom('\n', '\r\n', '\r'),
    noise: fc.array(fc.record({ at: fc.integer({ min: 1, max: 9 }), line: fc.constantFrom(...NOISE[framing]) }), {
      maxLength: 3,
    }),
    cuts: fc.array(fc.nat(4000), { maxLength: 12 }),
    endMissing: fc.boolean(),
  })

test('the last event may lack its blank line, and the end its mark: the caller gets both', async () => {
  const gemini = chat('gemini')
  const last = { candidates: [{ content: { parts: [{ text: 'Hi' }] }, finishReason: 'STOP' }] }
  for (const tail of ['', '\n', '\r\n\r', '\n\n', '\n\n\n']) {
    const whole = `data: ${JSON.stringify(last)}${tail}`
    for (const cut of [whole.length, whole.length - 1]) {
      const chunks = [whole.slice(0, cut), whole.slice(cut)]
        .filter((one) => one !== '')
        .map((one) => new TextEncoder().encode(one))
      const openai = await carried(gemini, chat('openai-chat'), chunks)
      expect({ tail, end: openai.out.endsWith('data: [DONE]\n\n') }).toEqual({ tail, end: true })
      const anthropic = await carried(gemini, chat('anthropic'), chunks)
      expect({ tail, end: anthropic.out.includes('message_stop') }).toEqual({ tail, end: true })
    }
  }
})

describe.each(chatDialects.map((dialect) => [dialect.id, dialect] as const))('a harmed stream of %s', (id, from) => {
  // What only continues texts says no calls: it calls its own kind alone.
  const callers = chatDialects.filter((to) => bare(id) || !bare(to.id))
  test.each(callers.map((to) => [to.id, to] as const))('arrives whole in %s', async (_, to) => {
    await fc.assert(
      fc.asyncProperty(text, args, harm(from.framing), async (said, given, how) => {
        const wire = write(from, answer(id, said, JSON.stringify(given)), request)
        const wanted = saidInEvents(eventsIn(from, wire))
        const { out, source } = await carried(from, to, harmed(from, wire, how))
        const got = saidInEvents(eventsIn(to, out))
        expect([got.text, got.calls, got.finish]).toEqual([wanted.text, wanted.calls, wanted.finish])
        expect([source.finished, source.usage?.input, source.usage?.output]).toEqual([true, 9, 4])
      }),
      { numRuns: 60 },
    )
  })

  test('is taken in pieces of one byte', async () => {
    const wire = write(from, answer(id, 'Grüße 🚦\n"q"', '{"a":"b"}'), request)
    const chunks = [...new TextEncoder().encode(wire)].map((byte) => Uint8Array.of(byte))
    const { out } = await carried(from, from, chunks)
    expect(out.trimEnd()).toBe(wire.trimEnd())
  })

  test('may hold an event of a megabyte', async () => {
    const long = `${'long "text"\n '.repeat(80_000)}end`
    const wire = write(from, answer(id, long, '{}'), request)
    for (const to of [from, chat(id === 'anthropic' ? 'openai-chat' : 'anthropic')]) {
      const { out } = await carried(
        from,
        to,
        harmed(from, wire, { eol: '\n', noise: [], cuts: [7, 70_001, 500_003], endMissing: false }),
      )
      expect(saidInEvents(eventsIn(to, out)).text).toBe(long)
    }
  })

  test('that breaks off is never whole, and its failure is told in band', async () => {
    const wire = write(from, answer(id, 'Some text that was begun.', '{}').slice(0, 3), request)
    for (const to of chatDialects) {
      const { out, source } = await carried(from, to, [new TextEncoder().encode(wire)])
      expect([source.content, source.finished]).toEqual([true, false])
      // What the pipeline says then.
      const told = out + source.error(new Refusal('stream_interrupted', 'It broke.'))
      const events = eventsIn(to, told)
      expect({ to: to.id, error: events.some(({ type }) => type === 'error') }).toEqual({ to: to.id, error: true })
      expect(events.some(({ type }) => type === 'finish')).toBe(false)
    }
  })
})
