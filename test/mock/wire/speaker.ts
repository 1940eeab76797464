/** What every dialect of the mock can do. Shapes follow the public API references and recorded exchanges. */
import type { Answer, Asked } from '../answer.ts'
import type { Behaviour } from '../behaviour.ts'

export type Json = Record<string, unknown>

/** One event of a stream before it is framed. */
export interface Frame {
  event?: string
  data: string
  /** Completion tokens in it. */
  tokens?: number
}

/** What is reported; undefined where usage is left out. */
export interface Reported {
  prompt: number
  completion: number
  cacheRead: number
  cacheWrite: number
  cacheWriteHour: number
  reasoning: number
  searches: number
  gpuMs: number | undefined
  service: string | undefined
}

export interface Fault {
  message: string
  type?: string
  code?: string | null
  param?: string | null
}

export interface Speaker {
  framing: 'sse' | 'ndjson'
  /** @throws BadRequest where the body is not one of this route. */
  ask(body: Json): Asked
  frames(answer: Answer, asked: Asked, usage: Reported | undefined, behaviour: Behaviour): Generator<Frame>
  whole(answer: Answer, asked: Asked, usage: Reported | undefined, behaviour: Behaviour): Json
  error(status: number, fault: Fault): Json
  inBand(fault: Fault): Frame
}

/** The caller's mistake, answered with 400. */
export class BadRequest extends Error {}

export const json = (value: unknown): string => JSON.stringify(value)

/** The text of a content field: a string, or the text parts of a list. */
export function textIn(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content
    .map((part: unknown) => {
      if (typeof part === 'string') return part
      if (typeof part !== 'object' || part === null) return ''
      const p = part as Json
      return typeof p.text === 'string' ? p.text : textIn(p.content)
    })
    .filter((text) => text !== '')
    .join(' ')
}

export interface Turn {
  role: string
  text: string
  /** Ends with a tool's result. */
  result: boolean
}

/** Reads `messages` of any of the three dialects. */
export function turns(messages: unknown): Turn[] {
  if (!Array.isArray(messages) || messages.length === 0) throw new BadRequest('messages: a list that is not empty')
  return messages.map((message: unknown, i) => {
    if (typeof message !== 'object' || message === null) throw new BadRequest(`messages[${i}]: an object`)
    const m = message as Json
    if (typeof m.role !== 'string') throw new BadRequest(`messages[${i}].role: a string`)
    const result =
      m.role === 'tool' ||
      (Array.isArray(m.content) && (m.content.at(-1) as Json | null | undefined)?.type === 'tool_result')
    return { role: m.role, text: textIn(m.content), result }
  })
}

/** The fields of `Asked` that come from the turns. */
export function fromTurns(all: Turn[], system = ''): Pick<Asked, 'texts' | 'lastUser' | 'prefill' | 'textOnly'> {
  const last = all.at(-1)
  return {
    texts: [system, ...all.map((t) => t.text)].filter((text) => text !== ''),
    lastUser: all.findLast((t) => t.role === 'user' && !t.result)?.text ?? '',
    ...(last?.role === 'assistant' ? { prefill: last.text } : {}),
    textOnly: last?.result === true,
  }
}

/** @throws BadRequest for a limit that is not a positive whole number. */
export function limit(value: unknown, name: string): { maxTokens?: number } {
  if (value === undefined || value === null) return {}
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1) {
    throw new BadRequest(`${name}: a whole number of at least 1, got ${JSON.stringify(value)}`)
  }
  return { maxTokens: value }
}

export function model(body: Json): string {
  if (typeof body.model !== 'string' || body.model === '') throw new BadRequest('model: a string')
  return body.model
}
