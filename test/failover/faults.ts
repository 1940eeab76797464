/**
 * Every fault that the mock can make, and what the caller must get. Each is met streamed and whole, in three ways through
 * the dialects, with the backup as a second deployment of the alias and as an alias of its own.
 */
import { contentFilter, contextLength, status, stop, tooMany } from '../mock/behaviour.ts'
import type { Planned } from '../mock/upstream.ts'

/**
 * primary, backup, either: the whole answer, from there. told: it, or a clear error in the stream; never a quiet end.
 * A number: this status and nobody else is asked.
 */
export type Verdict = 'primary' | 'backup' | 'either' | 'told' | number

export interface Fault {
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
  /** Litellm params of the primary. */
  params?: Record<string, unknown>
  /** The answer comes without usage. */
  noUsage?: boolean
  /** ms between the first two requests at the primary, at least. */
  gap?: number
  /** ms in which the whole must be over. */
  within?: number
}

const both = (verdict: Verdict): Pick<Fault, 'stream' | 'whole'> => ({ stream: verdict, whole: verdict })

/** A target that says nothing is asked once: what is not said by then costs the caller its wait twice. */
const silent = { most: 1, within: 6_000 }

/** Where a redirect would lead: a server of the test's that must never hear anything. */
export const redirect = (code: number, to: string): Fault => ({
  name: `redirect ${code} to another host`,
  plan: [status(code, { headers: { location: `${to}/v1/chat/completions` }, body: '' })],
  ...both('backup'),
})

export const FAULTS: readonly Fault[] = [
  // Statuses
  { name: '429 with Retry-After: 1, once', plan: [tooMany(1), 'ok'], ...both('either'), gap: 1_000 },
  { name: '429 without Retry-After, for good', plan: [tooMany()], ...both('backup') },
  { name: '429 with Retry-After as a date', plan: [tooMany('date:120')], ...both('backup'), most: 1, within: 3_000 },
  { name: '429 with Retry-After: 120', plan: [tooMany(120)], ...both('backup'), most: 1, within: 3_000 },
  { name: '429 with Retry-After: 0', plan: [tooMany(0)], ...both('backup'), most: 3 },
  { name: '500 once', plan: ['status:500', 'ok'], ...both('primary') },
  { name: '503 for good', plan: ['status:503'], ...both('backup'), most: 3 },
  { name: '502 as an HTML page', plan: ['html:502'], ...both('backup') },
  { name: '520', plan: ['status:520'], ...both('backup') },
  { name: '522', plan: ['status:522'], ...both('backup') },
  { name: '524', plan: ['status:524'], ...both('backup') },
  { name: '401: our key is bad', plan: ['echo:401'], ...both('backup'), most: 1 },
  { name: '403: our key may not', plan: ['echo:403'], ...both('backup'), most: 1 },
  { name: '404: our model name is wrong', plan: ['status:404'], ...both('backup'), most: 1 },
  { name: 'the prompt does not fit', plan: [contextLength()], ...both('backup'), most: 1 },
  { name: 'refused for its content', plan: [contentFilter()], ...both(400), most: 1 },
  {
    name: "the caller's mistake",
    plan: [status(400, { error: { message: 'temperature: must be at most 2', param: 'temperature' } })],
    ...both(400),
    most: 1,
  },

  // Connections
  { name: 'reset before headers, once', plan: [stop('reset', 'start'), 'ok'], ...both('either') },
  { name: 'reset before headers, for good', plan: [stop('reset', 'start')], ...both('backup') },
  { name: 'reset after headers', plan: [stop('reset', 'headers')], ...both('backup') },
  { name: 'closed after headers', plan: [stop('fin', 'headers')], ...both('backup') },
  { name: 'no response at all', plan: ['hang'], ...both('backup'), ...silent },
  { name: 'nothing after the headers', plan: [stop('hang', 'headers')], ...both('backup'), ...silent },
  { name: 'interim answers before the 200', plan: ['interim'], ...both('primary') },

  // Slowness
  { name: 'the first token does not come', plan: ['slowfirst:60000'], ...both('backup'), ...silent },
  { name: 'a model that loads for a while', plan: ['slowheaders:800'], ...both('primary'), most: 1 },
  { name: 'bytes drip and make no event', plan: ['drip:50'], ...both('backup'), ...silent },
  { name: 'stalls after 20 words', plan: ['stall:20'], stream: 'told', whole: 'backup', ...silent },

  // Ends
  { name: 'cut after 40 words', plan: ['cut:40'], stream: 'told', whole: 'backup', within: 6_000 },
  { name: 'closed after 40 words', plan: ['fin:40'], stream: 'told', whole: 'backup', within: 6_000 },
  { name: 'reset after 40 words', plan: ['reset:40'], stream: 'told', whole: 'backup', within: 6_000 },
  { name: 'cut before the first word', plan: ['cut:0'], ...both('backup') },
  { name: 'closed before the first word', plan: ['fin:0'], ...both('backup') },
  { name: 'an answer without its finish', plan: ['nofinish'], stream: 'told', whole: 'backup' },
  { name: 'no [DONE]', plan: ['nodone'], stream: 'primary', only: 'openai' },
  { name: 'no [DONE], and left open', plan: ['nodoneopen'], stream: 'primary', only: 'openai', within: 5_000 },
  { name: 'no [DONE], ended by close', plan: ['untilclose'], stream: 'primary', only: 'openai' },
  { name: 'no line with done: true', plan: ['nodone'], stream: 'told', only: 'ollama' },
  { name: 'a whole answer ended by close', plan: [{ untilClose: true }], whole: 'primary' },

  // Answers that are none
  { name: 'empty 200', plan: ['empty'], ...both('backup') },
  { name: '200 with an error body', plan: ['errorbody'], ...both('backup') },
  { name: 'an error as the first event', plan: ['inband:0'], stream: 'backup' },
  { name: 'an error after 10 words', plan: ['inband:10'], stream: 'told', within: 6_000 },
  { name: 'a malformed event', plan: ['malformed:10'], stream: 'primary', whole: 'backup' },
  { name: 'garbage between events', plan: ['garbage:10'], stream: 'primary', whole: 'backup' },
  { name: 'shorter than its length', plan: ['short:10'], whole: 'backup' },
  { name: 'longer than its length', plan: ['long:10'], whole: 'backup' },
  { name: 'corrupt gzip', plan: ['badgzip'], ...both('backup') },

  // Answers that are right, and odd
  { name: 'gzip', plan: ['gzip'], ...both('primary') },
  { name: 'plain JSON for a stream', plan: ['plain'], stream: 'primary' },
  { name: 'comments, fields, CRLF, no space', plan: ['odd'], stream: 'primary', only: 'openai' },
  { name: 'each byte on its own', plan: ['split:1'], ...both('primary'), within: 20_000 },
  { name: 'no usage', plan: ['nousage'], ...both('primary'), noUsage: true },
]
