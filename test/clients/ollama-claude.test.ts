/** An Ollama client that talks to a Claude must not notice: everything that it reads of an answer, a list or a model. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { ChatRequest, ChatResponse, Ollama } from 'ollama'
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
const model = 'anthropic'
const place = { ...PARAMETERS, required: ['city', 'days'] }

/** The same, whole and as the lines of a stream. */
async function both(asked: Omit<ChatRequest, 'stream'>): Promise<[whole: ChatResponse, lines: ChatResponse[]]> {
  const whole = await ollama.chat(asked)
  const lines: ChatResponse[] = []
  for await (const line of await ollama.chat({ ...asked, stream: true })) lines.push(line)
  return [whole, lines]
}
const sent = () => house.last()

/** What Ollama's own server says at the end of each answer: counts, and durations in ns that add up. */
function measured(last: ChatResponse, beganAt: number): void {
  expect(last).toMatchObject({ done: true, prompt_eval_count: PROMPT })
  expect(last.eval_count).toBeGreaterThan(0)
  const { total_duration: total, load_duration: load, prompt_eval_duration: prompt, eval_duration: said } = last
  for (const ns of [total, load, prompt, said]) {
    expect(Number.isInteger(ns)).toBeTrue()
    expect(ns).toBeGreaterThanOrEqual(0)
  }
  expect(total).toBeGreaterThan(0)
  expect(total).toBeLessThanOrEqual((Date.now() - beganAt + 1) * 1e6)
  // Clients divide by it: tokens a second.
  expect(said).toBeGreaterThan(0)
  expect(load + prompt + said).toBeLessThanOrEqual(total)
}

test('tags: it stands among the models, with what a list shows', async () => {
  const { models } = await ollama.list()
  const mine = models.find(({ name }) => name === 'anthropic:latest')
  expect(mine).toMatchObject({ name: 'anthropic:latest', model: 'anthropic:latest' })
  for (const field of ['digest', 'modified_at'] as const) expect(mine?.[field]).toBeString()
  expect(mine?.size).toBeNumber()
  expect(Number.isNaN(new Date(mine?.modified_at ?? '').getTime())).toBeFalse()
  for (const field of ['format', 'family', 'parameter_size', 'quantization_level'] as const)
    expect(mine?.details[field]).toBeString()
})

test('show: what it can do, by the words that clients look for', async () => {
  for (const name of ['anthropic', 'anthropic:latest']) {
    const shown = await ollama.show({ model: name })
    expect(shown.capabilities).toEqual(expect.arrayContaining(['completion', 'tools', 'vision', 'thinking']))
    expect(shown.details).toMatchObject({ family: 'anthropic' })
    for (const field of ['modelfile', 'parameters', 'template'] as const) expect(shown[field]).toBeString()
    expect(shown.model_info).toBeObject()
  }
})

test('durations in ns and done_reason, whole and streamed, of a chat and of a generation', async () => {
  const began = Date.now()
  const [whole, lines] = await both({ model: 'anthropic-slow', messages })
  const last = lines.at(-1) as ChatResponse
  for (const one of [whole, last]) {
    expect([one.done_reason, one.eval_count]).toEqual(['stop', WORDS])
    measured(one, began)
  }
  // The mock waits 100 ms between words.
  expect(last.eval_duration).toBeGreaterThan(WORDS * 50e6)
  expect(lines.slice(0, -1).every(({ done, done_reason: why, total_duration: ns }) => !done && !why && !ns)).toBeTrue()
  const said = await ollama.generate({ model, prompt: QUESTION, system: SYSTEM })
  expect([said.response, said.done_reason]).toEqual([TEXT, 'stop'])
  measured(said as never, began)
  const short = await ollama.chat({ model, messages, options: { num_predict: 5 } })
  expect([short.message.content, short.done_reason, short.eval_count]).toEqual([begin(5), 'length', 5])
})

test('thinking: on, off and as a level', async () => {
  const [whole, lines] = await both({ model, messages, think: true, options: { num_predict: 4_000 } })
  expect(whole.message.thinking).toContain('Let')
  expect(whole.message.content).toBe(TEXT)
  expect(lines.map(({ message }) => message.thinking ?? '').join('')).toBe(whole.message.thinking as string)
  expect(lines.map(({ message }) => message.content).join('')).toBe(TEXT)
  expect((sent().thinking as { type: string }).type).toMatch(/^(enabled|adaptive)$/)
  await ollama.chat({ model, messages, think: 'low' })
  expect((sent().thinking as { type: string }).type).toMatch(/^(enabled|adaptive)$/)
  const off = await ollama.chat({ model, messages, think: false })
  expect(off.message.thinking).toBeUndefined()
  expect(['undefined', '{"type":"disabled"}']).toContain(String(JSON.stringify(sent().thinking)))
})

test('tool calls as objects, and an answer after their results and the thoughts before them', async () => {
  const tools = [tool('get_weather'), tool('get_time')]
  const [whole, lines] = await both({ model, messages, tools: tools as never })
  const streamed = lines.flatMap(({ message }) => message.tool_calls ?? [])
  for (const calls of [whole.message.tool_calls ?? [], streamed])
    expect(calls.map(({ function: { name, arguments: args } }) => [name, args])).toEqual([
      ['get_weather', ARGUMENTS],
      ['get_time', ARGUMENTS],
    ])
  // Ollama says `stop` after calls, too.
  expect([whole.done_reason, lines.at(-1)?.done_reason]).toEqual(['stop', 'stop'])
  const after = await ollama.chat({
    model,
    tools: tools as never,
    messages: [
      ...messages,
      { ...whole.message, thinking: 'I should look.' },
      { role: 'tool', tool_name: 'get_weather', content: '20 °C' },
      { role: 'tool', tool_name: 'get_time', content: 'half past ten' },
    ],
  })
  expect(after.message.content).toBe(TEXT)
  const [, , results] = sent().messages as { content: { type: string; tool_use_id: string }[] }[]
  const asked = (sent().messages as { content: { type: string; id: string }[] }[])[1]?.content ?? []
  const ids = asked.filter(({ type }) => type === 'tool_use').map(({ id }) => id)
  expect(ids).toHaveLength(2)
  expect(results?.content.map(({ tool_use_id: id }) => id)).toEqual(ids)
})

test('format: a schema, and JSON without one', async () => {
  const [whole, lines] = await both({ model, messages, format: place })
  expect(JSON.parse(whole.message.content)).toEqual(ARGUMENTS)
  expect(lines.map(({ message }) => message.content).join('')).toBe(whole.message.content)
  expect(JSON.stringify(sent())).toContain('"days"')
  // Anthropic has no JSON mode: either it is refused by its name, or asked for in another way.
  const loose = await ollama.chat({ model, messages, format: 'json' }).catch((cause: Error) => cause)
  if (loose instanceof Error) expect(loose.message).toContain('format')
  else expect(loose.message.content).not.toBe('')
})

test('keep_alive: a cloud needs none, whatever form it has; loading and unloading are answered as by a server', async () => {
  for (const keep_alive of ['5m', 0, -1, '24h', 300]) {
    const reply = await ollama.chat({ model, messages, keep_alive })
    expect(reply.message.content).toBe(TEXT)
    expect(JSON.stringify(sent())).not.toContain('keep_alive')
  }
  const before = house.mock.requests.length
  // What `ollama run` and `ollama stop` send.
  const loaded = await ollama.chat({ model, messages: [] })
  expect(loaded).toMatchObject({ done: true, done_reason: 'load', message: { role: 'assistant', content: '' } })
  const unloaded = await ollama.generate({ model, prompt: '', keep_alive: 0 })
  expect(unloaded).toMatchObject({ done: true, done_reason: 'unload', response: '' })
  expect(house.mock.requests.length).toBe(before)
})

test('images: as base64 and as bytes', async () => {
  for (const images of [[PIXEL], [new Uint8Array(Buffer.from(PIXEL, 'base64'))]]) {
    const reply = await ollama.chat({ model, messages: [{ role: 'user', content: QUESTION, images }] })
    expect(reply.message.content).toBe(TEXT)
    expect(JSON.stringify(sent())).toContain(`"media_type":"image/png","data":"${PIXEL}"`)
  }
  const said = await ollama.generate({ model, prompt: QUESTION, images: [PIXEL] })
  expect(said.response).toBe(TEXT)
  expect(JSON.stringify(sent())).toContain(PIXEL)
})

test("options that are its own server's pass without a word, and the others in Claude's", async () => {
  const options = { num_ctx: 8192, num_gpu: 99, num_thread: 4, temperature: 0.5, top_p: 0.9, top_k: 40, stop: ['END'] }
  expect((await ollama.chat({ model, messages, options })).message.content).toBe(TEXT)
  expect(sent()).toMatchObject({ temperature: 0.5, top_p: 0.9, top_k: 40, stop_sequences: ['END'] })
  expect(JSON.stringify(sent())).not.toContain('num_')
})

test('errors: in its words, whole and in the middle of a stream', async () => {
  for (const [name, status] of [
    ['anthropic-500', 502],
    ['anthropic-context', 400],
    ['anthropic-429', 429],
    ['nobody', 404],
  ] as const) {
    const error = await thrown(ollama.chat({ model: name, messages }))
    expect([error.name, error.status_code]).toEqual(['ResponseError', status])
  }
  for (const fault of ['inband', 'cut']) {
    let text = ''
    const stream = await ollama.chat({ model: `anthropic-${fault}`, messages, stream: true })
    const error = await thrown(
      (async () => {
        for await (const line of stream) {
          text += line.message.content
          expect(line.done).toBeFalse()
        }
      })(),
    )
    expect(error.message).toContain('not the whole answer')
    expect(TEXT.startsWith(text) && text !== TEXT && text !== '').toBeTrue()
  }
})
