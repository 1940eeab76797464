/**
 * Whether a target is asked. Closed: yes. Open: not until `until`. Half open: one request at a time tries whether it
 * is well again. An open breaker is a last resort, never a refusal: when all are open the least bad one is asked.
 */
import { type ByClass, saidOf } from './failing.ts'
import type { Failure } from './failure.ts'

export interface Breaker {
  /** Failures since `since`, forgotten after a minute and after a success. */
  fails: number
  since: number
  /** ms since the epoch; 0 = closed. */
  until: number
  /** How often it opened in a row: each time it stays open longer. */
  opened: number
  /** A request is finding out whether it is well again. */
  probing: boolean
  reason: string
}

export interface BreakerRules {
  allowedFails: number
  /** Of each class, where it is said. */
  allowedOf?: ByClass | undefined
  /** 0: it never opens. */
  cooldownMs: number
}

const FORGET_MS = 60_000
/** A healed target must be back within half a minute, however long it was away. */
const LONGEST_MS = 20_000

export const closed = (): Breaker => ({ fails: 0, since: 0, until: 0, opened: 0, probing: false, reason: '' })

/** Whether it may be asked at `now`. */
export function isOpen(breaker: Breaker, now: number): boolean {
  return breaker.until > now || (breaker.until > 0 && breaker.probing)
}

/** A request is about to be sent. */
export function onSend(breaker: Breaker): void {
  if (breaker.until > 0) breaker.probing = true
}

/** It answered, or the caller was at fault or left: nothing is wrong with it. */
export function onSuccess(breaker: Breaker): void {
  breaker.fails = 0
  breaker.until = 0
  breaker.opened = 0
  breaker.probing = false
  breaker.reason = ''
}

/** It says nothing about the target (the caller left, the caller's mistake): only the probe is over. */
export function onNeutral(breaker: Breaker): void {
  breaker.probing = false
}

/** Found by a check and not by a request. */
const FOUND_DOWN = 'found down'
/** What a check can find to be over: that it is not there, or does not take our key. */
const OVER_WHEN_WELL: ReadonlySet<string> = new Set([FOUND_DOWN, 'unreachable', 'auth'])

/** A check found that it is down: nobody is sent there before `until`. Whether that is news. */
export function onDown(breaker: Breaker, until: number): boolean {
  const isNews = breaker.reason !== FOUND_DOWN
  breaker.until = Math.max(breaker.until, until)
  breaker.reason = FOUND_DOWN
  return isNews
}

/**
 * A check found that it is there and takes our key: it is let back in where that was what is wrong. One that fails its
 * requests otherwise has its probes for that. Whether it is let back.
 */
export function onWell(breaker: Breaker): boolean {
  if (breaker.until === 0 || !OVER_WHEN_WELL.has(breaker.reason)) return false
  onSuccess(breaker)
  return true
}

/** What a failure does. `others`: whether another target could answer instead. */
export function onFailure(breaker: Breaker, failure: Failure, rules: BreakerRules, others: boolean, now: number): void {
  const wasProbe = breaker.probing
  breaker.probing = false
  if (rules.cooldownMs === 0) return
  const said = saidOf(rules.allowedOf, failure.kind)
  if (said !== undefined) {
    count(breaker, failure, said + 1, wasProbe, rules, now)
    return
  }
  switch (failure.kind) {
    case 'caller':
    case 'context':
    case 'content_filter':
    case 'cancelled':
      return
    case 'rate_limited':
      // It told us when. Alone, it is asked again when the time has come (retry.ts waits); with others, they are asked.
      if (others || failure.retryAfterMs)
        open(breaker, failure, Math.min(failure.retryAfterMs || rules.cooldownMs, 60_000), now)
      return
    case 'auth':
    case 'no_way':
    case 'not_found':
      // Our configuration is wrong there, and stays so until someone mends it: asking again only costs time.
      open(breaker, failure, rules.cooldownMs, now)
      return
    default: {
      // A silent target costs its whole timeout each time: once is enough.
      const enough = failure.kind === 'timeout' || failure.kind === 'unreachable' ? 1 : rules.allowedFails + 1
      count(breaker, failure, enough, wasProbe, rules, now)
    }
  }
}

/** One more failure in this minute; so many open it. */
function count(
  breaker: Breaker,
  failure: Failure,
  enough: number,
  wasProbe: boolean,
  rules: BreakerRules,
  now: number,
): void {
  if (now - breaker.since > FORGET_MS) {
    breaker.fails = 0
    breaker.since = now
  }
  breaker.fails++
  if (wasProbe || breaker.fails >= enough)
    open(breaker, failure, rules.cooldownMs * 2 ** Math.min(breaker.opened, 6), now)
}

function open(breaker: Breaker, failure: Failure, ms: number, now: number): void {
  breaker.until = now + (failure.kind === 'rate_limited' ? ms : Math.min(ms, Math.max(LONGEST_MS, 1)))
  breaker.opened++
  breaker.fails = 0
  breaker.reason = failure.kind
}
