/** Answers one request as its behaviour says. Returns whether the connection may be used again. */
import { gzipSync } from 'node:zlib'
import { type Answer, type Asked, answerFor, type Counter } from './answer.ts'
import type { Behaviour, Place } from './behaviour.ts'
import type { Connection } from './http.ts'
import type { Seen } from './record.ts'
import { BodyWriter, breakOff, type Framing, frameText, head, sendHead } from './transport.ts'
import type { Fault, Json, Reported, Speaker } from './wire/speaker.ts'

export interface Exchange {
  seen: Seen
  connection: Connection
  speaker: Speaker
  behaviour: Behaviour
}

const CONTENT = { json: 'application/json', sse: 'text/event-stream; charset=utf-8', ndjson: 'application/x-ndjson' }

const FAULTS: Readonly<Record<number, string>> = {
  400: 'Invalid request',
  401: 'Incorrect API key provided',
  403: 'You are not allowed to use this model',
  404: 'The model does not exist or you do not have access to it',
  429: 'Rate limit reached for requests',
  503: 'The server is overloaded, please try again later',
  529: 'Overloaded',
}

/** The fault that a status stands for. */
function faultOf(behaviour: Behaviour, seen: Seen, status: number): Fault {
  const key = seen.headers.authorization ?? seen.headers['x-api-key'] ?? seen.headers['x-goog-api-key'] ?? 'none'
  const message = behaviour.error?.message ?? FAULTS[status] ?? 'The server had an error while processing your request'
  return { ...behaviour.error, message: behaviour.echoKey === true ? `${message}: ${key}` : message }
}

/** An answer of known length: errors, whole answers, lists. */
export async function sendWhole(
  exchange: Exchange,
  status: number,
  payload: Uint8Array,
  type: string,
  tokens = 0,
): Promise<boolean> {
  const { connection, behaviour, seen } = exchange
  const stop = behaviour.stop
  let bytes = payload
  const headers: Record<string, string> = {
    'content-type': type,
    'x-request-id': `req_mock_${seen.id}`,
    ...behaviour.headers,
  }
  if (behaviour.gzip !== undefined) {
    bytes = gzipSync(bytes)
    if (behaviour.gzip === 'corrupt') bytes = bytes.map((b, i) => (i > 12 && i % 3 === 0 ? b ^ 0x5a : b))
    headers['content-encoding'] = 'gzip'
  }
  const lie = behaviour.contentLength ?? 0
  const framing: Framing =
    stop?.how === 'cut' && stop.at !== 'start'
      ? 'chunked'
      : behaviour.untilClose === true
        ? 'close'
        : { length: Math.max(0, bytes.length + lie) }
  if (!(await sendHead(connection, seen, status, head(status, headers, framing, behaviour.informational)))) return false
  const writer = new BodyWriter(connection, framing, behaviour)
  if (stop !== undefined && stop.at !== 'start') {
    const part =
      stop.at === 'headers' || tokens === 0 ? 0 : Math.floor((bytes.length * Math.min(stop.at, tokens)) / tokens)
    await writer.write(bytes.subarray(0, part))
    return breakOff(stop.how, connection, writer)
  }
  if (!(await writer.write(bytes))) return false
  if (behaviour.leaveOpen === true) return breakOff('hang', connection)
  if (lie !== 0) {
    connection.end()
    seen.doneAt = Date.now() - seen.at
    return false
  }
  const again = await writer.end()
  seen.doneAt = Date.now() - seen.at
  return again
}

export const sendJson = (exchange: Exchange, status: number, body: unknown, tokens = 0): Promise<boolean> =>
  sendWhole(exchange, status, Buffer.from(JSON.stringify(body)), CONTENT.json, tokens)

/** Everything that may stand in the way of the answer that was asked for, on any route. Undefined: nothing does. */
export async function obstruct(exchange: Exchange): Promise<boolean | undefined> {
  const { behaviour, connection, seen, speaker } = exchange
  if (behaviour.delayHeaders !== undefined && !(await connection.sleep(behaviour.delayHeaders))) return false
  if (behaviour.stop?.at === 'start') return breakOff(behaviour.stop.how, connection)
  if (behaviour.status !== undefined) {
    if (behaviour.body !== undefined) {
      const type = behaviour.headers?.['content-type'] ?? 'text/plain'
      return sendWhole(exchange, behaviour.status, Buffer.from(behaviour.body), type)
    }
    return sendJson(
      exchange,
      behaviour.status,
      speaker.error(behaviour.status, faultOf(behaviour, seen, behaviour.status)),
    )
  }
  if (behaviour.errorBody === true) return sendJson(exchange, 200, speaker.error(500, faultOf(behaviour, seen, 500)))
  if (behaviour.empty === true) return sendWhole(exchange, 200, new Uint8Array(), CONTENT.json)
  return undefined
}

/** A chat, a completion or a message, streamed or whole. */
export async function respond(
  exchange: Exchange,
  asked: Asked,
  defaultWords: number,
  counter?: Counter,
): Promise<boolean> {
  const { behaviour, seen, speaker, connection } = exchange
  const other = await obstruct(exchange)
  if (other !== undefined) return other
  if (behaviour.rejectPrefill === true && asked.prefill !== undefined) {
    const message =
      'This model does not support assistant message prefill. The conversation must end with a user message.'
    return sendJson(exchange, 400, speaker.error(400, { message, type: 'invalid_request_error' }))
  }
  const answer = answerFor(asked, behaviour, seen.id, defaultWords, counter)
  const usage = reportedOf(answer, asked, behaviour)
  seen.sold.prompt = answer.promptTokens
  seen.detail = { ...behaviour.detail, reasoning: 0 }
  if (asked.stream && behaviour.plain !== true) return stream(exchange, asked, answer, usage)
  const waits = (behaviour.delayFirst ?? 0) + (behaviour.delayBetween ?? 0) * answer.completionTokens
  if (!(await connection.sleep(waits + (behaviour.silence?.ms ?? 0)))) return false
  seen.sold.completion = answer.completionTokens * asked.n
  seen.detail.reasoning = answer.soFar(Number.POSITIVE_INFINITY).reasoning
  if (usage) seen.reported = { prompt: usage.prompt, completion: usage.completion }
  const whole = Buffer.from(JSON.stringify(speaker.whole(answer, asked, usage, behaviour)))
  if (behaviour.bigEvent !== undefined || behaviour.drip !== undefined) {
    if (!(await sendHead(connection, seen, 200, head(200, { 'content-type': CONTENT.json }, 'chunked')))) return false
    return endless(exchange, new BodyWriter(connection, 'chunked', behaviour), '')
  }
  // In a whole answer what does not belong stands in the middle of the JSON, after its first brace.
  const odd = behaviour.insert ? [whole.subarray(0, 1), inserted(behaviour.insert), whole.subarray(1)] : [whole]
  return sendWhole(exchange, 200, Buffer.concat(odd), CONTENT.json, answer.completionTokens)
}

function reportedOf(answer: Answer, asked: Asked, behaviour: Behaviour): Reported | undefined {
  if (behaviour.noUsage === true) return undefined
  return {
    prompt: behaviour.usage?.prompt ?? answer.promptTokens,
    completion: behaviour.usage?.completion ?? answer.completionTokens * asked.n,
    cacheRead: behaviour.detail?.cacheRead ?? 0,
    cacheWrite: behaviour.detail?.cacheWrite ?? 0,
    cacheWriteHour: behaviour.detail?.cacheWriteHour ?? 0,
    reasoning: answer.soFar(Number.POSITIVE_INFINITY).reasoning,
    searches: behaviour.detail?.searches ?? 0,
    gpuMs: behaviour.detail?.gpuMs,
    service: behaviour.detail?.service,
  }
}

async function stream(exchange: Exchange, asked: Asked, answer: Answer, usage: Reported | undefined): Promise<boolean> {
  const { behaviour, connection, seen, speaker } = exchange
  const type = CONTENT[speaker.framing]
  if (behaviour.gzip !== undefined || behaviour.contentLength !== undefined) {
    const frames = speaker.frames(answer, asked, usage, behaviour)
    const all = [...frames].map((frame, i) => frameText(frame, speaker.framing, behaviour.sse, i)).join('')
    seen.sold.completion = answer.completionTokens * asked.n
    if (usage) seen.reported = { prompt: usage.prompt, completion: usage.completion }
    return sendWhole(exchange, 200, Buffer.from(all), type, answer.completionTokens)
  }
  const headers = {
    'content-type': type,
    'cache-control': 'no-cache',
    'x-request-id': `req_mock_${seen.id}`,
    ...behaviour.headers,
  }
  const framing = behaviour.untilClose === true ? 'close' : 'chunked'
  if (!(await sendHead(connection, seen, 200, head(200, headers, framing, behaviour.informational)))) return false
  const writer = new BodyWriter(connection, framing, behaviour)
  if (behaviour.stop?.at === 'headers') return breakOff(behaviour.stop.how, connection, writer)
  if (behaviour.bigEvent !== undefined || behaviour.drip !== undefined)
    return endless(exchange, writer, speaker.framing === 'sse' ? 'data: ' : '')

  let serial = 0
  let made = 0
  for (const frame of speaker.frames(answer, asked, usage, behaviour)) {
    if (frame.tokens !== undefined || made > 0) {
      if (reached(behaviour.stop?.at, made)) return breakOff(behaviour.stop!.how, connection, writer)
      if (reached(behaviour.errorAfter, made)) {
        await writer.write(frameText(speaker.inBand(faultOf(behaviour, seen, 500)), speaker.framing))
        return finish(exchange, writer)
      }
    }
    if (frame.tokens !== undefined) {
      const insert = behaviour.insert
      if (insert !== undefined && insert.after === made) {
        if (!(await writer.write(inserted(insert)))) return false
      }
      if (behaviour.silence?.after === made && !(await beSilent(exchange, writer))) return false
      const wait = made === 0 ? (behaviour.delayFirst ?? 0) : (behaviour.delayBetween ?? 0)
      if (!(await connection.sleep(wait))) return false
    } else if (behaviour.errorAfter === 0) {
      // As the first event: not even the dialect's opening comes before it.
      await writer.write(frameText(speaker.inBand(faultOf(behaviour, seen, 500)), speaker.framing))
      return finish(exchange, writer)
    }
    if (!(await writer.write(frameText(frame, speaker.framing, behaviour.sse, serial++)))) return false
    if (frame.tokens === undefined) continue
    made += frame.tokens
    const { completion, reasoning } = asked.n > 1 ? { completion: made, reasoning: 0 } : answer.soFar(made)
    seen.sold.completion = completion
    seen.detail = { ...seen.detail, reasoning }
  }
  if (usage && (asked.includeUsage || speaker.framing === 'ndjson')) {
    seen.reported = { prompt: usage.prompt, completion: usage.completion }
  }
  if (behaviour.leaveOpen === true) return breakOff('hang', connection)
  return finish(exchange, writer)
}

const inserted = ({ text, base64 }: NonNullable<Behaviour['insert']>): Buffer =>
  base64 === undefined ? Buffer.from(text ?? '') : Buffer.from(base64, 'base64')

const reached = (at: Place | undefined, made: number): boolean => typeof at === 'number' && made >= at

async function finish(exchange: Exchange, writer: BodyWriter): Promise<boolean> {
  const again = await writer.end()
  if (!exchange.connection.closed) exchange.seen.doneAt = Date.now() - exchange.seen.at
  return again
}

/** Silence in the middle, with or without SSE comments. */
async function beSilent({ behaviour, connection, speaker }: Exchange, writer: BodyWriter): Promise<boolean> {
  const { ms, comments } = behaviour.silence!
  if (comments !== true || speaker.framing !== 'sse') return connection.sleep(ms)
  const until = Date.now() + ms
  while (Date.now() < until) {
    if (!(await writer.write(': keep-alive\n\n'))) return false
    if (!(await connection.sleep(Math.min(50, until - Date.now())))) return false
  }
  return true
}

/** Bytes that never complete an event. */
async function endless({ behaviour, connection }: Exchange, writer: BodyWriter, opening: string): Promise<boolean> {
  const start: Json = { id: 'endless', choices: [{ index: 0, delta: { content: '' } }] }
  if (!(await writer.write(opening + JSON.stringify(start).slice(0, -5)))) return false
  if (behaviour.drip !== undefined) {
    while (await connection.sleep(behaviour.drip)) if (!(await writer.write('x'))) return false
    return false
  }
  const block = Buffer.alloc(64 * 1024, 'x')
  for (let left = behaviour.bigEvent ?? 0; left > 0; left -= block.length) {
    if (!(await writer.write(block.subarray(0, Math.min(left, block.length))))) return false
  }
  return breakOff('hang', connection)
}
