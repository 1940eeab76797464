/** Errors as Google's clients know them (google.aip.dev/193): `{error: {code, message, status, details}}`. */
import type { Failure, FailureKind } from '../../core/failure.ts'
import { Refusal } from '../../core/refusal.ts'
import type { Json } from '../canonical.ts'
import type { Written } from '../dialect.ts'
import { failureFrom, readAnyError } from '../failure-of.ts'
import { INTERRUPTED } from '../openai/interrupted.ts'
import { isObject, isString } from '../wire.ts'

/** HTTP status → Google's word for it. */
const STATUS: Record<number, string> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  408: 'DEADLINE_EXCEEDED',
  409: 'ABORTED',
  422: 'FAILED_PRECONDITION',
  429: 'RESOURCE_EXHAUSTED',
  499: 'CANCELLED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
}

export function errorBody(refusal: Refusal): Json {
  const { status, detail, message } = refusal
  const { param, upstreamCode, facts } = detail
  const metadata: Record<string, string> = {}
  // Strings only, as google.rpc.ErrorInfo wants them.
  for (const [key, value] of Object.entries(facts ?? {})) metadata[key] = String(value)
  const reason = (upstreamCode ?? refusal.code).toUpperCase()
  const details: Json[] = [
    { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason, domain: 'tollgate', metadata },
  ]
  if (param !== undefined)
    details.push({
      '@type': 'type.googleapis.com/google.rpc.BadRequest',
      fieldViolations: [{ field: param, description: message }],
    })
  const word = STATUS[status] ?? (status < 500 ? 'INVALID_ARGUMENT' : 'UNAVAILABLE')
  return { error: { code: status, message, status: word, details } }
}

export const writeError = (refusal: Refusal): Written => ({ status: refusal.status, body: errorBody(refusal) })

/**
 * Said twice: as an event for everyone who reads events, and bare, as Google's servers do and as `@google/genai` looks for
 * it (any other client skips the bare line, since it is no field of an event).
 */
export function writeStreamError(refusal: Refusal): string {
  const said = JSON.stringify(errorBody(refusal))
  return `data: ${said}\n\n${said}\n\n`
}

/** @param told a refusal of ours that ends the stream; without one it is the upstream that failed, whose words nobody is told */
export const interrupted = (told = new Refusal('stream_interrupted', INTERRUPTED)): string => writeStreamError(told)

/** What Google says with a 400 that is another matter than a bad request. */
const CONTEXT = /input token count .{0,80}exceeds the maximum/i
const KEY = /api key (?:not valid|expired|not found)|API_KEY_(?:INVALID|EXPIRED)/i
/** A place or an account that may not ask at all. */
const ACCOUNT = /user location is not supported|billing/i

function kindOf(status: number, word: string, told: string): FailureKind | undefined {
  if (CONTEXT.test(told)) return 'context'
  if (KEY.test(told)) return 'auth'
  if (status === 400 && word === 'FAILED_PRECONDITION' && ACCOUNT.test(told)) return 'auth'
  return undefined
}

const detailsOf = (error: Json): Json[] => (Array.isArray(error.details) ? error.details.filter(isObject) : [])

/** `retryDelay: "34s"` of google.rpc.RetryInfo, in ms. */
function retryAfter(error: Json): number | undefined {
  for (const { retryDelay } of detailsOf(error)) {
    const seconds = isString(retryDelay) ? /^(\d+(?:\.\d+)?)s$/.exec(retryDelay)?.[1] : undefined
    if (seconds !== undefined) return Math.ceil(Number(seconds) * 1000)
  }
  return undefined
}

function fieldOf(error: Json): string | undefined {
  for (const { fieldViolations } of detailsOf(error)) {
    const first: unknown = Array.isArray(fieldViolations) ? fieldViolations[0] : undefined
    if (isObject(first) && isString(first.field) && first.field !== '') return first.field
  }
  return undefined
}

/** @param status the HTTP status; inside of a stream the error's own code stands in for it */
function failureIn(error: Json, status: number): Failure {
  const word = isString(error.status) ? error.status : ''
  const message = isString(error.message) ? error.message : ''
  const own = status < 400 && typeof error.code === 'number' && error.code >= 400 ? error.code : status
  const failure = failureFrom(own, { message, code: word || undefined, param: fieldOf(error) })
  const kind = kindOf(own, word, `${message} ${JSON.stringify(error.details ?? '')}`)
  const retryAfterMs = retryAfter(error)
  return { ...failure, ...(kind ? { kind } : {}), ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
}

/** The failure that an object which should have been an answer turns out to be; undefined where it is none. */
export const failureOf = (said: Json): Failure | undefined =>
  isObject(said.error) ? failureIn(said.error, 200) : undefined

/** An error answer; a stream that is a JSON array has it as its only element. */
export function readError(status: number, body: string): Failure {
  try {
    const json: unknown = JSON.parse(body)
    const first: unknown = Array.isArray(json) ? json[0] : json
    if (isObject(first) && isObject(first.error) && isString(first.error.status)) return failureIn(first.error, status)
  } catch {}
  return readAnyError(status, body)
}
