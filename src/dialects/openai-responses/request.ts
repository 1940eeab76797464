/** A request in the words of OpenAI's Responses (platform.openai.com/docs/api-reference/responses/create), both ways. */
import type { Chat, Json, Message } from '../canonical.ts'
import type { Warn } from '../dialect.ts'
import { writeEffort } from '../openai/effort.ts'
import { requestExtras } from '../request-extras.ts'
import {
  bad,
  compact,
  defined,
  extrasOf,
  isObject,
  optionalArray,
  optionalBoolean,
  optionalNumber,
  optionalObject,
  optionalString,
  requiredObject,
  requiredString,
} from '../wire.ts'
import { ID } from './content.ts'
import { readInput, writeInput } from './items.ts'
import { Names, ungroup } from './namespaces.ts'
import { readToolChoice, readTools, writeToolChoice, writeTools } from './tools.ts'

export const KNOWN = [
  'model',
  'input',
  'instructions',
  'stream',
  'max_output_tokens',
  'temperature',
  'top_p',
  'top_logprobs',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'metadata',
  'user',
] as const
const KNOWN_SET: ReadonlySet<string> = new Set(KNOWN)
const LOGPROBS = 'message.output_text.logprobs'

export function readRequest(body: Json): Chat {
  const extras = extrasOf(ID, body, KNOWN_SET)
  const fields: Json = { ...extras?.fields }
  const names = new Names(Array.isArray(body.tools) ? body.tools : [])
  const tools = readTools(body.tools, names)
  const choice = readToolChoice(body.tool_choice, tools ?? [], names)
  // A form of tool_choice that only OpenAI has goes on to OpenAI as it is.
  if (choice === undefined && body.tool_choice) fields.tool_choice = body.tool_choice
  const text = optionalObject(body.text, 'text')
  const include = optionalArray(body.include, 'include')
  const topLogprobs = optionalNumber(body.top_logprobs, 'top_logprobs')
  for (const key of Object.keys(fields)) if (fields[key] === null) delete fields[key]
  // Defaults say nothing.
  if (fields.truncation === 'disabled') delete fields.truncation
  if (fields.background === false) delete fields.background
  return defined<Chat>({
    op: 'chat',
    shape: 'messages',
    model: requiredString(body.model, 'model'),
    messages: [...readInstructions(body.instructions), ...readInput(body.input, names)],
    stream: optionalBoolean(body.stream, 'stream') ?? false,
    // These streams always end with usage.
    includeUsage: true,
    maxTokens: optionalNumber(body.max_output_tokens, 'max_output_tokens'),
    temperature: optionalNumber(body.temperature, 'temperature'),
    topP: optionalNumber(body.top_p, 'top_p'),
    logprobs: include?.includes(LOGPROBS) || (topLogprobs ?? 0) > 0 ? true : undefined,
    topLogprobs,
    tools,
    toolChoice: choice,
    parallelTools: optionalBoolean(body.parallel_tool_calls, 'parallel_tool_calls'),
    format: readFormat(text?.format),
    thinking: readThinking(body.reasoning),
    metadata: optionalObject(body.metadata, 'metadata'),
    user: optionalString(body.user, 'user'),
    extras: { dialect: ID, fields },
  } as Chat)
}

function readInstructions(value: unknown): Message[] {
  const text = optionalString(value, 'instructions')
  if (text === undefined) return []
  return [{ role: 'system', parts: [{ type: 'text', text }], extras: { dialect: ID, fields: { as: 'instructions' } } }]
}

function readFormat(value: unknown): Chat['format'] {
  const format = optionalObject(value, 'text.format')
  if (!format || format.type === 'text') return undefined
  if (format.type === 'json_object') return { kind: 'json' }
  if (format.type !== 'json_schema') throw bad('text.format.type', "'text', 'json_object' or 'json_schema'")
  return defined<Extract<Chat['format'], { kind: 'schema' }>>({
    kind: 'schema',
    schema: requiredObject(format.schema, 'text.format.schema'),
    name: optionalString(format.name, 'text.format.name'),
    description: optionalString(format.description, 'text.format.description'),
    strict: optionalBoolean(format.strict, 'text.format.strict'),
  } as Extract<Chat['format'], { kind: 'schema' }>)
}

function readThinking(value: unknown): Chat['thinking'] {
  const effort = optionalString(optionalObject(value, 'reasoning')?.effort, 'reasoning.effort')
  if (effort === undefined) return undefined
  return effort === 'none' ? { enabled: false, effort } : { enabled: true, effort }
}

export function writeRequest(chat: Chat, warn: Warn): Json {
  const own = chat.extras.dialect === ID
  const extras = requestExtras(ID, chat, warn)
  warnOfLosses(chat, warn)
  const { instructions, input } = writeInput(chat.messages, warn)
  const tools = chat.tools && writeTools(chat.tools, own, warn)
  const hasTools = tools !== undefined && tools.length > 0
  const effort = writeEffort(chat, ID)
  const reasoning = compact({ ...(isObject(extras.reasoning) ? extras.reasoning : {}), effort })
  const text = compact({ ...(isObject(extras.text) ? extras.text : {}), format: writeFormat(chat.format) })
  return compact({
    model: chat.model,
    instructions,
    input: isPlain(input, own) ? (input[0]!.content as string) : input,
    stream: chat.stream ? true : undefined,
    max_output_tokens: chat.maxTokens,
    temperature: chat.temperature,
    top_p: chat.topP,
    top_logprobs: chat.topLogprobs,
    include: !own && chat.logprobs ? [LOGPROBS] : undefined,
    tools: hasTools ? tools : undefined,
    tool_choice: hasTools ? writeToolChoice(chat.toolChoice, ungroup(chat)) : undefined,
    parallel_tool_calls: hasTools || own ? chat.parallelTools : undefined,
    metadata: own ? chat.metadata : undefined,
    user: chat.user,
    // Elsewhere nothing is kept unless it is asked for; here everything is unless it is not.
    store: own ? undefined : false,
    ...extras,
    reasoning: Object.keys(reasoning).length > 0 ? reasoning : undefined,
    text: Object.keys(text).length > 0 ? text : undefined,
  })
}

/** One text of a user is sent as the caller most likely wrote it. */
const isPlain = (input: readonly Json[], own: boolean): boolean =>
  own && input.length === 1 && input[0]!.role === 'user' && typeof input[0]!.content === 'string'

/** What the Responses API has no words for and what would give another answer. */
function warnOfLosses(chat: Chat, warn: Warn): void {
  const none = 'the Responses API has no such parameter'
  if (chat.n !== undefined && chat.n > 1) warn('n', 'the Responses API gives one answer at a time')
  if (chat.stop && chat.stop.length > 0) warn('stop', none)
  if (chat.logitBias && Object.keys(chat.logitBias).length > 0) warn('logit_bias', none)
  if (chat.suffix !== undefined) warn('suffix', 'the Responses API takes no text after the gap')
  if (chat.presencePenalty) warn('presence_penalty', none)
  if (chat.frequencyPenalty) warn('frequency_penalty', none)
  if (chat.topK !== undefined) warn('top_k', none)
  if (chat.minP) warn('min_p', none)
  if (chat.repeatPenalty !== undefined && chat.repeatPenalty !== 1) warn('repetition_penalty', none)
  if (chat.seed !== undefined) warn.adapted?.('seed', none)
}

function writeFormat(format: Chat['format']): Json | undefined {
  if (!format) return undefined
  if (format.kind === 'json') return { type: 'json_object' }
  const { name = 'answer', description, schema, strict } = format
  return compact({ type: 'json_schema', name, description, schema, strict })
}
