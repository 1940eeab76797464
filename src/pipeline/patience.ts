/** How long one attempt may take: what is left of the whole request, and what its target may use of that. */
import type { Target } from '../core/target.ts'
import type { Call } from './call.ts'

/**
 * When an attempt that began at `startedAt` must be over, in ms since the epoch. A target's own timeout counts from the
 * attempt's beginning, so that a backup has its own too; all attempts together have the gateway's, or the longer one of
 * the target that is asked.
 */
export function attemptEnd(call: Call, target: Target, startedAt: number): number {
  const own = target.timeouts.total
  return Math.max(startedAt + 1, Math.min(startedAt + own, operationEnd(call, own)))
}

/** A caller may have less patience than the gateway, never more. */
export function operationEnd(call: Call, own: number): number {
  const most = Math.max(call.snapshot.policy.totalMs, own)
  return call.startedAt + Math.min(most, call.wishes.totalMs ?? most)
}

/** A stream that says nothing for this long is given up where somebody else can answer. */
const IMPATIENT_MS = 14_000

/**
 * ms until the first content. A whole answer takes as long as it is long, and nobody can tell it from silence: where
 * somebody else can answer it may use half of what is left, so that the other half is the backup's.
 * @param impatient somebody else can answer
 */
export function firstLimit(call: Call, target: Target, startedAt: number, impatient: boolean): number {
  const end = attemptEnd(call, target, startedAt) - startedAt
  const { total } = target.timeouts
  const firstByte = Math.min(target.timeouts.firstByte, call.wishes.firstMs ?? target.timeouts.firstByte)
  if (call.peek.stream) return Math.min(end, firstByte, impatient ? IMPATIENT_MS : Number.POSITIVE_INFINITY)
  return impatient ? Math.max(1, Math.min(end, Math.ceil((operationEnd(call, total) - startedAt) / 2))) : end
}
