/** Every operation that is kept, and every chat dialect in both forms against every other one. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Mock, startMock } from '../mock/upstream.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'

let mock: Mock
let gateway: Gateway
let heard = 0

/** What the mock has no words for, as OpenAI's and Jina's references have it. */
const others = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  async fetch(request) {
    if (new URL(request.url).pathname.endsWith('/rerank'))
      return Response.json({ results: [{ index: 1, relevance_score: 0.9 }], usage: { total_tokens: 7 } })
    await request.bytes()
    return Response.json({ text: `recording ${++heard}`, usage: { type: 'duration', seconds: 2 } })
  },
})

beforeAll(async () => {
  mock = await startMock({ words: 12 })
  gateway = await startGateway({
    yaml: {
      model_list: [
        { model_name: 'm', litellm_params: { model: 'openai/m', api_base: `${mock.url}/v1`, api_key: 'sk-up' } },
        {
          model_name: 'ears',
          litellm_params: {
            model: 'openai/whisper-1',
            api_base: `http://127.0.0.1:${others.port}/v1`,
            api_key: 'sk-up',
          },
        },
        {
          model_name: 'ranks',
          litellm_params: { model: 'jina_ai/r', api_base: `http://127.0.0.1:${others.port}/v1`, api_key: 'sk-up' },
        },
        { model_name: 'house', litellm_params: { model: 'ollama/house', api_base: mock.url } },
        {
          model_name: 'claude',
          litellm_params: { model: 'anthropic/claude', api_base: mock.url, api_key: 'sk-up' },
        },
      ],
      litellm_settings: { cache: true },
    },
  })
}, 60_000)
afterAll(async () => {
  await gateway?.stop()
  mock?.stop()
  others.stop(true)
})

interface Tongue {
  path(model: string, stream: boolean): string
  body(model: string, text: string, stream: boolean): object
  /** The text of an answer, whole or a stream. */
  text(said: string, stream: boolean): string
}

const datas = (said: string): Record<string, never>[] =>
  said
    .split('\n')
    .filter((line) => line.startsWith('data: ') && !line.includes('[DONE]'))
    .map((line) => JSON.parse(line.slice(6)))
const lines = (said: string): Record<string, never>[] =>
  said
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

const chat = (model: string, text: string, stream: boolean) => ({
  model,
  stream,
  max_tokens: 50,
  messages: [{ role: 'user', content: text }],
})

/* biome-ignore lint/suspicious/noExplicitAny: answers of other people's making */
const any = (value: unknown): any => value

const TONGUES: Record<string, Tongue> = {
  'openai-chat': {
    path: () => '/v1/chat/completions',
    body: chat,
    text: (said, stream) =>
      stream
        ? datas(said)
            .map((d) => any(d).choices[0]?.delta?.content ?? '')
            .join('')
        : any(JSON.parse(said)).choices[0].message.content,
  },
  anthropic: {
    path: () => '/v1/messages',
    body: chat,
    text: (said, stream) =>
      stream
        ? datas(said)
            .map((d) => any(d).delta?.text ?? '')
            .join('')
        : any(JSON.parse(said)).content[0].text,
  },
  'openai-responses': {
    path: () => '/v1/responses',
    body: (model, text, stream) => ({ model, stream, input: text, max_output_tokens: 50, store: false }),
    text: (said, stream) =>
      stream
        ? datas(said)
            .filter((d) => any(d).type === 'response.output_text.delta')
            .map((d) => any(d).delta)
            .join('')
        : any(JSON.parse(said)).output.find((item: unknown) => any(item).type === 'message').content[0].text,
  },
  'ollama-chat': {
    path: () => '/api/chat',
    body: (model, text, stream) => ({
      ...{ model, stream, options: { num_predict: 50 } },
      messages: [{ role: 'user', content: text }],
    }),
    text: (said, stream) =>
      stream
        ? lines(said)
            .map((d) => any(d).message?.content ?? '')
            .join('')
        : any(JSON.parse(said)).message.content,
  },
  gemini: {
    path: (model, stream) => `/v1beta/models/${model}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
    body: (_, text) => ({
      contents: [{ role: 'user', parts: [{ text }] }],
      generationConfig: { maxOutputTokens: 50 },
    }),
    text: (said, stream) =>
      (stream ? datas(said) : [JSON.parse(said)])
        .map((d) => any(d).candidates?.[0]?.content?.parts?.[0]?.text ?? '')
        .join(''),
  },
}

let n = 0
const post = async (path: string, body: unknown) => {
  const reply = await gateway.call('POST', path, body)
  return { cache: reply.headers.get('x-tollgate-cache'), status: reply.status, body: await reply.text() }
}
const say = async (name: string, model: string, text: string, stream: boolean) => {
  const tongue = TONGUES[name] as Tongue
  const said = await post(tongue.path(model, stream), tongue.body(model, text, stream))
  if (said.status !== 200) throw new Error(`${name}: ${said.status} ${said.body}`)
  return { ...said, text: tongue.text(said.body, stream) }
}

const names = Object.keys(TONGUES)
const forms = names.flatMap((name) => [false, true].map((stream) => ({ name, stream })))

describe.each(['m', 'house', 'claude'])('asked of %s', (model) => {
  test.each(forms)('first in $name (stream: $stream), then in every other way', async ({ name, stream }) => {
    const text = `What is number ${++n}?`
    const first = await say(name, model, text, stream)
    expect(first.text.length).toBeGreaterThan(10)
    const heard: string[] = []
    for (const other of forms) {
      const again = await say(other.name, model, text, other.stream)
      if (again.cache !== 'hit') heard.push(`${other.name} ${other.stream}: ${again.cache}`)
      else if (again.text !== first.text) heard.push(`${other.name} ${other.stream}: ${again.text}`)
    }
    expect(heard).toEqual([])
  })
})

test.each([
  ['/v1/embeddings', { model: 'm', input: ['a text', 'another'] }],
  ['/v1/completions', { model: 'm', prompt: 'Once upon', max_tokens: 20 }],
  ['/api/embed', { model: 'house', input: ['one', 'two'] }],
  ['/api/generate', { model: 'house', prompt: 'Twice upon', stream: false }],
  ['/v1/rerank', { model: 'ranks', query: 'q', documents: ['a', 'b'] }],
])('%s', async (path, body) => {
  const first = await post(path, body)
  const again = await post(path, body)
  expect([first.status, first.cache, again.cache, again.body]).toEqual([200, 'miss', 'hit', first.body])
})

test('a recording is known by what is in it', async () => {
  const form = (bytes: string) => {
    const data = new FormData()
    data.set('model', 'ears')
    data.set('file', new Blob([`RIFF${bytes}`], { type: 'audio/wav' }), `${Math.random()}.wav`)
    return data
  }
  const send = async (data: FormData) => {
    const headers = { authorization: `Bearer ${gateway.masterKey}` }
    const reply = await fetch(`${gateway.url}/v1/audio/transcriptions`, { method: 'POST', headers, body: data })
    return [reply.status, reply.headers.get('x-tollgate-cache'), await reply.text()]
  }
  const first = await send(form('one'))
  expect(first.slice(0, 2)).toEqual([200, 'miss'])
  expect(await send(form('one'))).toEqual([200, 'hit', first[2] as string])
  expect((await send(form('two')))[1]).toBe('miss')
})

test('speech, images and moderations are not kept', async () => {
  for (const [path, body] of [
    ['/v1/moderations', { model: 'm', input: 'x' }],
    ['/v1/images/generations', { model: 'm', prompt: 'x' }],
  ] as const)
    for (let i = 0; i < 2; i++) expect((await post(path, body)).cache).toBeNull()
})
