/** All limits of a request, taken in one step or none: a request refused by one limit burns none of the others. */
import type { Limits } from './key.ts'
import { Meter } from './rate.ts'

/** The running counts of one scope. */
export class Counters {
  readonly requests = new Meter()
  readonly tokens = new Meter()
  parallel = 0
  /** ms since the epoch, when it was last asked for. */
  usedAt = 0
}

/** Callers can name any number of customers: those whose minute is over are let go when there are this many. */
const MOST_SCOPES = 10_000
const IDLE_MS = 62_000

/** The counters of all scopes. */
export class AllCounters {
  readonly #scopes = new Map<string, Counters>()
  #sweepAt = MOST_SCOPES

  /** @param now ms since the epoch */
  of(scope: string, now: number): Counters {
    let counters = this.#scopes.get(scope)
    if (!counters) {
      if (this.#scopes.size >= this.#sweepAt) this.#sweep(now)
      counters = new Counters()
      this.#scopes.set(scope, counters)
    }
    counters.usedAt = now
    return counters
  }

  /** What nobody asked for in more than a minute counts nothing any more. */
  #sweep(now: number): void {
    for (const [scope, { parallel, usedAt }] of this.#scopes)
      if (parallel === 0 && now - usedAt > IDLE_MS) this.#scopes.delete(scope)
    this.#sweepAt = Math.max(MOST_SCOPES, this.#scopes.size * 2)
  }

  get size(): number {
    return this.#scopes.size
  }
}

export interface Checked {
  scope: string
  limits: Limits
  counters: Counters
}

export interface Exceeded {
  scope: string
  what: 'requests' | 'tokens' | 'parallel requests'
  used: number
  max: number
  /** ms until it may pass; for parallel requests a guess of one second. */
  retryAfterMs: number
}

/** What was taken, to be given back once. */
export interface Taken {
  at: number
  tokens: number
  checked: readonly Checked[]
  released: boolean
}

/**
 * Takes one request and `tokens` from every scope, or says which limit stands in the way.
 * @param tokens the estimate: prompt and answer together; corrected when the answer is known
 */
export function takeLimits(checked: readonly Checked[], tokens: number, now: number): Taken | Exceeded {
  for (const { scope, limits, counters } of checked) {
    const { rpm, tpm, parallel } = limits
    if (parallel !== undefined && counters.parallel >= parallel)
      return { scope, what: 'parallel requests', used: counters.parallel, max: parallel, retryAfterMs: 1_000 }
    if (rpm !== undefined) {
      const wait = counters.requests.waitFor(now, rpm, 1)
      if (wait > 0)
        return {
          scope,
          what: 'requests',
          used: counters.requests.used(now),
          max: rpm,
          retryAfterMs: Math.min(wait, 60_000),
        }
    }
    if (tpm !== undefined) {
      // A prompt larger than the whole limit would never pass: it is let in when the minute is otherwise empty.
      const wait = counters.tokens.waitFor(now, tpm, Math.min(tokens, tpm))
      if (wait > 0)
        return {
          scope,
          what: 'tokens',
          used: counters.tokens.used(now),
          max: tpm,
          retryAfterMs: Math.min(wait, 60_000),
        }
    }
  }
  for (const { counters } of checked) {
    counters.requests.add(now, 1)
    counters.tokens.add(now, tokens)
    counters.parallel++
  }
  return { at: now, tokens, checked, released: false }
}

/** Ends the request: the slot is free again, and the tokens are what they really were. Idempotent. */
export function releaseLimits(taken: Taken, actualTokens: number, now: number): void {
  if (taken.released) return
  taken.released = true
  for (const { counters } of taken.checked) {
    counters.parallel--
    counters.tokens.correct(taken.at, now, actualTokens - taken.tokens)
  }
}
