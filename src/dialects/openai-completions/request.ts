/** OpenAI's older completions: a prompt that is continued (platform.openai.com/docs/api-reference/completions). */
import { Refusal } from '../../core/refusal.ts'
import type { Chat, Json } from '../canonical.ts'
import type { Warn } from '../dialect.ts'
import { flatten } from '../flatten.ts'
import { readSampling, SAMPLING_FIELDS, writeSampling } from '../openai/sampling.ts'
import { cannotCarry } from '../parts.ts'
import { requestExtras } from '../request-extras.ts'
import {
  bad,
  compact,
  defined,
  extrasOf,
  isString,
  optionalBoolean,
  optionalNumber,
  optionalString,
  requiredString,
} from '../wire.ts'

const ID = 'openai-completions'
export const KNOWN = [...SAMPLING_FIELDS, 'prompt', 'suffix', 'max_tokens', 'logprobs'] as const
const KNOWN_SET: ReadonlySet<string> = new Set(KNOWN)

/** Several prompts and token ids only go where the dialect is the target's own: there the bytes are relayed. */
function readPrompt(prompt: unknown): string {
  if (isString(prompt)) return prompt
  if (Array.isArray(prompt) && prompt.length === 1 && isString(prompt[0])) return prompt[0]
  if (Array.isArray(prompt)) {
    throw new Refusal(
      'unsupported_parameter',
      'This model takes one prompt at a time, as text. Send one request for each.',
      {
        param: 'prompt',
      },
    )
  }
  throw bad('prompt', 'a string')
}

export function readRequest(body: Json): Chat {
  const odds = optionalNumber(body.logprobs, 'logprobs')
  const { echo, best_of: bestOf, ...rest } = body
  const extras = extrasOf(ID, rest, KNOWN_SET)
  return defined<Chat>({
    op: 'chat',
    shape: 'prompt',
    model: requiredString(body.model, 'model'),
    messages: [{ role: 'user', parts: [{ type: 'text', text: readPrompt(body.prompt) }] }],
    stream: optionalBoolean(body.stream, 'stream') ?? false,
    ...readSampling(body),
    suffix: optionalString(body.suffix, 'suffix'),
    logprobs: odds === undefined ? undefined : true,
    topLogprobs: odds,
    extras: {
      dialect: ID,
      // The defaults say nothing.
      fields: { ...extras?.fields, ...(echo ? { echo } : {}), ...(bestOf && bestOf !== 1 ? { best_of: bestOf } : {}) },
    },
  } as Chat)
}

export function writeRequest(chat: Chat, warn: Warn): Json {
  const extras = requestExtras(ID, chat, warn)
  const { system, prompt, images } = flatten(chat.messages, ID, warn)
  if (images.length > 0) throw cannotCarry('images', ID)
  if (chat.tools && chat.tools.length > 0 && chat.toolChoice !== 'none')
    warn('tools', 'the target only continues a text')
  if (chat.thinking?.enabled) warn.adapted?.('reasoning_effort', 'the target only continues a text')
  if (chat.format) warn('response_format', 'the target only continues a text')
  const { max_completion_tokens: _, ...others } = extras
  return compact({
    model: chat.model,
    prompt: system === undefined ? prompt : `${system}\n\n${prompt}`,
    suffix: chat.suffix,
    ...writeSampling(chat, others),
    logprobs: chat.logprobs ? (chat.topLogprobs ?? 1) : undefined,
  })
}
