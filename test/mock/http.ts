/** A small HTTP/1.1 server over raw TCP: raw, so that it can also answer wrongly. */
import type { Socket } from 'bun'

export interface Request {
  method: string
  /** Without the query. */
  path: string
  query: string
  /** Lower-case names; repeated headers joined by ', '. */
  headers: Record<string, string>
  body: Buffer
}

/** What is left of a request that is still arriving. */
type Parsed = { request: Request; rest: Buffer } | 'more' | 'bad'

/** One request from the front of `bytes`, if it is all there. */
export function parse(bytes: Buffer): Parsed {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return bytes.length > 1_000_000 ? 'bad' : 'more'
  const [first = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n')
  const [method, target, version] = first.split(' ')
  if (method === undefined || target === undefined || !version?.startsWith('HTTP/1.')) return 'bad'
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const colon = line.indexOf(':')
    if (colon < 1) return 'bad'
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1).trim()
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`
  }
  const after = bytes.subarray(end + 4)
  const body = /chunked/i.test(headers['transfer-encoding'] ?? '')
    ? dechunk(after)
    : sized(after, Number(headers['content-length'] ?? 0))
  if (body === 'more' || body === 'bad') return body
  const question = target.indexOf('?')
  const path = question < 0 ? target : target.slice(0, question)
  const query = question < 0 ? '' : target.slice(question + 1)
  return { request: { method, path, query, headers, body: body.body }, rest: body.rest }
}

type Body = { body: Buffer; rest: Buffer } | 'more' | 'bad'

function sized(bytes: Buffer, length: number): Body {
  if (!Number.isInteger(length) || length < 0) return 'bad'
  return bytes.length < length ? 'more' : { body: bytes.subarray(0, length), rest: bytes.subarray(length) }
}

function dechunk(bytes: Buffer): Body {
  const parts: Buffer[] = []
  let at = 0
  for (;;) {
    const line = bytes.indexOf('\r\n', at)
    if (line < 0) return 'more'
    const size = Number.parseInt(bytes.toString('latin1', at, line), 16)
    if (Number.isNaN(size)) return 'bad'
    at = line + 2
    if (bytes.length < at + size + 2) return 'more'
    if (size === 0) return { body: Buffer.concat(parts), rest: bytes.subarray(at + 2) }
    parts.push(bytes.subarray(at, at + size))
    at += size + 2
  }
}

/** One accepted connection. Writing waits for the kernel, so a slow reader slows the writer. */
export class Connection {
  readonly id: number
  closed = false
  /** The mock itself ended or reset it. */
  byUs = false
  /** Bytes the kernel has taken, and ms spent waiting for it to take them. */
  sent = 0
  waited = 0
  readonly gone: Promise<void>
  #socket: Socket<State>
  #left!: () => void
  #drained: (() => void) | undefined

  constructor(id: number, socket: Socket<State>) {
    this.id = id
    this.#socket = socket
    this.gone = new Promise((resolve) => {
      this.#left = resolve
    })
  }

  /** @returns whether the peer was still there for all of it. */
  async write(data: string | Uint8Array): Promise<boolean> {
    let bytes = typeof data === 'string' ? Buffer.from(data) : data
    while (!this.closed) {
      const taken = this.#socket.write(bytes)
      if (taken < 0) {
        // The peer is gone, and the runtime says so a moment later.
        this.closed = true
        return false
      }
      this.sent += taken
      if (taken === bytes.length) return true
      bytes = bytes.subarray(taken)
      const began = performance.now()
      await new Promise<void>((resolve) => {
        this.#drained = resolve
      })
      this.waited += performance.now() - began
    }
    return false
  }

  /** Waits; false as soon as the peer leaves. */
  async sleep(ms: number): Promise<boolean> {
    if (ms <= 0 || this.closed) return !this.closed
    let timer: ReturnType<typeof setTimeout> | undefined
    const slept = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms)
    })
    await Promise.race([slept, this.gone])
    clearTimeout(timer)
    return !this.closed
  }

  /** FIN, after what was written. */
  end(): void {
    this.byUs = true
    this.#socket.end()
  }

  /** RST at once. */
  reset(): void {
    this.byUs = true
    this.#socket.terminate()
  }

  onDrain(): void {
    const drained = this.#drained
    this.#drained = undefined
    drained?.()
  }

  onClose(): void {
    this.closed = true
    this.onDrain()
    this.#left()
  }
}

interface State {
  connection: Connection
  chunks: Buffer[]
  size: number
  /** Bytes at which parsing is worth another try, so that a large body is not joined for each packet. */
  next: number
  busy: boolean
  continued: boolean
}

/** @returns whether the connection may carry another request. */
export type Handler = (request: Request, connection: Connection) => Promise<boolean>

export interface Listener {
  port: number
  /** Closes the door and every connection. */
  stop(): void
}

/** Listens on 127.0.0.1. Requests of one connection are answered in turn. */
export function listen(port: number, handler: Handler): Listener {
  let connections = 0
  const open = new Set<Connection>()
  const server = Bun.listen<State>({
    hostname: '127.0.0.1',
    port,
    socket: {
      open(socket) {
        const connection = new Connection(++connections, socket)
        open.add(connection)
        socket.setNoDelay(true)
        socket.data = { connection, chunks: [], size: 0, next: 0, busy: false, continued: false }
      },
      data(socket, bytes) {
        const state = socket.data
        state.chunks.push(Buffer.from(bytes))
        state.size += bytes.length
        void work(state, handler)
      },
      drain: (socket) => socket.data.connection.onDrain(),
      close(socket) {
        open.delete(socket.data.connection)
        socket.data.connection.onClose()
      },
      error(socket) {
        open.delete(socket.data.connection)
        socket.data.connection.onClose()
      },
    },
  })
  return {
    port: server.port,
    stop() {
      server.stop(true)
      for (const connection of open) connection.reset()
    },
  }
}

async function work(state: State, handler: Handler): Promise<void> {
  if (state.busy) return
  state.busy = true
  while (state.size > 0 && state.size >= state.next && !state.connection.closed) {
    const bytes = state.chunks.length === 1 ? state.chunks[0]! : Buffer.concat(state.chunks)
    const parsed = parse(bytes)
    state.chunks = [bytes]
    if (parsed === 'more') {
      state.next = expected(bytes)
      if (!state.continued && /\r\nexpect: 100-continue/i.test(bytes.toString('latin1', 0, 8192))) {
        state.continued = true
        await state.connection.write('HTTP/1.1 100 Continue\r\n\r\n')
      }
      break
    }
    state.next = 0
    state.continued = false
    if (parsed === 'bad') {
      await state.connection.write('HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n')
      state.connection.end()
      return
    }
    state.chunks = parsed.rest.length > 0 ? [parsed.rest] : []
    state.size = parsed.rest.length
    const keep = await handler(parsed.request, state.connection)
    // Stays busy: nothing more is read from a connection that is at its end.
    if (!keep) return
    // What came meanwhile stands behind the rest.
    state.size = state.chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  }
  state.busy = false
}

/** How many bytes the request will have, where its head says so. */
function expected(bytes: Buffer): number {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return 0
  const length = /\r\ncontent-length:\s*(\d+)/i.exec(bytes.toString('latin1', 0, end))
  return length ? end + 4 + Number(length[1]) : 0
}
