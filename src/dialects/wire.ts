/** Small readers of foreign JSON: each gives a typed value or a refusal that names the field in the caller's words. */
import { type FailureKind, UpstreamFailure } from '../core/failure.ts'
import { Refusal } from '../core/refusal.ts'
import type { DialectId, Extras, Json, WireId } from './canonical.ts'
import type { Warn } from './dialect.ts'

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export const isString = (value: unknown): value is string => typeof value === 'string'

/** Whatever stands where a word should: what JSON brings may have a `toString` that is no function. */
export const wordOf = (value: unknown): string =>
  typeof value === 'object' && value !== null ? 'object' : String(value)

/** The refusal of a field that is not what it must be. */
export function bad(param: string, wanted: string): Refusal {
  return new Refusal('invalid_request', `'${param}' must be ${wanted}.`, { param })
}

export function optionalString(value: unknown, param: string): string | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string') throw bad(param, 'a string')
  return value
}

export function requiredString(value: unknown, param: string): string {
  if (typeof value !== 'string') throw bad(param, 'a string')
  return value
}

export function optionalNumber(value: unknown, param: string): number | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'number') throw bad(param, 'a number')
  return value
}

export function optionalBoolean(value: unknown, param: string): boolean | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'boolean') throw bad(param, 'a boolean')
  return value
}

export function optionalObject(value: unknown, param: string): Json | undefined {
  if (value === undefined || value === null) return undefined
  if (!isObject(value)) throw bad(param, 'an object')
  return value
}

export function optionalArray(value: unknown, param: string): unknown[] | undefined {
  if (value === undefined || value === null) return undefined
  if (!Array.isArray(value)) throw bad(param, 'an array')
  return value
}

export function requiredObject(value: unknown, param: string): Json {
  if (!isObject(value)) throw bad(param, 'an object')
  return value
}

/** `stop` as every dialect but OpenAI's wants it: a list. */
export function stopList(value: unknown, param: string): string[] | undefined {
  if (value === undefined || value === null) return undefined
  const list = typeof value === 'string' ? [value] : value
  if (!Array.isArray(list) || !list.every(isString)) throw bad(param, 'a string or an array of strings')
  return list
}

/** The object without the members that are undefined: what was not said is not sent. */
export function compact<T extends Json>(object: T): T {
  for (const key in object) if (object[key] === undefined) delete object[key]
  return object
}

/** Like {@link compact} for objects with declared optional members. */
export function defined<T extends object>(object: { [K in keyof T]: T[K] | undefined }): T {
  return compact(object as Json) as unknown as T
}

const fold = (key: string): string => key.normalize('NFKC').toLowerCase()

/**
 * What stands in an object beside the known fields, to go out again in the same dialect.
 * @throws Refusal invalid_request for `Content` beside `content`: a case-insensitive reader would take the one that
 * nobody looked at.
 */
export function extrasOf(dialect: DialectId, body: Json, known: ReadonlySet<string>, path = ''): Extras | undefined {
  let fields: Json | undefined
  for (const key of Object.keys(body)) {
    if (known.has(key)) continue
    const folded = fold(key)
    if (folded !== key && known.has(folded)) {
      const param = path === '' ? key : `${path}.${key}`
      throw new Refusal('invalid_request', `Unknown field '${param}'. Did you mean '${folded}'?`, { param })
    }
    fields ??= {}
    fields[key] = body[key]
  }
  return fields && { dialect, fields }
}

/**
 * The extras to write: all of them where the dialect is theirs; else none, and each one that would have changed the
 * answer is warned of.
 * @param harmless fields without effect on the answer: their loss is not worth a word
 */
export function extrasFor(
  dialect: WireId,
  extras: Extras | undefined,
  warn: Warn,
  harmless?: ReadonlySet<string>,
  path = '',
): Json {
  if (!extras) return {}
  if (extras.dialect === dialect) return extras.fields
  for (const key of Object.keys(extras.fields)) {
    if (!harmless?.has(key)) warn(path + key, `the target's dialect (${dialect}) does not know it`)
  }
  return {}
}

/** The failure of an upstream that answers something that is not an answer. */
export function badReply(message: string, kind: FailureKind = 'bad_reply', status = 200): UpstreamFailure {
  return new UpstreamFailure({ kind, status, message: message.slice(0, 500) })
}

/** What is wrong in an upstream's answer is the upstream's fault, though the same readers serve requests. */
export function fromUpstream<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    throw cause instanceof Refusal ? badReply(`The answer is malformed: ${cause.message}`) : cause
  }
}

/** JSON of a frame or a reply from upstream. @throws UpstreamFailure bad_reply */
export function parseReply(text: string): Json {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // Without its words: they may be somebody's answer, and this sentence goes to the log.
    throw badReply(`The upstream sent ${text.length} characters that are not JSON.`)
  }
  if (!isObject(value)) throw badReply('The upstream sent JSON that is not an object.')
  return value
}

/** Arguments as the object that some dialects want. @throws whatever `otherwise` makes where they are none */
export function argsObject(args: string, otherwise: () => Error): Json {
  if (args.trim() === '') return {}
  let value: unknown
  try {
    value = JSON.parse(args)
  } catch {
    throw otherwise()
  }
  if (!isObject(value)) throw otherwise()
  return value
}

/** A made call id: the same for the same answer and place, within OpenAI's 40 characters and Anthropic's alphabet. */
export function callId(answer: string, choice: number, index: number): string {
  return `call_${answer.replace(/[^a-zA-Z0-9]/g, '').slice(-24)}_${choice > 0 ? `${choice}_` : ''}${index}`
}
