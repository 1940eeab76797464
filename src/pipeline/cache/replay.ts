/** An answer that was given before, given again: free, marked, and in the form that this caller asked for. */
import { Refusal } from '../../core/refusal.ts'
import { NO_USAGE } from '../../core/usage.ts'
import type { Chat, Embed, Event, Json, Reply, Rerank } from '../../dialects/canonical.ts'
import type { ChatDialect } from '../../dialects/dialect.ts'
import { Gather } from '../../dialects/gather.ts'
import { dialects } from '../../dialects/index.ts'
import { NdjsonFramer } from '../../dialects/ndjson.ts'
import { readJson } from '../../dialects/read-json.ts'
import { eventsOf } from '../../dialects/replay.ts'
import { SseFramer } from '../../dialects/sse.ts'
import type { Call } from '../call.ts'
import { canonicalOf } from '../compose.ts'
import { conclude } from '../conclude.ts'
import { costHeaders, guardHeaders } from '../headers.ts'
import type { Io } from '../io.ts'
import { limitHeaders } from '../limit.ts'
import { isKept, Keeper, keep } from '../recollect.ts'
import type { Flight, Head } from './flight.ts'
import { formOf, type KeptAnswer } from './kept.ts'

/** How it comes that an answer costs nothing. */
export type Remembered = 'hit' | 'joined' | 'repeat'

interface Told {
  how: Remembered
  key: string | undefined
  /** Cosine of the two texts, where it is an answer to another one that means the same. */
  similarity?: number
}

/** @param kept of any dialect and form */
export function replay(call: Call, io: Io, kept: KeptAnswer, told: Told): Response {
  const given = kept.form === formOf(call) ? kept.body : rewritten(call, kept)
  const body = isKept(call, io) && told.how !== 'repeat' ? asOwn(call, io, given) : given
  const headers = headersOf(call, io, { ...kept, contentType: contentTypeOf(call, kept) }, told)
  headers.age = String(Math.max(0, Math.floor((io.now() - kept.at) / 1_000)))
  call.remembered = { how: told.how, saved: kept.cost }
  io.cache.saved(call.payer, headers['x-litellm-model-group'] ?? '', kept.cost, io.now())
  conclude(call, io, 200, 'ok', NO_USAGE, 0)
  return new Response(body as Uint8Array<ArrayBuffer> | string, { headers })
}

/**
 * A response that its caller may refer to later has an id of its own: the first caller's is his, and stays.
 * @param given whole, or as a stream
 */
function asOwn(call: Call, io: Io, given: Uint8Array | string): Uint8Array | string {
  const said = responseIn(call, bytesOf(given))
  if (typeof said?.id !== 'string' || said.id === '') return given
  const text = typeof given === 'string' ? given : new TextDecoder().decode(given)
  const own = text.replaceAll(said.id, `resp_${call.id.replace('req_', '')}`)
  const response = responseIn(call, bytesOf(own))
  if (response) keep(call, io, response)
  return own
}

function responseIn(call: Call, bytes: Uint8Array): Json | undefined {
  if (!call.peek.stream) return readJson(bytes) as Json
  const keeper = new Keeper()
  keeper.push(bytes)
  return keeper.response
}

/** @returns undefined where the first one failed: then this one asks himself */
export async function follow(
  call: Call,
  io: Io,
  flight: Flight,
  how: 'joined' | 'repeat',
): Promise<Response | undefined> {
  const head = await untilLeft(call, flight.head)
  if (!head) return undefined
  const headers = headersOf(call, io, head, { how, key: undefined })
  call.remembered = { how, saved: 0 }
  const body = flight.open((left) => conclude(call, io, 200, left ? 'aborted' : 'ok', NO_USAGE, 0))
  return new Response(body, { headers })
}

/** He need not stay for it. @throws Refusal client_closed, or what is told to whom leave was taken from */
function untilLeft<T>(call: Call, promise: Promise<T>): Promise<T> {
  const { leaving } = call
  return new Promise((resolve, reject) => {
    const left = () =>
      reject(leaving.revoked ?? new Refusal('client_closed', 'The caller left while waiting for an answer.'))
    if (leaving.aborted) return left()
    leaving.addEventListener('abort', left)
    promise.then(resolve, reject).finally(() => leaving.removeEventListener('abort', left))
  })
}

function headersOf(call: Call, io: Io, head: Head, { how, key, similarity }: Told): Record<string, string> {
  const headers: Record<string, string> = {
    'content-type': head.contentType,
    'x-request-id': call.id,
    'x-litellm-call-id': call.id,
    'x-litellm-model-id': head.modelId,
    'x-litellm-model-group': head.modelGroup,
    'x-tollgate-served-by': head.servedBy,
    'x-tollgate-attempts': '0',
    'x-tollgate-cache': similarity === undefined ? how : `${how}; similarity=${similarity.toFixed(4)}`,
  }
  if (key !== undefined) headers['x-litellm-cache-key'] = encodeURI(key)
  if (how === 'repeat') headers['idempotent-replayed'] = 'true'
  if (call.peek.stream) Object.assign(headers, { 'cache-control': 'no-cache', 'x-accel-buffering': 'no' })
  limitHeaders(headers, call, io.now())
  guardHeaders(headers, call)
  costHeaders(headers, call, io, 0)
  return headers
}

function contentTypeOf(call: Call, kept: KeptAnswer): string {
  const { dialect } = call.door
  if (kept.form === formOf(call) || dialect.op !== 'chat') return kept.contentType
  if (!call.peek.stream) return 'application/json'
  return dialect.framing === 'sse' ? 'text/event-stream; charset=utf-8' : 'application/x-ndjson'
}

/** What was kept in one dialect or form, in another one. */
function rewritten(call: Call, kept: KeptAnswer): string {
  const { dialect } = call.door
  const answering = { id: call.id, created: Math.floor(kept.at / 1_000) }
  const asked = canonicalOf(call)
  if (dialect.op === 'embed') {
    const from = dialects[kept.dialect] as typeof dialect
    return JSON.stringify(dialect.writeReply(from.readReply(jsonOf(kept)), asked as Embed))
  }
  if (dialect.op === 'rerank') {
    const from = dialects[kept.dialect] as typeof dialect
    return JSON.stringify(dialect.writeReply(from.readReply(jsonOf(kept)), asked as Rerank, answering))
  }
  if (dialect.op !== 'chat') throw new Error('what is forwarded is given as it came')
  const chat = asked as Chat
  if (!call.peek.stream) return JSON.stringify(dialect.writeReply(replyOf(kept), chat, answering))
  const write = dialect.writer(chat, answering)
  const events = kept.stream ? eventsIn(kept) : eventsOf(replyOf(kept))
  const said = events.filter(({ type }) => type !== 'end').map(write)
  return `${said.join('')}${write({ type: 'end' })}`
}

function eventsIn(kept: KeptAnswer): Event[] {
  const from = dialects[kept.dialect] as ChatDialect
  const framer = from.framing === 'sse' ? new SseFramer() : new NdjsonFramer()
  const read = from.reader()
  return [...framer.push(kept.body), ...framer.end()].flatMap(({ frame }) => (frame ? read(frame) : []))
}

function replyOf(kept: KeptAnswer): Reply {
  const from = dialects[kept.dialect] as ChatDialect
  if (!kept.stream) return from.readReply(jsonOf(kept))
  const gather = new Gather({ id: '', model: kept.modelGroup, created: Math.floor(kept.at / 1_000) })
  for (const event of eventsIn(kept)) gather.push(event)
  return gather.reply
}

const jsonOf = ({ body }: KeptAnswer): Json => readJson(body) as Json
const bytesOf = (body: Uint8Array | string): Uint8Array =>
  typeof body === 'string' ? new TextEncoder().encode(body) : body
