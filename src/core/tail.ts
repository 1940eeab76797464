/**
 * How slow the slow ones are: quantiles of times, decayed so that old news fades. Counts in buckets each a tenth wider
 * than the one before it (as DDSketch has them: Masson, Rim, Lee 2019), so that an answer is at most a tenth too high, and hardly ever too low. Bounded:
 * 140 numbers, from 1 ms to 10 minutes.
 */

const GROWTH = Math.log(1.1)
const BUCKETS = 141
/** A measurement weighs half after this long, ms. */
const HALF_LIFE_MS = 300_000
/** Fewer measurements than this, faded as they are, say nothing of a tail: twenty of the last minutes do. */
const LEAST = 10
/** Newer ones weigh more instead of older ones less; before numbers get too large all are made small again. */
const LARGEST = 2 ** 40

export class Tail {
  readonly #counts = new Float64Array(BUCKETS)
  #total = 0
  /** ms since the epoch, when a measurement weighed 1. */
  #from = 0

  /** @param now ms since the epoch @param ms what was measured */
  observe(now: number, ms: number): void {
    let weight = this.#weightAt(now)
    if (weight > LARGEST) {
      for (let i = 0; i < BUCKETS; i++) this.#counts[i] = (this.#counts[i] as number) / weight
      this.#total /= weight
      this.#from = now
      weight = 1
    }
    const bucket = Math.min(BUCKETS - 1, Math.max(0, Math.ceil(Math.log(Math.max(1, ms)) / GROWTH)))
    this.#counts[bucket] = (this.#counts[bucket] as number) + weight
    this.#total += weight
  }

  #weightAt(now: number): number {
    return 2 ** ((now - this.#from) / HALF_LIFE_MS)
  }

  /** ms that so large a share (0 to 1) of the measurements is not above; undefined where there are too few. */
  quantile(now: number, share: number): number | undefined {
    // A year's decay is nothing, and no number.
    if (this.#total === 0 || !(this.#total / this.#weightAt(now) >= LEAST)) return undefined
    let left = this.#total * share
    for (let i = 0; i < BUCKETS; i++) {
      left -= this.#counts[i] as number
      if (left <= 0) return Math.exp(i * GROWTH)
    }
    return undefined
  }
}
