import type { Hold } from '../core/ledger.ts'
import { toDollars } from '../core/money.ts'
import { dueOf } from '../core/rotation.ts'
import { visible } from '../upstream/link.ts'
import type { Answer } from './answer.ts'
import type { Call } from './call.ts'
import type { Io } from './io.ts'
import { limitHeaders } from './limit.ts'

/** Headers of every answer from a target: who answered, after how many attempts, and why it was not the first choice. */
export function answerHeaders(call: Call, { link, hold }: Answer, now: number): Record<string, string> {
  const headers: Record<string, string> = {
    'x-request-id': call.id,
    'x-litellm-call-id': call.id,
    'x-litellm-model-id': link.modelId,
    'x-litellm-model-group': link.modelGroup,
    'x-tollgate-served-by': link.servedBy,
    'x-tollgate-attempts': String(call.attempts),
  }
  limitHeaders(headers, call, now)
  guardHeaders(headers, call)
  const reasons = why(call)
  if (reasons !== '') headers['x-tollgate-why'] = visible(reasons)
  if (call.dropped.length > 0) headers['x-tollgate-dropped'] = visible(call.dropped.join(', '))
  if (hold.maxOutput !== undefined) headers['x-tollgate-max-tokens'] = `${hold.maxOutput}; reason=budget`
  if (call.queued)
    headers['x-tollgate-queue'] = `waited=${Math.round(call.queued.waited)}ms; place=${call.queued.place}`
  const left = remaining(hold.hold)
  if (left !== undefined) headers['x-tollgate-budget-remaining'] = String(toDollars(left))
  const key = call.who?.key
  if (key?.rotation || key?.secretUntil !== undefined) {
    const due = dueOf(key)
    // For whoever reads along: the secret that he sends ends, and there is another one.
    if (key.secretUntil !== undefined) headers['x-tollgate-key'] = `replaced; until=${iso(key.secretUntil)}`
    else if (due && due.at <= now) headers['x-tollgate-key'] = `due; until=${iso(due.endsAt)}`
  }
  const own = hold.hold.takenIn.find(({ account: { scope, budget, limit } }) => {
    return scope === `key:${call.keyId}` && budget.model === undefined && limit !== Number.POSITIVE_INFINITY
  })
  if (own) headers['x-litellm-key-max-budget'] = String(toDollars(own.account.limit))
  return headers
}

/** What each guardrail said that has had its say: a stream's are not all known when its headers leave. */
export function guardHeaders(headers: Record<string, string>, { screening }: Call): void {
  if (!screening) return
  const { verdicts, told } = screening
  headers['x-litellm-applied-guardrails'] = visible([...new Set(verdicts.map(({ name }) => name))].join(','))
  headers['x-tollgate-guardrails'] = visible(told.join(', '))
}

const iso = (ms: number): string => new Date(ms).toISOString()

/** What it cost, and what the key has spent. A stream's cost is not known when its headers leave. */
export function costHeaders(headers: Record<string, string>, call: Call, io: Io, cost: number): void {
  headers['x-litellm-response-cost'] = String(toDollars(cost))
  if (call.keyId === undefined) return
  const scope = `key:${call.keyId}`
  const [own] = io.ledger.accounts(scope, io.payers.budgets(scope))
  if (own) headers['x-litellm-key-spend'] = String(toDollars(own.spent))
}

/**
 * Nano-dollars that are left in the tightest of the budgets that a request has to pass: the limit less what is spent.
 * What is held is not spent yet. Undefined where there is no limit.
 */
function remaining({ takenIn }: Hold): number | undefined {
  let least: number | undefined
  for (const { account } of takenIn) {
    if (account.limit === Number.POSITIVE_INFINITY) continue
    const left = Math.max(0, account.limit - account.spent)
    if (least === undefined || left < least) least = left
  }
  return least
}

/** An alias may have a hundred targets that are not for this request. */
const MOST_REASONS = 5

/** `ollama/mistral: unreachable; openai/gpt-4o: rate_limited`, and `… cooling down` for who was not even asked. */
function why(call: Call): string {
  const failed = call.failures.map(({ target, failure }) => `${target.provider}/${target.model}: ${failure.kind}`)
  const left = call.leftOut
    .slice(0, MOST_REASONS)
    .map(({ target, reason }) => `${target.provider}/${target.model}: ${reason}`)
  const hedged = call.hedged === undefined ? [] : [call.hedged]
  return [...left, ...call.skipped, ...call.leftQueues, ...hedged, ...failed].join('; ')
}
