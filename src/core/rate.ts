/**
 * Requests and tokens in any 60 seconds, in 121 buckets of half a second each: the current one and the 120 before it, so
 * that no span of 60 s is ever over its limit, and none is more than 1 % under it (fixed windows allow twice the limit around their edge, and LiteLLM's start
 * at the first request: litellm#24677, #18953).
 */

const BUCKETS = 121
const BUCKET_MS = 500

/** Counts something over the last minute. Costs one array of 121 numbers. */
export class Meter {
  readonly #buckets = new Float64Array(BUCKETS)
  #second = 0
  #sum = 0

  #advance(now: number): void {
    const second = Math.floor(now / BUCKET_MS)
    const passed = second - this.#second
    if (passed <= 0) return
    if (passed >= BUCKETS) {
      this.#buckets.fill(0)
      this.#sum = 0
    } else {
      for (let s = this.#second + 1; s <= second; s++) {
        this.#sum -= this.#buckets[s % BUCKETS] as number
        this.#buckets[s % BUCKETS] = 0
      }
    }
    this.#second = second
  }

  /** What was counted in the last minute. */
  used(now: number): number {
    this.#advance(now)
    return this.#sum
  }

  /** Whether `amount` more fits under `limit`. */
  fits(now: number, limit: number, amount: number): boolean {
    // What has left the minute meanwhile makes it only less: mostly the clock need not be asked.
    return this.#sum + amount <= limit || this.used(now) + amount <= limit
  }

  add(now: number, amount: number): void {
    this.#advance(now)
    const slot = this.#second % BUCKETS
    this.#buckets[slot] = (this.#buckets[slot] as number) + amount
    this.#sum += amount
  }

  /** Corrects what was counted at `then` by `delta`; nothing where that has already left the minute. */
  correct(then: number, now: number, delta: number): void {
    this.#advance(now)
    const second = Math.floor(then / BUCKET_MS)
    if (this.#second - second >= BUCKETS) return
    const slot = second % BUCKETS
    this.#buckets[slot] = (this.#buckets[slot] as number) + delta
    this.#sum += delta
  }

  /** ms until `amount` more fits under `limit`; Infinity where it never does. */
  waitFor(now: number, limit: number, amount: number): number {
    let over = this.used(now) + amount - limit
    if (over <= 0) return 0
    if (amount > limit) return Number.POSITIVE_INFINITY
    for (let s = this.#second - BUCKETS + 1; s <= this.#second; s++) {
      if (s < 0) continue
      over -= this.#buckets[s % BUCKETS] as number
      if (over <= 0) return Math.max(1, (s + BUCKETS) * BUCKET_MS - now)
    }
    return BUCKETS * BUCKET_MS
  }
}
