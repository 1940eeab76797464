/** What adds up over a window that moves with the clock: sixty parts of it, so that it is right to a sixtieth. Pure. */
const PARTS = 60

export class Sliding {
  readonly #partMs: number
  readonly #parts = new Float64Array(PARTS)
  /** Number of the newest part, counted from the epoch. */
  #newest = 0
  #sum = 0

  constructor(windowMs: number) {
    this.#partMs = windowMs / PARTS
  }

  /** @param now ms since the epoch */
  add(now: number, amount: number): void {
    this.#move(now)
    const at = Math.min(Math.floor(now / this.#partMs), this.#newest) % PARTS
    this.#parts[at] = (this.#parts[at] as number) + amount
    this.#sum += amount
  }

  sum(now: number): number {
    this.#move(now)
    return this.#sum
  }

  #move(now: number): void {
    const part = Math.floor(now / this.#partMs)
    if (part <= this.#newest) return
    const gone = Math.min(part - this.#newest, PARTS)
    for (let i = 1; i <= gone; i++) this.#parts[(this.#newest + i) % PARTS] = 0
    if (this.#newest === 0 || gone === PARTS) this.#parts.fill(0)
    this.#newest = part
    let sum = 0
    for (const amount of this.#parts) sum += amount
    this.#sum = sum
  }
}
