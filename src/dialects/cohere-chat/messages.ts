/** Messages of Cohere's chat v2 (docs.cohere.com/reference/chat), and the parts of its answers. */
import type { Json, Message, Part, ToolResult } from '../canonical.ts'
import type { Warn } from '../dialect.ts'
import { MESSAGE_HINTS, PART_HINTS } from '../hints.ts'
import { callsOf, cannotCarry, joinText, textOfFile, urlOf } from '../parts.ts'
import { compact, extrasFor, isObject, isString, wordOf } from '../wire.ts'

export const ID = 'cohere-chat'

export function writeMessages(messages: readonly Message[], warn: Warn): Json[] {
  return messages.flatMap((message): Json[] => {
    extrasFor(ID, message.extras, warn, MESSAGE_HINTS, 'messages.')
    const results = message.parts.filter((part) => part.type === 'result')
    const others = message.parts.filter((part) => part.type !== 'result')
    if (message.role === 'assistant') return [writeAssistant(others, warn)]
    const written = results.map((result) => writeResult(result, warn))
    if (others.length === 0) return written
    const role = message.role === 'tool' ? 'user' : message.role
    return [...written, { role, content: writeContent(others, warn) }]
  })
}

/** What is said before calls is the plan of their use. */
function writeAssistant(parts: readonly Part[], warn: Warn): Json {
  const calls = callsOf(parts)
  const said = parts.filter((part) => part.type !== 'call')
  if (calls.length === 0) return { role: 'assistant', content: writeContent(said, warn) }
  const plan = joinText(said)
  return compact({
    role: 'assistant',
    tool_plan: plan === '' ? undefined : plan,
    tool_calls: calls.map(({ id, name, args }) => ({
      id,
      type: 'function',
      function: { name, arguments: args === '' ? '{}' : args },
    })),
  })
}

function writeResult(result: ToolResult, warn: Warn): Json {
  extrasFor(ID, result.extras, warn, PART_HINTS)
  const other = result.parts.find((part) => part.type === 'image' || part.type === 'file' || part.type === 'audio')
  if (other) throw cannotCarry(`a tool's result with ${other.type}`, 'Cohere takes text')
  if (result.isError)
    warn.adapted?.('messages.tool_result.is_error', "the target's dialect has no mark for failed tools")
  return { role: 'tool', tool_call_id: result.callId, content: joinText(result.parts) }
}

/** A text alone is a string, as older models want it. */
function writeContent(parts: readonly Part[], warn: Warn): string | Json[] {
  const written = parts.flatMap((part) => writePart(part, warn))
  const [first] = written
  if (!first) return ''
  return written.length === 1 && first.type === 'text' ? (first.text as string) : written
}

function writePart(part: Part, warn: Warn): Json[] {
  if ('extras' in part && part.type !== 'foreign') extrasFor(ID, part.extras, warn, PART_HINTS)
  switch (part.type) {
    case 'text':
    case 'refusal':
      return part.text === '' ? [] : [{ type: 'text', text: part.text }]
    case 'image':
      return [{ type: 'image_url', image_url: compact({ url: urlOf(part.source), detail: part.detail }) }]
    case 'file': {
      const text = textOfFile(part)
      if (text === undefined) throw cannotCarry('a file', 'Cohere')
      return [{ type: 'text', text }]
    }
    case 'audio':
      throw cannotCarry('audio', 'Cohere')
    case 'thinking':
    case 'redacted_thinking':
      warn.adapted?.('messages.thinking', "the target's dialect takes no earlier thinking")
      return []
    case 'foreign':
      warn(`messages.content.${wordOf(part.extras.fields.type)}`, 'the target does not know this kind of content')
      return []
    default:
      return []
  }
}

/** An answer's message as parts. The plan is what the model thinks before it calls. */
export function readMessage(message: Json): Part[] {
  const parts: Part[] = []
  if (isString(message.tool_plan) && message.tool_plan !== '') parts.push({ type: 'thinking', text: message.tool_plan })
  for (const block of Array.isArray(message.content) ? message.content : []) {
    if (!isObject(block)) continue
    if (isString(block.thinking)) parts.push({ type: 'thinking', text: block.thinking })
    else if (isString(block.text)) parts.push({ type: 'text', text: block.text })
  }
  for (const call of Array.isArray(message.tool_calls) ? message.tool_calls : []) {
    if (!isObject(call) || !isObject(call.function)) continue
    const { name, arguments: args } = call.function
    parts.push({
      type: 'call',
      id: isString(call.id) ? call.id : '',
      name: isString(name) ? name : '',
      args: isString(args) ? args : '{}',
    })
  }
  return parts
}
