/** Counts failed attempts by address and by account, and says who has to wait. */
import ipaddr from 'ipaddr.js'
import { type AttemptRules, type Attempts, afterFailure, waitLeft } from '../core/attempts.ts'
import { type TellChange, tellNobody } from '../core/change.ts'
import { Refusal } from '../core/refusal.ts'
import { Lru } from './lru.ts'

/** Addresses that are remembered, and as many accounts: who has many of one must not make the others be forgotten. */
const MOST = 20_000

export class Guard {
  readonly #rules: AttemptRules
  readonly #now: () => number
  readonly #warn: (message: string, facts: Readonly<Record<string, unknown>>) => void
  readonly #tell: TellChange
  readonly #seen: (address: string) => void
  readonly #addresses = new Lru<Attempts>(MOST)
  readonly #accounts = new Lru<Attempts>(MOST)

  /** @param seen told of each failure's address */
  constructor(
    rules: AttemptRules,
    now: () => number,
    warn: (message: string, facts: Readonly<Record<string, unknown>>) => void,
    tell: TellChange = tellNobody,
    seen: (address: string) => void = () => {},
  ) {
    this.#tell = tell
    this.#rules = rules
    this.#now = now
    this.#warn = warn
    this.#seen = seen
  }

  #of(name: string): Lru<Attempts> {
    return name.startsWith('ip:') ? this.#addresses : this.#accounts
  }

  /** What to tell one of these who has to wait; undefined: he may try. */
  refusalFor(...names: readonly string[]): Refusal | undefined {
    const left = Math.max(0, ...names.map((name) => waitLeft(this.#of(name).get(name), this.#now())))
    if (left === 0) return undefined
    return new Refusal(
      'too_many_attempts',
      `Too many failed attempts to come in. Try again in ${Math.ceil(left / 1000)} s, with the right credentials.`,
      { retryAfterMs: left },
    )
  }

  failed(...names: readonly string[]): void {
    for (const name of names) {
      if (name.startsWith('ip:')) this.#seen(name.slice(3))
      const after = afterFailure(this.#of(name).get(name), this.#now(), this.#rules)
      this.#of(name).set(name, after)
      const wait = waitLeft(after, this.#now())
      // Once for each doubling, and not for each of a million attempts: waits do not grow for ever.
      if (wait > 0 && (wait < this.#rules.longestMs || (after.fails & (after.fails - 1)) === 0)) {
        this.#warn('Somebody fails to come in and has to wait.', { who: name, fails: after.fails, wait_ms: wait })
        this.#tell({ table: 'lockout', id: name, action: 'locked_out', after: { fails: after.fails, wait_ms: wait } })
      }
    }
  }

  succeeded(...names: readonly string[]): void {
    for (const name of names) this.#of(name).delete(name)
  }
}

/** One caller has 2^64 addresses of IPv6 (RFC 6177): the first half of one is he. */
export function byAddress(ip: string | undefined): string {
  if (ip === undefined || !ipaddr.IPv6.isValid(ip)) return `ip:${ip ?? 'unknown'}`
  return `ip:${ipaddr.IPv6.parse(ip).toNormalizedString().split(':').slice(0, 4).join(':')}::/64`
}

/** Names are somebody's to choose: no longer than a name is. */
export const byAccount = (name: string): string => `account:${name.slice(0, 100)}`
