/**
 * Secrets that were taken away, by their digests: those of keys that were deleted, and those that were replaced. They tell
 * who still uses one, and a replaced one may go on for a while. Bounded: the oldest are forgotten.
 */
import { asc, eq, inArray } from 'drizzle-orm'
import { oldSecrets } from '../../drizzle/sqlite/schema.ts'
import type { Store } from './open.ts'

/** More are not kept; a hundred at a time go. */
const MOST = 10_000
const AT_ONCE = 100

/** Times in ms since the epoch. */
export interface OldSecret {
  digest: string
  keyId: string
  /** As it was called. */
  alias: string | null
  hint: string
  teamId: string | null
  userId: string | null
  reason: 'deleted' | 'replaced'
  /** Which of the key's secrets it was, from 0. */
  serial: number
  /** Until when it works. */
  until: number
  /** When it was taken away. */
  at: number
}

export class OldSecrets {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  /** The oldest first. */
  all(): OldSecret[] {
    return this.#store.db.select().from(oldSecrets).orderBy(asc(oldSecrets.at)).all() as OldSecret[]
  }

  /** @param held how many there are @returns digests that were forgotten to make room */
  put(secret: OldSecret, held: number): string[] {
    const { db } = this.#store
    db.insert(oldSecrets).values(secret).onConflictDoUpdate({ target: oldSecrets.digest, set: secret }).run()
    if (held < MOST) return []
    const rows = db.select({ digest: oldSecrets.digest }).from(oldSecrets).orderBy(asc(oldSecrets.at)).limit(AT_ONCE)
    const digests = rows.all().map(({ digest }) => digest)
    db.delete(oldSecrets).where(inArray(oldSecrets.digest, digests)).run()
    return digests
  }

  delete(digest: string): void {
    this.#store.db.delete(oldSecrets).where(eq(oldSecrets.digest, digest)).run()
  }
}
