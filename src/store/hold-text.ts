/** A hold as it is written: what is needed to charge an attempt whose end nobody saw, and nothing else. */

export interface HoldRow {
  operation: number
  attempt: number
  startedAt: number
  /** Numbers of store/names.ts. */
  payer: number
  target: number
  price: number
  call: number
  /** Nano-dollars. */
  amount: number
  /** Likely tokens of the prompt. */
  inputLikely: number
}

/** One of `holds.facts`: holds that were taken, and those that were let go without a charge. */
export function holdText(taken: readonly HoldRow[], dropped: readonly HoldRow[]): string {
  // By hand: all of it is numbers, and JSON.stringify costs four times as much here (1.2 µs a hold against 0.3).
  let text = ''
  for (const r of taken)
    text += `${text === '' ? '' : ','}[${r.operation},${r.attempt},${r.startedAt},${r.payer},${r.target},${r.price},${r.call},${r.amount},${r.inputLikely}]`
  for (const { operation, attempt } of dropped) text += `${text === '' ? '' : ','}[${operation},${attempt}]`
  return `[${text}]`
}

type Taken = [number, number, number, number | null, number, number, number, number, number]

/**
 * The holds of all rows that were not let go. Rows in the order in which they were written: an attempt whose hold was let
 * go may have been held again under its number, for another target.
 */
export function readHolds(rows: readonly string[]): HoldRow[] {
  const taken = new Map<string, HoldRow>()
  for (const row of rows) {
    const holds = JSON.parse(row) as (Taken | [number, number])[]
    // A hold is let go only after it was written: what is let go in its own row is an earlier one of its number.
    for (const hold of holds) if (hold.length === 2) taken.delete(`${hold[0]} ${hold[1]}`)
    for (const hold of holds) if (hold.length !== 2) taken.set(`${hold[0]} ${hold[1]}`, readHold(hold))
  }
  return [...taken.values()]
}

/** What was written before migration 0003 names the master key by null, and more behind what is needed. */
function readHold([operation, attempt, startedAt, payer, target, price, call, amount, inputLikely]: Taken): HoldRow {
  return { operation, attempt, startedAt, payer: payer ?? 0, target, price, call, amount, inputLikely }
}
