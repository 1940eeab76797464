/** Errors as Anthropic's clients know them: `{type: 'error', error: {type, message}, request_id}`. */
import { Refusal, type RefusalCode } from '../../core/refusal.ts'
import type { Json } from '../canonical.ts'
import type { Written } from '../dialect.ts'
import { INTERRUPTED } from '../openai/interrupted.ts'
import { compact } from '../wire.ts'

const TYPES: Partial<Record<RefusalCode, string>> = {
  missing_api_key: 'authentication_error',
  invalid_api_key: 'authentication_error',
  expired_api_key: 'authentication_error',
  blocked_api_key: 'authentication_error',
  revoked_api_key: 'authentication_error',
  invalid_credentials: 'authentication_error',
  expired_credentials: 'authentication_error',
  too_many_attempts: 'rate_limit_error',
  forbidden: 'permission_error',
  address_forbidden: 'permission_error',
  model_access_denied: 'permission_error',
  grant_required: 'permission_error',
  unpriced_model: 'permission_error',
  model_not_found: 'not_found_error',
  not_found: 'not_found_error',
  body_too_large: 'request_too_large',
  budget_exceeded: 'billing_error',
  rate_limit_exceeded: 'rate_limit_error',
  overloaded: 'overloaded_error',
  shutting_down: 'overloaded_error',
  request_timeout: 'timeout_error',
  upstream_timeout: 'timeout_error',
}

function errorBody(refusal: Refusal): Json {
  const { param, upstreamCode, facts } = refusal.detail
  const type = TYPES[refusal.code] ?? (refusal.owner === 'client' ? 'invalid_request_error' : 'api_error')
  // What Anthropic's envelope has no place for goes where its SDKs look for particulars.
  const details = { error_code: upstreamCode ?? refusal.code, ...(param === undefined ? {} : { param }), ...facts }
  const id = facts?.request_id
  return compact({
    type: 'error',
    error: { type, message: refusal.message, details },
    request_id: typeof id === 'string' ? id : undefined,
  })
}

export function writeError(refusal: Refusal): Written {
  return { status: refusal.status, body: errorBody(refusal) }
}

export function writeStreamError(refusal: Refusal): string {
  return `event: error\ndata: ${JSON.stringify(errorBody(refusal))}\n\n`
}

/** @param told a refusal of ours that ends the stream; without one it is the upstream that failed, whose words nobody is told */
export const interrupted = (told = new Refusal('stream_interrupted', INTERRUPTED)): string => writeStreamError(told)
