/** Gemini's `generationConfig` (ai.google.dev/api/generate-content#GenerationConfig), both ways. */
import type { Chat, Json } from '../canonical.ts'
import type { Warn } from '../dialect.ts'
import { compact, defined, optionalBoolean, optionalNumber, optionalObject, optionalString, stopList } from '../wire.ts'
import { jsonSchema } from './schema.ts'
import { camelled } from './spelling.ts'

const READ = new Set([
  'maxOutputTokens',
  'temperature',
  'topP',
  'topK',
  'stopSequences',
  'candidateCount',
  'seed',
  'presencePenalty',
  'frequencyPenalty',
  'responseMimeType',
  'responseSchema',
  'responseJsonSchema',
  'responseLogprobs',
  'logprobs',
])
/** How what is left is called among the extras: a word for each, so that a warning can name it. */
const PREFIX = 'generationConfig.'

type Config = Pick<
  Chat,
  | 'maxTokens'
  | 'temperature'
  | 'topP'
  | 'topK'
  | 'stop'
  | 'n'
  | 'seed'
  | 'presencePenalty'
  | 'frequencyPenalty'
  | 'logprobs'
  | 'topLogprobs'
  | 'format'
  | 'thinking'
>

export function readConfig(value: unknown): { shared: Config; rest: Json } {
  const config = camelled(optionalObject(value, 'generationConfig') ?? {}, 'generationConfig')
  const number = (name: string) => optionalNumber(config[name], PREFIX + name)
  const rest: Json = {}
  for (const [key, said] of Object.entries(config)) {
    const isDefault = key === 'responseModalities' && JSON.stringify(said).toLowerCase() === '["text"]'
    if (!READ.has(key) && said !== null && !isDefault) rest[PREFIX + key] = said
  }
  const shared = defined<Config>({
    maxTokens: number('maxOutputTokens'),
    temperature: number('temperature'),
    topP: number('topP'),
    topK: number('topK'),
    stop: stopList(config.stopSequences, `${PREFIX}stopSequences`),
    n: number('candidateCount'),
    seed: number('seed'),
    presencePenalty: number('presencePenalty'),
    frequencyPenalty: number('frequencyPenalty'),
    logprobs: optionalBoolean(config.responseLogprobs, `${PREFIX}responseLogprobs`),
    topLogprobs: number('logprobs'),
    format: readFormat(config),
    thinking: readThinking(config.thinkingConfig),
  })
  return { shared, rest }
}

function readFormat(config: Json): Chat['format'] {
  const own = optionalObject(config.responseSchema, `${PREFIX}responseSchema`)
  const schema = optionalObject(config.responseJsonSchema, `${PREFIX}responseJsonSchema`) ?? (own && jsonSchema(own))
  if (schema) return { kind: 'schema', schema }
  return config.responseMimeType === 'application/json' ? { kind: 'json' } : undefined
}

/** A budget of 0 switches it off, -1 leaves it to the model; newer models have levels instead. */
function readThinking(value: unknown): Chat['thinking'] {
  const said = optionalObject(value, `${PREFIX}thinkingConfig`)
  if (!said) return undefined
  const config = camelled(said, `${PREFIX}thinkingConfig`)
  const budget = optionalNumber(config.thinkingBudget, `${PREFIX}thinkingConfig.thinkingBudget`)
  const level = optionalString(config.thinkingLevel, `${PREFIX}thinkingConfig.thinkingLevel`)
  if (budget === 0) return { enabled: false }
  if (budget !== undefined && budget > 0) return { enabled: true, budget }
  if (level !== undefined) return { enabled: true, effort: level.toLowerCase() }
  return budget === -1 || config.includeThoughts === true ? { enabled: true } : undefined
}

/** @param extras all extras of the request; those of the configuration are taken out of them */
export function writeConfig(chat: Chat, extras: Json, warn: Warn): Json | undefined {
  const rest: Json = {}
  for (const key of Object.keys(extras)) {
    if (!key.startsWith(PREFIX)) continue
    rest[key.slice(PREFIX.length)] = extras[key]
    delete extras[key]
  }
  if (chat.logitBias && Object.keys(chat.logitBias).length > 0) warn('logit_bias', 'Gemini has no such parameter')
  if (chat.minP) warn('min_p', 'Gemini has no such parameter')
  if (chat.repeatPenalty !== undefined && chat.repeatPenalty !== 1)
    warn('repetition_penalty', 'Gemini has no such parameter')
  const { format } = chat
  const config = compact({
    maxOutputTokens: chat.maxTokens,
    temperature: chat.temperature,
    topP: chat.topP,
    topK: chat.topK,
    stopSequences: chat.stop,
    candidateCount: chat.n,
    seed: chat.seed,
    presencePenalty: chat.presencePenalty,
    frequencyPenalty: chat.frequencyPenalty,
    responseLogprobs: chat.logprobs,
    logprobs: chat.logprobs ? chat.topLogprobs : undefined,
    responseMimeType: format ? 'application/json' : undefined,
    responseJsonSchema: format?.kind === 'schema' ? format.schema : undefined,
    thinkingConfig: writeThinking(chat),
    ...rest,
  })
  return Object.keys(config).length > 0 ? config : undefined
}

/** What Google's own OpenAI-compatible endpoint makes of an effort (ai.google.dev/gemini-api/docs/openai). */
const BUDGETS: Record<string, number> = {
  minimal: 1024,
  low: 1024,
  medium: 8192,
  high: 24576,
  xhigh: 24576,
  max: 24576,
}
const LEVELS: Record<string, string> = {
  minimal: 'minimal',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'high',
  max: 'high',
}

/** Models up to 2.5 think by a budget, later ones by a level. */
const byBudget = (model: string): boolean => /gemini-[12]\b/i.test(model)

function writeThinking({ thinking, model }: Chat): Json | undefined {
  if (!thinking) return undefined
  if (!thinking.enabled) return byBudget(model) ? { thinkingBudget: 0 } : { thinkingLevel: 'minimal' }
  const { effort, budget } = thinking
  if (budget !== undefined) return { includeThoughts: true, thinkingBudget: budget }
  if (effort === undefined) return { includeThoughts: true }
  return byBudget(model)
    ? { includeThoughts: true, thinkingBudget: BUDGETS[effort] ?? -1 }
    : { includeThoughts: true, thinkingLevel: LEVELS[effort] ?? 'high' }
}
