/** One attempt: sends, waits for the first content (the commit point) and says what came, or throws what went wrong. */
import { type Failure, UpstreamFailure } from '../core/failure.ts'
import { Refusal } from '../core/refusal.ts'
import type { Chat, Embed, Event, Json, Reply, Rerank, WireId } from '../dialects/canonical.ts'
import type { Answering, ChatDialect, ChatTarget, EmbedDialect, RerankDialect } from '../dialects/dialect.ts'
import { unforceEvents, unforceReply } from '../dialects/forced-format.ts'
import { eventsOf } from '../dialects/replay.ts'
import type { Gate } from '../guardrails/gate.ts'
import type { OpenHold } from '../store/ledger.ts'
import { failureOf, thrown } from '../upstream/classify.ts'
import { HOP_HEADER, onward } from '../upstream/hops.ts'
import type { Link } from '../upstream/link.ts'
import { serviceInHeaders, usageInHeaders } from '../upstream/told.ts'
import type { Answer, StreamAnswer, WholeAnswer } from './answer.ts'
import type { Call } from './call.ts'
import { type Composed, compose } from './compose.ts'
import { Kept } from './counting/kept.ts'
import type { Deadline } from './deadlines.ts'
import { forwarded } from './forwarded.ts'
import { inlineImages } from './inline-images.ts'
import type { Io } from './io.ts'
import { attemptEnd, firstLimit, IMPATIENT_IDLE_MS } from './patience.ts'
import { readWhole } from './read-whole.ts'
import { relayCarrier, Source, transcodeCarrier } from './source.ts'
import { Stopwatch } from './stopwatch.ts'
import { isWatched, joining, toItsEnd } from './watched.ts'

/** More than this before any content is no answer. */
const LONGEST_PREFIX = 16 * 1024 * 1024

/**
 * @param abort gives it up; the caller's leaving does, too
 * @throws UpstreamFailure; Refusal where the request can't be said to this target
 */
export async function ask(
  call: Call,
  io: Io,
  link: Link,
  hold: OpenHold,
  impatient: boolean,
  abort = new AbortController(),
): Promise<Answer> {
  const startedAt = hold.attempt.startedAt
  await inlineImages(call, io, link)
  const watched = isWatched(call, link)
  const streams = call.peek.stream || watched
  const composed = compose(call, link, hold.maxOutput, watched)
  const onLeave = () => abort.abort()
  call.leaving.addEventListener('abort', onLeave, { once: true })
  if (call.leaving.aborted) abort.abort()
  let late: UpstreamFailure | undefined
  let source: Source | undefined
  const { loadMs } = io.state(link.target)
  const first = firstLimit(call, link.target, startedAt, { impatient, streams, loadMs })
  const { connect } = link.target.timeouts
  let reached = false
  const giveUp = (message: string) => {
    late = new UpstreamFailure({ kind: 'timeout', status: 0, message })
    source?.break(late)
    abort.abort()
  }
  let limit = { at: startedAt + first, told: `No answer within ${first} ms.` }
  const deadline: Deadline = io.deadlines.arm(startedAt + Math.min(first, connect / 2), (now) => {
    if (now >= limit.at) return giveUp(limit.told)
    deadline.at = limit.at
    if (reached) return
    void io
      .knock(link, connect / 2)
      .then((atHome) => atHome || reached || giveUp(`No connection within ${connect} ms.`))
  })
  try {
    const hops = onward(call.request.headers.get(HOP_HEADER))
    const headers = hops ? { ...composed.headers, ...hops } : composed.headers
    const response = await io.send(link, composed.dialect, composed.body, streams, abort.signal, headers)
    reached = true
    if (response.status !== 200) throw await refused(response, composed, link)
    const service = hasServices(hold) ? serviceInHeaders(response.headers) : undefined
    if (service) call.services.set(hold, service)
    if (call.door.dialect.op === 'forward') {
      const answer = await forwarded(call, io, link, hold, response, abort)
      if (answer.kind === 'stream') source = answer.source
      return answer
    }
    const watch = new Stopwatch(io.now, startedAt)
    if (watched && !isJson(response)) {
      const { joiner, ...made } = joining(
        composed.dialect,
        response.body as ReadableStream<Uint8Array> | null,
        abort,
        LARGEST_ANSWER,
      )
      source = made.source
      await untilContent(source)
      const firstMs = io.now() - startedAt
      const idleMs = Math.min(link.target.timeouts.idle, IMPATIENT_IDLE_MS)
      const endsAt = attemptEnd(call, link.target, startedAt)
      const within = (ms: number) => {
        limit = { at: Math.min(io.now() + ms, endsAt), told: `The answer was given up: nothing came for ${ms} ms.` }
        deadline.at = limit.at
      }
      within(idleMs)
      await toItsEnd(source, idleMs, within)
      source.hangUp()
      return whole(call, link, hold, composed, { response, raw: JSON.stringify(joiner.whole()), firstMs, watch })
    }
    if (!call.peek.stream) {
      const raw = await readShort(response)
      return whole(call, link, hold, composed, { response, raw, firstMs: io.now() - startedAt, watch })
    }
    if (isJson(response)) return await asStream(call, io, link, hold, composed, response, startedAt, abort)
    source = sourceFor(call, composed, hold, response, abort, watch)
    const prefix = await untilContent(source)
    return { kind: 'stream', link, hold, prefix, source, firstMs: io.now() - startedAt }
  } catch (cause) {
    abort.abort()
    source?.hangUp()
    throw late ?? thrown(cause, call.leaving.aborted)
  } finally {
    reached = true
    io.deadlines.disarm(deadline)
    call.leaving.removeEventListener('abort', onLeave)
  }
}

/** Whether it matters to the charge how an answer is served. */
const hasServices = ({ price }: OpenHold): boolean => price.kind === 'priced' && price.services !== undefined

async function refused(response: Response, { dialect }: Composed, link: Link): Promise<UpstreamFailure> {
  const body = await readWhole(response, 64 * 1024).then(
    (bytes) => new TextDecoder().decode(bytes),
    () => '',
  )
  return new UpstreamFailure(failureOf(response, body, dialect, link.provider))
}

const isJson = (response: Response): boolean => /^application\/json\b/i.test(response.headers.get('content-type') ?? '')

/** The largest whole answer that is read: an image or a long batch of embeddings fits. */
const LARGEST_ANSWER = 256 * 1024 * 1024

/** A whole answer as it came. */
interface Got {
  response: Response
  raw: string | Uint8Array
  firstMs: number
  watch: Stopwatch
}

function whole(
  call: Call,
  link: Link,
  hold: OpenHold,
  composed: Composed,
  { response, raw, firstMs, watch }: Got,
): WholeAnswer {
  const said = typeof raw === 'string' ? raw : text(raw)
  const common = {
    kind: 'whole',
    link,
    hold,
    firstMs,
    contentType: 'application/json',
  } as const
  const inHeaders = () => usageInHeaders(response.headers)
  const { dialect } = composed
  if (!composed.translated) {
    const sight = call.door.dialect.glance(said)
    if (sight.failure) throw new UpstreamFailure(sight.failure)
    if (sight.garbage) throw bad('The answer is not JSON of its dialect.')
    if (!sight.finished) throw bad('The answer ends without saying why: it is not whole.')
    return { ...common, body: raw, usage: sight.usage ?? inHeaders() }
  }
  if (dialect.op === 'rerank') {
    const reply = dialect.readReply(parseAny(said))
    const body = (call.door.dialect as RerankDialect).writeReply(reply, call.canonical as Rerank, answering(call))
    // Documents that come back are the caller's, with what was taken out of them.
    const written = JSON.stringify(body)
    const shown = call.screening?.vault.showInJson(written) ?? written
    return { ...common, body: shown, usage: reply.usage ?? inHeaders() }
  }
  const json = parse(said)
  if (dialect.op === 'embed') {
    const reply = dialect.readReply(json)
    const timed = watch.whole(reply)
    const body = (call.door.dialect as EmbedDialect).writeReply(timed, call.canonical as Embed)
    return { ...common, body: JSON.stringify(body), usage: reply.usage ?? inHeaders() }
  }
  if (dialect.op !== 'chat') throw new Error('what is forwarded is not translated')
  const read = dialect.readReply(json)
  const reply = watch.whole(composed.forced ? unforceReply(read) : read)
  if (reply.choices.some((c) => c.finish === undefined))
    throw bad('The answer ends without saying why: it is not whole.')
  const write = (said: Reply) =>
    (call.door.dialect as ChatDialect).writeReply(said, call.canonical as Chat, answering(call))
  const usage = reply.usage ?? inHeaders()
  // It is written when it has been looked at.
  if (call.screening?.seesAnswers) return { ...common, body: '', usage, told: { reply, write } }
  return { ...common, body: JSON.stringify(write(reply)), usage }
}

/** A short answer as text, which is looked at and sent on for less than bytes are (measured 1.8 µs against 3.5). */
const SHORT = 64 * 1024

function readShort(response: Response): Promise<string | Uint8Array> {
  const declared = Number(response.headers.get('content-length') ?? Number.NaN)
  return declared <= SHORT ? response.text() : readWhole(response, LARGEST_ANSWER)
}

/** A target that ignores `stream` answers whole; the caller gets the stream that he asked for. */
async function asStream(
  call: Call,
  io: Io,
  link: Link,
  hold: OpenHold,
  composed: Composed,
  response: Response,
  startedAt: number,
  abort: AbortController,
): Promise<StreamAnswer> {
  if (call.resumed) throw bad('It answers whole where it should go on with a stream.')
  const from = composed.dialect as ChatTarget
  const to = call.door.dialect as ChatDialect
  const body = text(await readWhole(response, LARGEST_ANSWER))
  const sight = from.glance(body)
  if (sight.failure) throw new UpstreamFailure(sight.failure)
  const whole = from.readReply(parse(body))
  const reply = new Stopwatch(io.now, startedAt).whole(composed.forced ? unforceReply(whole) : whole)
  if (reply.choices.length === 0 || reply.choices.some((c) => c.finish === undefined))
    throw bad('The answer ends without saying why: it is not whole.')
  call.canonical ??= to.readRequest(parse(text(call.bytes)))
  const write = to.writer(call.canonical as Chat, answering(call))
  const { said, refused } = await passing(call.screening?.gate(), eventsOf(reply), write)
  const nothing = new ReadableStream<Uint8Array>({ start: (c) => c.close() })
  const bytes = new TextEncoder().encode(said)
  const kept = reply.usage ? undefined : keptFor(hold, to.id)
  kept?.push(bytes)
  const error = (told: Refusal) => write({ type: 'error', message: told.message, told })
  const source = new Source(nothing, to.framing, { carry: () => '', end: () => '', error }, abort, kept)
  Object.assign(source, { content: true, finished: true, ended: !refused, contentFrames: 1, usage: reply.usage })
  source.refused = refused
  return {
    kind: 'stream',
    link,
    hold,
    prefix: [bytes],
    source,
    firstMs: io.now() - startedAt,
  }
}

/** All of it past guards, and written. */
async function passing(
  gate: Gate | undefined,
  events: readonly Event[],
  write: (event: Event) => string,
): Promise<{ said: string; refused?: Refusal }> {
  if (!gate) return { said: events.map(write).join('') }
  try {
    for (const event of events) gate.push(event)
    return { said: (await gate.settle()).map(write).join('') }
  } catch (cause) {
    if (cause instanceof Refusal) return { said: '', refused: cause }
    throw cause
  }
}

function sourceFor(
  call: Call,
  { dialect, translated, forced }: Composed,
  hold: OpenHold,
  response: Response,
  abort: AbortController,
  watch: Stopwatch,
): Source {
  if (!response.body) throw bad('The answer is empty.')
  const from = dialect as ChatTarget
  const to = call.door.dialect as ChatDialect
  const carry = translated
    ? transcodeCarrier(
        from,
        to,
        call.canonical as Chat,
        { ...answering(call), inputLikely: hold.inputLikely },
        timed(watch, call.resumed?.turn ?? (forced ? unforceEvents() : undefined)),
        call.resumed?.write,
        call.resumed ? call.resumed.gate : call.screening?.gate(),
      )
    : relayCarrier(to, call.peek.includeUsage)
  const body = response.body as ReadableStream<Uint8Array>
  return new Source(body, from.framing, carry, abort, keptFor(hold, from.id))
}

/** An answer is kept for its count where it costs something. */
const keptFor = ({ price }: OpenHold, dialect: WireId): Kept | undefined =>
  price.kind === 'priced' ? new Kept(dialect) : undefined

/** Each event with the times that it tells. @param turn what becomes of it before */
const timed =
  (watch: Stopwatch, turn?: (event: Event) => Event[]) =>
  (event: Event): Event[] =>
    (turn ? turn(event) : [event]).map((one) => watch.event(one))

/** Reads until there is something to show. Up to here a failure can still be made good without the caller noticing. */
async function untilContent(source: Source): Promise<Uint8Array[]> {
  const prefix: Uint8Array[] = []
  let length = 0
  while (!source.content && !source.finished) {
    const part = await source.read().catch((cause: unknown) => {
      // It has begun, and costs what it costs: whoever delivers it is told.
      if (cause instanceof Refusal) return NOTHING
      throw cause
    })
    if (source.refused) break
    if (part === undefined) throw bad('The stream ended before it said anything.')
    length += part.byteLength
    if (length > LONGEST_PREFIX) throw bad('The stream is long and says nothing.')
    if (part.byteLength > 0) prefix.push(part)
  }
  return prefix
}

const NOTHING = new Uint8Array(0)

const answering = (call: Call): Answering => ({ id: call.id, created: Math.floor(call.startedAt / 1000) })

const bad = (message: string): UpstreamFailure =>
  new UpstreamFailure({ kind: 'bad_reply', status: 200, message } satisfies Failure)

const text = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')

function parse(body: string): Json {
  const json = parseAny(body)
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as Json
  throw bad('The answer is not a JSON object.')
}

function parseAny(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    throw bad('The answer is not JSON.')
  }
}
