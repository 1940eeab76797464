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
/** And one that has said something, between two parts. */
export const IMPATIENT_IDLE_MS = 30_000
/** All targets of a request together may be silent for this long before anything is said: streams that nobody gives. */
const ALL_SILENT_MS = 60_000
/** The slowest that an answer is thought to come, ms a token: an answer cut to few tokens can't take long. */
const SLOW_TOKEN_MS = 100

export interface Patience {
  /** Somebody else can answer. */
  impatient: boolean
  /** Its first content is seen: a stream, or a whole answer that is asked for as one. */
  streams: boolean
  /** ms that its model takes to be loaded first; 0 where it is loaded, or nobody knows. */
  loadMs: number
}

/**
 * ms until the first content. A whole answer that is no stream takes as long as it is long, and nobody can tell it from
 * silence: where somebody else can answer it may use half of what is left, so that the other half is the backup's; less
 * where it is cut to so few tokens that it can't take so long.
 */
export function firstLimit(
  call: Call,
  target: Target,
  startedAt: number,
  { impatient, streams, loadMs }: Patience,
): number {
  const end = attemptEnd(call, target, startedAt) - startedAt
  if (streams) {
    const { firstByte } = target.timeouts
    // What is known to take longer to load is not given up before it can be there.
    const own = impatient ? Math.max(IMPATIENT_MS, 2 * loadMs) : afterSilence(call, target, startedAt, loadMs)
    return Math.min(end, firstByte, call.wishes.firstMs ?? firstByte, own)
  }
  if (!impatient) return end
  const half = Math.max(1, Math.ceil((operationEnd(call, target.timeouts.total) - startedAt) / 2))
  const { maxTokens } = call.peek
  const longest = maxTokens && call.door.dialect.op === 'chat' ? IMPATIENT_MS + maxTokens * SLOW_TOKEN_MS : half
  return Math.min(end, half, longest)
}

/** The last one that can answer, where others were silent before it: all have one time together. */
function afterSilence(call: Call, target: Target, startedAt: number, loadMs: number): number {
  const wasSilent = call.failures.some(({ failure }) => failure.kind === 'timeout')
  if (!wasSilent || loadMs > 0) return Number.POSITIVE_INFINITY
  const together = target.local ? ALL_SILENT_MS : Math.max(ALL_SILENT_MS, target.timeouts.firstByte)
  return Math.max(IMPATIENT_MS, together - (startedAt - call.startedAt))
}
