/**
 * How many requests a machine answers at once, where nobody says it: as many as were seen to be answered at once, and
 * one more from time to time, to find out. Seen is what cannot be otherwise: an answer that begins while others are
 * being given. One that was sent beside others and begins only when one of them has ended, was waiting for it. Pure.
 */

/** Nobody learns more than this. */
const MOST = 256
/** Between two tries of one more, ms; doubling while they fail. */
const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 300_000

export class Slots {
  /** As it is configured, or told by the machine itself; undefined where it has to be learned. */
  said: number | undefined
  readonly #configured: number | undefined
  #seen: number
  #tryAt = 0
  #pauseMs = FIRST_PAUSE_MS
  /** One more than was seen is under way. */
  #trying = false

  /** @param assumed so many where nothing was said or seen */
  constructor(said: number | undefined, assumed: number) {
    this.said = said
    this.#configured = said
    this.#seen = assumed
  }

  get isLearned(): boolean {
    return this.said === undefined
  }

  /** The machine itself says how many it has. Who configured it knows better. */
  tell(slots: number): void {
    if (this.#configured === undefined) this.said = slots
  }

  /** The machine lets somebody wait while `running` are answered: it has no more slots than that. */
  full(running: number): void {
    if (this.said === undefined && running > 0 && !Number.isFinite(this.#seen)) this.#seen = running
  }

  /** How many are known of. */
  get known(): number {
    return this.said ?? this.#seen
  }

  /** Whether one more may begin beside `running`, where somebody waits for it. */
  admits(running: number, now: number): boolean {
    if (running < this.known) return true
    return this.said === undefined && running === this.#seen && !this.#trying && now >= this.#tryAt && running < MOST
  }

  /** One begins, as the `level`-th that runs. Whether it is a try. */
  begin(level: number): boolean {
    const isTry = this.said === undefined && level > this.#seen
    if (isTry) this.#trying = true
    return isTry
  }

  /**
   * An answer has begun, of one that was sent as the `level`-th, while `others` were being given.
   * @param isTry as {@link begin} said
   */
  answered(level: number, others: number, isTry: boolean, now: number): void {
    if (this.said !== undefined) return
    if (others + 1 > this.#seen) {
      this.#seen = Math.min(MOST, others + 1)
      this.#pauseMs = FIRST_PAUSE_MS
    }
    if (isTry && level > this.#seen) this.#failed(now)
    if (isTry) this.#trying = false
  }

  /** It is over, and no answer had begun: nothing was found out. */
  gone(isTry: boolean): void {
    if (isTry) this.#trying = false
  }

  #failed(now: number): void {
    this.#tryAt = now + this.#pauseMs
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS)
  }
}
