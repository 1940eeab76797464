/** Failed attempts to come in: how long whoever fails has to wait. Pure: time is an argument, in ms. */

export interface AttemptRules {
  /** Failures within the window that cost nothing: people mistype. */
  free: number
  /** How long a failure is remembered after the last one. */
  windowMs: number
  /** The wait after the first failure that is not free; each further one doubles it. */
  waitMs: number
  /** No wait is longer: whoever fails for ever is locked out by this much at a time. */
  longestMs: number
}

export interface Attempts {
  fails: number
  lastAt: number
  /** Nobody is let in before. */
  until: number
}

/** What is known after one more failure. */
export function afterFailure(before: Attempts | undefined, now: number, rules: AttemptRules): Attempts {
  const fails = before && now - before.lastAt <= rules.windowMs + waitOf(before.fails, rules) ? before.fails + 1 : 1
  return { fails, lastAt: now, until: now + waitOf(fails, rules) }
}

function waitOf(fails: number, { free, waitMs, longestMs }: AttemptRules): number {
  const over = fails - free
  // 2^40 waits of a millisecond are decades.
  return over <= 0 ? 0 : Math.min(longestMs, waitMs * 2 ** Math.min(40, over - 1))
}

/** How much longer to wait; 0: not at all. */
export const waitLeft = (attempts: Attempts | undefined, now: number): number =>
  attempts ? Math.max(0, attempts.until - now) : 0
