/** A chat request in Ollama's words, both ways. */

import type { Chat, Json, Tool } from '../canonical.ts'
import type { Warn } from '../dialect.ts'
import { TOOL_HINTS } from '../hints.ts'
import { common, readFormat, readOptions, readThink, withOptions } from '../ollama/options.ts'
import { requestExtras } from '../request-extras.ts'
import {
  compact,
  defined,
  extrasFor,
  extrasOf,
  isString,
  optionalArray,
  optionalBoolean,
  optionalNumber,
  optionalObject,
  optionalString,
  requiredObject,
  requiredString,
} from '../wire.ts'
import { readMessages, writeMessages } from './messages.ts'

const ID = 'ollama-chat'
export const KNOWN = [
  'model',
  'messages',
  'stream',
  'format',
  'options',
  'think',
  'tools',
  'logprobs',
  'top_logprobs',
] as const
const KNOWN_SET: ReadonlySet<string> = new Set(KNOWN)
const TOOL_FIELDS = new Set(['type', 'function'])

export function readRequest(body: Json): Chat {
  const { shared, rest } = readOptions(body.options)
  return defined<Chat>({
    op: 'chat',
    shape: 'messages',
    model: requiredString(body.model, 'model'),
    messages: readMessages(body.messages),
    stream: optionalBoolean(body.stream, 'stream') ?? true,
    ...shared,
    format: readFormat(body.format),
    thinking: readThink(body.think),
    logprobs: optionalBoolean(body.logprobs, 'logprobs'),
    topLogprobs: optionalNumber(body.top_logprobs, 'top_logprobs'),
    tools: readTools(body.tools),
    extras: withOptions(ID, extrasOf(ID, body, KNOWN_SET), rest),
  } as Chat)
}

function readTools(value: unknown): Tool[] | undefined {
  return optionalArray(value, 'tools')?.map((item, index) => {
    const tool = requiredObject(item, `tools[${index}]`)
    const named = requiredObject(tool.function, `tools[${index}].function`)
    const { name, description, parameters, ...others } = named
    const extras = extrasOf(ID, tool, TOOL_FIELDS, `tools[${index}]`)
    const fields = { ...extras?.fields, ...(Object.keys(others).length > 0 ? { function: others } : {}) }
    return defined<Tool>({
      name: isString(name) ? name : '',
      description: optionalString(description, `tools[${index}].function.description`),
      parameters: optionalObject(parameters, `tools[${index}].function.parameters`),
      extras: Object.keys(fields).length > 0 ? { dialect: ID, fields } : undefined,
    } as Tool)
  })
}

export function writeRequest(chat: Chat, warn: Warn): Json {
  const extras = requestExtras(ID, chat, warn)
  if (chat.suffix !== undefined) warn('suffix', "Ollama's chat takes no text after the gap")
  return compact({
    model: chat.model,
    messages: writeMessages(chat.messages, warn),
    tools: writeTools(chat, warn),
    ...common(chat, extras, warn),
  })
}

/** Ollama has no tool_choice: `none` is obeyed by offering no tool, one tool by offering only that one. */
function writeTools(chat: Chat, warn: Warn): Json[] | undefined {
  const { toolChoice, tools = [] } = chat
  if (toolChoice === 'none') return undefined
  const offered = typeof toolChoice === 'object' ? tools.filter((tool) => tool.name === toolChoice.name) : tools
  if (toolChoice === 'required' || typeof toolChoice === 'object') {
    warn.adapted?.('tool_choice', 'Ollama cannot be made to call a tool; it was offered those that were asked for')
  }
  const written = offered.flatMap((tool): Json[] => {
    if (tool.foreign) {
      warn(`tools.${tool.name}`, 'the target has no such built-in tool')
      return []
    }
    const { function: inner, ...outer } = extrasFor(ID, tool.extras, warn, TOOL_HINTS, `tools.${tool.name}.`)
    const { name, description, parameters } = tool
    return [{ type: 'function', function: compact({ name, description, parameters, ...(inner as Json) }), ...outer }]
  })
  if (chat.parallelTools === false && written.length > 0) {
    warn.adapted?.('parallel_tool_calls', 'Ollama cannot be kept from calling several tools at once')
  }
  return written.length > 0 ? written : undefined
}
