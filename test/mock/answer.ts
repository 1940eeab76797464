/**
 * What the mock says and how it counts, by rules that a test can compute too:
 * prompt tokens = words (runs of non-space) in all the texts of the request, system prompts and tool results included;
 * completion tokens = pieces of the answer: a word with its leading space is one; a tool call is CALL_TOKENS;
 * JSON by schema is cut into pieces of four characters. Thinking counts like words.
 */
import type { Behaviour } from './behaviour.ts'

export const CALL_TOKENS = 8
export const DEFAULT_WORDS = 60

/** Non-ASCII words of 2, 3 and 4 UTF-8 bytes a character, so that any split of the bytes cuts one sooner or later. */
const WORDS = ['toll', '€5', 'naïve', 'gate', 'lane', '日本', 'coin', '🚦', 'road', 'fare', 'bridge', 'größer']

export interface ToolSpec {
  name: string
  schema: unknown
}

/** A request as far as the mock cares, whatever its dialect. */
export interface Asked {
  model: string
  stream: boolean
  includeUsage: boolean
  /** All texts of the prompt, in order. */
  texts: string[]
  lastUser: string
  /** The text of a last message by the assistant: the answer goes on from there. */
  prefill?: string
  maxTokens?: number
  tools: ToolSpec[]
  /** The last message is a tool's result, or tools are not to be called. */
  textOnly: boolean
  schema?: unknown
  n: number
  /** Thinking was asked for. */
  think: boolean
}

export interface Call {
  id: string
  name: string
  args: Record<string, unknown>
}

/** Another way to count than by words (a real vocabulary). */
export interface Counter {
  /** @param plain they are to be embedded: there are no messages around them */
  prompt(texts: readonly string[], plain: boolean): number
  answer(text: string): number
}

/** Tokens of an answer, or of its beginning; reasoning is part of them. */
export interface Made {
  completion: number
  reasoning: number
}

export interface Answer {
  id: string
  model: string
  /** Seconds since the epoch. */
  created: number
  thinking: string[]
  pieces: string[]
  /** Each piece is filled up to this many characters as it is written: a big answer need not be held in memory. */
  padTo: number
  calls: Call[]
  finish: 'stop' | 'length' | 'tool'
  promptTokens: number
  completionTokens: number
  /** What the first pieces (of thinking, then of text, then of calls) come to. */
  soFar(pieces: number): Made
}

export const words = (text: string): number => text.match(/\S+/g)?.length ?? 0

/** Words as tokens: each keeps the space before it. */
export const tokens = (text: string): string[] => text.match(/\s*\S+/g) ?? []

/** The words of an answer: the first echoes the caller's first word, so that mixed-up answers show. */
export function wordsFor(lastUser: string, count: number): string[] {
  const first = (lastUser.match(/\S+/)?.[0] ?? 'nothing').slice(0, 40)
  const out: string[] = []
  for (let i = 0; i < count; i++) {
    const word = i === 0 ? first : `${WORDS[i % WORDS.length]}${i}`
    out.push(i === 0 ? word : ` ${word}`)
  }
  return out
}

/** A value that fits a JSON schema, the same each time. */
export function sample(schema: unknown): unknown {
  if (typeof schema !== 'object' || schema === null) return 'toll'
  const s = schema as Record<string, unknown>
  if (Array.isArray(s.enum)) return s.enum[0]
  if ('const' in s) return s.const
  const any = s.anyOf ?? s.oneOf
  if (Array.isArray(any)) return sample(any[0])
  const type = Array.isArray(s.type) ? s.type[0] : s.type
  if (type === 'number' || type === 'integer') return 7
  if (type === 'boolean') return true
  if (type === 'null') return null
  if (type === 'array') return s.items === undefined ? [] : [sample(s.items)]
  if (type === 'object' || s.properties !== undefined) {
    const out: Record<string, unknown> = {}
    const properties = (s.properties ?? {}) as Record<string, unknown>
    for (const [name, value] of Object.entries(properties)) out[name] = sample(value)
    return out
  }
  return 'Paris'
}

/** What is answered. @param serial the request's number, of which ids are made */
export function answerFor(
  asked: Asked,
  behaviour: Behaviour,
  serial: number,
  defaultWords: number,
  counter?: Counter,
): Answer {
  const limit = behaviour.ignoreMaxTokens === true ? undefined : asked.maxTokens
  const promptTokens = counter?.prompt(asked.texts, false) ?? asked.texts.reduce((sum, text) => sum + words(text), 0)
  const base = {
    id: `mock${String(serial).padStart(8, '0')}`,
    model: asked.model,
    created: Math.floor(Date.now() / 1000),
    promptTokens,
    padTo: behaviour.tokenBytes ?? 0,
  }
  if (asked.tools.length > 0 && !asked.textOnly && behaviour.noTools !== true) {
    const calls = asked.tools.map((tool, i) => ({
      id: `call_mock${serial}x${i}`,
      name: tool.name,
      args: sample(tool.schema ?? { type: 'object' }) as Record<string, unknown>,
    }))
    // A call that the limit cuts vanishes, as it does with Ollama.
    const fits = limit === undefined ? calls.length : Math.min(calls.length, Math.floor(limit / CALL_TOKENS))
    return {
      ...base,
      thinking: [],
      pieces: [],
      calls: calls.slice(0, fits),
      finish: fits < calls.length ? 'length' : 'tool',
      completionTokens: fits * CALL_TOKENS,
      soFar: (made) => ({ completion: made, reasoning: 0 }),
    }
  }
  let thinking = wordsFor('Let', behaviour.thinking ?? (asked.think ? 8 : 0))
  let pieces: string[]
  if (behaviour.text !== undefined) pieces = tokens(behaviour.text)
  else if (asked.schema !== undefined) pieces = JSON.stringify(sample(asked.schema)).match(/[\s\S]{1,4}/g) ?? []
  else pieces = wordsFor(asked.lastUser, behaviour.words ?? defaultWords)
  if (asked.prefill !== undefined) pieces = rest(pieces, asked.prefill)
  let finish: Answer['finish'] = 'stop'
  if (limit !== undefined && thinking.length + pieces.length > limit) {
    finish = 'length'
    thinking = thinking.slice(0, limit)
    pieces = pieces.slice(0, limit - thinking.length)
  }
  const soFar = (made: number): Made => {
    const reasoning = counter?.answer(thinking.slice(0, made).join('')) ?? Math.min(made, thinking.length)
    const said = () => pieces.slice(0, Math.max(0, made - thinking.length)).join('')
    const completion = counter ? reasoning + counter.answer(said()) : made
    return { completion, reasoning: Math.min(completion, behaviour.detail?.reasoning ?? reasoning) }
  }
  const { completion } = soFar(thinking.length + pieces.length)
  return { ...base, thinking, pieces, calls: [], finish, completionTokens: completion, soFar }
}

/** The answer's text in one piece. */
export const textOf = (answer: Answer): string =>
  answer.padTo > 0 ? answer.pieces.map((p) => p.padEnd(answer.padTo, 'x')).join('') : answer.pieces.join('')

/** The pieces after a prefill that is the beginning of the answer; the whole answer where it is not. */
function rest(pieces: string[], prefill: string): string[] {
  const whole = pieces.join('')
  const begun = prefill.trimEnd()
  return whole.startsWith(begun) ? tokens(whole.slice(begun.length)) : pieces
}

/** A vector of unit length, the same for the same text. */
export function vector(text: string, dimensions: number): number[] {
  let state = 2166136261
  for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 16777619)
  const raw = Array.from({ length: Math.min(dimensions, 4_096) }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    return state / 2147483648
  })
  const length = Math.hypot(...raw) || 1
  // float32, as models give them, so that base64 and decimal agree.
  return raw.map((v) => Math.fround(v / length))
}
