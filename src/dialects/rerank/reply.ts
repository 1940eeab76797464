/** Answers of rerankers, whosever they are, and one that both Cohere's and Jina's clients can read. */
import { type Usage, usage } from '../../core/usage.ts'
import type { Json, Rerank, RerankReply } from '../canonical.ts'
import type { Answering } from '../dialect.ts'
import { badReply, compact, defined, isObject, isString } from '../wire.ts'

/**
 * `results` of Cohere, Jina, Together and vLLM, `data` of Voyage and Fireworks, `rankings` of NIM, and the bare list of
 * Text Embeddings Inference and SGLang.
 */
export function resultsIn(body: unknown): unknown[] | undefined {
  if (Array.isArray(body)) return body
  return isObject(body) ? [body.results, body.data, body.rankings].find(Array.isArray) : undefined
}

const number = (value: unknown): value is number => typeof value === 'number'

/** @throws UpstreamFailure bad_reply */
export function readReply(body: unknown): RerankReply {
  const found = resultsIn(body)
  if (!found) throw badReply('The answer holds no ranking.')
  const results = found.map((item) => {
    const score = isObject(item) ? [item.relevance_score, item.score, item.logit].find(number) : undefined
    if (!isObject(item) || !Number.isInteger(item.index) || score === undefined)
      throw badReply('An item of the ranking has no index or no score.')
    return { index: item.index as number, score }
  })
  const facts: Json = isObject(body) ? body : {}
  return defined<RerankReply>({
    id: isString(facts.id) ? facts.id : undefined,
    model: isString(facts.model) ? facts.model : undefined,
    results: results.sort((a, b) => b.score - a.score),
    usage: readUsage(facts),
    searchUnits: unitsIn(facts),
  } as RerankReply)
}

function billedIn(body: Json): Json {
  return isObject(body.meta) && isObject(body.meta.billed_units) ? body.meta.billed_units : {}
}

/** Cohere bills these and not tokens: one is a query with up to 100 documents. */
function unitsIn(body: Json): number | undefined {
  const { search_units: units } = billedIn(body)
  return number(units) && units > 0 ? units : undefined
}

/** Tokens as Jina, Voyage, Together and vLLM tell them, and search units where those are billed. */
export function readUsage(body: Json): Usage | undefined {
  const { usage: said, meta } = body
  const told = isObject(said) ? said : billedIn(body)
  const tokens = isObject(meta) && isObject(meta.tokens) ? meta.tokens : {}
  const input = [told.total_tokens, told.prompt_tokens, told.input_tokens, tokens.input_tokens].find(
    (n) => number(n) && n > 0,
  )
  const searches = unitsIn(body)
  return input === undefined && searches === undefined ? undefined : usage({ input, searches })
}

/** Documents stand in the answer where they were asked for, as Cohere's and Jina's do: an object, a text as its `text`. */
export function writeReply(reply: RerankReply, asked: Rerank, { id }: Answering): Json {
  const tokens = reply.usage?.input ?? 0
  const shown = reply.results.slice(0, asked.top ?? reply.results.length).map(({ index, score }) => {
    const document = asked.documents[index]
    if (document === undefined) throw badReply(`The ranking names document ${index} of ${asked.documents.length}.`)
    const whole = isString(document) ? { text: document } : document
    return { index, relevance_score: score, ...(asked.returnDocuments ? { document: whole } : {}) }
  })
  return {
    id: reply.id ?? id,
    object: 'list',
    model: reply.model || asked.model,
    results: shown,
    meta: {
      billed_units: compact({ search_units: reply.searchUnits, total_tokens: tokens || undefined }),
      ...(tokens > 0 ? { tokens: { input_tokens: tokens, output_tokens: 0 } } : {}),
    },
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  }
}
