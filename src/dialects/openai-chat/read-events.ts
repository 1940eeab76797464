/** Chunks of a chat stream in OpenAI's words → events. */
import type { Event, Json } from '../canonical.ts'
import type { Frame } from '../dialect.ts'
import { errorEvent } from '../failure-of.ts'
import { readAnnotations } from '../openai/annotations.ts'
import { readFinish } from '../openai/finish.ts'
import { startEvent } from '../openai/start.ts'
import { readUsage } from '../openai/usage.ts'
import { isObject, isString, parseReply } from '../wire.ts'
import { readGoogle } from './google.ts'
import { readImages } from './images.ts'
import { readLogprobs } from './reply.ts'

interface OpenCall {
  id: string
  index: number
}

export function reader(): (frame: Frame) => Event[] {
  let started = false
  /** Choice → its calls so far, by the upstream's index. */
  const open = new Map<number, Map<number, OpenCall>>()
  const count = new Map<number, number>()

  function readCalls(said: unknown[], choice: number, events: Event[]): void {
    const calls = open.get(choice) ?? new Map<number, OpenCall>()
    open.set(choice, calls)
    for (const [position, call] of said.entries()) {
      if (!isObject(call)) continue
      const named = isObject(call.function) ? call.function : {}
      const theirs = typeof call.index === 'number' ? call.index : position
      const id = isString(call.id) ? call.id : ''
      let current = calls.get(theirs)
      // Some servers give every parallel call the index 0: another id with a name is another call.
      if (!current || (id !== '' && id !== current.id && isString(named.name) && named.name !== '')) {
        const index = count.get(choice) ?? 0
        count.set(choice, index + 1)
        current = { id, index }
        calls.set(theirs, current)
        const extras = readGoogle(call)
        const name = isString(named.name) ? named.name : ''
        events.push({ type: 'call', choice, index, id, name, ...(extras ? { extras } : {}) })
      }
      const args = isString(named.arguments)
        ? named.arguments
        : isObject(named.arguments)
          ? JSON.stringify(named.arguments)
          : ''
      if (args !== '') events.push({ type: 'args', choice, index: current.index, text: args })
    }
  }

  function readChoice(choice: Json, position: number, events: Event[]): void {
    const index = typeof choice.index === 'number' ? choice.index : position
    const delta = isObject(choice.delta) ? choice.delta : {}
    const thinking = delta.reasoning_content ?? delta.reasoning
    if (isString(thinking) && thinking !== '') events.push({ type: 'thinking', choice: index, text: thinking })
    for (const block of Array.isArray(delta.thinking_blocks) ? delta.thinking_blocks : []) {
      if (isObject(block) && isString(block.signature) && block.signature !== '') {
        events.push({ type: 'signature', choice: index, signature: block.signature })
      } else if (isObject(block) && block.type === 'redacted_thinking' && isString(block.data)) {
        events.push({ type: 'redacted_thinking', choice: index, data: block.data })
      }
    }
    const logprobs = readLogprobs(choice.logprobs)
    const text = isString(delta.content) ? delta.content : ''
    if (text !== '' || (logprobs && logprobs.length > 0)) {
      events.push({ type: 'text', choice: index, text, ...(logprobs ? { logprobs } : {}) })
    }
    for (const citation of readAnnotations(delta.annotations))
      events.push({ type: 'citation', choice: index, citation })
    for (const { source } of readImages(delta.images))
      if (source.kind === 'data') events.push({ type: 'image', choice: index, source })
    if (isString(delta.refusal) && delta.refusal !== '')
      events.push({ type: 'refusal', choice: index, text: delta.refusal })
    if (Array.isArray(delta.tool_calls)) readCalls(delta.tool_calls, index, events)
    const reason = readFinish(choice.finish_reason, (count.get(index) ?? 0) > 0)
    if (reason) events.push({ type: 'finish', choice: index, reason })
  }

  return (frame) => {
    if (frame.data === '[DONE]') return [{ type: 'end' }]
    const chunk = parseReply(frame.data)
    const error = errorEvent(chunk)
    if (error) return [error]
    const events: Event[] = []
    if (!started) {
      started = true
      events.push(startEvent(chunk))
    }
    for (const [position, choice] of (Array.isArray(chunk.choices) ? chunk.choices : []).entries()) {
      if (isObject(choice)) readChoice(choice, position, events)
    }
    const counted = readUsage(chunk.usage, chunk.service_tier)
    if (counted) events.push({ type: 'usage', usage: counted })
    return events
  }
}
