/** What follows an attempt that failed: the same target again, the next one, other aliases, or the end. */
import { saidOf } from '../core/failing.ts'
import type { Failure, FailureKind } from '../core/failure.ts'
import { type Next, next } from '../core/retry.ts'
import type { Target } from '../core/target.ts'
import type { Call } from './call.ts'
import type { Choosing } from './choosing.ts'
import { gaveUp } from './gave-up.ts'
import type { Io } from './io.ts'
import { operationEnd } from './patience.ts'
import { othersFor } from './plan.ts'

/**
 * Returns when somebody is to be asked again, and has told `way` where that is the same one.
 * @throws Refusal: what the caller is told, where this was the end
 */
export async function afterFailure(call: Call, io: Io, way: Choosing, target: Target, failure: Failure): Promise<void> {
  if (turn(call, io, failure.kind)) return
  const verdict = verdictOn(call, io, way, target, failure)
  // Money stands in the way of whoever could have answered: that is what the caller can do something about.
  if (verdict.kind === 'stop') throw way.refused ?? gaveUp(call)
  if (verdict.kind === 'next') return
  const { signal } = call.request
  await pause(verdict.waitMs, signal)
  if (signal.aborted) throw gaveUp(call)
  way.again(target)
}

function verdictOn(call: Call, io: Io, way: Choosing, target: Target, failure: Failure): Next {
  const { policy } = call.snapshot
  return next({
    failure,
    here: way.here,
    all: call.attempts,
    others: way.left(),
    retries: call.wishes.retries ?? target.retries ?? policy.retries,
    ofClass: saidOf(policy.aliasRetriesOf.get(target.alias) ?? policy.retriesOf, failure.kind),
    maxAttempts: Math.max(policy.maxAttempts, (call.wishes.retries ?? 0) + 1),
    leastWaitMs: policy.retryAfterMs,
    leftMs: operationEnd(call, 0) - io.now(),
    random: io.random,
  })
}

/**
 * Other aliases for this kind of failure, where there are any (`context_window_fallbacks`): they are asked before the
 * usual ones; for what was refused for what it says, nobody else is. Once for each kind.
 */
function turn(call: Call, io: Io, kind: FailureKind): boolean {
  if (kind !== 'context' && kind !== 'content_filter') return false
  if (call.turned.has(kind) || call.attempts >= call.snapshot.policy.maxAttempts || call.wishes.fallbacks) return false
  call.turned.add(kind)
  const others = othersFor(call, io, kind)
  if (others.length === 0) return false
  call.stages = kind === 'context' ? [...others, ...call.stages] : others
  return true
}

/** A failure that is only played: the first alias is passed over as if all of it had failed so. */
export function play(call: Call, io: Io, way: Choosing): void {
  const { plays } = call.wishes
  const alias = call.stages[0]?.alias
  if (!plays || alias === undefined) return
  const targets = call.stages.filter((stage) => stage.alias === alias).flatMap((stage) => stage.targets)
  const message = 'A failure that was asked for (mock_testing).'
  for (const target of targets) {
    way.tried.add(target.id)
    call.failures.push({ target, failure: { kind: plays, status: 0, message } })
  }
  turn(call, io, plays)
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end, { once: true })
  })
}
