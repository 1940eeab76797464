/**
 * A second attempt at another target where the first one is slow: whoever gives content first answers, and the other one
 * is given up at once. The caller pays for the answer that he gets; what the other one may have cost is the gateway's own
 * (docs/ledger.md), with the tag `hedge`.
 */
import { onNeutral } from '../core/breaker.ts'
import { UpstreamFailure } from '../core/failure.ts'
import { type HedgeRules, Hedging } from '../core/hedge.ts'
import { Refusal } from '../core/refusal.ts'
import { NOBODY, type Payer } from '../core/scope.ts'
import type { Target } from '../core/target.ts'
import type { Chat } from '../dialects/canonical.ts'
import type { OpenHold } from '../store/ledger.ts'
import { accountsAt } from './accounts.ts'
import type { Answer } from './answer.ts'
import { ask } from './ask.ts'
import type { Call } from './call.ts'
import type { Choosing } from './choosing.ts'
import { canonicalOf } from './compose.ts'
import { begin, drop, failAttempt, settleAttempt, used } from './conclude.ts'
import type { Io } from './io.ts'
import { rival } from './rival.ts'

/** What pays for attempts that lost: a budget of this tag bounds them. */
export const HEDGE: Payer = { ...NOBODY, tags: ['hedge'] }

/** The attempt that is under way; of two, the one that is left. */
export interface Run {
  hold: OpenHold
}

/** Sends an attempt, and a second one where it is slow and that is wished. @throws like ask, of `run` as it then is */
export async function answerOf(call: Call, io: Io, way: Choosing, run: Run): Promise<Answer> {
  const { target } = run.hold.attempt
  const rules = rulesFor(call, target)
  if (!rules) return await ask(call, io, io.link(target), run.hold, way.left() > 0)
  const state = io.state(target)
  state.hedging ??= new Hedging()
  const { hedging } = state
  hedging.earn(rules)
  const first = new Runner(call, io, way, run.hold)
  const afterMs = hedging.after(rules, call.peek.stream, io.now())
  const isSlow = afterMs !== undefined && !(await first.isOverIn(afterMs))
  if (isSlow && mayAskTwice(call) && hedging.spend()) {
    const hold = await rival(call, io, way, run.hold, HEDGE)
    if (hold && !first.over && !call.leaving.aborted) {
      call.hedged = `${nameOf(target)}: no content after ${Math.round(afterMs)} ms, ${nameOf(hold.attempt.target)} was asked, too`
      call.attempts++
      way.tried.add(hold.attempt.target.id)
      begin(io, hold.attempt.target)
      return await between(call, io, run, first, new Runner(call, io, way, hold))
    }
    hedging.giveBack()
    if (hold) drop(io, hold)
  }
  const answer = await first.answer
  hedging.observe(io.now(), call.peek.stream, answer.firstMs)
  return answer
}

const nameOf = ({ provider, model }: Target): string => `${provider}/${model}`

/** What the gateway asks itself. */
const OURS = ['mirror', 'health_check', 'guardrail']

function rulesFor({ snapshot, door, resumed }: Call, { alias }: Target): HedgeRules | undefined {
  const { hedge, aliasHedge } = snapshot.policy
  const rules = aliasHedge.has(alias) ? aliasHedge.get(alias) : hedge
  // What is passed on, a copy, and the rest of an answer are asked for once.
  return door.dialect.op === 'forward' || OURS.includes(door.call) || resumed ? undefined : rules
}

/** Fields by which work goes on at the provider, or tools run there: doing that twice is not the same as once. */
const EFFECTS = ['background', 'mcp_servers', 'container']

/** Whether nothing but an answer comes of it. */
function mayAskTwice(call: Call): boolean {
  if (call.attempts >= call.snapshot.policy.maxAttempts || EFFECTS.some((key) => call.peek.scan.keys.has(key)))
    return false
  if (call.door.dialect.op !== 'chat' || !call.peek.scan.keys.has('tools')) return true
  return !(canonicalOf(call) as Chat).tools?.some((tool) => tool.foreign)
}

/** One of two attempts. */
class Runner {
  readonly abort = new AbortController()
  readonly answer: Promise<Answer>
  /** Resolves when it is over, however that was. */
  readonly done: Promise<void>
  over = false
  failed: unknown

  constructor(
    call: Call,
    io: Io,
    way: Choosing,
    readonly hold: OpenHold,
  ) {
    this.answer = ask(call, io, io.link(hold.attempt.target), hold, way.left() > 0, this.abort)
    this.done = this.answer.then(
      () => {
        this.over = true
      },
      (cause: unknown) => {
        this.over = true
        this.failed = cause
      },
    )
  }

  isOverIn(ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), ms)
      void this.done.then(() => {
        clearTimeout(timer)
        resolve(true)
      })
    })
  }
}

/** The first of two that answers; one that fails leaves it to the other, which is `run` from then on. */
async function between(call: Call, io: Io, run: Run, first: Runner, second: Runner): Promise<Answer> {
  await Promise.race([first.done, second.done])
  const [one, other] = first.over ? [first, second] : [second, first]
  if (one.failed === undefined) {
    giveUp(call, io, other)
    const answer = await one.answer
    io.state(answer.link.target).hedging?.observe(io.now(), call.peek.stream, answer.firstMs)
    return answer
  }
  if (call.leaving.aborted) {
    // Whoever leaves pays for one.
    giveUp(call, io, second)
    run.hold = first.hold
    return await first.answer
  }
  if (isFinal(one.failed)) {
    giveUp(call, io, other)
    run.hold = one.hold
    return await one.answer
  }
  if (one.failed instanceof UpstreamFailure)
    failAttempt(call, io, one.hold, one.failed.failure, used(undefined, one.hold, 0, false), undefined)
  else {
    onNeutral(io.state(one.hold.attempt.target).breaker)
    drop(io, one.hold)
  }
  run.hold = other.hold
  return await other.answer
}

/** The other one would say the same: it lies with the request, or with us. */
function isFinal(cause: unknown): boolean {
  if (cause instanceof UpstreamFailure)
    return cause.failure.kind === 'caller' || cause.failure.kind === 'content_filter'
  return !(cause instanceof Refusal)
}

/** Hangs up on the one that lost: its caller's money is free, and what it may have cost is the gateway's. */
function giveUp(call: Call, io: Io, { hold, abort, answer }: Runner): void {
  abort.abort()
  const { target, startedAt } = hold.attempt
  const state = io.state(target)
  onNeutral(state.breaker)
  // It would have taken at least so long: without that, only the fast ones would be remembered.
  state.hedging?.observe(io.now(), call.peek.stream, io.now() - startedAt)
  let began = true
  try {
    io.ledger.handOver(hold, HEDGE, () => accountsAt(call, io, target, HEDGE))
  } catch {
    // The disk fails, and the ledger has said so: its caller does not pay for it in any case.
    began = false
  }
  const book = (late: Answer | undefined, sold: boolean) => {
    const isStream = late?.kind === 'stream'
    const charged = sold
      ? used(isStream ? late.source.usage : late?.usage, hold, isStream ? late.source.contentFrames : 0, true)
      : used(undefined, hold, 0, false)
    const heard = isStream ? () => late.source.heard() : () => undefined
    const ending = { outcome: 'hedged', status: late ? 200 : 0, ...charged, firstMs: late?.firstMs }
    settleAttempt(call, io, hold, ending, { heard, goesOn: true }, () => {})
    if (isStream) late.source.hangUp()
  }
  answer.then(
    (late) => book(late, began),
    // An error of the upstream's own is not billed.
    (cause) => book(undefined, began && !(cause instanceof UpstreamFailure && cause.failure.status >= 400)),
  )
}
