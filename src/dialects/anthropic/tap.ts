/** What passes by in Anthropic's streams, and what a whole answer shows. */
import type { Json } from '../canonical.ts'
import type { Frame } from '../dialect.ts'
import { failureIn } from '../failure-of.ts'
import type { Look } from '../sight.ts'
import { isObject, isString, wordOf } from '../wire.ts'
import { readUsage } from './usage.ts'

const TEXT_OF: Record<string, string> = {
  text_delta: 'text',
  thinking_delta: 'thinking',
  input_json_delta: 'partial_json',
}

/** Blocks that hold something at once; text and thinking begin empty. */
const isContentBlock = (block: unknown): boolean =>
  isObject(block) && !((block.type === 'text' && !block.text) || (block.type === 'thinking' && !block.thinking))

/** Stateful: `message_delta` reports only what changed since `message_start`. */
export function looker(): (json: Json, frame: Frame) => Look | undefined {
  let counted: Json = {}
  return (event) => {
    switch (event.type) {
      case 'message_start':
        if (isObject(event.message) && isObject(event.message.usage)) counted = event.message.usage
        // Only the end's report is true: some servers (Ollama) estimate here.
        return {}
      case 'content_block_start':
        return { content: isContentBlock(event.content_block) }
      case 'content_block_delta': {
        const said = isObject(event.delta) ? event.delta : {}
        const key = TEXT_OF[wordOf(said.type)]
        const has = key !== undefined && isString(said[key]) && said[key] !== ''
        return { content: has, gaps: has ? [key] : undefined, numbers: ['index'] }
      }
      case 'message_delta': {
        const said = isObject(event.delta) ? event.delta : {}
        return { finished: isString(said.stop_reason), usage: readUsage(event.usage, counted) }
      }
      case 'message_stop':
        return { end: true }
      case 'content_block_stop':
      case 'ping':
        return {}
      default: {
        const failure = failureIn(event)
        if (failure) return { failure }
        return isString(event.type) ? {} : undefined
      }
    }
  }
}

export function lookAtReply(reply: Json): Look | undefined {
  const failure = failureIn(reply)
  if (failure) return { failure }
  if (!Array.isArray(reply.content)) return undefined
  return { content: true, finished: isString(reply.stop_reason), end: true, usage: readUsage(reply.usage) }
}
