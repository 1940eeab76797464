/** Messages of Ollama's chat (github.com/ollama/ollama, docs/api.md), both ways. */
import { Refusal } from '../../core/refusal.ts'
import type { Json, Message, Part, ToolCall } from '../canonical.ts'
import type { Warn } from '../dialect.ts'
import { MESSAGE_HINTS, PART_HINTS } from '../hints.ts'
import { cannotCarry, imageType, joinText, textOfFile } from '../parts.ts'
import { answered, type Waiting } from '../waiting.ts'
import {
  argsObject,
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
  wordOf,
} from '../wire.ts'

const ID = 'ollama-chat'
const KNOWN = new Set(['role', 'content', 'thinking', 'images', 'tool_calls', 'tool_name', 'tool_call_id'])
const CALL = new Set(['id', 'function', 'type'])

export function readMessages(value: unknown): Message[] {
  // Ollama's clients send results with a tool's name, or with nothing but their order.
  const waiting: Waiting[] = []
  return (optionalArray(value, 'messages') ?? []).map((item, index) => {
    const path = `messages[${index}]`
    const message = requiredObject(item, path)
    const extras = extrasOf(ID, message, KNOWN, path)
    const read = readMessage(message, path, index, waiting)
    return extras ? { ...read, extras } : read
  })
}

function readMessage(message: Json, path: string, position: number, waiting: Waiting[]): Message {
  const content = optionalString(message.content, `${path}.content`) ?? ''
  const images = readImages(message.images, `${path}.images`)
  switch (message.role) {
    case 'system':
    case 'user':
      return { role: message.role, parts: [{ type: 'text', text: content }, ...images] }
    case 'assistant': {
      const parts: Part[] = []
      const thinking = optionalString(message.thinking, `${path}.thinking`)
      if (thinking) parts.push({ type: 'thinking', text: thinking })
      const calls = optionalArray(message.tool_calls, `${path}.tool_calls`) ?? []
      if (content !== '' || calls.length === 0) parts.push({ type: 'text', text: content })
      for (const [index, call] of calls.entries()) {
        const made = readCall(call, `${path}.tool_calls[${index}]`, `call_${position}_${index}`)
        waiting.push({ id: made.id, name: made.name })
        parts.push(made)
      }
      return { role: 'assistant', parts: [...parts, ...images] }
    }
    case 'tool': {
      const name = optionalString(message.tool_name, `${path}.tool_name`)
      const callId = answered(
        waiting,
        optionalString(message.tool_call_id, `${path}.tool_call_id`),
        name,
        `call_${position}`,
      )
      const parts: Part[] = [{ type: 'text', text: content }, ...images]
      return { role: 'tool', parts: [{ type: 'result', callId, parts, ...(name ? { name } : {}) }] }
    }
    default:
      throw bad(`${path}.role`, "one of 'system', 'user', 'assistant', 'tool'")
  }
}

function readImages(value: unknown, path: string): Part[] {
  return (optionalArray(value, path) ?? []).map((image) => {
    const data = requiredString(image, path)
    return { type: 'image', source: { kind: 'data', mediaType: imageType(data), data } }
  })
}

/** @param madeId used where the call has no id of its own; '' to have one made when it is written */
export function readCall(value: unknown, path: string, madeId: string): ToolCall {
  const call = requiredObject(value, path)
  const named = requiredObject(call.function, `${path}.function`)
  const { arguments: args } = named
  const extras = extrasOf(ID, call, CALL, path)
  return {
    type: 'call',
    id: isString(call.id) && call.id !== '' ? call.id : madeId,
    name: requiredString(named.name, `${path}.function.name`),
    args: isString(args) ? args : JSON.stringify(args ?? {}),
    ...(extras ? { extras } : {}),
  }
}

export function writeMessages(messages: readonly Message[], warn: Warn): Json[] {
  /** Call id → tool: Ollama's templates know results by their tool's name. */
  const names = new Map<string, string>()
  return messages.flatMap((message): Json[] => {
    const extras = extrasFor(ID, message.extras, warn, MESSAGE_HINTS, 'messages.')
    if (message.role === 'tool') {
      return message.parts.flatMap((part): Json[] => {
        if (part.type !== 'result') return []
        extrasFor(ID, part.extras, warn, PART_HINTS)
        const tool_name = part.name ?? names.get(part.callId)
        return [
          compact({ role: 'tool', ...writeParts(part.parts, warn), tool_name, tool_call_id: part.callId, ...extras }),
        ]
      })
    }
    const calls: Json[] = []
    let thinking = ''
    for (const part of message.parts) {
      if (part.type === 'thinking') thinking += part.text
      if (part.type !== 'call') continue
      names.set(part.id, part.name)
      calls.push(writeCall(part, calls.length, BAD_ARGS, extrasFor(ID, part.extras, warn, PART_HINTS)))
    }
    const written = compact({
      role: message.role,
      ...writeParts(message.parts, warn),
      thinking: thinking === '' ? undefined : thinking,
      tool_calls: calls.length > 0 ? calls : undefined,
      ...extras,
    })
    return [written]
  })
}

const BAD_ARGS = () =>
  new Refusal('invalid_request', 'The arguments of a tool call in messages are not a JSON object.', {
    param: 'messages',
  })

/** @param otherwise what to throw where the arguments are no object */
export function writeCall(call: ToolCall, index: number, otherwise: () => Error, extras: Json = {}): Json {
  const args = argsObject(call.args, otherwise)
  return { ...(call.id ? { id: call.id } : {}), function: { index, name: call.name, arguments: args }, ...extras }
}

export function writeParts(parts: readonly Part[], warn: Warn): { content: string; images: string[] | undefined } {
  const images: string[] = []
  const texts: Part[] = []
  for (const part of parts) {
    switch (part.type) {
      case 'text':
      case 'refusal':
        texts.push(part)
        if (part.type === 'text') extrasFor(ID, part.extras, warn, PART_HINTS)
        break
      case 'image':
        if (part.source.kind === 'url') throw cannotCarry('an image by its address', 'Ollama takes image data only')
        images.push(part.source.data)
        break
      case 'file': {
        const text = textOfFile(part)
        if (text === undefined) throw cannotCarry('a file', 'Ollama takes text and images')
        texts.push({ type: 'text', text })
        break
      }
      case 'audio':
        throw cannotCarry('audio', 'Ollama takes text and images')
      case 'redacted_thinking':
        warn.adapted?.('messages.redacted_thinking', 'thinking that only its own provider can read')
        break
      case 'foreign':
        warn(`messages.content.${wordOf(part.extras.fields.type)}`, 'the target does not know this kind of content')
        break
    }
  }
  return { content: joinText(texts), images: images.length > 0 ? images : undefined }
}

/** Whether an object is a call as Ollama's answers hold them. */
export const isCall = (value: unknown): boolean => isObject(value) && isObject(value.function)
