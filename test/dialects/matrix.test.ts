/**
 * Every caller's dialect × every target's × (whole, stream) × every feature, over documented exchanges: the caller's request
 * is read and written to the target, the target's documented answer is read and written back, and what the caller's client
 * sees is what the target said. A target that cannot do something says so.
 */
import { describe, expect, test } from 'bun:test'
import { UpstreamFailure } from '../../src/core/failure.ts'
import { Refusal } from '../../src/core/refusal.ts'
import type { Chat, Event, Json } from '../../src/dialects/canonical.ts'
import { WIRES } from './matrix/answers.ts'
import { arrived, expected, givenBy, LIMITS, shownTo } from './matrix/cells.ts'
import { REQUESTS } from './matrix/requests.ts'
import { ANSWERS, FEATURES, type Feature, IDS, type Id } from './matrix/said.ts'
import { SEEN } from './matrix/seen.ts'
import { ANSWERING, chat, chatDialects, framesOf, json, warnings } from './support.ts'

const MODEL = 'up-model'

/** The caller's request as the pipeline reads it; Gemini's model and stream stand in its path. */
const ask = (caller: Id, feature: Feature, stream: boolean): Chat =>
  chat(caller).readRequest({ ...REQUESTS[caller][feature], model: 'alias', stream })

function send(caller: Id, target: Id, feature: Feature, stream: boolean) {
  const asked = ask(caller, feature, stream)
  const { warn, lost, adapted } = warnings()
  const body = JSON.parse(JSON.stringify(chat(target).writeRequest({ ...asked, model: MODEL }, warn))) as Json
  return { asked, body, lost, adapted }
}

/** As the target's own server would read what it was sent. */
const received = (target: Id, body: Json, stream: boolean): Chat =>
  chat(target).readRequest(target === 'gemini' ? { ...body, model: MODEL, stream } : body)

/** The way of a stream through the pipeline: `end` once, where the upstream finished. */
function carry(caller: Id, target: Id, asked: Chat, stream: string): string {
  const read = chat(target).reader()
  const write = chat(caller).writer(asked, ANSWERING)
  let finished = false
  let ended = false
  let out = ''
  const pass = (event: Event) => {
    if (event.type === 'finish') finished = true
    if (event.type === 'end' && !finished) return
    if (event.type === 'end') ended = true
    out += write(event)
  }
  for (const frame of framesOf(chat(target), stream)) for (const event of read(frame)) pass(event)
  if (finished && !ended) pass({ type: 'end' })
  return out
}

test('the matrix holds every chat dialect, and each can say something', () => {
  expect(chatDialects.map(({ id }) => id).sort()).toEqual([...IDS].sort())
  for (const id of IDS) expect(REQUESTS[id].text).toBeDefined()
  for (const id of ['openai-chat', 'openai-responses', 'anthropic', 'ollama-chat', 'gemini'] as const)
    expect(Object.keys(REQUESTS[id]).sort()).toEqual([...FEATURES].sort())
})

const pairs = IDS.flatMap((caller) => IDS.map((target) => [caller, target] as const))

describe.each(pairs)('%s to %s', (caller, target) => {
  const cells = FEATURES.filter((feature) => REQUESTS[caller][feature]).flatMap((feature) =>
    [false, true].map((stream) => [feature, stream ? 'stream' : 'whole', stream] as const),
  )

  test.each(cells)('%s, %s', (feature, _, stream) => {
    const limit = LIMITS[target]?.[feature]
    if (limit && 'refused' in limit) {
      expect(refusalOf(() => send(caller, target, feature, stream))).toEqual([400, limit.refused])
      return
    }
    const { asked, body, lost, adapted } = send(caller, target, feature, stream)
    expect(lost).toEqual(limit?.lost ?? [])
    if (feature === 'thinking' && target === 'openai-completions') expect(adapted).toContain('reasoning_effort')
    const there = received(target, body, stream)
    expect(arrived(feature, target, there)).toEqual(expected(feature, target))
    expect([there.model, there.stream]).toEqual([MODEL, stream])

    const given = givenBy(target, ANSWERS[feature])
    const wire = WIRES[target]
    const seen = SEEN[caller]
    if (stream) {
      expect(seen.stream(carry(caller, target, asked, wire.stream(given)))).toEqual(shownTo(caller, given))
      return
    }
    const reply = chat(target).readReply(wire.whole(given))
    expect([reply.usage?.input, reply.usage?.output]).toEqual([9, 4])
    const written = json(JSON.stringify(chat(caller).writeReply(reply, asked, ANSWERING)))
    expect(seen.whole(written)).toEqual(shownTo(caller, given))
  })

  test('error, whole: a failure of the upstream, told in the words of the caller', () => {
    const { status, body } = WIRES[target].error
    const failure = chat(target).readError(status, JSON.stringify(body))
    expect([failure.kind, failure.status]).toEqual(['server', status])
    const told = chat(caller).writeError(new Refusal('upstream_error', 'The model failed.'))
    expect(told.status).toBe(502)
    expect(chat(caller).readError(told.status, JSON.stringify(told.body))).toMatchObject({
      kind: 'server',
      message: 'The model failed.',
    })
  })

  test('error, stream: the client notices, and is told nothing of the upstream', () => {
    const { asked } = send(caller, target, 'text', true)
    const { stream, error } = WIRES[target]
    const begun = stream({ ...givenBy(target, ANSWERS.text), finish: undefined })
    const written = carry(caller, target, asked, begun + error.frame)
    expect(SEEN[caller].failed(written)).toBe(true)
    expect(written).not.toMatch(/had an error|It failed|Internal server error|llama runner|internal error has/)
    // Where the upstream breaks off without a word the pipeline says it.
    const told = new Refusal('stream_interrupted', 'It broke.')
    expect(SEEN[caller].failed(chat(caller).writeStreamError(told))).toBe(true)
  })

  test('abort, stream: an answer without a finish never looks whole', () => {
    for (const feature of FEATURES) {
      if (!REQUESTS[caller][feature]) continue
      const asked = ask(caller, feature, true)
      const cut = WIRES[target].stream({ ...givenBy(target, ANSWERS[feature]), finish: undefined })
      const written = carry(caller, target, asked, cut)
      expect(SEEN[caller].stream(written).finish).toBeUndefined()
      expect(written).not.toMatch(/\[DONE\]|message_stop|response\.completed|"done":true|finishReason/)
    }
  })

  test('abort, whole: neither', () => {
    const cut = WIRES[target].whole({ ...givenBy(target, ANSWERS.text), finish: undefined })
    expect(chat(target).glance(JSON.stringify(cut)).finished).toBe(false)
    const reply = chat(target).readReply(cut)
    expect(reply.choices[0]?.finish).toBeUndefined()
    const written = json(JSON.stringify(chat(caller).writeReply(reply, ask(caller, 'text', false), ANSWERING)))
    expect(SEEN[caller].whole(written).finish).toBeUndefined()
  })
})

function refusalOf(act: () => unknown): [number, string | undefined] {
  try {
    act()
  } catch (cause) {
    if (cause instanceof Refusal) return [cause.status, cause.detail.param]
    throw cause
  }
  throw new UpstreamFailure({ kind: 'caller', status: 0, message: 'It was not refused.' })
}
