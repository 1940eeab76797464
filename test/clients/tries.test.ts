/** Clients that try again: a target that limits its rate once is waited for as long as it says, and then answers. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { createAnthropic } from '@ai-sdk/anthropic'
import { createOpenAI } from '@ai-sdk/openai'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import { ChatAnthropic } from '@langchain/anthropic'
import { ChatOpenAI, ChatOpenAIResponses } from '@langchain/openai'
import { generateText, type LanguageModel } from 'ai'
import OpenAI from 'openai'
import { type House, QUESTION, startHouse, TARGETS, TEXT, thrown } from './house.ts'

globalThis.AI_SDK_LOG_WARNINGS = false

let house: House
beforeAll(async () => {
  house = await startHouse()
}, 60_000)
afterAll(() => house?.end())

const at = () => ({ baseURL: `${house.gateway.url}/v1`, apiKey: house.gateway.masterKey })
const messages = [{ role: 'user' as const, content: QUESTION }]
const asked = async (model: LanguageModel, maxRetries: number) =>
  (await generateText({ model, prompt: QUESTION, maxRetries })).text
const chain = (model: string, maxRetries: number) => ({
  model,
  maxRetries,
  apiKey: at().apiKey,
  configuration: { baseURL: at().baseURL },
})

/** Each with so many further tries. Ollama's client has none. */
const CLIENTS: Record<string, (model: string, tries: number) => Promise<string | null | undefined>> = {
  openai: async (model, maxRetries) =>
    (await new OpenAI({ ...at(), maxRetries }).chat.completions.create({ model, messages })).choices[0]?.message
      .content,
  'openai, responses': async (model, maxRetries) =>
    (await new OpenAI({ ...at(), maxRetries }).responses.create({ model, input: QUESTION })).output_text,
  anthropic: async (model, maxRetries) => {
    const client = new Anthropic({ baseURL: house.gateway.url, apiKey: at().apiKey, maxRetries })
    const { content } = await client.messages.create({ model, messages, max_tokens: 500 })
    return content[0]?.type === 'text' ? content[0].text : undefined
  },
  genai: async (model, tries) => {
    const retryOptions = { attempts: tries + 1, initialDelay: 1, jitter: 0 }
    const client = new GoogleGenAI({
      apiKey: at().apiKey,
      httpOptions: { baseUrl: house.gateway.url, ...(tries > 0 ? { retryOptions } : {}) },
    })
    return (await client.models.generateContent({ model, contents: QUESTION })).text
  },
  'ai, chat': (model, tries) => asked(createOpenAI(at()).chat(model), tries),
  'ai, responses': (model, tries) => asked(createOpenAI(at()).responses(model), tries),
  'ai, compatible': (model, tries) =>
    asked(createOpenAICompatible({ name: 'tollgate', ...at() }).chatModel(model), tries),
  'ai, anthropic': (model, tries) => asked(createAnthropic(at())(model), tries),
  'langchain, chat': async (model, tries) => (await new ChatOpenAI(chain(model, tries)).invoke(QUESTION)).text,
  'langchain, responses': async (model, tries) =>
    (await new ChatOpenAIResponses(chain(model, tries)).invoke(QUESTION)).text,
  'langchain, anthropic': async (model, maxRetries) =>
    (
      await new ChatAnthropic({
        model,
        maxRetries,
        apiKey: at().apiKey,
        anthropicApiUrl: house.gateway.url,
        maxTokens: 500,
      }).invoke(QUESTION)
    ).text,
}

for (const [place, [name, ask]] of Object.entries(CLIENTS).entries()) {
  // Each waits a second: all targets for one client, and in turn for the others.
  for (const target of place === 0 ? TARGETS : TARGETS.slice(place % 4, (place % 4) + 1))
    test(`${name}, ${target}: limited once, then answered`, async () => {
      house.mock.plan('m!429:1', ['429:1', 'ok'])
      const before = house.mock.requests.length
      const refused = await thrown(ask(`${target}-429`, 0))
      expect(refused.status ?? refused.statusCode).toBe(429)
      house.mock.plan('m!429:1', ['429:1', 'ok'])
      const began = Date.now()
      expect(await ask(`${target}-429`, 3)).toBe(TEXT)
      expect(Date.now() - began).toBeGreaterThanOrEqual(900)
      expect(house.mock.requests.slice(before).map(({ status }) => status)).toEqual([429, 429, 200])
    })

  test(`${name}: a prompt too long is not sent again`, async () => {
    const before = house.mock.requests.length
    await thrown(ask('openai-context', 3))
    expect(house.mock.requests.length).toBe(before + 1)
  })
}

// These two go by the header; the others by the status alone.
for (const name of ['openai', 'anthropic'] as const)
  test(`${name}: credentials that the target refuses are not tried again`, async () => {
    const before = house.mock.requests.length
    const error = await thrown((CLIENTS[name] as (typeof CLIENTS)[string])(`${name}-401`, 3))
    expect(error.status).toBe(502)
    expect(house.mock.requests.length).toBe(before + 1)
  })
