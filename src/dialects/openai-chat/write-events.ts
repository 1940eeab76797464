/** Events → chunks of a chat stream in OpenAI's words: one id, a role first, no chunk without choices unless asked for. */
import type { Usage } from '../../core/usage.ts'
import type { Chat, Event, Json } from '../canonical.ts'
import type { Answering } from '../dialect.ts'
import { writeChatAnnotation } from '../openai/annotations.ts'
import { writeFinish } from '../openai/finish.ts'
import { interrupted } from '../openai/interrupted.ts'
import { writeUsage } from '../openai/usage.ts'
import { callId } from '../wire.ts'
import { writeGoogle } from './google.ts'
import { writeImage } from './images.ts'
import { writeLogprobs } from './reply.ts'

export function writer(chat: Chat, answering: Answering): (event: Event) => string {
  let id = answering.id
  let model = chat.model
  let created = answering.created
  let started = false
  let usage: Usage | undefined
  const opened = new Set<number>()
  /** Characters of text so far, by choice. */
  const said = new Map<number, number>()
  /** Pictures so far, by choice. */
  const drawn = new Map<number, number>()
  /** Thinking so far, for the block that its signature belongs to. */
  const thought = new Map<number, string>()

  const chunk = (choices: Json[], counted?: Usage): string => {
    const json: Json = { id, object: 'chat.completion.chunk', created, model, choices }
    if (chat.includeUsage) json.usage = counted ? writeUsage(counted) : null
    return `data: ${JSON.stringify(json)}\n\n`
  }
  const delta = (choice: number, said: Json, more: Json = {}): string => {
    let out = ''
    if (!opened.has(choice)) {
      opened.add(choice)
      out = chunk([{ index: choice, delta: { role: 'assistant', content: '' }, finish_reason: null }])
    }
    return out + chunk([{ index: choice, delta: said, finish_reason: null, ...more }])
  }

  return (event) => {
    switch (event.type) {
      case 'start':
        if (!started) {
          id = event.id || id
          model = event.model || model
          created = event.created || created
        }
        started = true
        return ''
      case 'text':
        if (event.text === '' && !event.logprobs) return ''
        said.set(event.choice, (said.get(event.choice) ?? 0) + event.text.length)
        return delta(
          event.choice,
          { content: event.text },
          event.logprobs ? { logprobs: writeLogprobs(event.logprobs) } : {},
        )
      case 'thinking':
        thought.set(event.choice, (thought.get(event.choice) ?? '') + event.text)
        return delta(event.choice, { reasoning_content: event.text })
      case 'signature': {
        const thinking = thought.get(event.choice) ?? ''
        thought.delete(event.choice)
        return delta(event.choice, { thinking_blocks: [{ type: 'thinking', thinking, signature: event.signature }] })
      }
      case 'redacted_thinking':
        return delta(event.choice, { thinking_blocks: [{ type: 'redacted_thinking', data: event.data }] })
      case 'refusal':
        return delta(event.choice, { refusal: event.text })
      case 'call': {
        const { choice, index, name, extras } = event
        const made = event.id || callId(answering.id, choice, index)
        return delta(choice, {
          tool_calls: [
            { index, id: made, type: 'function', function: { name, arguments: '' }, ...writeGoogle(extras) },
          ],
        })
      }
      case 'args':
        if (event.text === '') return ''
        return delta(event.choice, { tool_calls: [{ index: event.index, function: { arguments: event.text } }] })
      case 'citation':
        return delta(event.choice, {
          annotations: [writeChatAnnotation(event.citation, said.get(event.choice) ?? 0)],
        })
      case 'image': {
        const place = drawn.get(event.choice) ?? 0
        drawn.set(event.choice, place + 1)
        return delta(event.choice, { images: [writeImage(event.source, place)] })
      }
      case 'search':
      case 'foreign':
        return ''
      case 'finish':
        return delta(event.choice, {}, { finish_reason: writeFinish(event.reason) })
      case 'usage':
        usage = event.usage
        return ''
      case 'error':
        return interrupted(event.told)
      case 'end':
        return `${chat.includeUsage && usage ? chunk([], usage) : ''}data: [DONE]\n\n`
    }
  }
}
