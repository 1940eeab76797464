/** Cohere's embeddings v2 (docs.cohere.com/reference/embed), as they are asked for. */
import { usage } from '../../core/usage.ts'
import type { Embed, EmbedReply, Json } from '../canonical.ts'
import { readError } from '../cohere-chat/reply.ts'
import type { EmbedTarget, Warn } from '../dialect.ts'
import { REQUEST_HINTS } from '../hints.ts'
import { textsOnly } from '../ollama-embed/index.ts'
import { readVector } from '../openai-embeddings/vectors.ts'
import { badReply, compact, defined, extrasFor, isObject, isString } from '../wire.ts'

const ID = 'cohere-embed'
/** Cohere's own words, which clients of other dialects send beside theirs. */
const OWN = ['input_type', 'truncate'] as const

function writeRequest(embed: Embed, warn: Warn): Json {
  const { input_type, truncate } = embed.extras.fields
  const rest = Object.fromEntries(Object.entries(embed.extras.fields).filter(([key]) => !OWN.includes(key as never)))
  extrasFor(ID, { dialect: embed.extras.dialect, fields: rest }, warn, REQUEST_HINTS)
  return compact({
    model: embed.model,
    texts: textsOnly(embed, 'Cohere takes texts'),
    // Needed by all models since v3; other dialects have no word for it.
    input_type: isString(input_type) ? input_type : 'search_document',
    embedding_types: ['float'],
    output_dimension: embed.dimensions,
    truncate: isString(truncate) ? truncate : undefined,
  })
}

function readReply(body: Json): EmbedReply {
  const found = isObject(body.embeddings) ? body.embeddings.float : body.embeddings
  if (!Array.isArray(found)) throw badReply('The answer holds no embeddings.')
  const billed = isObject(body.meta) && isObject(body.meta.billed_units) ? body.meta.billed_units : {}
  return defined<EmbedReply>({
    model: '',
    vectors: found.map(readVector),
    usage: billed.input_tokens ? usage({ input: billed.input_tokens }) : undefined,
  } as EmbedReply)
}

export const cohereEmbed: EmbedTarget = { id: ID, op: 'embed', writeRequest, readReply, readError }
