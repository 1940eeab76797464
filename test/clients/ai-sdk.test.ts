/** The Vercel AI SDK, in each dialect that it speaks, against a target of each dialect. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createAnthropic } from '@ai-sdk/anthropic'
import { createOpenAI } from '@ai-sdk/openai'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import {
  APICallError,
  embed,
  embedMany,
  generateText,
  isStepCount,
  type LanguageModel,
  Output,
  streamText,
  type ToolSet,
  tool,
} from 'ai'
import { z } from 'zod'
import {
  begin,
  type House,
  PIXEL,
  PROMPT,
  QUESTION,
  SYSTEM,
  startHouse,
  TARGETS,
  TEXT,
  thrown,
  WORDS,
} from './house.ts'

// What the SDK says of models that it does not know.
globalThis.AI_SDK_LOG_WARNINGS = false

let house: House
beforeAll(async () => {
  house = await startHouse()
}, 60_000)
afterAll(() => house?.end())

type Make = (model: string, key?: string) => LanguageModel
const at = (apiKey = house.gateway.masterKey) => ({ baseURL: `${house.gateway.url}/v1`, apiKey })
const compatible = (key?: string) =>
  createOpenAICompatible({ name: 'tollgate', ...at(key), includeUsage: true, supportsStructuredOutputs: true })
const WAYS: Readonly<Record<string, Make>> = {
  chat: (model, key) => createOpenAI(at(key)).chat(model),
  compatible: (model, key) => compatible(key).chatModel(model),
  responses: (model, key) => createOpenAI(at(key)).responses(model),
  messages: (model, key) => createAnthropic(at(key))(model),
}
const ask = { instructions: SYSTEM, prompt: QUESTION, maxRetries: 0 }
const place = z.object({ city: z.string(), days: z.number().int() })
const PLACE = { city: 'Paris', days: 7 }

/** Two tools that tell what they were called with. */
function tools(): { set: ToolSet; called: unknown[] } {
  const called: unknown[] = []
  const one = (name: string, result: string) =>
    tool({
      description: `Calls ${name}`,
      inputSchema: place,
      execute: async (input) => {
        called.push({ name, input })
        return result
      },
    })
  return { set: { get_weather: one('get_weather', '20 °C'), get_time: one('get_time', 'half past ten') }, called }
}
const CALLED = ['get_weather', 'get_time'].map((name) => ({ name, input: PLACE }))

for (const [way, make] of Object.entries(WAYS))
  for (const target of TARGETS)
    describe(`${way} → ${target}`, () => {
      test('a whole text with its usage', async () => {
        const { text, finishReason, usage } = await generateText({ ...ask, model: make(target) })
        expect([text, finishReason]).toEqual([TEXT, 'stop'])
        expect(usage).toMatchObject({ inputTokens: PROMPT, outputTokens: WORDS })
        expect(JSON.stringify(house.last())).toContain(SYSTEM)
      })

      test('a streamed text in pieces, cut where it was asked to be', async () => {
        const stream = streamText({ ...ask, model: make(target), maxOutputTokens: 16 })
        const pieces: string[] = []
        for await (const piece of stream.textStream) pieces.push(piece)
        expect(pieces.join('')).toBe(TEXT)
        expect(pieces.length).toBeGreaterThan(3)
        expect(await stream.finishReason).toBe('stop')
        expect(await stream.usage).toMatchObject({ inputTokens: PROMPT, outputTokens: WORDS })
        const short = streamText({ ...ask, model: make(target), maxOutputTokens: 5 })
        expect([await short.text, await short.finishReason]).toEqual([begin(5), 'length'])
      })

      test('parallel tools, and an answer after their results', async () => {
        const { set, called } = tools()
        const whole = await generateText({ ...ask, model: make(target), tools: set, stopWhen: isStepCount(3) })
        expect(called).toEqual(CALLED)
        expect(whole.steps.map((step) => step.finishReason)).toEqual(['tool-calls', 'stop'])
        expect(new Set(whole.steps[0]?.toolCalls.map((call) => call.toolCallId)).size).toBe(2)
        expect(whole.text).toBe(TEXT)
        const sent = JSON.stringify(house.last())
        expect(sent).toContain('20 °C')
        expect(sent).toContain('half past ten')
      })

      test('the same, streamed', async () => {
        const { set, called } = tools()
        const stream = streamText({ ...ask, model: make(target), tools: set, stopWhen: isStepCount(3) })
        expect(await stream.text).toBe(TEXT)
        expect((await stream.steps).map((step) => step.finishReason)).toEqual(['tool-calls', 'stop'])
        expect(called).toEqual(CALLED)
        expect(JSON.stringify(house.last())).toContain('half past ten')
      })

      test('one tool where it is named', async () => {
        const { set } = tools()
        const toolChoice = { type: 'tool' as const, toolName: 'get_time' }
        const asked = { ...ask, model: make(target), tools: set, toolChoice }
        // Ollama can force none, and says so.
        if (target === 'ollama') {
          const { response } = await generateText(asked).catch((cause) => ({ response: cause }))
          expect(JSON.stringify(response.headers ?? response.responseHeaders)).toContain('tool_choice')
        } else {
          const { toolCalls } = await generateText(asked)
          expect(toolCalls).toMatchObject([{ toolName: 'get_time', input: PLACE }])
        }
      })

      test('structured output, whole and streamed', async () => {
        const output = Output.object({ schema: place })
        const whole = await generateText({ ...ask, model: make(target), output })
        expect(whole.output).toEqual(PLACE)
        const stream = streamText({ ...ask, model: make(target), output })
        let last: unknown
        for await (const partial of stream.partialOutputStream) last = partial
        expect(last).toEqual(PLACE)
        expect(await stream.output).toEqual(PLACE)
      })

      test('an image goes along', async () => {
        const content = [
          { type: 'text' as const, text: QUESTION },
          { type: 'file' as const, data: PIXEL, mediaType: 'image/png' },
        ]
        const messages = [{ role: 'user' as const, content }]
        const { text } = await generateText({ model: make(target), messages, maxRetries: 0 })
        expect(text).toBe(TEXT)
        expect(JSON.stringify(house.last())).toContain(PIXEL)
      })

      test('thinking comes as reasoning', async () => {
        const stream = streamText({ ...ask, model: make(`${target}-think`) })
        expect(await stream.text).toBe(TEXT)
        // OpenAI's own chat has no word for reasoning, and the SDK's class for it reads none.
        if (way !== 'chat') expect(await stream.reasoningText).toContain('Let')
      })

      test('an upstream that fails may be tried again; a prompt too long may not', async () => {
        const failed = await thrown(generateText({ ...ask, model: make(`${target}-500`) }))
        expect(APICallError.isInstance(failed)).toBeTrue()
        expect(failed.isRetryable).toBeTrue()
        const long = await thrown(generateText({ ...ask, model: make(`${target}-context`) }))
        expect(long).toMatchObject({ statusCode: 400, isRetryable: false })
        expect(long.message).toContain('maximum context length')
      })

      test('an answer that breaks off in the middle is an error', async () => {
        const errors: unknown[] = []
        let text = ''
        const stream = streamText({
          ...ask,
          model: make(`${target}-inband`),
          onError: ({ error }) => void errors.push(error),
        })
        for await (const part of stream.stream) {
          if (part.type === 'text-delta') text += part.text
          if (part.type === 'finish') expect(part.finishReason).toBe('error')
        }
        expect(text.length).toBeGreaterThan(0)
        expect(TEXT.startsWith(text)).toBeTrue()
        expect(errors).toHaveLength(1)
        expect(JSON.stringify(errors[0]) + String(errors[0])).toContain('not the whole answer')
      })

      test('a caller who leaves stops the target', async () => {
        const before = house.mock.requests.length
        const abort = new AbortController()
        const stream = streamText({ ...ask, model: make(`${target}-slow`), abortSignal: abort.signal })
        let ended = false
        for await (const part of stream.stream) {
          if (part.type === 'text-delta') abort.abort()
          if (part.type === 'abort') ended = true
        }
        expect(ended).toBeTrue()
        await house.mock.until((all) => all[before]?.abortedAt !== undefined, 2_000)
        const whole = thrown(
          generateText({ ...ask, model: make(`${target}-hang`), abortSignal: AbortSignal.timeout(150) }),
        )
        expect((await whole).name).toMatch(/Abort|Timeout/)
        await house.mock.until((all) => all[before + 1]?.abortedAt !== undefined, 2_000)
      })
    })

for (const [way, make] of Object.entries(WAYS)) {
  test(`${way}: what the caller did wrong is told apart`, async () => {
    const missing = await thrown(generateText({ ...ask, model: make('no-such-model') }))
    expect(missing).toMatchObject({ statusCode: 404, isRetryable: false })
    expect(missing.message).toContain('no-such-model')
    expect(await thrown(generateText({ ...ask, model: make('openai', 'sk-wrong') }))).toMatchObject({ statusCode: 401 })
    const other = await house.key({ models: ['ollama'] })
    expect(await thrown(generateText({ ...ask, model: make('openai', other) }))).toMatchObject({ statusCode: 403 })
  })

  test(`${way}: the SDK waits out a rate limit as long as retry-after says`, async () => {
    const key = await house.key({ max_parallel_requests: 1 })
    const slow = streamText({ ...ask, model: make('openai-slow', key) })
    const first = slow.text
    // Its headers are there: it holds the one place.
    for await (const _ of slow.textStream) break
    const refused = await thrown(generateText({ ...ask, model: make('openai', key) }))
    expect(refused).toMatchObject({ statusCode: 429, isRetryable: true })
    expect((refused.responseHeaders as Record<string, string>)['retry-after']).toBe('1')
    expect((await generateText({ ...ask, model: make('openai', key), maxRetries: 3 })).text).toBe(TEXT)
    expect(await first).toBe(TEXT)
  })
}

for (const target of ['openai', 'ollama', 'gemini'])
  for (const way of ['openai', 'compatible'])
    test(`${way} embeddings of ${target}: one and many, the same each time`, async () => {
      const model = way === 'openai' ? createOpenAI(at()).embedding(target) : compatible().embeddingModel(target)
      const one = await embed({ model, value: 'a gate on a road', maxRetries: 0 })
      const many = await embedMany({ model, values: ['a gate on a road', 'another'], maxRetries: 0 })
      expect(one.embedding).toHaveLength(64)
      expect(many.embeddings).toHaveLength(2)
      for (const [i, value] of one.embedding.entries()) expect(many.embeddings[0]?.[i]).toBeCloseTo(value, 6)
      expect(many.embeddings[1]).not.toEqual(many.embeddings[0])
      // Gemini reports no tokens here.
      expect(many.usage.tokens).toBe(target === 'gemini' ? 0 : 6)
    })
