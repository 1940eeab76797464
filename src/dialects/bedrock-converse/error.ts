/** Errors of AWS: `{message}`, the name of the exception beside it (docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html). */
import type { Failure, FailureKind } from '../../core/failure.ts'
import { failureFrom } from '../failure-of.ts'
import { isObject, isString } from '../wire.ts'

/** Exceptions inside of a stream have no status of their own. */
const STATUS: Readonly<Record<string, number>> = {
  throttlingException: 429,
  modelNotReadyException: 429,
  serviceQuotaExceededException: 429,
  validationException: 400,
  accessDeniedException: 403,
  resourceNotFoundException: 404,
  modelTimeoutException: 408,
  modelStreamErrorException: 424,
  modelErrorException: 424,
  internalServerException: 500,
  serviceUnavailableException: 503,
}

/** The configuration names a model that is not there, or not in this way. */
const NO_MODEL =
  /model identifier is invalid|on-demand throughput isn.t supported|could not resolve the foundation model/i

function kindOf(status: number, message: string): FailureKind | undefined {
  if (status === 424) return 'server'
  if (status === 400 && NO_MODEL.test(message)) return 'not_found'
  if (status === 400 && /^too many (?:requests|tokens)/i.test(message)) return 'rate_limited'
  return undefined
}

function failureIn(status: number, code: string | undefined, body: string): Failure {
  let message = ''
  let name = code
  try {
    const json: unknown = JSON.parse(body)
    if (isObject(json)) {
      const said = json.message ?? json.Message ?? json.originalMessage
      if (isString(said)) message = said
      // `com.amazon.coral#ThrottlingException`
      if (isString(json.__type)) name ??= json.__type.replace(/^.*#/, '')
    }
  } catch {}
  const failure = failureFrom(status, { message, code: name })
  const kind = kindOf(status, message)
  return kind ? { ...failure, kind } : failure
}

export const readError = (status: number, body: string): Failure => failureIn(status, undefined, body)

/** What an event that is an exception means; undefined for one that is none. */
export function failureOf(event: string | undefined, data: string): Failure | undefined {
  if (event === undefined || !/exception$|error$/i.test(event)) return undefined
  const status = STATUS[event.charAt(0).toLowerCase() + event.slice(1)] ?? 500
  return failureIn(status, event, data)
}
