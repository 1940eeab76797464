/** What passes by in a stream of OpenAI's Responses, and what a whole answer shows. */
import type { Json } from '../canonical.ts'
import type { Look } from '../sight.ts'
import { isObject, isString, wordOf } from '../wire.ts'
import { failureOf } from './error.ts'
import { readFinish } from './finish.ts'
import { readResponseUsage } from './usage.ts'

const DELTAS = new Set([
  'response.output_text.delta',
  'response.refusal.delta',
  'response.reasoning_summary_text.delta',
  'response.reasoning_text.delta',
  'response.function_call_arguments.delta',
  'response.custom_tool_call_input.delta',
  'response.mcp_call_arguments.delta',
])
/** Empty unless OpenAI pads the frame to hide how long its text is. */
const PADDING = 'obfuscation'
const NUMBERS = ['sequence_number', 'output_index', 'content_index', 'summary_index']
/** What an answer is there for besides text: the upstream has worked for it. */
const CALLS = new Set(['function_call', 'custom_tool_call', 'image_generation_call'])

export function lookAtEvent(event: Json): Look | undefined {
  const { type } = event
  if (!isString(type)) {
    const failure = failureOf(event)
    return failure && { failure }
  }
  if (DELTAS.has(type)) {
    const has = isString(event.delta) && event.delta !== ''
    const gaps = isString(event[PADDING]) ? [PADDING, 'delta'] : ['delta']
    return { content: has, gaps: has ? gaps : undefined, numbers: NUMBERS }
  }
  switch (type) {
    case 'response.completed':
    case 'response.incomplete': {
      const response = isObject(event.response) ? event.response : {}
      return { finished: readFinish(response, true) !== undefined, end: true, usage: readResponseUsage(response) }
    }
    case 'response.failed':
    case 'error': {
      const failure = failureOf(event)
      return failure && { failure }
    }
    case 'response.output_item.added':
      return { content: isObject(event.item) && CALLS.has(wordOf(event.item.type)) }
    default:
      return {}
  }
}

/** A response in the background is a whole answer though its own answer is not there yet: it is fetched later. */
export function lookAtReply(reply: Json): Look | undefined {
  const failure = failureOf(reply)
  if (failure) return { failure }
  if (!Array.isArray(reply.output)) return undefined
  const isLater = reply.background === true && (reply.status === 'queued' || reply.status === 'in_progress')
  return {
    content: true,
    finished: isLater || readFinish(reply, true) !== undefined,
    end: true,
    usage: readResponseUsage(reply),
  }
}
