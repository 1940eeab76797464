/** The mock is right if the real clients understand it. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import Anthropic from '@anthropic-ai/sdk'
import { Ollama } from 'ollama'
import OpenAI from 'openai'
import { textOf, words, wordsFor } from './answer.ts'
import { type Mock, startMock } from './upstream.ts'

let mock: Mock
let openai: OpenAI
let anthropic: Anthropic
let ollama: Ollama

beforeAll(async () => {
  mock = await startMock({ words: 12 })
  openai = new OpenAI({ baseURL: `${mock.url}/v1`, apiKey: 'sk-any', maxRetries: 0 })
  anthropic = new Anthropic({ baseURL: mock.url, apiKey: 'sk-any', maxRetries: 0 })
  ollama = new Ollama({ host: mock.url })
})
afterAll(() => mock.stop())

const messages = [
  { role: 'system' as const, content: 'Be brief now.' },
  { role: 'user' as const, content: 'Hello, what is the weather?' },
]
const PROMPT = words('Be brief now. Hello, what is the weather?')
const TEXT = wordsFor('Hello,', 12).join('')
const parameters = { type: 'object', properties: { city: { type: 'string' }, days: { type: 'integer' } } }
const tool = (name: string) => ({ type: 'function' as const, function: { name, description: name, parameters } })

test('openai: a whole chat', async () => {
  const reply = await openai.chat.completions.create({ model: 'm', messages })
  expect(reply.choices[0]?.message.content).toBe(TEXT)
  expect(reply.choices[0]?.finish_reason).toBe('stop')
  expect(reply.usage).toMatchObject({ prompt_tokens: PROMPT, completion_tokens: 12, total_tokens: PROMPT + 12 })
})

test('openai: a stream with usage, cut by max_tokens', async () => {
  const stream = await openai.chat.completions.create({
    model: 'm',
    messages,
    stream: true,
    max_tokens: 5,
    stream_options: { include_usage: true },
  })
  let text = ''
  let finish: string | null | undefined
  let usage: OpenAI.CompletionUsage | null | undefined
  const ids = new Set<string>()
  for await (const chunk of stream) {
    ids.add(chunk.id)
    text += chunk.choices[0]?.delta.content ?? ''
    finish = chunk.choices[0]?.finish_reason ?? finish
    usage = chunk.usage ?? usage
  }
  expect(text).toBe(wordsFor('Hello,', 12).slice(0, 5).join(''))
  expect(finish).toBe('length')
  expect(usage).toMatchObject({ prompt_tokens: PROMPT, completion_tokens: 5 })
  expect(ids.size).toBe(1)
})

test('openai: no usage in a stream that did not ask for it', async () => {
  const stream = await openai.chat.completions.create({ model: 'm', messages, stream: true })
  for await (const chunk of stream) {
    expect(chunk.choices).toHaveLength(1)
    expect(chunk.usage).toBeUndefined()
  }
})

test('openai: parallel tool calls, whole and streamed, then text after the result', async () => {
  const tools = [tool('get_weather'), tool('get_time')]
  const whole = await openai.chat.completions.create({ model: 'm', messages, tools })
  const calls = whole.choices[0]?.message.tool_calls ?? []
  expect(whole.choices[0]?.finish_reason).toBe('tool_calls')
  expect(calls.map((call) => call.type === 'function' && call.function.name)).toEqual(['get_weather', 'get_time'])
  const stream = openai.chat.completions.stream({ model: 'm', messages, tools })
  const streamed = await stream.finalChatCompletion()
  const first = streamed.choices[0]?.message.tool_calls?.[1]
  expect(first?.type === 'function' && JSON.parse(first.function.arguments)).toEqual({ city: 'Paris', days: 7 })
  const after = await openai.chat.completions.create({
    model: 'm',
    messages: [
      ...messages,
      { role: 'assistant', tool_calls: calls },
      { role: 'tool', tool_call_id: calls[0]!.id, content: '20 °C' },
    ],
    tools,
  })
  expect(after.choices[0]?.message.content).toBe(TEXT)
})

test('openai: a schema is answered with JSON that fits', async () => {
  const reply = await openai.chat.completions.create({
    model: 'm',
    messages,
    response_format: { type: 'json_schema', json_schema: { name: 'x', schema: parameters } },
  })
  expect(JSON.parse(reply.choices[0]?.message.content ?? '')).toEqual({ city: 'Paris', days: 7 })
})

test('openai: completions, embeddings as base64 and floats, models', async () => {
  const text = await openai.completions.create({ model: 'm', prompt: 'Once upon', max_tokens: 3 })
  expect(text.choices[0]?.text).toBe(wordsFor('Once', 3).join(''))
  let streamed = ''
  const stream = await openai.completions.create({ model: 'm', prompt: 'Once upon', max_tokens: 3, stream: true })
  for await (const chunk of stream) streamed += chunk.choices[0]?.text ?? ''
  expect(streamed).toBe(text.choices[0]!.text)
  const base64 = await openai.embeddings.create({ model: 'e', input: ['a b', 'c'], dimensions: 8 })
  const floats = await openai.embeddings.create({
    model: 'e',
    input: ['a b', 'c'],
    encoding_format: 'float',
    dimensions: 8,
  })
  expect([...base64.data[0]!.embedding]).toEqual(floats.data[0]!.embedding)
  expect(floats.usage.prompt_tokens).toBe(3)
  expect((await openai.models.list()).data[0]?.id).toBe('mock-model')
})

test('anthropic: whole, streamed, counted', async () => {
  const ask = {
    model: 'm',
    max_tokens: 8,
    system: 'Be brief now.',
    messages: [messages[1]!] as Anthropic.MessageParam[],
  }
  const whole = await anthropic.messages.create(ask)
  const text = wordsFor('Hello,', 8).join('')
  expect(whole.content[0]).toMatchObject({ type: 'text', text })
  expect(whole.stop_reason).toBe('max_tokens')
  expect(whole.usage).toMatchObject({ input_tokens: PROMPT, output_tokens: 8 })
  const final = await anthropic.messages.stream(ask).finalMessage()
  expect(final.content[0]).toMatchObject({ type: 'text', text })
  expect(final.usage.output_tokens).toBe(8)
  const { max_tokens: _, ...countable } = ask
  expect((await anthropic.messages.countTokens(countable)).input_tokens).toBe(PROMPT)
  const list = await anthropic.models.list()
  expect(list.data[0]).toMatchObject({ type: 'model', display_name: 'mock-model' })
})

test('anthropic: thinking with its signature, and tools', async () => {
  const ask: Anthropic.MessageCreateParamsNonStreaming = {
    model: 'm',
    max_tokens: 2000,
    messages: [messages[1]! as Anthropic.MessageParam],
  }
  const thinking = await anthropic.messages
    .stream({ ...ask, thinking: { type: 'enabled', budget_tokens: 1024 } })
    .finalMessage()
  expect(thinking.content.map((block) => block.type)).toEqual(['thinking', 'text'])
  expect(thinking.content[0]).toMatchObject({ signature: expect.stringMatching(/^sig-/) })
  const tools: Anthropic.Tool[] = ['get_weather', 'get_time'].map((name) => ({
    name,
    input_schema: { ...parameters, type: 'object' },
  }))
  const called = await anthropic.messages.stream({ ...ask, tools }).finalMessage()
  expect(called.stop_reason).toBe('tool_use')
  expect(called.content).toMatchObject([
    { type: 'tool_use', name: 'get_weather', input: { city: 'Paris', days: 7 } },
    { type: 'tool_use', name: 'get_time' },
  ])
})

test('ollama: chat, stream, tools, thinking, generate', async () => {
  const whole = await ollama.chat({ model: 'm', messages, options: { num_predict: 4 } })
  expect(whole).toMatchObject({ done: true, done_reason: 'length', prompt_eval_count: PROMPT, eval_count: 4 })
  let text = ''
  let counted = 0
  for await (const part of await ollama.chat({ model: 'm', messages, stream: true })) {
    text += part.message.content
    if (part.done) counted = part.eval_count
  }
  expect([text, counted]).toEqual([TEXT, 12])
  const called = await ollama.chat({ model: 'm', messages, tools: [tool('get_weather')] as never })
  expect(called.message.tool_calls?.[0]?.function).toMatchObject({ name: 'get_weather', arguments: { city: 'Paris' } })
  const thought = await ollama.chat({ model: 'm', messages, think: true })
  expect(thought.message.thinking).toBeTruthy()
  const generated = await ollama.generate({ model: 'm', prompt: 'Hello, you' })
  expect(generated.response).toBe(TEXT)
})

test('ollama: embeddings, the list, ps, pull, delete', async () => {
  const embedded = await ollama.embed({ model: 'e', input: ['a b', 'c'], dimensions: 8 })
  expect(embedded.embeddings).toHaveLength(2)
  expect(embedded.prompt_eval_count).toBe(3)
  expect((await ollama.embeddings({ model: 'e', prompt: 'a' })).embedding).toHaveLength(64)
  const steps: string[] = []
  for await (const step of await ollama.pull({ model: 'fresh', stream: true })) steps.push(step.status)
  expect(steps.at(-1)).toBe('success')
  expect((await ollama.list()).models.map((m) => m.name)).toContain('fresh:latest')
  await ollama.delete({ model: 'fresh' })
  expect((await ollama.list()).models.map((m) => m.name)).not.toContain('fresh:latest')
  mock.house.load('warm', { size: 100, sizeVram: 40 })
  expect((await ollama.ps()).models.find((m) => m.name === 'warm:latest')).toMatchObject({ size: 100, size_vram: 40 })
  expect((await ollama.show({ model: 'mock-model' })).capabilities).toContain('tools')
  expect((await ollama.version()).version).toMatch(/^\d/)
})

test('a prefill that begins the answer is gone on from', async () => {
  const half = wordsFor('Hello,', 12).slice(0, 6).join('')
  const reply = await openai.chat.completions.create({
    model: 'm',
    messages: [...messages, { role: 'assistant', content: half }],
  })
  expect(half + reply.choices[0]?.message.content).toBe(TEXT)
})

/** The SDKs' promises are lazy subclasses that `expect().rejects` does not await. */
const thrown = (promise: PromiseLike<unknown>): PromiseLike<unknown> =>
  promise.then(
    () => undefined,
    (cause) => cause,
  )

test('errors come in the shape of the dialect', async () => {
  const strict = await startMock({ models: ['only'], key: 'sk-right' })
  const bad = new OpenAI({ baseURL: `${strict.url}/v1`, apiKey: 'sk-wrong', maxRetries: 0 })
  const good = new OpenAI({ baseURL: `${strict.url}/v1`, apiKey: 'sk-right', maxRetries: 0 })
  const claude = new Anthropic({ baseURL: strict.url, apiKey: 'sk-right', maxRetries: 0 })
  const hi: Anthropic.MessageParam[] = [{ role: 'user', content: 'x' }]
  expect(await thrown(bad.chat.completions.create({ model: 'only', messages }))).toBeInstanceOf(
    OpenAI.AuthenticationError,
  )
  expect(await thrown(good.chat.completions.create({ model: 'other', messages }))).toBeInstanceOf(OpenAI.NotFoundError)
  expect(await thrown(good.chat.completions.create({ model: 'only', messages: [] }))).toBeInstanceOf(
    OpenAI.BadRequestError,
  )
  const missing = claude.messages.create({ model: 'other', max_tokens: 1, messages: hi })
  expect(await thrown(missing)).toBeInstanceOf(Anthropic.NotFoundError)
  strict.stop()
})

test('a padded answer has the size it was told', () => {
  const answer = { pieces: ['a', ' b'], padTo: 10 } as unknown as Parameters<typeof textOf>[0]
  expect(textOf(answer)).toHaveLength(20)
})
