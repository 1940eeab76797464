/**
 * The log of refused keys: who still uses one that was taken away, from where and how often. Only keys that were once let
 * in here are told one by one; what somebody guesses is a number. In memory, and bounded.
 */
import { Lru } from './lru.ts'

/** Keys that are remembered, each by its reason. */
const MOST = 1_000
/** Addresses of one. */
const MOST_ADDRESSES = 20

export type RefusedFor = 'deleted' | 'replaced' | 'blocked' | 'expired' | 'address' | 'environment'

/** Whose it is, or was. */
export interface RefusedKey {
  keyId: string
  alias: string | null
  /** The last four characters of the secret. */
  hint: string
  teamId: string | null
  userId: string | null
}

interface Seen {
  count: number
  /** ms since the epoch. */
  first: number
  last: number
}

export interface RefusedUse extends Seen {
  key: RefusedKey
  reason: RefusedFor
  addresses: Map<string, Seen>
  /** From addresses beyond those. */
  elsewhere: number
}

type Warn = (message: string, facts: Readonly<Record<string, unknown>>) => void

export class RefusedKeys {
  /** ms since the epoch: nothing is known of before. */
  readonly since: number
  /** Secrets that were never let in here. */
  unknown = 0
  readonly #now: () => number
  readonly #warn: Warn
  readonly #uses = new Lru<RefusedUse>(MOST)

  constructor(now: () => number, warn: Warn) {
    this.#now = now
    this.#warn = warn
    this.since = now()
  }

  note(key: RefusedKey, reason: RefusedFor, ip: string | undefined): void {
    const at = this.#now()
    const id = `${reason}:${key.keyId}:${key.hint}`
    const use = this.#uses.get(id) ?? { key, reason, count: 0, first: at, last: at, addresses: new Map(), elsewhere: 0 }
    use.count++
    use.last = at
    const from = ip ?? 'unknown'
    const seen = use.addresses.get(from)
    if (seen) {
      seen.count++
      seen.last = at
    } else if (use.addresses.size < MOST_ADDRESSES) use.addresses.set(from, { count: 1, first: at, last: at })
    else use.elsewhere++
    this.#uses.set(id, use)
    // Each doubling, and each new address: a program that goes on for weeks does not fill the log.
    if ((use.count & (use.count - 1)) === 0 || (!seen && use.addresses.size <= MOST_ADDRESSES && use.elsewhere === 0))
      this.#warn('A key is still used that is no longer let in.', {
        ...{ key: key.keyId, key_alias: key.alias ?? undefined, key_name: `sk-...${key.hint}`, reason, from },
        ...{ times: use.count, team_id: key.teamId ?? undefined, user_id: key.userId ?? undefined },
      })
  }

  /** The last ones first. */
  list(): RefusedUse[] {
    return this.#uses.values().sort((a, b) => b.last - a.last)
  }
}
