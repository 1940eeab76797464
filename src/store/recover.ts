/**
 * After a crash: every hold that is still in the database belongs to an attempt whose end nobody saw. It becomes a
 * charge of its prompt (estimated; the provider may have sold more, but what is not known is not invented), and the
 * money is free again before the first request is served.
 */
import { costOf, type Price } from '../core/price.ts'
import { NO_USAGE } from '../core/usage.ts'
import { movesOf } from './ledger.ts'
import type { Store } from './open.ts'
import { type HoldRow, type Moves, Outbox } from './outbox.ts'

/** Returns how many attempts were left open. Throws where the database cannot be written: then nothing is served. */
export function recoverHolds(store: Store, now: number): number {
  const rows = store.sqlite
    .prepare(
      `SELECT operation, attempt, started_at AS startedAt, key_id AS keyId, target, h.price, p.price AS priceText, call, amount,
        input_likely AS inputLikely, scopes FROM holds h JOIN prices p ON p.id = h.price`,
    )
    .all() as (HoldRow & { priceText: string })[]
  const outbox = new Outbox(store, (cause) => {
    throw cause
  })
  for (const row of rows) {
    const usage = { ...NO_USAGE, input: row.inputLikely }
    outbox.charge(
      {
        ...{
          operation: row.operation,
          attempt: row.attempt,
          startedAt: row.startedAt,
          keyId: row.keyId,
          target: row.target,
        },
        ...{ price: row.price, call: row.call, firstMs: null, durationMs: Math.max(0, now - row.startedAt) },
        ...{ outcome: 'interrupted', status: 0, ...usage, source: 'estimated' },
        cost: costOf(JSON.parse(row.priceText) as Price, usage),
      },
      movesOf(JSON.parse(row.scopes) as Moves),
    )
  }
  outbox.flush()
  return rows.length
}
