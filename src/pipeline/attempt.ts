import { onNeutral } from '../core/breaker.ts'
import { UpstreamFailure } from '../core/failure.ts'
import { Refusal } from '../core/refusal.ts'
import type { OpenHold } from '../store/ledger.ts'
import { afterFailure, play } from './after-failure.ts'
import type { Answer } from './answer.ts'
import type { Call } from './call.ts'
import { Choosing } from './choosing.ts'
import { claim } from './claim.ts'
import { begin, drop, failAttempt, used } from './conclude.ts'
import { gaveUp } from './gave-up.ts'
import { answerOf, type Run } from './hedge.ts'
import type { Io } from './io.ts'
import { leaseAnswers } from './leases.ts'
import { skipped } from './overflow.ts'

/**
 * The only loop: choose → queue → hold → send → classify → again, next or give up. Ends with `call.answer`: an answer that has
 * begun, whose hold is open.
 * @throws Refusal: what the caller is told when no target answered
 */
export async function attempt(call: Call, io: Io): Promise<void> {
  const way = new Choosing(call, io)
  play(call, io, way)
  for (;;) {
    const chosen = way.next()
    if (!chosen) throw way.refused ?? way.full() ?? gaveUp(call)
    let run: Run | undefined
    try {
      const hold = await claim(call, io, way, chosen)
      if (!hold) continue
      run = { hold }
      const { target } = hold.attempt
      call.attempts++
      begin(io, target)
      if (call.failures.length === 0 && (call.overflow || !call.stages[0]?.targets.includes(target)))
        call.skipped = skipped(call, io, way.wanted)
      call.answer = await answerOf(call, io, way, run)
      answers(io, call.answer)
      return
    } catch (cause) {
      if (cause instanceof Refusal) {
        if (run) release(call, io, run.hold)
        turnedAway(way, cause, run !== undefined)
        continue
      }
      if (!(cause instanceof UpstreamFailure) || !run) {
        // A fault of ours must not keep money and a slot until the next start.
        if (run) release(call, io, run.hold)
        throw cause
      }
      const { failure } = cause
      const { hold } = run
      // A caller who left after we had sent may have been served, and billed, by the provider.
      failAttempt(call, io, hold, failure, used(undefined, hold, 0, failure.kind === 'cancelled'), undefined)
      await afterFailure(call, io, way, hold.attempt.target, failure)
    }
  }
}

/** It answers: a target that was being tried lets the others back now, and not when a long stream has ended. */
function answers(io: Io, answer: Answer): void {
  const isWhole = answer.kind === 'whole'
  leaseAnswers(answer.hold, io.now(), isWhole, isWhole ? answer.usage?.gpuMs : undefined)
  onNeutral(io.state(answer.hold.attempt.target).breaker)
}

/** Another target may be cheaper, priced, free, or able to be told what this one cannot. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  'budget_exceeded',
  'unpriced_model',
  'unsupported_parameter',
  'overloaded',
])

/** It can't be paid, or can't be said to this target: another one may do. @throws Refusal where none can */
function turnedAway(way: Choosing, cause: Refusal, held: boolean): void {
  if (!ELSEWHERE.has(cause.code)) throw cause
  way.refused ??= cause
  if (cause.code === 'overloaded' && !held) way.leavesQueue()
}

/** It is said to somebody else, or to nobody. */
function release(call: Call, io: Io, hold: OpenHold): void {
  call.attempts--
  io.state(hold.attempt.target).breaker.probing = false
  drop(io, hold)
}
