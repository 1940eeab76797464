/** What the operator says of each class of failures, in LiteLLM's classes. */
import type { FailureKind } from './failure.ts'

export const FAILURE_CLASSES = [
  ...(['BadRequest', 'Authentication', 'Timeout', 'RateLimit', 'ContentPolicyViolation'] as const),
  ...(['InternalServer', 'ServiceUnavailable', 'NotFound'] as const),
] as const
export type FailureClass = (typeof FAILURE_CLASSES)[number]

/** A number for some of the classes; `Default` for those without one. */
export type ByClass = Readonly<Partial<Record<FailureClass | 'Default', number>>>

const CLASS_OF: Readonly<Record<Exclude<FailureKind, 'cancelled'>, FailureClass>> = {
  caller: 'BadRequest',
  context: 'BadRequest',
  auth: 'Authentication',
  no_way: 'InternalServer',
  timeout: 'Timeout',
  rate_limited: 'RateLimit',
  content_filter: 'ContentPolicyViolation',
  server: 'InternalServer',
  bad_reply: 'InternalServer',
  unreachable: 'InternalServer',
  overloaded: 'ServiceUnavailable',
  not_found: 'NotFound',
}

/** What is said of a failure of this kind; undefined where nothing is. */
export function saidOf(numbers: ByClass | undefined, kind: FailureKind): number | undefined {
  if (!numbers || kind === 'cancelled') return undefined
  return numbers[CLASS_OF[kind]] ?? numbers.Default
}
