/** Events of a stream of OpenAI's Responses → events of ours. */
import type { Event, Extras, Json, TokenLogprob } from '../canonical.ts'
import type { Frame } from '../dialect.ts'
import { readAnnotations } from '../openai/annotations.ts'
import { isObject, isString, parseReply } from '../wire.ts'
import { ID } from './content.ts'
import { failureOf } from './error.ts'
import { readFinish } from './finish.ts'
import { readDrawn } from './images.ts'
import { thoughtIn } from './reasoning.ts'
import { searchIn } from './searches.ts'
import { readResponseUsage } from './usage.ts'

const choice = 0

interface OpenItem {
  type: unknown
  /** Index among the calls, where it is one. */
  call: number
  /** Something of it was told as it came: what its end repeats is known. */
  told: boolean
  /** It had a paragraph of summary already. */
  summarised: boolean
}

const says = (value: unknown): value is string => isString(value) && value !== ''

export function reader(): (frame: Frame) => Event[] {
  let started = false
  /** It is told once, though it may stand in two events. */
  let failed = false
  let calls = 0
  /** Characters of text so far, and those before the message that is open. */
  let characters = 0
  let before = 0
  const open = new Map<unknown, OpenItem>()

  function start(event: Json): Event[] {
    if (started || !isObject(event.response)) return []
    started = true
    const { id, model, created_at: created } = event.response
    return [
      {
        type: 'start',
        ...(says(id) ? { id } : {}),
        ...(says(model) ? { model } : {}),
        ...(typeof created === 'number' ? { created } : {}),
      },
    ]
  }

  function add(place: unknown, item: Json): Event[] {
    const made: OpenItem = { type: item.type, call: -1, told: false, summarised: false }
    open.set(place, made)
    if (item.type === 'function_call') {
      made.call = calls++
      const { call_id: id, name, namespace } = item
      const extras: { extras?: Extras } = isString(namespace) ? { extras: { dialect: ID, fields: { namespace } } } : {}
      const told = { id: isString(id) ? id : '', name: isString(name) ? name : '' }
      return [{ type: 'call', choice, index: made.call, ...told, ...extras }]
    }
    // Its name stands here; what is encrypted of it comes at its end.
    if (item.type === 'reasoning') return [{ type: 'foreign', choice, extras: { dialect: ID, fields: item } }]
    return []
  }

  function finish(place: unknown, item: Json): Event[] {
    const events: Event[] = open.has(place) ? [] : add(place, item)
    const known = open.get(place)!
    open.delete(place)
    const foreign: Event = { type: 'foreign', choice, extras: { dialect: ID, fields: item } }
    switch (item.type) {
      case 'message':
        if (!known.told) events.push(...said(item.content))
        for (const event of events) if (event.type === 'text') characters += event.text.length
        return events
      case 'function_call':
        if (!known.told && says(item.arguments))
          events.push({ type: 'args', choice, index: known.call, text: item.arguments })
        return events
      case 'reasoning': {
        const text = known.told ? '' : thoughtIn(item)
        if (text !== '') events.push({ type: 'thinking', choice, text })
        return [...events, foreign]
      }
      default: {
        const drawn = readDrawn(item)
        if (drawn) return [...events, { ...drawn, choice }]
        const query = searchIn(item)
        if (query === undefined) return [...events, foreign]
        return [...events, { type: 'search', choice, query, extras: { dialect: ID, fields: item } }]
      }
    }
  }

  function delta(event: Json): Event[] {
    const item = open.get(event.output_index)
    const text = event.delta
    const logprobs =
      Array.isArray(event.logprobs) && event.logprobs.length > 0 ? (event.logprobs as TokenLogprob[]) : undefined
    if (!says(text) && !logprobs) return []
    const piece = isString(text) ? text : ''
    if (item) item.told = true
    switch (event.type) {
      case 'response.output_text.delta':
        characters += piece.length
        return [{ type: 'text', choice, text: piece, ...(logprobs ? { logprobs } : {}) }]
      case 'response.refusal.delta':
        return [{ type: 'refusal', choice, text: piece }]
      case 'response.function_call_arguments.delta':
        return item && item.call >= 0 ? [{ type: 'args', choice, index: item.call, text: piece }] : []
      default:
        return [{ type: 'thinking', choice, text: piece }]
    }
  }

  /** Arguments that came whole, at the end only. */
  function args(event: Json): Event[] {
    const item = open.get(event.output_index)
    if (!item || item.told || item.call < 0 || !says(event.arguments)) return []
    item.told = true
    return [{ type: 'args', choice, index: item.call, text: event.arguments }]
  }

  function paragraph(event: Json): Event[] {
    const item = open.get(event.output_index)
    if (!item) return []
    const isNext = item.summarised
    item.summarised = true
    return isNext ? [{ type: 'thinking', choice, text: '\n\n' }] : []
  }

  function end(response: Json): Event[] {
    const events: Event[] = []
    const reason = readFinish(response, calls > 0)
    if (reason) events.push({ type: 'finish', choice, reason })
    const usage = readResponseUsage(response)
    if (usage) events.push({ type: 'usage', usage })
    events.push({ type: 'end' })
    return events
  }

  return (frame) => {
    if (frame.data === '[DONE]') return [{ type: 'end' }]
    const event = parseReply(frame.data)
    switch (event.type) {
      case 'response.created':
      case 'response.queued':
      case 'response.in_progress':
        return start(event)
      case 'response.output_item.added':
        return add(event.output_index, isObject(event.item) ? event.item : {})
      case 'response.output_text.delta':
      case 'response.refusal.delta':
      case 'response.reasoning_text.delta':
      case 'response.reasoning_summary_text.delta':
      case 'response.function_call_arguments.delta':
        return delta(event)
      case 'response.function_call_arguments.done':
        return args(event)
      case 'response.reasoning_summary_part.added':
        return paragraph(event)
      case 'response.content_part.added':
        before = characters
        return []
      case 'response.output_text.annotation.added':
        return readAnnotations([event.annotation], before).map((citation) => ({ type: 'citation', choice, citation }))
      case 'response.output_item.done':
        return finish(event.output_index, isObject(event.item) ? event.item : {})
      case 'response.completed':
      case 'response.incomplete':
        return [...start(event), ...end(isObject(event.response) ? event.response : {})]
      default: {
        const failure = failureOf(event)
        if (!failure || failed) return []
        failed = true
        const { message, kind, status, code = kind } = failure
        return [{ type: 'error', message, code, kind, status }]
      }
    }
  }
}

/** A message that came whole, at its end only. */
function said(content: unknown): Event[] {
  return (Array.isArray(content) ? content : []).flatMap((part): Event[] => {
    if (!isObject(part)) return []
    if (says(part.text)) return [{ type: 'text', choice, text: part.text }]
    return says(part.refusal) ? [{ type: 'refusal', choice, text: part.refusal }] : []
  })
}
