/** Why an answer ended, in Anthropic's words. */
import type { Finish, Json } from '../canonical.ts'

const READ: Record<string, Finish['unified']> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool-calls',
  refusal: 'content-filter',
}
const WRITE: Record<Finish['unified'], string> = {
  stop: 'end_turn',
  length: 'max_tokens',
  'tool-calls': 'tool_use',
  'content-filter': 'refusal',
  other: 'end_turn',
}

export function readFinish(reason: unknown, sequence: unknown): Finish | undefined {
  if (typeof reason !== 'string' || reason === '') return undefined
  const finish: Finish = { unified: READ[reason] ?? 'other', raw: reason }
  if (typeof sequence === 'string') finish.sequence = sequence
  return finish
}

export function writeFinish(finish: Finish | undefined): Json {
  if (!finish) return { stop_reason: null, stop_sequence: null }
  const reason = finish.raw in READ || finish.raw === 'pause_turn' ? finish.raw : WRITE[finish.unified]
  const met = finish.sequence !== undefined && finish.unified === 'stop'
  return { stop_reason: met ? 'stop_sequence' : reason, stop_sequence: finish.sequence ?? null }
}
