/** What a target can't do: done another way, left out by name, or refused; never lost without a word. */
import { afterAll, beforeEach, expect, test } from 'bun:test'
import OpenAI from 'openai'
import { startGateway } from '../support/gateway.ts'

interface Body {
  model: string
  stream?: boolean
  tools?: { function: { name: string; parameters: unknown } }[]
  tool_choice?: { function: { name: string } } | string
  response_format?: unknown
}
let seen: Body[] = []
const upstream = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  async fetch(request) {
    const body = (await request.json()) as Body
    seen.push(body)
    const tool = body.tools?.at(-1)?.function.name
    const head = { id: 'c', created: 1, model: body.model }
    const usage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 }
    const args = '{"city":"Bonn","people":3}'
    if (!body.stream) {
      const message = tool
        ? {
            role: 'assistant',
            content: 'Here:',
            tool_calls: [{ id: 'x', type: 'function', function: { name: tool, arguments: args } }],
          }
        : { role: 'assistant', content: 'plain' }
      return Response.json({
        ...head,
        object: 'chat.completion',
        choices: [{ index: 0, message, finish_reason: tool ? 'tool_calls' : 'stop' }],
        usage,
      })
    }
    const chunk = (delta: object, finish: string | null = null) =>
      `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`
    const call = (more: object) => chunk({ tool_calls: [{ index: 0, ...more }] })
    const parts = [
      chunk({ role: 'assistant', content: 'Here:' }),
      call({ id: 'x', type: 'function', function: { name: tool, arguments: '' } }),
      call({ function: { arguments: args.slice(0, 9) } }),
      call({ function: { arguments: args.slice(9) } }),
      chunk({}, 'tool_calls'),
    ]
    return new Response(
      `${parts.join('')}data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices: [], usage })}\n\ndata: [DONE]\n\n`,
      { headers: { 'content-type': 'text/event-stream' } },
    )
  },
})
const params = { model: 'openai/plain', api_base: `http://127.0.0.1:${upstream.port}/v1`, api_key: 'x' }
const model = (name: string, info: object, more: object = {}) => ({
  model_name: name,
  litellm_params: { ...params, ...more },
  model_info: info,
})
const gateway = await startGateway({
  yaml: {
    model_list: [
      model('no-schema', { supports_response_schema: false }),
      model('no-tools', { supports_function_calling: false }),
      model('no-tools-drop', { supports_function_calling: false }, { drop_params: true }),
      model('blind', { supports_vision: false }),
      model('able', {}),
      model('moon', {}, { model: 'moonshot/kimi' }),
      model('moon-drop', {}, { model: 'moonshot/kimi', drop_params: true }),
    ],
  },
})
const { key } = (await (await gateway.call('POST', '/key/generate', {})).json()) as { key: string }
const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: key, maxRetries: 0 })
beforeEach(() => {
  seen = []
})
afterAll(async () => {
  await gateway.stop()
  await upstream.stop(true)
})
const messages = [{ role: 'user' as const, content: 'Where?' }]
const schema = {
  type: 'object',
  properties: { city: { type: 'string' }, people: { type: 'integer' } },
  required: ['city', 'people'],
  additionalProperties: false,
}
const response_format = { type: 'json_schema' as const, json_schema: { name: 'place', schema, strict: true } }
const tools = [{ type: 'function' as const, function: { name: 'look_up', parameters: { type: 'object' } } }]

test('a schema that the target does not know is a tool it must call, and its call is the content', async () => {
  const answer = await client.chat.completions.create({ model: 'no-schema', messages, response_format })
  expect(JSON.parse(answer.choices[0]?.message.content ?? '')).toEqual({ city: 'Bonn', people: 3 })
  expect(answer.choices[0]?.message.tool_calls).toBeUndefined()
  expect(answer.choices[0]?.finish_reason).toBe('stop')
  expect(seen[0]?.response_format).toBeUndefined()
  expect(seen[0]?.tools?.[0]?.function.parameters).toEqual(schema)
})

test('streamed likewise', async () => {
  const stream = await client.chat.completions.create({ model: 'no-schema', messages, response_format, stream: true })
  let content = ''
  let finish: string | null = null
  for await (const chunk of stream) {
    content += chunk.choices[0]?.delta.content ?? ''
    finish = chunk.choices[0]?.finish_reason ?? finish
    expect(chunk.choices[0]?.delta.tool_calls).toBeUndefined()
  }
  expect(JSON.parse(content)).toEqual({ city: 'Bonn', people: 3 })
  expect(finish).toBe('stop')
})

test('a target that knows schemas gets the bytes as they came', async () => {
  await client.chat.completions.create({ model: 'able', messages, response_format })
  expect(seen[0]?.response_format).toEqual(response_format)
})

test('tools that cannot be called are refused by name, or left out by name', async () => {
  const refused = await client.chat.completions.create({ model: 'no-tools', messages, tools }).then(
    () => undefined,
    (e) => e,
  )
  expect(refused).toMatchObject({ status: 400, param: 'tools', code: 'unsupported_parameter' })
  expect(seen).toEqual([])
  const { data, response } = await client.chat.completions
    .create({ model: 'no-tools-drop', messages, tools })
    .withResponse()
  expect(data.choices[0]?.message.content).toBe('plain')
  expect(response.headers.get('x-tollgate-dropped')).toBe('tools')
  expect(seen[0]?.tools).toBeUndefined()
})

test('an image for a model that sees nothing is refused, whatever may be dropped', async () => {
  const content = [{ type: 'image_url' as const, image_url: { url: 'data:image/png;base64,aGk=' } }]
  const refused = await client.chat.completions.create({ model: 'blind', messages: [{ role: 'user', content }] }).then(
    () => undefined,
    (e) => e,
  )
  expect(refused).toMatchObject({ status: 400, param: 'messages' })
  expect(seen).toEqual([])
})

test("what a provider's quirk leaves out is refused by its name, or named in a header", async () => {
  const tool = { type: 'function' as const, function: { name: 'f', parameters: { type: 'object' } } }
  const ask = { messages: [{ role: 'user' as const, content: 'Hi' }], tools: [tool], tool_choice: 'required' as const }
  const refused = await client.chat.completions.create({ model: 'moon', ...ask }).catch((e: unknown) => e)
  expect(refused).toMatchObject({ status: 400, code: 'unsupported_parameter', param: 'tool_choice' })
  expect(seen).toHaveLength(0)
  const { response } = await client.chat.completions
    .create({ model: 'moon-drop', ...ask, temperature: 1.5 })
    .withResponse()
  expect(response.headers.get('x-tollgate-dropped')?.split(/, ?/).sort()).toEqual(['temperature', 'tool_choice'])
  expect(seen[0]).not.toHaveProperty('tool_choice')
  // A change without loss is never a reason to refuse.
  const { response: clamped } = await client.chat.completions
    .create({ model: 'moon', messages: ask.messages, temperature: 1.5 })
    .withResponse()
  expect(clamped.headers.get('x-tollgate-dropped')).toBe('temperature')
})
