/** When the time zone of the ledger changes, days begin at other moments: the rollups are added up anew from the charges. */
import { dayAt, startOfDay } from '../core/zone.ts'
import { Days } from './days.ts'
import { fact, setFact } from './keys.ts'
import { CHARGES_FROM, ZONE } from './ledger-facts.ts'
import { Names } from './names.ts'
import type { Store } from './open.ts'
import { Rollups } from './rollups.ts'
import { Sums } from './sums.ts'

const PAGE = 20_000

/**
 * Days whose charges are gone stay as they were counted. Totals do not change.
 * @returns the zone they were counted in before, where it was another
 */
export function rezone(store: Store, zone: string): string | undefined {
  const before = fact(store, ZONE)
  const { sqlite } = store
  const isEmpty = sqlite.prepare('SELECT 1 FROM charges LIMIT 1').get() === undefined
  if (before === zone || (before === undefined && (zone === 'UTC' || isEmpty))) {
    if (before === undefined) setFact(store, ZONE, zone)
    return undefined
  }
  const old = before ?? 'UTC'
  const kept = fact(store, CHARGES_FROM)
  sqlite.transaction(() => {
    if (kept !== undefined) {
      const start = startOfDay(old, Number(kept))
      // What is left of a day that retention has begun to delete is in its rollup already.
      sqlite.prepare('DELETE FROM charges WHERE started_at < ?').run(start)
      setFact(store, CHARGES_FROM, String(dayAt(zone, start) + 1))
    }
    const from = kept === undefined ? Number.MIN_SAFE_INTEGER : Number(kept)
    for (const table of ['rollups', 'payer_rollups']) sqlite.prepare(`DELETE FROM ${table} WHERE day >= ?`).run(from)
    addUpAgain(store, new Days(zone))
    setFact(store, ZONE, zone)
  })()
  return old
}

interface Row {
  operation: number
  attempt: number
  startedAt: number
  payer: number
  target: number
  failed: number
  cost: number
  input: number
  cacheRead: number
  cacheWrite: number
  cacheWriteHour: number
  output: number
  reasoning: number
}

function addUpAgain(store: Store, days: Days): void {
  const rollups = new Rollups(store, new Names(store))
  const page = store.sqlite.prepare<[number, number, number], Row>(
    `SELECT operation, attempt, started_at AS startedAt, payer, target, cost, input, cache_read AS cacheRead,
       cache_write AS cacheWrite, cache_write_hour AS cacheWriteHour, output, reasoning,
       outcome <> (SELECT id FROM words WHERE word = 'ok') AS failed
     FROM charges WHERE (operation, attempt) > (?, ?) ORDER BY operation, attempt LIMIT ?`,
  )
  let last: Row | undefined
  do {
    const rows = page.all(last?.operation ?? -1, last?.attempt ?? 0, PAGE)
    const sums = new Sums()
    for (const row of rows) sums.add({ ...row, failed: row.failed !== 0, day: days.of(row.startedAt) }, [])
    rollups.moveDays(sums)
    last = rows.at(-1)
  } while (last)
}
