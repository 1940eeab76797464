/** Reranking: one request in the words of Cohere or Jina, said to each target as its documentation shows it. */
import { afterAll, beforeEach, describe, expect, test } from 'bun:test'
import type { Json, RerankReply, WireId } from '../../src/dialects/canonical.ts'
import type { RerankDialect, RerankTarget } from '../../src/dialects/dialect.ts'
import { rerank } from '../../src/dialects/rerank/index.ts'
import { startGateway } from '../support/gateway.ts'
import { DOCUMENTS, RERANKS } from './answers.ts'
import { dialectOf, linkOf, sentAs } from './house.ts'

const ASKED = { model: 'm', query: 'Where is Rome?', documents: DOCUMENTS }

function said(id: WireId, body: Json) {
  const lost: string[] = []
  const adapted: string[] = []
  const warn = Object.assign((param: string) => void lost.push(param), {
    adapted: (param: string) => void adapted.push(param),
  })
  return { wire: (dialectOf(id) as RerankTarget).writeRequest(rerank.readRequest(body), warn), lost, adapted }
}
const wire = (id: WireId, more: Json = {}) => said(id, { ...ASKED, ...more }).wire
const lost = (id: WireId, more: Json) => said(id, { ...ASKED, ...more }).lost.sort()

describe('a request', () => {
  test('is said as each documentation shows it', () => {
    const more = { top_n: 2, return_documents: true }
    expect(wire('cohere-rerank', more)).toEqual({ ...ASKED, top_n: 2 })
    expect(wire('jina-rerank', more)).toEqual({ ...ASKED, top_n: 2, return_documents: false })
    expect(wire('voyage-rerank', { ...more, truncation: false })).toEqual({ ...ASKED, top_k: 2, truncation: false })
    expect(wire('tei-rerank', { ...more, truncation: true })).toEqual({
      query: ASKED.query,
      texts: DOCUMENTS,
      truncate: true,
    })
    expect(wire('sglang-rerank', more)).toEqual({ query: ASKED.query, documents: DOCUMENTS })
    expect(wire('nim-rerank', { ...more, truncation: true })).toEqual({
      model: 'm',
      query: { text: ASKED.query },
      passages: DOCUMENTS.map((text) => ({ text })),
      truncate: 'END',
    })
    expect(wire('rerank', more)).toEqual({ ...ASKED, ...more })
  })

  test('asked in the words of Voyage is the same', () => {
    expect(wire('cohere-rerank', { top_k: 2 })).toEqual({ ...ASKED, top_n: 2 })
  })

  test('objects are said by their text, or by the fields that are named', () => {
    const objects = [{ text: 'a' }, { title: 'T', body: 'B', n: 1 }, 'plain']
    const { wire: sent, adapted } = said('cohere-rerank', {
      ...ASKED,
      documents: objects,
      rank_fields: ['title', 'body', 'text'],
    })
    expect(sent.documents).toEqual(['a', 'title: T\nbody: B', 'plain'])
    expect(adapted).toEqual(['rank_fields'])
    expect(wire('jina-rerank', { documents: [{ text: 'a' }, { image: 'https://x/y.png' }] }).documents).toEqual([
      'a',
      { image: 'https://x/y.png' },
    ])
    const more = said('voyage-rerank', { ...ASKED, documents: [{ text: 'a', title: 'T' }] })
    expect([more.wire.documents, more.adapted]).toEqual([['a'], ['documents']])
    // What has no text to be ranked by is not made up.
    for (const id of ['cohere-rerank', 'voyage-rerank', 'tei-rerank', 'nim-rerank', 'sglang-rerank'] as const)
      expect(() => wire(id, { documents: ['a', { image: 'https://x/y.png' }] })).toThrow("'documents[1]' must be")
  })

  test('what a target has no words for is named, what it has goes along', () => {
    expect(wire('cohere-rerank', { max_tokens_per_doc: 100, priority: 3 })).toMatchObject({
      max_tokens_per_doc: 100,
      priority: 3,
    })
    for (const id of ['jina-rerank', 'voyage-rerank', 'tei-rerank', 'sglang-rerank', 'nim-rerank'] as const)
      expect([id, lost(id, { max_tokens_per_doc: 100, priority: 3 })]).toEqual([id, ['max_tokens_per_doc', 'priority']])
    expect(wire('tei-rerank', { raw_scores: true })).toMatchObject({ raw_scores: true })
    // Cohere always cuts: only not to cut can't be asked of it.
    expect(lost('cohere-rerank', { truncation: true })).toEqual([])
    expect(lost('cohere-rerank', { truncation: false })).toEqual(['truncation'])
    expect(lost('sglang-rerank', { truncation: true })).toEqual(['truncation'])
    expect(lost('voyage-rerank', { truncation: false })).toEqual([])
  })

  test('what is wrong in it is named', () => {
    const wrong: [Json, string][] = [
      [{ documents: [] }, "'documents' must be"],
      [{ documents: [1] }, "'documents' must be"],
      [{ top_n: 0 }, "'top_n' must be"],
      [{ top_k: 1.5 }, "'top_k' must be"],
      [{ rank_fields: 'title' }, "'rank_fields' must be"],
      [{ return_documents: 'yes' }, "'return_documents' must be"],
    ]
    for (const [more, message] of wrong) expect(() => wire('cohere-rerank', more)).toThrow(message)
  })
})

describe('an answer', () => {
  test.each(Object.entries(RERANKS))('of %s is read, and written for clients of Cohere and of Jina', (id, answer) => {
    const reply: RerankReply = (dialectOf(id as WireId) as RerankTarget).readReply(answer)
    const asked = rerank.readRequest({ ...ASKED, top_n: 2, return_documents: true })
    const written = rerank.writeReply(reply, asked, { id: 'req', created: 1 })
    expect(written.results).toEqual([
      { index: 2, relevance_score: 0.9, document: { text: DOCUMENTS[2] } },
      { index: 0, relevance_score: 0.2, document: { text: DOCUMENTS[0] } },
    ])
    const isCohere = id === 'cohere-rerank'
    const told = !/^(tei|sglang)/.test(id)
    expect(reply.usage?.input).toBe(told ? (isCohere ? 0 : 31) : undefined)
    expect(written).toMatchObject({
      id: expect.any(String),
      meta: { billed_units: isCohere ? { search_units: 1 } : told ? { total_tokens: 31 } : {} },
      usage: { total_tokens: told && !isCohere ? 31 : 0 },
    })
    // What was not asked for does not stand in it.
    const plain = rerank.writeReply(reply, rerank.readRequest(ASKED), { id: 'req', created: 1 })
    expect(JSON.stringify(plain)).not.toContain('Rome')
  })

  test('that is none is a failure of the upstream', () => {
    const target = dialectOf('voyage-rerank') as RerankTarget
    for (const wrong of [{}, [], { data: 1 }, { data: [{ index: 0 }] }, [{ index: 0.5, score: 1 }], null, 'x'])
      if (JSON.stringify(wrong) !== '[]') expect(() => target.readReply(wrong)).toThrow()
    expect(() => target.readReply({ error: { message: 'Out of order' } })).toThrow('Out of order')
    const asked = rerank.readRequest(ASKED)
    expect(() => rerank.writeReply({ results: [{ index: 3, score: 1 }] }, asked, { id: 'r', created: 1 })).toThrow(
      'document 3 of 3',
    )
    expect((rerank as RerankDialect).glance('{"error":{"message":"no"}}').failure?.message).toBe('no')
    expect(rerank.glance('{"ok":1}').garbage).toBe(true)
  })
})

test('Bedrock ranks by InvokeModel, with Cohere’s version in the body', async () => {
  const aws = { api_key: 'k-0123456789', aws_region_name: 'eu-west-1' }
  for (const [id, more] of [
    ['cohere.rerank-v3-5:0', { api_version: 2 }],
    ['amazon.rerank-v1:0', {}],
  ] as const) {
    const link = linkOf(`bedrock/${id}`, aws)
    expect(link.speaks).toEqual(['cohere-rerank'])
    const { url, body } = await sentAs(link, 'cohere-rerank', wire('cohere-rerank', { top_n: 2 }))
    expect(url).toBe(`https://bedrock-runtime.eu-west-1.amazonaws.com/model/${encodeURIComponent(id)}/invoke`)
    expect(body).toEqual({ query: ASKED.query, documents: DOCUMENTS, top_n: 2, ...more })
  }
})

test('each provider is asked where it documents it', () => {
  const key = { api_key: 'k-0123456789' }
  const at = (model: string, params: Json = {}, id: WireId = 'rerank') => linkOf(model, params).url(id, false)
  expect(at('cohere/rerank-v3.5', key, 'cohere-rerank')).toBe('https://api.cohere.com/v2/rerank')
  expect(at('jina_ai/jina-reranker-v3', key, 'jina-rerank')).toBe('https://api.jina.ai/v1/rerank')
  expect(at('voyage/rerank-2.5', key, 'voyage-rerank')).toBe('https://api.voyageai.com/v1/rerank')
  expect(at('together_ai/Salesforce/Llama-Rank-V1', key)).toBe('https://api.together.ai/v1/rerank')
  expect(at('hosted_vllm/bge', { api_base: 'http://gpu:8000/v1' })).toBe('http://gpu:8000/v1/rerank')
  expect(at('tei/bge', { api_base: 'http://gpu:8080' }, 'tei-rerank')).toBe('http://gpu:8080/rerank')
  expect(at('tei/bge', { api_base: 'http://gpu:8080/v1' }, 'tei-rerank')).toBe('http://gpu:8080/rerank')
  expect(at('tei/bge', { api_base: 'http://gpu:8080' }, 'openai-embeddings')).toBe('http://gpu:8080/v1/embeddings')
  expect(at('nvidia_nim/nvidia/llama-3.2-nv-rerankqa-1b-v2', key, 'nim-rerank')).toBe(
    'https://ai.api.nvidia.com/v1/retrieval/nvidia/llama-3_2-nv-rerankqa-1b-v2/reranking',
  )
  expect(at('nvidia_nim/m', { ...key, api_base: 'http://nim:8000/v1' }, 'nim-rerank')).toBe(
    'http://nim:8000/v1/ranking',
  )
  const foundry = { ...key, api_base: 'https://my.services.ai.azure.com' }
  expect(at('azure_ai/Cohere-rerank-v4.0-pro', foundry, 'cohere-rerank')).toBe(
    'https://my.services.ai.azure.com/providers/cohere/v2/rerank',
  )
})

describe('through the gateway', async () => {
  let seen: { path: string; body: Json }[] = []
  let answer: unknown
  const upstream = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      seen.push({ path: new URL(request.url).pathname, body: (await request.json()) as Json })
      return Response.json(answer)
    },
  })
  const base = `http://127.0.0.1:${upstream.port}`
  const model = (name: string, id: string, params: Json) => ({
    model_name: name,
    litellm_params: { model: id, api_key: 'k-up-0123456789', input_cost_per_token: 1e-6, ...params },
  })
  const gateway = await startGateway({
    yaml: {
      model_list: [
        model('cohere', 'cohere/rerank-v3.5', {
          api_base: base,
          input_cost_per_token: 0,
          input_cost_per_request: 0.002,
        }),
        model('voyage', 'voyage/rerank-2.5', { api_base: `${base}/v1` }),
        model('dropping', 'voyage/rerank-2.5', { api_base: `${base}/v1`, drop_params: true }),
        model('tei', 'tei/bge', { api_base: base }),
        model('chat', 'groq/llama', { api_base: base }),
      ],
    },
  })
  const ask = async (body: Json, path = '/v1/rerank') => {
    const reply = await gateway.call('POST', path, { ...ASKED, ...body })
    return { status: reply.status, body: (await reply.json()) as Json, headers: reply.headers }
  }
  const lastRow = async () => ((await (await gateway.call('GET', '/spend/logs?limit=1')).json()) as Json[])[0] as Json
  beforeEach(() => {
    seen = []
  })
  afterAll(async () => {
    await gateway.stop()
    await upstream.stop(true)
  })

  test('one question gets one shape of answer from all, and is charged by what was reported', async () => {
    for (const [path, name, wireId] of [
      ['/v1/rerank', 'cohere', 'cohere-rerank'],
      ['/v2/rerank', 'voyage', 'voyage-rerank'],
      ['/rerank', 'tei', 'tei-rerank'],
    ] as const) {
      answer = RERANKS[wireId]
      const { status, body } = await ask({ model: name, top_n: 1, return_documents: true }, path)
      expect([status, body.results]).toEqual([
        200,
        [{ index: 2, relevance_score: 0.9, document: { text: DOCUMENTS[2] } }],
      ])
      const row = await lastRow()
      expect(row.call_type).toBe('arerank')
      if (name === 'cohere') expect(row).toMatchObject({ spend: 0.002, usage_source: 'provider' })
      if (name === 'voyage') expect(row).toMatchObject({ spend: 31e-6, prompt_tokens: 31, usage_source: 'provider' })
      // Nobody counted: it is estimated, as a chat's is.
      if (name === 'tei') expect(row.usage_source).toBe('estimated')
    }
    expect(seen.map((s) => s.path)).toEqual(['/v2/rerank', '/v1/rerank', '/rerank'])
    expect(seen[1]?.body).toEqual({ ...ASKED, model: 'rerank-2.5', top_k: 1 })
  })

  test('what can not be said is refused by name, or dropped and named', async () => {
    answer = RERANKS['voyage-rerank']
    const refused = await ask({ model: 'voyage', max_tokens_per_doc: 10 })
    expect([refused.status, refused.body.error]).toMatchObject([400, { param: 'max_tokens_per_doc' }])
    expect(seen).toEqual([])
    const dropped = await ask({ model: 'dropping', max_tokens_per_doc: 10 })
    expect(dropped.status).toBe(200)
    expect(dropped.headers.get('x-tollgate-dropped')).toBe('max_tokens_per_doc')
    expect(seen[0]?.body).not.toHaveProperty('max_tokens_per_doc')
  })

  test('a model that ranks nothing says who does', async () => {
    const { status, body } = await ask({ model: 'chat' })
    expect(status).toBe(400)
    expect((body.error as Json).message).toMatch(/'chat' has no reranking: groq does not offer it.*cohere.*voyage/)
  })
})
