/**
 * Reads of a request body what the way of a request depends on, without parsing it: whose model, whether it streams,
 * how long the answer may be. What is refused here is refused before anything is held or sent.
 */

import { isUtf8 } from 'node:buffer'
import { Refusal } from '../core/refusal.ts'
import type { Json } from './canonical.ts'
import type { Dialect } from './dialect.ts'
import { readJson } from './read-json.ts'
import { type Scan, type Span, scan } from './scan.ts'
import { isObject } from './wire.ts'

export interface Peek {
  /** The model in the caller's words; never empty. */
  model: string
  stream: boolean
  /** The most tokens the answer may have; undefined where the caller set no limit. */
  maxTokens?: number
  /** Where it stands (`max_tokens`, `options.num_predict`). */
  maxTokensField?: string
  /** The caller asked for usage at the end of the stream. */
  includeUsage: boolean
  /** How many choices; 1 unless asked otherwise. */
  n: number
  /** Where everything stands, for `splice`. */
  scan: Scan
}

const COMMON = ['model', 'stream', 'stream_options', 'n']

/** As a case-insensitive reader (Go's encoding/json) sees a key: `Model`, `ſtream`. */
const fold = (key: string): string => key.normalize('NFKC').toLowerCase()

/**
 * One field may have one value only: readers disagree on which of two counts, and a check that reads the first while
 * the upstream obeys the last is no check. Go's readers (Ollama) also take `Model` for `model`.
 */
function refuseAmbiguous(found: Scan, known: readonly string[]): void {
  for (const key of found.duplicates) {
    if (known.includes(key) || COMMON.includes(key)) {
      throw new Refusal('invalid_request', `The field '${key}' stands more than once. Send it once.`, { param: key })
    }
  }
  for (const key of found.keys.keys()) {
    const folded = fold(key)
    if (folded !== key && (known.includes(folded) || COMMON.includes(folded))) {
      throw new Refusal('invalid_request', `Unknown field '${key}'. Did you mean '${folded}'?`, { param: key })
    }
  }
}

/** The same for protocol buffers' JSON, where `generation_config` is `generationConfig`. */
function refuseBothSpellings(found: Scan): void {
  for (const key of found.keys.keys()) {
    const camel = key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
    if (camel === key || !found.keys.has(camel)) continue
    throw new Refusal('invalid_request', `'${key}' is the same field as '${camel}'. Send it once.`, { param: key })
  }
}

class Reader {
  readonly found: Scan
  private readonly buffer: Buffer

  constructor(bytes: Uint8Array) {
    this.buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.found = scan(bytes)
  }

  /** The place of a field, undefined where it is missing or null. */
  span(field: string): Span | undefined {
    const span = this.found.keys.get(field)
    return span === undefined || span.kind === 'null' ? undefined : span
  }

  value(span: Span): unknown {
    const raw = this.buffer.toString('latin1', span.start, span.end)
    if (span.kind === 'number') return Number(raw)
    if (span.kind === 'string' && !/[\\\x80-\xff]/.test(raw)) return raw.slice(1, -1)
    return readJson(this.buffer.subarray(span.start, span.end))
  }

  /** A field that may be nested one level (`options.num_predict`). */
  at(field: string): unknown {
    const [head, tail] = field.split('.') as [string, string?]
    const span = this.span(head)
    if (!span) return undefined
    if (tail === undefined) return this.value(span)
    if (span.kind !== 'object') throw wrong(head, 'an object', span.kind)
    return (this.value(span) as Json)[tail] ?? undefined
  }

  isEmptyArray(span: Span): boolean {
    if (span.kind !== 'array') return false
    let at = span.start + 1
    while ((this.buffer[at] as number) <= 0x20) at++
    return this.buffer[at] === 0x5d
  }
}

function wrong(field: string, wanted: string, kind: string): Refusal {
  const got = kind === 'true' || kind === 'false' ? 'boolean' : kind
  return new Refusal('invalid_request', `'${field}' must be ${wanted}, not ${got}.`, { param: field })
}

function positive(value: unknown, field: string, least: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least) return value
  const what = least > 0 ? 'a positive integer' : `an integer of at least ${least}`
  const got = typeof value === 'number' ? String(value) : typeof value
  throw new Refusal('invalid_request', `'${field}' must be ${what}, not ${got}.`, { param: field })
}

function checkRequired(reader: Reader, dialect: Dialect): void {
  for (const [field, rule] of Object.entries(dialect.fields.required)) {
    const span = reader.span(field)
    const optional = rule.endsWith('?')
    if (!span) {
      if (optional) continue
      throw new Refusal('invalid_request', `'${field}' is missing.`, { param: field })
    }
    const kind = optional ? rule.slice(0, -1) : rule
    if (kind === 'any') continue
    if (span.kind !== kind) throw wrong(field, kind === 'array' ? 'an array' : 'a string', span.kind)
    if (!optional && reader.isEmptyArray(span)) {
      throw new Refusal('invalid_request', `'${field}' is empty. Send at least one.`, { param: field })
    }
  }
}

function readBoolean(reader: Reader, field: string): boolean | undefined {
  const span = reader.span(field)
  if (!span) return undefined
  if (span.kind !== 'true' && span.kind !== 'false') throw wrong(field, 'a boolean', span.kind)
  return span.kind === 'true'
}

/** What the path of a request says where its body does not. */
export interface PathSaid {
  model: string
  stream: boolean
}

function readModel(reader: Reader): string {
  const modelSpan = reader.span('model')
  if (!modelSpan) throw new Refusal('invalid_request', "'model' is missing. Name the model to ask.", { param: 'model' })
  if (modelSpan.kind !== 'string') throw wrong('model', 'a string', modelSpan.kind)
  return reader.value(modelSpan) as string
}

/**
 * @param bytes the whole body
 * @param path what the path says, for dialects that ask there (`fields.asksInPath`); the body's own words do not count
 * @throws Refusal invalid_json, or invalid_request with `param`
 */
export function peek(bytes: Uint8Array, dialect: Dialect, path?: PathSaid): Peek {
  if (!isUtf8(bytes)) throw new Refusal('invalid_json', 'The request body is not valid UTF-8.')
  const reader = new Reader(bytes)
  refuseAmbiguous(reader.found, dialect.fields.known)
  if (dialect.fields.asksInPath) refuseBothSpellings(reader.found)

  const said = dialect.fields.asksInPath ? path : undefined
  const model = said ? said.model : readModel(reader)
  if (model === '') throw new Refusal('invalid_request', "'model' is empty. Name the model to ask.", { param: 'model' })
  checkRequired(reader, dialect)

  const streamsByDefault = dialect.op === 'chat' && dialect.streamsByDefault
  const options = reader.at('stream_options')
  if (options !== undefined && !isObject(options)) throw wrong('stream_options', 'an object', typeof options)
  const choices = (dialect.fields.choices ?? ['n']).find((field) => reader.at(field) !== undefined) ?? 'n'
  const n = reader.at(choices)
  const peeked: Peek = {
    model,
    stream: said ? said.stream : dialect.op === 'chat' && (readBoolean(reader, 'stream') ?? streamsByDefault),
    includeUsage: isObject(options) && options.include_usage === true,
    n: n === undefined ? 1 : positive(n, choices, 1),
    scan: reader.found,
  }
  for (const field of dialect.fields.maxTokens) {
    const value = reader.at(field)
    if (value === undefined) continue
    peeked.maxTokensField ??= field
    if (dialect.fields.zeroIsUnlimited && typeof value === 'number' && value <= 0) continue
    const tokens = positive(value, field, dialect.fields.leastTokens ?? 1)
    peeked.maxTokens = Math.min(tokens, peeked.maxTokens ?? tokens)
  }
  if (dialect.fields.asksInPath && peeked.maxTokensField === undefined) {
    // Where a limit would have to be put so that it does not stand beside its parent's other spelling.
    const near = dialect.fields.maxTokens.find((field) => reader.span(field.split('.')[0] as string))
    if (near !== undefined) peeked.maxTokensField = near
  }
  return peeked
}
