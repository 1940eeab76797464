/**
 * A refusal is the only error that reaches a caller. It says who owns the fault, what may be said aloud, and whether
 * trying again can help. Dialects write it in the caller's words; nothing else of an error ever leaves the process.
 */

export type Owner = 'client' | 'config' | 'capacity' | 'upstream' | 'ours'

/** What can be wrong, with its HTTP status, its owner and whether the same request may succeed later. */
const CODES = {
  invalid_json: [400, 'client', false],
  invalid_request: [400, 'client', false],
  unsupported_parameter: [400, 'client', false],
  context_length_exceeded: [400, 'client', false],
  content_filter: [400, 'client', false],
  content_policy_violation: [400, 'client', false],
  missing_api_key: [401, 'client', false],
  invalid_api_key: [401, 'client', false],
  expired_api_key: [401, 'client', false],
  blocked_api_key: [401, 'client', false],
  revoked_api_key: [401, 'client', false],
  invalid_credentials: [401, 'client', false],
  expired_credentials: [401, 'client', false],
  too_many_attempts: [429, 'client', true],
  forbidden: [403, 'client', false],
  mfa_required: [403, 'client', false],
  reauthentication_required: [403, 'client', false],
  address_forbidden: [403, 'client', false],
  model_access_denied: [403, 'client', false],
  grant_required: [403, 'client', false],
  model_not_found: [404, 'client', false],
  no_target: [400, 'client', false],
  not_found: [404, 'client', false],
  method_not_allowed: [405, 'client', false],
  request_timeout: [408, 'client', true],
  conflict: [409, 'client', false],
  idempotency_key_reused: [422, 'client', false],
  body_too_large: [413, 'client', false],
  budget_exceeded: [422, 'client', false],
  unpriced_model: [403, 'config', false],
  rate_limit_exceeded: [429, 'capacity', true],
  client_closed: [499, 'client', false],
  internal_error: [500, 'ours', true],
  upstream_error: [502, 'upstream', true],
  upstream_unreachable: [502, 'upstream', true],
  upstream_misconfigured: [502, 'config', false],
  loop_detected: [508, 'config', false],
  stream_interrupted: [502, 'upstream', true],
  overloaded: [503, 'capacity', true],
  auth_unavailable: [503, 'ours', true],
  guardrail_unavailable: [503, 'ours', true],
  shutting_down: [503, 'ours', true],
  upstream_timeout: [504, 'upstream', true],
} as const satisfies Record<string, readonly [number, Owner, boolean]>

export type RefusalCode = keyof typeof CODES

/** What a refusal may carry beside its code and its public sentence. */
export interface RefusalDetail {
  /** The field of the request that is at fault, in the caller's own words (`messages`, `max_tokens`). */
  param?: string | undefined
  /** For the log only: never sent to a caller. */
  private?: string | undefined
  /** How long to wait before trying again, in ms. Becomes `Retry-After`. */
  retryAfterMs?: number | undefined
  /** Another status than the code's own (an upstream's 429, a configured budget status). */
  status?: number | undefined
  /** The upstream's own error code where it means something to the caller (`context_length_exceeded`). */
  upstreamCode?: string | undefined
  /** Facts that a client may read without parsing the sentence (scope, limit, spent, held, reset). */
  facts?: Readonly<Record<string, string | number | boolean | null>> | undefined
}

/** Thrown anywhere, written once, in the caller's dialect. `message` is public. */
export class Refusal extends Error {
  readonly code: RefusalCode
  readonly status: number
  readonly owner: Owner
  readonly retryable: boolean
  readonly detail: RefusalDetail

  constructor(code: RefusalCode, message: string, detail: RefusalDetail = {}) {
    super(message)
    this.name = 'Refusal'
    const [status, owner, retryable] = CODES[code]
    this.code = code
    this.status = detail.status ?? status
    this.owner = owner
    this.retryable = retryable
    this.detail = detail
  }

  /** Anything thrown, as a refusal. What is not ours becomes a 500 whose cause stays in the log. */
  static from(cause: unknown): Refusal {
    if (cause instanceof Refusal) return cause
    const told = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
    return new Refusal(
      'internal_error',
      'Something went wrong inside the gateway. The request id finds it in the log.',
      {
        private: told,
      },
    )
  }
}
