/** Who waits long with a stream is told his place in it; what goes wrong then is told in it. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { type Mock, startMock } from '../mock/upstream.ts'
import { ask } from '../support/ask.ts'
import { atRest } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'

let gpu: Mock
let gateway: Gateway
beforeAll(async () => {
  gpu = await startMock({ words: 5, slots: 1 })
  gateway = await startGateway({
    yaml: {
      model_list: [{ model_name: 'house', litellm_params: { model: 'ollama/m', api_base: gpu.url } }],
      tollgate: { heartbeat: 0.3, backends: { [gpu.url]: { slots: 1, queue_timeout: 2 } } },
    },
  })
})
afterAll(async () => {
  await atRest(gateway)
  await gateway.stop()
  gpu.stop()
})

/** Takes the slot for so long. */
async function occupy(ms: number): Promise<() => Promise<unknown>> {
  gpu.plan('m', [{ delayFirst: ms }, {}])
  const stop = new AbortController()
  const count = gpu.of('m').length
  const first = ask(gateway, { model: 'house', signal: stop.signal }).catch(() => 'left')
  await gpu.until(() => gpu.of('m').length > count)
  return () => {
    stop.abort()
    return first
  }
}
const waiting = async (): Promise<number> => {
  const { data } = (await (await gateway.call('GET', '/backends')).json()) as { data: { queue: { waiting: number } }[] }
  return data[0]?.queue.waiting ?? -1
}

test('comments tell the place, then comes the whole answer', async () => {
  const done = await occupy(1_000)
  const said = await ask(gateway, { model: 'house', stream: true })
  expect(said).toMatchObject({ status: 200, whole: true, garbage: [] })
  expect(said.headers.get('x-tollgate-queue')).toMatch(/^place=1; wait=\d+s$/)
  expect(said.body.match(/^: queued, place 1, about \d+ s$/gm)?.length).toBeGreaterThanOrEqual(2)
  expect(said.body).toContain(': answered by ollama/m\n')
  await done()
})

test('clients of OpenAI and Anthropic read past them', async () => {
  const openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: gateway.masterKey, maxRetries: 0 })
  const anthropic = new Anthropic({ baseURL: gateway.url, apiKey: gateway.masterKey, maxRetries: 0 })
  const messages = [{ role: 'user' as const, content: 'Hi there' }]
  let done = await occupy(800)
  let text = ''
  for await (const chunk of await openai.chat.completions.create({ model: 'house', messages, stream: true }))
    text += chunk.choices[0]?.delta.content ?? ''
  expect(text).toStartWith('Hi ')
  await done()
  done = await occupy(800)
  const message = await anthropic.messages.stream({ model: 'house', messages, max_tokens: 50 }).finalMessage()
  expect(message.content[0]).toMatchObject({ type: 'text', text })
  await done()
})

test('whoever is not let in after all is told so in his stream', async () => {
  const done = await occupy(4_000)
  const said = await ask(gateway, { model: 'house', stream: true })
  expect(said).toMatchObject({ status: 200, whole: false, finish: undefined })
  expect(said.error).toContain('No slot of the model')
  await done()
})

test('a dialect without comments waits in silence, and is told by a status', async () => {
  const done = await occupy(4_000)
  expect((await ask(gateway, { tongue: 'ollama', model: 'house', stream: true })).status).toBe(503)
  await done()
})

test('whoever leaves while he is told frees his place, and what would have come for him is not asked for', async () => {
  const done = await occupy(3_000)
  const stop = new AbortController()
  const reply = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${gateway.masterKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'house', stream: true, messages: [{ role: 'user', content: 'Hi' }] }),
    signal: stop.signal,
  })
  expect(await waiting()).toBe(1)
  const count = gpu.of('m').length
  const left = performance.now()
  stop.abort()
  while ((await waiting()) > 0 && performance.now() - left < 2_000) await Bun.sleep(5)
  expect(performance.now() - left).toBeLessThan(100)
  await reply.text().catch(() => '')
  await done()
  await Bun.sleep(100)
  expect(gpu.of('m').length).toBe(count)
})
