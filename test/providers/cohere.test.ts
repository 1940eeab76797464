/** Cohere's second chat: what is asked for, and all kinds of answers and streams. */
import { describe, expect, test } from 'bun:test'
import type { Chat, Json, Message } from '../../src/dialects/canonical.ts'
import type { ChatTarget } from '../../src/dialects/dialect.ts'
import { chatOf, dialectOf, embedOf, eventsOf, failure, linkOf, told, written } from './house.ts'

const ID = 'cohere-chat'
const dialect = dialectOf(ID) as ChatTarget
const body = (more: Partial<Chat>): Json => written(ID, chatOf({ model: 'command-a-03-2025', ...more })).body
const user = (text: string): Message => ({ role: 'user', parts: [{ type: 'text', text }] })

describe('a request', () => {
  test('has other words for the sampling', () => {
    expect(
      body({
        maxTokens: 9,
        temperature: 0.3,
        topP: 0.75,
        topK: 5,
        seed: 1,
        stop: ['END'],
        frequencyPenalty: 0.1,
        presencePenalty: 0.2,
      }),
    ).toEqual({
      model: 'command-a-03-2025',
      messages: [{ role: 'user', content: 'Hello' }],
      stream: false,
      max_tokens: 9,
      temperature: 0.3,
      p: 0.75,
      k: 5,
      seed: 1,
      stop_sequences: ['END'],
      frequency_penalty: 0.1,
      presence_penalty: 0.2,
    })
  })

  test('tools, calls with their plan, and results', () => {
    const messages: Message[] = [
      { role: 'system', parts: [{ type: 'text', text: 'Be brief.' }] },
      user('Weather?'),
      {
        role: 'assistant',
        parts: [
          { type: 'text', text: 'I look it up.' },
          { type: 'call', id: 'w_1', name: 'weather', args: '{"city":"Paris"}' },
        ],
      },
      { role: 'tool', parts: [{ type: 'result', callId: 'w_1', parts: [{ type: 'text', text: '18' }] }] },
    ]
    const tools = [{ name: 'weather', description: 'Tells it', parameters: { type: 'object' } }, { name: 'time' }]
    const said = body({ messages, tools, toolChoice: 'required' })
    expect(said.messages).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Weather?' },
      {
        role: 'assistant',
        tool_plan: 'I look it up.',
        tool_calls: [{ id: 'w_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Paris"}' } }],
      },
      { role: 'tool', tool_call_id: 'w_1', content: '18' },
    ])
    expect(said.tool_choice).toBe('REQUIRED')
    expect(body({ tools, toolChoice: 'none' }).tool_choice).toBe('NONE')
    expect(body({ tools, toolChoice: 'auto' })).not.toHaveProperty('tool_choice')
    // One tool can't be named: it alone is offered.
    const one = body({ tools, toolChoice: { name: 'time' } })
    expect([one.tool_choice, (one.tools as Json[]).length]).toEqual(['REQUIRED', 1])
  })

  test('images, a schema, thinking', () => {
    const parts: Message['parts'] = [
      { type: 'text', text: 'What?' },
      { type: 'image', source: { kind: 'data', mediaType: 'image/png', data: 'AA==' }, detail: 'low' },
    ]
    expect(body({ messages: [{ role: 'user', parts }] }).messages).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What?' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==', detail: 'low' } },
        ],
      },
    ])
    expect(body({ format: { kind: 'schema', schema: { type: 'object' } } }).response_format).toEqual({
      type: 'json_object',
      json_schema: { type: 'object' },
    })
    expect(body({ format: { kind: 'json' } }).response_format).toEqual({ type: 'json_object' })
    expect(body({ thinking: { enabled: false } }).thinking).toEqual({ type: 'disabled' })
    expect(body({ thinking: { enabled: true, budget: 500 } }).thinking).toEqual({ type: 'enabled', token_budget: 500 })
  })

  test('what Cohere has no words for is named', () => {
    const { lost, adapted } = written(
      ID,
      chatOf({
        n: 3,
        logprobs: true,
        logitBias: { '1': 1 },
        minP: 0.1,
        repeatPenalty: 1.1,
        presencePenalty: -1,
        temperature: 1.5,
      }),
    )
    expect(lost.sort()).toEqual(['logit_bias', 'logprobs', 'min_p', 'n', 'repetition_penalty'])
    expect(adapted.sort()).toEqual(['presence_penalty', 'temperature'])
  })
})

test('an answer with a plan and calls', () => {
  const reply = dialect.readReply({
    id: 'x',
    finish_reason: 'TOOL_CALL',
    message: {
      role: 'assistant',
      tool_plan: 'I look it up.',
      tool_calls: [{ id: 'w_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Paris"}' } }],
    },
    usage: {
      billed_units: { input_tokens: 37, output_tokens: 28 },
      tokens: { input_tokens: 1242, output_tokens: 63 },
      cached_tokens: 16,
    },
  })
  expect(reply.choices[0]?.parts).toEqual([
    { type: 'thinking', text: 'I look it up.' },
    { type: 'call', id: 'w_1', name: 'weather', args: '{"city":"Paris"}' },
  ])
  expect(reply.choices[0]?.finish?.unified).toBe('tool-calls')
  expect(reply.usage).toMatchObject({ input: 37, cacheRead: 16, output: 28 })
})

test('an answer that thinks', () => {
  const content = [
    { type: 'thinking', thinking: 'Hm.' },
    { type: 'text', text: 'So.' },
  ]
  const reply = dialect.readReply({ id: 'x', finish_reason: 'MAX_TOKENS', message: { role: 'assistant', content } })
  expect(reply.choices[0]).toMatchObject({
    parts: [
      { type: 'thinking', text: 'Hm.' },
      { type: 'text', text: 'So.' },
    ],
    finish: { unified: 'length' },
  })
})

test('a stream with a plan and parallel calls, in any pieces', () => {
  const said: Json[] = [
    { type: 'message-start', id: 'x', delta: { message: { role: 'assistant' } } },
    { type: 'tool-plan-delta', delta: { message: { tool_plan: 'I ' } } },
    { type: 'tool-plan-delta', delta: { message: { tool_plan: 'look.' } } },
    {
      type: 'tool-call-start',
      index: 0,
      delta: { message: { tool_calls: { id: 'a', type: 'function', function: { name: 'weather', arguments: '' } } } },
    },
    { type: 'tool-call-delta', index: 0, delta: { message: { tool_calls: { function: { arguments: '{"city":' } } } } },
    { type: 'tool-call-delta', index: 0, delta: { message: { tool_calls: { function: { arguments: '"Paris"}' } } } } },
    { type: 'tool-call-end', index: 0 },
    {
      type: 'tool-call-start',
      index: 1,
      delta: { message: { tool_calls: { id: 'b', type: 'function', function: { name: 'time', arguments: '{}' } } } },
    },
    { type: 'tool-call-end', index: 1 },
    {
      type: 'message-end',
      delta: { finish_reason: 'TOOL_CALL', usage: { billed_units: { input_tokens: 3, output_tokens: 4 } } },
    },
  ]
  const bytes = new TextEncoder().encode(
    said.map((one) => `event: ${String(one.type)}\ndata: ${JSON.stringify(one)}\n\n`).join(''),
  )
  for (const cut of [bytes.length, 50, 1])
    expect(told(eventsOf(ID, bytes, cut))).toMatchObject({
      thinking: 'I look.',
      calls: [
        { id: 'a', name: 'weather', args: '{"city":"Paris"}' },
        { id: 'b', name: 'time', args: '{}' },
      ],
      finish: 'tool-calls',
      usage: { input: 3, output: 4 },
    })
})

test('an answer that is an error after all is one', () => {
  const end = { type: 'message-end', delta: { finish_reason: 'ERROR', error: 'It broke.' } }
  expect(() => eventsOf(ID, new TextEncoder().encode(`data: ${JSON.stringify(end)}\n\n`))).toThrow('It broke.')
  expect(() => dialect.readReply({ id: 'x', finish_reason: 'TIMEOUT', message: {} })).toThrow()
})

test('errors', () => {
  const link = linkOf('cohere/m', { api_key: 'k-0123456789' })
  const kind = (status: number, message: string) => failure(link, status, JSON.stringify({ message })).kind
  expect(kind(401, 'invalid api token')).toBe('auth')
  expect(kind(400, 'too many tokens in the prompt: 200000')).toBe('context')
  expect(kind(422, 'message must not be empty')).toBe('caller')
  expect(kind(429, 'You are past the trial limit')).toBe('rate_limited')
  expect(kind(498, 'request was blocked')).toBe('content_filter')
})

test("its own words in an embedding request go along; others' are named", () => {
  const extras = {
    dialect: 'openai-embeddings' as const,
    fields: { input_type: 'search_query', truncate: 'END', odd: 1 },
  }
  const { body: said, lost } = written('cohere-embed', embedOf({ model: 'embed-v4.0', extras }))
  expect(said).toMatchObject({ input_type: 'search_query', truncate: 'END' })
  expect(lost).toEqual(['odd'])
})
