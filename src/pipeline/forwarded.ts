/** Answers that are passed on as they are: JSON whole, so that its usage is known; everything else as it comes. */
import { UpstreamFailure } from '../core/failure.ts'
import type { ForwardDialect } from '../dialects/dialect.ts'
import type { OpenHold } from '../store/ledger.ts'
import type { Link } from '../upstream/link.ts'
import type { Answer } from './answer.ts'
import type { Call } from './call.ts'
import type { Io } from './io.ts'
import { readWhole } from './read-whole.ts'
import { forwardCarrier, Source } from './source.ts'

/** The largest JSON answer that is read: a few images in base64. */
const LARGEST_JSON = 256 * 1024 * 1024

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
  const contentType = response.headers.get('content-type') ?? 'application/octet-stream'
  if (/^application\/json\b/i.test(contentType)) {
    const body = await readWhole(response, LARGEST_JSON)
    const sight = dialect.glance(new TextDecoder().decode(body))
    if (sight.failure) throw new UpstreamFailure(sight.failure)
    if (sight.garbage)
      throw new UpstreamFailure({ kind: 'bad_reply', status: 200, message: 'The answer says it is JSON and is not.' })
    return { kind: 'whole', link, hold, body, contentType, usage: sight.usage, firstMs: io.now() - startedAt }
  }
  if (!response.body) throw new UpstreamFailure({ kind: 'bad_reply', status: 200, message: 'The answer is empty.' })
  const events = /^text\/event-stream\b/i.test(contentType)
  const source = new Source(
    response.body as ReadableStream<Uint8Array>,
    events ? 'sse' : 'raw',
    forwardCarrier(dialect, events),
    abort,
  )
  const prefix: Uint8Array[] = []
  while (!source.content && !source.ended) {
    const part = await source.read()
    if (part !== undefined && part.byteLength > 0) prefix.push(part)
  }
  if (!source.content) throw new UpstreamFailure({ kind: 'bad_reply', status: 200, message: 'The answer is empty.' })
  return { kind: 'stream', link, hold, prefix, source, contentType, firstMs: io.now() - startedAt }
}
