/** What OpenAI has beside chat, at others that have it: Azure under its own paths, rows as they offer it; and who has not. */
import { afterAll, beforeEach, describe, expect, test } from 'bun:test'
import { providers } from '../../providers/index.ts'
import { startWorld } from './world.ts'

let seen: { method: string; at: string; headers: Headers; body: string }[] = []
const upstream = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  async fetch(request, server) {
    const url = new URL(request.url)
    const at = url.pathname + url.search
    const body = Buffer.from(await request.arrayBuffer()).toString('latin1')
    seen.push({ method: request.method, at, headers: request.headers, body })
    if (request.headers.get('upgrade')) return server.upgrade(request) ? undefined : new Response(null, { status: 400 })
    if (url.pathname.endsWith('/speech')) return new Response('sound', { headers: { 'content-type': 'audio/mpeg' } })
    if (url.pathname.endsWith('/content')) return new Response('lines')
    if (url.pathname.includes('/files')) return Response.json({ id: 'file-1', object: 'file' })
    if (url.pathname.includes('/batches'))
      return Response.json({ id: `batch_${url.search.length}`, object: 'batch', status: 'in_progress' })
    return Response.json({ created: 1, data: [], text: 'said', results: [] })
  },
  websocket: {
    open: (ws) => void ws.send(JSON.stringify({ type: 'session.created', session: {} })),
    message() {},
  },
})
const base = `http://127.0.0.1:${upstream.port}`
const model = (name: string, id: string, api_base: string, more: object = {}) => ({
  model_name: name,
  litellm_params: { model: id, api_base, api_key: 'sk-up-0123456789', ...more },
})
const world = await startWorld({
  yaml: {
    model_list: [
      model('azure-v1', 'azure/my-dep', base),
      model('azure-dated', 'azure/my-dep', base, { api_version: '2025-04-01-preview' }),
      model('groq', 'groq/whisper-large-v3', `${base}/openai/v1`),
      model('xai', 'xai/grok-imagine', `${base}/v1`),
      model('mistral', 'mistral/voxtral-mini', `${base}/v1`),
      model('deepseek', 'deepseek/deepseek-chat', base),
      model('proxy', 'litellm_proxy/any', `${base}/v1`),
    ],
  },
})
const ask = await world.key()
beforeEach(() => {
  seen = []
})
afterAll(async () => {
  await world.gateway.stop()
  await upstream.stop(true)
})

function form(fields: Record<string, string | Blob>): FormData {
  const made = new FormData()
  for (const [name, value] of Object.entries(fields))
    if (typeof value === 'string') made.set(name, value)
    else made.set(name, value, 'it.bin')
  return made
}
const file = new Blob(['bytes'])
const at = () => seen.map((s) => `${s.method} ${s.at}`)

async function status(name: string, path: string): Promise<number> {
  const isForm = /edits|variations|transcriptions|translations/.test(path)
  const fields = { model: name, prompt: 'a gate', file, image: file }
  const body = isForm ? form(fields) : { model: name, prompt: 'a gate', input: 'hi', voice: 'alloy' }
  const reply = await ask('POST', `/v1${path}`, body)
  await reply.arrayBuffer()
  return reply.status
}

describe('Azure', () => {
  const DATED = 'api-version=2025-04-01-preview'

  test('has images and audio under its deployments, or in the v1 API', async () => {
    for (const path of ['/images/generations', '/images/edits', '/audio/speech', '/audio/transcriptions']) {
      seen = []
      expect([path, await status('azure-v1', path), await status('azure-dated', path)]).toEqual([path, 200, 200])
      expect(at()).toEqual([`POST /openai/v1${path}`, `POST /openai/deployments/my-dep${path}?${DATED}`])
      for (const { headers, body } of seen) {
        expect(headers.get('api-key')).toBe('sk-up-0123456789')
        expect(body).toContain('my-dep')
      }
    }
  })

  test('keeps files and runs batches beside its deployments', async () => {
    const line = (name: string) =>
      new Blob([
        `${JSON.stringify({ custom_id: 'r', method: 'POST', url: '/v1/chat/completions', body: { model: name, messages: [] } })}\n`,
      ])
    for (const [name, root, query] of [
      ['azure-v1', '/openai/v1', ''],
      ['azure-dated', '/openai', `?${DATED}`],
    ] as const) {
      seen = []
      const made = await ask('POST', '/v1/files', form({ purpose: 'batch', file: line(name) }))
      expect(made.status).toBe(200)
      expect(seen[0]?.body).toContain('"model":"my-dep"')
      const body = { input_file_id: 'file-1', endpoint: '/v1/chat/completions', completion_window: '24h' }
      expect((await ask('POST', '/v1/batches', body)).status).toBe(200)
      expect((await ask('GET', `/v1/batches/batch_${query.length}`)).status).toBe(200)
      expect(await (await ask('GET', '/v1/files/file-1/content')).text()).toBe('lines')
      expect((await ask('DELETE', '/v1/files/file-1')).status).toBe(200)
      expect(at()).toEqual([
        `POST ${root}/files${query}`,
        `POST ${root}/batches${query}`,
        `GET ${root}/batches/batch_${query.length}${query}`,
        `GET ${root}/files/file-1/content${query}`,
        `DELETE ${root}/files/file-1${query}`,
      ])
    }
  })

  test('talks: by model in the v1 API, by deployment before', async () => {
    for (const [name, path] of [
      ['azure-v1', '/openai/v1/realtime?model=my-dep'],
      ['azure-dated', `/openai/realtime?${DATED}&deployment=my-dep`],
      ['xai', '/v1/realtime?model=grok-imagine'],
    ] as const) {
      seen = []
      const url = `${world.gateway.url.replace('http', 'ws')}/v1/realtime?model=${name}`
      const socket = new WebSocket(url, { headers: { authorization: `Bearer ${ask.key}` } } as never)
      const first = await new Promise((resolve, reject) => {
        socket.onmessage = ({ data }) => resolve(JSON.parse(String(data)))
        socket.onclose = () => reject(new Error('closed'))
      })
      expect(first).toMatchObject({ type: 'session.created' })
      socket.close()
      expect(at()).toEqual([`GET ${path}`])
      expect(seen[0]?.headers.get(name === 'xai' ? 'authorization' : 'api-key')).toContain('sk-up-0123456789')
    }
  })
})

test('rows have what they offer, in OpenAI’s places', async () => {
  expect(await status('groq', '/audio/transcriptions')).toBe(200)
  expect(await status('xai', '/images/generations')).toBe(200)
  expect(await status('mistral', '/moderations')).toBe(200)
  for (const path of ['/images/variations', '/audio/translations', '/moderations', '/audio/speech'])
    expect([path, await status('proxy', path)]).toEqual([path, 200])
  expect(at().slice(0, 3)).toEqual([
    'POST /openai/v1/audio/transcriptions',
    'POST /v1/images/generations',
    'POST /v1/moderations',
  ])
  expect((await ask('POST', '/v1/files', form({ purpose: 'fine-tune', file, model: 'mistral' }))).status).toBe(200)
})

test('who does not offer it says who does', async () => {
  const told = async (reply: Response) => {
    const { error } = (await reply.json()) as { error: { message: string; param: string } }
    return [reply.status, error.param, error.message] as const
  }
  const image = await told(await ask('POST', '/v1/images/generations', { model: 'deepseek', prompt: 'x' }))
  expect(image.slice(0, 2)).toEqual([400, 'model'])
  expect(image[2]).toMatch(/'deepseek' has no images: deepseek does not offer it\. .*openai, azure,.* xai/)
  const speech = await told(await ask('POST', '/v1/audio/speech', { model: 'xai', input: 'x', voice: 'a' }))
  expect(speech[2]).toMatch(/has no speech: xai does not offer it\. .*groq/)
  const kept = await told(await ask('POST', '/v1/files', form({ purpose: 'user_data', file, model: 'deepseek' })))
  expect(kept[2]).toMatch(/No provider of 'deepseek' keeps files\. .*openai, azure,.*mistral/)
  // Mistral keeps files, but its batches are none of OpenAI's.
  const batch = new Blob([
    `${JSON.stringify({ custom_id: 'r', method: 'POST', url: '/v1/chat/completions', body: { model: 'mistral' } })}\n`,
  ])
  const none = await told(await ask('POST', '/v1/files', form({ purpose: 'batch', file: batch })))
  expect(none[2]).toMatch(/No provider of 'mistral' runs batches\. .*groq/)
  expect(none[2]).not.toMatch(/mistral,/)
  const reply = await ask('GET', '/v1/realtime?model=deepseek', undefined, {
    upgrade: 'websocket',
    connection: 'upgrade',
    'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    'sec-websocket-version': '13',
  })
  expect((await told(reply))[2]).toMatch(/The provider of 'deepseek' has no realtime\. .*azure,.*xai/)
  expect(seen).toEqual([])
})

test('whoever runs batches keeps the files that they are made of', () => {
  for (const { id, places } of providers)
    if (places?.batches !== undefined) expect([id, places.files !== undefined]).toEqual([id, true])
})
