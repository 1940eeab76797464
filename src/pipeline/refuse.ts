import { Refusal } from '../core/refusal.ts'
import { NO_USAGE } from '../core/usage.ts'
import type { Call } from './call.ts'
import { conclude, cutBy, endAttempt, used } from './conclude.ts'
import { guardHeaders } from './headers.ts'
import type { Io } from './io.ts'
import { limitHeaders } from './limit.ts'

/** What a caller is told of what was thrown: where it comes of his leave being taken away, that. */
export const toldOf = (call: Call, cause: unknown): Refusal => call.leaving.revoked ?? Refusal.from(cause)

const isScreened = ({ code }: Refusal): boolean =>
  code === 'content_policy_violation' || code === 'guardrail_unavailable'

/** Any error, told in the caller's dialect; everything the request held is let go. */
export function refuse(call: Call, io: Io, cause: unknown): Response {
  const refusal = toldOf(call, cause)
  const { answer } = call
  let [usage, cost] = [NO_USAGE, 0]
  if (answer) {
    // Something broke between the answer's beginning and its delivery: what it cost is still booked.
    const frames = answer.kind === 'stream' ? answer.source.contentFrames : 0
    const charged = used(answer.kind === 'whole' ? answer.usage : answer.source.usage, answer.hold, frames, true)
    usage = charged.usage
    cost = endAttempt(call, io, answer.hold, {
      outcome: call.leaving.revoked || isScreened(refusal) ? cutBy(refusal) : 'internal',
      status: refusal.status,
      ...charged,
      firstMs: answer.firstMs,
    })
    if (answer.kind === 'stream') answer.source.hangUp()
  }
  conclude(call, io, refusal.status, refusal.code, usage, cost, refusal.detail.private ?? refusal.message)
  const { status, body } = call.door.dialect.writeError(refusal)
  const headers = refusalHeaders(refusal, call.id)
  limitHeaders(headers, call, io.now())
  guardHeaders(headers, call)
  return new Response(JSON.stringify(body), { status, headers })
}

/** SDKs wait no longer than this for another try. */
const PATIENCE_MS = 60_000

/**
 * What OpenAI's and Anthropic's SDKs go by rather than by the status: what only the operator can mend is not tried again,
 * and neither is a budget that comes back next month, whatever status it is told with.
 */
function isWorthRetrying({ retryable, detail: { retryAfterMs } }: Refusal): boolean {
  return retryAfterMs === undefined ? retryable : retryAfterMs <= PATIENCE_MS
}

/** Headers of a refusal, on every route. `Retry-After` in whole seconds, rounded up. */
export function refusalHeaders(refusal: Refusal, requestId: string): Record<string, string> {
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'x-request-id': requestId,
    'x-litellm-call-id': requestId,
    'x-should-retry': String(isWorthRetrying(refusal)),
  }
  const { retryAfterMs } = refusal.detail
  if (retryAfterMs !== undefined && Number.isFinite(retryAfterMs))
    headers['retry-after'] = String(Math.max(1, Math.ceil(retryAfterMs / 1000)))
  // What else would come of this body is not read.
  if (refusal.code === 'request_timeout') headers.connection = 'close'
  if (refusal.status === 401) headers['www-authenticate'] = 'Bearer'
  return headers
}
