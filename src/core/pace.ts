/** How fast a target answers: the first content, and each token after it, decayed so that old news fades. */

/** A measurement weighs half after this long, ms. */
const HALF_LIFE_MS = 60_000
/** And is no news at all any more after this long. */
export const STALE_MS = 300_000

export class Pace {
  #firstMs = 0
  #msPerToken = 0
  #weight = 0
  #tokenWeight = 0
  /** ms since the epoch of the last measurement; 0 before there was one. */
  at = 0

  /**
   * An answer came.
   * @param firstMs to its first content @param restMs from there to its end @param tokens of the answer
   */
  observe(now: number, firstMs: number, restMs: number, tokens: number): void {
    const kept = 0.5 ** (Math.max(0, now - this.at) / HALF_LIFE_MS)
    this.at = now
    this.#weight = this.#weight * kept + 1
    this.#firstMs += (firstMs - this.#firstMs) / this.#weight
    // One token has no pace.
    if (tokens < 2) return
    this.#tokenWeight = this.#tokenWeight * kept + 1
    this.#msPerToken += (restMs / (tokens - 1) - this.#msPerToken) / this.#tokenWeight
  }

  /** Whether it says anything of now. */
  isKnown(now: number): boolean {
    return this.at > 0 && now - this.at < STALE_MS
  }

  /** ms to the first content. */
  get firstMs(): number {
    return this.#firstMs
  }

  /** ms for each token behind it. */
  get msPerToken(): number {
    return this.#msPerToken
  }

  /** ms that an answer of so many tokens is expected to take. */
  expected(tokens: number): number {
    return this.#firstMs + this.#msPerToken * tokens
  }
}
