/** What passes by in Ollama's streams, and what a whole answer shows. A line and an answer have the same shape. */
import type { Json } from '../canonical.ts'
import { failureIn } from '../failure-of.ts'
import type { Look } from '../sight.ts'
import { isObject, isString } from '../wire.ts'
import { readUsage } from './metrics.ts'

const says = (value: unknown): boolean => isString(value) && value !== ''

/** @param textKey where the text stands: `content` of `message`, or `response` */
export function lookAt(textKey: 'content' | 'response', line: Json): Look | undefined {
  const failure = failureIn(line)
  if (failure) return { failure }
  const said = textKey === 'response' ? line : line.message
  if (!isObject(said) || typeof line.done !== 'boolean') return undefined
  const texts = [textKey, 'thinking'].filter((key) => says(said[key]))
  const called = Array.isArray(said.tool_calls) && said.tool_calls.length > 0
  const isPlain = texts.length === 1 && !called && !line.done && says(line.created_at)
  return {
    content: texts.length > 0 || called || says(line.image),
    finished: line.done,
    end: line.done,
    usage: readUsage(line),
    gaps: isPlain ? ['created_at', texts[0] as string] : undefined,
  }
}
