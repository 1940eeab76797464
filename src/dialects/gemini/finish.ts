/** Why an answer ended, in Gemini's words (ai.google.dev/api/generate-content#FinishReason). */
import type { Finish, Json } from '../canonical.ts'
import { isObject, isString } from '../wire.ts'

const READ: Record<string, Finish['unified']> = {
  STOP: 'stop',
  MAX_TOKENS: 'length',
  SAFETY: 'content-filter',
  RECITATION: 'content-filter',
  BLOCKLIST: 'content-filter',
  PROHIBITED_CONTENT: 'content-filter',
  SPII: 'content-filter',
  MODEL_ARMOR: 'content-filter',
  IMAGE_SAFETY: 'content-filter',
  IMAGE_PROHIBITED_CONTENT: 'content-filter',
  IMAGE_RECITATION: 'content-filter',
}
const WRITE: Record<Finish['unified'], string> = {
  stop: 'STOP',
  length: 'MAX_TOKENS',
  'tool-calls': 'STOP',
  'content-filter': 'SAFETY',
  other: 'OTHER',
}
/** The model tried to call a tool and failed: there is no answer, and another attempt may give one. */
const BROKEN = new Set([
  'MALFORMED_FUNCTION_CALL',
  'UNEXPECTED_TOOL_CALL',
  'TOO_MANY_TOOL_CALLS',
  'MALFORMED_RESPONSE',
  'MISSING_THOUGHT_SIGNATURE',
])

/**
 * @param called the answer holds tool calls, which Gemini ends with STOP
 * @returns undefined where it was not said
 */
export function readFinish(said: unknown, called: boolean): Finish | undefined {
  if (!isString(said) || said === '' || said === 'FINISH_REASON_UNSPECIFIED') return undefined
  const unified = READ[said] ?? 'other'
  return { unified: called && unified === 'stop' ? 'tool-calls' : unified, raw: said }
}

export const isBroken = (said: unknown): boolean => isString(said) && BROKEN.has(said)

/** The finish of an answer that was never begun: the prompt was blocked. */
export function blockedFinish(answer: Json): Finish | undefined {
  const feedback = isObject(answer.promptFeedback) ? answer.promptFeedback : {}
  const { blockReason } = feedback
  return isString(blockReason) && blockReason !== '' ? { unified: 'content-filter', raw: blockReason } : undefined
}

export const writeFinish = (finish: Finish): string =>
  finish.raw in READ && READ[finish.raw] === finish.unified ? finish.raw : WRITE[finish.unified]
