/** Embeddings of Vertex AI, `:predict` (cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api). */
import { UpstreamFailure } from '../../core/failure.ts'
import { usage } from '../../core/usage.ts'
import type { Embed, EmbedReply, Json } from '../canonical.ts'
import type { EmbedTarget, Warn } from '../dialect.ts'
import { failureOf, readError } from '../gemini/error.ts'
import { REQUEST_HINTS } from '../hints.ts'
import { textsOnly } from '../ollama-embed/index.ts'
import { readVector } from '../openai-embeddings/vectors.ts'
import { badReply, compact, defined, extrasFor, isObject } from '../wire.ts'

const ID = 'vertex-embed'

function writeRequest(embed: Embed, warn: Warn): Json {
  const { fields, dialect } = embed.extras
  // Gemini's words for the same: here they stand in each instance.
  const { taskType, title, ...rest } =
    dialect === 'gemini-embed' ? fields : { ...fields, taskType: undefined, title: undefined }
  extrasFor(ID, { dialect, fields: rest }, warn, REQUEST_HINTS)
  const texts = textsOnly(embed, 'Vertex AI takes texts')
  return compact({
    instances: texts.map((content) => compact({ content, task_type: taskType, title })),
    parameters: embed.dimensions === undefined ? undefined : { outputDimensionality: embed.dimensions },
  })
}

function readReply(body: Json): EmbedReply {
  const failure = failureOf(body)
  if (failure) throw new UpstreamFailure(failure)
  if (!Array.isArray(body.predictions)) throw badReply('The answer holds no predictions.')
  const found = body.predictions.map((one) => (isObject(one) && isObject(one.embeddings) ? one.embeddings : {}))
  const input = found.reduce((sum: number, { statistics }) => {
    const tokens = isObject(statistics) ? statistics.token_count : 0
    return sum + (typeof tokens === 'number' ? tokens : 0)
  }, 0)
  return defined<EmbedReply>({
    model: '',
    vectors: found.map(({ values }) => readVector(values)),
    usage: input > 0 ? usage({ input }) : undefined,
  } as EmbedReply)
}

export const vertexEmbed: EmbedTarget = { id: ID, op: 'embed', writeRequest, readReply, readError }
