/**
 * What a caller wishes of the way of his request, in LiteLLM's words: other fallbacks, fewer attempts, shorter times, a
 * failure that is only played. They are for us: no upstream is told of them.
 */

import type { CacheControls } from '../core/cache-rules.ts'
import type { FailureKind } from '../core/failure.ts'
import type { Priority } from '../core/fair-queue.ts'
import { Refusal } from '../core/refusal.ts'
import { peek } from '../dialects/peek.ts'
import { readJson } from '../dialects/read-json.ts'
import { controlsIn } from './cache/controls.ts'
import type { Call } from './call.ts'

export interface Wishes {
  /** Aliases to go to, in place of the configured ones; empty: none. */
  fallbacks?: readonly string[]
  /** Further attempts at a target. */
  retries?: number
  /** ms for the whole request, and to the first content of a stream. */
  totalMs?: number
  firstMs?: number
  /** Its content is not to be kept. */
  noLog?: boolean
  /** The first alias fails so, without being asked. */
  plays?: FailureKind
  /** Where it stands in a queue for a machine of the house; the lowest number first among its key's own. */
  priority?: Priority
  /** Guardrails that are to look at it, beside those that do anyway. */
  guardrails?: readonly string[]
  rank?: number
  /** What is to be kept of it, and what it may be answered with. */
  cache?: CacheControls
}

export const NO_WISHES: Wishes = {}

const PLAYS: Readonly<Record<string, FailureKind>> = {
  mock_testing_fallbacks: 'server',
  mock_testing_context_fallbacks: 'context',
  mock_testing_content_policy_fallbacks: 'content_filter',
  mock_testing_rate_limit_error: 'rate_limited',
}
const FIELDS = [
  'priority',
  'cache',
  'fallbacks',
  'disable_fallbacks',
  'num_retries',
  'timeout',
  'stream_timeout',
  'guardrails',
  'no-log',
  ...Object.keys(PLAYS),
]
const HEADERS = {
  'x-litellm-timeout': 'timeout',
  'x-litellm-stream-timeout': 'stream_timeout',
  'x-litellm-num-retries': 'num_retries',
} as const
const PRIORITY = 'x-tollgate-priority'

/** More than this is no patience any more but load. */
const MOST_RETRIES = 10
const MOST_FALLBACKS = 10
const MOST_GUARDRAILS = 100

/** Reads the wishes and takes them out of the body. @throws Refusal invalid_request where one is none */
export function readWishes(call: Call): Wishes {
  const { headers } = call.request
  const said: Record<string, unknown> = {}
  for (const [header, name] of Object.entries(HEADERS)) {
    const value = headers.get(header)
    if (value !== null) said[name] = Number(value)
  }
  const priority = headers.get(PRIORITY)
  const { keys } = call.peek.scan
  if (FIELDS.some((field) => keys.has(field)) || PLACES.some((place) => namesGuards(call, place)))
    Object.assign(said, takeOut(call))
  // Nobody is more urgent than he says himself, nor than his key may be.
  const all = [priority, said.priority, ofKey(call)].filter((one) => one !== undefined && one !== null)
  delete said.priority
  if (Object.keys(said).length === 0 && all.length === 0) return NO_WISHES
  return { ...wishesOf(said), ...priorityOf(all) }
}

/** Where LiteLLM's clients name guardrails, too. */
const PLACES = ['metadata', 'litellm_metadata']

function namesGuards({ bytes, peek: { scan } }: Call, place: string): boolean {
  const span = scan.keys.get(place)
  if (span?.kind !== 'object') return false
  const said = Buffer.from(bytes.buffer, bytes.byteOffset + span.start, span.end - span.start)
  // A name may be spelt with escapes.
  return said.includes('guardrails') || said.includes('\\u00')
}

/** Rare, so it may cost a parse. */
function takeOut(call: Call): Record<string, unknown> {
  const body = readJson(call.bytes) as Record<string, unknown>
  const said: Record<string, unknown> = {}
  for (const field of FIELDS) {
    if (!(field in body)) continue
    if (body[field] !== null) said[field] = body[field]
    delete body[field]
  }
  for (const place of PLACES) {
    const held = body[place]
    if (typeof held !== 'object' || held === null || !('guardrails' in held)) continue
    const { guardrails, ...rest } = held as Record<string, unknown>
    if (guardrails !== null) said.guardrails = [...list(said.guardrails), ...list(guardrails)]
    body[place] = rest
  }
  call.bytes = new TextEncoder().encode(JSON.stringify(body))
  call.peek = peek(call.bytes, call.door.dialect, call.door.said)
  return said
}

function wishesOf(said: Record<string, unknown>): Wishes {
  const wishes: Wishes = {}
  if (said.fallbacks !== undefined) wishes.fallbacks = fallbacksOf(said.fallbacks)
  if (flag(said, 'disable_fallbacks')) wishes.fallbacks = []
  if (said.num_retries !== undefined) {
    const n = said.num_retries
    if (!Number.isInteger(n) || (n as number) < 0 || (n as number) > MOST_RETRIES)
      throw wrong('num_retries', `must be a whole number from 0 to ${MOST_RETRIES}`)
    wishes.retries = n as number
  }
  if (said.cache !== undefined) wishes.cache = controlsIn(said.cache)
  if (said.timeout !== undefined) wishes.totalMs = seconds(said, 'timeout')
  if (said.stream_timeout !== undefined) wishes.firstMs = seconds(said, 'stream_timeout')
  if (said.guardrails !== undefined) wishes.guardrails = guardrailsOf(said.guardrails)
  if (flag(said, 'no-log')) wishes.noLog = true
  for (const [field, kind] of Object.entries(PLAYS)) if (flag(said, field)) wishes.plays = kind
  return wishes
}

/** One by itself is a list of one, as something that is no list is something that is wrong. */
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : value === undefined ? [] : [value])

function guardrailsOf(value: unknown): string[] {
  if (!Array.isArray(value) || value.length > MOST_GUARDRAILS || !value.every((one) => typeof one === 'string'))
    throw wrong('guardrails', `must be a list of at most ${MOST_GUARDRAILS} names`)
  return value as string[]
}

/** What the metadata of its key says, which may have other words for other things (`priority_reservation`). */
function ofKey({ who }: Call): unknown {
  const said = who?.key?.metadata.priority
  return said === 'batch' || typeof said === 'number' ? said : undefined
}

/** `interactive`, `batch`, or LiteLLM's number, of which the lowest goes first and all but 0 can wait. */
function priorityOf(all: readonly unknown[]): Pick<Wishes, 'priority' | 'rank'> {
  let rank = 0
  let priority: Priority = 'interactive'
  for (const said of all) {
    const number = typeof said === 'string' && /^-?\d{1,9}$/.test(said) ? Number(said) : said
    if (typeof number === 'number' && Number.isFinite(number)) {
      rank = Math.max(rank, number)
      if (number > 0) priority = 'batch'
    } else if (said === 'batch') priority = 'batch'
    else if (said !== 'interactive') throw wrong('priority', "must be 'interactive', 'batch' or a number")
  }
  return { priority, rank }
}

const wrong = (param: string, what: string): Refusal => new Refusal('invalid_request', `'${param}' ${what}.`, { param })

function flag(said: Record<string, unknown>, name: string): boolean {
  const value = said[name]
  if (value !== undefined && typeof value !== 'boolean') throw wrong(name, 'must be true or false')
  return value === true
}

function seconds(said: Record<string, unknown>, name: string): number {
  const value = said[name]
  if (typeof value !== 'number' || !(value > 0) || value > 86_400)
    throw wrong(name, 'must be seconds, more than 0 and at most a day')
  return Math.ceil(value * 1_000)
}

/** `["a"]` or `[{"model": "a"}]`; other messages for another model would be another request. */
function fallbacksOf(value: unknown): string[] {
  if (!Array.isArray(value) || value.length > MOST_FALLBACKS)
    throw wrong('fallbacks', `must be a list of at most ${MOST_FALLBACKS} models`)
  return value.map((one: unknown) => {
    if (typeof one === 'string' && one !== '') return one
    const { model, ...more } = (typeof one === 'object' && one !== null ? one : {}) as Record<string, unknown>
    if (typeof model !== 'string' || model === '')
      throw wrong('fallbacks', "must name models: ['a'] or [{'model': 'a'}]")
    if (Object.keys(more).length > 0)
      throw wrong(
        'fallbacks',
        `may say nothing but 'model' of a fallback; '${Object.keys(more)[0]}' has no effect here`,
      )
    return model
  })
}
