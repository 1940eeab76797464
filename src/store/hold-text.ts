/** A hold as it is written: what is needed to charge an attempt whose end nobody saw, and nothing else. */

export interface HoldRow {
  operation: number
  attempt: number
  startedAt: number
  /** Numbers of store/names.ts; the key is null for the master key. */
  key: number | null
  target: number
  price: number
  call: number
  /** Nano-dollars. */
  amount: number
  /** Likely tokens of the prompt. */
  inputLikely: number
  /** Number of each scope and the start of the window it is held in. */
  scopes: readonly (readonly [scope: number, windowStart: number])[]
}

/** One of `holds.facts`: holds that were taken, and those that were let go without a charge. */
export function holdText(taken: readonly HoldRow[], dropped: readonly HoldRow[]): string {
  // By hand: all of it is numbers, and JSON.stringify costs four times as much here (1.2 µs a hold against 0.3).
  let text = ''
  for (const r of taken) {
    text += `${text === '' ? '' : ','}[${r.operation},${r.attempt},${r.startedAt},${r.key},${r.target},${r.price},${r.call},${r.amount},${r.inputLikely}`
    for (const [scope, start] of r.scopes) text += `,${scope},${start}`
    text += ']'
  }
  for (const { operation, attempt } of dropped) text += `${text === '' ? '' : ','}[${operation},${attempt}]`
  return `[${text}]`
}

/** The holds of all rows that were not let go. Order does not matter. */
export function readHolds(rows: readonly string[]): HoldRow[] {
  const taken = new Map<string, HoldRow>()
  const dropped: string[] = []
  for (const row of rows)
    for (const [operation, attempt, ...rest] of JSON.parse(row) as [number, number, ...number[]][]) {
      const name = `${operation} ${attempt}`
      if (rest.length === 0) dropped.push(name)
      else taken.set(name, { operation, attempt, ...restOf(rest) })
    }
  for (const name of dropped) taken.delete(name)
  return [...taken.values()]
}

function restOf(rest: number[]): Omit<HoldRow, 'operation' | 'attempt'> {
  const [startedAt, key, target, price, call, amount, inputLikely, ...pairs] = rest as [
    number,
    number | null,
    number,
    number,
    number,
    number,
    number,
    ...number[],
  ]
  const scopes: [number, number][] = []
  for (let i = 0; i + 1 < pairs.length; i += 2) scopes.push([pairs[i] as number, pairs[i + 1] as number])
  return { startedAt, key, target, price, call, amount, inputLikely, scopes }
}
