/**
 * What went wrong with one attempt at one target, told apart only as far as the next step differs.
 * A failure is about an upstream; a {@link Refusal} is what the caller is told when no attempt is left.
 */

export type FailureKind =
  | 'rate_limited' // 429: wait for Retry-After, or go to the next target
  | 'overloaded' // 503, 529, Ollama's full queue
  | 'server' // any other 5xx, an error inside a 200
  | 'timeout' // connect, first byte, silence, total
  | 'unreachable' // refused, reset, no such name
  | 'bad_reply' // HTML, truncated JSON, a stream that ends before its end
  | 'context' // the prompt does not fit: only a larger model helps
  | 'content_filter' // refused for what it says: nobody else is asked
  | 'caller' // the caller's mistake: nobody else is asked, no breaker moves
  | 'auth' // our key is bad there: a configuration alarm, next target
  | 'not_found' // our model name is wrong there: next target, no retry
  | 'no_way' // our own rules forbid to connect there: a configuration alarm, next target
  | 'cancelled' // the caller left

export interface Failure {
  kind: FailureKind
  /** The upstream's HTTP status; 0 where there was none. */
  status: number
  /** The upstream's sentence. Public only for `caller`, `context` and `content_filter`; else for the log. */
  message: string
  /** The upstream's own code, where it sent one. */
  code?: string | undefined
  /** The field it blamed, where it named one. */
  param?: string | undefined
  /** From Retry-After, in ms. */
  retryAfterMs?: number | undefined
}

/** Carries a {@link Failure} through `throw`. Never leaves the pipeline. */
export class UpstreamFailure extends Error {
  constructor(readonly failure: Failure) {
    super(failure.message)
    this.name = 'UpstreamFailure'
  }
}
