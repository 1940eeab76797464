/** WebSockets of callers: a request becomes one, and what is said goes to whoever talks there. */
import type { Server, ServerWebSocket, WebSocketHandler } from 'bun'
import type { Peer } from '../core/peer.ts'
import type { SocketDoor, Talk } from '../pipeline/realtime/talk.ts'
import type { Front } from './tls/front.ts'

/** OpenAI takes 15 MB of audio in one event; more than this closes the connection (1009). */
const LARGEST_MESSAGE = 16 * 1024 * 1024
/** What a caller who reads too slowly may leave unread, in bytes. */
const MOST_UNREAD = 16 * 1024 * 1024

export class Sockets implements SocketDoor {
  #server: Server<Talk> | undefined
  #front: Front | undefined
  readonly #open = new Set<Talk>()
  /** Copies of requests → those that came, which alone can be upgraded. */
  readonly #originals = new WeakMap<Request, Request>()
  /** Those that came here, where two listeners have to be told apart. */
  readonly #here: WeakSet<Request> | undefined

  /** @param notes whether it is to be known which requests came here (`has`) */
  constructor(notes = false) {
    this.#here = notes ? new WeakSet() : undefined
  }

  /** How many are open. */
  get open(): number {
    return this.#open.size
  }

  /** Whether a request came by this listener. */
  has(request: Request): boolean {
    return this.#here?.has(this.#originals.get(request) ?? request) ?? false
  }

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

  /** @param front where all connections come through, if they do */
  attach(server: Server<Talk>, front: Front | undefined): void {
    this.#server = server
    this.#front = front
  }

  /** A request that was copied on its way. */
  copied(copy: Request, original: Request): Request {
    this.#originals.set(copy, original)
    return copy
  }

  /** Who is at the other end of a request's connection. */
  peerOf(request: Request): Peer {
    const found = this.#server?.requestIP(this.#originals.get(request) ?? request)
    if (!this.#front) return { address: found?.address, certificate: undefined }
    return (found && this.#front.peerOf(found.port)) ?? { address: undefined, certificate: undefined }
  }

  /** Whether a request has come by the way that all have to come. */
  isKnown(request: Request): boolean {
    this.#here?.add(request)
    if (!this.#front) return true
    const found = this.#server?.requestIP(request)
    return found != null && this.#front.peerOf(found.port) !== undefined
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
