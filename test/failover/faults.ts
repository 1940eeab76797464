/**
 * Every fault that the mock can make, and what the caller must get. Each is met streamed and whole, in three ways through
 * the dialects, with the backup as a second deployment of the alias and as an alias of its own. Where a fault is of one
 * dialect's wire (`[DONE]`), the nearest one of the other's stands beside it under the same row.
 */
import { contentFilter, contextLength, status, stop, tooMany } from '../mock/behaviour.ts'
import type { Planned } from '../mock/upstream.ts'
import type { RowName } from './table.ts'

/**
 * primary, backup, either: the whole answer, from there. told: it, or a clear error in the stream; never a quiet end.
 * anyhow: the same, where it depends on how the bytes fall whether all of it was said before the failure.
 * A number: this status and nobody else is asked.
 */
export type Verdict = 'primary' | 'backup' | 'either' | 'told' | 'anyhow' | number

export interface Fault {
  rows: readonly RowName[]
  name: string
  /** What the primary does, request by request; the last one stays. */
  plan: readonly Planned[]
  /** Where only one is said it holds for both; undefined leaves that one out. */
  stream?: Verdict
  whole?: Verdict
  /** Requests that the primary may see. */
  most?: number
  /** `openai`, `ollama`: only where the primary speaks this. */
  only?: 'openai' | 'ollama'
  /** The answer comes without usage. */
  noUsage?: boolean
  /** ms between the first two requests at the primary, at least. */
  gap?: number
  /** ms in which the whole must be over. */
  within?: number
  /** It is met without a backup too, and the primary is to answer. */
  alone?: boolean
}

const both = (verdict: Verdict): Pick<Fault, 'stream' | 'whole'> => ({ stream: verdict, whole: verdict })

/** A target that says nothing is asked once: what is not said by then costs the caller its wait twice. */
const silent = { most: 1, within: 6_000 }

/** Where a redirect would lead: a server of the test's that must never hear anything. */
export const redirect = (code: number, to: string): Fault => ({
  rows: ['redirect to a foreign host', ...rowOf(code)],
  name: `redirect ${code}`,
  plan: [status(code, { headers: { location: `${to}/v1/chat/completions` }, body: '' })],
  ...both('backup'),
})

const rowOf = (code: number): RowName[] => (code === 302 || code === 308 ? [`${code} redirect to a foreign host`] : [])

/** What is JSON as far as it goes: `{"id":…,"choices":[{"mess`. */
const truncated = status(200, {
  headers: { 'content-type': 'application/json' },
  body: '{"id":"chatcmpl-1","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hi lane1',
})

export const FAULTS: readonly Fault[] = [
  // Statuses
  {
    rows: ['429 with Retry-After: 2, once', '429 with seconds'],
    name: 'once',
    plan: [tooMany(2), 'ok'],
    ...both('either'),
    gap: 2_000,
    alone: true,
  },
  {
    rows: ['429 without Retry-After, persistent', '429 without'],
    name: 'for good',
    plan: [tooMany()],
    ...both('backup'),
  },
  {
    rows: ['429 with Retry-After as a date', '429 with a date'],
    name: 'in two minutes',
    plan: [tooMany('date:120')],
    ...both('backup'),
    most: 1,
    within: 3_000,
  },
  {
    rows: ['429 with Retry-After as a date', '429 with a date'],
    name: 'in two seconds, once',
    plan: [tooMany('date:2'), 'ok'],
    ...both('either'),
    gap: 1_000,
    alone: true,
  },
  {
    rows: ['429 with Retry-After: 120', '429 with seconds'],
    name: 'for good',
    plan: [tooMany(120)],
    ...both('backup'),
    most: 1,
    within: 3_000,
  },
  { rows: ['429 with Retry-After: 0'], name: 'for good', plan: [tooMany(0)], ...both('backup'), most: 3 },
  {
    rows: ['429 with Retry-After: 0'],
    name: 'once',
    plan: [tooMany(0), 'ok'],
    ...both('either'),
    gap: 100,
    alone: true,
  },
  {
    rows: ['500 once, then healthy', '500'],
    name: 'once',
    plan: ['status:500', 'ok'],
    ...both('primary'),
    alone: true,
  },
  { rows: ['500'], name: 'for good', plan: ['status:500'], ...both('backup'), most: 3 },
  { rows: ['502'], name: 'for good', plan: ['status:502'], ...both('backup'), most: 3 },
  { rows: ['503 persistent', '503'], name: 'for good', plan: ['status:503'], ...both('backup'), most: 3 },
  { rows: ['529'], name: 'for good', plan: ['status:529'], ...both('backup'), most: 3 },
  { rows: ['HTML page with status 502', '502'], name: 'for good', plan: ['html:502'], ...both('backup') },
  { rows: ['Cloudflare 520/522/524'], name: '520', plan: ['status:520'], ...both('backup') },
  { rows: ['Cloudflare 520/522/524'], name: '522', plan: ['status:522'], ...both('backup') },
  { rows: ['Cloudflare 520/522/524'], name: '524', plan: ['status:524'], ...both('backup') },
  {
    rows: ['Primary answers 401', '401 upstream'],
    name: 'and echoes the key',
    plan: ['echo:401'],
    ...both('backup'),
    most: 1,
  },
  { rows: ['403 upstream'], name: 'and echoes the key', plan: ['echo:403'], ...both('backup'), most: 1 },
  { rows: ['Primary: model not found (404)'], name: 'for good', plan: ['status:404'], ...both('backup'), most: 1 },
  {
    rows: ['Context length exceeded (400)', 'context overflow'],
    name: 'for good',
    plan: [contextLength()],
    ...both('backup'),
    most: 1,
  },
  {
    rows: ['Content-filter rejection (400)', 'content filter'],
    name: 'for good',
    plan: [contentFilter()],
    ...both(400),
    most: 1,
  },
  {
    rows: ["400 that is the caller's"],
    name: 'a temperature',
    plan: [status(400, { error: { message: 'temperature: must be at most 2', param: 'temperature' } })],
    ...both(400),
    most: 1,
  },

  // Connections
  {
    rows: ['TCP reset before headers, once', 'reset before headers'],
    name: 'once',
    plan: [stop('reset', 'start'), 'ok'],
    ...both('either'),
    alone: true,
  },
  { rows: ['reset before headers'], name: 'for good', plan: [stop('reset', 'start')], ...both('backup') },
  {
    rows: ['Connection reset after headers, before content', 'reset after headers'],
    name: 'reset',
    plan: [stop('reset', 'headers')],
    ...both('backup'),
  },
  {
    rows: ['Connection reset after headers, before content'],
    name: 'closed',
    plan: [stop('fin', 'headers')],
    ...both('backup'),
  },
  { rows: ['No response at all', 'never answers'], name: 'for good', plan: ['hang'], ...both('backup'), ...silent },
  {
    rows: ['No response at all'],
    name: 'nothing after the headers',
    plan: [stop('hang', 'headers')],
    ...both('backup'),
    ...silent,
  },
  { rows: ['1xx answers before the 200'], name: '100, 102, 103', plan: ['interim'], ...both('primary') },

  // Slowness
  { rows: ['Slow first token'], name: 'a minute', plan: ['slowfirst:60000'], ...both('backup'), ...silent },
  {
    rows: ['Slow first token'],
    name: 'a model that loads for a moment',
    plan: ['slowheaders:800'],
    ...both('primary'),
    most: 1,
  },
  {
    rows: ['Very slow drip: bytes flow, no event ever completes'],
    name: 'a byte every 50 ms',
    plan: ['drip:50'],
    ...both('backup'),
    ...silent,
  },
  {
    rows: ['Stream stalls after 20 words', 'silent stall after some tokens'],
    name: '20 of 60',
    plan: ['stall:20'],
    stream: 'told',
    whole: 'backup',
    ...silent,
  },

  // Ends
  {
    rows: ['Stream cut after 40 of 60 words'],
    name: 'the body ends',
    plan: ['cut:40'],
    stream: 'told',
    whole: 'backup',
    within: 6_000,
  },
  {
    rows: ['Stream cut after 40 of 60 words'],
    name: 'the connection is closed',
    plan: ['fin:40'],
    stream: 'told',
    whole: 'backup',
    within: 6_000,
  },
  {
    rows: ['Stream cut after 40 of 60 words', 'reset in the stream'],
    name: 'the connection is reset',
    plan: ['reset:40'],
    stream: 'told',
    whole: 'backup',
    within: 6_000,
  },
  { rows: ['Stream ends after the first (empty) event'], name: 'the body ends', plan: ['cut:0'], ...both('backup') },
  {
    rows: ['Stream ends after the first (empty) event'],
    name: 'the connection is closed',
    plan: ['fin:0'],
    ...both('backup'),
  },
  {
    rows: ['Stream cut after 40 of 60 words'],
    name: 'all words, and no finish',
    plan: ['nofinish'],
    stream: 'told',
    whole: 'backup',
  },
  {
    rows: ['Stream ends without its end marker', 'missing [DONE]'],
    name: 'no [DONE]',
    plan: ['nodone'],
    stream: 'primary',
    only: 'openai',
  },
  {
    rows: ['Stream ends without its end marker'],
    name: 'no [DONE], and left open',
    plan: ['nodoneopen'],
    stream: 'primary',
    only: 'openai',
    within: 5_000,
  },
  {
    rows: ['Stream ends without its end marker'],
    name: 'said whole, and left open',
    plan: [{ leaveOpen: true }],
    stream: 'primary',
    only: 'ollama',
    within: 5_000,
  },
  {
    rows: ['Stream ends without its end marker', 'missing [DONE]', 'No [DONE], body ended by close'],
    name: "no line with done: true, which holds Ollama's finish too",
    plan: ['nodone'],
    stream: 'told',
    only: 'ollama',
  },
  {
    rows: ['No [DONE], body ended by close'],
    name: 'streamed',
    plan: ['untilclose'],
    stream: 'primary',
    only: 'openai',
  },
  {
    rows: ['No [DONE], body ended by close'],
    name: 'with its done: true',
    plan: [{ untilClose: true }],
    stream: 'primary',
    only: 'ollama',
  },
  { rows: ['No [DONE], body ended by close'], name: 'a whole answer', plan: [{ untilClose: true }], whole: 'primary' },

  // Answers that are none
  { rows: ['answers 200 with nothing'], name: 'for good', plan: ['empty'], ...both('backup') },
  { rows: ['200 with an error body', 'error inside a 200'], name: 'for good', plan: ['errorbody'], ...both('backup') },
  { rows: ['HTML instead of JSON'], name: 'status 200', plan: ['html:200'], ...both('backup') },
  { rows: ['truncated JSON'], name: 'of the right length', plan: [truncated], ...both('backup') },
  { rows: ['error as the first SSE event'], name: 'nothing before it', plan: ['inband:0'], stream: 'backup' },
  {
    rows: ['In-band error after 10 words', 'error as a later SSE event'],
    name: '10 of 60',
    plan: ['inband:10'],
    stream: 'told',
    within: 6_000,
  },
  {
    rows: ['Malformed event in the stream'],
    name: 'after 10 words',
    plan: ['malformed:10'],
    stream: 'primary',
    // One that is asked for as a stream can do without it.
    whole: 'either',
  },
  {
    rows: ['Garbage bytes inside the stream'],
    name: 'after 10 words',
    plan: ['garbage:10'],
    stream: 'primary',
    // One that is asked for as a stream can do without it.
    whole: 'either',
  },
  {
    rows: ['Body shorter than Content-Length', 'wrong content-length'],
    name: 'by 10 bytes',
    plan: ['short:10'],
    stream: 'anyhow',
    whole: 'backup',
    only: 'openai',
  },
  {
    rows: ['Body shorter than Content-Length', 'wrong content-length'],
    name: 'by 10 bytes, behind all that was to be said',
    plan: ['short:10'],
    stream: 'anyhow',
    // Asked for as a stream it is whole as soon as it has said so.
    whole: 'either',
    only: 'ollama',
  },
  {
    rows: ['Body longer than Content-Length', 'wrong content-length'],
    name: 'by 10 bytes',
    plan: ['long:10'],
    stream: 'anyhow',
    whole: 'backup',
  },
  { rows: ['Corrupt gzip answer'], name: 'for good', plan: ['badgzip'], ...both('backup') },

  // Answers that are right, and odd
  { rows: ['gzip'], name: 'good', plan: ['gzip'], ...both('primary') },
  { rows: ['Plain JSON for a stream request'], name: 'a whole answer', plan: ['plain'], stream: 'primary' },
  {
    rows: ['SSE comments, event/id/retry fields, no space after data:'],
    name: 'all of them, and CRLF',
    plan: ['odd'],
    stream: 'primary',
    only: 'openai',
  },
  {
    rows: ['SSE comments, event/id/retry fields, no space after data:'],
    name: 'lines have none of them: blank ones between, and CRLF',
    plan: ['odd'],
    stream: 'primary',
    only: 'ollama',
  },
  {
    rows: ['UTF-8 split across chunks'],
    name: 'each byte on its own',
    plan: ['split:1'],
    ...both('primary'),
    within: 20_000,
  },
  { rows: ['Usage missing', 'missing usage'], name: 'for good', plan: ['nousage'], ...both('primary'), noUsage: true },
]
