/** The official Ollama client against a target of each dialect, and against the demo. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { Ollama } from 'ollama'
import { vector } from '../mock/answer.ts'
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
let ollama: Ollama
beforeAll(async () => {
  house = await startHouse()
  ollama = house.ollama
}, 60_000)
afterAll(() => house?.end())

const messages = [
  { role: 'system', content: SYSTEM },
  { role: 'user', content: QUESTION },
]

for (const model of KINDS)
  describe(`a target that speaks ${model}`, () => {
    test('a whole chat', async () => {
      const reply = await ollama.chat({ model, messages })
      // It names the model that gave the answer, which a fallback may have changed.
      expect(reply).toMatchObject({ model: 'm', done: true, done_reason: 'stop' })
      expect(reply.message).toMatchObject({ role: 'assistant', content: TEXT })
      expect([reply.prompt_eval_count, reply.eval_count]).toEqual([PROMPT, WORDS])
      expect(Number.isNaN(new Date(reply.created_at).getTime())).toBeFalse()
      if (model === 'ollama') expect(reply.total_duration).toBeGreaterThan(0)
    })

    test('a stream, cut by num_predict', async () => {
      let text = ''
      const parts = []
      for await (const part of await ollama.chat({ model, messages, stream: true, options: { num_predict: 5 } })) {
        text += part.message.content
        parts.push(part)
      }
      expect(text).toBe(begin(5))
      expect(parts.filter((p) => p.done)).toHaveLength(1)
      expect(parts.at(-1)).toMatchObject({
        done: true,
        done_reason: 'length',
        eval_count: 5,
        prompt_eval_count: PROMPT,
      })
      expect(parts.length).toBeGreaterThan(3)
    })

    test('name:latest is the name', async () => {
      expect((await ollama.chat({ model: `${model}:latest`, messages })).message.content).toBe(TEXT)
    })

    test('tools: calls with arguments as objects, whole and streamed, and an answer after the results', async () => {
      const tools = [tool('get_weather'), tool('get_time')] as never
      const whole = await ollama.chat({ model, messages, tools })
      const streamed: typeof whole.message.tool_calls = []
      for await (const part of await ollama.chat({ model, messages, tools, stream: true }))
        streamed.push(...(part.message.tool_calls ?? []))
      for (const calls of [whole.message.tool_calls ?? [], streamed]) {
        expect(calls.map((call) => call.function.name)).toEqual(['get_weather', 'get_time'])
        for (const call of calls) expect(call.function.arguments).toEqual(ARGUMENTS)
      }
      // Results carry the tool's name and no id: they go back by order.
      const after = await ollama.chat({
        model,
        tools,
        messages: [
          ...messages,
          whole.message,
          { role: 'tool', tool_name: 'get_weather', content: '20 °C' },
          { role: 'tool', tool_name: 'get_time', content: 'half past ten' },
        ],
      })
      expect(after.message.content).toBe(TEXT)
      const sent = JSON.stringify(house.last())
      expect(sent).toContain('20 °C')
      expect(sent).toContain('half past ten')
    })

    test('thinking apart from the answer, whole and streamed', async () => {
      const whole = await ollama.chat({ model: `${model}-think`, messages, think: true })
      expect(whole.message.thinking).toContain('Let')
      expect(whole.message.content).toBe(TEXT)
      let [thought, text] = ['', '']
      for await (const part of await ollama.chat({ model: `${model}-think`, messages, think: true, stream: true })) {
        thought += part.message.thinking ?? ''
        text += part.message.content
      }
      expect([thought, text]).toEqual([whole.message.thinking as string, TEXT])
    })

    test('format: an answer by a schema', async () => {
      const format = {
        type: 'object',
        properties: { city: { type: 'string' }, days: { type: 'integer' } },
        required: ['city', 'days'],
      }
      const reply = await ollama.chat({ model, messages, format })
      expect(JSON.parse(reply.message.content)).toEqual({ city: 'Paris', days: 7 })
    })

    test('an image goes along', async () => {
      const reply = await ollama.chat({ model, messages: [{ role: 'user', content: QUESTION, images: [PIXEL] }] })
      expect(reply.message.content).toBe(TEXT)
      expect(JSON.stringify(house.last())).toContain(PIXEL)
    })

    test('generate, whole and streamed', async () => {
      const whole = await ollama.generate({ model, prompt: QUESTION, system: SYSTEM })
      expect(whole).toMatchObject({ response: TEXT, done: true, done_reason: 'stop' })
      expect([whole.prompt_eval_count, whole.eval_count]).toEqual([PROMPT, WORDS])
      let text = ''
      for await (const part of await ollama.generate({ model, prompt: QUESTION, stream: true })) text += part.response
      expect(text).toBe(TEXT)
    })

    test('a stream that is aborted stops the target', async () => {
      const before = house.mock.requests.length
      const stream = await ollama.chat({ model: `${model}-slow`, messages, stream: true })
      const error = await thrown(
        (async () => {
          for await (const part of stream) if (part.message.content) stream.abort()
        })(),
      )
      expect(error.name).toBe('AbortError')
      await house.mock.until((all) => all[before]?.abortedAt !== undefined, 2_000)
    })

    test('an answer that breaks off in the middle is an error', async () => {
      const stream = await ollama.chat({ model: `${model}-inband`, messages, stream: true })
      const error = await thrown(
        (async () => {
          for await (const _ of stream);
        })(),
      )
      expect(error.message).toContain('not the whole answer')
    })

    test('an upstream that fails is an error with a status', async () => {
      const error = await thrown(ollama.chat({ model: `${model}-500`, messages }))
      expect(error.status_code).toBe(502)
      expect(error.message).toContain(`${model}-500`)
    })
  })

for (const model of ['openai', 'ollama'] as const)
  test(`embed and embeddings of a target that speaks ${model}`, async () => {
    const many = await ollama.embed({ model, input: ['a b', 'c'] })
    expect(many.embeddings).toEqual([vector('a b', 64), vector('c', 64)])
    expect(many.prompt_eval_count).toBe(3)
    expect((await ollama.embed({ model, input: 'c' })).embeddings).toEqual([vector('c', 64)])
    expect((await ollama.embeddings({ model, prompt: 'a b' })).embedding).toEqual(vector('a b', 64))
  })

test('a target without embeddings says so', async () => {
  expect((await thrown(ollama.embed({ model: 'anthropic', input: 'x' }))).message).toContain('embeddings')
})

test('the demo chats, streams, generates and embeds', async () => {
  const model = 'demo'
  expect((await ollama.chat({ model, messages })).message.content).toContain(QUESTION)
  let text = ''
  for await (const part of await ollama.chat({ model, messages, stream: true })) text += part.message.content
  expect(text).toContain(QUESTION)
  expect((await ollama.generate({ model, prompt: 'Once' })).response).toContain('Once')
  expect((await ollama.embed({ model, input: 'x' })).embeddings[0]).toHaveLength(8)
})

describe('what there is', () => {
  test('list, with the tag that clients look for', async () => {
    const names = (await ollama.list()).models.map((m) => m.name)
    for (const name of [...KINDS, 'demo']) expect(names).toContain(`${name}:latest`)
    expect(names.length).toBe(new Set(names).size)
  })

  test('ps: what is loaded at the real server, by the name of its alias', async () => {
    house.mock.house.load('m', { size: 100, sizeVram: 40 })
    const { models } = await ollama.ps()
    expect(models.find((m) => m.name === 'ollama:latest')).toMatchObject({ size: 100, size_vram: 40 })
    expect(models.map((m) => m.name)).not.toContain('openai:latest')
  })

  test('show: the real server for its own, what is known for the others', async () => {
    expect((await ollama.show({ model: 'ollama' })).model_info).toMatchObject({ 'llama.context_length': 4096 })
    for (const model of ['openai', 'anthropic', 'demo'])
      expect((await ollama.show({ model })).capabilities).toContain('tools')
    expect((await thrown(ollama.show({ model: 'nobody' }))).status_code).toBe(404)
  })

  test('version', async () => {
    expect((await ollama.version()).version).toMatch(/^\d+\.\d+\.\d+/)
  })

  test('a key sees only what it may', async () => {
    const key = await house.key({ models: ['openai'] })
    const mine = new Ollama({ host: house.gateway.url, headers: { authorization: `Bearer ${key}` } })
    expect((await mine.list()).models.map((m) => m.name)).toEqual(['openai:latest'])
  })
})

describe('errors', () => {
  test('an unknown model is 404 with the words that clients look for', async () => {
    const error = await thrown(ollama.chat({ model: 'nobody', messages }))
    expect(error.status_code).toBe(404)
    expect(error.message).toContain('not found')
  })

  test('without a key, nothing', async () => {
    const nobody = new Ollama({ host: house.gateway.url })
    expect((await thrown(nobody.chat({ model: 'ollama', messages }))).status_code).toBe(401)
    expect((await thrown(nobody.list())).status_code).toBe(401)
  })

  test('what would change the models of others is forbidden', async () => {
    for (const act of [
      ollama.delete({ model: 'ollama' }),
      ollama.copy({ source: 'ollama', destination: 'mine' }),
      ollama.push({ model: 'ollama' }),
      ollama.create({ model: 'mine', from: 'ollama' }),
    ])
      expect((await thrown(act)).status_code).toBe(403)
  })

  test("pulling is the operator's", async () => {
    const key = await house.key()
    const mine = new Ollama({ host: house.gateway.url, headers: { authorization: `Bearer ${key}` } })
    expect((await thrown(mine.pull({ model: 'fresh' }))).status_code).toBe(403)
    const steps: string[] = []
    for await (const step of await ollama.pull({ model: 'fresh', stream: true })) steps.push(step.status)
    expect(steps.at(-1)).toBe('success')
  })
})
