/** Events of ConverseStream (docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html) → events of ours. */
import { UpstreamFailure } from '../../core/failure.ts'
import type { Event, Json } from '../canonical.ts'
import type { Frame } from '../dialect.ts'
import { isObject, isString, parseReply } from '../wire.ts'
import { failureOf } from './error.ts'
import { readFinish } from './finish.ts'
import { readUsage } from './usage.ts'

const choice = 0

export function reader(): (frame: Frame) => Event[] {
  let calls = 0
  /** Block → index of its call. */
  const callOf = new Map<unknown, number>()
  /** Calls that have said nothing of their arguments yet. */
  const bare = new Set<unknown>()

  function start(event: Json): Event[] {
    const said = isObject(event.start) ? event.start : {}
    if (!isObject(said.toolUse)) return []
    const { toolUseId, name } = said.toolUse
    const index = calls++
    callOf.set(event.contentBlockIndex, index)
    bare.add(event.contentBlockIndex)
    return [{ type: 'call', choice, index, id: isString(toolUseId) ? toolUseId : '', name: isString(name) ? name : '' }]
  }

  function delta(event: Json): Event[] {
    const said = isObject(event.delta) ? event.delta : {}
    if (isString(said.text)) return said.text === '' ? [] : [{ type: 'text', choice, text: said.text }]
    if (isObject(said.toolUse)) {
      const index = callOf.get(event.contentBlockIndex)
      const { input } = said.toolUse
      if (index === undefined || !isString(input) || input === '') return []
      bare.delete(event.contentBlockIndex)
      return [{ type: 'args', choice, index, text: input }]
    }
    if (!isObject(said.reasoningContent)) return []
    const { text, signature, redactedContent } = said.reasoningContent
    if (isString(redactedContent)) return [{ type: 'redacted_thinking', choice, data: redactedContent }]
    if (isString(signature)) return [{ type: 'signature', choice, signature }]
    return isString(text) && text !== '' ? [{ type: 'thinking', choice, text }] : []
  }

  return ({ event: name, data }) => {
    const failure = failureOf(name, data)
    if (failure) throw new UpstreamFailure(failure)
    const event = parseReply(data)
    switch (name) {
      case 'messageStart':
        return [{ type: 'start' }]
      case 'contentBlockStart':
        return start(event)
      case 'contentBlockDelta':
        return delta(event)
      case 'contentBlockStop': {
        if (!bare.delete(event.contentBlockIndex)) return []
        return [{ type: 'args', choice, index: callOf.get(event.contentBlockIndex) ?? 0, text: '{}' }]
      }
      case 'messageStop': {
        const reason = readFinish(event.stopReason)
        return reason ? [{ type: 'finish', choice, reason }] : []
      }
      case 'metadata': {
        // Usage comes behind the end of the message, and nothing behind it.
        const usage = readUsage(event.usage, event.serviceTier)
        return [...(usage ? [{ type: 'usage', usage } as const] : []), { type: 'end' }]
      }
      default:
        return []
    }
  }
}
