/** The cache of answers, made from its configuration: where they lie, who counts them, and what is done to all of them. */
import { Answers } from '../cache/answers.ts'
import { Meanings } from '../cache/meanings.ts'
import { MemoryShelf } from '../cache/memory.ts'
import { RedisShelf } from '../cache/redis.ts'
import { SealedShelf } from '../cache/sealed.ts'
import type { Shelf } from '../cache/shelf.ts'
import type { CacheConfig } from '../config/cache.ts'
import type { CacheDoor } from '../pipeline/io.ts'
import { Sealer, type SealKeys } from '../secrets/seal.ts'
import type { Secret } from '../secrets/secret.ts'
import { StoredShelf } from '../store/kept-things.ts'
import type { Store } from '../store/open.ts'
import { Savings } from '../store/savings.ts'

/** Bytes of all answers that are kept for repeats. */
const REPEATS_BYTES = 1024 * 1024 * 1024
/** 1,000 vectors a group, 50 MB of them in all. */
const MEANINGS = { ofGroup: 1_000, numbers: 12_500_000 }

interface House {
  store: Store
  seals: SealKeys
  /** Under which keys are made digests: secret. */
  root: Buffer
  timezone: string
  now(): number
  warn(message: string, facts: Readonly<Record<string, unknown>>): void
}

export interface Cache {
  door: CacheDoor
  shelf: Shelf
  /** All answers whose key begins so, and what is known of their meaning. @returns how many answers there were */
  flush(prefix: string): Promise<number> | number
  savings: Savings
  place: CacheConfig['place']
  /**
   * Answers of these tenants (`user:ada`, `key:abc`) are thrown away, those that are kept for repeats as well.
   * @returns how many there were @throws Error where the place can't be reached
   */
  forget(tenants: readonly string[]): Promise<number>
  close(): Promise<void>
}

export function makeCache(config: CacheConfig, house: House): Cache {
  const { store, now, warn } = house
  const failed = (cause: unknown) => warn('What is kept for a while could not be written.', { told: String(cause) })
  const sealed = (shelf: Shelf, purpose: string) => new SealedShelf(shelf, new Sealer(house.seals, purpose))
  const { bounds } = config
  const stored = (name: string, bytes: number) => sealed(new StoredShelf(store, name, bytes, now, failed), name)
  const shelves: Record<CacheConfig['place'], () => Shelf> = {
    memory: () => new MemoryShelf(now, { ...bounds, largest: bounds.bytes }),
    disk: () => stored('answers', bounds.bytes),
    redis: () => sealed(new RedisShelf(config.redis as Secret, 'tollgate:answers:', now), 'answers'),
  }
  const shelf = shelves[config.place]()
  const repeats = stored('repeats', REPEATS_BYTES)
  const savings = new Savings(store, house.timezone, failed)
  const meanings = new Meanings(MEANINGS)
  const key = new Bun.CryptoHasher('sha256', house.root).update('tollgate cache keys').digest()
  return {
    door: {
      rules: config.rules,
      keepRepeatsMs: config.keepRepeatsMs,
      largest: bounds.largest,
      answers: new Answers(shelf, bounds.largest, { now, warn }),
      repeats: new Answers(repeats, bounds.largest, { now, warn }),
      flights: new Map(),
      meanings,
      digest: (text, bytes) => {
        const hasher = new Bun.CryptoHasher('sha256', key).update(text)
        return (bytes ? hasher.update('\0').update(bytes) : hasher).digest('hex')
      },
      saved: (payer, alias, cost, at) => savings.add(payer, alias, cost, at),
    },
    shelf,
    flush: (prefix) => {
      meanings.flush(prefix)
      return shelf.flush(prefix)
    },
    savings,
    place: config.place,
    forget: async (tenants) => {
      let count = 0
      for (const tenant of tenants) {
        count += await repeats.flush(`${tenant}:`)
        meanings.flush(tenant)
        // A key's own, and those of the customers that it names.
        for (const end of tenant.includes(' ') || !tenant.startsWith('key:') ? [':'] : [':', ' '])
          count += await shelf.flush(`${tenant}${end}`)
      }
      return count
    },
    close: async () => {
      savings.flush()
      await shelf.close()
      await repeats.close()
    },
  }
}
