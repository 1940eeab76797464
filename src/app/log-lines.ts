/** What the log says of a request, and of a budget. */
import type { Account } from '../core/ledger.ts'
import { toDollars } from '../core/money.ts'
import { periodName } from '../core/period.ts'
import type { Log } from '../observe/log.ts'
import type { RequestLog } from '../pipeline/io.ts'

/** @param mark nano-dollars */
export const crossed = (account: Account, mark: number): Record<string, unknown> => ({
  scope: account.scope,
  budget_duration: account.budget.period ? periodName(account.budget.period) : undefined,
  mark: toDollars(mark),
  spend: toDollars(account.spent),
  max_budget: Number.isFinite(account.limit) ? toDollars(account.limit) : undefined,
})

/** One line a request: metadata, never content. */
export function logRequest(log: Log, line: RequestLog): void {
  const {
    requestId,
    keyId,
    alias,
    target,
    status,
    outcome,
    stream,
    totalMs,
    upstreamMs,
    attempts,
    inputTokens,
    outputTokens,
    costNano,
    cache,
    savedNano,
    error,
    guardrails,
  } = line
  log.info('request', {
    request_id: requestId,
    key: keyId ?? 'master',
    model: alias,
    target,
    status,
    outcome,
    stream,
    ms: Math.round(totalMs),
    upstream_ms: upstreamMs === undefined ? undefined : Math.round(upstreamMs),
    attempts,
    input_tokens: inputTokens,
    output_tokens: outputTokens,
    cost_nano: costNano,
    cache,
    saved_nano: savedNano > 0 ? savedNano : undefined,
    error,
    // What they said, never what they saw.
    guardrails,
  })
}
