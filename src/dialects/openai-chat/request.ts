/** A chat request in OpenAI's words (platform.openai.com/docs/api-reference/chat/create), both ways. */
import { Refusal } from '../../core/refusal.ts'
import type { Chat, Extras, Json, Tool } from '../canonical.ts'
import type { Warn } from '../dialect.ts'
import { TOOL_HINTS } from '../hints.ts'
import { writeEffort } from '../openai/effort.ts'
import { readSampling, SAMPLING_FIELDS, writeSampling } from '../openai/sampling.ts'
import { requestExtras } from '../request-extras.ts'
import {
  bad,
  compact,
  defined,
  extrasFor,
  extrasOf,
  isObject,
  optionalArray,
  optionalBoolean,
  optionalNumber,
  optionalObject,
  optionalString,
  requiredObject,
  requiredString,
  wordOf,
} from '../wire.ts'
import { readMessages, writeMessages } from './messages.ts'

const ID = 'openai-chat'

export const KNOWN = [
  ...SAMPLING_FIELDS,
  'messages',
  'max_tokens',
  'logprobs',
  'top_logprobs',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'response_format',
  'reasoning_effort',
] as const
const KNOWN_SET: ReadonlySet<string> = new Set(KNOWN)
const TOOL_FIELDS = new Set(['type', 'function'])

export function readRequest(body: Json): Chat {
  for (const [old, now] of [
    ['functions', 'tools'],
    ['function_call', 'tool_choice'],
  ] as const) {
    if (body[old] === undefined || body[old] === null) continue
    throw new Refusal(
      'unsupported_parameter',
      `'${old}' is the old form of '${now}': this model is only reached by the new one.`,
      {
        param: old,
      },
    )
  }
  const choice = readToolChoice(body.tool_choice)
  const extras = extrasOf(ID, body, KNOWN_SET)
  const fields: Json = { ...extras?.fields }
  // A form of tool_choice that only OpenAI has goes on to OpenAI as it is.
  if (choice === undefined && body.tool_choice) fields.tool_choice = body.tool_choice
  for (const key of Object.keys(fields)) if (fields[key] === null) delete fields[key]
  // The default says nothing; audio would.
  if (JSON.stringify(fields.modalities) === '["text"]') delete fields.modalities
  return defined<Chat>({
    op: 'chat',
    shape: 'messages',
    model: requiredString(body.model, 'model'),
    messages: readMessages(body.messages),
    stream: optionalBoolean(body.stream, 'stream') ?? false,
    ...readSampling(body),
    logprobs: optionalBoolean(body.logprobs, 'logprobs'),
    topLogprobs: optionalNumber(body.top_logprobs, 'top_logprobs'),
    tools: readTools(body.tools),
    toolChoice: choice,
    parallelTools: optionalBoolean(body.parallel_tool_calls, 'parallel_tool_calls'),
    format: readFormat(body.response_format),
    thinking: readThinking(body.reasoning_effort, body.thinking),
    extras: { dialect: ID, fields },
  } as Chat)
}

function readTools(value: unknown): Tool[] | undefined {
  return optionalArray(value, 'tools')?.map((item, index) => {
    const tool = requiredObject(item, `tools[${index}]`)
    if (tool.type !== undefined && tool.type !== 'function') {
      return { name: wordOf(tool.type), foreign: { dialect: ID, fields: tool } satisfies Extras }
    }
    const named = requiredObject(tool.function, `tools[${index}].function`)
    return defined<Tool>({
      name: requiredString(named.name, `tools[${index}].function.name`),
      description: optionalString(named.description, `tools[${index}].function.description`),
      parameters: optionalObject(named.parameters, `tools[${index}].function.parameters`),
      strict: optionalBoolean(named.strict, `tools[${index}].function.strict`),
      extras: extrasOf(ID, tool, TOOL_FIELDS, `tools[${index}]`),
    } as Tool)
  })
}

function readToolChoice(value: unknown): Chat['toolChoice'] {
  if (value === 'auto' || value === 'none' || value === 'required') return value
  if (isObject(value) && value.type === 'function' && isObject(value.function)) {
    return { name: requiredString(value.function.name, 'tool_choice.function.name') }
  }
  if (value !== undefined && value !== null && !isObject(value))
    throw bad('tool_choice', "'auto', 'none', 'required' or an object")
  return undefined
}

function readFormat(value: unknown): Chat['format'] {
  const format = optionalObject(value, 'response_format')
  if (!format || format.type === 'text') return undefined
  if (format.type === 'json_object') return { kind: 'json' }
  if (format.type !== 'json_schema') throw bad('response_format.type', "'text', 'json_object' or 'json_schema'")
  const named = requiredObject(format.json_schema, 'response_format.json_schema')
  return defined<Extract<Chat['format'], { kind: 'schema' }>>({
    kind: 'schema',
    schema: optionalObject(named.schema, 'response_format.json_schema.schema') ?? {},
    name: optionalString(named.name, 'response_format.json_schema.name'),
    description: optionalString(named.description, 'response_format.json_schema.description'),
    strict: optionalBoolean(named.strict, 'response_format.json_schema.strict'),
  } as Extract<Chat['format'], { kind: 'schema' }>)
}

/** @param block Anthropic's `thinking`, which LiteLLM's clients send in chat requests too */
function readThinking(value: unknown, block: unknown): Chat['thinking'] {
  const effort = optionalString(value, 'reasoning_effort')
  if (effort === undefined && isObject(block)) {
    if (block.type === 'disabled') return { enabled: false }
    const budget = optionalNumber(block.budget_tokens, 'thinking.budget_tokens')
    return { enabled: true, ...(budget === undefined ? {} : { budget }) }
  }
  if (effort === undefined) return undefined
  return effort === 'none' ? { enabled: false, effort } : { enabled: true, effort }
}

export function writeRequest(chat: Chat, warn: Warn): Json {
  const extras = requestExtras(ID, chat, warn)
  const tools = chat.tools?.flatMap((tool) => writeTool(tool, warn))
  if (chat.suffix !== undefined) warn('suffix', 'chat models take no text after the gap')
  return compact({
    model: chat.model,
    messages: writeMessages(chat.messages, warn),
    ...writeSampling(chat, extras),
    logprobs: chat.logprobs,
    top_logprobs: chat.topLogprobs,
    tools: tools && tools.length > 0 ? tools : undefined,
    tool_choice: writeToolChoice(chat.toolChoice) ?? extras.tool_choice,
    parallel_tool_calls: tools && tools.length > 0 ? chat.parallelTools : undefined,
    response_format: writeFormat(chat.format),
    reasoning_effort: writeEffort(chat, ID),
  })
}

function writeTool(tool: Tool, warn: Warn): Json[] {
  if (tool.foreign) {
    if (tool.foreign.dialect === ID) return [tool.foreign.fields]
    warn(`tools.${tool.name}`, 'the target has no such built-in tool')
    return []
  }
  const { name, description, parameters, strict } = tool
  const extras = extrasFor(ID, tool.extras, warn, TOOL_HINTS, `tools.${name}.`)
  return [{ type: 'function', function: compact({ name, description, parameters, strict }), ...extras }]
}

function writeToolChoice(choice: Chat['toolChoice']): unknown {
  return typeof choice === 'object' ? { type: 'function', function: { name: choice.name } } : choice
}

function writeFormat(format: Chat['format']): Json | undefined {
  if (!format) return undefined
  if (format.kind === 'json') return { type: 'json_object' }
  const { name = 'answer', description, schema, strict } = format
  return { type: 'json_schema', json_schema: compact({ name, description, schema, strict }) }
}
