/** Bedrock's Converse: what is asked for, and all kinds of answers, streams and errors. */
import { describe, expect, test } from 'bun:test'
import { Refusal } from '../../src/core/refusal.ts'
import { NO_USAGE } from '../../src/core/usage.ts'
import type { Chat, Json, Message } from '../../src/dialects/canonical.ts'
import type { ChatTarget } from '../../src/dialects/dialect.ts'
import { event, exception } from './frames.ts'
import { chatOf, dialectOf, eventsOf, failure, linkOf, told, written } from './house.ts'

const ID = 'bedrock-converse'
const CLAUDE = 'anthropic.claude-sonnet-4-5-20250929-v1:0'
const dialect = dialectOf(ID) as ChatTarget
const body = (more: Partial<Chat>): Json => written(ID, chatOf({ model: CLAUDE, ...more })).body
const user = (text: string): Message => ({ role: 'user', parts: [{ type: 'text', text }] })
const PNG = 'iVBORw0KGgo='

describe('a request', () => {
  test('has its words where Converse wants them, and neither model nor stream', () => {
    const messages: Message[] = [{ role: 'system', parts: [{ type: 'text', text: 'Be brief.' }] }, user('Hi')]
    expect(
      body({ messages, maxTokens: 9, temperature: 0.5, topP: 0.9, topK: 40, stop: ['END'], stream: true }),
    ).toEqual({
      system: [{ text: 'Be brief.' }],
      messages: [{ role: 'user', content: [{ text: 'Hi' }] }],
      inferenceConfig: { maxTokens: 9, temperature: 0.5, topP: 0.9, stopSequences: ['END'] },
      additionalModelRequestFields: { top_k: 40 },
    })
  })

  test('turns of one role stand together, and no text is empty', () => {
    const messages: Message[] = [
      user('a'),
      user(''),
      user('b'),
      { role: 'assistant', parts: [{ type: 'text', text: 'c' }] },
    ]
    expect(body({ messages }).messages).toEqual([
      { role: 'user', content: [{ text: 'a' }, { text: 'b' }] },
      { role: 'assistant', content: [{ text: 'c' }] },
    ])
  })

  test('tools, calls and their results, with ids that AWS takes', () => {
    const messages: Message[] = [
      user('Weather?'),
      {
        role: 'assistant',
        parts: [
          { type: 'call', id: 'call:1', name: 'weather', args: '{"city":"Paris"}' },
          { type: 'call', id: 'two', name: 'time', args: '' },
        ],
      },
      {
        role: 'tool',
        parts: [
          { type: 'result', callId: 'call:1', parts: [{ type: 'text', text: '18 degrees' }] },
          { type: 'result', callId: 'two', parts: [], isError: true },
        ],
      },
      user('And now?'),
    ]
    const tools = [
      { name: 'weather', description: 'Tells it', parameters: { properties: { city: { type: 'string' } } } },
    ]
    expect(body({ messages, tools, toolChoice: 'required' })).toEqual({
      messages: [
        { role: 'user', content: [{ text: 'Weather?' }] },
        {
          role: 'assistant',
          content: [
            { toolUse: { toolUseId: 'call_1', name: 'weather', input: { city: 'Paris' } } },
            { toolUse: { toolUseId: 'two', name: 'time', input: {} } },
          ],
        },
        {
          role: 'user',
          content: [
            { toolResult: { toolUseId: 'call_1', content: [{ text: '18 degrees' }] } },
            { toolResult: { toolUseId: 'two', content: [{ text: '(empty)' }], status: 'error' } },
            { text: 'And now?' },
          ],
        },
      ],
      toolConfig: {
        tools: [
          {
            toolSpec: {
              name: 'weather',
              description: 'Tells it',
              inputSchema: { json: { type: 'object', properties: { city: { type: 'string' } } } },
            },
          },
        ],
        toolChoice: { any: {} },
      },
    })
    // Without a declaration Converse refuses the whole conversation.
    const { body: bare, adapted } = written(ID, chatOf({ model: CLAUDE, messages, toolChoice: 'none' }))
    expect(
      (bare.toolConfig as { tools: { toolSpec: { name: string } }[] }).tools.map((tool) => tool.toolSpec.name),
    ).toEqual(['weather', 'time'])
    expect(adapted).toContain('tools')
  })

  test('marks for caching, whoever sets them', () => {
    for (const dialect of ['anthropic', 'openai-chat'] as const) {
      const extras = { dialect, fields: { cache_control: { type: 'ephemeral' } } }
      const messages: Message[] = [{ role: 'user', parts: [{ type: 'text', text: 'Long', extras }] }]
      const said = body({ messages, tools: [{ name: 'f', extras }] })
      expect(said.messages).toEqual([
        { role: 'user', content: [{ text: 'Long' }, { cachePoint: { type: 'default' } }] },
      ])
      expect((said.toolConfig as { tools: Json[] }).tools.at(-1)).toEqual({ cachePoint: { type: 'default' } })
    }
  })

  test('tool choices', () => {
    const tools = [{ name: 'f' }]
    const choice = (toolChoice: Chat['toolChoice']) =>
      (body({ tools, ...(toolChoice ? { toolChoice } : {}) }).toolConfig as Json | undefined)?.toolChoice
    expect(choice('auto')).toEqual({ auto: {} })
    expect(choice({ name: 'f' })).toEqual({ tool: { name: 'f' } })
    expect(choice(undefined)).toBeUndefined()
    expect(body({ tools, toolChoice: 'none' })).not.toHaveProperty('toolConfig')
  })

  test('images and documents as bytes; what has only an address is refused by name', () => {
    const parts: Message['parts'] = [
      { type: 'image', source: { kind: 'data', mediaType: 'image/jpg', data: PNG } },
      {
        type: 'file',
        name: 'Q3 report_(final).pdf',
        source: { kind: 'data', mediaType: 'application/pdf', data: 'JVBE' },
      },
      {
        type: 'file',
        name: 'a.txt',
        source: { kind: 'data', mediaType: 'text/plain', data: Buffer.from('hi').toString('base64') },
      },
    ]
    expect(body({ messages: [{ role: 'user', parts }] }).messages).toEqual([
      {
        role: 'user',
        content: [
          { image: { format: 'jpeg', source: { bytes: PNG } } },
          { document: { format: 'pdf', name: 'Q3 report-(final)', source: { bytes: 'JVBE' } } },
          { text: 'a.txt:\nhi' },
        ],
      },
    ])
    const url: Message = { role: 'user', parts: [{ type: 'image', source: { kind: 'url', url: 'https://x/y.png' } }] }
    expect(() => body({ messages: [url] })).toThrow(Refusal)
    const audio: Message = { role: 'user', parts: [{ type: 'audio', data: 'AA', format: 'wav' }] }
    expect(() => body({ messages: [audio] })).toThrow('audio')
  })

  test('signed thinking goes back as it was, unsigned is left out and told', () => {
    const parts: Message['parts'] = [
      { type: 'thinking', text: 'Hm.', signature: 'c2ln' },
      { type: 'redacted_thinking', data: 'cmVk' },
      { type: 'thinking', text: 'unsigned' },
      { type: 'text', text: 'So.' },
    ]
    const { body: said, adapted } = written(
      ID,
      chatOf({ model: CLAUDE, messages: [user('a'), { role: 'assistant', parts }] }),
    )
    expect((said.messages as Json[])[1]).toEqual({
      role: 'assistant',
      content: [
        { reasoningContent: { reasoningText: { text: 'Hm.', signature: 'c2ln' } } },
        { reasoningContent: { redactedContent: 'cmVk' } },
        { text: 'So.' },
      ],
    })
    expect(adapted).toContain('messages.thinking')
  })

  test("thinking in the words of each maker's models", () => {
    const more = (model: string, thinking: Chat['thinking']) =>
      written(ID, chatOf({ model, ...(thinking ? { thinking } : {}) })).body.additionalModelRequestFields
    expect(more(CLAUDE, { enabled: true, budget: 2048 })).toEqual({
      thinking: { type: 'enabled', budget_tokens: 2048 },
    })
    expect(more(CLAUDE, { enabled: true, effort: 'high' })).toEqual({
      thinking: { type: 'adaptive' },
      output_config: { effort: 'high' },
    })
    expect(more(CLAUDE, { enabled: false })).toBeUndefined()
    expect(more('amazon.nova-2-lite-v1:0', { enabled: true, effort: 'low' })).toEqual({
      reasoningConfig: { type: 'enabled', maxReasoningEffort: 'low' },
    })
    expect(more('openai.gpt-oss-120b-1:0', { enabled: true, effort: 'high' })).toEqual({ reasoning_effort: 'high' })
    const other = written(ID, chatOf({ model: 'meta.llama3-70b', thinking: { enabled: true, effort: 'high' } }))
    expect([other.lost, other.body.additionalModelRequestFields]).toEqual([['reasoning_effort'], undefined])
  })

  test("Anthropic's cache marks become Converse's points", () => {
    const cached = { dialect: 'anthropic' as const, fields: { cache_control: { type: 'ephemeral' } } }
    const said = body({
      messages: [
        { role: 'system', parts: [{ type: 'text', text: 'Long.', extras: cached }] },
        {
          role: 'user',
          parts: [
            { type: 'text', text: 'Longer.', extras: cached },
            { type: 'text', text: 'Hi' },
          ],
        },
      ],
      tools: [{ name: 'f', extras: cached }],
    })
    const point = { cachePoint: { type: 'default' } }
    expect(said.system).toEqual([{ text: 'Long.' }, point])
    expect((said.messages as Json[])[0]?.content).toEqual([{ text: 'Longer.' }, point, { text: 'Hi' }])
    expect((said.toolConfig as { tools: Json[] }).tools[1]).toEqual(point)
  })

  test('a schema for the answer, and all that Converse has no words for', () => {
    expect(body({ format: { kind: 'schema', name: 'city', schema: { type: 'object' } } }).outputConfig).toEqual({
      textFormat: { type: 'json_schema', structure: { jsonSchema: { name: 'city', schema: '{"type":"object"}' } } },
    })
    const { lost, adapted } = written(
      ID,
      chatOf({
        model: CLAUDE,
        n: 2,
        logprobs: true,
        logitBias: { '1': 2 },
        presencePenalty: 1,
        frequencyPenalty: 1,
        minP: 0.1,
        seed: 1,
        temperature: 2,
        format: { kind: 'json' },
      }),
    )
    expect(lost.sort()).toEqual(['frequency_penalty', 'logit_bias', 'logprobs', 'min_p', 'n', 'presence_penalty'])
    expect(adapted.sort()).toEqual(['response_format', 'seed', 'temperature'])
  })
})

describe('an answer', () => {
  test('with thinking, a call and cached tokens', () => {
    const reply = dialect.readReply({
      output: {
        message: {
          role: 'assistant',
          content: [
            { reasoningContent: { reasoningText: { text: 'Hm.', signature: 'c2ln' } } },
            { reasoningContent: { redactedContent: 'cmVk' } },
            { text: 'I look.' },
            { toolUse: { toolUseId: 'tooluse_1', name: 'weather', input: { city: 'Paris' } } },
            { somethingNew: {} },
          ],
        },
      },
      stopReason: 'tool_use',
      usage: {
        inputTokens: 10,
        outputTokens: 20,
        totalTokens: 160,
        cacheReadInputTokens: 100,
        cacheWriteInputTokens: 30,
        cacheDetails: [
          { ttl: '1h', inputTokens: 12 },
          { ttl: '5m', inputTokens: 18 },
        ],
      },
    })
    expect(reply.choices[0]).toEqual({
      index: 0,
      parts: [
        { type: 'thinking', text: 'Hm.', signature: 'c2ln' },
        { type: 'redacted_thinking', data: 'cmVk' },
        { type: 'text', text: 'I look.' },
        { type: 'call', id: 'tooluse_1', name: 'weather', args: '{"city":"Paris"}' },
      ],
      finish: { unified: 'tool-calls', raw: 'tool_use' },
    })
    expect(reply.usage).toEqual({
      ...NO_USAGE,
      input: 140,
      cacheRead: 100,
      cacheWrite: 18,
      cacheWriteHour: 12,
      output: 20,
      reasoning: 0,
    })
  })

  test.each([
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['max_tokens', 'length'],
    ['guardrail_intervened', 'content-filter'],
    ['content_filtered', 'content-filter'],
    ['malformed_model_output', 'other'],
  ])('that ends with %s', (stopReason, unified) => {
    const whole = { output: { message: { content: [{ text: 'x' }] } }, stopReason }
    expect(dialect.readReply(whole).choices[0]?.finish?.unified).toBe(unified as never)
  })

  test('that is none', () => {
    expect(() => dialect.readReply({ message: 'no' })).toThrow('holds no message')
    expect(dialect.glance('{"output":{}}').garbage).toBe(true)
  })
})

describe('a stream', () => {
  const parallel = Buffer.concat([
    event('messageStart', { role: 'assistant' }),
    event('contentBlockDelta', { contentBlockIndex: 0, delta: { reasoningContent: { text: 'Hm' } } }),
    event('contentBlockDelta', { contentBlockIndex: 0, delta: { reasoningContent: { text: '.' } } }),
    event('contentBlockDelta', { contentBlockIndex: 0, delta: { reasoningContent: { signature: 'c2ln' } } }),
    event('contentBlockStop', { contentBlockIndex: 0 }),
    event('contentBlockStart', { contentBlockIndex: 1, start: { toolUse: { toolUseId: 't1', name: 'weather' } } }),
    event('contentBlockDelta', { contentBlockIndex: 1, delta: { toolUse: { input: '{"ci' } } }),
    event('contentBlockDelta', { contentBlockIndex: 1, delta: { toolUse: { input: 'ty":"Paris"}' } } }),
    event('contentBlockStop', { contentBlockIndex: 1 }),
    event('contentBlockStart', { contentBlockIndex: 2, start: { toolUse: { toolUseId: 't2', name: 'time' } } }),
    event('contentBlockStop', { contentBlockIndex: 2 }),
    event('messageStop', { stopReason: 'tool_use' }),
    event('metadata', { usage: { inputTokens: 5, outputTokens: 6, totalTokens: 11 }, metrics: { latencyMs: 1 } }),
  ])

  test('with thinking and parallel calls, in any pieces', () => {
    for (const cut of [parallel.length, 100, 3]) {
      const events = eventsOf(ID, parallel, cut)
      expect(told(events)).toMatchObject({
        text: '',
        thinking: 'Hm.',
        calls: [
          { id: 't1', name: 'weather', args: '{"city":"Paris"}' },
          { id: 't2', name: 'time', args: '{}' },
        ],
        finish: 'tool-calls',
        usage: { input: 5, output: 6 },
      })
      expect(events).toContainEqual({ type: 'signature', choice: 0, signature: 'c2ln' })
      expect(events.at(-1)).toEqual({ type: 'end' })
    }
  })

  test.each([
    ['throttlingException', 'rate_limited'],
    ['modelStreamErrorException', 'server'],
    ['internalServerException', 'server'],
    ['serviceUnavailableException', 'overloaded'],
    ['validationException', 'caller'],
  ])('that breaks off with %s', (name, kind) => {
    const bytes = Buffer.concat([event('messageStart', { role: 'assistant' }), exception(name, 'It went wrong.')])
    let thrown: unknown
    try {
      eventsOf(ID, bytes)
    } catch (cause) {
      thrown = cause
    }
    expect(thrown).toMatchObject({ failure: { kind, message: 'It went wrong.', code: name } })
  })
})

describe('errors', () => {
  const link = linkOf('bedrock/m', { api_key: 'k-0123456789', aws_region_name: 'us-east-1' })
  test.each([
    [400, 'Input is too long for requested model.', 'context'],
    [400, 'The provided model identifier is invalid.', 'not_found'],
    [400, "Invocation of model ID anthropic.claude with on-demand throughput isn't supported.", 'not_found'],
    [400, 'Malformed input request: #/messages: required', 'caller'],
    [403, 'The security token included in the request is expired', 'auth'],
    [404, 'Could not resolve the foundation model', 'not_found'],
    [408, 'Model timed out', 'timeout'],
    [424, 'The model failed', 'server'],
    [429, 'Too many tokens, please wait before trying again.', 'rate_limited'],
    [503, 'Bedrock is unable to process your request.', 'overloaded'],
  ])('%i %s', (status, message, kind) => {
    expect(failure(link, status, JSON.stringify({ message }))).toMatchObject({ kind: kind as never, message, status })
  })
})
