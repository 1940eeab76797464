/** Lets go of charges that are old enough, whole days at a time; what they add up to stays in the rollups. */
import { dayAt, startOfDay } from '../core/zone.ts'
import { fact, setFact } from './keys.ts'
import { CHARGES_FROM } from './ledger-facts.ts'
import type { Store } from './open.ts'
import { operationAt } from './operation.ts'

/** So many rows go at once: about 5 ms, in which nothing else is served. */
const PORTION = 2_000

/**
 * Deletes a portion of the charges that began more than `days` whole days ago.
 * @returns how many; 0 where there is nothing left to do
 */
export function retain(store: Store, days: number, zone: string, now: number): number {
  const from = dayAt(zone, now) - days
  const start = startOfDay(zone, from)
  const known = fact(store, CHARGES_FROM)
  const { sqlite } = store
  const old = sqlite
    .prepare('SELECT operation, attempt FROM charges WHERE operation < ? AND started_at < ? ORDER BY operation LIMIT ?')
    .raw()
    .all(operationAt(start), start, PORTION) as [number, number][]
  if (old.length === 0) return 0
  const remove = sqlite.prepare('DELETE FROM charges WHERE operation = ? AND attempt = ?')
  sqlite.transaction(() => {
    // First said, then done: whoever adds the charges up has to know that these days are no longer whole.
    if (known === undefined || Number(known) < from) setFact(store, CHARGES_FROM, String(from))
    for (const [operation, attempt] of old) remove.run(operation, attempt)
  })()
  return old.length
}
