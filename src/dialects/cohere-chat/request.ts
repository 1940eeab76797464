/** A request of Cohere's chat v2 (docs.cohere.com/reference/chat). */
import type { Chat, Json, Tool } from '../canonical.ts'
import type { Warn } from '../dialect.ts'
import { TOOL_HINTS } from '../hints.ts'
import { requestExtras } from '../request-extras.ts'
import { compact, extrasFor } from '../wire.ts'
import { ID, writeMessages } from './messages.ts'

export function writeRequest(chat: Chat, warn: Warn): Json {
  requestExtras(ID, chat, warn)
  warnOfLosses(chat, warn)
  const tools = chosen(chat, warn)
  return compact({
    model: chat.model,
    messages: writeMessages(chat.messages, warn),
    stream: chat.stream,
    max_tokens: chat.maxTokens,
    temperature: writeTemperature(chat, warn),
    p: chat.topP,
    k: chat.topK,
    seed: chat.seed,
    stop_sequences: chat.stop && chat.stop.length > 0 ? chat.stop : undefined,
    frequency_penalty: positive('frequency_penalty', chat.frequencyPenalty, warn),
    presence_penalty: positive('presence_penalty', chat.presencePenalty, warn),
    tools: tools.length > 0 ? tools : undefined,
    tool_choice: tools.length > 0 ? writeChoice(chat.toolChoice) : undefined,
    response_format: writeFormat(chat),
    thinking: writeThinking(chat),
  })
}

/** What Cohere has no words for and what would give another answer. */
function warnOfLosses(chat: Chat, warn: Warn): void {
  const unknown = 'Cohere has no such parameter'
  if (chat.n !== undefined && chat.n > 1) warn('n', 'Cohere gives one answer at a time')
  // It tells them by token ids and not by tokens.
  if (chat.logprobs) warn('logprobs', 'Cohere tells them in another form')
  if (chat.logitBias && Object.keys(chat.logitBias).length > 0) warn('logit_bias', unknown)
  if (chat.suffix !== undefined) warn('suffix', 'Cohere takes no text after the gap')
  if (chat.minP) warn('min_p', unknown)
  if (chat.repeatPenalty !== undefined && chat.repeatPenalty !== 1) warn('repetition_penalty', unknown)
  if (chat.parallelTools === false) warn.adapted?.('parallel_tool_calls', 'Cohere can not forbid them')
}

function writeTemperature({ temperature }: Chat, warn: Warn): number | undefined {
  if (temperature === undefined || temperature <= 1) return temperature
  warn.adapted?.('temperature', 'Cohere takes at most 1')
  return 1
}

/** 0 to 1, where OpenAI has -2 to 2. */
function positive(name: string, said: number | undefined, warn: Warn): number | undefined {
  if (said === undefined || (said >= 0 && said <= 1)) return said
  warn.adapted?.(name, 'Cohere takes 0 to 1')
  return Math.min(1, Math.max(0, said))
}

/** One tool can not be named there: it alone is offered instead. */
function chosen({ tools = [], toolChoice }: Chat, warn: Warn): Json[] {
  const one = typeof toolChoice === 'object' ? toolChoice.name : undefined
  const offered = one === undefined ? tools : tools.filter((tool) => tool.name === one)
  return offered.flatMap((tool) => writeTool(tool, warn))
}

function writeTool({ name, description, parameters, extras, foreign }: Tool, warn: Warn): Json[] {
  if (foreign) {
    warn(`tools.${name}`, 'the target has no such built-in tool')
    return []
  }
  extrasFor(ID, extras, warn, TOOL_HINTS, `tools.${name}.`)
  return [{ type: 'function', function: compact({ name, description, parameters: parameters ?? { type: 'object' } }) }]
}

function writeChoice(choice: Chat['toolChoice']): string | undefined {
  if (choice === undefined || choice === 'auto') return undefined
  return choice === 'none' ? 'NONE' : 'REQUIRED'
}

function writeFormat({ format }: Chat): Json | undefined {
  if (!format) return undefined
  return format.kind === 'json' ? { type: 'json_object' } : { type: 'json_object', json_schema: format.schema }
}

/** Tokens to think, where only an effort was said. */
const BUDGETS: Readonly<Record<string, number>> = { minimal: 512, low: 1024, medium: 4096 }

function writeThinking({ thinking }: Chat): Json | undefined {
  if (!thinking) return undefined
  if (!thinking.enabled) return { type: 'disabled' }
  const budget = thinking.budget ?? BUDGETS[thinking.effort ?? '']
  return compact({ type: 'enabled', token_budget: budget })
}
