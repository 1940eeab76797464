/** Ollama's embeddings, `/api/embed`. */
import { UpstreamFailure } from '../../core/failure.ts'
import { usage } from '../../core/usage.ts'
import type { Embed, EmbedReply, Json } from '../canonical.ts'
import type { EmbedDialect, Warn } from '../dialect.ts'
import { failureIn, readAnyError } from '../failure-of.ts'
import { REQUEST_HINTS } from '../hints.ts'
import { writeError } from '../ollama/error.ts'
import { readTimings, writeMetrics } from '../ollama/metrics.ts'
import { readVector } from '../openai-embeddings/vectors.ts'
import { cannotCarry } from '../parts.ts'
import { glanceWith } from '../sight.ts'
import {
  bad,
  badReply,
  compact,
  defined,
  extrasFor,
  extrasOf,
  isString,
  optionalNumber,
  requiredString,
} from '../wire.ts'

const ID = 'ollama-embed'
const KNOWN = ['model', 'input', 'dimensions']
const KNOWN_SET: ReadonlySet<string> = new Set(KNOWN)

function readRequest(body: Json): Embed {
  const { input } = body
  const single = isString(input)
  if (!single && !(Array.isArray(input) && input.every(isString))) throw bad('input', 'a text or a list of texts')
  return defined<Embed>({
    op: 'embed',
    model: requiredString(body.model, 'model'),
    input: single ? [input] : (input as string[]),
    single,
    dimensions: optionalNumber(body.dimensions, 'dimensions'),
    extras: extrasOf(ID, body, KNOWN_SET) ?? { dialect: ID, fields: {} },
  } as Embed)
}

/** Token ids are answered 400 by Ollama: they belong to one tokenizer, which is not the local model's. */
export function textsOnly(embed: Embed, why = 'Ollama takes texts'): string[] {
  return embed.input.map((item) => {
    if (isString(item)) return item
    throw cannotCarry('token ids', why, 'input')
  })
}

function writeRequest(embed: Embed, warn: Warn): Json {
  const input = textsOnly(embed)
  return compact({
    model: embed.model,
    // `/api/embed` gives no vector for one empty text, but gives one for it in a list.
    input: embed.single && input[0] !== '' ? input[0] : input,
    dimensions: embed.dimensions,
    truncate: false,
    ...extrasFor(ID, embed.extras, warn, REQUEST_HINTS),
  })
}

/** Embeddings tell their whole time and that of loading, of which the rest is work. */
function readUsage(json: Json) {
  if (json.prompt_eval_count === undefined) return undefined
  const { total = 0, load = 0 } = readTimings(json) ?? {}
  return usage({ input: json.prompt_eval_count, gpuMs: Math.round(Math.max(0, total - load) / 1e6) })
}

function readReply(body: Json): EmbedReply {
  const failure = failureIn(body)
  if (failure) throw new UpstreamFailure(failure)
  if (!Array.isArray(body.embeddings)) throw badReply('The answer holds no embeddings.')
  return defined<EmbedReply>({
    model: isString(body.model) ? body.model : '',
    vectors: body.embeddings.map(readVector),
    usage: readUsage(body),
    timings: readTimings(body),
  } as EmbedReply)
}

function writeReply(reply: EmbedReply, embed: Embed): Json {
  const { total_duration, load_duration, prompt_eval_count } = writeMetrics(reply.usage, reply.timings)
  return compact({
    model: reply.model || embed.model,
    embeddings: reply.vectors,
    total_duration,
    load_duration,
    prompt_eval_count,
  })
}

export const ollamaEmbed: EmbedDialect = {
  id: ID,
  op: 'embed',
  fields: { maxTokens: [], required: { input: 'any' }, known: [...KNOWN, 'truncate', 'options', 'keep_alive'] },
  readRequest,
  writeRequest,
  readReply,
  writeReply,
  writeError,
  readError: readAnyError,
  glance: (body) =>
    glanceWith(body, (reply) => {
      const failure = failureIn(reply)
      if (failure) return { failure }
      if (!Array.isArray(reply.embeddings)) return undefined
      return { content: true, finished: true, end: true, usage: readUsage(reply) }
    }),
}
