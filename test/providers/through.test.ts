/** Clouds behind a real gateway: callers of two dialects, whole and streamed, charged by what the cloud reports. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { CHATS, EMBEDDINGS } from './answers.ts'
import { event, exception } from './frames.ts'

interface Seen {
  path: string
  headers: Record<string, string>
  body: Record<string, unknown>
}

const seen: Seen[] = []
const tokens: string[] = []
let gateway: Gateway
let cloud: ReturnType<typeof Bun.serve>

const documented = (id: keyof typeof CHATS) => CHATS[id] as NonNullable<(typeof CHATS)[typeof id]>
const vectors = (id: keyof typeof EMBEDDINGS) => EMBEDDINGS[id]?.whole
const flow = (bytes: Uint8Array, type: string): Response => {
  // In small pieces, none of which is a whole frame.
  const pieces = new ReadableStream<Uint8Array>({
    async start(controller) {
      for (let at = 0; at < bytes.length; at += 37) {
        controller.enqueue(bytes.slice(at, at + 37))
        await Bun.sleep(1)
      }
      controller.close()
    },
  })
  return new Response(pieces, { headers: { 'content-type': type } })
}
const EVENTSTREAM = 'application/vnd.amazon.eventstream'
const CONTENT = { contentBlockIndex: 0, delta: { text: 'Hel' } }

/** What each cloud answers at its documented paths. */
function answer(path: string, body: Record<string, unknown>): Response {
  if (path.endsWith('/oauth2/v2.0/token')) return Response.json({ access_token: 'ey.entra-token', expires_in: 3600 })
  if (path.includes('throttled'))
    return Response.json({ message: 'Too many requests. Key AKIDEXAMPLESECRETKEY is throttled.' }, { status: 429 })
  if (path.includes('breaks') && path.endsWith('/converse-stream'))
    return flow(
      Buffer.concat([
        event('messageStart', {}),
        event('contentBlockDelta', CONTENT),
        exception('modelStreamErrorException', 'It broke.'),
      ]),
      EVENTSTREAM,
    )
  if (path.endsWith('/converse')) return Response.json(documented('bedrock-converse').whole)
  if (path.endsWith('/converse-stream')) return flow(documented('bedrock-converse').stream, EVENTSTREAM)
  if (path === '/v2/chat')
    return body.stream
      ? flow(documented('cohere-chat').stream, 'text/event-stream')
      : Response.json(documented('cohere-chat').whole)
  if (path === '/v2/embed') return Response.json(vectors('cohere-embed'))
  if (path.includes(':streamGenerateContent')) return flow(documented('gemini').stream, 'text/event-stream')
  if (path.includes(':generateContent')) return Response.json(documented('gemini').whole)
  if (path.includes(':embedContent')) return Response.json(vectors('gemini-embed'))
  if (path.endsWith('/embeddings')) return Response.json(vectors('openai-embeddings'))
  if (path.endsWith('/chat/completions'))
    return body.stream
      ? flow(documented('openai-chat').stream, 'text/event-stream')
      : Response.json(documented('openai-chat').whole)
  return Response.json({ error: { message: 'no such path' } }, { status: 404 })
}

beforeAll(async () => {
  cloud = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      const { pathname, search } = new URL(request.url)
      const text = await request.text()
      const path = pathname + search
      if (path.endsWith('/token')) {
        tokens.push(text)
        return answer(path, {})
      }
      const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
      if (request.method === 'POST') seen.push({ path, headers: Object.fromEntries(request.headers), body })
      return answer(pathname, body)
    },
  })
  const base = `http://127.0.0.1:${cloud.port}`
  const priced = { input_cost_per_token: 1e-6, output_cost_per_token: 2e-6 }
  const aws = {
    aws_bedrock_runtime_endpoint: base,
    aws_region_name: 'eu-west-1',
    aws_access_key_id: 'AKIDEXAMPLE',
    aws_secret_access_key: 'AKIDEXAMPLESECRETKEY',
  }
  const model = (name: string, params: Record<string, unknown>) => ({
    model_name: name,
    litellm_params: { ...priced, ...params },
  })
  gateway = await startGateway({
    env: { AZURE_AUTHORITY_HOST: base },
    yaml: {
      model_list: [
        model('bedrock', { model: 'bedrock/anthropic.claude-sonnet-4-5-20250929-v1:0', ...aws }),
        model('bedrock-breaks', { model: 'bedrock/breaks.model-v1:0', ...aws }),
        model('bedrock-throttled', { model: 'bedrock/throttled.model-v1:0', ...aws, max_retries: 0 }),
        model('cohere', { model: 'cohere_chat/command-a-03-2025', api_base: base, api_key: 'co-key-012345' }),
        model('cohere-embed', { model: 'cohere/embed-v4.0', api_base: base, api_key: 'co-key-012345' }),
        model('gemini', { model: 'gemini/gemini-2.5-flash', api_base: base, api_key: 'goog-key-012345' }),
        model('gemini-embed', { model: 'gemini/gemini-embedding-001', api_base: base, api_key: 'goog-key-012345' }),
        model('azure', {
          model: 'azure/my-deployment',
          api_base: base,
          tenant_id: 'T',
          client_id: 'C',
          client_secret: 'entra-client-secret',
        }),
        model('azure-dated', {
          model: 'azure/my-deployment',
          api_base: base,
          api_key: 'az-key-012345',
          api_version: '2024-10-21',
        }),
        model('mistral', { model: 'mistral/mistral-small', api_base: `${base}/v1`, api_key: 'mi-key-012345' }),
        model('voyage', { model: 'voyage/voyage-3.5', api_base: `${base}/v1`, api_key: 'vo-key-012345' }),
        model('groq/*', { model: 'groq/*', api_base: `${base}/openai/v1`, api_key: 'gr-key-012345' }),
        model('vllm', { model: 'hosted_vllm/some-model', api_base: `${base}/v1` }),
      ],
      router_settings: { num_retries: 0 },
    },
  })
})
afterAll(async () => {
  await gateway.stop()
  await cloud.stop(true)
})

const openai = () => new OpenAI({ apiKey: gateway.masterKey, baseURL: `${gateway.url}/v1`, maxRetries: 0 })
const anthropic = () => new Anthropic({ apiKey: gateway.masterKey, baseURL: gateway.url, maxRetries: 0 })
const messages = [{ role: 'user' as const, content: 'Hello' }]
const last = (): Seen => seen.at(-1) as Seen

const CLOUDS: [alias: string, path: string, credential: [string, RegExp]][] = [
  [
    'bedrock',
    '/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse',
    [
      'authorization',
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-west-1\/bedrock\/aws4_request, SignedHeaders=host;x-amz-date, Signature=[0-9a-f]{64}$/,
    ],
  ],
  ['cohere', '/v2/chat', ['authorization', /^Bearer co-key-012345$/]],
  ['gemini', '/v1beta/models/gemini-2.5-flash:generateContent', ['x-goog-api-key', /^goog-key-012345$/]],
  ['azure', '/openai/v1/chat/completions', ['authorization', /^Bearer ey\.entra-token$/]],
  [
    'azure-dated',
    '/openai/deployments/my-deployment/chat/completions?api-version=2024-10-21',
    ['api-key', /^az-key-012345$/],
  ],
  ['mistral', '/v1/chat/completions', ['authorization', /^Bearer mi-key-012345$/]],
  ['groq/llama-3.3-70b', '/openai/v1/chat/completions', ['authorization', /^Bearer gr-key-012345$/]],
  ['vllm', '/v1/chat/completions', ['content-type', /json/]],
]

describe.each(CLOUDS)('%s', (alias, path, [header, credential]) => {
  test('answers an OpenAI client', async () => {
    const { data, response } = await openai().chat.completions.create({ model: alias, messages }).withResponse()
    expect(data.choices[0]?.message.content).toBe('Hello!')
    expect(data.choices[0]?.finish_reason).toBe('stop')
    expect(data.usage).toMatchObject({ prompt_tokens: 19, completion_tokens: 10 })
    // 19 tokens at a dollar a million, 10 at two.
    expect(Number(response.headers.get('x-litellm-response-cost'))).toBeCloseTo(0.000039, 9)
    expect(last().path).toBe(path)
    expect(last().headers[header]).toMatch(credential)
  })

  test('streams to an OpenAI client', async () => {
    const stream = await openai().chat.completions.create({
      model: alias,
      messages,
      stream: true,
      stream_options: { include_usage: true },
    })
    let text = ''
    let finish: string | null = null
    let tokens = 0
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? ''
      finish = chunk.choices[0]?.finish_reason ?? finish
      tokens = chunk.usage?.total_tokens ?? tokens
    }
    expect([text, finish, tokens]).toEqual(['Hello!', 'stop', 29])
  })

  test('answers an Anthropic client, whole and streamed', async () => {
    const ask = { model: alias, max_tokens: 50, messages }
    const whole = await anthropic().messages.create(ask)
    expect(whole.content).toMatchObject([{ type: 'text', text: 'Hello!' }])
    expect([whole.stop_reason, whole.usage.input_tokens, whole.usage.output_tokens]).toEqual(['end_turn', 19, 10])
    const final = await anthropic().messages.stream(ask).finalMessage()
    expect(final.content).toMatchObject([{ type: 'text', text: 'Hello!' }])
    expect([final.stop_reason, final.usage.output_tokens]).toEqual(['end_turn', 10])
  })
})

test("Entra's token was fetched once for all of them", () => {
  expect(tokens).toHaveLength(1)
  expect(tokens[0]).toContain('client_secret=entra-client-secret')
})

test.each([
  ['cohere-embed', '/v2/embed'],
  ['gemini-embed', '/v1beta/models/gemini-embedding-001:embedContent'],
  ['voyage', '/v1/embeddings'],
])('%s embeds for an OpenAI client', async (alias, path) => {
  const { data } = await openai().embeddings.create({ model: alias, input: 'Hello' })
  expect([...(data[0]?.embedding ?? [])]).toEqual([0.5, -0.25])
  expect(last().path).toBe(path)
})

test('a stream that AWS breaks off is broken off, and never looks whole', async () => {
  const stream = await openai().chat.completions.create({ model: 'bedrock-breaks', messages, stream: true })
  let text = ''
  const broken = (async () => {
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? ''
  })()
  expect(
    await broken.then(
      () => 'whole',
      (cause: Error) => cause.constructor.name,
    ),
  ).toBe('APIError')
  expect(text).toBe('Hel')
})

test('an error of the cloud is told in our words, and no credential is told to anybody', async () => {
  const cause = (await openai()
    .chat.completions.create({ model: 'bedrock-throttled', messages })
    .catch((thrown: unknown) => thrown)) as InstanceType<typeof OpenAI.APIError>
  expect(cause.status).toBe(429)
  expect(JSON.stringify(cause.error)).not.toContain('AKIDEXAMPLESECRETKEY')
  await Bun.sleep(100)
  const logs = gateway.logs()
  expect(logs).toContain('throttled')
  for (const secret of [
    'AKIDEXAMPLESECRETKEY',
    'co-key-012345',
    'goog-key-012345',
    'az-key-012345',
    'entra-client-secret',
    'ey.entra-token',
    'gr-key-012345',
  ])
    expect(logs).not.toContain(secret)
})
