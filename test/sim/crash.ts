/** The process dies. What was sent is charged once, what was not is not, and everything else is as it was written. */
import type { Entry } from './books.ts'
import { hold } from './violation.ts'
import type { World } from './world.ts'

interface Row {
  operation: number
  attempt: number
  cost: number
  tokens: number
  outcome: string
}

/** What may be found of an attempt whose charge was not written: one of these, or nothing where it was not sent. */
interface Open {
  entries: Entry[]
  costs: number[]
  must: boolean
}

/** Ends the process at this very moment, begins another, and compares what it finds with what had happened. */
export function crash(w: World): void {
  const { books, disk } = w
  const unwritten = books.forget(w.ledger.unwritten)
  const written = new Map(books.charges.map((charge) => [charge.entry.name, charge]))
  const open = new Map<string, Open>()
  const may = (entry: Entry, must: boolean, more: number[] = []) => {
    const before = must ? undefined : open.get(entry.name)
    open.set(entry.name, {
      entries: [...(before?.entries ?? []), entry],
      costs: [...(before?.costs ?? []), entry.likely.cost, ...more],
      must,
    })
  }
  // Let go, and the disk does not know it yet; a number that was let go may have been taken anew.
  for (const entry of books.released) if ((entry.releasedAt ?? -1) >= disk.commits) may(entry, false)
  // A disk that lies has written what it said it had not.
  for (const { entry, cost } of unwritten) may(entry, true, disk.lied ? [cost] : [])
  for (const entry of books.held) may(entry, entry.acknowledged)

  w.crash()

  books.held.clear()
  books.released.clear()
  w.asked.clear()
  w.over.length = 0
  const rows = w.disk.sqlite
    .prepare(
      'SELECT operation, attempt, cost, input + output AS tokens, word AS outcome FROM charges JOIN words ON id = outcome',
    )
    .all() as Row[]
  const found = new Map<string, Row>()
  for (const row of rows) found.set(`${row.operation} ${row.attempt}`, row)
  for (const [name, { entry, cost }] of written) {
    const row = found.get(name)
    if (!row && entry.at < w.keptFrom) continue
    hold('nothing lost, nothing twice', row?.cost === cost, () => `${name} was written with ${cost}: ${shown(row)}`)
  }
  for (const [name, { entries, costs, must }] of open) {
    const row = found.get(name)
    if (written.has(name)) continue
    hold('nothing lost, nothing twice', row !== undefined || !must, () => `${name} was sent and is not charged`)
    if (!row) continue
    const at = costs.indexOf(row.cost)
    hold('nothing lost, nothing twice', at >= 0, () => `${name} should be charged ${costs.join(' or ')}: ${shown(row)}`)
    const entry = entries[Math.min(at, entries.length - 1)] as Entry
    books.charge({ ...entry, acknowledged: false }, row.cost, row.tokens)
  }
  for (const [name, row] of found)
    hold('nothing lost, nothing twice', written.has(name) || open.has(name), () => `nobody sent ${shown(row)}`)
  const holds = w.disk.sqlite.prepare('SELECT count(*) FROM holds').pluck().get()
  hold('held at rest is nothing', holds === 0, () => `${holds} rows of holds after a start`)
  // What was settled and not written is charged by estimate: others may have taken what it had given back.
  for (const [scope, budgets] of w.scene.budgets)
    for (const budget of budgets) {
      const bar = w.bar(scope, budget)
      if (bar.spent > bar.limit) w.excuse(bar)
    }
}

const shown = (row: Row | undefined): string => JSON.stringify(row) ?? 'nothing'
