/**
 * What follows a failed attempt: the same target again, the next one, or the end. One budget for the whole operation
 * (attempts and wall clock), so that retries never multiply (litellm#7221, #7130, #25285: up to 12 attempts).
 */
import type { Failure } from './failure.ts'

export type Next = { kind: 'again'; waitMs: number } | { kind: 'next' } | { kind: 'stop' }

export interface Situation {
  failure: Failure
  /** Attempts made at this target, this one included. */
  here: number
  /** Attempts of the operation, this one included. */
  all: number
  /** Targets not tried yet that could be asked now. */
  others: number
  /** Extra attempts allowed at one target. */
  retries: number
  /** What the operator says of this very class of failures; it goes before everything else. */
  ofClass?: number | undefined
  /** The least wait before another attempt at the same target, ms. */
  leastWaitMs: number
  maxAttempts: number
  /** ms until the operation's deadline. */
  leftMs: number
  random: () => number
}

/** The longest that a caller is kept waiting for an upstream's Retry-After. */
const LONGEST_WAIT_MS = 15_000

export function next(s: Situation): Next {
  const { failure, others } = s
  if (s.ofClass !== undefined && failure.kind !== 'cancelled') return byClass(s, s.ofClass)
  if (failure.kind === 'caller' || failure.kind === 'content_filter' || failure.kind === 'cancelled')
    return { kind: 'stop' }
  if (s.all >= s.maxAttempts || s.leftMs <= 0) return { kind: 'stop' }
  const onward: Next = others > 0 ? { kind: 'next' } : { kind: 'stop' }
  switch (failure.kind) {
    case 'context':
    case 'auth':
    case 'no_way':
    case 'not_found':
      return onward
    case 'timeout':
      // It was silent once; asking again doubles the wait for nothing.
      return onward
    case 'unreachable':
    case 'rate_limited':
      if (others > 0) return onward
      break
    default:
      // A blip is tried once more where it happened, so that a local model is not billed to a cloud for it; then on.
      if (others > 0 && (s.here > 1 || s.all + others >= s.maxAttempts)) return onward
  }
  if (s.here > s.retries) return onward
  const waitMs = waitBefore(s)
  return waitMs > LONGEST_WAIT_MS || waitMs >= s.leftMs ? onward : { kind: 'again', waitMs }
}

/** So many more attempts here, then the next one: what nobody else would answer either is not asked elsewhere. */
function byClass(s: Situation, retries: number): Next {
  const { kind } = s.failure
  if (s.all >= s.maxAttempts || s.leftMs <= 0) return { kind: 'stop' }
  const stays = kind === 'caller' || kind === 'content_filter'
  const onward: Next = s.others > 0 && !stays ? { kind: 'next' } : { kind: 'stop' }
  if (s.here > retries) return onward
  const waitMs = waitBefore(s)
  return waitMs > LONGEST_WAIT_MS || waitMs >= s.leftMs ? onward : { kind: 'again', waitMs }
}

/** Retry-After where it was given (never sooner; zero still backs off), else 0.2 s doubling to 4 s, with jitter. */
function waitBefore({ failure, here, random, leastWaitMs }: Situation): number {
  const backoff = Math.min(200 * 2 ** (here - 1), 4_000) * (0.75 + random() / 2)
  return Math.max(failure.retryAfterMs ?? 0, backoff, leastWaitMs)
}
