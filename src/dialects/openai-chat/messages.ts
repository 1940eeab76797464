/** Messages of OpenAI's chat, both ways. */
import type { Extras, Json, Message, Part, ToolCall, ToolResult } from '../canonical.ts'
import type { Warn } from '../dialect.ts'
import { MESSAGE_HINTS, PART_HINTS } from '../hints.ts'
import {
  bad,
  compact,
  extrasFor,
  extrasOf,
  isObject,
  isString,
  optionalArray,
  optionalString,
  requiredObject,
  requiredString,
} from '../wire.ts'
import { readContent, writeContent } from './content.ts'
import { readGoogle, writeGoogle } from './google.ts'
import { isDrawn, readImages, writeImage } from './images.ts'

const ID = 'openai-chat'
const COMMON = ['role', 'content', 'name']
const PLAIN = new Set(COMMON)
const ASSISTANT = new Set([
  ...COMMON,
  'refusal',
  'tool_calls',
  'function_call',
  'reasoning_content',
  'reasoning',
  'thinking_blocks',
  'images',
])
const TOOL = new Set([...COMMON, 'tool_call_id'])
const CALL = new Set(['id', 'type', 'function', 'index'])

export function readMessages(value: unknown): Message[] {
  if (!Array.isArray(value)) throw bad('messages', 'an array')
  return value.map((message, index) => readMessage(requiredObject(message, `messages[${index}]`), `messages[${index}]`))
}

function readMessage(message: Json, path: string): Message {
  const { role } = message
  const name = optionalString(message.name, `${path}.name`)
  const make = (as: Message['role'], parts: Part[], extras: Extras | undefined): Message => ({
    role: as,
    parts,
    ...(name === undefined ? {} : { name }),
    ...(extras ? { extras } : {}),
  })
  switch (role) {
    case 'user':
    case 'system':
      return make(role, readContent(message.content, `${path}.content`), extrasOf(ID, message, PLAIN, path))
    case 'developer': {
      const extras = extrasOf(ID, message, PLAIN, path)
      return make('system', readContent(message.content, `${path}.content`), {
        dialect: ID,
        fields: { ...extras?.fields, role: 'developer' },
      })
    }
    case 'assistant':
      return make('assistant', readAssistant(message, path), extrasOf(ID, message, ASSISTANT, path))
    case 'tool': {
      const result: ToolResult = {
        type: 'result',
        callId: requiredString(message.tool_call_id, `${path}.tool_call_id`),
        ...(name === undefined ? {} : { name }),
        parts: readContent(message.content, `${path}.content`),
      }
      return make('tool', [result], extrasOf(ID, message, TOOL, path))
    }
    default:
      throw bad(`${path}.role`, "one of 'system', 'developer', 'user', 'assistant', 'tool'")
  }
}

/** The parts of an assistant's message, in a request or an answer; thinking first, as it came first. */
export function readAssistant(message: Json, path: string): Part[] {
  if (message.function_call) throw bad(`${path}.function_call`, 'left out: it is the old form of tool_calls')
  const parts = readThinking(message)
  parts.push(...readContent(message.content, `${path}.content`))
  parts.push(...readImages(message.images))
  if (isString(message.refusal)) parts.push({ type: 'refusal', text: message.refusal })
  for (const [index, call] of (optionalArray(message.tool_calls, `${path}.tool_calls`) ?? []).entries()) {
    parts.push(readCall(requiredObject(call, `${path}.tool_calls[${index}]`), `${path}.tool_calls[${index}]`))
  }
  return parts
}

/**
 * OpenAI has no thinking in chat; compatible servers say `reasoning_content` (DeepSeek, vLLM) or `reasoning` (Ollama,
 * OpenRouter), and LiteLLM's clients keep Anthropic's signed blocks in `thinking_blocks`.
 */
function readThinking(message: Json): Part[] {
  if (Array.isArray(message.thinking_blocks)) {
    return message.thinking_blocks.filter(isObject).flatMap((block): Part[] => {
      if (block.type === 'redacted_thinking' && isString(block.data))
        return [{ type: 'redacted_thinking', data: block.data }]
      if (!isString(block.thinking)) return []
      return [
        {
          type: 'thinking',
          text: block.thinking,
          ...(isString(block.signature) ? { signature: block.signature } : {}),
        },
      ]
    })
  }
  for (const key of ['reasoning_content', 'reasoning']) {
    const text = message[key]
    if (isString(text) && text !== '') return [{ type: 'thinking', text, extras: { dialect: ID, fields: { as: key } } }]
  }
  return []
}

function readCall(call: Json, path: string): Part {
  if (call.type !== undefined && call.type !== 'function')
    return { type: 'foreign', extras: { dialect: ID, fields: call } }
  const named = requiredObject(call.function, `${path}.function`)
  const { arguments: said } = named
  const made: ToolCall = {
    type: 'call',
    id: optionalString(call.id, `${path}.id`) ?? '',
    name: requiredString(named.name, `${path}.function.name`),
    // Some servers send an object where a string belongs.
    args: isString(said) ? said : said === undefined || said === null ? '' : JSON.stringify(said),
  }
  const extras = readGoogle(call) ?? extrasOf(ID, call, CALL, path)
  return extras ? { ...made, extras } : made
}

/** Messages as OpenAI wants them: one message a tool result, and no images inside of results. */
export function writeMessages(messages: readonly Message[], warn: Warn): Json[] {
  const written: Json[] = []
  /**
   * Images out of tool results: they follow the last result, since nothing may stand between call and results. So do
   * those that another model drew: an assistant's message holds none.
   */
  let aside: Part[] = []
  const flush = () => {
    if (aside.length > 0) written.push({ role: 'user', content: writeContent(aside, warn) })
    aside = []
  }
  for (const message of messages) {
    if (message.role !== 'tool') flush()
    const extras = extrasFor(ID, message.extras, warn, MESSAGE_HINTS, 'messages.')
    if (message.role === 'tool') {
      for (const part of message.parts)
        if (part.type === 'result') written.push({ ...writeResult(part, aside, warn), ...extras })
    } else if (message.role === 'assistant') {
      written.push(
        compact({ role: 'assistant', ...writeAssistant(message.parts, aside, warn), name: message.name, ...extras }),
      )
    } else {
      written.push(
        compact({ role: message.role, content: writeContent(message.parts, warn), name: message.name, ...extras }),
      )
    }
  }
  flush()
  return written
}

function writeResult(result: ToolResult, aside: Part[], warn: Warn): Json {
  const isText = (part: Part) => part.type === 'text' || part.type === 'refusal' || part.type === 'foreign'
  const text = result.parts.filter(isText)
  const others = result.parts.filter((part) => !isText(part))
  if (others.length > 0) {
    aside.push({ type: 'text', text: `Content of the result of ${result.name ?? result.callId}:` }, ...others)
    warn.adapted?.('messages.tool_result', 'images and files of tool results are sent in a message of their own')
  }
  if (result.isError)
    warn.adapted?.('messages.tool_result.is_error', "the target's dialect has no mark for failed tools")
  extrasFor(ID, result.extras, warn, PART_HINTS)
  return { role: 'tool', tool_call_id: result.callId, content: writeContent(text, warn) }
}

function writeAssistant(parts: readonly Part[], aside: Part[], warn: Warn): Json {
  const content: Part[] = []
  const calls: Json[] = []
  const thinking: Json = {}
  const images: Json[] = []
  let refusal: string | undefined
  for (const part of parts) {
    if (part.type === 'call') {
      calls.push(writeCall(part, extrasFor(ID, part.extras, warn, PART_HINTS)))
    } else if (part.type === 'foreign' && part.extras.dialect === ID && 'id' in part.extras.fields) {
      calls.push(part.extras.fields)
    } else if (part.type === 'thinking' && part.extras?.dialect === ID) {
      thinking[part.extras.fields.as as string] = part.text
    } else if (part.type === 'thinking' || part.type === 'redacted_thinking') {
      warn.adapted?.('messages.thinking', "the target's dialect takes no earlier thinking")
    } else if (part.type === 'image' && isDrawn(part)) {
      images.push(writeImage(part.source, images.length))
    } else if (part.type === 'image') {
      aside.push({ type: 'text', text: 'An image that the assistant made:' }, part)
      warn.adapted?.('messages.images', 'images of the assistant are sent in a message of their own')
    } else if (part.type === 'refusal') {
      refusal = part.text
    } else {
      content.push(part)
    }
  }
  const isBare = content.length === 0 && (calls.length > 0 || refusal !== undefined)
  return compact({
    content: isBare ? null : writeContent(content, warn),
    ...thinking,
    images: images.length > 0 ? images : undefined,
    refusal,
    tool_calls: calls.length > 0 ? calls : undefined,
  })
}

export function writeCall(call: ToolCall, extras: Json = {}): Json {
  return {
    id: call.id,
    type: 'function',
    function: { name: call.name, arguments: call.args === '' ? '{}' : call.args },
    ...writeGoogle(call.extras),
    ...extras,
  }
}
