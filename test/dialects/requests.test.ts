/** Requests: from every dialect to every other one, and back to where they came from. */
import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { Refusal } from '../../src/core/refusal.ts'
import type { Chat, DialectId, Json, Message, Part } from '../../src/dialects/canonical.ts'
import { chat, chatDialects, plainChat, warnings } from './support.ts'

function translate(from: DialectId, to: DialectId, body: Json) {
  const { warn, lost, adapted } = warnings()
  const written = chat(to).writeRequest(chat(from).readRequest(body), warn)
  return { written: JSON.parse(JSON.stringify(written)) as Json, lost, adapted }
}

const PNG = 'iVBORw0KGgo='

/** As the public references show them. */
const OPENAI: Json = {
  model: 'gpt-4o',
  messages: [
    { role: 'developer', content: 'Be brief.' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'What is this?' },
        { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}`, detail: 'low' } },
      ],
    },
    {
      role: 'assistant',
      content: null,
      tool_calls: [
        { id: 'call_1', type: 'function', function: { name: 'get_weather', arguments: '{"city": "Paris"}' } },
        { id: 'call_2', type: 'function', function: { name: 'get_time', arguments: '{}' } },
      ],
    },
    { role: 'tool', tool_call_id: 'call_2', content: 'noon' },
    { role: 'tool', tool_call_id: 'call_1', content: '18 degrees' },
    { role: 'user', content: 'And now?' },
  ],
  stream: true,
  stream_options: { include_usage: true, include_obfuscation: false },
  max_completion_tokens: 100,
  temperature: 0.5,
  top_p: 0.9,
  stop: 'END',
  seed: 7,
  tools: [
    {
      type: 'function',
      function: {
        name: 'get_weather',
        description: 'd',
        parameters: { type: 'object', properties: { city: { type: 'string' } } },
        strict: true,
      },
    },
  ],
  tool_choice: 'auto',
  response_format: {
    type: 'json_schema',
    json_schema: { name: 's', strict: true, schema: { type: 'object', properties: {} } },
  },
  user: 'u1',
  store: false,
  service_tier: 'auto',
}

describe('OpenAI chat', () => {
  test('goes back to OpenAI as it came', () => {
    const { written, lost, adapted } = translate('openai-chat', 'openai-chat', OPENAI)
    expect(written).toEqual({ ...OPENAI, stop: ['END'] })
    expect([lost, adapted]).toEqual([[], []])
  })

  test('to Ollama: objects for arguments, a list for stop, options, and nothing cut', () => {
    const { written, lost } = translate('openai-chat', 'ollama-chat', OPENAI)
    expect(lost).toEqual([])
    expect(written).toEqual({
      model: 'gpt-4o',
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'What is this?', images: [PNG] },
        {
          role: 'assistant',
          content: '',
          tool_calls: [
            { id: 'call_1', function: { index: 0, name: 'get_weather', arguments: { city: 'Paris' } } },
            { id: 'call_2', function: { index: 1, name: 'get_time', arguments: {} } },
          ],
        },
        { role: 'tool', content: 'noon', tool_name: 'get_time', tool_call_id: 'call_2' },
        { role: 'tool', content: '18 degrees', tool_name: 'get_weather', tool_call_id: 'call_1' },
        { role: 'user', content: 'And now?' },
      ],
      tools: [
        {
          type: 'function',
          function: {
            name: 'get_weather',
            description: 'd',
            parameters: { type: 'object', properties: { city: { type: 'string' } } },
          },
        },
      ],
      stream: true,
      format: { type: 'object', properties: {} },
      options: { num_predict: 100, temperature: 0.5, top_p: 0.9, seed: 7, stop: ['END'] },
      truncate: false,
      shift: false,
    })
  })

  test('to Anthropic: blocks, results with what follows, native structured output', () => {
    const { written, lost } = translate('openai-chat', 'anthropic', OPENAI)
    expect(lost).toEqual([])
    expect(written).toEqual({
      model: 'gpt-4o',
      max_tokens: 100,
      system: 'Be brief.',
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is this?' },
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } },
          ],
        },
        {
          role: 'assistant',
          content: [
            { type: 'tool_use', id: 'call_1', name: 'get_weather', input: { city: 'Paris' } },
            { type: 'tool_use', id: 'call_2', name: 'get_time', input: {} },
          ],
        },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 'call_2', content: 'noon' },
            { type: 'tool_result', tool_use_id: 'call_1', content: '18 degrees' },
            { type: 'text', text: 'And now?' },
          ],
        },
      ],
      stream: true,
      temperature: 0.5,
      top_p: 0.9,
      stop_sequences: ['END'],
      tools: [
        {
          name: 'get_weather',
          description: 'd',
          input_schema: { type: 'object', properties: { city: { type: 'string' } } },
          strict: true,
        },
      ],
      tool_choice: { type: 'auto' },
      output_config: { format: { type: 'json_schema', schema: { type: 'object', properties: {} } } },
      metadata: { user_id: 'u1' },
    })
  })

  test('keeps the name under which the limit was sent', () => {
    expect(
      translate('openai-chat', 'openai-chat', { ...OPENAI, max_completion_tokens: undefined, max_tokens: 5 }).written,
    ).toMatchObject({ max_tokens: 5 })
    const capped = { ...chat('openai-chat').readRequest(OPENAI), maxTokens: 3 }
    const written = chat('openai-chat').writeRequest(capped, warnings().warn)
    expect([written.max_completion_tokens, written.max_tokens]).toEqual([3, undefined])
    expect(
      translate('ollama-chat', 'openai-chat', { model: 'm', messages: [], options: { num_predict: 9 } }).written
        .max_tokens,
    ).toBe(9)
  })

  test('sends no null that was not sent, and none that was', () => {
    const bare = {
      model: 'm',
      messages: [{ role: 'user', content: 'Hi' }],
      temperature: null,
      stop: null,
      tools: null,
      foo: null,
    }
    for (const to of chatDialects)
      expect(JSON.stringify(translate('openai-chat', to.id, bare).written)).not.toContain('null')
    expect(translate('openai-chat', 'openai-chat', bare).written).toEqual({
      model: 'm',
      messages: [{ role: 'user', content: 'Hi' }],
    })
  })

  test('asks for usage in every stream', () => {
    const bare = { model: 'm', messages: [{ role: 'user', content: 'Hi' }], stream: true }
    expect(translate('openai-chat', 'openai-chat', bare).written.stream_options).toEqual({ include_usage: true })
    expect(translate('anthropic', 'openai-chat', { ...bare, max_tokens: 5 }).written.stream_options).toEqual({
      include_usage: true,
    })
    expect(
      translate('openai-completions', 'openai-completions', { model: 'm', prompt: 'Hi', stream: true }).written
        .stream_options,
    ).toEqual({ include_usage: true })
  })

  test('keeps what only OpenAI knows for OpenAI, and warns elsewhere of what matters', () => {
    const body = {
      ...OPENAI,
      web_search_options: {},
      prompt_cache_key: 'k',
      tools: [{ type: 'custom', custom: { name: 'x' } }],
      tool_choice: { type: 'allowed_tools' },
    }
    expect(translate('openai-chat', 'openai-chat', body).written).toMatchObject({
      web_search_options: {},
      prompt_cache_key: 'k',
      tools: body.tools,
      tool_choice: { type: 'allowed_tools' },
    })
    expect(translate('openai-chat', 'ollama-chat', body).lost.sort()).toEqual([
      'tool_choice',
      'tools.custom',
      'web_search_options',
    ])
  })

  test('moves images out of tool results, behind the last of them', () => {
    const image: Part = { type: 'image', source: { kind: 'data', mediaType: 'image/png', data: PNG } }
    const messages: Message[] = [
      { role: 'assistant', parts: [call('a', 'f'), call('b', 'g')] },
      { role: 'tool', parts: [{ type: 'result', callId: 'a', parts: [{ type: 'text', text: 'seen' }, image] }] },
      { role: 'tool', parts: [{ type: 'result', callId: 'b', parts: [{ type: 'text', text: 'ok' }] }] },
    ]
    const { warn, adapted } = warnings()
    const written = chat('openai-chat').writeRequest(plainChat({ messages }), warn).messages as Json[]
    expect(written.map(({ role }) => role)).toEqual(['assistant', 'tool', 'tool', 'user'])
    expect(JSON.stringify(written[3])).toContain(PNG)
    expect(adapted).toEqual(['messages.tool_result'])
  })

  test.each([
    ['a role', { messages: [{ role: 'robot', content: 'x' }] }, 'messages[0].role'],
    ['content', { messages: [{ role: 'user', content: 5 }] }, 'messages[0].content'],
    ['a part', { messages: [{ role: 'user', content: [{ type: 'text' }] }] }, 'messages[0].content[0].text'],
    ['temperature', { temperature: 'hot' }, 'temperature'],
    ['a tool', { tools: [{ type: 'function', function: {} }] }, 'tools[0].function.name'],
    ['the old functions', { functions: [] }, 'functions'],
    ['content in another case', { messages: [{ role: 'user', content: 'x', Content: 'y' }] }, 'messages[0].Content'],
    ['a result for nothing', { messages: [{ role: 'tool', content: 'x' }] }, 'messages[0].tool_call_id'],
  ])('refuses %s that is wrong, by its name', (_, more, param) => {
    expect(refusalOf(() => chat('openai-chat').readRequest({ model: 'm', messages: [], ...more }))).toEqual([
      400,
      param,
    ])
  })
})

/** As a coding agent sends it: cached blocks, signed thinking, system messages in the middle. */
const ANTHROPIC: Json = {
  model: 'claude-opus-4-6',
  max_tokens: 32000,
  system: [{ type: 'text', text: 'You are an agent.', cache_control: { type: 'ephemeral', ttl: '1h' } }],
  messages: [
    { role: 'user', content: [{ type: 'text', text: 'List files.', cache_control: { type: 'ephemeral' } }] },
    {
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: 'Hm.', signature: 'sig==' },
        { type: 'redacted_thinking', data: 'secret' },
        { type: 'text', text: 'I will.' },
        { type: 'tool_use', id: 'toolu_1', name: 'ls', input: { path: '.' } },
      ],
    },
    {
      role: 'user',
      content: [
        { type: 'tool_result', tool_use_id: 'toolu_1', content: [{ type: 'text', text: 'a.txt' }], is_error: true },
        { type: 'text', text: 'Go on.' },
      ],
    },
    { role: 'system', content: 'The user opened b.txt.' },
    {
      role: 'user',
      content: [
        { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'Text of b' }, title: 'b.txt' },
      ],
    },
  ],
  stream: true,
  stop_sequences: ['END'],
  tools: [
    {
      name: 'ls',
      description: 'd',
      input_schema: { type: 'object', properties: { path: { type: 'string' } } },
      defer_loading: true,
    },
  ],
  tool_choice: { type: 'auto', disable_parallel_tool_use: true },
  thinking: { type: 'adaptive', display: 'omitted' },
  output_config: { effort: 'high', format: { type: 'json_schema', schema: { type: 'object' } } },
  context_management: { edits: [{ type: 'clear_thinking_20251015' }] },
  metadata: { user_id: 'u1' },
}

describe('Anthropic', () => {
  test('goes back to Anthropic as it came: signatures, caching and all', () => {
    const { written, lost, adapted } = translate('anthropic', 'anthropic', ANTHROPIC)
    const messages = structuredClone(ANTHROPIC.messages) as { content: { content: unknown }[] }[]
    messages[2]!.content[0]!.content = 'a.txt'
    expect(written).toEqual({ ...ANTHROPIC, messages })
    expect([lost, adapted]).toEqual([[], []])
  })

  test('to OpenAI: nothing that matters is lost, thinking of another model is left out and said so', () => {
    const { written, lost, adapted } = translate('anthropic', 'openai-chat', ANTHROPIC)
    expect(lost).toEqual([])
    expect(adapted).toContain('messages.thinking')
    expect(written).toEqual({
      model: 'claude-opus-4-6',
      messages: [
        { role: 'system', content: 'You are an agent.' },
        { role: 'user', content: 'List files.' },
        {
          role: 'assistant',
          content: 'I will.',
          tool_calls: [{ id: 'toolu_1', type: 'function', function: { name: 'ls', arguments: '{"path":"."}' } }],
        },
        { role: 'tool', tool_call_id: 'toolu_1', content: 'a.txt' },
        { role: 'user', content: 'Go on.' },
        { role: 'system', content: 'The user opened b.txt.' },
        { role: 'user', content: 'b.txt:\nText of b' },
      ],
      max_tokens: 32000,
      stop: ['END'],
      stream: true,
      stream_options: { include_usage: true },
      tools: [
        {
          type: 'function',
          function: {
            name: 'ls',
            description: 'd',
            parameters: { type: 'object', properties: { path: { type: 'string' } } },
          },
        },
      ],
      tool_choice: 'auto',
      parallel_tool_calls: false,
      response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: { type: 'object' } } },
      reasoning_effort: 'high',
      user: 'u1',
    })
  })

  test('to Ollama: the thinking goes along, and the tools', () => {
    const { written, lost } = translate('anthropic', 'ollama-chat', ANTHROPIC)
    expect(lost).toEqual([])
    expect(written).toMatchObject({
      think: true,
      format: { type: 'object' },
      options: { num_predict: 32000, stop: ['END'] },
      truncate: false,
    })
    expect((written.messages as Json[])[2]).toEqual({
      role: 'assistant',
      content: 'I will.',
      thinking: 'Hm.',
      tool_calls: [{ id: 'toolu_1', function: { index: 0, name: 'ls', arguments: { path: '.' } } }],
    })
  })

  test('warns of built-in tools, which nobody else has', () => {
    const body = {
      ...ANTHROPIC,
      tools: [{ type: 'web_search_20250305', name: 'web_search' }],
      container: 'c',
      inference_geo: 'eu',
    }
    expect(translate('anthropic', 'openai-chat', body).lost.sort()).toEqual([
      'container',
      'inference_geo',
      'tools.web_search',
    ])
    expect(translate('anthropic', 'anthropic', body).written.tools).toEqual(body.tools)
  })

  test('says what its SDKs understand where a thread is asked for', () => {
    const threaded = (type: string) => {
      try {
        chat('anthropic').readRequest({ ...ANTHROPIC, thread: { type } })
      } catch (cause) {
        const { status, body } = chat('anthropic').writeError(cause as Refusal)
        return [status, (body.error as Json).type, ((body.error as Json).details as Json).error_code]
      }
      return []
    }
    expect(threaded('create')).toEqual([400, 'invalid_request_error', 'thread_unsupported_request'])
    expect(threaded('continue')).toEqual([404, 'not_found_error', 'thread_not_found'])
  })

  test('takes thinking back only with its signature', () => {
    const messages: Message[] = [
      {
        role: 'assistant',
        parts: [
          { type: 'thinking', text: 'unsigned' },
          { type: 'text', text: 'x' },
        ],
      },
    ]
    const { warn, adapted } = warnings()
    expect(chat('anthropic').writeRequest(plainChat({ messages, maxTokens: 5 }), warn).messages).toEqual([
      { role: 'assistant', content: 'x' },
    ])
    expect(adapted).toEqual(['messages.thinking'])
  })

  test('takes OpenAI thinking blocks with their signatures', () => {
    const body = {
      model: 'm',
      messages: [
        {
          role: 'assistant',
          content: 'x',
          reasoning_content: 'Hm.',
          thinking_blocks: [{ type: 'thinking', thinking: 'Hm.', signature: 's' }],
        },
      ],
    }
    expect(translate('openai-chat', 'anthropic', body).written.messages).toEqual([
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'Hm.', signature: 's' },
          { type: 'text', text: 'x' },
        ],
      },
    ])
  })

  test('bends what it takes in another measure, and warns of what it does not take', () => {
    const { written, lost, adapted } = translate('openai-chat', 'anthropic', {
      ...OPENAI,
      temperature: 1.7,
      stop: ['\n', 'END'],
      n: 2,
      logprobs: true,
      presence_penalty: 0.5,
      frequency_penalty: 0,
    })
    expect([written.temperature, written.stop_sequences]).toEqual([1, ['END']])
    expect(lost.sort()).toEqual(['logprobs', 'n', 'presence_penalty'])
    expect(adapted.sort()).toEqual(['seed', 'temperature'])
  })

  test.each([
    ['none', { type: 'none' }],
    ['required', { type: 'any' }],
    [
      { type: 'function', function: { name: 'get_weather' } },
      { type: 'tool', name: 'get_weather' },
    ],
  ])('turns tool_choice %p into %p and back', (openai, anthropic) => {
    const written = translate('openai-chat', 'anthropic', { ...OPENAI, tool_choice: openai }).written
    expect(written.tool_choice).toEqual(anthropic)
    expect(translate('anthropic', 'openai-chat', written).written.tool_choice).toEqual(openai)
  })
})

describe('Ollama', () => {
  const body: Json = {
    model: 'qwen3',
    messages: [
      { role: 'user', content: 'Weather and time?', images: [PNG] },
      {
        role: 'assistant',
        content: '',
        tool_calls: [
          { function: { name: 'get_weather', arguments: { city: 'Paris' } } },
          { function: { name: 'get_time', arguments: { tz: 'UTC' } } },
          { function: { name: 'get_weather', arguments: { city: 'Rome' } } },
        ],
      },
      { role: 'tool', tool_name: 'get_time', content: 'noon' },
      { role: 'tool', tool_name: 'get_weather', content: 'rain' },
      { role: 'tool', content: 'sun' },
    ],
    options: { num_ctx: 8192, seed: 1, num_predict: 5 },
    keep_alive: '5m',
    think: 'low',
    format: 'json',
  }

  test('streams unless told otherwise', () => {
    expect(chat('ollama-chat').readRequest(body).stream).toBe(true)
    expect(chat('ollama-chat').readRequest({ ...body, stream: false }).stream).toBe(false)
    expect(translate('openai-chat', 'ollama-chat', { model: 'm', messages: [] }).written.stream).toBe(false)
  })

  test('results find their calls by tool and by order', () => {
    const { written, lost } = translate('ollama-chat', 'openai-chat', body)
    expect(lost).toEqual([])
    const messages = written.messages as Json[]
    expect(messages.slice(2).map(({ tool_call_id, content }) => [tool_call_id, content])).toEqual([
      ['call_1_1', 'noon'],
      ['call_1_0', 'rain'],
      ['call_1_2', 'sun'],
    ])
    expect(
      (messages[1]!.tool_calls as { id: string; function: Json }[]).map((one) => [one.id, one.function.arguments]),
    ).toEqual([
      ['call_1_0', '{"city":"Paris"}'],
      ['call_1_1', '{"tz":"UTC"}'],
      ['call_1_2', '{"city":"Rome"}'],
    ])
    expect(written).toMatchObject({
      max_tokens: 5,
      seed: 1,
      reasoning_effort: 'low',
      response_format: { type: 'json_object' },
    })
  })

  test('goes back to Ollama with its own options, and the caller decides about cutting', () => {
    const { written } = translate('ollama-chat', 'ollama-chat', { ...body, truncate: true })
    expect(written).toMatchObject({
      options: body.options as Json,
      keep_alive: '5m',
      think: 'low',
      format: 'json',
      truncate: true,
      shift: false,
    })
    expect((written.messages as Json[])[0]).toEqual((body.messages as Json[])[0]!)
  })

  test('offers no tools where none may be called, and the one that must be', () => {
    const tools = ['a', 'b'].map((name) => ({ type: 'function', function: { name } }))
    const offered = (choice: unknown) => {
      const { written } = translate('openai-chat', 'ollama-chat', {
        model: 'm',
        messages: [],
        tools,
        tool_choice: choice,
      })
      return (written.tools as { function: { name: string } }[] | undefined)?.map((tool) => tool.function.name)
    }
    expect(offered('none')).toBeUndefined()
    expect(offered('auto')).toEqual(['a', 'b'])
    expect(offered({ type: 'function', function: { name: 'b' } })).toEqual(['b'])
  })

  test('knows levels of thinking only for gpt-oss', () => {
    const think = (model: string, effort: string) =>
      translate('openai-chat', 'ollama-chat', { model, messages: [], reasoning_effort: effort }).written.think
    expect([think('gpt-oss:20b', 'minimal'), think('qwen3', 'high'), think('qwen3', 'none')]).toEqual([
      'low',
      true,
      false,
    ])
  })

  test('refuses what it can neither take nor leave out', () => {
    const image = { role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://example.com/a.png' } }] }
    const file = {
      role: 'user',
      content: [{ type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERi0=' } }],
    }
    const broken = {
      role: 'assistant',
      tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{"x' } }],
    }
    for (const message of [image, file, broken]) {
      expect(() => translate('openai-chat', 'ollama-chat', { model: 'm', messages: [message] })).toThrow(Refusal)
    }
  })
})

describe('prompts', () => {
  test('pass between completions and generate, the text after the gap included', () => {
    const body = {
      model: 'm',
      prompt: 'def f(',
      suffix: 'return x',
      max_tokens: 9,
      stop: ['\n'],
      echo: false,
      best_of: 1,
    }
    const { written, lost } = translate('openai-completions', 'ollama-generate', body)
    expect(lost).toEqual([])
    expect(written).toEqual({
      model: 'm',
      prompt: 'def f(',
      suffix: 'return x',
      stream: false,
      options: { num_predict: 9, stop: ['\n'] },
      truncate: false,
      shift: false,
    })
    expect(translate('ollama-generate', 'openai-completions', written).written).toEqual({
      model: 'm',
      prompt: 'def f(',
      suffix: 'return x',
      max_tokens: 9,
      stop: ['\n'],
    })
  })

  test('become messages where a model only chats, and say what is lost', () => {
    const { written, lost } = translate('openai-completions', 'openai-chat', {
      model: 'm',
      prompt: 'Hi',
      suffix: 'x',
      echo: true,
      best_of: 3,
    })
    expect(written.messages).toEqual([{ role: 'user', content: 'Hi' }])
    expect(lost.sort()).toEqual(['best_of', 'echo', 'suffix'])
  })

  test('are made of a conversation where a target only continues', () => {
    const body = {
      model: 'm',
      messages: [
        { role: 'system', content: 'S' },
        { role: 'user', content: 'A' },
        { role: 'assistant', content: 'B' },
        { role: 'user', content: 'C' },
      ],
    }
    expect(translate('openai-chat', 'openai-completions', body).written.prompt).toBe(
      'S\n\nUser: A\n\nAssistant: B\n\nUser: C\n\nAssistant:',
    )
    expect(
      translate('openai-chat', 'ollama-generate', { ...body, messages: body.messages.slice(0, 2) }).written,
    ).toMatchObject({ system: 'S', prompt: 'A' })
  })

  test('of which there are several are refused where they cannot be told', () => {
    expect(refusalOf(() => chat('openai-completions').readRequest({ model: 'm', prompt: ['a', 'b'] }))).toEqual([
      400,
      'prompt',
    ])
    expect(chat('openai-completions').readRequest({ model: 'm', prompt: ['a'] }).messages).toHaveLength(1)
  })

  test('a load is no prompt', () => {
    expect(translate('ollama-generate', 'ollama-generate', { model: 'm', keep_alive: 0 }).written).toMatchObject({
      model: 'm',
      keep_alive: 0,
    })
    expect(chat('ollama-generate').readRequest({ model: 'm' }).messages).toEqual([])
  })
})

/** Conversations that every chat dialect can say. */
const text = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 8 })
  .filter((one) => one.isWellFormed() && one.trim() !== '')
const name = fc.constantFrom('get_weather', 'get_time', 'f')
const turn = fc.oneof(
  fc.record({ user: text, image: fc.boolean() }),
  fc.record({
    calls: fc.array(
      fc.record({
        name,
        args: fc.dictionary(text, fc.jsonValue({ maxDepth: 1 }), { maxKeys: 2, noNullPrototype: true }),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    said: fc.option(text, { nil: undefined }),
    results: fc.array(text, { minLength: 3, maxLength: 3 }),
  }),
  fc.record({ assistant: text }),
)
const image: Part = { type: 'image', source: { kind: 'data', mediaType: 'image/png', data: PNG } }

const conversation = fc
  .tuple(fc.option(text, { nil: undefined }), text, fc.array(turn, { maxLength: 4 }))
  .map(([system, first, turns]): Message[] => {
    const messages: Message[] =
      system === undefined ? [] : [{ role: 'system', parts: [{ type: 'text', text: system }] }]
    messages.push({ role: 'user', parts: [{ type: 'text', text: first }] })
    let calls = 0
    for (const one of turns) {
      const last = messages.at(-1)!.role
      if ('user' in one) {
        if (last === 'user') messages.push({ role: 'assistant', parts: [{ type: 'text', text: 'ok' }] })
        messages.push({ role: 'user', parts: [{ type: 'text', text: one.user }, ...(one.image ? [image] : [])] })
        continue
      }
      if (last === 'assistant') messages.push({ role: 'user', parts: [{ type: 'text', text: 'go on' }] })
      if ('assistant' in one) {
        messages.push({ role: 'assistant', parts: [{ type: 'text', text: one.assistant }] })
        continue
      }
      const made = one.calls.map((each) => ({ ...call(`call_${calls++}`, each.name), args: JSON.stringify(each.args) }))
      messages.push({
        role: 'assistant',
        parts: [...(one.said === undefined ? [] : [{ type: 'text' as const, text: one.said }]), ...made],
      })
      messages.push(
        ...made.map(
          ({ id }, index): Message => ({
            role: 'tool',
            parts: [{ type: 'result', callId: id, parts: [{ type: 'text', text: one.results[index]! }] }],
          }),
        ),
      )
    }
    return messages
  })

const settings = fc.record(
  {
    maxTokens: fc.integer({ min: 1, max: 9999 }),
    temperature: fc.constantFrom(0, 0.5, 1),
    topP: fc.constantFrom(0.1, 1),
    stop: fc.array(text, { minLength: 1, maxLength: 2 }),
    stream: fc.boolean(),
    format: fc.constant({ kind: 'schema' as const, schema: { type: 'object', properties: {} } }),
    tools: fc.array(
      fc.record({ name, description: text, parameters: fc.constant({ type: 'object', properties: {} }) }),
      { minLength: 1, maxLength: 2 },
    ),
  },
  { requiredKeys: ['maxTokens', 'stream'] },
)

/** What of a request every dialect can say, in one spelling: one result a message, parts without marks. */
function essence({ messages, maxTokens, temperature, topP, stop, format, tools, stream }: Chat) {
  const bare = (parts: readonly Part[]): unknown[] =>
    parts.map((part) => {
      if (part.type === 'call') return { call: part.name, id: part.id, args: JSON.parse(part.args) }
      if (part.type === 'result') return { result: part.callId, parts: bare(part.parts) }
      if (part.type === 'image') return { image: part.source }
      return { text: (part as { text: string }).text }
    })
  const told = messages.flatMap<unknown>(({ role, parts }) =>
    role === 'tool' ? parts.map((part) => ({ role, parts: bare([part]) })) : [{ role, parts: bare(parts) }],
  )
  return {
    told,
    maxTokens,
    temperature,
    topP,
    stop,
    stream,
    schema: format?.kind === 'schema' ? format.schema : undefined,
    tools: tools?.map(({ name: called, description, parameters }) => ({ called, description, parameters })),
  }
}

const TALKERS = ['openai-chat', 'openai-responses', 'anthropic', 'ollama-chat', 'gemini'] as const

/** A body that was written, read by the side it was written for; Gemini's says model and stream in its path. */
function reread(id: DialectId, written: Json, { model, stream }: Chat): Chat {
  const body = JSON.parse(JSON.stringify(written)) as Json
  return chat(id).readRequest(id === 'gemini' ? { ...body, model, stream } : body)
}

/** The Responses API knows no stop texts. */
const sayable = (more: object, ...ids: DialectId[]): Partial<Chat> => {
  const { stop, ...rest } = more as Partial<Chat>
  return stop === undefined || ids.includes('openai-responses') ? rest : { ...rest, stop }
}

describe.each(TALKERS)('any conversation in %s', (id) => {
  test('is read as it was written, without a warning', () => {
    fc.assert(
      fc.property(conversation, settings, (messages, more) => {
        const { warn, lost, adapted } = warnings()
        const asked = plainChat({ ...sayable(more, id), messages })
        const written = chat(id).writeRequest(asked, warn)
        expect(essence(reread(id, written, asked))).toEqual(essence(asked))
        expect([lost, adapted]).toEqual([[], []])
        expect(JSON.stringify(Object.values(written))).not.toContain('undefined')
      }),
      { numRuns: 400 },
    )
  })

  test('survives the way through every other dialect', () => {
    fc.assert(
      fc.property(conversation, settings, fc.constantFrom(...TALKERS), (messages, more, via) => {
        const { warn } = warnings()
        const asked = plainChat({ ...sayable(more, id, via), messages })
        const first = reread(via, chat(via).writeRequest(asked, warn), asked)
        const second = reread(id, chat(id).writeRequest(first, warn), asked)
        expect(essence(second)).toEqual(essence(asked))
      }),
      { numRuns: 400 },
    )
  })
})

function call(id: string, called: string): Part & { type: 'call' } {
  return { type: 'call', id, name: called, args: '{}' }
}

function refusalOf(act: () => unknown): [number, string | undefined] {
  try {
    act()
  } catch (cause) {
    if (cause instanceof Refusal) return [cause.status, cause.detail.param]
    throw cause
  }
  throw new Error('It was not refused.')
}
