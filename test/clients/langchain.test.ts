/** LangChain.js: its chat, responses and messages classes and its embeddings, against a target of each dialect. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { ChatAnthropic } from '@langchain/anthropic'
import type { BaseChatModel } from '@langchain/core/language_models/chat_models'
import { type AIMessageChunk, HumanMessage, SystemMessage, ToolMessage } from '@langchain/core/messages'
import { tool } from '@langchain/core/tools'
import { ChatOpenAI, ChatOpenAIResponses, OpenAIEmbeddings } from '@langchain/openai'
import { z } from 'zod'
import { type House, PROMPT, QUESTION, SYSTEM, startHouse, TARGETS, TEXT, thrown, WORDS } from './house.ts'

let house: House
beforeAll(async () => {
  house = await startHouse()
}, 60_000)
afterAll(() => house?.end())

const openaiFields = (model: string, key: string) => ({
  model,
  apiKey: key,
  maxRetries: 0,
  configuration: { baseURL: `${house.gateway.url}/v1` },
})
const WAYS = {
  chat: (model: string, key = house.gateway.masterKey) => new ChatOpenAI(openaiFields(model, key)),
  responses: (model: string, key = house.gateway.masterKey) => new ChatOpenAIResponses(openaiFields(model, key)),
  messages: (model: string, key = house.gateway.masterKey) =>
    new ChatAnthropic({ model, apiKey: key, anthropicApiUrl: house.gateway.url, maxRetries: 0, maxTokens: 500 }),
}
const ask = [new SystemMessage(SYSTEM), new HumanMessage(QUESTION)]
const place = z.object({ city: z.string(), days: z.number().int() })
const PLACE = { city: 'Paris', days: 7 }
const USAGE = { input_tokens: PROMPT, output_tokens: WORDS, total_tokens: PROMPT + WORDS }
const tools = ['get_weather', 'get_time'].map((name) =>
  tool(async ({ city }) => `${name} of ${city}: fine`, { name, description: `Calls ${name}`, schema: place }),
)

async function gather(stream: AsyncIterable<AIMessageChunk>): Promise<{ whole: AIMessageChunk; pieces: number }> {
  let whole: AIMessageChunk | undefined
  let pieces = 0
  for await (const chunk of stream) {
    whole = whole?.concat(chunk) ?? chunk
    if (chunk.text !== '') pieces++
  }
  if (!whole) throw new Error('nothing came')
  return { whole, pieces }
}

for (const [way, make] of Object.entries(WAYS))
  for (const target of TARGETS)
    describe(`${way} → ${target}`, () => {
      test('invoke, with its usage', async () => {
        const answer = await make(target).invoke(ask)
        expect(answer.text).toBe(TEXT)
        expect(answer.usage_metadata).toMatchObject(USAGE)
        expect(JSON.stringify(house.last())).toContain(SYSTEM)
      })

      test('stream, with its usage', async () => {
        const { whole, pieces } = await gather(await make(target).stream(ask))
        expect(whole.text).toBe(TEXT)
        expect(pieces).toBeGreaterThan(3)
        // ChatAnthropic reads the prompt's tokens from the first event, where only Anthropic knows them (ours is an estimate), and adds the
        // answer's of the first event (the mock's 1, as Anthropic's own) to those of the last, which has them all.
        const expected =
          way !== 'messages'
            ? USAGE
            : target === 'anthropic'
              ? { input_tokens: PROMPT, output_tokens: WORDS + 1 }
              : { output_tokens: WORDS }
        expect(whole.usage_metadata).toMatchObject(expected)
        const { input_tokens: input } = whole.usage_metadata as unknown as { input_tokens: number }
        expect(input).toBeGreaterThan(0)
      })

      test('parallel tools, whole and streamed, and an answer after their results', async () => {
        const bound = make(target).bindTools(tools)
        const whole = await bound.invoke(ask)
        const { whole: streamed } = await gather(await bound.stream(ask))
        for (const { tool_calls: calls = [] } of [whole, streamed]) {
          expect(calls).toMatchObject([
            { name: 'get_weather', args: PLACE },
            { name: 'get_time', args: PLACE },
          ])
          expect(new Set(calls.map(({ id }) => id)).size).toBe(2)
        }
        const results = await Promise.all(
          (whole.tool_calls ?? []).map(async (call) => {
            const used = tools.find(({ name }) => name === call.name)
            return (await used?.invoke({ ...call, type: 'tool_call' as const })) as ToolMessage
          }),
        )
        expect(results.every((result) => result instanceof ToolMessage)).toBeTrue()
        const after = await bound.invoke([...ask, whole, ...results])
        expect(after.text).toBe(TEXT)
        for (const { name } of tools) expect(JSON.stringify(house.last())).toContain(`${name} of Paris: fine`)
      })

      // Ollama can force no tool, and says so: LangChain then finds no call.
      const methods = target === 'ollama' ? (['jsonSchema'] as const) : (['jsonSchema', 'functionCalling'] as const)
      for (const method of methods)
        test(`withStructuredOutput by ${method}`, async () => {
          const model: BaseChatModel = make(target)
          expect(await model.withStructuredOutput(place, { method }).invoke(ask)).toEqual(PLACE)
        })

      test('an upstream that fails, and a stream that breaks off, are errors', async () => {
        expect(await thrown(make(`${target}-500`).invoke(ask))).toMatchObject({ status: 502 })
        expect((await thrown(make(`${target}-context`).invoke(ask))).message).toContain('maximum context length')
        let text = ''
        const broken = await thrown(
          (async () => {
            for await (const chunk of await make(`${target}-inband`).stream(ask)) text += chunk.text
          })(),
        )
        expect(broken.message).toContain('not the whole answer')
        expect(text.length).toBeGreaterThan(0)
        expect(TEXT.startsWith(text)).toBeTrue()
      })

      test('a caller who leaves stops the target', async () => {
        const before = house.mock.requests.length
        const abort = new AbortController()
        const left = thrown(
          (async () => {
            const stream = await make(`${target}-slow`).stream(ask, { signal: abort.signal })
            for await (const chunk of stream) if (chunk.text !== '') abort.abort()
          })(),
        )
        expect((await left).name).toContain('Abort')
        await house.mock.until((all) => all[before]?.abortedAt !== undefined, 2_000)
      })
    })

for (const [way, make] of Object.entries(WAYS))
  test(`${way}: what the caller did wrong is told apart`, async () => {
    expect(await thrown(make('no-such-model').invoke(ask))).toMatchObject({ status: 404 })
    expect(await thrown(make('openai', 'sk-wrong').invoke(ask))).toMatchObject({ status: 401 })
    const mine = await house.key({ rpm_limit: 1 })
    await make('openai', mine).invoke(ask)
    expect(await thrown(make('openai', mine).invoke(ask))).toMatchObject({ status: 429 })
  })

for (const target of ['openai', 'ollama', 'gemini'])
  test(`embeddings of ${target}`, async () => {
    const embeddings = new OpenAIEmbeddings({ ...openaiFields(target, house.gateway.masterKey) })
    const [first, second] = await embeddings.embedDocuments(['a gate on a road', 'another'])
    expect(first).toHaveLength(64)
    expect(second).not.toEqual(first as number[])
    const query = await embeddings.embedQuery('a gate on a road')
    for (const [i, value] of query.entries()) expect(first?.[i]).toBeCloseTo(value, 6)
  })
