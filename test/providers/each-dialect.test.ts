/**
 * The contract once more, for each dialect that a provider speaks and not only its preferred one: each is asked at a sound
 * address with a sound body, its documented answer is read, and its errors are known apart.
 */
import { describe, expect, test } from 'bun:test'
import { providers } from '../../providers/index.ts'
import type { Chat, Json, WireId } from '../../src/dialects/canonical.ts'
import type { ChatTarget, EmbedTarget, RerankTarget } from '../../src/dialects/dialect.ts'
import { rerank } from '../../src/dialects/rerank/index.ts'
import { failureOf } from '../../src/upstream/classify.ts'
import type { Link } from '../../src/upstream/link.ts'
import { findProvider } from '../../src/upstream/registry.ts'
import { CHATS, DOCUMENTS, EMBEDDINGS, RERANKS } from './answers.ts'
import { chatOf, dialectOf, embedOf, eventsOf, sentAs, told, written } from './house.ts'
import { KEY, KEYLESS, KINDS, linkTo, MORE } from './reach.ts'

const TOKEN = () => Response.json({ access_token: 'ya29.token', expires_in: 3600 })

/** A body in a dialect as the pipeline would make it: a question with all that most can do. */
function bodyIn(id: WireId, model: string, stream: boolean): Json {
  const { op } = dialectOf(id)
  if (op === 'embed') return written(id, embedOf({ model })).body
  if (op === 'forward') return { model, prompt: 'Hello', input: 'Hello' }
  if (op === 'rerank') {
    const asked = rerank.readRequest({ model, query: 'Hello', documents: DOCUMENTS, top_n: 2 })
    return (dialectOf(id) as RerankTarget).writeRequest(asked, () => {})
  }
  const tool = { name: 'look', description: 'Looks', parameters: { type: 'object', properties: {} } }
  const rich: Partial<Chat> =
    id === 'openai-completions' || id === 'ollama-generate' ? { shape: 'prompt' } : { tools: [tool] }
  return written(id, chatOf({ ...rich, model, stream, maxTokens: 50, temperature: 0.5 })).body
}

async function soundly(link: Link, id: WireId, stream: boolean): Promise<string> {
  const local = link.provider.local || MORE[link.provider.id]?.api_base?.toString().startsWith('http:')
  const { url, method, headers, text } = await sentAs(link, id, bodyIn(id, link.target.model, stream), stream, TOKEN)
  expect(method).toBe('POST')
  expect(new URL(url).protocol).toBe(local ? 'http:' : 'https:')
  expect(url).not.toMatch(/undefined|null|NaN|\[object|([^:])\/\//)
  expect(text).not.toMatch(/undefined|NaN|\[object/)
  expect(url + text).not.toContain(KEY)
  if (!KEYLESS.includes(link.provider.id)) expect(JSON.stringify(headers)).toContain(KEY)
  expect(text).toMatch(/Hello/)
  return url
}

const ERRORS: readonly (readonly [number, string, string, string])[] = [
  [401, 'Invalid credentials', 'UNAUTHENTICATED', 'auth'],
  [404, 'The model does not exist', 'NOT_FOUND', 'not_found'],
  [429, 'Slow down', 'RESOURCE_EXHAUSTED', 'rate_limited'],
  [500, 'Internal error', 'INTERNAL', 'server'],
  [503, 'Overloaded', 'UNAVAILABLE', 'overloaded'],
  [400, "'temperature' must be a number", 'invalid_request_error', 'caller'],
]

const all = providers
  .filter(({ id }) => id !== 'demo')
  .flatMap((provider) =>
    (KINDS[provider.id] ?? [undefined]).map((model) => {
      const link = linkTo(provider, model)
      return [link.servedBy, link] as const
    }),
  )

describe.each(all)('%s', (_name, link) => {
  test.each([...link.speaks])('is asked in %s, which is read', async (id) => {
    const dialect = dialectOf(id)
    const url = await soundly(link, id, false)
    if (dialect.op === 'chat') {
      const streamed = await soundly(link, id, true)
      expect(new URL(streamed).origin).toBe(new URL(url).origin)
      const { whole, stream, text, usage } = CHATS[id] as NonNullable<(typeof CHATS)[WireId]>
      const reply = (dialect as ChatTarget).readReply(whole)
      expect(reply).toMatchObject({
        usage,
        choices: [{ parts: [{ type: 'text', text }], finish: { unified: 'stop' } }],
      })
      for (const cut of [stream.length, 11, 1]) expect(told(eventsOf(id, stream, cut))).toMatchObject({ text, usage })
    }
    if (dialect.op === 'embed')
      expect((dialect as EmbedTarget).readReply(EMBEDDINGS[id]?.whole as Json).vectors).toEqual([[0.5, -0.25]])
    if (dialect.op === 'rerank') expect((dialect as RerankTarget).readReply(RERANKS[id]).results[0]?.index).toBe(2)
    const write = CHATS[id]?.error ?? ((message: string) => JSON.stringify({ error: { message } }))
    for (const [status, message, code, kind] of ERRORS) {
      const known = failureOf(new Response(null, { status }), write(message, code), dialect, link.provider)
      expect([status, known.kind]).toEqual([status, kind as typeof known.kind])
      if (KEYLESS.includes(link.provider.id)) continue
      const repeated = failureOf(new Response(null, { status }), write(KEY, code), dialect, link.provider)
      expect(link.scrub(repeated.message)).not.toContain(KEY)
    }
  })

  test('keeps and talks below its own address', () => {
    for (const place of ['files', 'batches', 'realtime'] as const) {
      const at = link.place(place)
      if (at !== undefined) expect([at.startsWith(link.origin), /undefined|null/.test(at)]).toEqual([true, false])
    }
  })
})

test('every dialect that a target is asked in is spoken by somebody', () => {
  const spoken = new Set(all.flatMap(([, link]) => link.speaks))
  for (const id of [...Object.keys(CHATS), ...Object.keys(EMBEDDINGS), ...Object.keys(RERANKS)])
    expect([id, spoken.has(id as WireId)]).toEqual([id, true])
})

/** Prefixes whose bodies are OpenAI's, by their names in LiteLLM: each is a row, or what a row is to it, a file. */
const PLAIN = `abliteration ai21 ai21_chat aihubmix aiml aiohttp_openai anyscale apertis assemblyai baseten cerebras
  charity_engine chutes clarifai cognition cometapi compactifai cortecs crusoe custom_openai darkbloom dashscope datarobot
  deepinfra docker_model_runner edenai empiriolabs empower featherless_ai friendliai galadriel github gmi helicone heroku
  hosted_vllm hyperbolic inception lambda_ai lemonade libertai litellm_proxy llamafile llamagate lm_studio meta meta_llama
  minimax modelscope morph nadir nano-gpt nebius neosantara novita nscale openai openai_like ovhcloud parasail pinstripes
  poe prism qwen_ai_platform qwencloud reka sail sambanova scaleway scx-ai synthetic tencent tensormesh
  text-completion-inception text-completion-openai together_ai v0 veniceai wandb xiaomi_mimo xinference`.split(/\s+/)
const QUIRKY =
  `amazon_nova azure azure_ai azure_text bedrock_mantle cloudflare codestral databricks deepseek fireworks_ai
  gradient_ai groq huggingface infinity maritalk mistral moonshot nvidia_nim oobabooga openrouter perplexity publicai ragflow
  sagemaker_chat sarvam snowflake vercel_ai_gateway volcengine xai zai`.split(/\s+/)
/** Those of the second kind that are none: docs/providers.md says why. */
const NOT_BUILT = ['github_copilot', 'manus', 'pg_vector']

test('all prefixes of the plain and of the quirky ones are there, or are told why not', async () => {
  expect([new Set(PLAIN).size, new Set([...QUIRKY, ...NOT_BUILT]).size]).toEqual([81, 33])
  for (const prefix of [...PLAIN, ...QUIRKY])
    expect([prefix, findProvider(prefix) !== undefined]).toEqual([prefix, true])
  const page = await Bun.file(new URL('../../docs/providers.md', import.meta.url)).text()
  const reasons = page.slice(page.indexOf('## What is not here'))
  for (const prefix of NOT_BUILT) {
    expect([prefix, findProvider(prefix)]).toEqual([prefix, undefined])
    expect(reasons).toContain(`\`${prefix}\``)
  }
})
