/** The one door: the ways in as the configuration puts them together, before them the lists of addresses, around them the guard. */

import type { AuthEntry, AuthInner } from '../config/auth.ts'
import type { AttemptRules } from '../core/attempts.ts'
import type { TellChange } from '../core/change.ts'
import type { Errand } from '../core/errand.ts'
import type { Key } from '../core/key.ts'
import type { Peer } from '../core/peer.ts'
import { MASTER, type Principal } from '../core/principal.ts'
import { Refusal } from '../core/refusal.ts'
import { clientAddress } from './address.ts'
import { type FormerKey, faultOf, keyWay, whose } from './api-key.ts'
import type { Badges } from './badges.ts'
import { basicWay } from './basic.ts'
import { outOfBounds } from './bounds.ts'
import { certificateWay } from './certificate.ts'
import { byAddress, Guard } from './guard.ts'
import { ipWay, notFromThere } from './ip.ts'
import { jwtWay } from './jwt.ts'
import { outsideWay } from './outside.ts'
import { Ranges } from './ranges.ts'
import type { RefusedKeys } from './refused-keys.ts'
import { ABSENT, allOf, anyOf, isPrincipal, type Verdict, type Way } from './way.ts'
import type { WayOut } from './way-out.ts'

/** Lists of addresses. `admin` is `tollgate.admin.allowed_ips`. */
type List = 'all' | 'models' | 'manage' | 'admin'
const LISTS: Readonly<Record<Errand, readonly List[]>> = {
  models: ['all', 'models'],
  manage: ['all', 'manage', 'admin'],
  session: ['all', 'manage', 'admin'],
}

export interface DoorOptions {
  auth: {
    entries: readonly AuthEntry[] | undefined
    trusted: readonly string[]
    allowed: Partial<Record<List, readonly string[] | undefined>>
    attempts: AttemptRules
  }
  /** A header of the operator's own that may hold the key, in lower case. */
  keyHeader: string | undefined
  badges: Badges
  recognise(secret: string): Key | 'master' | undefined
  principalOf(key: Key): Principal
  /** A virtual key by its id. */
  keyOf(id: string): Key | undefined
  digestOf(secret: string): string
  formerOf(digest: string): FormerKey | undefined
  /** Whether the secret by which somebody came in with a key still works. */
  stands(key: Key): boolean
  refused: RefusedKeys
  /** What this gateway is (`prod`); undefined: it does not say. */
  environment: string | undefined
  hasTeam(id: string): boolean
  /** Who is at the other end of the connection. */
  peerOf(request: Request): Peer
  /** Who a cookie says he is. */
  session(request: Request, headers: Headers, errand: Errand): Verdict
  wayOut: WayOut
  /** Told who has to wait. */
  tell: TellChange
  now(): number
  warn(message: string, facts: Readonly<Record<string, unknown>>): void
  /** Somebody there did not come in. */
  failedFrom?(address: string): void
}

/** Faults that somebody makes who guesses. A token that has expired is none. */
const GUESSES: readonly Refusal['code'][] = ['invalid_api_key', 'invalid_credentials']

export class Door {
  readonly #options: DoorOptions
  readonly #trusted: Ranges
  readonly #allowed: Partial<Record<List, Ranges>>
  readonly #guard: Guard
  readonly #way: Way

  /** @throws Error with a sentence for the operator: a file can't be read, or nothing can be verified */
  constructor(options: DoorOptions) {
    const { auth, now, warn } = options
    this.#options = options
    this.#trusted = new Ranges(auth.trusted)
    this.#allowed = Object.fromEntries(
      Object.entries(auth.allowed).flatMap(([name, list]) => (list ? [[name, new Ranges(list)]] : [])),
    )
    this.#guard = new Guard(auth.attempts, now, warn, options.tell, (address) => options.failedFrom?.(address))
    this.#way = anyOf((auth.entries ?? [{ api_key: {} }]).map((entry) => this.#wayOf(entry)))
  }

  /** Whoever else lets people in counts their failures here. */
  get guard(): Guard {
    return this.#guard
  }

  #wayOf(said: AuthEntry | AuthInner): Way {
    const { badges, keyHeader, hasTeam, wayOut, now, warn } = this.#options
    if ('all' in said && said.all) return allOf(said.all.map((one) => this.#wayOf(one)))
    if (said.any) return anyOf(said.any.map((one) => this.#wayOf(one)))
    if (said.basic) return basicWay(said.basic, { badges, guard: this.#guard, now, warn })
    if (said.jwt) return jwtWay(said.jwt, { badges, hasTeam, wayOut, now, warn })
    if (said.mtls) return certificateWay(said.mtls, badges, now)
    if (said.ip) return ipWay(said.ip, badges)
    if (said.check) return outsideWay(said.check, { badges, wayOut, now, warn })
    return keyWay(said.api_key ?? {}, keyHeader === undefined ? [] : [keyHeader], this.#options)
  }

  /** The client's address: behind trusted proxies what they say. */
  addressOf(request: Request): string | undefined {
    const { address: peer } = this.#options.peerOf(request)
    return this.#options.auth.trusted.length === 0 ? peer : clientAddress(peer, request.headers, this.#trusted)
  }

  #checkAddress(ip: string | undefined, errand: Errand): void {
    for (const name of LISTS[errand]) {
      const list = this.#allowed[name]
      if (list && !list.has(ip)) throw notFromThere(ip)
    }
  }

  /** For what is open to whoever may manage from where he is. @throws Refusal 403 */
  admitAddress(request: Request): void {
    this.#checkAddress(this.addressOf(request), 'manage')
  }

  /**
   * Who it is: at once for keys, and later for whom somebody else has to be asked.
   * @param headers the request's, or those with what stood elsewhere @throws Refusal 401, 403, 429, 503
   */
  admit(request: Request, headers: Headers, errand: Errand): Principal | Promise<Principal> {
    const { address: peer, certificate } = this.#options.peerOf(request)
    const isProxied = this.#options.auth.trusted.length > 0 && this.#trusted.has(peer)
    const ip = isProxied ? clientAddress(peer, request.headers, this.#trusted) : peer
    this.#checkAddress(ip, errand)
    const logged = this.#options.session(request, headers, errand)
    if (logged !== ABSENT) return this.#settle(logged, ip)
    const verdict = this.#way.try({ request, headers, ip, isProxied, certificate })
    if (verdict instanceof Promise)
      return verdict.then((late) => this.#bounded(this.#settle(late, ip), request, ip, errand))
    return this.#bounded(this.#settle(verdict, ip), request, ip, errand)
  }

  /** A key may be for certain addresses, routes or gateways alone. */
  #bounded(who: Principal, request: Request, ip: string | undefined, errand: Errand): Principal {
    const { key } = who
    if (!key) return who
    const told = outOfBounds(key, { request, ip, errand, environment: this.#options.environment })
    if (told) {
      const { refused } = this.#options
      if (told.code === 'address_forbidden') refused.note(whose(key), 'address', ip)
      else if (told.detail.facts?.key_environment) refused.note(whose(key), 'environment', ip)
      throw told
    }
    return who
  }

  #settle(verdict: Verdict, ip: string | undefined): Principal {
    if (isPrincipal(verdict)) return verdict
    const name = byAddress(ip)
    if (verdict instanceof Refusal) {
      if (!GUESSES.includes(verdict.code)) throw verdict
      const wait = this.#guard.refusalFor(name)
      this.#guard.failed(name)
      throw wait ?? verdict
    }
    throw new Refusal('missing_api_key', `Nothing was sent that says who you are. Send ${this.#way.told}.`)
  }

  /** The same somebody, as he is now. @throws Refusal 401 where he may no longer be here */
  still(who: Principal): Principal {
    if (who.way === 'master') return MASTER
    const { now, keyOf, principalOf, stands } = this.#options
    if (who.way !== 'key' || who.key === undefined || who.name.startsWith('key:file:')) {
      if (who.until === undefined || who.until > now()) return who
      throw new Refusal('expired_credentials', 'Your credentials have expired. Come in with new ones.')
    }
    const key = keyOf(who.key.id)
    if (!key) throw new Refusal('revoked_api_key', 'This API key was deleted.')
    const fault = faultOf(key, now())
    if (fault) throw fault
    if (!stands(who.key)) throw new Refusal('revoked_api_key', 'This API key was replaced. Use the new one.')
    return principalOf(key)
  }
}
