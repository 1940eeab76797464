/** What Ollama's chat and generate share in a request: `options`, `format`, `think`. */
import type { Chat, Extras, Json } from '../canonical.ts'
import type { Warn } from '../dialect.ts'
import { bad, compact, defined, isObject, isString, optionalNumber, optionalObject, stopList } from '../wire.ts'

/** Options that mean the same elsewhere; the others (`num_ctx`, `mirostat`, …) stay in the extras. */
const SHARED = new Set([
  'num_predict',
  'temperature',
  'top_p',
  'top_k',
  'min_p',
  'seed',
  'stop',
  'presence_penalty',
  'frequency_penalty',
  'repeat_penalty',
])

type Options = Pick<
  Chat,
  | 'maxTokens'
  | 'temperature'
  | 'topP'
  | 'topK'
  | 'minP'
  | 'seed'
  | 'stop'
  | 'presencePenalty'
  | 'frequencyPenalty'
  | 'repeatPenalty'
>

export function readOptions(value: unknown): { shared: Options; rest: Json | undefined } {
  const options = optionalObject(value, 'options') ?? {}
  const number = (name: string) => optionalNumber(options[name], `options.${name}`)
  const limit = number('num_predict')
  const rest: Json = {}
  for (const key of Object.keys(options)) if (!SHARED.has(key)) rest[key] = options[key]
  const shared = defined<Options>({
    // -1 is no limit, -2 until the context is full, and 0 does not limit either.
    maxTokens: limit !== undefined && limit > 0 ? limit : undefined,
    temperature: number('temperature'),
    topP: number('top_p'),
    topK: number('top_k'),
    minP: number('min_p'),
    seed: number('seed'),
    stop: stopList(options.stop, 'options.stop'),
    presencePenalty: number('presence_penalty'),
    frequencyPenalty: number('frequency_penalty'),
    repeatPenalty: number('repeat_penalty'),
  })
  return { shared, rest: Object.keys(rest).length > 0 ? rest : undefined }
}

export function writeOptions(chat: Chat, extras: Json): Json | undefined {
  const options = compact({
    ...(isObject(extras.options) ? extras.options : {}),
    num_predict: chat.maxTokens,
    temperature: chat.temperature,
    top_p: chat.topP,
    top_k: chat.topK,
    min_p: chat.minP,
    seed: chat.seed,
    stop: chat.stop,
    presence_penalty: chat.presencePenalty,
    frequency_penalty: chat.frequencyPenalty,
    repeat_penalty: chat.repeatPenalty,
  })
  return Object.keys(options).length > 0 ? options : undefined
}

export function readFormat(value: unknown): Chat['format'] {
  if (value === undefined || value === null || value === '') return undefined
  if (value === 'json') return { kind: 'json' }
  if (!isObject(value)) throw bad('format', "'json' or a JSON Schema")
  return { kind: 'schema', schema: value }
}

export function writeFormat(format: Chat['format']): unknown {
  return format?.kind === 'schema' ? format.schema : format?.kind
}

export function readThink(value: unknown): Chat['thinking'] {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'boolean') return { enabled: value }
  if (isString(value)) return { enabled: true, effort: value }
  throw bad('think', "a boolean, 'low', 'medium' or 'high'")
}

const LEVELS: Record<string, string> = {
  minimal: 'low',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'high',
  max: 'high',
}

/**
 * `think` where thinking was spoken of. Only gpt-oss takes levels; others answer 400 to one ("think value \"low\" is not
 * supported for this model"), so for them it is on or off.
 */
export function writeThink({ thinking, extras, model }: Chat, warn: Warn): boolean | string | undefined {
  if (!thinking) return undefined
  if (!thinking.enabled) return false
  const { effort } = thinking
  if (effort === undefined) return true
  if (extras.dialect.startsWith('ollama')) return effort
  if (/gpt-?oss/i.test(model)) return LEVELS[effort] ?? 'medium'
  warn.adapted?.('reasoning_effort', 'this model thinks or it does not: how much cannot be chosen')
  return true
}

/** What every request to Ollama carries beside its own content. A prompt that does not fit is an error, never cut. */
export function common(chat: Chat, extras: Json, warn: Warn): Json {
  if (chat.n !== undefined && chat.n > 1) warn('n', 'Ollama gives one answer at a time')
  if (chat.logitBias && Object.keys(chat.logitBias).length > 0) warn('logit_bias', 'Ollama has no such option')
  const { options: _, ...others } = extras
  return {
    stream: chat.stream,
    format: writeFormat(chat.format),
    think: writeThink(chat, warn),
    logprobs: chat.logprobs,
    top_logprobs: chat.topLogprobs,
    options: writeOptions(chat, extras),
    truncate: false,
    shift: false,
    ...others,
  }
}

/** The extras of a request with what is left of its options. */
export function withOptions(dialect: Extras['dialect'], extras: Extras | undefined, rest: Json | undefined): Extras {
  return { dialect, fields: { ...extras?.fields, ...(rest ? { options: rest } : {}) } }
}
