/**
 * Timers for thousands of requests at once: one interval looks at all deadlines, so that arming and moving one costs a
 * store into a field. Fires at most one tick late; timeouts are in seconds.
 */

const TICK_MS = 50

export interface Deadline {
  /** ms of the clock; moved by storing another value. Infinity rests. */
  at: number
  fire(now: number): void
}

export class Deadlines {
  readonly #armed = new Set<Deadline>()
  readonly #clock: () => number
  #timer: ReturnType<typeof setInterval> | undefined

  constructor(clock: () => number) {
    this.#clock = clock
  }

  /** `fire` is called once `at` has passed, and again if it moves `at` itself; until it is disarmed. */
  arm(at: number, fire: (now: number) => void): Deadline {
    const deadline: Deadline = { at, fire }
    this.#armed.add(deadline)
    this.#timer ??= setInterval(() => this.tick(), TICK_MS)
    return deadline
  }

  disarm(deadline: Deadline | undefined): void {
    if (!deadline) return
    this.#armed.delete(deadline)
    if (this.#armed.size > 0 || !this.#timer) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  tick(): void {
    const now = this.#clock()
    for (const deadline of this.#armed) {
      if (deadline.at > now) continue
      deadline.at = Number.POSITIVE_INFINITY
      deadline.fire(now)
    }
  }

  get size(): number {
    return this.#armed.size
  }
}
