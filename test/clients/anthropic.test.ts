/** The official Anthropic client against a target of each dialect, and against the demo. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import Anthropic from '@anthropic-ai/sdk'
import {
  ARGUMENTS,
  begin,
  type House,
  KINDS,
  PARAMETERS,
  PIXEL,
  PROMPT,
  QUESTION,
  SYSTEM,
  startHouse,
  TEXT,
  thrown,
  WORDS,
} from './house.ts'

let house: House
let anthropic: Anthropic
beforeAll(async () => {
  house = await startHouse()
  anthropic = house.anthropic
}, 60_000)
afterAll(() => house?.end())

const ask = {
  max_tokens: 2_000,
  system: SYSTEM,
  messages: [{ role: 'user', content: QUESTION }],
} satisfies Omit<Anthropic.MessageCreateParamsNonStreaming, 'model'>
const tools: Anthropic.Tool[] = ['get_weather', 'get_time'].map((name) => ({
  name,
  description: `Calls ${name}`,
  input_schema: { ...PARAMETERS, type: 'object' },
}))

for (const model of KINDS)
  describe(`a target that speaks ${model}`, () => {
    test('a whole message, with its cost', async () => {
      const { data, response } = await anthropic.messages.create({ ...ask, model }).withResponse()
      expect(data).toMatchObject({ type: 'message', role: 'assistant', stop_reason: 'end_turn' })
      expect(data.content).toMatchObject([{ type: 'text', text: TEXT }])
      expect(data.usage).toMatchObject({ input_tokens: PROMPT, output_tokens: WORDS })
      expect(Number(response.headers.get('x-litellm-response-cost'))).toBeCloseTo(PROMPT * 1e-6 + WORDS * 2e-6, 12)
      expect(response.headers.get('x-tollgate-served-by')).toBe(`${model}/m`)
    })

    test('a stream: blocks in order, never overlapping, the usage at its end', async () => {
      const seen: string[] = []
      let open: number | undefined
      let next = 0
      const stream = anthropic.messages.stream({ ...ask, model, max_tokens: 5 })
      for await (const event of stream) {
        seen.push(event.type)
        if (event.type === 'content_block_start') {
          expect(open).toBeUndefined()
          expect(event.index).toBe(next++)
          open = event.index
        }
        if (event.type === 'content_block_delta') expect(event.index).toBe(open as number)
        if (event.type === 'content_block_stop') open = undefined
        // LangChain.js reads the prompt's only here: an estimate, where nobody knows yet.
        if (event.type === 'message_start') expect(event.message.usage.input_tokens).toBeGreaterThan(0)
        // langchain-anthropic reads the counts of the prompt only here.
        if (event.type === 'message_delta') expect(event.usage.input_tokens).toBe(PROMPT)
      }
      expect([seen[0], seen.at(-1)]).toEqual(['message_start', 'message_stop'])
      const message = await stream.finalMessage()
      expect(message.content).toMatchObject([{ type: 'text', text: begin(5) }])
      expect(message.stop_reason).toBe('max_tokens')
      // The true counts replace the estimate.
      expect([message.usage.input_tokens, message.usage.output_tokens]).toEqual([PROMPT, 5])
    })

    test('tools, whole and streamed, and an answer after their results', async () => {
      const whole = await anthropic.messages.create({ ...ask, model, tools })
      const streamed = await anthropic.messages.stream({ ...ask, model, tools }).finalMessage()
      for (const message of [whole, streamed]) {
        expect(message.stop_reason).toBe('tool_use')
        expect(message.content).toMatchObject([
          { type: 'tool_use', name: 'get_weather', input: ARGUMENTS },
          { type: 'tool_use', name: 'get_time', input: ARGUMENTS },
        ])
      }
      const calls = whole.content.filter((block) => block.type === 'tool_use')
      expect(new Set(calls.map((call) => call.id)).size).toBe(2)
      const results = calls.map(
        (call, i): Anthropic.ToolResultBlockParam => ({
          type: 'tool_result',
          tool_use_id: call.id,
          content: i === 0 ? '20 °C' : [{ type: 'text', text: 'half past ten' }],
        }),
      )
      const after = await anthropic.messages.create({
        ...ask,
        model,
        tools,
        messages: [
          ...ask.messages,
          { role: 'assistant', content: whole.content as Anthropic.ContentBlockParam[] },
          { role: 'user', content: results },
        ],
      })
      expect(after.content).toMatchObject([{ type: 'text', text: TEXT }])
      const sent = JSON.stringify(house.last())
      expect(sent).toContain('20 °C')
      expect(sent).toContain('half past ten')
    })

    test('one tool at a time where that is asked for', async () => {
      const one = { ...ask, model, tools, tool_choice: { type: 'auto' as const, disable_parallel_tool_use: true } }
      const { data, response } = await anthropic.messages.create(one).withResponse()
      // Ollama has no word for it, and the caller is told.
      if (model === 'ollama') expect(response.headers.get('x-tollgate-dropped')).toContain('parallel_tool_calls')
      else expect(data.content).toHaveLength(1)
    })

    test('an image goes along', async () => {
      const image = { type: 'base64' as const, media_type: 'image/png' as const, data: PIXEL }
      const message = await anthropic.messages.create({
        ...ask,
        model,
        messages: [
          {
            role: 'user',
            content: [
              { type: 'image', source: image },
              { type: 'text', text: QUESTION },
            ],
          },
        ],
      })
      expect(message.content).toMatchObject([{ type: 'text', text: TEXT }])
      expect(JSON.stringify(house.last())).toContain(PIXEL)
    })

    test('thinking is a block before the answer, whole and streamed', async () => {
      const thinking = { type: 'enabled' as const, budget_tokens: 1_024 }
      const whole = await anthropic.messages.create({ ...ask, model: `${model}-think`, thinking })
      const streamed = await anthropic.messages.stream({ ...ask, model: `${model}-think`, thinking }).finalMessage()
      for (const message of [whole, streamed]) {
        expect(message.content.map((block) => block.type)).toEqual(['thinking', 'text'])
        expect(message.content[0]).toMatchObject({ thinking: expect.stringContaining('Let') })
        expect(message.content[1]).toMatchObject({ text: TEXT })
      }
    })

    test('a caller who leaves stops the target', async () => {
      const before = house.mock.requests.length
      const stream = anthropic.messages.stream({ ...ask, model: `${model}-slow` })
      for await (const event of stream) if (event.type === 'content_block_delta') break
      stream.abort()
      await house.mock.until((all) => all[before]?.abortedAt !== undefined, 2_000)
    })

    test('an answer that breaks off in the middle is an error', async () => {
      const stream = anthropic.messages.stream({ ...ask, model: `${model}-inband` })
      const error = await thrown(stream.finalMessage())
      expect(error).toBeInstanceOf(Anthropic.APIError)
      expect(error.message).toContain('not the whole answer')
    })
  })

test('the demo answers', async () => {
  const message = await anthropic.messages.create({ ...ask, model: 'demo' })
  expect(message.content[0]).toMatchObject({ type: 'text', text: expect.stringContaining(QUESTION) })
  const called = await anthropic.messages.stream({ ...ask, model: 'demo', tools }).finalMessage()
  expect(called.content).toMatchObject([{ type: 'tool_use', name: 'get_weather', input: {} }])
})

test('the list of models, in the shape that this client reads', async () => {
  const all: string[] = []
  for await (const model of anthropic.models.list()) {
    expect(model).toMatchObject({ type: 'model', display_name: model.id })
    expect(Number.isNaN(Date.parse(model.created_at))).toBeFalse()
    all.push(model.id)
  }
  for (const kind of KINDS) expect(all).toContain(kind)
  expect(await anthropic.models.retrieve('ollama')).toMatchObject({ type: 'model', id: 'ollama' })
  expect(await thrown(anthropic.models.retrieve('nobody'))).toBeInstanceOf(Anthropic.NotFoundError)
})

describe('errors are of the class that stands for them', () => {
  const create = (client: Anthropic, model: string) => client.messages.create({ ...ask, model })
  const as = (key: string) => new Anthropic({ baseURL: house.gateway.url, apiKey: key, maxRetries: 0 })

  test('unknown model, unknown key, a model that a key may not use', async () => {
    const missing = await thrown(create(anthropic, 'no-such-model'))
    expect(missing).toBeInstanceOf(Anthropic.NotFoundError)
    expect(missing.error).toMatchObject({ type: 'error', error: { type: 'not_found_error' } })
    expect(await thrown(create(as('sk-wrong'), 'openai'))).toBeInstanceOf(Anthropic.AuthenticationError)
    const other = as(await house.key({ models: ['ollama'] }))
    expect(await thrown(create(other, 'openai'))).toBeInstanceOf(Anthropic.PermissionDeniedError)
  })

  test('a rate limit, with retry-after', async () => {
    const mine = as(await house.key({ rpm_limit: 1 }))
    await create(mine, 'anthropic')
    const error = await thrown(create(mine, 'anthropic'))
    expect(error).toBeInstanceOf(Anthropic.RateLimitError)
    expect(Number((error.headers as Headers).get('retry-after'))).toBeGreaterThan(0)
  })

  test('a request that is none', async () => {
    const wrong = await thrown(anthropic.messages.create({ model: 'anthropic', max_tokens: 5 } as never))
    expect(wrong).toBeInstanceOf(Anthropic.BadRequestError)
    expect(wrong.error).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } })
  })

  test('an upstream that fails, for each kind', async () => {
    for (const kind of KINDS) {
      const error = await thrown(create(anthropic, `${kind}-500`))
      expect(error).toBeInstanceOf(Anthropic.InternalServerError)
      expect(error.error).toMatchObject({ type: 'error' })
    }
  })
})
