/** OpenAI's embeddings (platform.openai.com/docs/api-reference/embeddings). */
import { UpstreamFailure } from '../../core/failure.ts'
import { usage } from '../../core/usage.ts'
import type { Embed, EmbedReply, Json } from '../canonical.ts'
import type { EmbedDialect, Warn } from '../dialect.ts'
import { failureIn, readAnyError } from '../failure-of.ts'
import { REQUEST_HINTS } from '../hints.ts'
import { writeError } from '../openai/error.ts'
import { glanceWith } from '../sight.ts'
import {
  bad,
  badReply,
  compact,
  defined,
  extrasFor,
  extrasOf,
  isObject,
  isString,
  optionalNumber,
  optionalString,
  requiredString,
} from '../wire.ts'
import { readVector, toBase64 } from './vectors.ts'

const ID = 'openai-embeddings'
const KNOWN = ['model', 'input', 'dimensions', 'encoding_format', 'user']
const KNOWN_SET: ReadonlySet<string> = new Set(KNOWN)

const isTokens = (value: unknown): value is number[] =>
  Array.isArray(value) && value.length > 0 && value.every((item) => Number.isInteger(item))

/** A text, a list of texts, token ids, or a list of those. */
function readInput(input: unknown): Pick<Embed, 'input' | 'single'> {
  if (isString(input)) return { input: [input], single: true }
  if (isTokens(input)) return { input: [input], single: true }
  if (Array.isArray(input) && input.length > 0 && input.every((item) => isString(item) || isTokens(item))) {
    return { input: input as Embed['input'], single: false }
  }
  throw bad('input', 'a text, a list of texts, or token ids, and not empty')
}

function readRequest(body: Json): Embed {
  const encoding = optionalString(body.encoding_format, 'encoding_format')
  if (encoding !== undefined && encoding !== 'float' && encoding !== 'base64')
    throw bad('encoding_format', "'float' or 'base64'")
  return defined<Embed>({
    op: 'embed',
    model: requiredString(body.model, 'model'),
    ...readInput(body.input),
    dimensions: optionalNumber(body.dimensions, 'dimensions'),
    encoding,
    user: optionalString(body.user, 'user'),
    extras: extrasOf(ID, body, KNOWN_SET) ?? { dialect: ID, fields: {} },
  } as Embed)
}

function writeRequest(embed: Embed, warn: Warn): Json {
  return compact({
    model: embed.model,
    input: embed.single ? embed.input[0] : embed.input,
    dimensions: embed.dimensions,
    encoding_format: embed.encoding,
    user: embed.user,
    ...extrasFor(ID, embed.extras, warn, REQUEST_HINTS),
  })
}

const readUsage = (said: unknown) =>
  isObject(said) && (said.prompt_tokens || said.total_tokens)
    ? usage({ input: said.prompt_tokens ?? said.total_tokens })
    : undefined

function readReply(body: Json): EmbedReply {
  const failure = failureIn(body)
  if (failure) throw new UpstreamFailure(failure)
  if (!Array.isArray(body.data)) throw badReply('The answer holds no data.')
  const places = body.data.map((item, position) => {
    if (!isObject(item)) throw badReply('An item of the answer is not an object.')
    return { at: typeof item.index === 'number' ? item.index : position, vector: readVector(item.embedding) }
  })
  return defined<EmbedReply>({
    model: isString(body.model) ? body.model : '',
    vectors: places.sort((a, b) => a.at - b.at).map(({ vector }) => vector),
    usage: readUsage(body.usage),
  } as EmbedReply)
}

function writeReply(reply: EmbedReply, embed: Embed): Json {
  const tokens = reply.usage?.input ?? 0
  return {
    object: 'list',
    data: reply.vectors.map((vector, index) => ({
      object: 'embedding',
      index,
      embedding: embed.encoding === 'base64' ? toBase64(vector) : vector,
    })),
    model: reply.model || embed.model,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  }
}

export const openaiEmbeddings: EmbedDialect = {
  id: ID,
  op: 'embed',
  fields: { maxTokens: [], required: { input: 'any' }, known: KNOWN },
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
      if (!Array.isArray(reply.data)) return undefined
      return { content: true, finished: true, end: true, usage: readUsage(reply.usage) }
    }),
}
