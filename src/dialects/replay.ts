/** A whole reply as the stream that says the same, for callers who asked for one and targets that gave none. Pure. */
import type { Event, Extras, Part, Reply } from './canonical.ts'

export function eventsOf(reply: Reply): Event[] {
  const events: Event[] = [
    {
      type: 'start',
      id: reply.id,
      model: reply.model,
      created: reply.created,
      ...(reply.usage ? { usage: reply.usage } : {}),
    },
  ]
  for (const { index: choice, parts, finish, citations = [], searches = [] } of reply.choices) {
    let calls = 0
    // Where the upstream's own items are there they tell of their searches themselves.
    const isTold = parts.some((part) => part.type === 'foreign')
    for (const query of isTold ? [] : searches) events.push({ type: 'search', choice, query })
    for (const part of parts) events.push(...eventsOfPart(part, choice, part.type === 'call' ? calls++ : 0))
    for (const citation of citations) events.push({ type: 'citation', choice, citation })
    if (finish)
      events.push({ type: 'finish', choice, reason: finish, ...(reply.timings ? { timings: reply.timings } : {}) })
  }
  if (reply.usage) events.push({ type: 'usage', usage: reply.usage })
  events.push({ type: 'end' })
  return events
}

function eventsOfPart(part: Part, choice: number, index: number): Event[] {
  switch (part.type) {
    case 'text':
      return [{ type: 'text', choice, text: part.text }, ...restOf(part, choice)]
    case 'refusal':
      return [{ type: 'refusal', choice, text: part.text }]
    case 'thinking': {
      const { extras } = part
      const said: Event[] = [{ type: 'thinking', choice, text: part.text, ...(extras ? { extras } : {}) }]
      if (part.signature !== undefined) said.push({ type: 'signature', choice, signature: part.signature })
      return [...said, ...restOf(part, choice)]
    }
    case 'redacted_thinking':
      return [{ type: 'redacted_thinking', choice, data: part.data }]
    case 'call':
      return [
        { type: 'call', choice, index, id: part.id, name: part.name, ...(part.extras ? { extras: part.extras } : {}) },
        { type: 'args', choice, index, text: part.args },
      ]
    case 'image':
      if (part.source.kind !== 'data') return []
      return [{ type: 'image', choice, source: part.source, ...(part.extras ? { extras: part.extras } : {}) }]
    case 'foreign':
      return [{ type: 'foreign', choice, extras: part.extras }]
    default:
      return []
  }
}

/** What stands beside a text or a thought and only its own dialect knows. */
const restOf = ({ extras }: { extras?: Extras }, choice: number): Event[] =>
  extras ? [{ type: 'foreign', choice, extras }] : []
