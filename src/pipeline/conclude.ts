/**
 * The end of an attempt and the end of a request: the one place where holds are settled, limits let go and the log
 * written. Reached from the answer, the stream's end, its cancellation and every refusal; doing it twice does nothing.
 */
import { onFailure, onNeutral, onSend, onSuccess } from '../core/breaker.ts'
import type { Failure } from '../core/failure.ts'
import { releaseLimits } from '../core/limit.ts'
import { left } from '../core/pick.ts'
import type { Refusal } from '../core/refusal.ts'
import type { Target } from '../core/target.ts'
import { NO_USAGE, type Usage, type UsageSource } from '../core/usage.ts'
import type { OpenHold } from '../store/ledger.ts'
import type { Call } from './call.ts'
import { completed } from './complete.ts'
import type { Heard } from './counting/kept.ts'
import { countUsage, isCountable } from './counting/usage.ts'
import type { Io } from './io.ts'
import { endLease } from './leases.ts'
import { correctRoom, giveRoomBack } from './room.ts'

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
  onSend(io.state(target).breaker)
}

/** Nothing was sent: the hold goes without a trace. */
export function drop(io: Io, hold: OpenHold): void {
  if (hold.hold.settled) return
  io.state(hold.attempt.target).inFlight--
  giveRoomBack(io, hold)
  endLease(hold, io.now())
  io.ledger.release(hold)
}

/** Answers that ended early, through no fault of the target's: `revoked` is the caller's leave to be here. */
const CUT_OFF: ReadonlySet<string> = new Set(['aborted', 'budget_exceeded', 'revoked', 'content_policy_violation'])

/** The outcome of an answer that ends because its caller may not have it. */
export const cutBy = ({ code }: Refusal): 'content_policy_violation' | 'revoked' =>
  code === 'content_policy_violation' || code === 'guardrail_unavailable' ? 'content_policy_violation' : 'revoked'

/** Attempts whose end was noted; their charge may still be counted. */
const ended = new WeakSet<OpenHold>()

/** Lets the target's state know that an attempt is over, at once. Whether it is for the first time. */
function noteEnd(io: Io, hold: OpenHold, outcome: string): boolean {
  if (ended.has(hold) || hold.hold.settled) return false
  ended.add(hold)
  const state = io.state(hold.attempt.target)
  state.inFlight--
  endLease(hold, io.now())
  if (outcome === 'ok') onSuccess(state.breaker)
  else if (CUT_OFF.has(outcome)) onNeutral(state.breaker)
  return true
}

/** Books what an attempt used, and what its target learns from it. @param endedAt ms since the epoch */
function book(call: Call, io: Io, hold: OpenHold, ending: Ending, endedAt: number): number {
  const state = io.state(hold.attempt.target)
  const served = wasServed(ending) ? completed(call, hold, ending, endedAt) : ending
  const { source } = served
  const usage = source === 'provider' ? served.usage : within(served.usage, hold)
  correctRoom(io, hold, usage.input + usage.output)
  if (ending.outcome === 'ok') {
    const { firstMs } = ending
    if (firstMs !== undefined)
      state.pace.observe(endedAt, firstMs, endedAt - hold.attempt.startedAt - firstMs, usage.output)
    if (ending.source === 'provider') state.experience.observe(call.bytes.byteLength, usage.input, usage.output)
    if (usage.gpuMs > 0) state.experience.took(usage.gpuMs)
  }
  return io.ledger.settle(hold, { ...ending, usage, source, now: endedAt })
}

/**
 * What nobody reported is charged as far as money was held for it: near the end of a budget that is the prompt as it was
 * likely, and a count of our own must not overspend it.
 */
function within(usage: Usage, { covers, hold }: OpenHold): Usage {
  const { input, output } = covers
  // Nothing is held for what has been spent already.
  if (hold.amount === 0 || (usage.input <= input && usage.output <= output)) return usage
  const prompt = {
    input,
    cacheRead: 0,
    cacheWrite: 0,
    cacheWriteHour: 0,
    audioInput: Math.min(usage.audioInput, input),
  }
  const answer = {
    output,
    reasoning: Math.min(usage.reasoning, output),
    audioOutput: Math.min(usage.audioOutput, output),
  }
  return { ...usage, ...(usage.input > input ? prompt : {}), ...(usage.output > output ? answer : {}) }
}

/** Whoever failed before he began has sold nothing. */
const wasServed = ({ outcome, source }: Ending): boolean =>
  source !== 'none' || outcome === 'ok' || CUT_OFF.has(outcome)

/** Settles one attempt. Returns its cost in nano-dollars. */
export function endAttempt(call: Call, io: Io, hold: OpenHold, ending: Ending): number {
  const now = io.now()
  if (noteEnd(io, hold, ending.outcome)) return book(call, io, hold, ending, now)
  return hold.hold.settled ? io.ledger.settle(hold, { ...ending, now }) : 0
}

/**
 * Ends an attempt whatever came of it, and settles it: at once where its usage was reported, else as soon as it has been
 * counted, until when its hold stays. What others wait for (the target's state, the caller's limits) is let go at once.
 * @param heard of the answer, as far as it came
 * @param then is told what was charged, nano-dollars; not where it had ended before
 */
export function settleAttempt(
  call: Call,
  io: Io,
  hold: OpenHold,
  ending: Ending,
  { failure, heard, goesOn }: { failure?: Failure | undefined; heard?: () => Heard | undefined; goesOn?: boolean },
  then: (usage: Usage, cost: number) => void,
): void {
  if (failure) scrub(io, hold, failure)
  const now = io.now()
  if (!noteEnd(io, hold, ending.outcome)) return
  if (failure) noteFailure(call, io, hold, failure)
  if (ending.source !== 'estimated' || !isCountable(call, hold)) {
    then(ending.usage, book(call, io, hold, ending, now))
    return
  }
  // A request that goes on elsewhere keeps its slot.
  if (!goesOn) letGo(call, io, ending.usage)
  void countUsage(call, io, hold, ending.usage, heard?.()).then(({ usage, source }) =>
    then(usage, book(call, io, hold, { ...ending, usage, source }, now)),
  )
}

/** Settles an attempt that failed, and lets its breaker know. */
export function failAttempt(
  call: Call,
  io: Io,
  hold: OpenHold,
  failure: Failure,
  charged: { usage: Usage; source: UsageSource },
  firstMs: number | undefined,
): void {
  const outcome = outcomeOf(failure)
  settleAttempt(call, io, hold, { outcome, status: failure.status, ...charged, firstMs }, { failure }, () => {})
}

const outcomeOf = (failure: Failure): string => (failure.kind === 'cancelled' ? 'aborted' : failure.kind)

/** Careless upstreams repeat our key in their errors: from here on nobody sees it, neither log nor caller. */
function scrub(io: Io, hold: OpenHold, failure: Failure): void {
  failure.message = io.link(hold.attempt.target).scrub(failure.message)
}

function noteFailure(call: Call, io: Io, hold: OpenHold, failure: Failure): void {
  const { target } = hold.attempt
  const { policy } = call.snapshot
  const others = left(call.stages, new Set([target.id]), io.view, io.now()) > 0
  call.failures.push({ target, failure })
  onFailure(io.state(target).breaker, failure, policy, others, io.now())
  if (failure.kind === 'cancelled') return
  const facts = {
    request_id: call.id,
    target: target.id,
    provider: target.provider,
    kind: failure.kind,
    status: failure.status,
    told: failure.message,
  }
  if (failure.kind === 'auth' || failure.kind === 'not_found' || failure.kind === 'no_way')
    io.warn(
      'A target is misconfigured: its upstream refuses our key or does not know our model, or our own rules forbid to connect there.',
      facts,
    )
  else if (failure.kind !== 'caller') io.warn('An attempt failed.', facts)
}

/** The caller's limits are free again, with what was really used. */
function letGo(call: Call, io: Io, usage: Usage): void {
  if (call.taken) releaseLimits(call.taken, usage.input + usage.output, io.now())
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
  call.cost = costNano
  io.live.leave(call)
  const now = io.now()
  letGo(call, io, usage)
  const { answer } = call
  io.log({
    requestId: call.id,
    startedAt: call.startedAt,
    who: call.who,
    payer: call.payer,
    ip: call.ip,
    call: call.door.call,
    own: call.door.own,
    prompt: call.received,
    tried: triedBy(call, outcome),
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
    cache: call.remembered?.how,
    savedNano: call.remembered?.saved ?? 0,
    error,
    guardrails: call.screening?.told,
  })
  if (call.screening) io.guards.report.concluded(call.verdicts)
}

const NONE_TRIED: readonly (readonly [string, string])[] = []

/** Each failed attempt, and at the end the one that answered. */
function triedBy({ failures, answer }: Call, outcome: string): readonly (readonly [string, string])[] {
  if (failures.length === 0 && !answer) return NONE_TRIED
  const tried = failures.map(({ target, failure }) => [target.id, outcomeOf(failure)] as const)
  const last = answer?.link.target
  // One whose answer broke off stands among the failures already.
  return last && failures.at(-1)?.target !== last ? [...tried, [last.id, outcome] as const] : tried
}
