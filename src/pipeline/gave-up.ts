import type { Failure, FailureKind } from '../core/failure.ts'
import { Refusal, type RefusalCode } from '../core/refusal.ts'
import type { Call } from './call.ts'

/** How each kind of failure is told when no target is left, in the order in which they matter to a caller. */
const TOLD: readonly (readonly [FailureKind, RefusalCode, string])[] = [
  ['cancelled', 'client_closed', 'The caller left.'],
  ['content_filter', 'content_filter', ''],
  ['caller', 'invalid_request', ''],
  ['context', 'context_length_exceeded', ''],
  ['rate_limited', 'rate_limit_exceeded', 'its provider limits our rate'],
  ['timeout', 'upstream_timeout', 'it did not answer in time'],
  ['overloaded', 'overloaded', 'it is overloaded'],
  ['unreachable', 'upstream_unreachable', 'it cannot be reached'],
  ['server', 'upstream_error', 'it failed'],
  ['bad_reply', 'upstream_error', 'it sent something that is not an answer'],
  ['auth', 'upstream_misconfigured', "this gateway's credentials for it are refused: the operator has to look at them"],
  [
    'no_way',
    'upstream_misconfigured',
    'this gateway may not connect to its address: the operator has to look at tollgate.egress',
  ],
  [
    'not_found',
    'upstream_misconfigured',
    'its provider does not know the model: the operator has to look at its configuration',
  ],
]

/**
 * What the caller is told when no target answered. His own mistakes come with the upstream's words, since only those
 * say what is wrong; everything else is told in ours, so that no key, address or page of HTML gets out.
 */
export function gaveUp(call: Call): Refusal {
  if (call.leaving.aborted) return new Refusal('client_closed', 'The caller left.')
  const failures = call.failures.map((f) => f.failure)
  const [kind, code, why] =
    TOLD.find(([k]) => failures.some((f) => f.kind === k)) ?? (['server', 'overloaded', 'no target is free'] as const)
  const failure: Failure = failures.findLast((f) => f.kind === kind) ?? { kind: 'server', status: 0, message: '' }
  const upstream = {
    // Only of a mistake of the caller's does the upstream's own code say more than ours, which clients go by
    // (`context_length_exceeded`).
    upstreamCode: kind === 'caller' ? failure.code : undefined,
    param: failure.param,
    private: failures.map((f) => `${f.kind} ${f.status} ${f.message}`).join(' | '),
  }
  if (kind === 'caller' || kind === 'context' || kind === 'content_filter') {
    const status = failure.status >= 400 && failure.status < 500 ? failure.status : 400
    return new Refusal(code, failure.message || 'The model refused this request as malformed.', { ...upstream, status })
  }
  const tries = call.attempts === 1 ? '1 attempt' : `${call.attempts} attempts`
  const waits = failures.map((f) => f.retryAfterMs).filter((ms) => ms !== undefined)
  return new Refusal(
    code,
    `The model '${call.peek.model}' can't answer now: ${why} (${tries}). The request id finds the details in the gateway's log.`,
    {
      ...upstream,
      ...(waits.length > 0 ? { retryAfterMs: Math.min(...waits) } : {}),
    },
  )
}
