/**
 * One upstream stream on its way to a caller: framed, looked at or translated, and timed. What it gives is ready to be
 * sent. Both ways (relay and translation) tell the same things, so that the rest need not know which it is.
 */
import { UpstreamFailure } from '../core/failure.ts'
import { Refusal } from '../core/refusal.ts'
import { later, type Usage } from '../core/usage.ts'
import type { Chat, Event, Json } from '../dialects/canonical.ts'
import type { Answering, ChatDialect, ChatTarget, ForwardDialect, Joiner, Sight } from '../dialects/dialect.ts'
import { EventStreamFramer } from '../dialects/eventstream.ts'
import { NdjsonFramer } from '../dialects/ndjson.ts'
import { Skimmer } from '../dialects/skim.ts'
import { SseFramer } from '../dialects/sse.ts'
import type { Gate } from '../guardrails/gate.ts'
import type { Heard, Kept } from './counting/kept.ts'

/** What a stream has shown so far. */
export interface Progress {
  /** The caller has been given something he asked for. */
  content: boolean
  /** The upstream said why it stopped. */
  finished: boolean
  /** The dialect's own end was seen. */
  ended: boolean
  /** Frames with content, each at least one token: the estimate where nobody reports usage. */
  contentFrames: number
  usage: Usage | undefined
}

interface Carrier {
  /** One frame → what goes to the caller ('' for nothing). */
  carry(frame: FramedFrame, progress: Progress): Uint8Array | string
  /** What the caller still needs where the upstream finished its answer and never said the end. */
  end(): string
  /** That the answer was cut off, after which nothing more is sent. */
  error(refusal: Refusal): string
  /** What may be sent now of what was carried before, where it is looked at first. @throws Refusal */
  settle?(isLast: boolean): string | Promise<string>
  gate?: Gate
  /** There is no mark of the end but the end of the body. */
  endsWithBody?: boolean
}
interface FramedFrame {
  frame: { event?: string | undefined; data: string } | undefined
  raw: Uint8Array
}

/** Bytes pass as they came; the tap only looks. */
export function relayCarrier(dialect: ChatDialect, includeUsage: boolean): Carrier {
  const tap = dialect.tap()
  const carry: Carrier['carry'] = ({ frame, raw }, progress) => {
    // A blank line is a sign of life in SSE, and no JSON to whoever reads lines.
    if (!frame) return dialect.framing === 'sse' && isComment(raw) ? raw : ''
    const sight = tap(frame)
    note(sight, progress)
    if (sight.garbage || (sight.usageOnly && !includeUsage)) return ''
    // An end before the answer's finish is no end: what is told instead must not stand behind a `[DONE]`.
    if (sight.end && !progress.finished) return ''
    return raw
  }
  return { carry, end: () => dialect.streamEnd, error: (refusal) => dialect.writeStreamError(refusal) }
}

/** Blank, or a comment that keeps a connection alive. Other bytes without data are garbage, whatever they hold. */
const isComment = (raw: Uint8Array): boolean => raw[0] === 0x3a || raw[0] === 0x0a || raw[0] === 0x0d

/** Nothing passes: it is looked at as in a relay, and put together. @param longest characters of the whole stream */
export function joinCarrier(dialect: ChatDialect, joiner: Joiner, longest: number): Carrier {
  const tap = dialect.tap()
  let length = 0
  const carry: Carrier['carry'] = ({ frame }, progress) => {
    if (!frame) return ''
    length += frame.data.length
    if (length > longest)
      throw new UpstreamFailure({ kind: 'bad_reply', status: 200, message: `The answer is longer than ${longest}.` })
    const sight = tap(frame)
    note(sight, progress)
    if (!sight.garbage && isJsonObject(frame.data)) joiner.push(JSON.parse(frame.data) as Json)
    return ''
  }
  return { carry, end: () => '', error: () => '' }
}

/** Events or bytes pass as they came, to the end of their body. */
export function forwardCarrier(dialect: ForwardDialect, events: boolean): Carrier {
  const tap = dialect.tap()
  const carry: Carrier['carry'] = ({ frame, raw }, progress) => {
    progress.content = true
    if (events && frame) note(tap(frame), progress)
    return raw
  }
  return { carry, end: () => '', error: (refusal) => dialect.writeStreamError(refusal), endsWithBody: true }
}

/** What has no frames: each chunk is one. */
class RawFramer {
  push(raw: Uint8Array): FramedFrame[] {
    return [{ frame: undefined, raw }]
  }

  end(): FramedFrame[] {
    return []
  }
}

/**
 * Frames are read in one dialect and written in another.
 * @param turn what becomes of each event in between @param write another writer than a new one
 * @param gate looks at what comes before it is written
 */
export function transcodeCarrier(
  from: ChatTarget,
  to: ChatDialect,
  chat: Chat,
  answering: Answering,
  turn: (event: Event) => Event[] = itself,
  write: (event: Event) => string = to.writer(chat, answering),
  gate?: Gate,
): Carrier {
  const read = from.reader()
  const carry: Carrier['carry'] = ({ frame }, progress) => {
    if (!frame) return ''
    let out = ''
    for (const event of readOrSkip(read, frame).flatMap(turn)) {
      notice(event, progress)
      if (event.type === 'end' && !progress.finished) break
      if (gate) gate.push(event)
      else out += write(event)
    }
    return out
  }
  // The writer holds usage and its own end mark back until it is told that all has been said.
  const end = () => write({ type: 'end' })
  // The writer knows what it has said: where events are numbered, the error is the next one.
  const error = (told: Refusal) => write({ type: 'error', message: told.message, told })
  if (!gate) return { carry, end, error }
  const written = (events: readonly Event[]) => events.map(write).join('')
  const settle: Carrier['settle'] = (isLast) => {
    if (isLast) gate.close()
    const events = gate.settle()
    return events instanceof Promise ? events.then(written) : written(events)
  }
  return { carry, end, error, settle, gate }
}

const itself = (event: Event): Event[] => [event]

/** What is no JSON object is skipped, as a relay skips it; what is one and wrong is the end of the answer. */
function readOrSkip(read: ReturnType<ChatTarget['reader']>, frame: NonNullable<FramedFrame['frame']>): Event[] {
  try {
    return read(frame)
  } catch (cause) {
    if (isJsonObject(frame.data)) throw cause
    return []
  }
}

function isJsonObject(text: string): boolean {
  try {
    const json: unknown = JSON.parse(text)
    return typeof json === 'object' && json !== null && !Array.isArray(json)
  } catch {
    return false
  }
}

function note(sight: Sight, progress: Progress): void {
  if (sight.failure) throw new UpstreamFailure(sight.failure)
  if (sight.content) {
    progress.content = true
    progress.contentFrames++
  }
  if (sight.finished) progress.finished = true
  if (sight.end) progress.ended = true
  if (sight.usage) progress.usage = later(progress.usage, sight.usage)
}

function notice(event: Event, progress: Progress): void {
  switch (event.type) {
    case 'text':
    case 'thinking':
    case 'refusal':
    case 'args':
    case 'call':
    case 'redacted_thinking':
    case 'image':
      progress.content = true
      progress.contentFrames++
      break
    case 'finish':
      progress.finished = true
      break
    case 'usage':
      progress.usage = later(progress.usage, event.usage)
      break
    case 'end':
      progress.ended = true
      break
    case 'error':
      throw new UpstreamFailure({
        kind: 'server',
        status: event.status ?? 200,
        message: event.message,
        code: event.code,
      })
  }
}

const encoder = new TextEncoder()

const FRAMERS = {
  sse: SseFramer,
  ndjson: NdjsonFramer,
  eventstream: EventStreamFramer,
  raw: RawFramer,
  json: Skimmer,
}

export class Source implements Progress {
  content = false
  finished = false
  ended = false
  contentFrames = 0
  usage: Usage | undefined = undefined
  /** Set by whoever watches the clock, or by a failure behind what is still to be sent: the next read fails with it. */
  #broken: UpstreamFailure | undefined
  /** The body has been read to its end. */
  drained = false
  readonly #kept: Kept | undefined
  /** Why what came of it last does not go out: every further read fails with it. */
  refused: Refusal | undefined
  /** What has come is being looked at: the silence is ours. */
  busy = false
  #failBroken: ((cause: UpstreamFailure) => void) | undefined
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>
  readonly #framer: SseFramer | NdjsonFramer | EventStreamFramer | RawFramer | Skimmer
  readonly #carrier: Carrier
  readonly #abort: AbortController

  constructor(
    body: ReadableStream<Uint8Array>,
    framing: ChatTarget['framing'] | 'raw' | 'json',
    carrier: Carrier,
    abort: AbortController,
    kept?: Kept,
  ) {
    this.#kept = kept
    this.#reader = body.getReader() as ReadableStreamDefaultReader<Uint8Array>
    this.#framer = new FRAMERS[framing]()
    this.#carrier = carrier
    this.#abort = abort
  }

  /**
   * What is to be sent next (may be empty), or undefined at the end.
   * @throws UpstreamFailure where the upstream failed, said so, or was given up on; Refusal where it does not go out
   */
  async read(): Promise<Uint8Array | undefined> {
    if (this.refused) throw this.refused
    if (this.#broken) throw this.#broken
    if (this.ended || this.drained) return undefined
    let chunk: { done: boolean; value?: Uint8Array | undefined }
    try {
      chunk = await this.#next()
    } catch (cause) {
      if (this.#broken) throw this.#broken
      if (cause instanceof UpstreamFailure) throw cause
      throw new UpstreamFailure({
        kind: 'unreachable',
        status: 0,
        message: `The connection broke in the answer: ${String(cause)}`,
      })
    }
    if (chunk.done) {
      // The body's end is not the dialect's own: what is left of it may hold that, or nothing does.
      this.drained = true
      if (this.#carrier.endsWithBody) this.finished = true
      const rest = this.#framer.end()
      const last = rest.length > 0 ? this.#carryAll(rest) : undefined
      if (!this.#carrier.settle || !this.finished) return last
      const settled = await this.#settle(!this.ended)
      return settled.length > 0 ? settled : undefined
    }
    const value = chunk.value as Uint8Array
    const out = this.#carryAll(this.#framer.push(value), value)
    // Whoever counts as he goes will not have to be counted.
    if (this.usage) this.#kept?.drop()
    else this.#kept?.push(value)
    return this.#carrier.settle ? this.#settle(false) : out
  }

  /** Looks at what has come, and gives what of it may be sent. */
  async #settle(isLast: boolean): Promise<Uint8Array> {
    this.busy = true
    try {
      const text = this.#carrier.settle?.(isLast) ?? ''
      return encoder.encode(typeof text === 'string' ? text : await text)
    } catch (cause) {
      if (cause instanceof Refusal) this.refused = cause
      throw cause
    } finally {
      this.busy = false
    }
  }

  /** What is still held back of a finished answer whose end did not come. @throws Refusal */
  rest(): Promise<Uint8Array> | undefined {
    return this.#carrier.settle && !this.ended && !this.drained ? this.#settle(true) : undefined
  }

  /** What looks at it. */
  get gate(): Gate | undefined {
    return this.#carrier.gate
  }

  /** A read that ends when the stream is broken from outside, even where the runtime's own read goes on waiting. */
  #next(): Promise<{ done: boolean; value?: Uint8Array | undefined }> {
    return new Promise((resolve, reject) => {
      this.#failBroken = reject
      this.#reader.read().then(resolve, reject)
    })
  }

  #carryAll(events: readonly FramedFrame[], chunk?: Uint8Array): Uint8Array {
    if (events.length === 0) return NOTHING
    // The usual case: all of the chunk's frames pass as they are, so the chunk itself does, uncopied. Not where the first
    // frame began in an earlier chunk: then as many bytes may pass as this one has, and other ones.
    let whole = chunk !== undefined && events[0]?.raw.buffer === chunk.buffer
    let length = 0
    const parts: Uint8Array[] = []
    const begun = this.content
    for (const event of events) {
      let out: Uint8Array | string
      try {
        out = this.#carrier.carry(event, this)
      } catch (cause) {
        // Before the answer has begun another target may give it, whole. Later, what came before the failure is sent.
        if (!begun || parts.length === 0 || !(cause instanceof UpstreamFailure)) throw cause
        this.#broken ??= cause
        whole = false
        break
      }
      if (out !== event.raw) whole = false
      if (out.length > 0) {
        const part = typeof out === 'string' ? encoder.encode(out) : out
        parts.push(part)
        length += part.byteLength
      }
      if (this.ended) break
    }
    if (parts.length === 0) return NOTHING
    if (whole && length === chunk?.byteLength) return chunk
    return parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts, length)
  }

  /** What is sent last where the upstream finished its answer and never said the end. */
  end(): string {
    return this.#carrier.end()
  }

  /** What is sent last where the answer was cut off. */
  error(refusal: Refusal): string {
    return this.#carrier.error(refusal)
  }

  /** Gives the stream up: whoever is reading gets `failure`, and the upstream is hung up on. */
  break(failure: UpstreamFailure): void {
    this.#broken ??= failure
    this.#failBroken?.(this.#broken)
    this.hangUp()
  }

  /** What came of it, for whoever has to count it. Once. */
  heard(): Heard | undefined {
    return this.#kept?.take()
  }

  /** Ends the upstream's work at once. */
  hangUp(): void {
    this.#kept?.drop()
    this.#abort.abort()
    this.#reader.cancel().catch(() => {})
  }
}

const NOTHING = new Uint8Array(0)
