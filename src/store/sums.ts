/** What the charges of one transaction add up to, by who paid for which target on which day. */

/** A window shorter than a day that a charge counts in. */
export interface Move {
  /** Numbers of store/names.ts. */
  scope: number
  budget: number
  start: number
}

export interface Sum {
  cost: number
  requests: number
  failed: number
  input: number
  cacheRead: number
  /** For five minutes and for an hour. */
  cacheWrite: number
  output: number
  reasoning: number
}

/** Of a charge, what counts. Numbers of store/names.ts; tokens; nano-dollars. */
interface Counted {
  payer: number
  target: number
  day: number
  cost: number
  failed: boolean
  input: number
  cacheRead: number
  cacheWrite: number
  cacheWriteHour: number
  output: number
  reasoning: number
}

export class Sums {
  readonly groups = new Map<string, { payer: number; target: number; day: number; sum: Sum }>()
  readonly windows = new Map<string, { move: Move; sum: Sum }>()

  /** @param moves windows shorter than a day that the charge counts in */
  add(row: Counted, moves: readonly Move[]): void {
    const { payer, target, day } = row
    const sum = sumOf(row)
    const name = `${payer} ${target} ${day}`
    const group = this.groups.get(name)
    if (group) add(group.sum, sum)
    else this.groups.set(name, { payer, target, day, sum: { ...sum } })
    for (const move of moves) {
      const window = `${move.scope} ${move.budget} ${move.start}`
      const known = this.windows.get(window)
      if (known) add(known.sum, sum)
      else this.windows.set(window, { move, sum: { ...sum } })
    }
  }
}

const sumOf = (row: Counted): Sum => ({
  cost: row.cost,
  requests: 1,
  failed: row.failed ? 1 : 0,
  input: row.input,
  cacheRead: row.cacheRead,
  cacheWrite: row.cacheWrite + row.cacheWriteHour,
  output: row.output,
  reasoning: row.reasoning,
})

export function add(to: Sum, more: Sum): void {
  to.cost += more.cost
  to.requests += more.requests
  to.failed += more.failed
  to.input += more.input
  to.cacheRead += more.cacheRead
  to.cacheWrite += more.cacheWrite
  to.output += more.output
  to.reasoning += more.reasoning
}

export function addTo<K>(sums: Map<K, Sum>, name: K, more: Sum): void {
  const known = sums.get(name)
  if (known) add(known, more)
  else sums.set(name, { ...more })
}
