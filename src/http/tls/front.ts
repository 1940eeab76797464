/**
 * Where callers show certificates, their connections end here and go on to the gateway's own listener over the loopback:
 * Bun's HTTP server asks for certificates, but tells no handler whose they were. Costs a copy of each byte, so it stands
 * only where `client_ca` is set (docs/decisions/2026-11-21-certificates-of-callers-end-in-front.md).
 */
import type { Socket, TCPSocketListener } from 'bun'
import type { Peer, PeerCertificate } from '../../core/peer.ts'

export interface FrontOptions {
  host: string
  port: number
  tls: Bun.TLSOptions
  /** Where the gateway itself listens, at 127.0.0.1. */
  inner: number
}

/** A connection that has not finished its handshake after this long is ended. */
const HANDSHAKE_S = 10
/** Bytes that may wait in one direction before the other side is read no further. */
const HIGH = 256 * 1024

type Side = Socket<Ends>

interface Ends {
  caller: Side
  gateway: Side | undefined
  peer: Peer
  /** Bytes on their way to each side that its socket did not take yet. */
  toCaller: Uint8Array[]
  toGateway: Uint8Array[]
  /** Whose end was seen: what is left goes out first. */
  ending: boolean
}

export class Front {
  readonly #options: FrontOptions
  #listener: TCPSocketListener<Ends>
  /** By the port that the gateway sees. */
  readonly #peers = new Map<number, Peer>()
  readonly #open = new Set<Side>()

  /** @throws Error with the system's code where the address can't be had */
  constructor(options: FrontOptions) {
    this.#options = options
    this.#listener = this.#listen(options.port, options.tls)
  }

  /** Another certificate from the next connection on, or other authorities; open ones go on. */
  renew(tls: Bun.TLSOptions): void {
    const { port } = this
    this.#listener.stop(false)
    this.#listener = this.#listen(port, tls)
  }

  get port(): number {
    return this.#listener.port
  }

  /** Who is behind a connection that the gateway sees from this port of the loopback; undefined: nobody who came through here. */
  peerOf(port: number): Peer | undefined {
    return this.#peers.get(port)
  }

  /** Takes no new connection. @param force cuts those that are open */
  stop(force: boolean): void {
    this.#listener.stop(force)
    if (force) for (const caller of this.#open) caller.end()
  }

  #listen(port: number, tls: Bun.TLSOptions): TCPSocketListener<Ends> {
    const required = tls.rejectUnauthorized !== false
    return Bun.listen<Ends>({
      hostname: this.#options.host,
      port,
      tls,
      // Two gateways on one port would share it silently.
      exclusive: true,
      socket: {
        open: (caller) => {
          const peer = { address: caller.remoteAddress, certificate: undefined }
          caller.data = { caller, gateway: undefined, peer, toCaller: [], toGateway: [], ending: false }
          caller.timeout(HANDSHAKE_S)
          this.#open.add(caller)
        },
        handshake: (caller, fine, fault) => {
          if (!fine && required) return void caller.end()
          caller.timeout(0)
          // `fine` only says that it may go on: where certificates are optional, also with one that nobody vouches for.
          const good = fault === null && caller.authorized
          caller.data.peer = { ...caller.data.peer, certificate: good ? certificateOf(caller) : undefined }
          this.#goOn(caller)
        },
        data: (caller, bytes) => pass(caller, caller.data.gateway, caller.data.toGateway, bytes),
        drain: (caller) => drained(caller, caller.data.toCaller, caller.data.gateway),
        timeout: (caller) => void caller.end(),
        close: (caller) => {
          this.#open.delete(caller)
          caller.data.gateway?.end()
        },
        error: (caller) => void caller.end(),
      },
    })
  }

  #goOn(caller: Side): void {
    void Bun.connect<Ends>({
      hostname: '127.0.0.1',
      port: this.#options.inner,
      data: caller.data,
      socket: {
        open: (gateway) => {
          gateway.data.gateway = gateway
          if (!this.#open.has(caller)) return void gateway.end()
          this.#peers.set(gateway.localPort, gateway.data.peer)
          drained(gateway, gateway.data.toGateway, caller)
        },
        data: (gateway, bytes) => pass(gateway, caller, gateway.data.toCaller, bytes),
        drain: (gateway) => drained(gateway, gateway.data.toGateway, caller),
        close: (gateway) => {
          this.#peers.delete(gateway.localPort)
          caller.data.ending = true
          if (caller.data.toCaller.length === 0) caller.end()
        },
        error: () => void caller.end(),
        connectError: () => void caller.end(),
      },
    }).catch(() => caller.end())
  }
}

/** Sends bytes on, as many as the other side takes; the rest waits, and beyond a mark this side is read no further. */
function pass(from: Side, to: Side | undefined, waiting: Uint8Array[], bytes: Uint8Array): void {
  const sent = to && waiting.length === 0 ? Math.max(0, to.write(bytes)) : 0
  // The buffer is Bun's and is written over: what waits needs its own.
  if (sent < bytes.byteLength) waiting.push(bytes.slice(sent))
  if (sizeOf(waiting) > HIGH) from.pause()
}

/** A side takes bytes again. */
function drained(to: Side, waiting: Uint8Array[], from: Side | undefined): void {
  for (let part = waiting[0]; part !== undefined; part = waiting[0]) {
    const sent = Math.max(0, to.write(part))
    if (sent < part.byteLength) {
      waiting[0] = part.subarray(sent)
      break
    }
    waiting.shift()
  }
  if (waiting.length === 0 && to.data.ending && to === to.data.caller) to.end()
  else if (sizeOf(waiting) <= HIGH) from?.resume()
}

const sizeOf = (parts: readonly Uint8Array[]): number => parts.reduce((sum, part) => sum + part.byteLength, 0)

function certificateOf(socket: Side): PeerCertificate | undefined {
  const shown = socket.getPeerCertificate()
  if (!shown?.raw) return undefined
  const { CN: commonName } = shown.subject as { CN?: string | string[] }
  return {
    subject: Object.entries(shown.subject)
      .flatMap(([name, value]) => [value ?? []].flat().map((v) => `${name}=${v}`))
      .join(','),
    commonName: Array.isArray(commonName) ? commonName[0] : commonName,
    names: shown.subjectaltname?.split(', ') ?? [],
    fingerprint: new Bun.CryptoHasher('sha256').update(shown.raw).digest('hex'),
    validTo: Date.parse(shown.valid_to),
  }
}
