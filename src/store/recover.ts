/**
 * After a crash: every hold that is still in the database belongs to an attempt whose end nobody saw. It becomes a
 * charge of its prompt (estimated; the provider may have sold more, but what is not known is not invented), and the
 * money is free again before the first request is served.
 */
import { costOf, type Price } from '../core/price.ts'
import { NO_USAGE } from '../core/usage.ts'
import { readHolds } from './hold-text.ts'
import { factOf, movesOf } from './ledger.ts'
import { Names } from './names.ts'
import type { Store } from './open.ts'
import { Outbox } from './outbox.ts'

/** Returns how many attempts were left open. Throws where the database cannot be written: then nothing is served. */
export function recoverHolds(store: Store, now: number): number {
  const { sqlite } = store
  const texts = sqlite.prepare('SELECT facts FROM holds').pluck().all() as string[]
  const charged = sqlite.prepare('SELECT 1 FROM charges WHERE operation = ? AND attempt = ?')
  const priceOf = sqlite.prepare('SELECT price FROM prices WHERE id = ?').pluck()
  const wordOf = sqlite.prepare('SELECT word FROM words WHERE id = ?').pluck()
  const names = new Names(store)
  const outbox = new Outbox(store, (cause) => {
    throw cause
  })
  const left = readHolds(texts).filter((hold) => !charged.get(hold.operation, hold.attempt))
  for (const hold of left) {
    const { operation, attempt, startedAt, key, target, price, call } = hold
    const usage = { ...NO_USAGE, input: hold.inputLikely }
    const cost = costOf(JSON.parse(priceOf.get(price) as string) as Price, usage)
    const words = { outcome: names.word('interrupted'), source: names.word('estimated') }
    const times = { startedAt, durationMs: Math.max(0, now - startedAt), firstMs: null }
    const row = { operation, attempt, ...times, key, target, price, call, ...words, status: 0, ...usage, cost }
    outbox.charge(row, movesOf(hold.scopes.map(([scope, start]) => [wordOf.get(scope) as string, start])), hold)
  }
  outbox.flush()
  // A budget whose period changed while they were held counts them in another window than the one they were taken in.
  const forget = sqlite.prepare('DELETE FROM facts WHERE name = ?')
  for (const scope of new Set(left.flatMap((hold) => hold.scopes.map(([word]) => word))))
    forget.run(factOf(wordOf.get(scope) as string))
  sqlite.exec('DELETE FROM holds')
  return left.length
}
