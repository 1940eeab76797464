/**
 * The one way out to upstreams: where may be connected to, whom is trusted there, and that a name leads to the address that
 * was checked. A name is looked up and judged every half minute; requests go to an address that was judged, with the name in
 * `Host` and in the handshake, so that no second look-up can lead elsewhere (DNS rebinding).
 */
import { X509Certificate } from 'node:crypto'
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import tls from 'node:tls'
import { type Destination, type EgressRules, whyNotAddress, whyNotName } from './egress.ts'
import { isProxied } from './proxies.ts'

/** PEM texts, read by whoever read the configuration. */
export interface Trust {
  ca: readonly string[] | undefined
  cert: string | undefined
  key: string | undefined
  /** base64 of SHA-256 over public keys (SPKI). */
  pins: readonly string[] | undefined
}

export interface WayOutOptions {
  rules: EgressRules
  env: Readonly<Record<string, string | undefined>>
  now(): number
  /** What holds for this origin beyond the usual. */
  trustOf(origin: string): Trust | undefined
  /** For tests: all addresses of a name. */
  addressesOf?(host: string): Promise<readonly string[]>
}

/** Names move; clouds' have a minute or less. */
const FRESH_MS = 30_000
/** While name servers are silent what was found last is used for so long. */
const STALE_MS = 10 * 60_000

/** Bun's words, and the system's, for a connection that never was. */
const UNCONNECTED = new Set(['ConnectionRefused', 'FailedToOpenSocket', 'ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH'])

export type Init = RequestInit & { method?: string }

const systemAddresses = async (host: string): Promise<readonly string[]> =>
  (await lookup(host, { all: true })).map(({ address }) => address)

/** To one origin. */
export interface Way {
  /** Whether a proxy of the environment stands between. */
  readonly isProxied: boolean
  /** As `fetch`; `init` is its own to change. Redirects are never followed. @throws Error whose code is `EgressRefused` where the rules forbid it */
  fetch(url: string, init: Init): Promise<Response>
  /**
   * A WebSocket to this origin, with the same rules.
   * @param url `wss://…` @throws as `fetch`, and where the certificate is pinned: that is not checked there
   */
  socket(url: string, headers: Record<string, string>): Promise<WebSocket>
  /** Where any other connection goes to. @throws as `fetch` */
  address(): Promise<{ host: string; port: number }>
}

/** All ways. */
export interface Ways {
  /** @param named whether the operator wrote this address himself */
  of(origin: string, named: boolean): Way
}

class WayOut implements Way {
  readonly #origin: string
  readonly #to: Destination
  readonly #options: WayOutOptions
  readonly #session: Bun.FetchSession | undefined
  readonly #proxied: boolean
  /** What stands in `Host` where the URL has an address: found once, this is on every request's way. */
  readonly #named: string
  readonly #direct: boolean
  /** Why it may not be asked, where that can be said without a look-up. Found once: this is on every request's way. */
  readonly #forbidden: string | undefined
  /** What the URL begins with in place of the origin, once a name was judged. */
  #pinned: string[] = []
  #turn = 0
  #lookedAt = Number.NEGATIVE_INFINITY
  #looking: Promise<void> | undefined

  constructor(origin: string, named: boolean, options: WayOutOptions) {
    const url = new URL(origin)
    const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase()
    const secure = url.protocol === 'https:' || url.protocol === 'wss:'
    this.#origin = origin
    this.#to = { host, port: url.port || (secure ? '443' : '80'), named }
    this.#options = options
    this.#named = url.port === '' ? host : `${host}:${url.port}`
    this.#proxied = isProxied(options.env, secure, host, this.#to.port)
    // An address is what it is, and only the proxy looks up names.
    this.#direct = this.#proxied || isIP(host) !== 0
    this.#forbidden = this.#direct ? this.#judgeDirect() : undefined
    const trust = secure ? options.trustOf(origin) : undefined
    const needsName = secure && !this.#direct
    this.#session =
      trust || needsName ? new Bun.FetchSession({ tls: tlsFor(trust, needsName ? host : undefined) }) : undefined
  }

  get isProxied(): boolean {
    return this.#proxied
  }

  fetch(url: string, init: Init): Promise<Response> {
    if (this.#direct) {
      return this.#forbidden === undefined ? this.#go(url, init) : Promise.reject(refused(this.#forbidden))
    }
    const age = this.#options.now() - this.#lookedAt
    if (age < FRESH_MS) return this.#pinnedFetch(url, init)
    const looking = this.#look()
    // Nobody waits for a second look-up while the last one is not too old.
    if (this.#pinned.length > 0 && age < STALE_MS) {
      looking.catch(() => {})
      return this.#pinnedFetch(url, init)
    }
    return looking.then(() => this.#pinnedFetch(url, init))
  }

  async socket(url: string, headers: Record<string, string>): Promise<WebSocket> {
    const trust = this.#options.trustOf(this.#origin)
    if (trust?.pins) throw refused(`the certificate of ${this.#to.host} is pinned, which is not checked for WebSockets`)
    // Bun's client takes headers and TLS options, which the standard's has no place for.
    const open = (to: string, more: Record<string, string>, name: string | undefined): WebSocket =>
      new WebSocket(to, { headers: { ...headers, ...more }, tls: tlsFor(trust, name) } as never)
    const { host, port } = await this.address()
    if (this.#direct) return open(url, {}, undefined)
    const pinned = new URL(url)
    const named = pinned.host
    pinned.hostname = host.includes(':') ? `[${host}]` : host
    pinned.port = String(port)
    return open(pinned.href, { host: named }, this.#to.host)
  }

  async address(): Promise<{ host: string; port: number }> {
    const port = Number(this.#to.port)
    if (this.#direct) {
      if (this.#forbidden !== undefined) throw refused(this.#forbidden)
      return { host: this.#to.host, port }
    }
    if (this.#options.now() - this.#lookedAt >= FRESH_MS) await this.#look()
    const { hostname } = new URL(this.#pinned[this.#turn % this.#pinned.length] as string)
    return { host: hostname.replace(/^\[|\]$/g, ''), port }
  }

  #judgeDirect(): string | undefined {
    const { rules } = this.#options
    return whyNotName(rules, this.#to) ?? (this.#proxied ? undefined : whyNotAddress(rules, this.#to, this.#to.host))
  }

  async #pinnedFetch(url: string, init: Init): Promise<Response> {
    const headers = { ...(init.headers as Record<string, string>), host: this.#named }
    const all = { ...init, headers, proxy: false } as Init
    const pinned = this.#pinned
    for (let tried = 1; ; tried++) {
      const turn = this.#turn
      try {
        return await this.#go(pinned[turn % pinned.length] + url.slice(this.#origin.length), all)
      } catch (cause) {
        // Another of its addresses from now on (`localhost` may be ::1 only in name). Where no connection came about nothing
        // was sent, so it may be sent again.
        if (this.#turn === turn) this.#turn++
        const { code } = cause as { code?: string }
        if (tried >= pinned.length || !UNCONNECTED.has(code ?? '') || init.signal?.aborted) throw cause
      }
    }
  }

  #go(url: string, init: Init): Promise<Response> {
    init.redirect = 'manual'
    return this.#session ? this.#session.fetch(url, init as never) : fetch(url, init)
  }

  /** One look-up for all who wait. */
  #look(): Promise<void> {
    this.#looking ??= this.#judge().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  async #judge(): Promise<void> {
    const { rules, now, addressesOf = systemAddresses } = this.#options
    const why = whyNotName(rules, this.#to)
    if (why !== undefined) throw refused(why)
    const found = await addressesOf(this.#to.host)
    const faults = found.map((address) => whyNotAddress(rules, this.#to, address))
    // One bad address is enough: whoever mixes them in means that it is taken some day.
    const fault = faults.find((one) => one !== undefined)
    if (fault !== undefined) {
      this.#pinned = []
      this.#lookedAt = Number.NEGATIVE_INFINITY
      throw refused(fault)
    }
    if (found.length === 0) throw Object.assign(new Error(`${this.#to.host} has no address`), { code: 'ENOTFOUND' })
    const { protocol, port } = new URL(this.#origin)
    const next = found.map(
      (address) => `${protocol}//${address.includes(':') ? `[${address}]` : address}${port === '' ? '' : `:${port}`}`,
    )
    this.#lookedAt = now()
    // The same addresses in another order are no news: connections are kept open to the one in use.
    if (next.length === this.#pinned.length && next.every((one) => this.#pinned.includes(one))) return
    this.#pinned = next
    this.#turn = 0
  }
}

const refused = (why: string): Error => Object.assign(new Error(`Not connected: ${why}.`), { code: 'EgressRefused' })

/** @param name what the certificate must be for, where the URL holds an address in its place */
function tlsFor(trust: Trust | undefined, name: string | undefined): NonNullable<Bun.FetchSessionInit['tls']> {
  const { ca, cert, key, pins } = trust ?? {}
  return {
    ...(ca ? { ca: [...ca] } : {}),
    ...(cert !== undefined && key !== undefined ? { cert, key } : {}),
    ...(name !== undefined ? { serverName: name } : {}),
    ...(pins
      ? {
          checkServerIdentity: (host: string, shown: tls.PeerCertificate) =>
            tls.checkServerIdentity(name ?? host, shown) ?? unpinned(pins, shown),
        }
      : {}),
  }
}

function unpinned(pins: readonly string[], shown: tls.PeerCertificate): Error | undefined {
  const key = new X509Certificate(shown.raw).publicKey.export({ type: 'spki', format: 'der' })
  const pin = new Bun.CryptoHasher('sha256').update(key).digest('base64')
  if (pins.includes(pin)) return undefined
  return Object.assign(new Error(`its certificate has the public key sha256//${pin}, which is not pinned`), {
    code: 'CERT_NOT_PINNED',
  })
}

/** Each origin has its own, made when it is first needed: as many as the configuration names. */
export class WaysOut implements Ways {
  readonly #options: WayOutOptions
  readonly #ways = new Map<string, WayOut>()

  constructor(options: WayOutOptions) {
    this.#options = options
  }

  of(origin: string, named: boolean): WayOut {
    const key = `${named} ${origin}`
    let way = this.#ways.get(key)
    if (!way) {
      way = new WayOut(origin, named, this.#options)
      this.#ways.set(key, way)
    }
    return way
  }
}
