/** OpenAI's Responses: every event in its place, items of OpenAI's own kept for OpenAI alone. */
import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { accumulateResponse } from 'openai/lib/responses/ResponseAccumulator'
import type { Response, ResponseStreamEvent } from 'openai/resources/responses/responses'
import { UpstreamFailure } from '../../src/core/failure.ts'
import { Refusal } from '../../src/core/refusal.ts'
import { usage } from '../../src/core/usage.ts'
import type { DialectId, Event, Json } from '../../src/dialects/canonical.ts'
import { eventsOf } from '../../src/dialects/replay.ts'
import { ANSWERING, chat, eventsIn, fixture, framesOf, json, plainChat, warnings, write } from './support.ts'

const responses = chat('openai-responses')
const dataOf = (written: string): Json[] =>
  written.split('\n').flatMap((line) => (line.startsWith('data: {') ? [json(line.slice(6))] : []))

function translate(from: DialectId, to: DialectId, body: Json) {
  const { warn, lost, adapted } = warnings()
  const asked = chat(from).readRequest({ model: 'm', ...body })
  return { written: json(JSON.stringify(chat(to).writeRequest(asked, warn))), lost, adapted }
}

/** As Codex asks: developer messages, reasoning that only OpenAI reads, tools of OpenAI's own. */
const CODEX: Json = {
  model: 'gpt-5-codex',
  input: [
    { type: 'message', role: 'developer', content: [{ type: 'input_text', text: 'You are a coding agent.' }] },
    { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'List the files.' }] },
    {
      type: 'reasoning',
      id: 'rs_68af',
      summary: [{ type: 'summary_text', text: '**Listing files**' }],
      encrypted_content: 'gAAAAABo_kept+byte/for=byte',
    },
    { type: 'function_call', id: 'fc_1', call_id: 'call_a', name: 'shell', arguments: '{"cmd": ["ls"]}' },
    { type: 'function_call', id: 'fc_2', call_id: 'call_b', name: 'shell', arguments: '{"cmd":["pwd"]}' },
    { type: 'function_call_output', call_id: 'call_a', output: 'a.ts' },
    { type: 'function_call_output', call_id: 'call_b', output: '/src' },
  ],
  tools: [
    {
      type: 'function',
      name: 'shell',
      description: 'Runs',
      strict: false,
      parameters: { type: 'object', properties: {} },
    },
  ],
  tool_choice: 'auto',
  parallel_tool_calls: true,
  reasoning: { effort: 'medium', summary: 'auto' },
  store: false,
  stream: true,
  include: ['reasoning.encrypted_content'],
  prompt_cache_key: 'k-1',
  client_metadata: { session: 's' },
  text: { verbosity: 'low' },
}

describe('requests', () => {
  test('go back to OpenAI as they came, encrypted reasoning byte for byte', () => {
    const { written, lost, adapted } = translate('openai-responses', 'openai-responses', CODEX)
    const plainly = structuredClone(CODEX) as { input: Json[] }
    plainly.input[0]!.content = 'You are a coding agent.'
    plainly.input[1]!.content = 'List the files.'
    expect(written).toEqual(plainly)
    expect([lost, adapted]).toEqual([[], []])
  })

  test('go to chat with calls in one message, and without what only OpenAI reads', () => {
    const { written, lost } = translate('openai-responses', 'openai-chat', CODEX)
    expect(lost).toEqual([])
    expect(written.messages).toEqual([
      { role: 'system', content: 'You are a coding agent.' },
      { role: 'user', content: 'List the files.' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [
          { id: 'call_a', type: 'function', function: { name: 'shell', arguments: '{"cmd": ["ls"]}' } },
          { id: 'call_b', type: 'function', function: { name: 'shell', arguments: '{"cmd":["pwd"]}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'call_a', content: 'a.ts' },
      { role: 'tool', tool_call_id: 'call_b', content: '/src' },
    ])
    expect(written).toMatchObject({ reasoning_effort: 'medium', parallel_tool_calls: true })
    for (const key of ['store', 'include', 'prompt_cache_key', 'client_metadata', 'text', 'reasoning', 'input'])
      expect(written).not.toHaveProperty(key)
    for (const to of ['openai-chat', 'anthropic', 'ollama-chat', 'gemini'] as const) {
      const other = translate('openai-responses', to, CODEX)
      expect(JSON.stringify(other.written)).not.toContain('gAAAAAB')
      expect(other.lost).toEqual([])
    }
  })

  test.each([
    ['tools.web_search', { tools: [{ type: 'web_search' }] }],
    ['tools.mcp__docs', { tools: [{ type: 'namespace', name: 'mcp__docs', tools: [] }] }],
    ['tools.apply_patch', { tools: [{ type: 'custom', name: 'apply_patch', format: { type: 'grammar' } }] }],
    ['background', { background: true }],
    ['previous_response_id', { previous_response_id: 'resp_0' }],
    ['conversation', { conversation: 'conv_1' }],
    ['truncation', { truncation: 'auto' }],
    ['prompt', { prompt: { id: 'pmpt_1' } }],
    ['tool_choice', { tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [] } }],
  ])('name %s to every other dialect, and give it to their own', (param, more) => {
    const body = { input: 'Hi', ...more }
    for (const to of ['openai-chat', 'anthropic', 'ollama-chat', 'gemini'] as const)
      expect(translate('openai-responses', to, body).lost).toEqual([param])
    const own = translate('openai-responses', 'openai-responses', body)
    expect(own.lost).toEqual([])
    expect(own.written).toMatchObject(more)
  })

  test('name items of tools that a target does not know', () => {
    const item = { type: 'custom_tool_call', call_id: 'c', name: 'apply_patch', input: '*** Begin' }
    const body = { input: [{ role: 'user', content: 'Hi' }, item] }
    const { lost } = translate('openai-responses', 'openai-chat', body)
    expect(lost).toEqual(['messages.content.custom_tool_call'])
    expect((translate('openai-responses', 'openai-responses', body).written.input as Json[])[1]).toEqual(item)
  })

  test('say nothing where a default says nothing', () => {
    const body = { input: 'Hi', truncation: 'disabled', background: false, previous_response_id: null, metadata: null }
    expect(translate('openai-responses', 'anthropic', body).lost).toEqual([])
    expect(translate('openai-responses', 'openai-responses', body).written).toEqual({ model: 'm', input: 'Hi' })
  })

  test('carry images and files, by data, by address and by id', () => {
    const parts = [
      { type: 'input_text', text: 'Look' },
      { type: 'input_image', image_url: 'https://example.com/a.png', detail: 'high' },
      { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERi0=' },
      { type: 'input_file', file_url: 'https://example.com/a.pdf' },
      { type: 'input_file', file_id: 'file-1' },
    ]
    const body = { input: [{ type: 'message', role: 'user', content: parts }] }
    expect(translate('openai-responses', 'openai-responses', body).written.input).toEqual(body.input)
    const some = { input: [{ role: 'user', content: parts.slice(0, 3) }] }
    expect((translate('openai-responses', 'openai-chat', some).written.messages as Json[])[0]?.content).toEqual([
      { type: 'text', text: 'Look' },
      { type: 'image_url', image_url: { url: 'https://example.com/a.png', detail: 'high' } },
      { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERi0=' } },
    ])
  })

  test('of others are written for OpenAI: nothing is kept there, functions are not strict, losses are named', () => {
    const { written, lost } = translate('openai-chat', 'openai-responses', {
      messages: [
        { role: 'system', content: 'S' },
        { role: 'user', content: 'Hi' },
      ],
      max_tokens: 9,
      stop: ['END'],
      tools: [{ type: 'function', function: { name: 'f' } }],
      tool_choice: { type: 'function', function: { name: 'f' } },
      response_format: { type: 'json_schema', json_schema: { name: 'n', strict: true, schema: { type: 'object' } } },
      logprobs: true,
      top_logprobs: 2,
      n: 2,
    })
    expect(lost).toEqual(['n', 'stop'])
    expect(written).toEqual({
      model: 'm',
      input: [
        { type: 'message', role: 'system', content: 'S' },
        { type: 'message', role: 'user', content: 'Hi' },
      ],
      max_output_tokens: 9,
      top_logprobs: 2,
      include: ['message.output_text.logprobs'],
      tools: [{ type: 'function', name: 'f', parameters: { type: 'object', properties: {} }, strict: false }],
      tool_choice: { type: 'function', name: 'f' },
      store: false,
      text: { format: { type: 'json_schema', name: 'n', schema: { type: 'object' }, strict: true } },
    })
  })

  test.each([
    ['input', { input: 5 }],
    ['input[0].role', { input: [{ role: 'robot', content: 'x' }] }],
    ['input[0].call_id', { input: [{ type: 'function_call_output', output: 'x' }] }],
    ['tools[0].name', { input: 'x', tools: [{ type: 'function' }] }],
    ['text.format.type', { input: 'x', text: { format: { type: 'xml' } } }],
    ['tool_choice', { input: 'x', tool_choice: 'always' }],
    ['Input', { input: 'x', Input: 'y' }],
  ])('are refused by the name of the field: %s', (param, body) => {
    let told: unknown
    try {
      responses.readRequest({ model: 'm', ...body })
    } catch (cause) {
      told = cause instanceof Refusal ? cause.detail.param : cause
    }
    expect(told).toBe(param)
  })
})

/** platform.openai.com, streaming of a reasoning model that calls two tools, shortened. */
const item = (type: string, more: Json): Json => ({ type, ...more })
const EVENTS: Json[] = [
  item('response.created', {
    response: { id: 'resp_67', created_at: 1_741_290_958, model: 'o4-mini', status: 'in_progress' },
  }),
  item('response.in_progress', { response: { id: 'resp_67' } }),
  item('response.output_item.added', { output_index: 0, item: { id: 'rs_1', type: 'reasoning', summary: [] } }),
  item('response.reasoning_summary_part.added', { item_id: 'rs_1', output_index: 0, summary_index: 0, part: {} }),
  item('response.reasoning_summary_text.delta', {
    item_id: 'rs_1',
    output_index: 0,
    summary_index: 0,
    delta: 'First.',
  }),
  item('response.reasoning_summary_part.added', { item_id: 'rs_1', output_index: 0, summary_index: 1, part: {} }),
  item('response.reasoning_summary_text.delta', { item_id: 'rs_1', output_index: 0, summary_index: 1, delta: 'Then.' }),
  item('response.output_item.done', {
    output_index: 0,
    item: {
      id: 'rs_1',
      type: 'reasoning',
      summary: [{ type: 'summary_text', text: 'First.\n\nThen.' }],
      encrypted_content: 'gAAA=',
    },
  }),
  item('response.output_item.added', {
    output_index: 1,
    item: { id: 'fc_1', type: 'function_call', call_id: 'call_1', name: 'f', arguments: '' },
  }),
  item('response.function_call_arguments.delta', { item_id: 'fc_1', output_index: 1, delta: '{"a":' }),
  item('response.function_call_arguments.delta', { item_id: 'fc_1', output_index: 1, delta: '1}', obfuscation: 'x' }),
  item('response.function_call_arguments.done', { item_id: 'fc_1', output_index: 1, arguments: '{"a":1}' }),
  item('response.output_item.done', { output_index: 1, item: { type: 'function_call', arguments: '{"a":1}' } }),
  // Another server tells a call's arguments only at its end, and a message's text too.
  item('response.output_item.added', {
    output_index: 2,
    item: { id: 'fc_2', type: 'function_call', call_id: 'call_2', name: 'g', arguments: '' },
  }),
  item('response.output_item.done', { output_index: 2, item: { type: 'function_call', arguments: '{}' } }),
  item('response.output_item.added', { output_index: 3, item: { id: 'msg_1', type: 'message', content: [] } }),
  item('response.output_item.done', {
    output_index: 3,
    item: {
      type: 'message',
      content: [
        { type: 'output_text', text: 'Done.' },
        { type: 'refusal', refusal: 'No.' },
      ],
    },
  }),
  item('response.some_new_event', { hello: 1 }),
  item('response.completed', {
    response: {
      id: 'resp_67',
      status: 'completed',
      usage: {
        input_tokens: 37,
        input_tokens_details: { cached_tokens: 5 },
        output_tokens: 11,
        output_tokens_details: { reasoning_tokens: 4 },
      },
    },
  }),
]
const DOCUMENTED = EVENTS.map(
  (event, sequence_number) => `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number })}\n\n`,
).join('')

describe('streams', () => {
  test('are read as their reference shows them, however they are cut', () => {
    const own = { dialect: 'openai-responses' as const }
    const wanted: Event[] = [
      { type: 'start', id: 'resp_67', model: 'o4-mini', created: 1_741_290_958 },
      { type: 'foreign', choice: 0, extras: { ...own, fields: { id: 'rs_1', type: 'reasoning', summary: [] } } },
      { type: 'thinking', choice: 0, text: 'First.' },
      { type: 'thinking', choice: 0, text: '\n\n' },
      { type: 'thinking', choice: 0, text: 'Then.' },
      { type: 'foreign', choice: 0, extras: { ...own, fields: EVENTS[7]!.item as Json } },
      { type: 'call', choice: 0, index: 0, id: 'call_1', name: 'f' },
      { type: 'args', choice: 0, index: 0, text: '{"a":' },
      { type: 'args', choice: 0, index: 0, text: '1}' },
      { type: 'call', choice: 0, index: 1, id: 'call_2', name: 'g' },
      { type: 'args', choice: 0, index: 1, text: '{}' },
      { type: 'text', choice: 0, text: 'Done.' },
      { type: 'refusal', choice: 0, text: 'No.' },
      { type: 'finish', choice: 0, reason: { unified: 'tool-calls', raw: 'completed' } },
      { type: 'usage', usage: usage({ input: 37, cacheRead: 5, output: 11, reasoning: 4 }) },
      { type: 'end' },
    ]
    expect(eventsIn(responses, DOCUMENTED)).toEqual(wanted)
    const frames = framesOf(responses, DOCUMENTED)
    for (let size = 1; size < 90; size++) expect(framesOf(responses, DOCUMENTED, size)).toEqual(frames)
  })

  test('are written with every event in its place', () => {
    const events: Event[] = [
      { type: 'start', id: 'resp_up', model: 'up' },
      { type: 'thinking', choice: 0, text: 'Hm' },
      { type: 'text', choice: 0, text: 'Hello' },
      { type: 'refusal', choice: 0, text: 'no' },
      { type: 'call', choice: 0, index: 0, id: 'c', name: 'f' },
      { type: 'args', choice: 0, index: 0, text: '{}' },
      { type: 'finish', choice: 0, reason: { unified: 'length', raw: 'max_tokens' } },
      { type: 'usage', usage: usage({ input: 2, output: 3 }) },
      { type: 'end' },
    ]
    const written = dataOf(write(responses, events))
    expect(written.map(({ type }) => type)).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.reasoning_summary_part.added',
      'response.reasoning_summary_text.delta',
      'response.reasoning_summary_text.done',
      'response.reasoning_summary_part.done',
      'response.output_item.done',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.output_item.added',
      'response.content_part.added',
      'response.refusal.delta',
      'response.refusal.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.output_item.added',
      'response.function_call_arguments.delta',
      'response.function_call_arguments.done',
      'response.output_item.done',
      'response.incomplete',
    ])
    expect(written.map(({ sequence_number }) => sequence_number)).toEqual(written.map((_, index) => index))
    const last = written.at(-1)?.response as Json
    expect(last).toMatchObject({
      id: 'resp_up',
      model: 'up',
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
      usage: { input_tokens: 2, output_tokens: 3, total_tokens: 5 },
    })
    // What each item said at its end is what the whole holds.
    const items = written.filter(({ type }) => type === 'response.output_item.done').map(({ item: one }) => one)
    expect(last.output).toEqual(items)
  })

  test('keep reasoning of OpenAI under its own name with what is encrypted of it', () => {
    const again = dataOf(write(responses, eventsIn(responses, DOCUMENTED)))
    const output = (again.at(-1)!.response as { output: Json[] }).output
    expect(output[0]).toEqual(EVENTS[7]!.item as Json)
    expect(output.map(({ type }) => type)).toEqual([
      'reasoning',
      'function_call',
      'function_call',
      'message',
      'message',
    ])
    for (const to of ['openai-chat', 'anthropic', 'ollama-chat', 'gemini'] as const)
      expect(write(chat(to), eventsIn(responses, DOCUMENTED))).not.toContain('gAAA')
  })

  test('keep items of tools that only OpenAI has', () => {
    const search = { id: 'fs_1', type: 'file_search_call', status: 'completed', queries: ['q'], results: null }
    const body = `data: ${JSON.stringify({ type: 'response.output_item.done', output_index: 0, item: search })}\n\n`
    const events = eventsIn(responses, body)
    expect(events).toEqual([{ type: 'foreign', choice: 0, extras: { dialect: 'openai-responses', fields: search } }])
    expect(dataOf(write(responses, events)).map(({ type, item: one }) => [type, one])).toEqual([
      ['response.created', undefined],
      ['response.in_progress', undefined],
      ['response.output_item.added', search],
      ['response.output_item.done', search],
    ])
    expect(write(chat('anthropic'), events)).toBe('')
  })

  test('end with a failure that both Codex and the SDKs see', () => {
    const say = responses.writer(plainChat(), ANSWERING)
    const begun = say({ type: 'start', id: 'resp_up' }) + say({ type: 'text', choice: 0, text: 'Hi' })
    const told = dataOf(begun + say({ type: 'error', message: 'secret words' }))
    expect(told.map(({ sequence_number }) => sequence_number)).toEqual(told.map((_, index) => index))
    // OpenAI's own order: the AI SDK takes a failed response without an error before it, and an error after, for two.
    expect(told.at(-2)).toMatchObject({ type: 'error', code: 'stream_interrupted', param: null })
    expect(told.at(-1)).toMatchObject({
      type: 'response.failed',
      response: { id: 'resp_up', status: 'failed', error: { code: 'server_error' } },
    })
    const full = new Refusal('context_length_exceeded', 'Too long.')
    expect(dataOf(responses.writeStreamError(full))[1]).toMatchObject({
      response: { error: { code: 'context_length_exceeded', message: 'Too long.' } },
    })
  })

  test('fail loudly where a call goes on that was whole already', () => {
    const say = responses.writer(plainChat(), ANSWERING)
    say({ type: 'call', choice: 0, index: 0, id: 'a', name: 'f' })
    say({ type: 'args', choice: 0, index: 0, text: '{}' })
    say({ type: 'text', choice: 0, text: 'x' })
    expect(() => say({ type: 'args', choice: 0, index: 0, text: '{"more":1}' })).toThrow(UpstreamFailure)
  })

  test.each([
    [{ type: 'error', code: 'rate_limit_exceeded', message: 'slow', param: null }, 'rate_limited'],
    [{ type: 'error', error: { type: 'server_error', message: 'boom' } }, 'server'],
    [
      { type: 'response.failed', response: { status: 'failed', error: { code: 'server_error', message: 'm' } } },
      'server',
    ],
    [{ type: 'response.failed', response: { error: { code: 'context_length_exceeded', message: 'm' } } }, 'context'],
  ])('say their failures in several ways: %j', (event, kind) => {
    const frame = { data: JSON.stringify(event) }
    expect(responses.reader()(frame)).toMatchObject([{ type: 'error', kind }])
    expect(responses.tap()(frame).failure?.kind).toBe(kind as never)
  })
})

/** Any stream of texts, thoughts and calls, taken apart by OpenAI's own client. */
const word = fc.string({ minLength: 1, maxLength: 5 })
const anyEvents = fc
  .array(
    fc.oneof(
      fc.record({ type: fc.constantFrom('text' as const, 'thinking' as const, 'refusal' as const), text: word }),
      fc.record({ type: fc.constant('call' as const), args: fc.dictionary(word, word, { maxKeys: 2 }) }),
    ),
    { maxLength: 8 },
  )
  .map((parts): Event[] => {
    let calls = 0
    const events = parts.flatMap((part): Event[] => {
      if (part.type !== 'call') return [{ type: part.type, choice: 0, text: part.text }]
      const index = calls++
      const args = JSON.stringify(part.args)
      return [
        { type: 'call', choice: 0, index, id: `call_${index}`, name: 'f' },
        ...args.split('').map((text): Event => ({ type: 'args', choice: 0, index, text })),
      ]
    })
    const reason = { unified: calls > 0 ? ('tool-calls' as const) : ('stop' as const), raw: 'stop' }
    return [{ type: 'start', id: 'resp_1' }, ...events, { type: 'finish', choice: 0, reason }, { type: 'end' }]
  })

test("OpenAI's own client takes any stream of ours, and its pieces are our whole", () => {
  fc.assert(
    fc.property(anyEvents, (events) => {
      let snapshot: Response | undefined
      const written = dataOf(write(responses, events))
      for (const event of written.slice(0, -1))
        snapshot = accumulateResponse(event as unknown as ResponseStreamEvent, snapshot as Response)
      const { output } = written.at(-1)!.response as { output: Json[] }
      expect(snapshot?.output as unknown).toEqual(output)
    }),
    { numRuns: 200 },
  )
})

describe('answers', () => {
  const whole = (more: Json): Json => ({
    id: 'resp_1',
    object: 'response',
    created_at: 1,
    model: 'm',
    status: 'completed',
    output: [
      { id: 'msg', type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'a', annotations: [] }] },
    ],
    ...more,
  })
  const finishOf = (body: Json) => responses.readReply(body).choices[0]?.finish?.unified

  test('that Ollama cut are cut, though it calls them completed', () => {
    expect(finishOf(json(fixture('v1-responses').response.body))).toBe('length')
    const events = eventsIn(responses, fixture('v1-responses-stream').response.body)
    expect(events.find(({ type }) => type === 'finish')).toMatchObject({ reason: { unified: 'length' } })
  })

  test('say why they ended', () => {
    const used = { input_tokens: 1, output_tokens: 5 }
    expect(finishOf(whole({ usage: used, max_output_tokens: 6 }))).toBe('stop')
    expect(finishOf(whole({ usage: used }))).toBe('stop')
    expect(finishOf(whole({ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }))).toBe(
      'length',
    )
    expect(finishOf(whole({ status: 'incomplete', incomplete_details: { reason: 'content_filter' } }))).toBe(
      'content-filter',
    )
    expect(finishOf(whole({ status: 'in_progress' }))).toBeUndefined()
    expect(() =>
      responses.readReply(whole({ status: 'failed', error: { code: 'server_error', message: 'x' } })),
    ).toThrow(UpstreamFailure)
    expect(() => responses.readReply(whole({ status: 'cancelled' }))).toThrow(UpstreamFailure)
  })

  test('in the background are whole as answers, and their own answer comes later', () => {
    const queued = JSON.stringify(whole({ status: 'queued', background: true, output: [] }))
    expect(responses.glance(queued)).toMatchObject({ finished: true, garbage: false })
    expect(responses.glance(JSON.stringify(whole({ status: 'in_progress' }))).finished).toBe(false)
  })

  test('tell again what was asked', () => {
    const asked = responses.readRequest({
      model: 'm',
      instructions: 'Be brief.',
      input: 'Hi',
      max_output_tokens: 7,
      metadata: { a: 'b' },
      tools: [{ type: 'web_search' }],
      previous_response_id: 'resp_0',
      store: true,
    })
    const reply = responses.readReply(whole({}))
    expect(
      responses.writeReply({ ...reply, extras: { dialect: 'anthropic', fields: {} } }, asked, ANSWERING),
    ).toMatchObject({
      instructions: 'Be brief.',
      max_output_tokens: 7,
      metadata: { a: 'b' },
      tools: [{ type: 'web_search' }],
      previous_response_id: 'resp_0',
      store: true,
      temperature: 1,
      truncation: 'disabled',
      error: null,
    })
  })

  test('are replayed as streams with their reasoning whole', () => {
    const reasoning = {
      id: 'rs_9',
      type: 'reasoning',
      summary: [{ type: 'summary_text', text: 's' }],
      encrypted_content: 'E',
    }
    const body = whole({ output: [reasoning, ...(whole({}).output as Json[])] })
    const written = dataOf(write(responses, eventsOf(responses.readReply(body))))
    expect((written.at(-1)!.response as { output: Json[] }).output[0]).toEqual(reasoning)
  })
})

describe('a tap', () => {
  const delta = (text: string, sequence_number: number, more: Json = {}): string =>
    JSON.stringify({
      type: 'response.output_text.delta',
      item_id: 'msg_1',
      output_index: 0,
      content_index: 0,
      delta: text,
      sequence_number,
      logprobs: [],
      ...more,
    })
  const SLY = [
    'plain',
    '"sequence_number":5',
    '"type":"response.completed"',
    '\\',
    '"',
    '"},"response":{"status":"x',
    '7',
  ]

  test('takes every text for a text, whatever numbers count beside it', () => {
    const tap = responses.tap()
    for (const [place, text] of [...SLY, ...SLY].entries()) {
      for (const more of [{}, { obfuscation: 'abc'.slice(place % 3) }]) {
        const { content, finished, end, garbage } = tap({ data: delta(text, place * 97, more) })
        expect([text, content, finished, end, garbage]).toEqual([text, true, false, false, false])
      }
    }
  })

  test('takes what is no number for garbage', () => {
    const tap = responses.tap()
    tap({ data: delta('one', 8) })
    for (const wrong of ['08', '', '8 8', '8x', '-'])
      expect(tap({ data: delta('two', 9).replace('"sequence_number":9', `"sequence_number":${wrong}`) }).garbage).toBe(
        true,
      )
    expect(tap({ data: delta('two', 1234567) })).toMatchObject({ content: true, garbage: false })
    expect(tap({ data: delta('', 12) }).content).toBe(false)
  })
})
