/** Chunks of a completion's stream, both ways. */
import type { Usage } from '../../core/usage.ts'
import type { Chat, Event, Json } from '../canonical.ts'
import type { Answering, Frame } from '../dialect.ts'
import { errorEvent, failureIn } from '../failure-of.ts'
import { readFinish } from '../openai/finish.ts'
import { interrupted } from '../openai/interrupted.ts'
import { startEvent } from '../openai/start.ts'
import { COUNTS, readCounts, readUsage, writeUsage } from '../openai/usage.ts'
import { imageNote } from '../parts.ts'
import type { Look } from '../sight.ts'
import { isObject, isString, parseReply } from '../wire.ts'
import { finishOf, readLogprobs, writeLogprobs } from './reply.ts'

export function reader(): (frame: Frame) => Event[] {
  let started = false
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
      if (!isObject(choice)) continue
      const index = typeof choice.index === 'number' ? choice.index : position
      const logprobs = readLogprobs(choice.logprobs)
      const text = isString(choice.text) ? choice.text : ''
      if (text !== '' || logprobs) events.push({ type: 'text', choice: index, text, ...(logprobs ? { logprobs } : {}) })
      const reason = readFinish(choice.finish_reason, false)
      if (reason) events.push({ type: 'finish', choice: index, reason })
    }
    const usage = readUsage(chunk.usage, chunk.service_tier)
    if (usage) events.push({ type: 'usage', usage })
    return events
  }
}

export function writer(chat: Chat, answering: Answering): (event: Event) => string {
  let id = answering.id
  let model = chat.model
  let created = answering.created
  let started = false
  let usage: Usage | undefined
  const said = new Map<number, number>()

  const chunk = (choices: Json[], counted?: Usage): string => {
    const json: Json = { id, object: 'text_completion', created, model, choices }
    if (chat.includeUsage) json.usage = counted ? writeUsage(counted) : null
    return `data: ${JSON.stringify(json)}\n\n`
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
      case 'image':
      case 'refusal': {
        const index = event.choice
        const text = event.type === 'image' ? imageNote(event.source) : event.text
        const offset = said.get(index) ?? 0
        said.set(index, offset + text.length)
        const logprobs = event.type === 'text' ? writeLogprobs(event.logprobs, offset) : null
        return chunk([{ text, index, logprobs, finish_reason: null }])
      }
      case 'finish':
        // `text` is never null: clients add it up.
        return chunk([{ text: '', index: event.choice, logprobs: null, finish_reason: finishOf(event.reason) }])
      case 'usage':
        usage = event.usage
        return ''
      case 'error':
        return interrupted(event.told)
      case 'end':
        return `${chat.includeUsage && usage ? chunk([], usage) : ''}data: [DONE]\n\n`
      default:
        return ''
    }
  }
}

const says = (value: unknown): boolean => isString(value) && value !== ''

/** A chunk and a whole completion have the same shape. */
export function lookAt(chunk: Json, whole: boolean): Look | undefined {
  const failure = failureIn(chunk)
  if (failure) return { failure }
  const { choices } = chunk
  if (!Array.isArray(choices) || !choices.every(isObject) || (whole && choices.length === 0)) return undefined
  const usage = readUsage(chunk.usage, chunk.service_tier)
  const finished = whole ? choices.every((c) => says(c.finish_reason)) : choices.some((c) => says(c.finish_reason))
  const content = whole || choices.some((c) => says(c.text))
  const isPlain = content && !whole && choices.length === 1 && !finished && !choices[0]!.logprobs
  return {
    content,
    finished,
    end: whole,
    usageOnly: choices.length === 0,
    usage,
    gaps: isPlain ? ['text'] : undefined,
    numbers: isPlain ? COUNTS : undefined,
    counted: usage && readCounts,
  }
}
