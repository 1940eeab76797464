/**
 * All writes of the ledger, many to a transaction: measured, a transaction a request costs 12 µs and one in a batch of
 * a hundred 3.3. Holds are awaited (nothing goes upstream before its hold is written); what is settled follows within
 * 25 ms. Nothing is ever dropped: where writing fails it is tried again, and no new hold is taken meanwhile.
 */
import type { Statement } from 'better-sqlite3'
import { Refusal } from '../core/refusal.ts'
import type { Usage } from '../core/usage.ts'
import { BOUNDS, type Bounds } from './bounds.ts'
import { type HoldRow, holdText } from './hold-text.ts'
import type { Names } from './names.ts'
import type { Store } from './open.ts'
import { Rollups } from './rollups.ts'
import { type Move, Sums } from './sums.ts'
import type { Timing } from './timing.ts'

export interface ChargeRow extends Usage {
  operation: number
  attempt: number
  startedAt: number
  durationMs: number
  firstMs: number | null
  /** Numbers of store/names.ts. */
  payer: number
  target: number
  price: number
  call: number
  outcome: number
  /** It did not end well. */
  failed: boolean
  status: number
  source: number
  cost: number
  /** Days from 1970-01-01 to its local date. */
  day: number
}

/**
 * How long a settlement may wait for company: what a crash in between leaves is charged by estimate. A transaction costs
 * about 100 µs of system calls whatever is in it, and settlements touch other pages than holds.
 */
const LINGER_MS = 25
const RETRY_MS = 500

interface Booking {
  row: ChargeRow
  moves: readonly Move[]
}

interface Waiting {
  row: HoldRow
  done: (failed?: Refusal) => void
}

export class Outbox {
  #holds: Waiting[] = []
  #charges: Booking[] = []
  #dropped: HoldRow[] = []
  /** Holds that are under way; all others in the table are over. */
  readonly #open = new Set<HoldRow>()
  #over = 0
  #soon = false
  #next = false
  readonly #store: Store
  readonly #timing: Timing
  readonly #bounds: Bounds
  readonly #onError: (cause: unknown) => void
  readonly #insertHold: Statement<unknown[]>
  readonly #deleteHolds: Statement<unknown[]>
  readonly #insertCharge: Statement<unknown[]>
  readonly #rollups: Rollups
  readonly #begin: Statement<unknown[]>
  readonly #commit: Statement<unknown[]>
  readonly #rollback: Statement<unknown[]>

  /** @param onError told of each failed write; must not throw */
  constructor(
    store: Store,
    names: Pick<Names, 'scopes'>,
    timing: Timing,
    onError: (cause: unknown) => void,
    bounds: Bounds = BOUNDS,
  ) {
    const { sqlite } = store
    this.#store = store
    this.#timing = timing
    this.#bounds = bounds
    this.#onError = onError
    this.#insertHold = sqlite.prepare('INSERT INTO holds (facts) VALUES (?)')
    this.#deleteHolds = sqlite.prepare('DELETE FROM holds')
    this.#insertCharge = sqlite.prepare(
      `INSERT INTO charges VALUES (${Array(30).fill('?').join(', ')}) ON CONFLICT DO NOTHING`,
    )
    this.#rollups = new Rollups(store, names)
    this.#begin = sqlite.prepare('BEGIN IMMEDIATE')
    this.#commit = sqlite.prepare('COMMIT')
    this.#rollback = sqlite.prepare('ROLLBACK')
  }

  /** Resolves when the hold is in the database. @throws Refusal overloaded where it can't be written */
  hold(row: HoldRow): Promise<void> {
    if (this.#charges.length >= this.#bounds.unwritten) throw unwritable('too many settlements wait to be written')
    return new Promise((resolve, reject) => {
      this.#open.add(row)
      this.#holds.push({ row, done: (failed) => (failed ? reject(failed) : resolve()) })
      if (this.#next) return
      this.#next = true
      // After this turn of the loop: everything that arrived in it shares one transaction.
      this.#timing.soon(() => {
        this.#next = false
        this.#write([])
      })
    })
  }

  /** Books a charge; its hold is over with it. */
  charge(row: ChargeRow, moves: readonly Move[], hold: HoldRow): void {
    this.#charges.push({ row, moves })
    this.#open.delete(hold)
    this.#over++
    this.#flushIn(LINGER_MS)
  }

  /** Takes a hold back that nothing came of. */
  drop(hold: HoldRow): void {
    this.#open.delete(hold)
    this.#dropped.push(hold)
    this.#over++
    this.#flushIn(LINGER_MS)
  }

  #flushIn(ms: number): void {
    if (this.#soon) return
    this.#soon = true
    this.#timing.after(ms, () => {
      this.#soon = false
      this.flush()
    })
  }

  /** Writes all that waits, in one transaction. */
  flush(): void {
    const charges = this.#charges
    this.#charges = []
    this.#write(charges)
  }

  #write(charges: Booking[]): void {
    const holds = this.#holds
    const dropped = this.#dropped
    if (holds.length + charges.length + dropped.length === 0) return
    this.#holds = []
    this.#dropped = []
    try {
      this.#begin.run()
      if (holds.length + dropped.length > 0)
        this.#insertHold.run(
          holdText(
            holds.map((h) => h.row),
            dropped,
          ),
        )
      this.#writeCharges(charges)
      // Not on the way of a hold, and not while a hold in the table has its charge still here.
      const isFlush = charges.length + dropped.length > 0 && this.#charges.length === 0
      if (isFlush && this.#over >= this.#bounds.sweep) this.#sweep()
      this.#commit.run()
    } catch (cause) {
      if (this.#store.sqlite.inTransaction) this.#rollback.run()
      this.#onError(cause)
      this.#charges = charges.concat(this.#charges)
      this.#dropped = dropped.concat(this.#dropped)
      this.#flushIn(RETRY_MS)
      const failed = unwritable(String(cause))
      for (const { row, done } of holds) {
        this.#open.delete(row)
        done(failed)
      }
      return
    }
    for (const { done } of holds) done()
  }

  /** How many settlements are not written yet. */
  get unwritten(): number {
    return this.#charges.length
  }

  /** Empties the table and writes what is still open: two statements for thousands of deletions. */
  #sweep(): void {
    this.#deleteHolds.run()
    if (this.#open.size > 0) this.#insertHold.run(holdText([...this.#open], []))
    this.#over = 0
  }

  /** Charges, and every sum that they move: all in the same transaction, so that they can never differ. */
  #writeCharges(charges: readonly Booking[]): void {
    if (charges.length === 0) return
    const sums = new Sums()
    for (const { row: r, moves } of charges) {
      const { changes } = this.#insertCharge.run(
        r.operation, r.attempt, r.startedAt, r.durationMs, r.firstMs, r.payer, r.target, r.price, r.call, r.outcome, r.status,
        r.input, r.cacheRead, r.cacheWrite, r.cacheWriteHour, r.audioInput, r.output, r.reasoning, r.audioOutput,
        r.images, r.mediaMs, r.gpuMs, r.characters, r.searches, r.source, r.cost,
        r.imageInput, r.audioRead, r.imageRead, r.imageOutput,
      ) // biome-ignore format: the columns in their order
      // One that is there already must not keep all others from being written, and counts once.
      if (changes > 0) sums.add(r, moves)
      else this.#onError(new Error(`attempt ${r.attempt} of operation ${r.operation} is charged already`))
    }
    this.#rollups.move(sums)
  }
}

/** What a caller is told while the disk fails. @param told for the log */
export const unwritable = (told: string): Refusal =>
  new Refusal('overloaded', 'The ledger cannot be written at the moment, so nothing may be spent. Try again shortly.', {
    retryAfterMs: 5_000,
    private: told,
  })
