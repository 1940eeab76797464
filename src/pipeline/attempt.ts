import { onNeutral } from '../core/breaker.ts'
import { estimate } from '../core/estimate.ts'
import { saidOf } from '../core/failing.ts'
import { type FailureKind, UpstreamFailure } from '../core/failure.ts'
import type { Ask } from '../core/ledger.ts'
import { left, pick } from '../core/pick.ts'
import type { Price } from '../core/price.ts'
import { Refusal } from '../core/refusal.ts'
import { next } from '../core/retry.ts'
import type { Payer } from '../core/scope.ts'
import type { Target } from '../core/target.ts'
import { textBytes } from '../dialects/multipart.ts'
import type { OpenHold } from '../store/ledger.ts'
import type { Answer } from './answer.ts'
import { ask } from './ask.ts'
import type { Call } from './call.ts'
import { begin, drop, failAttempt, used } from './conclude.ts'
import { gaveUp } from './gave-up.ts'
import type { Io } from './io.ts'
import { leaseAnswers } from './leases.ts'
import { heardTokens, loadsFor } from './loads.ts'
import { localsOf, overflowPayer, peersOf, skipped, spillMs } from './overflow.ts'
import { operationEnd } from './patience.ts'
import { othersFor } from './plan.ts'
import { inTurn } from './queue.ts'
import { type Special, setAside } from './set-aside.ts'
import { wantedOf } from './wanted.ts'

/**
 * The only loop: choose → queue → hold → send → classify → again, next or give up. Ends with `call.answer`: an answer that has
 * begun, whose hold is open.
 * @throws Refusal: what the caller is told when no target answered
 */
export async function attempt(call: Call, io: Io): Promise<void> {
  const { policy } = call.snapshot
  const { signal } = call.request
  const { view } = io
  const wanted = wantedOf(call)
  const tried = new Set<string>()
  play(call, io, tried)
  let again: Target | undefined
  let here = 0
  let refused: Refusal | undefined
  const spilled = new Set<string>()
  for (;;) {
    const now = io.now()
    io.backends.refresh(localsOf(call.stages), now)
    const chosen = again ?? pick(call.stages, tried, view, policy.strategy, wanted, io.random, now)
    if (!chosen) {
      // The cloud could not do it either: whoever left the queue for it goes back.
      if (spilled.size === 0) throw refused ?? gaveUp(call)
      wanted.spillAfterMs = undefined
      for (const id of spilled) tried.delete(id)
      spilled.clear()
      continue
    }
    let target = chosen
    here = again ? here + 1 : 1
    const peers = chosen.local && !again ? peersOf(call.stages, chosen, tried) : []
    tried.add(target.id)
    again = undefined
    let hold: OpenHold | undefined
    try {
      if (chosen.local) {
        const spill = spillMs(call, io, tried, wanted)
        const turn = await inTurn(call, io, chosen, peers, spill, (t, special) => holdFor(call, io, t, special))
        ;({ target, hold } = turn)
        if (target !== chosen) {
          tried.delete(chosen.id)
          tried.add(target.id)
        }
      } else hold = await holdFor(call, io, chosen, payerAt(overflowPayer(call, io, chosen, tried)))
      call.attempts++
      begin(io, target)
      if (call.failures.length === 0 && (call.overflow || !call.stages[0]?.targets.includes(target)))
        call.skipped = skipped(call, io, wanted)
      call.answer = await ask(call, io, io.link(target), hold, left(call.stages, tried, view, io.now()) > 0)
      leaseAnswers(hold, io.now(), call.answer.kind === 'whole', workOf(call.answer))
      // It answers: a target that was being tried lets the others back now, and not when a long stream has ended.
      onNeutral(io.state(target).breaker)
      return
    } catch (cause) {
      if (cause instanceof Refusal) {
        // It can't be paid, or can't be said to this target: another one may do.
        if (hold) release(call, io, hold)
        if (!ELSEWHERE.has(cause.code)) throw cause
        refused ??= cause
        if (cause.code === 'overloaded' && !hold)
          for (const { id } of [chosen, ...peers]) {
            tried.add(id)
            if (wanted.spillAfterMs !== undefined) spilled.add(id)
          }
        continue
      }
      if (!(cause instanceof UpstreamFailure) || !hold) throw cause
      const { failure } = cause
      // A caller who left after we had sent may have been served, and billed, by the provider.
      failAttempt(call, io, hold, failure, used(undefined, hold, 0, failure.kind === 'cancelled'), undefined)
      if (turn(call, io, failure.kind)) continue
      const verdict = next({
        failure,
        here,
        all: call.attempts,
        others: left(call.stages, tried, view, io.now()),
        retries: call.wishes.retries ?? target.retries ?? policy.retries,
        ofClass: saidOf(policy.aliasRetriesOf.get(target.alias) ?? policy.retriesOf, failure.kind),
        maxAttempts: Math.max(policy.maxAttempts, (call.wishes.retries ?? 0) + 1),
        leastWaitMs: policy.retryAfterMs,
        leftMs: operationEnd(call, 0) - io.now(),
        random: io.random,
      })
      // Money stands in the way of whoever could have answered: that is what the caller can do something about.
      if (verdict.kind === 'stop') throw refused ?? gaveUp(call)
      if (verdict.kind === 'again') {
        await pause(verdict.waitMs, signal)
        if (signal.aborted) throw gaveUp(call)
        again = target
      }
    }
  }
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
function play(call: Call, io: Io, tried: Set<string>): void {
  const { plays } = call.wishes
  const alias = call.stages[0]?.alias
  if (!plays || alias === undefined) return
  const targets = call.stages.filter((stage) => stage.alias === alias).flatMap((stage) => stage.targets)
  const message = 'A failure that was asked for (mock_testing).'
  for (const target of targets) {
    tried.add(target.id)
    call.failures.push({ target, failure: { kind: plays, status: 0, message } })
  }
  turn(call, io, plays)
}

/** Another target may be cheaper, priced, free, or able to be told what this one cannot. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  'budget_exceeded',
  'unpriced_model',
  'unsupported_parameter',
  'overloaded',
])

const holdFor = (call: Call, io: Io, target: Target, special?: Special): Promise<OpenHold> =>
  setAside(call, io, target, asking(call, io, target), special)

const payerAt = (payer: Payer | undefined): Special | undefined => (payer ? { payer } : undefined)

const workOf = (answer: Answer): number | undefined => (answer.kind === 'whole' ? answer.usage?.gpuMs : undefined)

/** What is asked of the ledger for one attempt at `target`; read anew each time it is decided. */
export function asking(call: Call, io: Io, target: Target): (price: Price) => Ask {
  const { experience } = io.state(target)
  // A file in a form is no text: what it costs is not counted by its bytes.
  const bytes = call.form ? textBytes(call.form) : call.bytes.byteLength
  const n = call.peek.n ?? 1
  const asked = /^(embed|rerank)$/.test(call.door.dialect.op) ? 0 : call.peek.maxTokens
  return (price) => {
    const tokens = estimate(experience, bytes, asked, n, target, loadsFor(call, price, target, experience))
    const heard = heardTokens(call, price)
    if (!heard) return { price, tokens }
    const inputLikely = tokens.inputLikely + heard.likely
    return {
      price,
      tokens: { ...tokens, inputMost: Math.max(tokens.inputMost + heard.most, inputLikely), inputLikely },
    }
  }
}

/** It is said to somebody else, or to nobody. */
function release(call: Call, io: Io, hold: OpenHold): void {
  call.attempts--
  io.state(hold.attempt.target).breaker.probing = false
  drop(io, hold)
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
