/** Events of Cohere's streams (docs.cohere.com/docs/streaming) → events of ours. */
import { UpstreamFailure } from '../../core/failure.ts'
import type { Event, Json } from '../canonical.ts'
import type { Frame } from '../dialect.ts'
import { isObject, isString, parseReply } from '../wire.ts'
import { failureOf, readFinish, readUsage } from './reply.ts'

const choice = 0

const messageIn = (event: Json): Json =>
  isObject(event.delta) && isObject(event.delta.message) ? event.delta.message : {}

export function reader(): (frame: Frame) => Event[] {
  let calls = 0

  function content(said: unknown): Event[] {
    if (!isObject(said)) return []
    if (isString(said.thinking) && said.thinking !== '') return [{ type: 'thinking', choice, text: said.thinking }]
    return isString(said.text) && said.text !== '' ? [{ type: 'text', choice, text: said.text }] : []
  }

  function call(said: unknown, isStart: boolean): Event[] {
    const one = isObject(said) ? said : {}
    const told = isObject(one.function) ? one.function : {}
    const events: Event[] = []
    if (isStart) {
      const id = isString(one.id) ? one.id : ''
      events.push({ type: 'call', choice, index: calls++, id, name: isString(told.name) ? told.name : '' })
    }
    if (isString(told.arguments) && told.arguments !== '' && calls > 0)
      events.push({ type: 'args', choice, index: calls - 1, text: told.arguments })
    return events
  }

  return ({ data }) => {
    if (data === '[DONE]') return [{ type: 'end' }]
    const event = parseReply(data)
    const message = messageIn(event)
    switch (event.type) {
      case 'message-start':
        return [{ type: 'start', ...(isString(event.id) ? { id: event.id } : {}) }]
      case 'tool-plan-delta':
        return isString(message.tool_plan) && message.tool_plan !== ''
          ? [{ type: 'thinking', choice, text: message.tool_plan }]
          : []
      case 'content-start':
      case 'content-delta':
        return content(message.content)
      case 'tool-call-start':
        return call(message.tool_calls, true)
      case 'tool-call-delta':
        return call(message.tool_calls, false)
      case 'message-end': {
        const delta = isObject(event.delta) ? event.delta : {}
        const failure = failureOf(delta.finish_reason, delta.error)
        if (failure) throw new UpstreamFailure(failure)
        const reason = readFinish(delta.finish_reason)
        const usage = readUsage(delta.usage)
        return [
          ...(reason ? [{ type: 'finish', choice, reason } as const] : []),
          ...(usage ? [{ type: 'usage', usage } as const] : []),
          { type: 'end' },
        ]
      }
      default:
        return []
    }
  }
}
