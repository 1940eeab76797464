/** How an answer's bytes reach the wire: HTTP framing, and everything that can go wrong with it. */
import type { Behaviour, SseStyle } from './behaviour.ts'
import type { Connection } from './http.ts'
import type { Seen } from './record.ts'
import type { Frame } from './wire/speaker.ts'

const REASONS: Readonly<Record<number, string>> = {
  100: 'Continue',
  102: 'Processing',
  103: 'Early Hints',
  200: 'OK',
  302: 'Found',
  308: 'Permanent Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
}

export type Framing = { length: number } | 'chunked' | 'close'

/** Status line and headers; interim answers first. `retry-after: date:N` becomes an HTTP date N s from now. */
export function head(
  status: number,
  headers: Record<string, string>,
  framing: Framing,
  interim: number[] = [],
): string {
  const lines = interim.map((code) => `HTTP/1.1 ${code} ${REASONS[code] ?? 'Info'}\r\n\r\n`)
  lines.push(`HTTP/1.1 ${status} ${REASONS[status] ?? 'Status'}\r\n`)
  for (const [name, value] of Object.entries(headers)) {
    const date = /^date:(-?\d+)$/.exec(value)
    const said = date ? new Date(Date.now() + Number(date[1]) * 1000).toUTCString() : value
    lines.push(`${name}: ${said}\r\n`)
  }
  lines.push(`date: ${new Date().toUTCString()}\r\n`)
  if (framing === 'chunked') lines.push('transfer-encoding: chunked\r\n')
  else if (framing === 'close') lines.push('connection: close\r\n')
  else lines.push(`content-length: ${framing.length}\r\n`)
  lines.push('\r\n')
  return lines.join('')
}

/** One event as text: SSE in the asked style, or a line of NDJSON. */
export function frameText(frame: Frame, framing: 'sse' | 'ndjson', style: SseStyle = {}, serial = 0): string {
  const end = style.crlf === true ? '\r\n' : '\n'
  // Lines have no comments: a blank one stands for them.
  if (framing === 'ndjson') return `${style.comments === true ? end : ''}${frame.data}${end}`
  const colon = style.noSpace === true ? ':' : ': '
  const lines: string[] = []
  if (style.comments === true) lines.push(`: comment ${serial}`, end)
  if (style.comments === true && serial % 2 === 0) lines.push(end)
  if (style.fields === true) lines.push(`id${colon}${serial}`, end, `retry${colon}1000`, end)
  if (frame.event !== undefined) lines.push(`event${colon}${frame.event}`, end)
  else if (style.fields === true) lines.push(`event${colon}message`, end)
  lines.push(`data${colon}${frame.data}`, end, end)
  return lines.join('')
}

/** Writes the body of one answer. Every method says whether the peer is still there. */
export class BodyWriter {
  #connection: Connection
  #framing: Framing
  #split: number

  constructor(connection: Connection, framing: Framing, behaviour: Behaviour) {
    this.#connection = connection
    this.#framing = framing
    this.#split = behaviour.split ?? 0
  }

  async write(data: string | Uint8Array): Promise<boolean> {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data
    if (this.#split <= 0) return this.#put(bytes)
    for (let at = 0; at < bytes.length; at += this.#split) {
      if (!(await this.#put(bytes.subarray(at, at + this.#split)))) return false
      // A turn of the loop, so that the pieces travel as packets of their own.
      await Bun.sleep(0)
    }
    return !this.#connection.closed
  }

  async #put(bytes: Uint8Array): Promise<boolean> {
    if (bytes.length === 0) return !this.#connection.closed
    if (this.#framing !== 'chunked') return this.#connection.write(bytes)
    const start = Buffer.from(`${bytes.length.toString(16)}\r\n`)
    return this.#connection.write(Buffer.concat([start, bytes, CRLF]))
  }

  /** The proper end. @returns whether the connection can be used again. */
  async end(): Promise<boolean> {
    if (this.#framing === 'chunked') return this.#connection.write('0\r\n\r\n')
    if (this.#framing === 'close') {
      this.#connection.end()
      return false
    }
    return !this.#connection.closed
  }
}

const CRLF = Buffer.from('\r\n')

/** Breaks an answer off as told. @returns whether the connection can be used again. */
export async function breakOff(
  how: 'hang' | 'reset' | 'cut' | 'fin',
  connection: Connection,
  writer?: BodyWriter,
): Promise<boolean> {
  if (how === 'hang') await connection.gone
  else if (how === 'reset') connection.reset()
  else if (how === 'cut' && writer) return writer.end()
  else connection.end()
  return false
}

/** Notes when the head went out. */
export async function sendHead(connection: Connection, seen: Seen, status: number, text: string): Promise<boolean> {
  seen.status = status
  const there = await connection.write(text)
  if (there) seen.headersAt = Date.now() - seen.at
  return there
}
