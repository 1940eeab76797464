/** The guardrails of a configuration, with what they need of the house. */
import { sign } from '../../providers/bedrock.ts'
import { MemoryShelf } from '../cache/memory.ts'
import { RedisShelf } from '../cache/redis.ts'
import { SealedShelf } from '../cache/sealed.ts'
import type { Shelf } from '../cache/shelf.ts'
import { GuardError, type GuardTools } from '../guardrails/guard.ts'
import { type Guards, guardsOf } from '../guardrails/guards.ts'
import { kinds } from '../guardrails/kinds/index.ts'
import type { GuardTerms } from '../guardrails/terms.ts'
import { askAlias } from '../pipeline/ask-alias.ts'
import type { Io } from '../pipeline/io.ts'
import { Sealer, type SealKeys } from '../secrets/seal.ts'
import type { Secret } from '../secrets/secret.ts'
import { StoredShelf } from '../store/kept-things.ts'
import type { Store } from '../store/open.ts'
import type { AwsIdentity } from '../upstream/aws-credentials.ts'

/** Verdicts that are kept in memory: 64 MB, of which most are one byte and a key. */
const BOUNDS = { bytes: 64 * 1024 * 1024, entries: 200_000, largest: 256 * 1024 }
const STORED_BYTES = 256 * 1024 * 1024

interface House {
  now(): number
  random(): number
  fetch: GuardTools['fetch']
  /** Made later than the guards; undefined: there is no gateway, and none of its models can be asked. */
  io: (() => Io) | undefined
  /** Where verdicts lie outside of memory; undefined: they do not. */
  kept:
    | {
        store: Store
        seals: SealKeys
        /** Under which keys are made digests: secret. */
        root: Buffer
        redis: Secret | undefined
        warn(message: string, facts: Readonly<Record<string, unknown>>): void
      }
    | undefined
}

export interface OpenGuards {
  guards: Guards
  close(): Promise<void>
}

/** @throws Error naming a guardrail that can't be made */
export function openGuards(terms: readonly GuardTerms[], house: House): OpenGuards {
  const { now, random, fetch, io } = house
  const shelves = new Map<string, Shelf>()
  const shelf = (where: Where): Shelf => {
    const known = shelves.get(where) ?? shelfIn(where, house)
    shelves.set(where, known)
    return known
  }
  // One that can't be opened is told of at the start.
  for (const { cache } of terms) if (cache) shelf(cache.in)
  const tools: GuardTools = {
    fetch,
    ask: (alias, messages, signal, schema) => {
      if (io) return askAlias(io(), alias, messages, signal, schema)
      throw new GuardError('refused', 'It asks a model of the gateway: try it with POST /guardrails/test.', false)
    },
    now,
    sign: (identity, service, region, request) =>
      sign(identity as AwsIdentity, service, region, { ...request, headers: {} }),
    env: process.env,
  }
  return {
    guards: guardsOf(terms, kinds, tools, { shelf, random }),
    close: async () => {
      for (const one of shelves.values()) await one.close()
    },
  }
}

type Where = NonNullable<GuardTerms['cache']>['in']

function shelfIn(where: Where, { now, kept }: House): Shelf {
  if (where === 'memory' || !kept) return new MemoryShelf(now, BOUNDS)
  const { store, seals, root, redis, warn } = kept
  const failed = (cause: unknown) => warn('A verdict could not be kept.', { told: String(cause) })
  if (where === 'redis' && !redis) throw new Error('Verdicts are to be kept in a Redis that nobody names.')
  const outside =
    where === 'redis'
      ? new RedisShelf(redis as Secret, 'tollgate:verdicts:', now)
      : new StoredShelf(store, 'verdicts', STORED_BYTES, now, failed)
  return named(new SealedShelf(outside, new Sealer(seals, 'verdicts')), root)
}

/** Outside of this process a name is a digest under a key of ours: nobody can tell from it what was looked at. */
function named(shelf: Shelf, root: Buffer): Shelf {
  const secret = new Bun.CryptoHasher('sha256', root).update('tollgate verdict keys').digest()
  const nameOf = (key: string) => new Bun.CryptoHasher('sha256', secret).update(key).digest('hex')
  return {
    get: (key) => shelf.get(nameOf(key)),
    set: (key, value, ttlMs) => shelf.set(nameOf(key), value, ttlMs),
    delete: (keys) => shelf.delete(keys.map(nameOf)),
    flush: (prefix) => shelf.flush(prefix),
    ping: () => shelf.ping(),
    close: () => shelf.close(),
  }
}
