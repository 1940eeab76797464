/** Events of Anthropic's streams → events of ours. */
import type { Event, Json } from '../canonical.ts'
import type { Frame } from '../dialect.ts'
import { errorEvent } from '../failure-of.ts'
import { isObject, isString, parseReply } from '../wire.ts'
import { readCitation } from './citations.ts'
import { readFinish } from './finish.ts'
import { readUsage } from './usage.ts'

const choice = 0

export function reader(): (frame: Frame) => Event[] {
  let counted: Json = {}
  let calls = 0
  /** Block → index of its call. */
  const callOf = new Map<unknown, number>()
  /** Blocks whose call has said nothing of its arguments yet: their `input` counts where no delta follows. */
  const pending = new Map<unknown, string>()
  /** Block → what its search was asked, as far as it was told. */
  const searching = new Map<unknown, string>()
  /** Characters of text so far, those before the open text block, and the citations of that one. */
  let said = 0
  let before = 0
  let cited: unknown[] = []

  function start(message: Json): Event[] {
    if (isObject(message.usage)) counted = message.usage
    const usage = readUsage(message.usage)
    const { id, model } = message
    return [
      {
        type: 'start',
        ...(isString(id) && id !== '' ? { id } : {}),
        ...(isString(model) && model !== '' ? { model } : {}),
        ...(usage ? { usage } : {}),
      },
    ]
  }

  function text(piece: string): Event {
    said += piece.length
    return { type: 'text', choice, text: piece }
  }

  /** What a text block or a search was, told where it ends: only then is its span known. */
  function closed(place: unknown): Event[] {
    const span = { start: before, end: said }
    const citations = cited.map((one) => readCitation(one, span)).filter((one) => one !== undefined)
    cited = []
    const query = queryIn(searching.get(place))
    searching.delete(place)
    return [
      ...citations.map((citation): Event => ({ type: 'citation', choice, citation })),
      ...(query === undefined ? [] : [{ type: 'search', choice, query } as const]),
    ]
  }

  function startBlock(event: Json): Event[] {
    const block = isObject(event.content_block) ? event.content_block : {}
    switch (block.type) {
      case 'text':
        before = said
        cited = Array.isArray(block.citations) ? [...block.citations] : []
        return isString(block.text) && block.text !== '' ? [text(block.text)] : []
      case 'server_tool_use': {
        const whole = isObject(block.input) && Object.keys(block.input).length > 0
        searching.set(event.index, whole ? JSON.stringify(block.input) : '')
        return []
      }
      case 'thinking':
        return isString(block.thinking) && block.thinking !== ''
          ? [{ type: 'thinking', choice, text: block.thinking }]
          : []
      case 'redacted_thinking':
        return isString(block.data) ? [{ type: 'redacted_thinking', choice, data: block.data }] : []
      case 'tool_use': {
        const index = calls++
        callOf.set(event.index, index)
        const input = isObject(block.input) && Object.keys(block.input).length > 0 ? JSON.stringify(block.input) : '{}'
        pending.set(event.index, input)
        return [
          {
            type: 'call',
            choice,
            index,
            id: isString(block.id) ? block.id : '',
            name: isString(block.name) ? block.name : '',
          },
        ]
      }
      default:
        return []
    }
  }

  function delta(event: Json): Event[] {
    const said = isObject(event.delta) ? event.delta : {}
    switch (said.type) {
      case 'text_delta':
        return isString(said.text) && said.text !== '' ? [text(said.text)] : []
      case 'citations_delta':
        cited.push(said.citation)
        return []
      case 'thinking_delta':
        return isString(said.thinking) && said.thinking !== ''
          ? [{ type: 'thinking', choice, text: said.thinking }]
          : []
      case 'signature_delta':
        return isString(said.signature) ? [{ type: 'signature', choice, signature: said.signature }] : []
      case 'input_json_delta': {
        const asked = searching.get(event.index)
        if (asked !== undefined && isString(said.partial_json)) searching.set(event.index, asked + said.partial_json)
        const index = callOf.get(event.index)
        if (index === undefined || !isString(said.partial_json) || said.partial_json === '') return []
        pending.delete(event.index)
        return [{ type: 'args', choice, index, text: said.partial_json }]
      }
      default:
        return []
    }
  }

  return (frame) => {
    const event = parseReply(frame.data)
    switch (event.type) {
      case 'message_start':
        return start(isObject(event.message) ? event.message : {})
      case 'content_block_start':
        return startBlock(event)
      case 'content_block_delta':
        return delta(event)
      case 'content_block_stop': {
        const args = pending.get(event.index)
        pending.delete(event.index)
        if (args === undefined) return closed(event.index)
        return [{ type: 'args', choice, index: callOf.get(event.index)!, text: args }]
      }
      case 'message_delta': {
        const said = isObject(event.delta) ? event.delta : {}
        const reason = readFinish(said.stop_reason, said.stop_sequence)
        const usage = readUsage(event.usage, counted)
        const events: Event[] = []
        if (reason) events.push({ type: 'finish', choice, reason })
        if (usage) events.push({ type: 'usage', usage })
        return events
      }
      case 'message_stop':
        return [{ type: 'end' }]
      default: {
        const error = errorEvent(event)
        return error ? [error] : []
      }
    }
  }
}

function queryIn(input: string | undefined): string | undefined {
  if (!input) return undefined
  try {
    const said: unknown = JSON.parse(input)
    return isObject(said) && isString(said.query) ? said.query : undefined
  } catch {
    return undefined
  }
}
