/** The official OpenAI client against a target of each dialect, and against the demo. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import OpenAI from 'openai'
import { zodResponseFormat } from 'openai/helpers/zod'
import { z } from 'zod'
import { vector, words, wordsFor } from '../mock/answer.ts'
import {
  ARGUMENTS,
  begin,
  type House,
  KINDS,
  PIXEL,
  PROMPT,
  QUESTION,
  SYSTEM,
  startHouse,
  TEXT,
  thrown,
  tool,
  WORDS,
} from './house.ts'

let house: House
let openai: OpenAI
beforeAll(async () => {
  house = await startHouse()
  openai = house.openai
}, 60_000)
afterAll(() => house?.end())

const messages = [
  { role: 'system' as const, content: SYSTEM },
  { role: 'user' as const, content: QUESTION },
]
type Stream = AsyncIterable<OpenAI.ChatCompletionChunk>

/** What a stream says in all, with everything that must hold of any stream. */
async function gather(stream: Stream) {
  let text = ''
  let finish: string | null = null
  let usage: OpenAI.CompletionUsage | null | undefined
  const ids = new Set<string>()
  for await (const chunk of stream) {
    ids.add(chunk.id)
    expect(chunk.object).toBe('chat.completion.chunk')
    for (const choice of chunk.choices) {
      text += choice.delta.content ?? ''
      if (choice.finish_reason) {
        expect(finish).toBeNull()
        finish = choice.finish_reason
      }
    }
    if (chunk.usage) usage = chunk.usage
    else expect(chunk.choices.length).toBeGreaterThan(0)
  }
  // openai-go refuses a stream whose chunks change their id.
  expect(ids.size).toBe(1)
  return { text, finish, usage }
}

for (const model of KINDS)
  describe(`a target that speaks ${model}`, () => {
    test('a whole chat, with its cost and who served it', async () => {
      const { data, response, request_id } = await openai.chat.completions.create({ model, messages }).withResponse()
      expect(data).toMatchObject({ object: 'chat.completion', choices: [{ index: 0, finish_reason: 'stop' }] })
      expect(data.choices[0]?.message).toMatchObject({ role: 'assistant', content: TEXT })
      expect(data.usage).toMatchObject({
        prompt_tokens: PROMPT,
        completion_tokens: WORDS,
        total_tokens: PROMPT + WORDS,
      })
      expect(Number(response.headers.get('x-litellm-response-cost'))).toBeCloseTo(PROMPT * 1e-6 + WORDS * 2e-6, 12)
      expect(response.headers.get('x-tollgate-served-by')).toBe(`${model}/m`)
      expect(response.headers.get('x-tollgate-attempts')).toBe('1')
      expect(request_id).toMatch(/^req_/)
    })

    test('a stream, cut by max_tokens, with usage where it was asked for', async () => {
      const ask = { model, messages, max_tokens: 5, stream: true, stream_options: { include_usage: true } } as const
      const { text, finish, usage } = await gather(await openai.chat.completions.create(ask))
      expect([text, finish]).toEqual([begin(5), 'length'])
      expect(usage).toMatchObject({ prompt_tokens: PROMPT, completion_tokens: 5, total_tokens: PROMPT + 5 })
    })

    test('a stream without usage where it was not asked for', async () => {
      const stream = await openai.chat.completions.create({ model, messages, stream: true })
      const { text, finish, usage } = await gather(stream)
      expect([text, finish, usage]).toEqual([TEXT, 'stop', undefined])
    })

    test('the newer word for the limit, and the sampling, arrive in the words of the target', async () => {
      const reply = await openai.chat.completions.create({
        model,
        messages,
        max_completion_tokens: 3,
        temperature: 0.5,
        top_p: 0.9,
        stop: ['END'],
      })
      expect([reply.choices[0]?.message.content, reply.choices[0]?.finish_reason]).toEqual([begin(3), 'length'])
      const got = house.last()
      const options = (model === 'ollama' ? got.options : got) as Record<string, unknown>
      expect(options.temperature).toBe(0.5)
      expect(options.top_p).toBe(0.9)
      expect(model === 'anthropic' ? got.stop_sequences : options.stop).toEqual(['END'])
    })

    test('one tool, whole and streamed, and an answer after its result', async () => {
      const tools = [tool('get_weather')]
      const whole = await openai.chat.completions.create({ model, messages, tools })
      const [call] = whole.choices[0]?.message.tool_calls ?? []
      if (call?.type !== 'function') throw new Error('no call')
      expect([call.function.name, JSON.parse(call.function.arguments)]).toEqual(['get_weather', ARGUMENTS])
      expect(call.id).toBeTruthy()
      expect(whole.choices[0]?.finish_reason).toBe('tool_calls')
      const streamed = await openai.chat.completions.stream({ model, messages, tools }).finalChatCompletion()
      const [again] = streamed.choices[0]?.message.tool_calls ?? []
      expect(again?.type === 'function' && JSON.parse(again.function.arguments)).toEqual(ARGUMENTS)
      expect(streamed.choices[0]?.finish_reason).toBe('tool_calls')
      const after = await openai.chat.completions.create({
        model,
        messages: [
          ...messages,
          { role: 'assistant', content: null, tool_calls: [call] },
          { role: 'tool', tool_call_id: call.id, content: '20 °C' },
        ],
        tools,
      })
      expect(after.choices[0]?.message.content).toBe(TEXT)
      expect(after.usage?.prompt_tokens).toBe(PROMPT + 2)
      expect(JSON.stringify(house.last())).toContain('20 °C')
    })

    test('parallel tools, whole and streamed: two calls, each with its own id and arguments', async () => {
      const tools = [tool('get_weather'), tool('get_time')]
      const whole = await openai.chat.completions.create({ model, messages, tools })
      const streamed = await openai.chat.completions.stream({ model, messages, tools }).finalChatCompletion()
      for (const reply of [whole, streamed]) {
        const calls = reply.choices[0]?.message.tool_calls ?? []
        const functions = calls.map((c) => (c.type === 'function' ? c.function : undefined))
        expect(functions.map((f) => f?.name)).toEqual(['get_weather', 'get_time'])
        for (const f of functions) expect(JSON.parse(f?.arguments ?? '')).toEqual(ARGUMENTS)
        expect(new Set(calls.map((c) => c.id)).size).toBe(2)
      }
    })

    test('a schema: .parse gives the object', async () => {
      const schema = z.object({ city: z.string(), days: z.number().int(), tags: z.array(z.string()) })
      const reply = await openai.chat.completions.parse({
        model,
        messages,
        response_format: zodResponseFormat(schema, 'forecast'),
      })
      expect(reply.choices[0]?.message.parsed).toEqual({ city: 'Paris', days: 7, tags: ['Paris'] })
    })

    test('an image goes along in the words of the target', async () => {
      const reply = await openai.chat.completions.create({
        model,
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: QUESTION },
              { type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}` } },
            ],
          },
        ],
      })
      expect(reply.choices[0]?.message.content).toBe(TEXT)
      const sent = house.last()
      expect(JSON.stringify(sent)).toContain(PIXEL)
      if (model === 'anthropic') expect(JSON.stringify(sent)).toContain('"media_type":"image/png"')
      if (model === 'ollama') expect((sent.messages as { images?: string[] }[])[0]?.images).toEqual([PIXEL])
    })

    test('a text completion, whole and streamed', async () => {
      const ask = { model, prompt: 'Once upon', max_tokens: 3 }
      const whole = await openai.completions.create(ask)
      const text = wordsFor('Once', 3).join('')
      expect(whole).toMatchObject({ object: 'text_completion', choices: [{ text, finish_reason: 'length' }] })
      expect(whole.usage).toMatchObject({ prompt_tokens: 2, completion_tokens: 3 })
      let streamed = ''
      for await (const chunk of await openai.completions.create({ ...ask, stream: true })) {
        for (const choice of chunk.choices) {
          // A client that adds up what comes would write `null`.
          expect(typeof choice.text).toBe('string')
          streamed += choice.text
        }
      }
      expect(streamed).toBe(text)
    })

    test('thinking comes apart from the answer', async () => {
      const reply = await openai.chat.completions.create({
        model: `${model}-think`,
        messages,
        reasoning_effort: 'medium',
        max_completion_tokens: 4_000,
      })
      const message = reply.choices[0]?.message as { content: string; reasoning_content?: string }
      expect(message.content).toBe(TEXT)
      expect(message.reasoning_content).toContain('Let')
      let thought = ''
      const stream = await openai.chat.completions.create({
        model: `${model}-think`,
        messages,
        reasoning_effort: 'medium',
        max_completion_tokens: 4_000,
        stream: true,
      })
      for await (const chunk of stream)
        thought += (chunk.choices[0]?.delta as { reasoning_content?: string } | undefined)?.reasoning_content ?? ''
      expect(thought).toBe(message.reasoning_content as string)
    })

    test('a caller who leaves in the middle of a stream stops the target', async () => {
      const before = house.mock.requests.length
      const stream = await openai.chat.completions.create({ model: `${model}-slow`, messages, stream: true })
      for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break
      const left = Date.now()
      await house.mock.until((all) => all[before]?.abortedAt !== undefined, 2_000)
      expect(Date.now() - left).toBeLessThan(500)
    })

    test('a caller who leaves before the headers stops the target too', async () => {
      const before = house.mock.requests.length
      const gone = new AbortController()
      const asked = thrown(
        openai.chat.completions.create({ model: `${model}-slowheaders`, messages }, { signal: gone.signal }),
      )
      await house.mock.until((all) => all.length > before)
      gone.abort()
      expect(await asked).toBeInstanceOf(OpenAI.APIUserAbortError)
      await house.mock.until((all) => all[before]?.abortedAt !== undefined, 2_000)
    })
  })

for (const model of ['openai', 'ollama'] as const)
  test(`embeddings of a target that speaks ${model}: floats, base64 as the client asks by itself, several`, async () => {
    const input = ['a b', 'c']
    const floats = await openai.embeddings.create({ model, input, encoding_format: 'float' })
    const plain = await openai.embeddings.create({ model, input })
    expect(floats.data.map((d) => [d.index, d.object])).toEqual([
      [0, 'embedding'],
      [1, 'embedding'],
    ])
    for (const [i, text] of input.entries()) {
      expect(floats.data[i]?.embedding).toEqual(vector(text, 64))
      expect([...(plain.data[i]?.embedding ?? [])]).toEqual(vector(text, 64))
    }
    expect(floats.usage).toEqual({ prompt_tokens: words('a b c'), total_tokens: words('a b c') })
    expect((await openai.embeddings.create({ model, input: 'one' })).data).toHaveLength(1)
  })

test('a target without embeddings says so', async () => {
  const error = await thrown(openai.embeddings.create({ model: 'anthropic', input: 'x' }))
  expect(error).toBeInstanceOf(OpenAI.BadRequestError)
  expect(error.message).toContain('embeddings')
})

describe('the demo', () => {
  test('answers, streams, calls tools, counts and embeds', async () => {
    const model = 'demo'
    const whole = await openai.chat.completions.create({ model, messages })
    expect(whole.choices[0]?.message.content).toContain(QUESTION)
    expect(whole.usage?.prompt_tokens).toBe(PROMPT)
    const stream = await openai.chat.completions.create({ model, messages, stream: true })
    expect((await gather(stream)).text).toBe(whole.choices[0]?.message.content as string)
    const called = await openai.chat.completions.stream({ model, messages, tools: [tool('f')] }).finalChatCompletion()
    const [call] = called.choices[0]?.message.tool_calls ?? []
    expect(call?.type === 'function' && call.function.name).toBe('f')
    const [a, b] = (await openai.embeddings.create({ model, input: ['x', 'x'] })).data
    expect(a?.embedding).toEqual(b?.embedding as number[])
    const completed = await openai.completions.create({ model, prompt: 'Once upon' })
    expect(completed.choices[0]?.text).toContain('Once upon')
  })
})

describe('models', () => {
  test('the list and one of them', async () => {
    const all = []
    for await (const model of openai.models.list()) all.push(model.id)
    for (const name of [...KINDS, 'demo']) expect(all).toContain(name)
    expect(await openai.models.retrieve('openai')).toMatchObject({ id: 'openai', object: 'model', owned_by: 'openai' })
    expect(await thrown(openai.models.retrieve('nobody'))).toBeInstanceOf(OpenAI.NotFoundError)
  })

  test('a key sees and asks only what it may', async () => {
    const mine = house.as(await house.key({ models: ['openai'] }))
    expect((await mine.models.list()).data.map((m) => m.id)).toEqual(['openai'])
    expect((await mine.chat.completions.create({ model: 'openai', messages })).choices).toHaveLength(1)
    expect(await thrown(mine.chat.completions.create({ model: 'ollama', messages }))).toBeInstanceOf(
      OpenAI.PermissionDeniedError,
    )
  })
})
