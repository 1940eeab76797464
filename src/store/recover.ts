/**
 * After a crash: every hold that is still in the database belongs to an attempt whose end nobody saw. It becomes a
 * charge of its prompt (estimated; the provider may have sold more, but what is not known is not invented), and the
 * money is free again before the first request is served.
 */
import { costOf, type Price } from '../core/price.ts'
import { NO_USAGE } from '../core/usage.ts'
import { movesOf } from './ledger.ts'
import type { Store } from './open.ts'
import { type HeldFacts, Outbox } from './outbox.ts'

/** Returns how many attempts were left open. Throws where the database cannot be written: then nothing is served. */
export function recoverHolds(store: Store, now: number): number {
  const rows = store.sqlite
    .prepare(
      `SELECT h.operation, h.attempt, h.facts, p.price FROM holds h JOIN prices p ON p.id = h.facts ->> 3
       WHERE NOT EXISTS (SELECT 1 FROM charges c WHERE c.operation = h.operation AND c.attempt = h.attempt)`,
    )
    .all() as { operation: number; attempt: number; facts: string; price: string }[]
  const outbox = new Outbox(store, (cause) => {
    throw cause
  })
  for (const { operation, attempt, facts: text, price } of rows) {
    const facts = JSON.parse(text) as HeldFacts
    const [startedAt, keyId, target, priceId, call, , inputLikely, ...scopes] = facts
    const usage = { ...NO_USAGE, input: inputLikely }
    const ending = {
      durationMs: Math.max(0, now - startedAt),
      firstMs: null,
      outcome: 'interrupted',
      status: 0,
      source: 'estimated',
    }
    const cost = costOf(JSON.parse(price) as Price, usage)
    const row = { operation, attempt, startedAt, keyId, target, price: priceId, call, ...ending, ...usage, cost }
    outbox.charge(row, movesOf(scopes), { operation, attempt, facts })
  }
  outbox.flush()
  store.sqlite.exec('DELETE FROM holds')
  return rows.length
}
