/** Amazon's Titan embeddings on Bedrock, one text a request (docs.aws.amazon.com/bedrock, model-parameters-titan-embed-text). */
import { usage } from '../../core/usage.ts'
import { readError } from '../bedrock-converse/error.ts'
import type { Embed, EmbedReply, Json } from '../canonical.ts'
import type { EmbedTarget, Warn } from '../dialect.ts'
import { REQUEST_HINTS } from '../hints.ts'
import { textsOnly } from '../ollama-embed/index.ts'
import { readVector } from '../openai-embeddings/vectors.ts'
import { bad, badReply, compact, defined, extrasFor, isObject } from '../wire.ts'

const ID = 'titan-embed'

function writeRequest(embed: Embed, warn: Warn): Json {
  const { normalize, ...rest } = embed.extras.fields
  extrasFor(ID, { dialect: embed.extras.dialect, fields: rest }, warn, REQUEST_HINTS)
  const [text, ...more] = textsOnly(embed, 'Titan takes texts')
  if (more.length > 0) throw bad('input', 'one text: Titan embeds one a request. Send several requests')
  // The first version knows neither.
  return compact({ inputText: text, dimensions: embed.dimensions, normalize })
}

function readReply(body: Json): EmbedReply {
  const { embedding, embeddingsByType, inputTextTokenCount: tokens } = body
  const vector = embedding ?? (isObject(embeddingsByType) ? embeddingsByType.float : undefined)
  if (!Array.isArray(vector)) throw badReply('The answer holds no embedding.')
  return defined<EmbedReply>({
    model: '',
    vectors: [readVector(vector)],
    usage: typeof tokens === 'number' ? usage({ input: tokens }) : undefined,
  } as EmbedReply)
}

export const titanEmbed: EmbedTarget = { id: ID, op: 'embed', writeRequest, readReply, readError }
