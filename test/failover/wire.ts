/** Callers who speak over a raw connection, and read what comes byte by byte. */
import { connect, type Socket } from 'node:net'
import type { Tongue } from '../support/ask.ts'
import type { Gateway } from '../support/gateway.ts'

const PATHS = { openai: '/v1/chat/completions', ollama: '/api/chat' } as const

/** The head of a request with the master key. */
export const head = (gateway: Gateway, path: string, lines: readonly string[]): string =>
  [`POST ${path} HTTP/1.1`, 'host: gateway', `authorization: Bearer ${gateway.masterKey}`, ...lines, '', ''].join(
    '\r\n',
  )

/** A whole request for an answer. @param lines further headers */
export function chat(
  gateway: Gateway,
  tongue: Tongue,
  model: string,
  stream: boolean,
  content = 'Hi there',
  lines: readonly string[] = [],
): string {
  const body = JSON.stringify({ model, stream, messages: [{ role: 'user', content }] })
  return head(gateway, PATHS[tongue], [...lines, `content-length: ${Buffer.byteLength(body)}`]) + body
}

export interface Reading {
  socket: Socket
  /** Bytes so far. */
  count(): number
  text(): string
  /** Resolves as soon as `test` holds, or the connection has ended. @throws after `ms` */
  until(test: () => boolean, ms?: number): Promise<void>
  ended(): boolean
}

/** Connects and writes. @param keep whether what comes is kept as text, too @param halfOpen the sending side is shut at once */
export function speak(
  port: number,
  said: string,
  { keep = true, halfOpen = false }: { keep?: boolean; halfOpen?: boolean } = {},
): Reading {
  let count = 0
  let over = false
  const parts: Buffer[] = []
  let look = (): void => {}
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: halfOpen }, () => {
    if (halfOpen) socket.end(said)
    else socket.write(said)
  })
  socket.on('data', (part: Buffer) => {
    count += part.length
    if (keep) parts.push(part)
    look()
  })
  const end = () => {
    over = true
    look()
  }
  socket.on('end', end).on('close', end).on('error', end)
  const text = () => Buffer.concat(parts).toString('utf8')
  const until = (test: () => boolean, ms = 10_000) =>
    new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${ms} ms in vain; came: ${text().slice(-300)}`)), ms)
      look = () => {
        if (!over && !test()) return
        clearTimeout(timer)
        look = () => {}
        resolve()
      }
      look()
    })
  return { socket, count: () => count, text, until, ended: () => over }
}

export interface HttpAnswer {
  status: number
  headers: Headers
  body: string
}

/** The whole answers at the front of what came, in order; one that is cut off is left out. */
export function answersIn(text: string): HttpAnswer[] {
  const bytes = Buffer.from(text)
  const found: HttpAnswer[] = []
  for (let at = 0; ; ) {
    const end = bytes.indexOf('\r\n\r\n', at)
    if (end < 0) return found
    const [first = '', ...lines] = bytes.toString('utf8', at, end).split('\r\n')
    const headers = new Headers(
      lines.map((l): [string, string] => [l.slice(0, l.indexOf(':')), l.slice(l.indexOf(':') + 1).trim()]),
    )
    const read = headers.get('transfer-encoding') === 'chunked' ? chunks : sized
    const body = read(bytes, end + 4, Number(headers.get('content-length') ?? 0))
    if (!body) return found
    found.push({ status: Number(first.split(' ')[1]), headers, body: body.text })
    at = body.end
  }
}

type Body = { text: string; end: number } | undefined

const sized = (bytes: Buffer, at: number, length: number): Body =>
  at + length > bytes.length ? undefined : { text: bytes.toString('utf8', at, at + length), end: at + length }

function chunks(bytes: Buffer, from: number): Body {
  const parts: Buffer[] = []
  for (let at = from; ; ) {
    const line = bytes.indexOf('\r\n', at)
    if (line < 0) return undefined
    const size = Number.parseInt(bytes.toString('latin1', at, line), 16)
    if (Number.isNaN(size)) return undefined
    const end = line + 2 + size
    if (end + 2 > bytes.length) return undefined
    if (size === 0) return { text: Buffer.concat(parts).toString('utf8'), end: end + 2 }
    parts.push(bytes.subarray(line + 2, end))
    at = end + 2
  }
}
