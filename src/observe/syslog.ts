/**
 * Messages to a syslog server: UDP (a datagram each), TCP and TLS (counted octets, RFC 6587 and RFC 5425). Connects again
 * where the connection ends, keeps what comes meanwhile as far as there is room, and says what it had to drop.
 */
import { createSocket, type Socket as Datagrams } from 'node:dgram'
import { connect, isIP, isIPv6, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

export interface SyslogPlace {
  way: 'udp' | 'tcp' | 'tls'
  host: string
  port: number
}

const USUAL_PORTS = { udp: 514, tcp: 601, tls: 6514 } as const

/** `tls://logs.lan:6514`, as the configuration has checked it. */
export function readSyslog(url: string): SyslogPlace {
  const [, way = '', host = '', port] = /^(\w+):\/\/(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(url) ?? []
  const known = way.toLowerCase() as SyslogPlace['way']
  return { way: known, host: host.replaceAll(/[[\]]/g, ''), port: Number(port ?? USUAL_PORTS[known]) }
}

interface SyslogHooks {
  info(message: string, facts: Readonly<Record<string, unknown>>): void
  warn(message: string, facts: Readonly<Record<string, unknown>>): void
  /** PEM, of authorities that are trusted in place of the usual ones. */
  ca?: string[] | undefined
}

const MOST_WAITING = 10_000
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000
/** What the system may hold for a receiver that does not read, in bytes. */
const MOST_UNSENT = 1024 * 1024

export class Syslog {
  readonly #place: SyslogPlace
  readonly #hooks: SyslogHooks
  #waiting: string[] = []
  #dropped = 0
  #datagrams: Datagrams | undefined
  #socket: Socket | undefined
  #isOpen = false
  #pause = FIRST_PAUSE_MS
  #timer: ReturnType<typeof setTimeout> | undefined
  #stopped = false

  constructor(place: SyslogPlace, hooks: SyslogHooks) {
    this.#place = place
    this.#hooks = hooks
    if (place.way === 'udp') {
      this.#datagrams = createSocket(isIPv6(place.host) ? 'udp6' : 'udp4')
      this.#datagrams.on('error', () => {})
      this.#datagrams.unref()
    } else this.#connect()
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.length
  }

  send(message: string): void {
    if (this.#datagrams) {
      this.#datagrams.send(Buffer.from(message), this.#place.port, this.#place.host, () => {})
      return
    }
    if (this.#waiting.length >= MOST_WAITING) {
      this.#dropped++
      return
    }
    this.#waiting.push(message)
    this.#pump()
  }

  #connect(): void {
    const { way, host, port } = this.#place
    const opened = () => {
      this.#isOpen = true
      this.#pause = FIRST_PAUSE_MS
      if (this.#dropped > 0)
        this.#hooks.warn('Messages to the syslog server were dropped while it could not be reached.', {
          dropped: this.#dropped,
        })
      this.#dropped = 0
      this.#pump()
    }
    const { ca } = this.#hooks
    // The name is said to the server where it is one (RFC 6066, 3: no addresses); a certificate has to fit either.
    const socket =
      way === 'tls'
        ? connectTls(
            { host, port, ...(isIP(host) ? {} : { servername: host }), ...(ca === undefined ? {} : { ca }) },
            opened,
          )
        : connect({ host, port }, opened)
    this.#socket = socket
    socket.on('drain', () => this.#pump())
    // A receiver says nothing; what it says is not kept.
    socket.on('data', () => {})
    let told = 'the connection ended'
    socket.on('error', (cause) => {
      told = String(cause)
    })
    socket.on('close', () => {
      const wasOpen = this.#isOpen
      this.#isOpen = false
      if (this.#stopped) return
      if (wasOpen || this.#pause === FIRST_PAUSE_MS)
        this.#hooks.warn('The syslog server cannot be reached; it will be tried again.', { host, port, told })
      this.#timer = setTimeout(() => this.#connect(), this.#pause)
      this.#timer.unref()
      this.#pause = Math.min(LONGEST_PAUSE_MS, this.#pause * 2)
    })
    socket.unref()
  }

  /** Hands on what waits, as fast as it is taken. */
  #pump(): void {
    const socket = this.#socket
    if (!this.#isOpen || !socket) return
    let sent = 0
    while (sent < this.#waiting.length && socket.writableLength < MOST_UNSENT) {
      const message = this.#waiting[sent++] as string
      socket.write(`${Buffer.byteLength(message)} ${message}`)
    }
    if (sent > 0) this.#waiting = this.#waiting.slice(sent)
  }

  /** @returns when what waited was handed on, or after `ms` */
  async stop(ms: number): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    const socket = this.#socket
    if (this.#isOpen && socket) {
      this.#pump()
      await Promise.race([new Promise<void>((resolve) => socket.end(resolve)), Bun.sleep(ms)])
    }
    socket?.destroy()
    await Bun.sleep(0)
    this.#datagrams?.close()
  }
}
