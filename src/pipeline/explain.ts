/**
 * Which target would be asked, which were left out and why, and what it would cost: everything that a request goes
 * through up to its sending, and nothing is sent, held or counted.
 */
import { isOpen } from '../core/breaker.ts'
import { decide } from '../core/ledger.ts'
import { toDollars } from '../core/money.ts'
import { pick } from '../core/pick.ts'
import { worstCost } from '../core/price.ts'
import { Refusal } from '../core/refusal.ts'
import { spokenScope } from '../core/scope.ts'
import type { TargetState } from '../core/state.ts'
import { hasRoom } from '../core/strategy.ts'
import type { Target } from '../core/target.ts'
import { NO_USAGE } from '../core/usage.ts'
import { accountsAt, mustBePriced } from './accounts.ts'
import { authenticate } from './authenticate.ts'
import { Call } from './call.ts'
import { asking } from './claim.ts'
import { conclude } from './conclude.ts'
import type { Door, Io } from './io.ts'
import { localsOf } from './overflow.ts'
import { plan } from './plan.ts'
import { priceFor } from './price.ts'
import { receive } from './receive.ts'
import { refuse } from './refuse.ts'
import { wantedOf } from './wanted.ts'

/** `POST /utils/route`: the body is the request itself. */
export async function explain(io: Io, request: Request, door: Door): Promise<Response> {
  const call = new Call(io.ledger.nextOperation(), io.now(), request, door, io.snapshot())
  try {
    await authenticate(call, io)
    await receive(call, io)
    plan(call, io)
    const { strategy } = call.snapshot.policy
    const wanted = wantedOf(call)
    const tried = new Set<string>()
    const order: string[] = []
    // As if each one failed: the order in which they would be asked.
    io.backends.refresh(localsOf(call.stages), io.now())
    for (;;) {
      const next = pick(call.stages, tried, io.view, strategy, wanted, io.random, io.now())
      if (!next) break
      tried.add(next.id)
      order.push(next.id)
    }
    const targets = call.stages.flatMap((stage, i) => stage.targets.map((target) => show(call, io, target, i, order)))
    const leftOut = call.leftOut.map(({ target, reason }) => ({ ...nameOf(target), reason }))
    conclude(call, io, 200, 'explained', NO_USAGE, 0)
    const chosen = targets.find((t) => t.place === 1 && t.budget === 'ok') ?? targets.find((t) => t.budget === 'ok')
    return Response.json(
      {
        object: 'route',
        model: call.peek.model,
        strategy,
        prompt_tokens: wanted.input,
        chosen: chosen?.id ?? null,
        targets: targets.sort((a, b) => (a.place || LAST) - (b.place || LAST)),
        left_out: leftOut,
      },
      { headers: { 'x-request-id': call.id } },
    )
  } catch (cause) {
    return refuse(call, io, cause)
  }
}

/** It would not be asked at all now. */
const LAST = Number.POSITIVE_INFINITY

const nameOf = ({ id, alias, provider, model }: Target) => ({ id, model_group: alias, target: `${provider}/${model}` })

function show(call: Call, io: Io, target: Target, stage: number, order: readonly string[]) {
  const now = io.now()
  const state = io.state(target)
  const { breaker } = state
  const price = priceFor(call, target, now)
  const ask = asking(call, io, target)(price)
  const wanted = wantedOf(call)
  return {
    ...nameOf(target),
    /** In which it would be asked, from 1, each one before it having failed; 0: not now, since it is at its limits. */
    place: order.indexOf(target.id) + 1,
    stage: stage + 1,
    state: isOpen(breaker, now) ? `cooling down (${breaker.reason})` : 'well',
    room: hasRoom(target, state, wanted.input + wanted.output, now),
    // What others do is the operator's to know.
    ...(call.who?.role === 'proxy_admin' || call.who?.role === 'proxy_admin_viewer'
      ? loadOf(state, wanted.output, now)
      : {}),
    cost: {
      known: price.kind !== 'unknown',
      likely: toDollars(worstCost(price, ask.tokens.inputLikely, ask.tokens.outputLeast)),
      most: toDollars(worstCost(price, ask.tokens.inputMost, ask.tokens.outputMost)),
    },
    budget: budgetOf(call, io, target, () => decide(accountsAt(call, io, target), ask)),
  }
}

const loadOf = (
  { inFlight, requests, tokens, pace, queues, waitMs, loadMs }: TargetState,
  output: number,
  now: number,
) => ({
  in_flight: inFlight,
  ...(queues ? { wait_ms: Math.round(waitMs), load_ms: Math.round(loadMs) } : {}),
  requests_last_minute: requests.used(now),
  tokens_last_minute: tokens.used(now),
  expected_ms: pace.isKnown(now) ? Math.round(pace.expected(output)) : null,
})

/** `ok`, or what the caller would be told. */
function budgetOf(call: Call, io: Io, target: Target, verdict: () => ReturnType<typeof decide>): string {
  try {
    const price = priceFor(call, target, io.now())
    mustBePriced(call, { alias: target.alias, price }, accountsAt(call, io, target))
    const decided = verdict()
    if (decided.kind === 'refuse') return `too little is left of the budget of ${spokenScope(decided.account.scope)}`
    if (decided.kind === 'wait')
      return `waits for what others hold of the budget of ${spokenScope(decided.account.scope)}`
    return decided.maxOutput === undefined ? 'ok' : `ok, cut to ${decided.maxOutput} tokens`
  } catch (cause) {
    return Refusal.from(cause).message
  }
}
