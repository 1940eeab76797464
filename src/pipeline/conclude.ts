/**
 * The end of an attempt and the end of a request: the one place where holds are settled, limits let go and the log
 * written. Reached from the answer, the stream's end, its cancellation and every refusal; doing it twice does nothing.
 */
import { onFailure, onNeutral, onSend, onSuccess } from '../core/breaker.ts'
import type { Failure } from '../core/failure.ts'
import { releaseLimits } from '../core/limit.ts'
import { left } from '../core/pick.ts'
import type { Target } from '../core/target.ts'
import { NO_USAGE, type Usage, type UsageSource } from '../core/usage.ts'
import type { OpenHold } from '../store/ledger.ts'
import type { Call } from './call.ts'
import type { Io } from './io.ts'
import { completed } from './price.ts'

export interface Ending {
  /** `ok`, `aborted`, or the kind of the failure. */
  outcome: string
  status: number
  usage: Usage
  source: UsageSource
  firstMs: number | undefined
}

/**
 * What an attempt is charged, as docs/ledger.md publishes it: what the provider reported; where it reported nothing,
 * an estimate if it had begun to answer or may have; nothing where it failed before its first content.
 * @param frames events with content that reached us, each at least one token
 */
export function used(
  reported: Usage | undefined,
  hold: OpenHold,
  frames: number,
  began: boolean,
): { usage: Usage; source: UsageSource } {
  if (reported) return { usage: reported, source: 'provider' }
  if (!began) return { usage: NO_USAGE, source: 'none' }
  return { usage: { ...NO_USAGE, input: hold.inputLikely, output: frames }, source: 'estimated' }
}

/** An attempt is about to be sent. */
export function begin(io: Io, target: Target): void {
  const { breaker, requests } = io.state(target)
  onSend(breaker)
  requests.add(io.now(), 1)
}

/** Nothing was sent: the hold goes without a trace. */
export function drop(io: Io, hold: OpenHold): void {
  if (hold.hold.settled) return
  io.state(hold.attempt.target).inFlight--
  io.ledger.release(hold)
}

/** Settles one attempt. Returns its cost in nano-dollars. */
export function endAttempt(call: Call, io: Io, hold: OpenHold, ending: Ending): number {
  const now = io.now()
  if (hold.hold.settled) return io.ledger.settle(hold, { ...ending, now })
  const state = io.state(hold.attempt.target)
  const usage = ending.source === 'none' ? ending.usage : completed(call, hold, ending.usage, now)
  state.inFlight--
  state.tokens.add(now, usage.input + usage.output)
  if (ending.outcome === 'ok') {
    onSuccess(state.breaker)
    const { firstMs } = ending
    if (firstMs !== undefined) state.pace.observe(now, firstMs, now - hold.attempt.startedAt - firstMs, usage.output)
    if (ending.source === 'provider') state.experience.observe(call.bytes.byteLength, usage.input, usage.output)
    if (usage.gpuMs > 0) state.experience.took(usage.gpuMs)
  } else if (ending.outcome === 'aborted' || ending.outcome === 'budget_exceeded') onNeutral(state.breaker)
  return io.ledger.settle(hold, { ...ending, usage, now })
}

/** Settles an attempt that failed, and lets its breaker know. Returns its cost in nano-dollars. */
export function failAttempt(
  call: Call,
  io: Io,
  hold: OpenHold,
  failure: Failure,
  charged: { usage: Usage; source: UsageSource },
  firstMs: number | undefined,
): number {
  const { target } = hold.attempt
  const { policy } = call.snapshot
  const others = left(call.stages, new Set([target.id]), io.view, io.now()) > 0
  // Careless upstreams repeat our key in their errors: from here on nobody sees it, neither log nor caller.
  failure.message = io.link(target).scrub(failure.message)
  const outcome = failure.kind === 'cancelled' ? 'aborted' : failure.kind
  const cost = endAttempt(call, io, hold, { outcome, status: failure.status, ...charged, firstMs })
  call.failures.push({ target, failure })
  onFailure(io.state(target).breaker, failure, policy, others, io.now())
  if (failure.kind === 'cancelled') return cost
  const facts = {
    request_id: call.id,
    target: target.id,
    provider: target.provider,
    kind: failure.kind,
    status: failure.status,
    told: failure.message,
  }
  if (failure.kind === 'auth' || failure.kind === 'not_found')
    io.warn('A target is misconfigured: its upstream refuses our key or does not know our model.', facts)
  else if (failure.kind !== 'caller') io.warn('An attempt failed.', facts)
  return cost
}

/** The end of the request as a whole: limits are let go with what was really used, and one line is logged. */
export function conclude(
  call: Call,
  io: Io,
  status: number,
  outcome: string,
  usage: Usage,
  costNano: number,
  error?: string,
): void {
  if (call.concluded) return
  call.concluded = true
  const now = io.now()
  if (call.taken) releaseLimits(call.taken, usage.input + usage.output, now)
  const { answer } = call
  io.log({
    requestId: call.id,
    keyId: call.keyId,
    alias: call.peek.model || undefined,
    target: answer?.link.servedBy,
    status,
    outcome,
    stream: call.peek.stream,
    totalMs: now - call.startedAt,
    upstreamMs: answer ? now - answer.hold.attempt.startedAt : undefined,
    attempts: call.attempts,
    inputTokens: usage.input,
    outputTokens: usage.output,
    costNano,
    error,
  })
}
