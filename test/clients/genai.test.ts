/** Google's own client, `@google/genai`, against a target of each dialect, and what it is told when something fails. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import {
  ApiError,
  type Content,
  createPartFromBase64,
  createPartFromFunctionResponse,
  FinishReason,
  FunctionCallingConfigMode,
  type FunctionDeclaration,
  type GenerateContentResponse,
  GoogleGenAI,
  Type,
} from '@google/genai'
import { vector } from '../mock/answer.ts'
import {
  ARGUMENTS,
  begin,
  type House,
  PARAMETERS,
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

let house: House
let google: GoogleGenAI
beforeAll(async () => {
  house = await startHouse()
  google = as(house.gateway.masterKey)
}, 60_000)
afterAll(() => house?.end())

const as = (apiKey: string, apiVersion = 'v1beta'): GoogleGenAI =>
  new GoogleGenAI({ apiKey, apiVersion, httpOptions: { baseUrl: house.gateway.url } })
const config = { systemInstruction: SYSTEM }
const ask = { contents: QUESTION, config }
/** As JSON Schema, and in Google's own words for it. */
const FUNCTIONS: FunctionDeclaration[] = [
  { name: 'get_weather', description: 'Calls get_weather', parametersJsonSchema: PARAMETERS },
  {
    name: 'get_time',
    description: 'Calls get_time',
    parameters: { type: Type.OBJECT, properties: { city: { type: Type.STRING }, days: { type: Type.INTEGER } } },
  },
]
const tools = [{ functionDeclarations: FUNCTIONS }]

/** What a stream says in all; only its last piece has a finish. */
async function gather(stream: AsyncIterable<GenerateContentResponse>) {
  const said = { text: '', thinking: '', pieces: 0, calls: [] as unknown[], finish: undefined as unknown, output: 0 }
  for await (const piece of stream) {
    said.pieces++
    expect(said.finish).toBeUndefined()
    for (const part of piece.candidates?.[0]?.content?.parts ?? []) {
      if (part.thought) said.thinking += part.text ?? ''
      else said.text += part.text ?? ''
    }
    said.calls.push(...(piece.functionCalls ?? []).map(({ name, args }) => ({ name, args })))
    said.finish = piece.candidates?.[0]?.finishReason
    said.output = piece.usageMetadata?.candidatesTokenCount ?? said.output
  }
  return said
}

const CALLED = ['get_weather', 'get_time'].map((name) => ({ name, args: ARGUMENTS }))

for (const model of TARGETS)
  describe(`a target that speaks ${model}`, () => {
    test('generateContent, with its usage and who served it', async () => {
      const answer = await google.models.generateContent({ model, ...ask })
      expect(answer.text).toBe(TEXT)
      expect(answer.candidates?.[0]?.finishReason).toBe(FinishReason.STOP)
      expect(answer.usageMetadata).toMatchObject({
        promptTokenCount: PROMPT,
        candidatesTokenCount: WORDS,
        totalTokenCount: PROMPT + WORDS,
      })
      expect(answer.modelVersion).toBe('m')
      expect(answer.responseId).toBeTruthy()
      expect(answer.sdkHttpResponse?.headers?.['x-tollgate-served-by']).toBe(`${model}/m`)
      expect(JSON.stringify(house.last())).toContain(SYSTEM)
    })

    test('generateContentStream, cut by maxOutputTokens', async () => {
      const asked = { model, ...ask, config: { ...config, maxOutputTokens: 5 } }
      const { text, finish, pieces, output } = await gather(await google.models.generateContentStream(asked))
      expect([text, finish, output]).toEqual([begin(5), FinishReason.MAX_TOKENS, 5])
      expect(pieces).toBeGreaterThan(3)
    })

    test('the sampling arrives in the words of the target', async () => {
      const sampling = { temperature: 0.5, topP: 0.9, stopSequences: ['END'] }
      await google.models.generateContent({ model, ...ask, config: { ...config, ...sampling } })
      const got = house.last()
      const { options, generationConfig } = got as Record<string, Record<string, unknown> | undefined>
      const words = (options ?? generationConfig ?? got) as Record<string, unknown>
      expect([words.temperature, words.top_p ?? words.topP]).toEqual([0.5, 0.9])
      expect(words.stop ?? words.stop_sequences ?? words.stopSequences).toEqual(['END'])
    })

    test('parallel functions, whole and streamed, and an answer after their results', async () => {
      const asked = { model, contents: QUESTION, config: { ...config, tools } }
      const whole = await google.models.generateContent(asked)
      const calls = whole.functionCalls ?? []
      expect(calls.map(({ name, args }) => ({ name, args }))).toEqual(CALLED)
      expect((await gather(await google.models.generateContentStream(asked))).calls).toEqual(CALLED)
      const contents: Content[] = [
        { role: 'user', parts: [{ text: QUESTION }] },
        whole.candidates?.[0]?.content as Content,
        {
          role: 'user',
          parts: calls.map(({ id, name = '' }) =>
            createPartFromFunctionResponse(id ?? '', name, { output: name === 'get_time' ? 'half past ten' : '20 °C' }),
          ),
        },
      ]
      expect((await google.models.generateContent({ ...asked, contents })).text).toBe(TEXT)
      const sent = JSON.stringify(house.last())
      for (const result of ['20 °C', 'half past ten']) expect(sent).toContain(result)
    })

    test('one function where it is named, and none where none may be called', async () => {
      const choose = (functionCallingConfig: object) => ({
        model,
        contents: QUESTION,
        config: { ...config, tools, toolConfig: { functionCallingConfig } },
      })
      const any = { mode: FunctionCallingConfigMode.ANY, allowedFunctionNames: ['get_time'] }
      const none = await google.models.generateContent(choose({ mode: FunctionCallingConfigMode.NONE }))
      expect(none.text).toBe(TEXT)
      if (model !== 'ollama') {
        const forced = await google.models.generateContent(choose(any))
        expect(forced.functionCalls).toMatchObject([CALLED[1]])
        return
      }
      // Ollama can force none, and the caller is told: in a header, or where nothing may be dropped, by a refusal.
      const told = await google.models.generateContent(choose(any)).catch((cause) => cause)
      expect(JSON.stringify(told.sdkHttpResponse?.headers ?? told.message)).toContain('tool_choice')
    })

    test('an image inline', async () => {
      const contents = [createPartFromBase64(PIXEL, 'image/png'), { text: QUESTION }]
      expect((await google.models.generateContent({ model, contents })).text).toBe(TEXT)
      expect(JSON.stringify(house.last())).toContain(PIXEL)
      if (model === 'openai') expect(JSON.stringify(house.last())).toContain(`data:image/png;base64,${PIXEL}`)
    })

    test('thinking is a part of its own, whole and streamed', async () => {
      const thinkingConfig = { includeThoughts: true, thinkingBudget: 1_024 }
      const asked = { model: `${model}-think`, ...ask, config: { ...config, thinkingConfig } }
      const whole = await google.models.generateContent(asked)
      const thought = whole.candidates?.[0]?.content?.parts?.find((part) => part.thought)
      expect(thought?.text).toContain('Let')
      expect(whole.text).toBe(TEXT)
      const sent = JSON.stringify(house.last())
      expect(sent).toMatch(
        { openai: /"reasoning_effort":"/, anthropic: /"budget_tokens":1024/, ollama: /"think":/, gemini: /1024/ }[
          model
        ],
      )
      const streamed = await gather(await google.models.generateContentStream(asked))
      expect([streamed.thinking, streamed.text]).toEqual([thought?.text as string, TEXT])
    })

    test('an answer by a schema, in either word for it', async () => {
      const forms = [
        { responseJsonSchema: { ...PARAMETERS, required: ['city', 'days'] } },
        { responseSchema: { ...FUNCTIONS[1]?.parameters, required: ['city', 'days'] } },
      ]
      for (const form of forms) {
        const asked = { model, contents: QUESTION, config: { responseMimeType: 'application/json', ...form } }
        const answer = await google.models.generateContent(asked)
        expect(JSON.parse(answer.text ?? '')).toEqual(ARGUMENTS)
      }
    })

    test('countTokens', async () => {
      const { totalTokens = 0 } = await google.models.countTokens({ model, contents: QUESTION })
      expect(totalTokens).toBeGreaterThan(2)
      expect(totalTokens).toBeLessThan(50)
    })

    test('a caller who leaves stops the target, whole and streamed', async () => {
      const before = house.mock.requests.length
      const abort = new AbortController()
      const slow = { model: `${model}-slow`, contents: QUESTION, config: { abortSignal: abort.signal } }
      const left = await thrown(
        (async () => {
          for await (const piece of await google.models.generateContentStream(slow)) if (piece.text) abort.abort()
        })(),
      )
      expect(left.name).toContain('Abort')
      await house.mock.until((all) => all[before]?.abortedAt !== undefined, 2_000)
      const hanging = { ...slow, model: `${model}-hang`, config: { abortSignal: AbortSignal.timeout(150) } }
      expect((await thrown(google.models.generateContent(hanging))).message).toMatch(/abort|timed? ?out/i)
      await house.mock.until((all) => all[before + 1]?.abortedAt !== undefined, 2_000)
    })

    test('an answer that breaks off in the middle is an error', async () => {
      let text = ''
      const broken = await thrown(
        (async () => {
          const stream = await google.models.generateContentStream({ model: `${model}-inband`, contents: QUESTION })
          for await (const piece of stream) text += piece.text ?? ''
        })(),
      )
      expect(broken.message).toContain('not the whole answer')
      expect(text.length).toBeGreaterThan(0)
      expect(TEXT.startsWith(text)).toBeTrue()
    })

    test('an upstream that fails, and a prompt too long', async () => {
      const failed = await thrown(google.models.generateContent({ model: `${model}-500`, contents: QUESTION }))
      expect(failed).toBeInstanceOf(ApiError)
      expect(failed.status).toBe(502)
      const long = await thrown(google.models.generateContent({ model: `${model}-context`, contents: QUESTION }))
      expect([long.status, told(long)]).toEqual([400, 'INVALID_ARGUMENT'])
      expect(long.message).toContain('maximum context length')
    })
  })

for (const model of ['openai', 'ollama', 'gemini'])
  test(`embedContent of ${model}: one and many, the same each time`, async () => {
    const one = await google.models.embedContent({ model, contents: 'a b' })
    const many = await google.models.embedContent({ model, contents: ['a b', 'c'] })
    expect(one.embeddings?.map(({ values }) => values)).toEqual([vector('a b', 64)])
    expect(many.embeddings?.map(({ values }) => values)).toEqual([vector('a b', 64), vector('c', 64)])
  })

test('a target without embeddings says so', async () => {
  const error = await thrown(google.models.embedContent({ model: 'anthropic', contents: 'x' }))
  expect(error).toMatchObject({ status: 400, message: expect.stringContaining('embeddings') })
})

/** Google's word for the status, in the body that the client hands on as its message. */
const told = ({ message }: Error): unknown => (JSON.parse(message) as { error: { status: string } }).error.status

test('what the caller did wrong is told apart in the words of Google', async () => {
  const wrong = [
    [as('sk-wrong'), 'openai', 401, 'UNAUTHENTICATED'],
    [google, 'no-such-model', 404, 'NOT_FOUND'],
    [as(await house.key({ models: ['ollama'] })), 'openai', 403, 'PERMISSION_DENIED'],
    [as(await house.key({ max_budget: 0.000001 })), 'openai', 422, 'FAILED_PRECONDITION'],
  ] as const
  for (const [client, model, status, word] of wrong) {
    const error = await thrown(client.models.generateContent({ model, contents: QUESTION }))
    expect(error).toBeInstanceOf(ApiError)
    expect([error.status, told(error)]).toEqual([status, word])
    const streamed = await thrown(client.models.generateContentStream({ model, contents: QUESTION }))
    expect(streamed.status).toBe(status)
  }
})

test('a rate limit is 429, and the client that tries again has its answer', async () => {
  const key = await house.key({ max_parallel_requests: 1 })
  const slow = gather(await as(key).models.generateContentStream({ model: 'openai-slow', contents: QUESTION }))
  const refused = await thrown(as(key).models.generateContent({ model: 'openai', contents: QUESTION }))
  expect([refused.status, told(refused)]).toEqual([429, 'RESOURCE_EXHAUSTED'])
  const patient = new GoogleGenAI({
    apiKey: key,
    httpOptions: { baseUrl: house.gateway.url, retryOptions: { attempts: 5, initialDelay: 0.5, jitter: 0 } },
  })
  expect((await patient.models.generateContent({ model: 'openai', contents: QUESTION })).text).toBe(TEXT)
  expect((await slow).text).toBe(TEXT)
})

// `/v1` is what the client asks by itself from its version 3 on, and OpenAI's list of models lives there too.
for (const version of ['v1', 'v1beta', 'v1alpha'])
  test(`${version}: answers, events, vectors, counts, models and errors`, async () => {
    const client = version === 'v1' ? fresh() : as(house.gateway.masterKey, version)
    const asked = { model: 'anthropic', contents: QUESTION }
    expect((await client.models.generateContent(asked)).text).toBe(TEXT)
    expect((await gather(await client.models.generateContentStream(asked))).text).toBe(TEXT)
    const { embeddings } = await client.models.embedContent({ model: 'ollama', contents: 'c' })
    expect(embeddings?.[0]?.values).toEqual(vector('c', 64))
    expect((await client.models.countTokens(asked)).totalTokens).toBeGreaterThan(2)
    const names: unknown[] = []
    for await (const model of await client.models.list()) names.push(model.name)
    for (const target of TARGETS) expect(names).toContain(`models/${target}`)
    expect(await client.models.get({ model: 'gemini' })).toMatchObject({ name: 'models/gemini', displayName: 'gemini' })
    expect((await thrown(client.models.get({ model: 'nobody' }))).status).toBe(404)
    const error = await thrown(client.models.generateContent({ ...asked, model: 'nobody' }))
    expect([error.status, told(error)]).toEqual([404, 'NOT_FOUND'])
  })

/** As it is made by someone who says nothing of versions. */
const fresh = () => new GoogleGenAI({ apiKey: house.gateway.masterKey, httpOptions: { baseUrl: house.gateway.url } })

test("a key sees only what it may, in Google's shape too", async () => {
  const names: unknown[] = []
  for await (const { name } of await as(await house.key({ models: ['openai'] })).models.list()) names.push(name)
  expect(names).toEqual(['models/openai'])
})
