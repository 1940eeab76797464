/** Why an answer ended, in OpenAI's words. */
import type { Finish } from '../canonical.ts'

const READ: Record<string, Finish['unified']> = {
  stop: 'stop',
  length: 'length',
  tool_calls: 'tool-calls',
  function_call: 'tool-calls',
  content_filter: 'content-filter',
}
const WRITE: Record<Finish['unified'], string> = {
  stop: 'stop',
  length: 'length',
  'tool-calls': 'tool_calls',
  'content-filter': 'content_filter',
  other: 'stop',
}

/**
 * @param called the answer holds tool calls: then they are the reason, whatever the upstream calls it
 * @returns undefined where it was not said
 */
export function readFinish(said: unknown, called: boolean): Finish | undefined {
  if (typeof said !== 'string' || said === '') return undefined
  const unified = READ[said] ?? 'other'
  return { unified: called && unified === 'stop' ? 'tool-calls' : unified, raw: said }
}

export function writeFinish(finish: Finish): string {
  return WRITE[finish.unified]
}
