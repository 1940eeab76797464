/** Counting tokens, and what failing over does to signed thinking: Anthropic's and Gemini's ways. */
import { afterAll, beforeEach, expect, test } from 'bun:test'
import Anthropic from '@anthropic-ai/sdk'
import { startGateway } from '../support/gateway.ts'

interface Seen {
  path: string
  body: { model?: string; messages?: { content: { type: string }[] }[] }
  version: string | null
  beta: string | null
}
let seen: Seen[] = []
let failing = false
const reply = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude',
  content: [{ type: 'text', text: 'hi' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 7, output_tokens: 2 },
}
const upstream = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  async fetch(request) {
    const { pathname: path } = new URL(request.url)
    const body = (await request.json()) as Seen['body']
    seen.push({
      path,
      body,
      version: request.headers.get('anthropic-version'),
      beta: request.headers.get('anthropic-beta'),
    })
    if (path.endsWith('/count_tokens')) return Response.json({ input_tokens: 4242 })
    if (failing && body.model === 'first')
      return Response.json({ type: 'error', error: { type: 'api_error', message: 'down' } }, { status: 500 })
    return Response.json(reply)
  },
})
const base = `http://127.0.0.1:${upstream.port}`
const gateway = await startGateway({
  yaml: {
    model_list: [
      { model_name: 'claude', litellm_params: { model: 'anthropic/first', api_base: base, api_key: 'x', order: 1 } },
      { model_name: 'claude', litellm_params: { model: 'anthropic/second', api_base: base, api_key: 'x', order: 2 } },
      { model_name: 'demo', litellm_params: { model: 'demo/demo' } },
    ],
    router_settings: { num_retries: 0 },
  },
})
const { key } = (await (await gateway.call('POST', '/key/generate', {})).json()) as { key: string }
const client = new Anthropic({ baseURL: gateway.url, apiKey: key, maxRetries: 0 })
beforeEach(() => {
  seen = []
  failing = false
})
afterAll(async () => {
  await gateway.stop()
  await upstream.stop(true)
})
const messages = [{ role: 'user' as const, content: 'Hello there, how many tokens am I?' }]

test('the target counts where it can', async () => {
  expect(await client.messages.countTokens({ model: 'claude', messages })).toEqual({ input_tokens: 4242 })
  expect(seen[0]).toMatchObject({ path: '/v1/messages/count_tokens', body: { model: 'first' } })
})

test('where it cannot, the count is an estimate and says so', async () => {
  for (const [path, field] of [
    ['/v1/messages/count_tokens', 'input_tokens'],
    ['/v1beta/models/demo:countTokens', 'totalTokens'],
  ] as const) {
    const body = { model: 'demo', messages, contents: [{ parts: [{ text: 'hello' }] }] }
    const counted = await fetch(gateway.url + path, {
      method: 'POST',
      headers: { 'x-api-key': key },
      body: JSON.stringify(body),
    })
    expect(counted.headers.get('x-tollgate-usage-source')).toBe('estimated')
    expect(((await counted.json()) as Record<string, number>)[field]).toBeGreaterThan(0)
  }
  const rows = (await (await gateway.call('GET', '/spend/logs')).json()) as unknown[]
  expect(rows).toEqual([])
})

test('counting asks for a key and a model that is there', async () => {
  const ask = (model: string, apiKey: string) =>
    fetch(`${gateway.url}/v1/messages/count_tokens`, {
      method: 'POST',
      headers: { 'x-api-key': apiKey },
      body: JSON.stringify({ model, messages }),
    })
  expect((await ask('claude', 'sk-wrong-wrong-wrong')).status).toBe(401)
  const lost = await ask('nope', key)
  expect(lost.status).toBe(404)
  expect(await lost.json()).toMatchObject({ type: 'error', error: { type: 'not_found_error' } })
})

const thinking = { type: 'thinking' as const, thinking: 'Let me see.', signature: 'c2lnbmVk' }
const history = [
  ...messages,
  { role: 'assistant' as const, content: [thinking, { type: 'text' as const, text: 'Seven.' }] },
  { role: 'user' as const, content: 'Sure?' },
]

test('signed thinking goes byte for byte to the model that signed it, with version and betas', async () => {
  await client.beta.messages.create({
    model: 'claude',
    max_tokens: 10,
    messages: history,
    betas: ['interleaved-thinking-2025-05-14'],
  })
  expect(seen[0]?.body.messages?.[1]?.content[0]).toEqual(thinking)
  expect(seen[0]?.beta).toContain('interleaved-thinking')
  expect(seen[0]?.version).toMatch(/^20/)
})

test('and is taken out where failing over changes the model, which the answer says', async () => {
  failing = true
  const { data, response } = await client.messages
    .create({ model: 'claude', max_tokens: 10, messages: history })
    .withResponse()
  expect(data.content).toEqual(reply.content as never)
  const last = seen.at(-1)
  expect(last?.body.model).toBe('second')
  expect(last?.body.messages?.[1]?.content).toEqual([{ type: 'text', text: 'Seven.' }] as never)
  expect(response.headers.get('x-tollgate-dropped')).toBe('thinking')
})
