/**
 * Reranking as callers ask for it, in the words that Cohere (docs.cohere.com/reference/rerank) and Jina
 * (api.jina.ai/redoc) have in common, with those of either. Servers that know both words get the request as it is.
 */
import { UpstreamFailure } from '../../core/failure.ts'
import type { Json, Rerank } from '../canonical.ts'
import type { RerankDialect } from '../dialect.ts'
import { failureIn, readAnyError } from '../failure-of.ts'
import { writeError } from '../openai/error.ts'
import { glanceWith, type Look } from '../sight.ts'
import {
  bad,
  compact,
  defined,
  extrasFor,
  extrasOf,
  isObject,
  isString,
  optionalBoolean,
  optionalNumber,
  requiredString,
} from '../wire.ts'
import { readReply, readUsage, resultsIn, writeReply } from './reply.ts'

const ID = 'rerank'
const KNOWN = [
  'model',
  'query',
  'documents',
  'top_n',
  'top_k',
  'return_documents',
  'rank_fields',
  'max_tokens_per_doc',
  'truncation',
]
const KNOWN_SET: ReadonlySet<string> = new Set(KNOWN)

function readDocuments(said: unknown): Rerank['documents'] {
  const isDocument = (one: unknown) => isString(one) || isObject(one)
  if (!Array.isArray(said) || said.length === 0 || !said.every(isDocument))
    throw bad('documents', 'a list of texts or of objects, and not empty')
  return said as Rerank['documents']
}

/** Cohere and Jina say `top_n`, Voyage `top_k`. */
function readTop(body: Json): number | undefined {
  const [param, value] = body.top_n == null ? ['top_k', body.top_k] : ['top_n', body.top_n]
  const top = optionalNumber(value, param as string)
  if (top !== undefined && (!Number.isInteger(top) || top < 1)) throw bad(param as string, 'a whole number above 0')
  return top
}

function readFields(said: unknown): string[] | undefined {
  if (said === undefined || said === null) return undefined
  if (!Array.isArray(said) || !said.every(isString)) throw bad('rank_fields', 'a list of names')
  return said
}

function readRequest(body: Json): Rerank {
  return defined<Rerank>({
    op: 'rerank',
    model: requiredString(body.model, 'model'),
    query: requiredString(body.query, 'query'),
    documents: readDocuments(body.documents),
    top: readTop(body),
    returnDocuments: optionalBoolean(body.return_documents, 'return_documents'),
    rankFields: readFields(body.rank_fields),
    maxTokensPerDocument: optionalNumber(body.max_tokens_per_doc, 'max_tokens_per_doc'),
    truncate: optionalBoolean(body.truncation, 'truncation'),
    extras: extrasOf(ID, body, KNOWN_SET) ?? { dialect: ID, fields: {} },
  } as Rerank)
}

function look(json: Json): Look | undefined {
  const failure = failureIn(json)
  if (failure) return { failure }
  if (!resultsIn(json)) return undefined
  return { content: true, finished: true, end: true, usage: readUsage(json) }
}

export const rerank: RerankDialect = {
  id: ID,
  op: 'rerank',
  fields: { maxTokens: [], required: { query: 'string', documents: 'array' }, known: KNOWN },
  readRequest,
  writeRequest: (asked, warn) =>
    compact({
      model: asked.model,
      query: asked.query,
      documents: asked.documents,
      top_n: asked.top,
      return_documents: asked.returnDocuments,
      rank_fields: asked.rankFields,
      max_tokens_per_doc: asked.maxTokensPerDocument,
      truncation: asked.truncate,
      ...extrasFor(ID, asked.extras, warn),
    }),
  readReply: (body) => {
    const failure = isObject(body) ? failureIn(body) : undefined
    if (failure) throw new UpstreamFailure(failure)
    return readReply(body)
  },
  writeReply,
  writeError,
  readError: readAnyError,
  glance: (body) => glanceWith(body, look),
}
