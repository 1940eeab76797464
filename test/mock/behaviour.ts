/**
 * What the mock is told to do with one request. A behaviour is plain JSON, so that it can be sent over HTTP too, and
 * its parts combine: `{ ...sse.crlf, ...stop('cut', 40) }`. Times are in ms, counts in tokens (see `answer.ts`).
 */

/** Where an answer breaks off: before its status line, after its headers, or after N tokens. */
export type Place = 'start' | 'headers' | number

/** hang: nothing more comes, the connection stays. reset: TCP RST. cut: a clean end of the HTTP body. fin: the
 * connection is closed in the middle of the HTTP body. */
export type Stop = { how: 'hang' | 'reset' | 'cut' | 'fin'; at: Place }

export interface Behaviour {
  // Waiting
  delayHeaders?: number
  delayFirst?: number
  delayBetween?: number
  /** Nothing for `ms` before token `after`; with `comments`, an SSE comment every 50 ms meanwhile. */
  silence?: { after: number; ms: number; comments?: boolean }
  stop?: Stop

  // Another answer than the one asked for
  /** A status without a `body` is answered with an error in the shape of the route's dialect. */
  status?: number
  headers?: Record<string, string>
  body?: string
  error?: { message?: string; type?: string; code?: string | null; param?: string | null }
  /** Puts the received Authorization (or x-api-key) into the error's message, as careless upstreams do. */
  echoKey?: boolean
  /** 200 with the dialect's error as its body. */
  errorBody?: boolean
  /** 200 with nothing in it. */
  empty?: boolean
  /** A whole answer although a stream was asked for. */
  plain?: boolean

  // HTTP
  /** Interim answers before the real one. */
  informational?: number[]
  /** Added to the true content-length (whole answers). */
  contentLength?: number
  gzip?: 'good' | 'corrupt'
  /** The body has no length and no chunks: it ends with the connection. */
  untilClose?: boolean
  /** Each write holds N bytes, and the next one leaves only when this one has gone. */
  split?: number

  // Inside a stream
  noDone?: boolean
  /** The connection stays open after the last frame, with the HTTP body unfinished. */
  leaveOpen?: boolean
  noUsage?: boolean
  noFinish?: boolean
  /** Bytes between two frames, before token `after`: `text` as it is, or `base64` bytes. */
  insert?: { after: number; text?: string; base64?: string }
  /** The dialect's in-band error after N tokens; then the stream ends. */
  errorAfter?: number
  /** One event of this many bytes that never ends, instead of an answer. */
  bigEvent?: number
  /** One byte of an event that never completes, every N ms, instead of an answer. */
  drip?: number
  sse?: SseStyle

  // What is answered, and what is said of it
  /** Words of the answer; default: the mock's. */
  words?: number
  /** Every token but the first is padded to this many bytes, for big answers. */
  tokenBytes?: number
  /** Words of thinking before the answer. */
  thinking?: number
  /** Literal text in place of the words; split into tokens at spaces. */
  text?: string
  ignoreMaxTokens?: boolean
  /** Text where a tool call was expected. */
  noTools?: boolean
  /** 400 where the last message is the assistant's (no prefill). */
  rejectPrefill?: boolean
  /** What is reported in place of what was counted. */
  usage?: { prompt?: number; completion?: number }
  /** What of the prompt and the answer is sold at prices of its own, where the dialect can say so. */
  detail?: Detail
}

export interface Detail {
  cacheRead?: number
  /** For 5 minutes, and for an hour. */
  cacheWrite?: number
  cacheWriteHour?: number
  reasoning?: number
  searches?: number
  /** What the machine works, ms. */
  gpuMs?: number
  /** The service that it is given in. */
  service?: 'priority' | 'flex'
}

export interface SseStyle {
  comments?: boolean
  crlf?: boolean
  /** `id:` and `retry:` lines, and an `event:` line where the dialect has none. */
  fields?: boolean
  noSpace?: boolean
}

/** Parses `after` of a model name such as `m!cut:40`. */
const count = (argument: string | undefined, otherwise: number): number =>
  argument === undefined || argument === '' ? otherwise : Number(argument)

export const stop = (how: Stop['how'], at: Place): Behaviour => ({ stop: { how, at } })
export const status = (code: number, more: Behaviour = {}): Behaviour => ({ status: code, ...more })

/** A 429. `retryAfter`: seconds, `date:N` for an HTTP date N seconds from now, or undefined for no header. */
export function tooMany(retryAfter?: string | number): Behaviour {
  const headers: Record<string, string> = {}
  if (retryAfter !== undefined) headers['retry-after'] = String(retryAfter)
  return { status: 429, headers, error: { message: 'Rate limit reached for requests', type: 'requests' } }
}

export const contextLength = (): Behaviour => ({
  status: 400,
  error: {
    message: "This model's maximum context length is 4096 tokens. However, your messages resulted in 5000 tokens.",
    type: 'invalid_request_error',
    code: 'context_length_exceeded',
    param: 'messages',
  },
})

export const contentFilter = (): Behaviour => ({
  status: 400,
  error: {
    message: 'The response was filtered due to the prompt triggering the content management policy.',
    type: 'invalid_request_error',
    code: 'content_filter',
    param: 'prompt',
  },
})

const HTML = '<html><head><title>502 Bad Gateway</title></head><body><center>nginx</center></body></html>\n'

/** Bytes that are neither UTF-8 nor SSE: 0xff, 0xfe, NUL and a lone continuation byte, then a line end. */
const GARBAGE = Buffer.from([0xff, 0xfe, 0x00, 0x80, 0x13, 0x37, 0xc3, 0x28, 0x0a, 0x0a]).toString('base64')

/** Faults that a model name can ask for: `anything!name` or `anything!name:argument`. */
export const named: Readonly<Record<string, (argument?: string) => Behaviour>> = {
  ok: () => ({}),
  hang: () => stop('hang', 'start'),
  stall: (n) => stop('hang', count(n, 20)),
  reset: (n) => stop('reset', n === undefined ? 'start' : n === 'headers' ? 'headers' : count(n, 0)),
  cut: (n) => stop('cut', n === 'headers' ? 'headers' : count(n, 40)),
  fin: (n) => stop('fin', n === 'headers' ? 'headers' : count(n, 40)),
  slowheaders: (ms) => ({ delayHeaders: count(ms, 1000) }),
  slowfirst: (ms) => ({ delayFirst: count(ms, 1000) }),
  slow: (ms) => ({ delayBetween: count(ms, 50) }),
  silent: (ms) => ({ silence: { after: 10, ms: count(ms, 1000) } }),
  silentcomments: (ms) => ({ silence: { after: 10, ms: count(ms, 1000), comments: true } }),
  status: (code) => status(count(code, 500)),
  '429': (after) => tooMany(after),
  html: (code) => ({ status: count(code, 502), headers: { 'content-type': 'text/html' }, body: HTML }),
  echo: (code) => ({ status: count(code, 401), echoKey: true }),
  context: () => contextLength(),
  filter: () => contentFilter(),
  nodone: () => ({ noDone: true }),
  nodoneopen: () => ({ noDone: true, leaveOpen: true }),
  untilclose: () => ({ noDone: true, untilClose: true }),
  nousage: () => ({ noUsage: true }),
  nofinish: () => ({ noFinish: true }),
  malformed: (n) => ({ insert: { after: count(n, 10), text: 'data: {"id": "broken", "choices": [{"delta"\n\n' } }),
  garbage: (n) => ({ insert: { after: count(n, 10), base64: GARBAGE } }),
  inband: (n) => ({ errorAfter: count(n, 10) }),
  errorbody: () => ({ errorBody: true }),
  empty: () => ({ empty: true }),
  plain: () => ({ plain: true }),
  redirect: (code) => ({
    status: count(code, 302),
    headers: { location: 'http://foreign.invalid/v1/chat/completions' },
    body: '',
  }),
  short: (bytes) => ({ contentLength: count(bytes, 10) }),
  long: (bytes) => ({ contentLength: -count(bytes, 10) }),
  gzip: () => ({ gzip: 'good' }),
  badgzip: () => ({ gzip: 'corrupt' }),
  interim: () => ({ informational: [100, 102, 103] }),
  bigevent: (mb) => ({ bigEvent: count(mb, 48) * 1024 * 1024 }),
  drip: (ms) => ({ drip: count(ms, 20) }),
  split: (bytes) => ({ split: count(bytes, 1) }),
  odd: () => ({ sse: { comments: true, crlf: true, fields: true, noSpace: true } }),
  liar: () => ({ usage: { completion: 100_000 } }),
  long_winded: () => ({ ignoreMaxTokens: true }),
  big: (mb) => ({ words: count(mb, 100) * 1024, tokenBytes: 1024, ignoreMaxTokens: true }),
  think: (n) => ({ thinking: count(n, 8) }),
  noprefill: () => ({ rejectPrefill: true }),
}

/** The behaviour a model name asks for, or undefined. @throws Error for a name that is not known. */
export function fromModel(model: string): Behaviour | undefined {
  const at = model.indexOf('!')
  if (at < 0) return undefined
  const all: Behaviour = {}
  for (const part of model.slice(at + 1).split('!')) {
    const colon = part.indexOf(':')
    const name = colon < 0 ? part : part.slice(0, colon)
    const make = Object.hasOwn(named, name) ? named[name] : undefined
    if (!make) throw new Error(`the mock has no fault named '${name}'; it has ${Object.keys(named).join(', ')}`)
    Object.assign(all, make(colon < 0 ? undefined : part.slice(colon + 1)))
  }
  return all
}
