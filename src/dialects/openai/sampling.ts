/** The parameters that OpenAI's chat and completions share, and those that compatible servers add in the same words. */
import type { Chat, Json } from '../canonical.ts'
import {
  defined,
  isObject,
  optionalBoolean,
  optionalNumber,
  optionalObject,
  optionalString,
  stopList,
} from '../wire.ts'

export const SAMPLING_FIELDS = [
  'model',
  'stream',
  'temperature',
  'top_p',
  'top_k',
  'min_p',
  'presence_penalty',
  'frequency_penalty',
  'repetition_penalty',
  'seed',
  'stop',
  'n',
  'logit_bias',
  'user',
  'metadata',
] as const

type Sampling = Pick<
  Chat,
  | 'temperature'
  | 'topP'
  | 'topK'
  | 'minP'
  | 'presencePenalty'
  | 'frequencyPenalty'
  | 'repeatPenalty'
  | 'seed'
  | 'stop'
  | 'n'
  | 'logitBias'
  | 'user'
  | 'metadata'
  | 'maxTokens'
  | 'includeUsage'
>

export function readSampling(body: Json): Sampling {
  const number = (field: string) => optionalNumber(body[field], field)
  const newer = number('max_completion_tokens')
  const older = number('max_tokens')
  const options = optionalObject(body.stream_options, 'stream_options')
  return defined<Sampling>({
    temperature: number('temperature'),
    topP: number('top_p'),
    topK: number('top_k'),
    minP: number('min_p'),
    presencePenalty: number('presence_penalty'),
    frequencyPenalty: number('frequency_penalty'),
    repeatPenalty: number('repetition_penalty'),
    seed: number('seed'),
    stop: stopList(body.stop, 'stop'),
    n: number('n'),
    logitBias: optionalObject(body.logit_bias, 'logit_bias'),
    user: optionalString(body.user, 'user'),
    metadata: optionalObject(body.metadata, 'metadata'),
    maxTokens: newer !== undefined && older !== undefined ? Math.min(newer, older) : (newer ?? older),
    includeUsage: options && optionalBoolean(options.include_usage, 'stream_options.include_usage'),
  })
}

/** OpenAI's own only: it answers 400 to metadata of a chat that is not stored. */
const metadata = ({ metadata: said, extras }: Chat): Json | undefined =>
  extras.dialect === 'openai-chat' || extras.dialect === 'openai-completions' ? said : undefined

export function writeSampling(chat: Chat, extras: Json): Json {
  const { max_completion_tokens: newer, stream_options: options, ...others } = extras
  const json: Json = {
    temperature: chat.temperature,
    top_p: chat.topP,
    top_k: chat.topK,
    min_p: chat.minP,
    presence_penalty: chat.presencePenalty,
    frequency_penalty: chat.frequencyPenalty,
    repetition_penalty: chat.repeatPenalty,
    seed: chat.seed,
    stop: chat.stop,
    n: chat.n,
    logit_bias: chat.logitBias,
    user: chat.user,
    metadata: metadata(chat),
    [newer === undefined ? 'max_tokens' : 'max_completion_tokens']: chat.maxTokens,
    stream: chat.stream ? true : undefined,
    stream_options: chat.stream ? { ...(isObject(options) ? options : {}), include_usage: true } : undefined,
    ...others,
  }
  return json
}
