/** All limits of a request, taken in one step or none: a request refused by one limit burns none of the others. */
import type { Limits, Spacing } from './limits.ts'
import { Meter } from './rate.ts'

/** The running counts of one scope. */
export class Counters {
  readonly requests = new Meter()
  readonly tokens = new Meter()
  parallel = 0
  /** Requests of a day (core/zone.ts). */
  day = -1
  ofDay = 0
  /** ms since the epoch, when the next evenly spaced request would come (GCRA's theoretical arrival time). */
  nextAt = 0
  /** By priority, where the scope's limits are shared. */
  shares: Map<string, Counters> | undefined
  /** Requests that wanted in, whether they got in or not: what a share is lent out by. */
  readonly wanted = new Meter()
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

  /** What nobody asked for in more than a minute counts nothing any more; a day's count stays as long as its day. */
  #sweep(now: number): void {
    for (const [scope, { parallel, usedAt, day, nextAt }] of this.#scopes)
      if (parallel === 0 && now - usedAt > IDLE_MS && day < 0 && nextAt < now) this.#scopes.delete(scope)
    this.#sweepAt = Math.max(MOST_SCOPES, this.#scopes.size * 2)
  }

  get size(): number {
    return this.#scopes.size
  }
}

/** Parts of a shared limit, by priority: each is sure of its part, and what is not used is lent to the others. */
export interface Sharing {
  /** Of the request. */
  priority: string
  /** Priority → its part, 0 to 1. Whoever has none is sure of nothing and may borrow. */
  parts: Readonly<Record<string, number>>
}

export interface Checked {
  scope: string
  limits: Limits
  counters: Counters
  sharing?: Sharing | undefined
}

export interface Exceeded {
  scope: string
  what: 'requests' | 'tokens' | 'parallel requests' | 'requests a day' | 'requests in a row'
  used: number
  max: number
  /** ms until it may pass; for parallel requests a guess of one second. */
  retryAfterMs: number
  /** Only the part of this priority is used up. */
  priority?: string | undefined
}

/** What was taken, to be given back once. */
export interface Taken {
  at: number
  tokens: number
  checked: readonly Checked[]
  /** ms that the request has to wait for its turn. */
  waitMs: number
  released: boolean
}

/** A day of the gateway's calendar. */
export interface Today {
  /** core/zone.ts */
  day: number
  /** ms since the epoch. */
  end: number
}

/**
 * Takes one request and `tokens` from every scope, or says which limit stands in the way.
 * @param tokens the estimate: prompt and answer together; corrected when the answer is known
 */
export function takeLimits(checked: readonly Checked[], tokens: number, now: number, today: Today): Taken | Exceeded {
  for (const one of checked) if (one.sharing) shareOf(one.counters, one.sharing.priority).wanted.add(now, 1)
  for (const one of checked) {
    const exceeded = exceeds(one, tokens, now, today)
    if (exceeded) return exceeded
  }
  let waitMs = 0
  for (const { counters, limits, sharing } of checked) {
    counters.requests.add(now, 1)
    counters.tokens.add(now, tokens)
    counters.parallel++
    if (limits.rpd !== undefined) counters.ofDay++
    if (limits.spacing) waitMs = Math.max(waitMs, space(counters, limits.spacing, now))
    if (sharing) {
      const share = shareOf(counters, sharing.priority)
      share.requests.add(now, 1)
      share.tokens.add(now, tokens)
    }
  }
  return { at: now, tokens, checked, waitMs, released: false }
}

function exceeds(one: Checked, tokens: number, now: number, today: Today): Exceeded | undefined {
  const { scope, limits, counters, sharing } = one
  const { rpm, tpm, parallel, rpd, spacing } = limits
  if (parallel !== undefined && counters.parallel >= parallel)
    return { scope, what: 'parallel requests', used: counters.parallel, max: parallel, retryAfterMs: 1_000 }
  if (rpd !== undefined) {
    if (counters.day !== today.day) Object.assign(counters, { day: today.day, ofDay: 0 })
    if (counters.ofDay >= rpd)
      return { scope, what: 'requests a day', used: counters.ofDay, max: rpd, retryAfterMs: today.end - now }
  }
  if (spacing) {
    const wait = counters.nextAt - now - spacing.burst * spacing.everyMs
    if (wait > 0)
      return { scope, what: 'requests in a row', used: spacing.burst + 1, max: spacing.burst + 1, retryAfterMs: wait }
  }
  if (rpm !== undefined) {
    const over = overMinute(one, 'requests', rpm, 1, now) ?? overShare(counters, sharing, 'requests', rpm, 1, now)
    if (over) return { scope, ...over }
  }
  if (tpm === undefined) return undefined
  // A prompt larger than the whole limit would never pass: it is let in when the minute is otherwise empty.
  const amount = Math.min(tokens, tpm)
  const over = overMinute(one, 'tokens', tpm, amount, now) ?? overShare(counters, sharing, 'tokens', tpm, amount, now)
  return over && { scope, ...over }
}

type What = 'requests' | 'tokens'

function overMinute(
  { counters }: Checked,
  what: What,
  max: number,
  amount: number,
  now: number,
): Omit<Exceeded, 'scope'> | undefined {
  const wait = counters[what].waitFor(now, max, amount)
  return wait > 0 ? { what, used: counters[what].used(now), max, retryAfterMs: Math.min(wait, 60_000) } : undefined
}

/** The part of each priority that stays free for it though nobody asked for it in the last minute. */
const FLOOR = 0.1

/**
 * Beyond its own part a priority borrows what the others leave: their parts, less what they use, less what they are likely
 * to ask for (what they asked for in the last minute and a fifth more, at least a tenth of the part).
 */
function overShare(
  counters: Counters,
  sharing: Sharing | undefined,
  what: What,
  max: number,
  amount: number,
  now: number,
): Omit<Exceeded, 'scope'> | undefined {
  if (!sharing) return undefined
  const { priority, parts } = sharing
  const own = shareOf(counters, priority)
  const sure = (parts[priority] ?? 0) * max
  if (own[what].used(now) + amount <= sure) return undefined
  let kept = 0
  for (const [other, part] of Object.entries(parts)) {
    if (other === priority) continue
    const its = shareOf(counters, other)
    const used = its[what].used(now)
    const asked = its.wanted.used(now)
    const demand = what === 'requests' ? asked * 1.2 : used * 1.2
    kept += Math.max(0, Math.min(part * max, Math.max(FLOOR * part * max, demand)) - used)
  }
  const used = counters[what].used(now)
  if (used + amount + kept <= max) return undefined
  const wait = counters[what].waitFor(now, Math.max(amount, Math.floor(max - kept)), amount)
  return {
    what,
    used: own[what].used(now),
    max: Math.floor(sure),
    priority,
    retryAfterMs: Math.min(Math.max(wait, 1_000), 60_000),
  }
}

function shareOf(counters: Counters, priority: string): Counters {
  counters.shares ??= new Map()
  let share = counters.shares.get(priority)
  if (!share) {
    share = new Counters()
    counters.shares.set(priority, share)
  }
  return share
}

/** The next of evenly spaced requests (GCRA, ITU-T I.371). Returns the ms that this one waits for its turn. */
function space(counters: Counters, { everyMs, isAtOnce }: Spacing, now: number): number {
  const at = Math.max(counters.nextAt, now)
  counters.nextAt = at + everyMs
  return isAtOnce ? 0 : at - now
}

/** Ends the request: the slot is free again, and the tokens are what they really were. Idempotent. */
export function releaseLimits(taken: Taken, actualTokens: number, now: number): void {
  if (taken.released) return
  taken.released = true
  for (const { counters, sharing } of taken.checked) {
    counters.parallel--
    counters.tokens.correct(taken.at, now, actualTokens - taken.tokens)
    if (sharing) shareOf(counters, sharing.priority).tokens.correct(taken.at, now, actualTokens - taken.tokens)
  }
}

/** What is left of the tightest limit of a kind, for the headers of an answer. */
export interface Left {
  scope: string
  max: number
  remaining: number
  /** ms until all of it is there again. */
  resetMs: number
}

/** The tightest limit on requests or tokens a minute; undefined where there is none. */
export function leftOf(checked: readonly Checked[], what: What, now: number): Left | undefined {
  let tightest: Left | undefined
  for (const { scope, limits, counters } of checked) {
    const max = what === 'requests' ? limits.rpm : limits.tpm
    if (max === undefined) continue
    const remaining = Math.max(0, max - counters[what].used(now))
    if (tightest && tightest.remaining / tightest.max <= remaining / max) continue
    tightest = { scope, max, remaining, resetMs: counters[what].waitFor(now, max, max) }
  }
  return tightest
}
