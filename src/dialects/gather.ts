/** The events of a stream as the whole reply that says the same: the way back of replay.ts. Pure; one a stream. */
import { later } from '../core/usage.ts'
import type { Choice, Event, Part, Reply } from './canonical.ts'

interface Growing extends Choice {
  calls: Map<number, Part & { type: 'call' }>
}

export class Gather {
  readonly #reply: Reply
  readonly #choices = new Map<number, Growing>()

  /** @param usual what the reply has where the stream does not say it */
  constructor(usual: { id: string; model: string; created: number }) {
    this.#reply = { ...usual, choices: [] }
  }

  /** @throws Error for an error in the stream: such an answer is not whole */
  push(event: Event): void {
    const reply = this.#reply
    switch (event.type) {
      case 'start':
        if (event.id !== undefined) reply.id = event.id
        if (event.model !== undefined) reply.model = event.model
        if (event.created !== undefined) reply.created = event.created
        if (event.usage) reply.usage = later(reply.usage, event.usage)
        return
      case 'usage':
        reply.usage = later(reply.usage, event.usage)
        return
      case 'end':
        return
      case 'error':
        throw new Error(event.message)
      case 'finish':
        this.#at(event.choice).finish = event.reason
        if (event.timings) reply.timings = event.timings
        return
      default:
        grow(this.#at(event.choice), event)
    }
  }

  /** What has come so far. */
  get reply(): Reply {
    const choices = [...this.#choices.values()].sort((a, b) => a.index - b.index)
    return { ...this.#reply, choices: choices.map(({ calls: _, ...choice }) => choice) }
  }

  #at(index: number): Growing {
    let choice = this.#choices.get(index)
    if (!choice) {
      choice = { index, parts: [], calls: new Map() }
      this.#choices.set(index, choice)
    }
    return choice
  }
}

type Said = Exclude<Event, { type: 'start' | 'usage' | 'end' | 'error' | 'finish' }>

function grow(choice: Growing, event: Said): void {
  const { parts } = choice
  const last = parts.at(-1)
  switch (event.type) {
    case 'text':
    case 'refusal':
      if (last?.type === event.type) last.text += event.text
      else parts.push({ type: event.type, text: event.text })
      if (event.type === 'text' && event.logprobs) choice.logprobs = [...(choice.logprobs ?? []), ...event.logprobs]
      return
    case 'thinking':
      if (last?.type === 'thinking' && last.signature === undefined) last.text += event.text
      else parts.push({ type: 'thinking', text: event.text, ...(event.extras ? { extras: event.extras } : {}) })
      return
    case 'signature':
      if (last?.type === 'thinking') last.signature = (last.signature ?? '') + event.signature
      else parts.push({ type: 'thinking', text: '', signature: event.signature })
      return
    case 'redacted_thinking':
      parts.push({ type: 'redacted_thinking', data: event.data })
      return
    case 'call': {
      const { id, name, extras } = event
      const call = { type: 'call' as const, id, name, args: '', ...(extras ? { extras } : {}) }
      choice.calls.set(event.index, call)
      parts.push(call)
      return
    }
    case 'args': {
      const call = choice.calls.get(event.index)
      if (call) call.args += event.text
      return
    }
    case 'image':
      parts.push({ type: 'image', source: event.source, ...(event.extras ? { extras: event.extras } : {}) })
      return
    case 'citation':
      choice.citations = [...(choice.citations ?? []), event.citation]
      return
    case 'search':
      choice.searches = [...(choice.searches ?? []), event.query]
      return
    case 'foreign':
      foreign(parts, event.extras)
  }
}

/** The rest of the text or thought that was just said, or a part of its own kind. */
function foreign(parts: Part[], extras: Extract<Event, { type: 'foreign' }>['extras']): void {
  const last = parts.at(-1)
  if (last && (last.type === 'text' || last.type === 'thinking') && last.extras === undefined) last.extras = extras
  else parts.push({ type: 'foreign', extras })
}
