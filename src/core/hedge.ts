/**
 * When a second target is asked because the first one is slow (Dean, Barroso: The Tail at Scale, 2013). Pure: what was
 * measured of a target, and the allowance that keeps an outage from doubling the load on everybody else.
 */
import { Tail } from './tail.ts'

export interface HedgeRules {
  /** ms without content after which somebody else is asked; `p95`: as long as 95 of 100 of its answers took lately. */
  after: 'p95' | number
  /** The share of the requests that may be asked twice, 0 to 1. */
  most: number
}

/** Second attempts that may be saved up in quiet times. */
const SAVED = 10
/** Sooner than this nobody is slow, ms. */
const SOONEST_MS = 10

/** Of one target. */
export class Hedging {
  /** ms to the first content of streams, and to the whole of whole answers: the one says nothing of the other. */
  readonly #streams = new Tail()
  readonly #wholes = new Tail()
  #allowance = 0

  /** An answer began after `ms`, or was not waited for any longer. */
  observe(now: number, stream: boolean, ms: number): void {
    ;(stream ? this.#streams : this.#wholes).observe(now, ms)
  }

  /** ms to wait for this target before another one is asked, too; undefined where too little is known. */
  after({ after }: HedgeRules, stream: boolean, now: number): number | undefined {
    if (after !== 'p95') return after
    const slow = (stream ? this.#streams : this.#wholes).quantile(now, 0.95)
    return slow === undefined ? undefined : Math.max(SOONEST_MS, slow)
  }

  /** A request goes to this target: it earns its share of a second attempt. */
  earn({ most }: HedgeRules): void {
    this.#allowance = Math.min(SAVED, this.#allowance + most)
  }

  /** A second attempt is to be made. Whether it may. */
  spend(): boolean {
    // So many additions of a tenth do not come to a whole one exactly.
    if (this.#allowance < 1 - 1e-9) return false
    this.#allowance = Math.max(0, this.#allowance - 1)
    return true
  }

  /** It was not made after all. */
  giveBack(): void {
    this.#allowance = Math.min(SAVED, this.#allowance + 1)
  }
}
