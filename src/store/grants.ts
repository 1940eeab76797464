/** Grants at rest, and what was done to them: each step is written once, in the transaction that makes it, and never changed. */
import { and, desc, eq, gt, lt, lte } from 'drizzle-orm'
import { grantEvents, grants } from '../../drizzle/sqlite/schema.ts'
import type { Grant, GrantState } from '../core/grant.ts'
import type { Store } from './open.ts'

export interface GrantEvent {
  id: number
  grantId: string
  /** ms since the epoch. */
  at: number
  /** `master`, or a key's id. */
  actor: string
  action: GrantState
  facts: Readonly<Record<string, unknown>>
}

export interface GrantQuery {
  keyId: string | undefined
  state: GrantState | 'expired' | undefined
  now: number
  limit: number
  offset: number
}

export class GrantStore {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  /** Oldest first. */
  all(): Grant[] {
    return this.#store.db.select().from(grants).orderBy(grants.askedAt, grants.id).all().map(fromRow)
  }

  /** The grant as it is now, and the step that made it so. */
  put(grant: Grant, event: Omit<GrantEvent, 'id' | 'grantId'>): void {
    const { db } = this.#store
    const row = toRow(grant)
    const facts = JSON.stringify(event.facts)
    db.transaction(
      (tx) => {
        tx.insert(grants).values(row).onConflictDoUpdate({ target: grants.id, set: row }).run()
        tx.insert(grantEvents)
          .values({ ...event, grantId: grant.id, facts })
          .run()
      },
      { behavior: 'immediate' },
    )
  }

  get(id: string): Grant | undefined {
    const row = this.#store.db.select().from(grants).where(eq(grants.id, id)).get()
    return row && fromRow(row)
  }

  /** Newest first. @param before the id of the last page's last */
  events(asked: { grantId: string | undefined; before: number | undefined; limit: number }): GrantEvent[] {
    const { grantId, before, limit } = asked
    const rows = this.#store.db
      .select()
      .from(grantEvents)
      .where(
        and(
          grantId === undefined ? undefined : eq(grantEvents.grantId, grantId),
          before === undefined ? undefined : lt(grantEvents.id, before),
        ),
      )
      .orderBy(desc(grantEvents.id))
      .limit(limit)
      .all()
    return rows.map((row) => ({ ...row, action: row.action as GrantState, facts: JSON.parse(row.facts) }))
  }

  /** Newest first. */
  list({ keyId, state, now, limit, offset }: GrantQuery): Grant[] {
    return this.#store.db
      .select()
      .from(grants)
      .where(and(keyId === undefined ? undefined : eq(grants.keyId, keyId), isIn(state, now)))
      .orderBy(desc(grants.askedAt), desc(grants.id))
      .limit(limit)
      .offset(offset)
      .all()
      .map(fromRow)
  }
}

/** What is given is `expired` when its time is over, without a step that says so. */
function isIn(state: GrantQuery['state'], now: number) {
  if (state === undefined) return undefined
  if (state === 'given') return and(eq(grants.state, 'given'), gt(grants.expiresAt, now))
  if (state === 'expired') return and(eq(grants.state, 'given'), lte(grants.expiresAt, now))
  return eq(grants.state, state)
}

type Row = typeof grants.$inferSelect

const fromRow = (row: Row): Grant => ({
  ...row,
  state: row.state as GrantState,
  reason: row.reason ?? undefined,
  duration: row.duration ?? undefined,
  decidedAt: row.decidedAt ?? undefined,
  decidedBy: row.decidedBy ?? undefined,
  expiresAt: row.expiresAt ?? undefined,
})

const toRow = (grant: Grant): Row => ({
  ...grant,
  reason: grant.reason ?? null,
  duration: grant.duration ?? null,
  decidedAt: grant.decidedAt ?? null,
  decidedBy: grant.decidedBy ?? null,
  expiresAt: grant.expiresAt ?? null,
})
