/** Answers that are passed on as they are: short JSON whole, everything else as it comes, with an eye on its usage. */
import { UpstreamFailure } from '../core/failure.ts'
import type { Usage } from '../core/usage.ts'
import type { ForwardDialect } from '../dialects/dialect.ts'
import type { OpenHold } from '../store/ledger.ts'
import type { Link } from '../upstream/link.ts'
import type { Answer } from './answer.ts'
import type { Call } from './call.ts'
import { eventsIn, textsOf } from './forwarded-texts.ts'
import type { Io } from './io.ts'
import { readWhole } from './read-whole.ts'
import { forwardCarrier, Source } from './source.ts'

/** A JSON answer up to here is read whole, so that it is known to be one and its cost stands in a header; a longer one passes. */
const LONGEST_WHOLE = 4 * 1024 * 1024

/** @throws UpstreamFailure */
export async function forwarded(
  call: Call,
  io: Io,
  link: Link,
  hold: OpenHold,
  response: Response,
  abort: AbortController,
): Promise<Answer> {
  const dialect = call.door.dialect as ForwardDialect
  const { startedAt } = hold.attempt
  const whole = (body: Uint8Array): Answer => {
    const sight = dialect.glance(new TextDecoder().decode(body))
    if (sight.failure) throw new UpstreamFailure(sight.failure)
    if (sight.garbage)
      throw new UpstreamFailure({ kind: 'bad_reply', status: 200, message: 'The answer says it is JSON and is not.' })
    return { kind: 'whole', link, hold, body, contentType, usage: sight.usage, firstMs: io.now() - startedAt }
  }
  const contentType = response.headers.get('content-type') ?? 'application/octet-stream'
  if (call.screening?.seesAnswers && SAYS.test(contentType)) {
    const body = await readWhole(response, LARGEST_SEEN)
    if (contentType.startsWith('application/')) return { ...whole(body), texts: textsOf(body, 'json') } as Answer
    const kind = /^text\/event-stream\b/i.test(contentType) ? 'events' : 'text'
    const usage = usageIn(dialect, new TextDecoder().decode(body))
    const firstMs = io.now() - startedAt
    return { kind: 'whole', link, hold, body, contentType, usage, firstMs, texts: textsOf(body, kind) }
  }
  const isJson = /^application\/(?:problem\+)?json\b/i.test(contentType)
  const declared = Number(response.headers.get('content-length') ?? Number.NaN)
  if (isJson && declared <= LONGEST_WHOLE) return whole(await response.bytes())
  if (!response.body) throw new UpstreamFailure({ kind: 'bad_reply', status: 200, message: 'The answer is empty.' })
  const events = /^text\/event-stream\b/i.test(contentType)
  const source = new Source(
    response.body as ReadableStream<Uint8Array>,
    events ? 'sse' : isJson ? 'json' : 'raw',
    forwardCarrier(dialect, events || isJson),
    abort,
  )
  const prefix: Uint8Array[] = []
  let length = 0
  // A list is a stream of Gemini's, whose items come one by one.
  const isShort = () => isJson && length <= LONGEST_WHOLE && !beginsList(prefix[0])
  const isDone = () => source.ended || source.drained
  while (!isDone() && (!source.content || isShort())) {
    const part = await source.read()
    if (part === undefined || part.byteLength === 0) continue
    prefix.push(part)
    length += part.byteLength
  }
  if (isJson && isDone() && isShort()) return whole(Buffer.concat(prefix, length))
  if (!source.content) throw new UpstreamFailure({ kind: 'bad_reply', status: 200, message: 'The answer is empty.' })
  return { kind: 'stream', link, hold, prefix, source, contentType, firstMs: io.now() - startedAt }
}

/** Answers that are text: what guardrails can look at. Others are pictures, sound and files. */
const SAYS = /^(?:application\/(?:problem\+)?json|text\/[\w.+-]+)\b/i
/** Bytes. */
const LARGEST_SEEN = 64 * 1024 * 1024

/** What the last event that says so has cost. */
function usageIn(dialect: ForwardDialect, body: string): Usage | undefined {
  let usage: Usage | undefined
  for (const data of eventsIn(body)) {
    const sight = dialect.glance(data)
    if (sight.failure) throw new UpstreamFailure(sight.failure)
    usage = sight.usage ?? usage
  }
  return usage
}

/** `[`, behind blanks. */
function beginsList(part: Uint8Array | undefined): boolean {
  return part?.find((byte) => byte > 0x20) === 0x5b
}
