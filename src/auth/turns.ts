/** Passwords are checked a few at a time: each costs a core tens of milliseconds, and 64 MB. */
import { Refusal } from '../core/refusal.ts'

/** So many at one time; the others wait, and not too many of them. */
export class Turns {
  readonly #most: number
  readonly #mostWaiting: number
  readonly #waiting: (() => void)[] = []
  #taken = 0

  constructor(most: number, mostWaiting: number) {
    this.#most = most
    this.#mostWaiting = mostWaiting
  }

  async take<T>(run: () => Promise<T>): Promise<T | Refusal> {
    if (this.#taken >= this.#most) {
      if (this.#waiting.length >= this.#mostWaiting)
        return new Refusal('too_many_attempts', 'Too many passwords are being checked. Try again in a moment.', {
          retryAfterMs: 1_000,
        })
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    } else this.#taken++
    try {
      return await run()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#taken--
    }
  }
}
