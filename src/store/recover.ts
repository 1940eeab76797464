/**
 * After a crash: every hold that is still in the database belongs to an attempt whose end nobody saw. It becomes a
 * charge of its prompt (estimated; the provider may have sold more, but what is not known is not invented), and the
 * money is free again before the first request is served.
 */
import { costOf } from '../core/price.ts'
import { readPrice } from '../core/price-text.ts'
import { NO_USAGE } from '../core/usage.ts'
import { startOfDay } from '../core/zone.ts'
import { Days } from './days.ts'
import { readHolds } from './hold-text.ts'
import { fact } from './keys.ts'
import { CHARGES_FROM, ZONE } from './ledger-facts.ts'
import { Names } from './names.ts'
import type { Store } from './open.ts'
import { Outbox } from './outbox.ts'
import type { Timing } from './timing.ts'

/** Nothing is left for later: it is all flushed here. */
const AT_ONCE: Timing = { now: () => 0, after: () => () => {}, soon: () => {} }

/**
 * Windows of hours notice by themselves that they missed something (store/spent.ts).
 * @returns how many attempts were left open. Throws where the database cannot be written: then nothing is served
 */
export function recoverHolds(store: Store, now: number, zone: string): number {
  const { sqlite } = store
  const texts = sqlite.prepare('SELECT facts FROM holds ORDER BY id').pluck().all() as string[]
  const charged = sqlite.prepare('SELECT 1 FROM charges WHERE operation = ? AND attempt = ?')
  const priceOf = sqlite.prepare('SELECT price FROM prices WHERE id = ?').pluck()
  const names = new Names(store)
  const days = new Days(zone)
  const outbox = new Outbox(store, names, AT_ONCE, (cause) => {
    throw cause
  })
  // Of days whose charges were let go nothing is left open: a hold of theirs only waits to be swept away.
  const from = fact(store, CHARGES_FROM)
  const kept = from === undefined ? 0 : startOfDay(fact(store, ZONE) ?? zone, Number(from))
  const left = readHolds(texts).filter((h) => h.startedAt >= kept && !charged.get(h.operation, h.attempt))
  for (const hold of left) {
    const { operation, attempt, startedAt, payer, target, price, call } = hold
    const usage = { ...NO_USAGE, input: hold.inputLikely }
    const cost = costOf(readPrice(priceOf.get(price) as string), usage)
    const words = { outcome: names.word('interrupted'), source: names.word('estimated') }
    const times = { startedAt, durationMs: Math.max(0, now - startedAt), firstMs: null, day: days.of(startedAt) }
    const row = { operation, attempt, ...times, payer, target, price, call, ...words, failed: true, status: 0 }
    outbox.charge({ ...row, ...usage, cost }, [], hold)
  }
  outbox.flush()
  sqlite.exec('DELETE FROM holds')
  return left.length
}
