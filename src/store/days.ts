/** The local date of a moment, as a number: asked for each charge, and the same for most of them. */
import { dayAt, startOfDay } from '../core/zone.ts'

export class Days {
  readonly #zone: string
  #day = 0
  #start = 0
  #end = 0

  constructor(zone: string) {
    this.#zone = zone
  }

  /** Days from 1970-01-01 to the date of `at` (ms since the epoch). */
  of(at: number): number {
    if (at >= this.#start && at < this.#end) return this.#day
    this.#day = dayAt(this.#zone, at)
    this.#start = startOfDay(this.#zone, this.#day)
    this.#end = startOfDay(this.#zone, this.#day + 1)
    return this.#day
  }
}
