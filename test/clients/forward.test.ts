/** Images, speech, moderation and reranking, passed on as they are: by the official client, through keys, limits and the ledger. */
import { afterAll, beforeEach, expect, test } from 'bun:test'
import OpenAI, { toFile } from 'openai'
import { startGateway } from '../support/gateway.ts'

interface Seen {
  path: string
  type: string
  body: Uint8Array
  key: string | null
}
let seen: Seen[] = []
let answer: (path: string) => Response = () => new Response('{}')

const upstream = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  async fetch(request) {
    const path = new URL(request.url).pathname
    seen.push({
      path,
      type: request.headers.get('content-type') ?? '',
      body: await request.bytes(),
      key: request.headers.get('authorization'),
    })
    return answer(path)
  },
})
const model = (name: string, more = {}) => ({
  model_name: name,
  litellm_params: {
    model: `openai/real-${name}`,
    api_base: `http://127.0.0.1:${upstream.port}/v1`,
    api_key: 'sk-up',
    input_cost_per_token: 1e-6,
    output_cost_per_token: 2e-6,
    ...more,
  },
})
const gateway = await startGateway({
  yaml: {
    model_list: [
      model('pic'),
      model('ear'),
      model('voice', {
        ...{ input_cost_per_token: 0, output_cost_per_token: 0 },
        ...{ input_cost_per_request: 0.01, input_cost_per_character: 0.000015 },
      }),
      model('token-voice'),
      model('minute-ear', { input_cost_per_token: 0, output_cost_per_token: 0, input_cost_per_second: 0.0001 }),
      model('judge'),
      { model_name: 'ollama', litellm_params: { model: 'ollama/x' } },
    ],
  },
})
const { key } = (await (await gateway.call('POST', '/key/generate', { max_budget: 10 })).json()) as { key: string }
const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: key, maxRetries: 0 })
beforeEach(() => {
  seen = []
})
afterAll(async () => {
  await gateway.stop()
  await upstream.stop(true)
})
const text = (s: Seen | undefined) => Buffer.from(s?.body ?? []).toString('latin1')
const lastRow = async () =>
  (
    (await (await gateway.call('GET', '/spend/logs?limit=1')).json()) as {
      spend: number
      call_type: string
      total_tokens: number
      usage_source: string
      spend_nano: number
    }[]
  )[0]

test('an image is made, with the usage that was reported', async () => {
  answer = () =>
    Response.json({
      created: 1,
      data: [{ b64_json: 'aGk=' }],
      usage: { input_tokens: 10, output_tokens: 1000, total_tokens: 1010 },
    })
  const made = await client.images.generate({ model: 'pic', prompt: 'a gate' })
  expect(made.data?.[0]?.b64_json).toBe('aGk=')
  expect(seen[0]).toMatchObject({ path: '/v1/images/generations', key: 'Bearer sk-up' })
  expect(JSON.parse(text(seen[0]))).toEqual({ model: 'real-pic', prompt: 'a gate' })
  expect(await lastRow()).toMatchObject({
    spend: 0.00201,
    call_type: 'aimage_generation',
    total_tokens: 1010,
    usage_source: 'provider',
  })
})

test('a form goes through byte for byte but for the model', async () => {
  const noise = new Uint8Array(50_000).map((_, i) => (i * 7919) % 256)
  answer = () =>
    Response.json({ text: 'hello', usage: { type: 'tokens', input_tokens: 5, output_tokens: 2, total_tokens: 7 } })
  const said = await client.audio.transcriptions.create({
    model: 'ear',
    file: await toFile(noise, 'a.wav'),
    language: 'en',
  })
  expect(said.text).toBe('hello')
  expect(seen[0]?.path).toBe('/v1/audio/transcriptions')
  expect(seen[0]?.type).toStartWith('multipart/form-data')
  const form = await new Response(seen[0]?.body as Uint8Array<ArrayBuffer>, {
    headers: { 'content-type': seen[0]?.type ?? '' },
  }).formData()
  expect(form.get('model')).toBe('real-ear')
  expect(form.get('language')).toBe('en')
  expect(new Uint8Array(await (form.get('file') as File).arrayBuffer())).toEqual(noise)
  expect((await lastRow())?.total_tokens).toBe(7)
})

test('a transcription as text stays text, and as events stays events', async () => {
  answer = () => new Response('just words', { headers: { 'content-type': 'text/plain' } })
  const plain = await client.audio.transcriptions.create({
    model: 'ear',
    file: await toFile(new Uint8Array(9), 'a.wav'),
    response_format: 'text',
  })
  expect(plain as unknown).toBe('just words')
  const events = [
    '{"type":"transcript.text.delta","delta":"hi"}',
    '{"type":"transcript.text.done","text":"hi","usage":{"type":"tokens","input_tokens":3,"output_tokens":1,"total_tokens":4}}',
  ]
  answer = () =>
    new Response(events.map((e) => `data: ${e}\n\n`).join(''), { headers: { 'content-type': 'text/event-stream' } })
  const stream = await client.audio.transcriptions.create({
    model: 'ear',
    file: await toFile(new Uint8Array(9), 'a.wav'),
    stream: true,
  })
  const types: string[] = []
  for await (const event of stream) types.push(event.type)
  expect(types).toEqual(['transcript.text.delta', 'transcript.text.done'])
  await Bun.sleep(60)
  expect((await lastRow())?.total_tokens).toBe(4)
})

test('events that end with [DONE] are whole', async () => {
  const events =
    'data: {"type":"image_generation.completed","usage":{"input_tokens":2,"output_tokens":3}}\n\ndata: [DONE]\n\n'
  answer = () => new Response(events, { headers: { 'content-type': 'text/event-stream' } })
  const reply = await fetch(`${gateway.url}/v1/images/generations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify({ model: 'pic', prompt: 'a gate', stream: true }),
  })
  expect(await reply.text()).toBe(events)
  await Bun.sleep(60)
  expect(await lastRow()).toMatchObject({ total_tokens: 5, usage_source: 'provider' })
})

test('speech is bytes, and costs what its characters and a request cost', async () => {
  const sound = new Uint8Array(30_000).map((_, i) => i % 251)
  answer = () => new Response(sound, { headers: { 'content-type': 'audio/mpeg' } })
  const said = await client.audio.speech.create({ model: 'voice', voice: 'alloy', input: 'Grüße 🚦' })
  expect(said.headers.get('content-type')).toBe('audio/mpeg')
  expect(new Uint8Array(await said.arrayBuffer())).toEqual(sound)
  await Bun.sleep(60)
  expect(await lastRow()).toMatchObject({
    ...{ spend_nano: 10_000_000 + 7 * 15_000, call_type: 'aspeech', characters: 7, usage_source: 'counted' },
  })
})

test('a voice that is sold by the token, and tells none, is estimated', async () => {
  answer = () => new Response(new Uint8Array(30), { headers: { 'content-type': 'audio/mpeg' } })
  await (
    await client.audio.speech.create({ model: 'token-voice', voice: 'alloy', input: 'x'.repeat(100) })
  ).arrayBuffer()
  await Bun.sleep(60)
  expect(await lastRow()).toMatchObject({
    ...{ prompt_tokens: 25, completion_tokens: 140, audio_output_tokens: 140, usage_source: 'estimated' },
    spend_nano: 25 * 1_000 + 140 * 2_000,
  })
})

/** Seconds of silence at 8 kHz, 8 bits. */
function silence(seconds: number): Uint8Array {
  const bytes = seconds * 8_000
  const wav = Buffer.alloc(44 + bytes)
  wav.write('RIFF', 0)
  wav.write('WAVEfmt ', 8)
  for (const [at, n] of [
    [16, 16],
    [24, 8_000],
    [28, 8_000],
    [40, bytes],
  ] as const)
    wav.writeUInt32LE(n, at)
  for (const [at, n] of [
    [20, 1],
    [22, 1],
    [32, 1],
    [34, 8],
  ] as const)
    wav.writeUInt16LE(n, at)
  wav.write('data', 36)
  return new Uint8Array(wav)
}

test('a recording is paid by its length, as its answer tells it, else as its file does', async () => {
  const hear = async (model: string, reply: Response, format: 'text' | 'json') => {
    answer = () => reply
    const file = await toFile(silence(30), 'a.wav')
    await client.audio.transcriptions.create({ model, file, response_format: format })
    await Bun.sleep(60)
    return await lastRow()
  }
  const plain = () => new Response('just words', { headers: { 'content-type': 'text/plain' } })
  const told = Response.json({ text: 'x', usage: { type: 'duration', seconds: 31 } })
  expect(await hear('minute-ear', told, 'json')).toMatchObject({
    media_ms: 31_000,
    spend_nano: 3_100_000,
    usage_source: 'provider',
  })
  expect(await hear('minute-ear', plain(), 'text')).toMatchObject({
    media_ms: 30_000,
    spend_nano: 3_000_000,
    usage_source: 'counted',
  })
  // By the token it is a thousand a minute.
  expect(await hear('ear', plain(), 'text')).toMatchObject({
    audio_input_tokens: 500,
    spend_nano: 500_000,
    usage_source: 'estimated',
  })
})

test('moderation and reranking, in both of its paths', async () => {
  answer = () => Response.json({ id: 'm', model: 'x', results: [{ flagged: false }] })
  expect((await client.moderations.create({ model: 'judge', input: 'hi' })).results[0]?.flagged).toBe(false)
  answer = () =>
    Response.json({ results: [{ index: 1, relevance_score: 0.9 }], meta: { billed_units: { search_units: 1 } } })
  for (const path of ['/v1/rerank', '/v2/rerank', '/rerank']) {
    const reply = await fetch(gateway.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}` },
      body: JSON.stringify({ model: 'judge', query: 'q', documents: ['a', 'b'] }),
    })
    expect(((await reply.json()) as { results: unknown[] }).results).toHaveLength(1)
  }
  expect(seen.slice(1).map((s) => s.path)).toEqual(['/v1/rerank', '/v1/rerank', '/v1/rerank'])
})

test("Azure's paths name the model", async () => {
  answer = () =>
    Response.json({
      id: 'c',
      object: 'chat.completion',
      created: 1,
      model: 'm',
      choices: [{ index: 0, message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
    })
  const reply = await fetch(`${gateway.url}/openai/deployments/judge/chat/completions?api-version=2024-10-21`, {
    method: 'POST',
    headers: { 'api-key': key },
    body: JSON.stringify({ messages: [{ role: 'user', content: 'hi' }] }),
  })
  expect(reply.status).toBe(200)
  expect(JSON.parse(text(seen[0]))).toMatchObject({ model: 'real-judge' })
  const lost = await fetch(`${gateway.url}/openai/deployments/judge/nonsense`, {
    method: 'POST',
    headers: { 'api-key': key },
    body: '{}',
  })
  expect(lost.status).toBe(404)
})

test('what cannot be is said clearly', async () => {
  const failed = (promise: Promise<unknown>) =>
    promise.then(
      () => undefined,
      (e: { status: number; param?: string; message: string }) => e,
    )
  expect(await failed(client.images.generate({ model: 'pic' } as never))).toMatchObject({
    status: 400,
    param: 'prompt',
  })
  expect(await failed(client.images.generate({ model: 'ollama', prompt: 'x' }))).toMatchObject({
    status: 400,
    param: 'model',
  })
  expect(
    await failed(client.audio.transcriptions.create({ model: 'nope', file: await toFile(new Uint8Array(1), 'a') })),
  ).toMatchObject({ status: 404 })
  answer = () => Response.json({ error: { message: 'sk-up is out of credit' } }, { status: 500 })
  const broken = await failed(client.images.generate({ model: 'pic', prompt: 'x' }))
  expect(broken?.status).toBe(502)
  expect(broken?.message).not.toContain('sk-up')
  for (const body of ['--b\r\nnonsense', '', '--b\r\ncontent-disposition: form-data; name="model"\r\n\r\near']) {
    const reply = await fetch(`${gateway.url}/v1/audio/transcriptions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'multipart/form-data; boundary=b' },
      body,
    })
    expect(reply.status).toBe(400)
  }
})
