/** A model that needs leave is closed by every way in: passed through by any name, as keeper of files, in a batch. */
import { afterAll, beforeEach, expect, test } from 'bun:test'
import { startUpstream, startWorld } from './world.ts'

const upstream = startUpstream()
const PRICED = { input_cost_per_token: 1e-6, output_cost_per_token: 2e-6 }
const entry = (name: string, model: string, needs_grant: boolean) => ({
  model_name: name,
  litellm_params: { model, api_base: `http://127.0.0.1:${upstream.port}/v1`, api_key: 'sk-up', ...PRICED },
  model_info: { needs_grant },
})
const world = await startWorld({
  yaml: {
    model_list: [
      entry('dear', 'openai/real-dear', true),
      entry('dear-twin', 'openai/twin', true),
      entry('open-twin', 'openai/twin', false),
    ],
  },
})
beforeEach(() => {
  upstream.seen = []
  upstream.answer = () => Response.json({ id: 'file-1', object: 'file', purpose: 'batch' })
})
afterAll(async () => {
  await world.gateway.stop()
  await upstream.stop()
})

const give = async (key: string) => {
  const ask = await fetch(`${world.gateway.url}/grant/ask`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify({ model: 'dear', reason: 'why not' }),
  })
  const { id } = (await ask.json()) as { id: string }
  expect((await world.gateway.call('POST', '/grant/approve', { id, expires_in: '1h' })).status).toBe(200)
}

test('passed through, by our name and by the provider’s', async () => {
  const key = await world.key({ allowed_passthrough_routes: ['*'] })
  const send = (model: string) => key('POST', '/openai/v1/fine_tuning/jobs', { model, max_tokens: 5 })
  for (const model of ['dear', 'real-dear']) {
    const reply = await send(model)
    expect([reply.status, ((await reply.json()) as { error: object }).error]).toMatchObject([
      403,
      { code: 'grant_required' },
    ])
  }
  expect(upstream.seen).toHaveLength(0)
  await give(key.key)
  for (const model of ['dear', 'real-dear']) expect((await send(model)).status).toBe(200)
  // What two aliases stand for is reached by the one that is open.
  expect((await send('twin')).status).toBe(200)
  expect(await world.rows(1)).toMatchObject([{ model: 'twin', model_group: 'open-twin' }])
})

test('files and batches', async () => {
  const key = await world.key({ models: ['dear', 'dear-twin'] })
  const upload = (fields: Record<string, string>, lines = 'x') => {
    const form = new FormData()
    for (const [name, value] of Object.entries(fields)) form.set(name, value)
    form.set('file', new File([lines], 'a.jsonl'))
    const headers = { authorization: `Bearer ${key.key}` }
    return fetch(`${world.gateway.url}/v1/files`, { method: 'POST', headers, body: form })
  }
  const line = JSON.stringify({
    custom_id: '1',
    method: 'POST',
    url: '/v1/chat/completions',
    body: { model: 'dear', messages: [] },
  })
  const closed = async () => [
    (await upload({ purpose: 'assistants', model: 'dear' })).status,
    (await upload({ purpose: 'batch' }, line)).status,
  ]
  expect(await closed()).toEqual([403, 403])
  expect(upstream.seen).toHaveLength(0)
  // Without a name it would go to the first that is open to this key.
  const unnamed = await upload({ purpose: 'assistants' })
  expect([unnamed.status, await unnamed.text()]).toEqual([400, expect.stringContaining('that this API key may use')])
  await give(key.key)
  expect(await closed()).toEqual([200, 200])
  expect((await upload({ purpose: 'assistants' })).status).toBe(200)
})
