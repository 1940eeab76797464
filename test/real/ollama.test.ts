/** A real Ollama answers as the mock and the dialects believe it does. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { Ollama } from 'ollama'
import { type RealOllama, startOllama } from './ollama.ts'

let server: RealOllama
let client: Ollama
beforeAll(async () => {
  server = await startOllama()
  client = new Ollama({ host: server.url })
}, 60_000)
afterAll(() => server?.stop())

const messages = [{ role: 'user', content: 'Hello, what is the weather?' }]
const tool = (name: string, argument: string) => ({
  type: 'function',
  function: {
    name,
    description: name,
    parameters: { type: 'object', required: [argument], properties: { [argument]: { type: 'string' } } },
  },
})

test('it lists the tiny models with their tag', async () => {
  const names = (await client.list()).models.map((model) => model.name).sort()
  expect(names).toEqual(['tiny-chat:latest', 'tiny-embed:latest', 'tiny-loop:latest', 'tiny-think:latest'])
})

test('a stream is cut by num_predict and counts its tokens', async () => {
  const parts: string[] = []
  let last: { done_reason: string; eval_count: number; prompt_eval_count: number } | undefined
  const options = { num_predict: 12, seed: 7 }
  for await (const part of await client.chat({ model: 'tiny-chat', messages, options, stream: true })) {
    if (part.done) last = part
    else parts.push(part.message.content)
  }
  expect(parts).toHaveLength(12)
  expect(last).toMatchObject({ done_reason: 'length', eval_count: 12, prompt_eval_count: 15 })
})

test('two tools offered give two calls, with arguments as objects', async () => {
  const tools = [tool('get_weather', 'city'), tool('get_time', 'tz')]
  const reply = await client.chat({ model: 'tiny-chat', messages, tools, options: { seed: 7 } })
  const calls = reply.message.tool_calls?.map((call) => call.function) ?? []
  expect(calls.map((call) => call.name)).toEqual(['get_weather', 'get_time'])
  for (const call of calls) expect(call.arguments).toBeObject()
  expect(reply.done_reason).toBe('stop')
})

test('a model that thinks says its thoughts apart', async () => {
  const reply = await client.chat({ model: 'tiny-think', messages, think: true, options: { seed: 7 } })
  expect(reply.message.thinking).toBeTruthy()
  expect(reply.message.content).not.toContain('<think>')
})

test('embeddings have 64 dimensions and count their tokens', async () => {
  const reply = await client.embed({ model: 'tiny-embed', input: ['hello world', 'the cat'] })
  expect(reply.embeddings.map((vector) => vector.length)).toEqual([64, 64])
  expect(reply.prompt_eval_count).toBe(8)
})

test('an unknown model is 404 in the native shape', async () => {
  const body = JSON.stringify({ model: 'no-such-model', messages })
  const reply = await fetch(`${server.url}/api/chat`, { method: 'POST', body })
  expect(reply.status).toBe(404)
  expect(await reply.json()).toEqual({ error: "model 'no-such-model' not found" })
})
