/**
 * Structured output for a target that has none of its own: its schema becomes the arguments of a tool that the model has
 * to call, and the call is given back as the text of the answer. Pure.
 */
import type { Chat, Event, Part, Reply, ToolCall } from './canonical.ts'

/** No tool of a caller's is called so. */
const TOOL = 'answer_in_the_form_asked_for'

/** The same request with its schema as a tool. Beside the caller's own tools it is one of those that must be called. */
export function forceFormat(chat: Chat): Chat {
  const { format, ...rest } = chat
  if (format?.kind !== 'schema') return chat
  const description = format.description ?? 'Give the answer by calling this tool, once, with the whole answer.'
  const own = chat.toolChoice === 'none' ? [] : (chat.tools ?? [])
  const tool = { name: TOOL, description, parameters: format.schema }
  return { ...rest, tools: [...own, tool], toolChoice: own.length > 0 ? 'required' : { name: TOOL } }
}

const isForced = (part: Part): boolean => part.type === 'call' && part.name === TOOL

/** The answer as if the model had given it in its text. Text beside the call is the model talking about it, and goes. */
export function unforceReply(reply: Reply): Reply {
  const choices = reply.choices.map((choice) => {
    const call = choice.parts.find((part): part is ToolCall => isForced(part))
    if (!call) return choice
    const others = choice.parts.filter((part) => part.type !== 'text' && !isForced(part))
    const calls = others.some((part) => part.type === 'call')
    const finish = choice.finish && !calls && choice.finish.unified === 'tool-calls' ? STOP : choice.finish
    return { ...choice, parts: [...others, { type: 'text' as const, text: call.args }], ...(finish ? { finish } : {}) }
  })
  return { ...reply, choices }
}

const STOP = { unified: 'stop', raw: 'stop' } as const

interface Said {
  /** Text that may turn out to be talk before the call. */
  text: Event[]
  /** Index of the forced call in the upstream's count; undefined until it comes. */
  forced: number | undefined
  others: number
}

/** Events of one stream, likewise. Text is held back until it is known not to stand before the call. */
export function unforceEvents(): (event: Event) => Event[] {
  const choices = new Map<number, Said>()
  const of = (choice: number): Said => {
    let said = choices.get(choice)
    if (!said) {
      said = { text: [], forced: undefined, others: 0 }
      choices.set(choice, said)
    }
    return said
  }
  return (event) => {
    switch (event.type) {
      case 'text':
        of(event.choice).text.push(event)
        return []
      case 'call': {
        const said = of(event.choice)
        if (event.name === TOOL) {
          said.forced = event.index
          return []
        }
        said.others++
        return [{ ...event, index: shifted(event.index, said) }]
      }
      case 'args': {
        const said = of(event.choice)
        if (event.index === said.forced) return [{ type: 'text', choice: event.choice, text: event.text }]
        return [{ ...event, index: shifted(event.index, said) }]
      }
      case 'finish': {
        const said = of(event.choice)
        const held = said.forced === undefined ? said.text : []
        const reason =
          said.forced !== undefined && said.others === 0 && event.reason.unified === 'tool-calls' ? STOP : event.reason
        return [...held, { ...event, reason }]
      }
      default:
        return [event]
    }
  }
}

/** The caller's own calls are counted as if there were no other. */
const shifted = (index: number, { forced }: Said): number =>
  forced !== undefined && index > forced ? index - 1 : index
