/**
 * After a crash: every hold that is still in the database belongs to an attempt whose end nobody saw. It becomes a
 * charge of its prompt (estimated; the provider may have sold more, but what is not known is not invented), and the
 * money is free again before the first request is served.
 */
import { costOf } from '../core/price.ts'
import { readPrice } from '../core/price-text.ts'
import { NO_USAGE } from '../core/usage.ts'
import { Days } from './days.ts'
import { readHolds } from './hold-text.ts'
import { Names } from './names.ts'
import type { Store } from './open.ts'
import { Outbox } from './outbox.ts'

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
  const outbox = new Outbox(store, names, (cause) => {
    throw cause
  })
  const left = readHolds(texts).filter((hold) => !charged.get(hold.operation, hold.attempt))
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
