/** Rerankers with words of their own, that only targets have. What all answer is read alike. */
import type { Json, Rerank, WireId } from '../canonical.ts'
import { readError as readCohereError } from '../cohere-chat/reply.ts'
import type { RerankTarget, Warn } from '../dialect.ts'
import { readAnyError } from '../failure-of.ts'
import { compact } from '../wire.ts'
import { rerank } from './index.ts'
import { documentsFor, textsOf } from './texts.ts'

interface Words {
  readError?: RerankTarget['readError']
  write(asked: Rerank, warn: Warn): Json
  /** Fields beside those that all have, which the target knows by the same name. */
  own?: readonly string[]
  /** Takes a limit of tokens for each document. */
  limits?: boolean
  /** What it does with a document that is too long, where it is not told: `false` is then as good as nothing said. */
  cuts: 'always' | 'never' | 'as-told'
}

/** What the target can't be told is named; its own words go along. */
function namesLost(id: WireId, asked: Rerank, { own = [], limits, cuts }: Words, warn: Warn): Json {
  const kept: Json = {}
  for (const [field, value] of Object.entries(asked.extras.fields))
    if (own.includes(field)) kept[field] = value
    else warn(field, `the target's dialect (${id}) does not know it`)
  if (asked.maxTokensPerDocument !== undefined && !limits)
    warn('max_tokens_per_doc', 'the target knows no limit for a document')
  if (asked.truncate !== undefined && cuts !== 'as-told' && asked.truncate !== (cuts === 'always'))
    warn('truncation', cuts === 'always' ? 'the target always cuts what is too long' : 'the target never cuts')
  return kept
}

function target(id: WireId, words: Words): RerankTarget {
  return {
    id,
    op: 'rerank',
    writeRequest: (asked, warn) => ({ ...compact(words.write(asked, warn)), ...namesLost(id, asked, words, warn) }),
    readReply: rerank.readReply,
    readError: words.readError ?? readAnyError,
  }
}

/** Cohere's second API: texts only, and it never sends them back (docs.cohere.com/v2/reference/rerank). */
export const cohereRerank = target('cohere-rerank', {
  own: ['priority'],
  limits: true,
  cuts: 'always',
  readError: readCohereError,
  write: (asked, warn) => ({
    model: asked.model,
    query: asked.query,
    documents: textsOf(asked, warn),
    top_n: asked.top,
    max_tokens_per_doc: asked.maxTokensPerDocument,
  }),
})

/** Jina's (api.jina.ai/redoc); Fireworks' and Infinity's are the same. Its documents may be images. */
export const jinaRerank = target('jina-rerank', {
  own: ['max_doc_length', 'max_query_length', 'raw_scores'],
  cuts: 'always',
  write: (asked, warn) => ({
    model: asked.model,
    query: asked.query,
    documents: documentsFor(asked, warn, ['image']),
    top_n: asked.top,
    // They stand in the request: they need not come back.
    return_documents: false,
  }),
})

/** docs.voyageai.com/reference/reranker-api */
export const voyageRerank = target('voyage-rerank', {
  cuts: 'as-told',
  write: (asked, warn) => ({
    model: asked.model,
    query: asked.query,
    documents: textsOf(asked, warn),
    top_k: asked.top,
    truncation: asked.truncate,
  }),
})

/** Text Embeddings Inference, one model a server; no limit of results (huggingface.github.io/text-embeddings-inference). */
export const teiRerank = target('tei-rerank', {
  own: ['raw_scores', 'truncation_direction'],
  cuts: 'as-told',
  write: (asked, warn) => ({ query: asked.query, texts: textsOf(asked, warn), truncate: asked.truncate }),
})

/** SGLang's has nothing else and refuses what it does not know (sglang/srt/entrypoints/openai/protocol.py). */
export const sglangRerank = target('sglang-rerank', {
  cuts: 'never',
  write: (asked, warn) => ({ query: asked.query, documents: textsOf(asked, warn) }),
})

/** NVIDIA's retrieval NIMs (docs.api.nvidia.com/nim/reference, docs.nvidia.com/nim/nemo-retriever/text-reranking). */
export const nimRerank = target('nim-rerank', {
  cuts: 'as-told',
  write: (asked, warn) => ({
    model: asked.model,
    query: { text: asked.query },
    passages: textsOf(asked, warn).map((text) => ({ text })),
    truncate: asked.truncate === undefined ? undefined : asked.truncate ? 'END' : 'NONE',
  }),
})
