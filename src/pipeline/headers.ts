import { toDollars } from '../core/money.ts'
import { visible } from '../upstream/link.ts'
import type { Answer } from './answer.ts'
import type { Call } from './call.ts'

/** Headers of every answer from a target: who answered, after how many attempts, and why it was not the first choice. */
export function answerHeaders(call: Call, { link, hold }: Answer): Record<string, string> {
  const headers: Record<string, string> = {
    'x-request-id': call.id,
    'x-litellm-call-id': call.id,
    'x-litellm-model-id': link.modelId,
    'x-litellm-model-group': link.modelGroup,
    'x-tollgate-served-by': link.servedBy,
    'x-tollgate-attempts': String(call.attempts),
  }
  const reasons = why(call)
  if (reasons !== '') headers['x-tollgate-why'] = visible(reasons)
  if (call.dropped.length > 0) headers['x-tollgate-dropped'] = visible(call.dropped.join(', '))
  if (hold.maxOutput !== undefined) headers['x-tollgate-max-tokens'] = `${hold.maxOutput}; reason=budget`
  return headers
}

/** What it cost, and what the key has spent. A stream's cost is not known when its headers leave. */
export function costHeaders(headers: Record<string, string>, call: Call, cost: number): void {
  headers['x-litellm-response-cost'] = String(toDollars(cost))
  const own = call.accounts[0]
  if (own && call.keyId !== undefined) headers['x-litellm-key-spend'] = String(toDollars(own.total))
}

/** `ollama/mistral: unreachable; openai/gpt-4o: rate_limited`, and `… cooling down` for who was not even asked. */
function why(call: Call): string {
  const failed = call.failures.map(({ target, failure }) => `${target.provider}/${target.model}: ${failure.kind}`)
  return [...call.skipped, ...failed].join('; ')
}
