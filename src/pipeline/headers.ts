import { toDollars } from '../core/money.ts'
import type { Answer } from './ask.ts'
import type { Call } from './call.ts'

/** Headers of every answer from a target: who answered, after how many attempts, and why it was not the first choice. */
export function answerHeaders(call: Call, { target, hold }: Answer): Record<string, string> {
  const headers: Record<string, string> = {
    'x-request-id': call.id,
    'x-litellm-call-id': call.id,
    'x-litellm-model-id': plain(target.id),
    'x-litellm-model-group': plain(target.alias),
    'x-tollgate-served-by': plain(`${target.provider}/${target.model}`),
    'x-tollgate-attempts': String(call.attempts),
  }
  if (call.failures.length > 0) headers['x-tollgate-why'] = plain(why(call))
  if (call.dropped.length > 0) headers['x-tollgate-dropped'] = plain(call.dropped.join(', '))
  if (hold.maxOutput !== undefined) headers['x-tollgate-max-tokens'] = `${hold.maxOutput}; reason=budget`
  return headers
}

/** What it cost, and what the key has spent. A stream's cost is not known when its headers leave. */
export function costHeaders(headers: Record<string, string>, call: Call, cost: number): void {
  headers['x-litellm-response-cost'] = String(toDollars(cost))
  const own = call.accounts[0]
  if (own && call.keyId !== undefined) headers['x-litellm-key-spend'] = String(toDollars(own.total))
}

/** `ollama/mistral: unreachable; openai/gpt-4o: rate_limited` */
const why = (call: Call): string =>
  call.failures.map(({ target, failure }) => `${target.provider}/${target.model}: ${failure.kind}`).join('; ')

/** A header holds visible ASCII; anything else a name may hold is shown as `?`. */
const plain = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?').slice(0, 500)
