/** A clock that stands still until it is told to go on. Timers fire one at a time, so that each can be looked at. */
import type { Timing } from '../../src/store/timing.ts'
import { hold } from './violation.ts'

interface Timer {
  at: number
  act: () => void
}

export class FakeTime {
  #now: number
  /** By their time; of the same time, in the order in which they were set. */
  #timers: Timer[] = []
  #soon: (() => void)[] = []
  #life = 0
  /** How many timers fired since the clock last moved. */
  #still = 0

  /** @param now ms since the epoch */
  constructor(now: number) {
    this.#now = now
  }

  readonly now = (): number => this.#now

  after(ms: number, act: () => void): () => void {
    const timer = { at: this.#now + ms, act }
    let i = this.#timers.length
    while (i > 0 && (this.#timers[i - 1] as Timer).at > timer.at) i--
    this.#timers.splice(i, 0, timer)
    return () => {
      const at = this.#timers.indexOf(timer)
      if (at >= 0) this.#timers.splice(at, 1)
    }
  }

  soon(act: () => void): void {
    this.#soon.push(act)
  }

  /** Whether something waits for the end of this turn. */
  get hasSoon(): boolean {
    return this.#soon.length > 0
  }

  /** Ends this turn of the loop. */
  turn(): void {
    const acts = this.#soon
    this.#soon = []
    for (const act of acts) act()
  }

  /** When the next timer fires, ms since the epoch; Infinity where there is none. */
  get next(): number {
    return this.#timers[0]?.at ?? Number.POSITIVE_INFINITY
  }

  /** Goes on to the next timer that fires before `end` and fires it, or to `end`. @returns whether one fired */
  step(end: number): boolean {
    if (this.next > end) {
      this.#now = Math.max(this.#now, end)
      return false
    }
    const { at, act } = this.#timers.shift() as Timer
    this.#still = at > this.#now ? 0 : this.#still + 1
    hold('waiting has an end', this.#still < 1_000, () => 'timers are set without end, and time stands still')
    this.#now = Math.max(this.#now, at)
    act()
    return true
  }

  /** Everything that was to happen is forgotten, as it is with the process; what of it still runs sets nothing in motion. */
  crash(): void {
    this.#timers = []
    this.#soon = []
    this.#life++
  }

  /** The time of one process. */
  ofProcess(): Timing {
    const life = this.#life
    return {
      now: this.now,
      after: (ms, act) => (life === this.#life ? this.after(ms, act) : () => {}),
      soon: (act) => {
        if (life === this.#life) this.soon(act)
      },
    }
  }
}
