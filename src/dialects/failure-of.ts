/**
 * An upstream's error, whatever its shape, as a {@link Failure}. Status comes first, then codes, then sentences that are
 * well known, since several upstreams say with one status things that need different next steps.
 */
import type { Failure, FailureKind } from '../core/failure.ts'
import type { Event, Json } from './canonical.ts'
import { isObject } from './wire.ts'

/** What an error body says of itself. */
interface Said {
  message: string
  code?: string | undefined
  type?: string | undefined
  param?: string | undefined
}

const LONGEST = 500

const word = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== ''
    ? value.slice(0, 200)
    : typeof value === 'number'
      ? String(value)
      : undefined

/** OpenAI {error:{…}}, Anthropic {type:'error',error:{…}}, Ollama {error:'…'}, vLLM {object:'error',…}, FastAPI {detail}. */
export function saidIn(json: Json): Said | undefined {
  const { error, detail, message } = json
  if (typeof error === 'string') return { message: error }
  if (isObject(error)) {
    const details = isObject(error.details) ? error.details : {}
    return {
      message: word(error.message) ?? '',
      code: word(error.code) ?? word(details.error_code),
      type: word(error.type) ?? word(error.status),
      param: word(error.param),
    }
  }
  if (typeof message === 'string' && (json.object === 'error' || 'code' in json || 'type' in json)) {
    return { message, code: word(json.code), type: word(json.type), param: word(json.param) }
  }
  if (detail !== undefined) return { message: typeof detail === 'string' ? detail : JSON.stringify(detail) }
  return undefined
}

function readBody(body: string): Said {
  try {
    const json: unknown = JSON.parse(body)
    const first: unknown = Array.isArray(json) ? json[0] : json
    if (isObject(first)) return saidIn(first) ?? { message: '' }
  } catch {}
  // HTML tells nothing that a status does not, and must not travel.
  return { message: /^\s*</.test(body) ? '' : body.trim() }
}

/**
 * The prompt does not fit. OpenAI: "maximum context length is 8192 tokens"; Anthropic: "prompt is too long: 210000 tokens
 * > 200000 maximum" and "input length and `max_tokens` exceed context limit"; Ollama: "input length exceeds the context
 * length"; vLLM and others in their own words.
 */
const CONTEXT_TEXT =
  /maximum context length|prompt is too long|exceeds? (?:the |its |this model'?s? )?(?:available |maximum |max )?context|context[ _](?:length|window|size|limit)[^.]{0,40}exceed|exceed[^.]{0,40}context[ _-]?(?:length|window|size|limit)|too many tokens in (?:the )?(?:prompt|input)|input is too long for requested model|reduce the length of the (?:messages|prompt|input)|longer than the (?:model'?s? )?(?:maximum )?context/i
const CONTEXT_CODES = new Set([
  'context_length_exceeded',
  'model_context_window_exceeded',
  'string_above_max_length_context',
])
const FILTER_CODES = new Set([
  'content_filter',
  'content_policy_violation',
  'ResponsibleAIPolicyViolation',
  'sensitive_content',
])
const FILTER_TEXT =
  /content (?:management|filtering|filter|safety|usage) polic|content_filter|blocked by (?:our |the )?(?:safety|content)|output blocked by content/i
/** The account, not the request: nobody's wait helps. */
const QUOTA_CODES = new Set(['insufficient_quota', 'billing_hard_limit_reached', 'billing_error', 'access_terminated'])
const QUOTA_TEXT = /credit balance is too low|insufficient (?:balance|quota|credits)/i
const AUTH_CODES = new Set(['invalid_api_key', 'authentication_error', 'permission_error', 'account_deactivated'])
const NOT_FOUND_CODES = new Set(['model_not_found', 'not_found_error', 'deployment_not_found', 'DeploymentNotFound'])
const NOT_FOUND_TEXT = /model\b.{0,200}\b(?:not found|does not exist|doesn't exist|not exist)|try pulling it first/i
/** Ollama answers 500 to these, though the request is at fault (seen on 0.17.4). */
const CALLER_TEXT =
  /^option "[^"]*" must be of type|^invalid format:|invalid JSON schema|failed to parse (?:grammar|schema)|json: cannot unmarshal|does not support (?:tools|thinking|chat|generate|insert|completion|embedding|image|vision)|think value .* is not supported|^invalid (?:option|duration|role)|invalid character .* looking for/i
const OVERLOAD_TEXT = /server busy|maximum pending requests|overloaded|at capacity|too busy/i

/** Without the path of Ollama's own registry, which says nothing to a caller. */
const tidy = (message: string): string => message.replace(/registry\.ollama\.ai\/(?:library\/)?/g, '')

function kindOf(status: number, said: Said): FailureKind {
  const code = said.code ?? ''
  const type = said.type ?? ''
  const { message } = said
  const told = (codes: ReadonlySet<string>) => codes.has(code) || codes.has(type)
  const isClient = status >= 400 && status < 500
  // Inside a 200 or a stream there is no status to go by: the words must do.
  const noStatus = status < 400

  if (status === 408 || status === 504 || type === 'timeout_error') return 'timeout'
  if (status === 401 || (status === 403 && !told(FILTER_CODES))) return 'auth'
  if (status === 402 || told(QUOTA_CODES) || QUOTA_TEXT.test(message)) return 'auth'
  if (
    told(CONTEXT_CODES) ||
    ((isClient || noStatus || status === 500) && status !== 429 && CONTEXT_TEXT.test(message))
  ) {
    return 'context'
  }
  if (told(FILTER_CODES) || ((isClient || noStatus) && FILTER_TEXT.test(message))) return 'content_filter'
  if (status === 429 || (noStatus && (type === 'rate_limit_error' || code === 'rate_limit_exceeded')))
    return 'rate_limited'
  if (status === 503 || status === 529 || type === 'overloaded_error' || (noStatus && OVERLOAD_TEXT.test(message))) {
    return 'overloaded'
  }
  if (status === 404 || ((isClient || noStatus) && (told(NOT_FOUND_CODES) || NOT_FOUND_TEXT.test(message))))
    return 'not_found'
  if (noStatus && told(AUTH_CODES)) return 'auth'
  if (status === 405) return 'not_found'
  if (isClient) return told(AUTH_CODES) && status !== 400 ? 'auth' : 'caller'
  if (CALLER_TEXT.test(message)) return 'caller'
  if (noStatus && type === 'invalid_request_error') return 'caller'
  return 'server'
}

/** From what was already read of an error (a stream's event, an error inside a 200). */
export function failureFrom(status: number, said: Said): Failure {
  const message = tidy(said.message).slice(0, LONGEST)
  const failure: Failure = {
    kind: kindOf(status, said),
    status,
    message: message || `The upstream answered ${status}.`,
  }
  const code = said.code ?? said.type
  if (code !== undefined) failure.code = code
  if (said.param !== undefined) failure.param = said.param
  return failure
}

/**
 * An upstream's error answer.
 * @param status its HTTP status
 * @param body its body as it came: JSON of any dialect, HTML, text, nothing
 */
export function readAnyError(status: number, body: string): Failure {
  return failureFrom(status, readBody(body))
}

/** The failure that an object which should have been an answer turns out to be; undefined where it is none. */
export function failureIn(json: Json, status = 200): Failure | undefined {
  if (json.error === undefined || json.error === null) return undefined
  const said = saidIn(json)
  return said && failureFrom(status, said)
}

/** The same as an event of a stream. */
export function errorEvent(json: Json): Event | undefined {
  const failure = failureIn(json)
  if (!failure) return undefined
  const { message, code, kind, status } = failure
  return { type: 'error', message, code: code ?? kind, kind, status }
}
