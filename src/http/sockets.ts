/** WebSockets of callers: a request becomes one, and what is said goes to whoever talks there. */
import type { Server, ServerWebSocket, WebSocketHandler } from 'bun'
import type { SocketDoor, Talk } from '../pipeline/realtime/talk.ts'

/** OpenAI takes 15 MB of audio in one event; more than this closes the connection (1009). */
const LARGEST_MESSAGE = 16 * 1024 * 1024
/** What a caller who reads too slowly may leave unread, in bytes. */
const MOST_UNREAD = 16 * 1024 * 1024

export class Sockets implements SocketDoor {
  #server: Server<Talk> | undefined
  readonly #open = new Set<Talk>()
  /** Copies of requests → those that came, which alone can be upgraded. */
  readonly #originals = new WeakMap<Request, Request>()

  readonly handlers: WebSocketHandler<Talk> = {
    maxPayloadLength: LARGEST_MESSAGE,
    backpressureLimit: MOST_UNREAD,
    closeOnBackpressureLimit: true,
    perMessageDeflate: false,
    sendPings: true,
    open: (ws: ServerWebSocket<Talk>) => {
      this.#open.add(ws.data)
      ws.data.opened({
        send: (message) => void ws.send(message),
        close: (code, reason) => ws.close(code, reason),
      })
    },
    message: (ws: ServerWebSocket<Talk>, message) => ws.data.said(message),
    close: (ws: ServerWebSocket<Talk>) => {
      this.#open.delete(ws.data)
      ws.data.left()
    },
  }

  attach(server: Server<Talk>): void {
    this.#server = server
  }

  /** A request that was copied on its way. */
  copied(copy: Request, original: Request): Request {
    this.#originals.set(copy, original)
    return copy
  }

  /** The address that a request came from; undefined where its connection is gone. */
  addressOf(request: Request): string | undefined {
    return this.#server?.requestIP(this.#originals.get(request) ?? request)?.address
  }

  /** Whether it is a WebSocket now. @param protocol the one that was chosen of those that were offered */
  accept(request: Request, talk: Talk, protocol: string | undefined): boolean {
    const headers = protocol === undefined ? {} : { 'sec-websocket-protocol': protocol }
    return this.#server?.upgrade(this.#originals.get(request) ?? request, { data: talk, headers }) ?? false
  }

  /** Ends all of them: what they held is settled on their way out. */
  endAll(): void {
    for (const talk of this.#open) talk.end()
  }
}
