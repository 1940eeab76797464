/**
 * Every caller's dialect × every target's × (whole, stream) × every feature, over documented exchanges: the caller's request
 * is read and written to the target, whose server would understand what was meant; the target's documented answer is read
 * and written back, and what the caller's client sees is what the target said. A target that cannot do something says so.
 * What the pipeline adds to errors and to callers who leave: test/clients/cells.test.ts.
 */
import { describe, expect, test } from 'bun:test'
import { UpstreamFailure } from '../../src/core/failure.ts'
import { Refusal } from '../../src/core/refusal.ts'
import type { Chat, Event, Json } from '../../src/dialects/canonical.ts'
import type { ChatTarget } from '../../src/dialects/dialect.ts'
import { targetDialects } from '../../src/dialects/index.ts'
import { WIRES } from './matrix/answers.ts'
import { expected, givenBy, LIMITS, shownTo } from './matrix/cells.ts'
import { GOT } from './matrix/got.ts'
import { REQUESTS } from './matrix/requests.ts'
import { ANSWERS, FEATURES, type Feature, IDS, type Id, type Said, TARGETS, type TargetId } from './matrix/said.ts'
import { SEEN } from './matrix/seen.ts'
import { ANSWERING, chat, chatDialects, framesOf, json, warnings } from './support.ts'

/** Bedrock's words depend on whose model it is. */
const MODEL = 'anthropic.claude-up'
const to = (id: TargetId): ChatTarget => targetDialects[id]
/** OpenAI's callers ask for usage where they want it. */
const asksForUsage = (caller: Id): boolean => caller === 'openai-chat' || caller === 'openai-completions'

/** The caller's request as the pipeline reads it; Gemini's model and stream stand in its path. */
function ask(caller: Id, feature: Feature, stream: boolean): Chat {
  const usage = stream && asksForUsage(caller) ? { stream_options: { include_usage: true } } : {}
  return chat(caller).readRequest({ ...REQUESTS[caller][feature], ...usage, model: 'alias', stream })
}

function send(caller: Id, target: TargetId, feature: Feature, stream: boolean) {
  const asked = ask(caller, feature, stream)
  const { warn, lost, adapted } = warnings()
  const body = JSON.parse(JSON.stringify(to(target).writeRequest({ ...asked, model: MODEL }, warn))) as Json
  return { asked, body, lost, adapted }
}

/** What of the whole came before the answer was cut, or a failure stood in it: all texts, and no call that is not theirs. */
function isBeginning(seen: Said, whole: Said): void {
  expect([seen.text, seen.thinking]).toEqual([whole.text, whole.thinking])
  expect(whole.calls.slice(0, seen.calls.length).map(({ name }) => name)).toEqual(seen.calls.map(({ name }) => name))
  expect(seen.finish).toBeUndefined()
}

/** The way of a stream through the pipeline: `end` once, where the upstream finished. */
function carry(caller: Id, target: TargetId, asked: Chat, ...stream: readonly (string | Uint8Array)[]): string {
  const read = to(target).reader()
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
  const bytes = Buffer.concat(stream.map((part) => Buffer.from(part)))
  try {
    for (const frame of framesOf(to(target), bytes)) for (const event of read(frame)) pass(event)
  } catch (cause) {
    if (!(cause instanceof UpstreamFailure)) throw cause
    return out + write({ type: 'error', message: cause.failure.message, status: cause.failure.status })
  }
  if (finished && !ended) pass({ type: 'end' })
  return out
}

test('the matrix holds every chat dialect, and each can say something', () => {
  expect(chatDialects.map(({ id }) => id).sort()).toEqual([...IDS].sort())
  const targets = Object.values(targetDialects).filter(({ op }) => op === 'chat')
  expect(targets.map(({ id }) => id).sort()).toEqual([...TARGETS].sort())
  for (const id of IDS) expect(REQUESTS[id].text).toBeDefined()
  for (const id of ['openai-chat', 'openai-responses', 'anthropic', 'ollama-chat', 'gemini'] as const)
    expect(Object.keys(REQUESTS[id]).sort()).toEqual([...FEATURES].sort())
})

const pairs = IDS.flatMap((caller) => TARGETS.map((target) => [caller, target] as const))

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
    const got = GOT[target](body)
    expect(got).toMatchObject(expected(feature, caller, target))
    // These two have them in the path.
    if (target !== 'gemini' && target !== 'bedrock-converse') {
      // Ollama streams where nothing is said of it.
      const silent = target.startsWith('ollama-') ? undefined : false
      expect([body.model, body.stream ?? silent]).toEqual([MODEL, stream])
      if (stream && target.startsWith('openai-') && target !== 'openai-responses')
        expect(body.stream_options).toEqual({ include_usage: true })
    }

    const given = givenBy(target, ANSWERS[feature])
    const wire = WIRES[target]
    const seen = SEEN[caller]
    if (stream) {
      const written = carry(caller, target, asked, wire.stream(given))
      expect(seen.stream(written)).toEqual(shownTo(caller, given))
      expect(seen.usage(written)).toEqual([9, 4])
      return
    }
    const reply = to(target).readReply(wire.whole(given))
    const written = json(JSON.stringify(chat(caller).writeReply(reply, asked, ANSWERING)))
    expect(seen.whole(written)).toEqual(shownTo(caller, given))
    expect(seen.usage(written)).toEqual([9, 4])
  })

  test('error, whole: a failure of the upstream, told in the words of the caller', () => {
    const { status, body } = WIRES[target].error
    const failure = to(target).readError(status, JSON.stringify(body))
    expect([failure.kind, failure.status]).toEqual(['server', status])
    const told = chat(caller).writeError(new Refusal('upstream_error', 'The model failed.'))
    expect(told.status).toBe(502)
    expect(chat(caller).readError(told.status, JSON.stringify(told.body))).toMatchObject({
      kind: 'server',
      message: 'The model failed.',
    })
  })

  test('error, stream: the client notices, and is told nothing of the upstream', () => {
    for (const feature of FEATURES) {
      if (!REQUESTS[caller][feature]) continue
      const given = givenBy(target, ANSWERS[feature])
      const { stream, error } = WIRES[target]
      const begun = stream({ ...given, finish: undefined })
      const written = carry(caller, target, ask(caller, feature, true), begun, error.frame)
      expect(SEEN[caller].failed(written)).toBe(true)
      isBeginning(SEEN[caller].stream(withoutError(caller, written)), shownTo(caller, given))
      expect(written).not.toMatch(/had an error|It failed|Internal server error|llama runner|internal error|unexpected/)
    }
    // Where the upstream breaks off without a word the pipeline says it.
    const told = new Refusal('stream_interrupted', 'It broke.')
    expect(SEEN[caller].failed(chat(caller).writeStreamError(told))).toBe(true)
  })

  test('abort, stream: an answer without a finish never looks whole, and what was said until then has come', () => {
    for (const feature of FEATURES) {
      if (!REQUESTS[caller][feature]) continue
      const given = givenBy(target, ANSWERS[feature])
      const cut = WIRES[target].stream({ ...given, finish: undefined })
      const written = carry(caller, target, ask(caller, feature, true), cut)
      isBeginning(SEEN[caller].stream(written), shownTo(caller, given))
      expect(written).not.toMatch(/\[DONE\]|message_stop|response\.completed|"done":true|finishReason/)
    }
  })

  test('abort, whole: neither', () => {
    const given = givenBy(target, ANSWERS.text)
    const cut = WIRES[target].whole({ ...given, finish: undefined })
    expect(to(target).glance(JSON.stringify(cut)).finished).toBe(false)
    const reply = to(target).readReply(cut)
    expect(reply.choices[0]?.finish).toBeUndefined()
    const written = json(JSON.stringify(chat(caller).writeReply(reply, ask(caller, 'text', false), ANSWERING)))
    isBeginning(SEEN[caller].whole(written), shownTo(caller, given))
  })
})

/** Google's error stands bare behind the event, which is no event for who reads those. */
const withoutError = (caller: Id, written: string): string =>
  caller === 'gemini' ? written.replace(/^\{"error".*$/gm, '') : written

function refusalOf(act: () => unknown): [number, string | undefined] {
  try {
    act()
  } catch (cause) {
    if (cause instanceof Refusal) return [cause.status, cause.detail.param]
    throw cause
  }
  throw new UpstreamFailure({ kind: 'caller', status: 0, message: 'It was not refused.' })
}
