/** Ollama's old embeddings, `/api/embeddings`: one `prompt`, one `embedding`, and not a word about usage. */

import { UpstreamFailure } from '../../core/failure.ts'
import { Refusal } from '../../core/refusal.ts'
import type { Embed, EmbedReply, Json } from '../canonical.ts'
import type { EmbedDialect, Warn } from '../dialect.ts'
import { failureIn, readAnyError } from '../failure-of.ts'
import { REQUEST_HINTS } from '../hints.ts'
import { writeError } from '../ollama/error.ts'
import { textsOnly } from '../ollama-embed/index.ts'
import { readVector } from '../openai-embeddings/vectors.ts'
import { glanceWith } from '../sight.ts'
import { compact, extrasFor, extrasOf, optionalString, requiredString } from '../wire.ts'

const ID = 'ollama-embeddings'
const KNOWN = ['model', 'prompt']
const KNOWN_SET: ReadonlySet<string> = new Set(KNOWN)

function readRequest(body: Json): Embed {
  return {
    op: 'embed',
    model: requiredString(body.model, 'model'),
    input: [optionalString(body.prompt, 'prompt') ?? ''],
    single: true,
    extras: extrasOf(ID, body, KNOWN_SET) ?? { dialect: ID, fields: {} },
  }
}

function writeRequest(embed: Embed, warn: Warn): Json {
  const [prompt, ...others] = textsOnly(embed)
  if (others.length > 0) {
    throw new Refusal('unsupported_parameter', 'This model takes one input at a time. Send one request for each.', {
      param: 'input',
    })
  }
  if (embed.dimensions !== undefined) warn('dimensions', 'the target gives all of them')
  return compact({ model: embed.model, prompt, ...extrasFor(ID, embed.extras, warn, REQUEST_HINTS) })
}

function readReply(body: Json): EmbedReply {
  const failure = failureIn(body)
  if (failure) throw new UpstreamFailure(failure)
  const vector = readVector(body.embedding)
  return { model: '', vectors: vector.length > 0 ? [vector] : [] }
}

function writeReply(reply: EmbedReply): Json {
  return { embedding: reply.vectors[0] ?? [] }
}

export const ollamaEmbeddings: EmbedDialect = {
  id: ID,
  op: 'embed',
  fields: { maxTokens: [], required: { prompt: 'string?' }, known: [...KNOWN, 'options', 'keep_alive'] },
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
      return Array.isArray(reply.embedding) ? { content: true, finished: true, end: true } : undefined
    }),
}
