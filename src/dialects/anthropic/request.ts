/** A request in Anthropic's words, both ways. */
import { Refusal } from '../../core/refusal.ts'
import type { Chat, Extras, Json, Tool } from '../canonical.ts'
import type { Warn } from '../dialect.ts'
import { TOOL_HINTS } from '../hints.ts'
import { requestExtras } from '../request-extras.ts'
import {
  bad,
  compact,
  defined,
  extrasFor,
  extrasOf,
  isObject,
  isString,
  optionalArray,
  optionalBoolean,
  optionalNumber,
  optionalObject,
  optionalString,
  requiredObject,
  requiredString,
  stopList,
} from '../wire.ts'
import { cacheMark, ID } from './content.ts'
import { readMessages, writeMessages } from './messages.ts'

export const KNOWN = [
  'model',
  'messages',
  'system',
  'max_tokens',
  'stream',
  'temperature',
  'top_p',
  'top_k',
  'stop_sequences',
  'tools',
  'tool_choice',
  'metadata',
] as const
const KNOWN_SET: ReadonlySet<string> = new Set(KNOWN)
const TOOL_FIELDS = new Set(['name', 'description', 'input_schema', 'strict'])

/** What a Claude of today can answer at the most where nobody said; providers know better per model. */
const MOST_TOKENS = 8192

export function readRequest(body: Json): Chat {
  if (isObject(body.thread) && body.thread.type === 'continue') {
    // Anthropic's SDKs then send the whole conversation.
    throw new Refusal('not_found', 'This thread is not known here: send the whole conversation.', {
      param: 'thread',
      upstreamCode: 'thread_not_found',
    })
  }
  if (isObject(body.thread)) {
    throw new Refusal('unsupported_parameter', 'This model keeps no threads: send the whole conversation.', {
      param: 'thread',
      upstreamCode: 'thread_unsupported_request',
    })
  }
  const extras = extrasOf(ID, body, KNOWN_SET)
  const output = optionalObject(body.output_config, 'output_config')
  const choice = optionalObject(body.tool_choice, 'tool_choice')
  const metadata = optionalObject(body.metadata, 'metadata')
  return defined<Chat>({
    op: 'chat',
    shape: 'messages',
    model: requiredString(body.model, 'model'),
    messages: readMessages(body.system, body.messages),
    stream: optionalBoolean(body.stream, 'stream') ?? false,
    // Anthropic's streams always end with usage.
    includeUsage: true,
    maxTokens: optionalNumber(body.max_tokens, 'max_tokens'),
    temperature: optionalNumber(body.temperature, 'temperature'),
    topP: optionalNumber(body.top_p, 'top_p'),
    topK: optionalNumber(body.top_k, 'top_k'),
    stop: stopList(body.stop_sequences, 'stop_sequences'),
    tools: readTools(body.tools),
    toolChoice: readToolChoice(choice),
    parallelTools: choice?.disable_parallel_tool_use === true ? false : undefined,
    format: readFormat(output?.format),
    thinking: readThinking(body.thinking, output?.effort),
    user: isString(metadata?.user_id) ? metadata.user_id : undefined,
    metadata,
    extras: { dialect: ID, fields: extras?.fields ?? {} },
  } as Chat)
}

function readTools(value: unknown): Tool[] | undefined {
  return optionalArray(value, 'tools')?.map((item, index) => {
    const path = `tools.${index}`
    const tool = requiredObject(item, path)
    const foreign: Extras = { dialect: ID, fields: tool }
    if (isString(tool.type) && tool.type !== 'custom')
      return { name: isString(tool.name) ? tool.name : tool.type, foreign }
    return defined<Tool>({
      name: requiredString(tool.name, `${path}.name`),
      description: optionalString(tool.description, `${path}.description`),
      parameters: optionalObject(tool.input_schema, `${path}.input_schema`),
      strict: optionalBoolean(tool.strict, `${path}.strict`),
      extras: extrasOf(ID, tool, TOOL_FIELDS, path),
    } as Tool)
  })
}

function readToolChoice(choice: Json | undefined): Chat['toolChoice'] {
  switch (choice?.type) {
    case undefined:
      return undefined
    case 'auto':
    case 'none':
      return choice.type
    case 'any':
      return 'required'
    case 'tool':
      return { name: requiredString(choice.name, 'tool_choice.name') }
    default:
      throw bad('tool_choice.type', "'auto', 'any', 'tool' or 'none'")
  }
}

function readFormat(value: unknown): Chat['format'] {
  const format = optionalObject(value, 'output_config.format')
  if (!format) return undefined
  return { kind: 'schema', schema: requiredObject(format.schema, 'output_config.format.schema') }
}

function readThinking(value: unknown, effort: unknown): Chat['thinking'] {
  const thinking = optionalObject(value, 'thinking')
  const said = optionalString(effort, 'output_config.effort')
  if (!thinking) return undefined
  if (thinking.type === 'disabled') return { enabled: false }
  return defined<NonNullable<Chat['thinking']>>({
    enabled: true,
    budget: optionalNumber(thinking.budget_tokens, 'thinking.budget_tokens'),
    effort: said,
  } as NonNullable<Chat['thinking']>)
}

export function writeRequest(chat: Chat, warn: Warn): Json {
  const { thinking: ownThinking, output_config: ownOutput, ...extras } = requestExtras(ID, chat, warn)
  warnOfLosses(chat, warn)
  const { system, messages } = writeMessages(chat.messages, warn)
  const tools = chat.tools?.flatMap((tool) => writeTool(tool, warn))
  const isOwn = chat.extras.dialect === ID
  const output = compact({
    ...(isObject(ownOutput) ? ownOutput : {}),
    format: writeFormat(chat, warn),
    effort: isOwn ? (isObject(ownOutput) ? ownOutput.effort : undefined) : writeEffort(chat.thinking),
  })
  const user = isOwn ? undefined : chat.user
  return compact({
    model: chat.model,
    max_tokens: chat.maxTokens ?? MOST_TOKENS,
    system,
    messages,
    stream: chat.stream ? true : undefined,
    temperature: writeTemperature(chat.temperature, warn),
    top_p: chat.topP,
    top_k: chat.topK,
    stop_sequences: writeStop(chat.stop),
    tools: tools && tools.length > 0 ? tools : undefined,
    tool_choice: tools && tools.length > 0 ? writeToolChoice(chat) : undefined,
    thinking: isOwn ? ownThinking : writeThinking(chat),
    output_config: Object.keys(output).length > 0 ? output : undefined,
    metadata: isOwn ? chat.metadata : user === undefined ? undefined : { user_id: user },
    ...extras,
  })
}

/** What Anthropic has no words for and what would give another answer. */
function warnOfLosses(chat: Chat, warn: Warn): void {
  if (chat.n !== undefined && chat.n > 1) warn('n', 'Anthropic gives one answer at a time')
  if (chat.logprobs) warn('logprobs', 'Anthropic does not tell them')
  if (chat.logitBias && Object.keys(chat.logitBias).length > 0) warn('logit_bias', 'Anthropic has no such parameter')
  if (chat.suffix !== undefined) warn('suffix', 'Anthropic takes no text after the gap')
  if (chat.presencePenalty) warn('presence_penalty', 'Anthropic has no such parameter')
  if (chat.frequencyPenalty) warn('frequency_penalty', 'Anthropic has no such parameter')
  if (chat.minP) warn('min_p', 'Anthropic has no such parameter')
  if (chat.repeatPenalty !== undefined && chat.repeatPenalty !== 1)
    warn('repetition_penalty', 'Anthropic has no such parameter')
  if (chat.maxTokens === undefined) warn.adapted?.('max_tokens', `Anthropic needs a limit: ${MOST_TOKENS} was sent`)
  if (chat.seed !== undefined) warn.adapted?.('seed', 'Anthropic has no such parameter')
}

/** Anthropic's scale ends at 1 where OpenAI's ends at 2. */
function writeTemperature(temperature: number | undefined, warn: Warn): number | undefined {
  if (temperature === undefined || temperature <= 1) return temperature
  warn.adapted?.('temperature', 'Anthropic takes at most 1')
  return 1
}

/** Anthropic refuses stop texts that are nothing but white space. */
function writeStop(stop: string[] | undefined): string[] | undefined {
  const left = stop?.filter((text) => text.trim() !== '')
  return left && left.length > 0 ? left : undefined
}

function writeTool(tool: Tool, warn: Warn): Json[] {
  if (tool.foreign) {
    if (tool.foreign.dialect === ID) return [tool.foreign.fields]
    warn(`tools.${tool.name}`, 'the target has no such built-in tool')
    return []
  }
  const { name, description, parameters = {}, strict } = tool
  const extras = extrasFor(ID, tool.extras, warn, TOOL_HINTS, `tools.${name}.`)
  return [
    compact({
      name,
      description,
      input_schema: { type: 'object', ...parameters },
      strict: strict || undefined,
      ...cacheMark(tool.extras),
      ...extras,
    }),
  ]
}

function writeToolChoice({ toolChoice, parallelTools }: Chat): Json | undefined {
  const one = parallelTools === false ? { disable_parallel_tool_use: true } : {}
  if (toolChoice === undefined) return parallelTools === false ? { type: 'auto', ...one } : undefined
  if (toolChoice === 'none') return { type: 'none' }
  if (toolChoice === 'auto') return { type: 'auto', ...one }
  return toolChoice === 'required' ? { type: 'any', ...one } : { type: 'tool', name: toolChoice.name, ...one }
}

function writeFormat({ format }: Chat, warn: Warn): Json | undefined {
  if (!format) return undefined
  if (format.kind === 'schema') return { type: 'json_schema', schema: format.schema }
  // OpenAI's JSON mode demands that the prompt asks for JSON, so the model is told already.
  warn.adapted?.('response_format', 'Anthropic needs a schema for certainty: send type json_schema')
  return undefined
}

const EFFORTS: Record<string, string> = {
  minimal: 'low',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'xhigh',
  max: 'max',
}

function writeEffort(thinking: Chat['thinking']): string | undefined {
  return thinking?.enabled && thinking.effort !== undefined ? EFFORTS[thinking.effort] : undefined
}

/** A budget where one was given; else the model decides how much. */
function writeThinking({ thinking }: Chat): Json | undefined {
  if (!thinking) return undefined
  if (!thinking.enabled) return { type: 'disabled' }
  return thinking.budget === undefined ? { type: 'adaptive' } : { type: 'enabled', budget_tokens: thinking.budget }
}
