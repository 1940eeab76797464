/** Items of the input of OpenAI's Responses, both ways. There calls, results and reasoning stand beside messages. */
import type { Extras, Json, Message, Part, ToolCall, ToolResult } from '../canonical.ts'
import type { Warn } from '../dialect.ts'
import { MESSAGE_HINTS, PART_HINTS } from '../hints.ts'
import {
  bad,
  compact,
  extrasFor,
  extrasOf,
  isString,
  optionalString,
  requiredObject,
  requiredString,
  wordOf,
} from '../wire.ts'
import { ID, readContent, writeContent, writeSaid } from './content.ts'
import { DRAWN, readDrawn, writeDrawn } from './images.ts'
import type { Names } from './namespaces.ts'
import { ownReasoning, readReasoning } from './reasoning.ts'

const MESSAGE = new Set(['type', 'role', 'content', 'status', 'id'])
const CALL = new Set(['type', 'call_id', 'name', 'arguments'])
const RESULT = new Set(['type', 'call_id', 'output', 'status', 'id'])

/** `input`, a string or a list of items, as messages: items of one turn of the assistant become one message. */
export function readInput(value: unknown, names: Names): Message[] {
  if (value === undefined || value === null) return []
  if (isString(value)) return [{ role: 'user', parts: [{ type: 'text', text: value }] }]
  if (!Array.isArray(value)) throw bad('input', 'a string or an array of items')
  const messages: Message[] = []
  for (const [index, item] of value.entries()) {
    const path = `input[${index}]`
    const read = readItem(requiredObject(item, path), path, names)
    const last = messages.at(-1)
    if (read.role === 'assistant' && last?.role === 'assistant' && !read.extras && !(speaks(last) && speaks(read))) {
      last.parts.push(...read.parts)
    } else {
      messages.push(read)
    }
  }
  return messages
}

/** Two messages stay two, so that they can be written again as they were. */
const speaks = ({ parts }: Message): boolean => parts.some(({ type }) => type === 'text' || type === 'refusal')

function readItem(item: Json, path: string, names: Names): Message {
  switch (item.type) {
    case undefined:
    case 'message':
      return readMessage(item, path)
    case 'function_call':
      return { role: 'assistant', parts: [readCall(item, path, names)] }
    case 'function_call_output': {
      const result: ToolResult = {
        type: 'result',
        callId: requiredString(item.call_id, `${path}.call_id`),
        parts: readContent(item.output, `${path}.output`),
      }
      const extras = extrasOf(ID, item, RESULT, path)
      return { role: 'tool', parts: [extras ? { ...result, extras } : result] }
    }
    case 'reasoning':
      return { role: 'assistant', parts: [readReasoning(item)] }
    case DRAWN: {
      const drawn = readDrawn(item)
      if (drawn) return { role: 'assistant', parts: [drawn] }
      return { role: 'assistant', parts: [{ type: 'foreign', extras: { dialect: ID, fields: item } }] }
    }
    default:
      if (!isString(item.type)) throw bad(`${path}.type`, 'a string')
      return { role: 'assistant', parts: [{ type: 'foreign', extras: { dialect: ID, fields: item } }] }
  }
}

function readMessage(item: Json, path: string): Message {
  const { role } = item
  const parts = readContent(item.content, `${path}.content`)
  const own = extrasOf(ID, item, MESSAGE, path)
  const more = (extras: Extras | undefined) => (extras ? { extras } : {})
  if (role === 'developer')
    return { role: 'system', parts, extras: { dialect: ID, fields: { ...own?.fields, role: 'developer' } } }
  if (role !== 'user' && role !== 'assistant' && role !== 'system')
    throw bad(`${path}.role`, "one of 'user', 'assistant', 'system', 'developer'")
  return { role, parts, ...more(own) }
}

/** @param names where the call is part of a request: one of a tool in a group goes by the name that tool goes by there */
export function readCall(item: Json, path: string, names?: Names): ToolCall {
  const call: ToolCall = {
    type: 'call',
    id: optionalString(item.call_id, `${path}.call_id`) ?? '',
    name: requiredString(item.name, `${path}.name`),
    args: optionalString(item.arguments, `${path}.arguments`) ?? '',
  }
  const extras = extrasOf(ID, item, CALL, path)
  const { namespace } = item
  if (!names || !isString(namespace)) return extras ? { ...call, extras } : call
  // Its own name stands beside its group, and is written over the other one where the dialect is this one.
  const fields = { ...extras?.fields, name: call.name }
  return { ...call, name: names.of(namespace, call.name), extras: { dialect: ID, fields } }
}

interface Written {
  instructions: string | undefined
  input: Json[]
}

export function writeInput(messages: readonly Message[], warn: Warn): Written {
  let instructions: string | undefined
  const input: Json[] = []
  for (const message of messages) {
    const { as, role, ...extras } = extrasFor(ID, message.extras, warn, MESSAGE_HINTS, 'input.')
    switch (message.role) {
      case 'assistant':
        input.push(...writeTurn(message.parts, extras, warn))
        break
      case 'tool':
        for (const part of message.parts) if (part.type === 'result') input.push(writeResult(part, warn))
        break
      default: {
        const content = writeContent(message.parts, warn)
        if (as === 'instructions' && isString(content)) instructions = content
        else input.push({ type: 'message', role: role ?? message.role, content, ...extras })
      }
    }
  }
  return { instructions, input }
}

/** A turn's parts in order; texts that follow each other are one message. */
function writeTurn(parts: readonly Part[], extras: Json, warn: Warn): Json[] {
  const items: Json[] = []
  let said: Json[] | undefined
  for (const part of parts) {
    if (part.type === 'text' || part.type === 'refusal') {
      if (part.type === 'text') extrasFor(ID, part.extras, warn, PART_HINTS)
      if (!said) {
        said = []
        items.push({ type: 'message', role: 'assistant', content: said, ...extras })
      }
      said.push(writeSaid(part))
      continue
    }
    said = undefined
    const item = writeItem(part, warn)
    if (item) items.push(item)
  }
  return items
}

function writeItem(part: Part, warn: Warn): Json | undefined {
  switch (part.type) {
    case 'call':
      return writeCall(part, extrasFor(ID, part.extras, warn, PART_HINTS))
    case 'thinking': {
      const own = ownReasoning(part)
      if (!own) warn.adapted?.('messages.thinking', "the target's dialect takes no earlier thinking of another model")
      return own
    }
    case 'redacted_thinking':
      warn.adapted?.('messages.redacted_thinking', 'thinking that only its own provider can read')
      return undefined
    case 'foreign':
      if (part.extras.dialect === ID) return part.extras.fields
      warn(`input.${wordOf(part.extras.fields.type)}`, 'the target does not know this kind of content')
      return undefined
    case 'image': {
      const own = part.extras?.dialect === ID ? writeDrawn(part, '') : undefined
      return own ?? { type: 'message', role: 'user', content: writeContent([part], warn) }
    }
    default:
      // An assistant's own images and files have no place here, so they are shown as if by the user.
      return { type: 'message', role: 'user', content: writeContent([part], warn) }
  }
}

export function writeCall(call: ToolCall, extras: Json = {}): Json {
  return {
    type: 'function_call',
    call_id: call.id,
    name: call.name,
    arguments: call.args === '' ? '{}' : call.args,
    ...extras,
  }
}

function writeResult(result: ToolResult, warn: Warn): Json {
  if (result.isError)
    warn.adapted?.('messages.tool_result.is_error', "the target's dialect has no mark for failed tools")
  const extras = extrasFor(ID, result.extras, warn, PART_HINTS)
  return compact({
    type: 'function_call_output',
    call_id: result.callId,
    output: writeContent(result.parts, warn),
    ...extras,
  })
}
