/**
 * Numbers of operations: the millisecond since 2024 × 4096, plus a count. They rise even when the clock falls back, and
 * over restarts. Exact in a double until 2093.
 */

/** The first operation number of a millisecond since the epoch. */
export const operationAt = (ms: number): number => (ms - Date.UTC(2024, 0, 1)) * 4096

/** No setting allows a longer operation, ms: a day for its answer, an hour each for its money and its turn. */
export const LONGEST_EVER_MS = 27 * 3_600_000

export class Operations {
  #last: number
  readonly #clock: () => number

  /** @param last the highest that was ever given @param clock ms since the epoch */
  constructor(last: number, clock: () => number) {
    this.#last = last
    this.#clock = clock
  }

  next(): number {
    this.#last = Math.max(this.#last + 1, operationAt(this.#clock()))
    return this.#last
  }
}
