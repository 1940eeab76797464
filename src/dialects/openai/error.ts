/** Errors as OpenAI's clients know them: `{error: {message, type, param, code}}`. */
import type { Refusal, RefusalCode } from '../../core/refusal.ts'
import type { Json } from '../canonical.ts'
import type { Written } from '../dialect.ts'

/** Code of ours → [type, code] in OpenAI's words (platform.openai.com/docs/guides/error-codes). */
const WORDS: Partial<Record<RefusalCode, readonly [type: string, code: string | null]>> = {
  invalid_json: ['invalid_request_error', 'invalid_json'],
  invalid_request: ['invalid_request_error', 'invalid_request'],
  unsupported_parameter: ['invalid_request_error', 'unsupported_parameter'],
  context_length_exceeded: ['invalid_request_error', 'context_length_exceeded'],
  content_filter: ['invalid_request_error', 'content_filter'],
  content_policy_violation: ['invalid_request_error', 'content_policy_violation'],
  missing_api_key: ['authentication_error', 'missing_api_key'],
  invalid_api_key: ['authentication_error', 'invalid_api_key'],
  expired_api_key: ['authentication_error', 'expired_api_key'],
  blocked_api_key: ['authentication_error', 'blocked_api_key'],
  revoked_api_key: ['authentication_error', 'revoked_api_key'],
  invalid_credentials: ['authentication_error', 'invalid_credentials'],
  expired_credentials: ['authentication_error', 'expired_credentials'],
  too_many_attempts: ['rate_limit_error', 'too_many_attempts'],
  forbidden: ['permission_error', 'forbidden'],
  address_forbidden: ['permission_error', 'address_forbidden'],
  model_access_denied: ['permission_error', 'model_access_denied'],
  grant_required: ['permission_error', 'grant_required'],
  unpriced_model: ['permission_error', 'unpriced_model'],
  model_not_found: ['not_found_error', 'model_not_found'],
  not_found: ['not_found_error', 'not_found'],
  method_not_allowed: ['invalid_request_error', 'method_not_allowed'],
  request_timeout: ['timeout_error', 'request_timeout'],
  conflict: ['invalid_request_error', 'conflict'],
  body_too_large: ['invalid_request_error', 'request_too_large'],
  budget_exceeded: ['budget_exceeded', 'budget_exceeded'],
  rate_limit_exceeded: ['rate_limit_error', 'rate_limit_exceeded'],
}

/** Refusal → body, with its facts as further members of `error`. */
export function errorBody(refusal: Refusal): Json {
  const [type, code] = WORDS[refusal.code] ?? ['server_error', refusal.code]
  const { param, upstreamCode, facts } = refusal.detail
  // Where LiteLLM's clients look for it.
  const more = facts?.guardrail_name === undefined ? {} : { provider_specific_fields: { ...facts } }
  return {
    error: { ...facts, ...more, message: refusal.message, type, param: param ?? null, code: upstreamCode ?? code },
  }
}

export function writeError(refusal: Refusal): Written {
  return { status: refusal.status, body: errorBody(refusal) }
}

/** Inside a stream: an event that the SDKs raise as an error, since it holds `error`. */
export function writeStreamError(refusal: Refusal): string {
  return `data: ${JSON.stringify(errorBody(refusal))}\n\n`
}
