/** Time as the ledger sees it: a simulation puts its own in place of the system's. */
export interface Timing {
  /** ms since the epoch. */
  now(): number
  /** Calls `act` in `ms`. @returns what takes it back */
  after(ms: number, act: () => void): () => void
  /** Calls `act` when this turn of the loop is over. */
  soon(act: () => void): void
}

/** @param now ms since the epoch */
export const systemTiming = (now: () => number): Timing => ({
  now,
  after(ms, act) {
    const timer = setTimeout(act, ms)
    return () => clearTimeout(timer)
  },
  soon: (act) => void setImmediate(act),
})
