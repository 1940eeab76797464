/** Gemini: both spellings, signatures kept, results matched to calls, and what stands in the path. */
import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { UpstreamFailure } from '../../src/core/failure.ts'
import { Refusal } from '../../src/core/refusal.ts'
import { usage } from '../../src/core/usage.ts'
import type { DialectId, Event, Json } from '../../src/dialects/canonical.ts'
import { SseToArray } from '../../src/dialects/gemini/array.ts'
import { chatAction, embedAction, readPath, writePath } from '../../src/dialects/gemini/path.ts'
import { jsonSchema } from '../../src/dialects/gemini/schema.ts'
import { peek } from '../../src/dialects/peek.ts'
import { eventsOf } from '../../src/dialects/replay.ts'
import { ANSWERING, chat, embed, eventsIn, framesOf, json, plainChat, warnings, write } from './support.ts'

const gemini = chat('gemini')
const sse = (...chunks: unknown[]) => chunks.map((one) => `data: ${JSON.stringify(one)}\n\n`).join('')
const dataOf = (written: string): Json[] =>
  written.split('\n').flatMap((line) => (line.startsWith('data: {') ? [json(line.slice(6))] : []))
const asked = (body: Json) => gemini.readRequest({ model: 'm', stream: false, contents: [], ...body })

function translate(from: DialectId, to: DialectId, body: Json, model = 'm') {
  const { warn, lost, adapted } = warnings()
  const canonical = chat(from).readRequest({ model: 'alias', ...body })
  const written = json(JSON.stringify(chat(to).writeRequest({ ...canonical, model }, warn)))
  return { written, lost, adapted }
}
const user = (...parts: Json[]): Json => ({ role: 'user', parts })

/** ai.google.dev/gemini-api/docs/function-calling and thought-signatures, as one conversation. */
const CONVERSATION: Json = {
  systemInstruction: { parts: [{ text: 'Be brief.' }] },
  contents: [
    user({ text: 'Weather in Paris and London?' }, { inlineData: { mimeType: 'image/png', data: 'iVBORw0KGgo=' } }),
    {
      role: 'model',
      parts: [
        { text: 'Two cities.', thought: true },
        { functionCall: { id: 'fc1', name: 'weather', args: { city: 'Paris' } }, thoughtSignature: 'c2lnLUE=' },
        { functionCall: { id: 'fc2', name: 'weather', args: { city: 'London' } } },
      ],
    },
    user(
      { functionResponse: { id: 'fc1', name: 'weather', response: { degrees: 18, sky: ['blue'] } } },
      { functionResponse: { id: 'fc2', name: 'weather', response: { error: 'no such city' } } },
    ),
    { role: 'model', parts: [{ text: '18 in Paris.', thoughtSignature: 'c2lnLUI=' }] },
    user({ fileData: { mimeType: 'video/mp4', fileUri: 'https://generativelanguage.googleapis.com/v1beta/files/x' } }),
  ],
  tools: [
    {
      functionDeclarations: [
        { name: 'weather', parameters: { type: 'OBJECT', properties: { city: { type: 'STRING' } } } },
      ],
    },
    { googleSearch: {} },
  ],
  toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['weather'] } },
  generationConfig: {
    maxOutputTokens: 100,
    temperature: 0.5,
    topP: 0.9,
    topK: 40,
    stopSequences: ['END'],
    candidateCount: 1,
    seed: 7,
    presencePenalty: 0.1,
    frequencyPenalty: 0.2,
    responseLogprobs: true,
    logprobs: 3,
    responseMimeType: 'application/json',
    responseJsonSchema: { type: 'object' },
    thinkingConfig: { thinkingBudget: 512, includeThoughts: true },
    mediaResolution: 'MEDIA_RESOLUTION_LOW',
  },
  safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_ONLY_HIGH' }],
}

describe('requests', () => {
  test('go back to Gemini as they came, signatures byte for byte', () => {
    const { written, lost, adapted } = translate('gemini', 'gemini', CONVERSATION, 'gemini-3-pro')
    expect(written).toEqual(CONVERSATION)
    expect([lost, adapted]).toEqual([[], []])
  })

  test('are read in snake case too, and refused where one field stands in both', () => {
    const snake = asked({
      contents: [
        user({ inline_data: { mime_type: 'image/png', data: 'AA==' } }),
        {
          role: 'model',
          parts: [{ function_call: { name: 'f', args: { snake_case: 1 } }, thought_signature: 'cw==' }],
        },
      ],
      system_instruction: { parts: [{ text: 'S' }] },
      generation_config: { max_output_tokens: 5, response_mime_type: 'application/json' },
      tool_config: { function_calling_config: { mode: 'none' } },
    })
    expect(snake.messages).toMatchObject([
      { role: 'system', parts: [{ text: 'S' }] },
      { role: 'user', parts: [{ type: 'image' }] },
      {
        role: 'assistant',
        parts: [{ type: 'call', args: '{"snake_case":1}', extras: { fields: { thoughtSignature: 'cw==' } } }],
      },
    ])
    expect(snake).toMatchObject({ maxTokens: 5, format: { kind: 'json' }, toolChoice: 'none' })
    expect(() => asked({ generationConfig: {}, generation_config: {} })).toThrow(Refusal)
  })

  test('to others: small types, calls by id, errors as errors; what only Gemini has is named', () => {
    const { written, lost } = translate('gemini', 'anthropic', {
      ...CONVERSATION,
      contents: (CONVERSATION.contents as Json[]).slice(0, 3),
    })
    expect(lost.sort()).toEqual([
      'frequency_penalty',
      'logprobs',
      'presence_penalty',
      'safetySettings',
      'tools.googleSearch',
    ])
    expect(written).toMatchObject({
      system: 'Be brief.',
      max_tokens: 100,
      stop_sequences: ['END'],
      tools: [{ name: 'weather', input_schema: { type: 'object', properties: { city: { type: 'string' } } } }],
      tool_choice: { type: 'tool', name: 'weather' },
      thinking: { type: 'enabled', budget_tokens: 512 },
    })
    expect((written.messages as Json[]).slice(1)).toEqual([
      {
        role: 'assistant',
        content: [
          { type: 'tool_use', id: 'fc1', name: 'weather', input: { city: 'Paris' } },
          { type: 'tool_use', id: 'fc2', name: 'weather', input: { city: 'London' } },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'fc1', content: '{"degrees":18,"sky":["blue"]}' },
          { type: 'tool_result', tool_use_id: 'fc2', content: 'no such city', is_error: true },
        ],
      },
    ])
  })

  test('match results to calls by name, then by order, where there are no ids', () => {
    const call = (name: string) => ({ functionCall: { name, args: {} } })
    const result = (name: string, output: string) => ({ functionResponse: { name, response: { output } } })
    const { messages } = asked({
      contents: [
        { role: 'model', parts: [call('f'), call('g'), call('f')] },
        { role: 'function', parts: [result('g', 'G'), result('f', 'F1'), result('f', 'F2')] },
      ],
    })
    const ids = messages[0]?.parts.map((part) => (part.type === 'call' ? part.id : ''))
    expect(new Set(ids).size).toBe(3)
    expect(messages[1]?.parts.map((part) => (part.type === 'result' ? part.callId : ''))).toEqual([
      ids![1]!,
      ids![0]!,
      ids![2]!,
    ])
  })

  test('of others: results in one turn by their names, a Gemini 3 is given signed calls', () => {
    const call = (id: string) => ({ id, type: 'function', function: { name: 'f', arguments: '{}' } })
    const body = {
      messages: [
        { role: 'system', content: 'S' },
        { role: 'user', content: 'Go' },
        { role: 'assistant', content: null, tool_calls: [call('a'), call('b')] },
        { role: 'tool', tool_call_id: 'a', content: '{"x": 1.0}' },
        { role: 'tool', tool_call_id: 'b', content: 'done' },
      ],
    }
    const { written, lost } = translate('openai-chat', 'gemini', body, 'gemini-2.5-flash')
    const called = (id: string) => ({ functionCall: { id, name: 'f', args: {} } })
    const answered = (id: string, output: string) => ({ functionResponse: { id, name: 'f', response: { output } } })
    expect(lost).toEqual([])
    expect(written).toEqual({
      systemInstruction: { parts: [{ text: 'S' }] },
      contents: [
        user({ text: 'Go' }),
        { role: 'model', parts: [called('a'), called('b')] },
        user(answered('a', '{"x": 1.0}'), answered('b', 'done')),
      ],
    })
    const newer = translate('openai-chat', 'gemini', body, 'gemini-3-pro-preview').written.contents as Json[]
    expect(newer[1]?.parts).toEqual([
      { ...called('a'), thoughtSignature: 'skip_thought_signature_validator' },
      called('b'),
    ])
  })

  test("bring a Gemini's signature back through a client of OpenAI's chat", () => {
    const signed = {
      id: 'c',
      type: 'function',
      function: { name: 'f', arguments: '{}' },
      extra_content: { google: { thought_signature: 'c2lnLUE=' } },
    }
    const body = {
      messages: [
        { role: 'user', content: 'x' },
        { role: 'assistant', content: null, tool_calls: [signed] },
      ],
    }
    const { written, lost } = translate('openai-chat', 'gemini', body, 'gemini-3-pro')
    expect(lost).toEqual([])
    expect((written.contents as Json[])[1]?.parts).toEqual([
      { functionCall: { id: 'c', name: 'f', args: {} }, thoughtSignature: 'c2lnLUE=' },
    ])
    expect(translate('openai-chat', 'openai-chat', body).written.messages).toEqual(body.messages as never)
    for (const to of ['anthropic', 'ollama-chat', 'openai-responses'] as const) {
      const other = translate('openai-chat', to, body)
      expect(other.lost).toEqual([])
      expect(JSON.stringify(other.written)).not.toContain('c2lnLUE=')
    }
  })

  test.each([
    ['gemini-2.5-flash', { reasoning_effort: 'none' }, { thinkingBudget: 0 }],
    ['gemini-2.5-flash', { reasoning_effort: 'medium' }, { includeThoughts: true, thinkingBudget: 8192 }],
    ['gemini-3-pro', { reasoning_effort: 'none' }, { thinkingLevel: 'minimal' }],
    ['gemini-3-pro', { reasoning_effort: 'xhigh' }, { includeThoughts: true, thinkingLevel: 'high' }],
    [
      'gemini-3-pro',
      { thinking: { type: 'enabled', budget_tokens: 99 } },
      { includeThoughts: true, thinkingBudget: 99 },
    ],
  ])('tell %s how to think: %j', (model, more, wanted) => {
    const body = { messages: [{ role: 'user', content: 'x' }], ...more }
    expect(translate('openai-chat', 'gemini', body, model).written.generationConfig).toEqual({ thinkingConfig: wanted })
  })

  test.each([
    [{ thinkingBudget: 0 }, { enabled: false }],
    [{ thinkingBudget: -1 }, { enabled: true }],
    [{ thinkingBudget: 64 }, { enabled: true, budget: 64 }],
    [{ thinkingLevel: 'LOW' }, { enabled: true, effort: 'low' }],
    [{ thinking_level: 'high' }, { enabled: true, effort: 'high' }],
    [{ includeThoughts: false }, undefined],
  ])('are told how to think: %j', (thinkingConfig, wanted) => {
    expect(asked({ generationConfig: { thinkingConfig } }).thinking).toEqual(wanted as never)
  })

  test('name what others cannot be told', () => {
    const body = {
      contents: [user({ text: 'x' }, { executableCode: { language: 'PYTHON', code: '1' } })],
      cachedContent: 'cachedContents/1',
      generationConfig: { responseModalities: ['TEXT', 'IMAGE'], speechConfig: {} },
      tools: [{ codeExecution: {} }],
      toolConfig: { functionCallingConfig: { mode: 'VALIDATED' } },
    }
    expect(translate('gemini', 'openai-chat', body).lost.sort()).toEqual([
      'cachedContent',
      'generationConfig.responseModalities',
      'generationConfig.speechConfig',
      'messages.content.executableCode',
      'toolConfig',
      'tools.codeExecution',
    ])
    expect(translate('gemini', 'gemini', body).written).toEqual(body)
  })

  test.each([
    ['contents', { contents: 'x' }],
    ['contents[0].role', { contents: [{ role: 'assistant', parts: [] }] }],
    ['contents[0].parts[0].inlineData.mimeType', { contents: [user({ inlineData: { data: 'AA==' } })] }],
    ['generationConfig.temperature', { contents: [], generationConfig: { temperature: 'hot' } }],
  ])('are refused by the name of the field: %s', (param, body) => {
    let told: unknown
    try {
      asked(body)
    } catch (cause) {
      told = cause instanceof Refusal ? cause.detail.param : cause
    }
    expect(told).toBe(param)
  })

  test('schemas of OpenAPI become JSON Schemas, with names of properties left alone', () => {
    expect(
      jsonSchema({
        type: 'OBJECT',
        properties: {
          type: { type: 'STRING', nullable: true, enum: ['A'] },
          some_list: { type: 'ARRAY', items: { any_of: [{ type: 'NUMBER' }, { type: 'INTEGER' }] }, minItems: '1' },
        },
        required: ['some_list'],
        propertyOrdering: ['type'],
      }),
    ).toEqual({
      type: 'object',
      properties: {
        type: { type: ['string', 'null'], enum: ['A'] },
        some_list: { type: 'array', items: { anyOf: [{ type: 'number' }, { type: 'integer' }] }, minItems: 1 },
      },
      required: ['some_list'],
    })
  })
})

const chunk = (parts: Json[], more: Json = {}, counts: Json = {}): Json => ({
  candidates: [{ content: { parts, role: 'model' }, index: 0, ...more }],
  usageMetadata: { promptTokenCount: 10, totalTokenCount: 10, ...counts },
  modelVersion: 'gemini-3-pro',
  responseId: 'resp',
})
const STREAM = sse(
  chunk([{ text: 'Hm. ', thought: true }]),
  chunk([{ text: 'Hel' }], {}, { candidatesTokenCount: 1 }),
  chunk([{ text: 'lo' }, { functionCall: { name: 'f', args: { a: 1 } }, thoughtSignature: 'cw==' }]),
  chunk(
    [{ text: '', thoughtSignature: 'dA==' }],
    { finishReason: 'STOP' },
    { candidatesTokenCount: 5, thoughtsTokenCount: 7, cachedContentTokenCount: 4, toolUsePromptTokenCount: 3 },
  ),
)

describe('streams', () => {
  test('are read as their reference shows them, however they are cut', () => {
    const signed = (thoughtSignature: string) => ({ dialect: 'gemini' as const, fields: { thoughtSignature } })
    const events = eventsIn(gemini, STREAM)
    expect(events.filter(({ type }) => type !== 'usage')).toEqual([
      { type: 'start', id: 'resp', model: 'gemini-3-pro' },
      { type: 'thinking', choice: 0, text: 'Hm. ' },
      { type: 'text', choice: 0, text: 'Hel' },
      { type: 'text', choice: 0, text: 'lo' },
      { type: 'call', choice: 0, index: 0, id: '', name: 'f', extras: signed('cw==') },
      { type: 'args', choice: 0, index: 0, text: '{"a":1}' },
      { type: 'foreign', choice: 0, extras: signed('dA==') },
      { type: 'finish', choice: 0, reason: { unified: 'tool-calls', raw: 'STOP' } },
    ])
    expect(events.findLast(({ type }) => type === 'usage')).toEqual({
      type: 'usage',
      usage: usage({ input: 13, cacheRead: 4, output: 12, reasoning: 7 }),
    })
    const frames = framesOf(gemini, STREAM)
    for (let size = 1; size < 90; size++) expect(framesOf(gemini, STREAM, size)).toEqual(frames)
  })

  test('keep signatures on the way to a Gemini client, and that of a call to one of OpenAI', () => {
    const events: Event[] = [...eventsIn(gemini, STREAM), { type: 'end' }]
    const parts = dataOf(write(gemini, events)).flatMap(
      ({ candidates }) => (candidates as { content: { parts: Json[] } }[])[0]?.content.parts ?? [],
    )
    expect(parts.filter(({ thoughtSignature }) => thoughtSignature)).toEqual([
      { text: '', thoughtSignature: 'dA==' },
      { functionCall: { id: expect.any(String), name: 'f', args: { a: 1 } }, thoughtSignature: 'cw==' },
    ] as never)
    expect(write(chat('openai-chat'), events)).toContain('"extra_content":{"google":{"thought_signature":"cw=="}}')
    for (const to of ['anthropic', 'ollama-chat', 'openai-responses'] as const)
      expect(write(chat(to), events)).not.toMatch(/cw==|dA==/)
  })

  test('of which every chunk says STOP are not over before their end', () => {
    const body = sse(chunk([{ text: 'a' }], { finishReason: 'STOP' }), chunk([{ text: 'b' }], { finishReason: 'STOP' }))
    expect(eventsIn(gemini, body).some(({ type }) => type === 'end')).toBe(false)
    const tap = gemini.tap()
    expect(framesOf(gemini, body).map((frame) => tap(frame).end)).toEqual([false, false])
  })

  test('of a blocked prompt are filtered, not broken', () => {
    const blocked = { promptFeedback: { blockReason: 'PROHIBITED_CONTENT' }, usageMetadata: { promptTokenCount: 4 } }
    const reason = { unified: 'content-filter' as const, raw: 'PROHIBITED_CONTENT' }
    expect(eventsIn(gemini, sse(blocked)).find(({ type }) => type === 'finish')).toEqual({
      type: 'finish',
      choice: 0,
      reason,
    })
    expect(gemini.readReply(blocked).choices).toEqual([{ index: 0, parts: [], finish: reason }])
    expect(gemini.glance(JSON.stringify(blocked))).toMatchObject({
      finished: true,
      garbage: false,
      usage: { input: 4 },
    })
  })

  test.each([
    ['STOP', 'stop'],
    ['MAX_TOKENS', 'length'],
    ['SAFETY', 'content-filter'],
    ['RECITATION', 'content-filter'],
    ['PROHIBITED_CONTENT', 'content-filter'],
    ['IMAGE_SAFETY', 'content-filter'],
    ['LANGUAGE', 'other'],
    ['SOMETHING_NEW', 'other'],
  ])('end by %s as %s', (raw, unified) => {
    const reply = gemini.readReply(chunk([{ text: 'a' }], { finishReason: raw }))
    expect(reply.choices[0]?.finish).toEqual({ unified, raw } as never)
  })

  test('whose tool call failed are no answers: another attempt may give one', () => {
    for (const finishReason of ['MALFORMED_FUNCTION_CALL', 'UNEXPECTED_TOOL_CALL']) {
      const body = { candidates: [{ content: {}, finishReason, index: 0 }] }
      expect(() => gemini.readReply(body)).toThrow(UpstreamFailure)
      expect(() => eventsIn(gemini, sse(body))).toThrow(UpstreamFailure)
    }
  })

  test('tell odds of tokens both ways', () => {
    const logprobsResult = {
      topCandidates: [
        {
          candidates: [
            { token: 'a', logProbability: -0.1 },
            { token: 'b', logProbability: -3 },
          ],
        },
      ],
      chosenCandidates: [{ token: 'a', logProbability: -0.1 }],
    }
    const reply = gemini.readReply(chunk([{ text: 'a' }], { finishReason: 'STOP', logprobsResult }))
    expect(reply.choices[0]?.logprobs).toEqual([
      {
        token: 'a',
        logprob: -0.1,
        top_logprobs: [
          { token: 'a', logprob: -0.1 },
          { token: 'b', logprob: -3 },
        ],
      },
    ])
    const written = gemini.writeReply(reply, plainChat(), ANSWERING) as { candidates: Json[] }
    expect(written.candidates[0]?.logprobsResult).toEqual(logprobsResult)
    expect(eventsIn(gemini, write(gemini, eventsOf({ ...reply, choices: [] })))).toEqual([])
  })
})

describe('a JSON array', () => {
  test('holds what the events hold, however they are cut, and always ends', () => {
    const wanted = dataOf(STREAM)
    for (let size = 1; size < 60; size++) {
      const array = new SseToArray()
      const bytes = new TextEncoder().encode(STREAM)
      let out = ''
      for (let at = 0; at < bytes.length; at += size) out += array.push(bytes.slice(at, at + size))
      expect(JSON.parse(out + array.end())).toEqual(wanted)
    }
    expect(JSON.parse(new SseToArray().end())).toEqual([])
  })

  test('ends with its error as the last element', () => {
    const array = new SseToArray()
    const told = gemini.writeStreamError(new Refusal('stream_interrupted', 'It broke.'))
    const out = array.push(new TextEncoder().encode(sse(chunk([{ text: 'a' }])) + told)) + array.end()
    expect(JSON.parse(out)).toMatchObject([{ candidates: [{}] }, { error: { message: 'It broke.' } }])
  })
})

describe('errors', () => {
  const google = (code: number, status: string, message: string, details: Json[] = []) =>
    JSON.stringify({ error: { code, message, status, details } })

  test.each([
    [400, google(400, 'INVALID_ARGUMENT', 'Unknown name "foo"'), 'caller'],
    [400, google(400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.'), 'auth'],
    [400, google(400, 'FAILED_PRECONDITION', 'User location is not supported for the API use.'), 'auth'],
    [
      400,
      google(
        400,
        'INVALID_ARGUMENT',
        'The input token count (2000000) exceeds the maximum number of tokens allowed (1048576).',
      ),
      'context',
    ],
    [403, google(403, 'PERMISSION_DENIED', 'denied'), 'auth'],
    [404, google(404, 'NOT_FOUND', 'models/x is not found'), 'not_found'],
    [429, google(429, 'RESOURCE_EXHAUSTED', 'quota'), 'rate_limited'],
    [500, google(500, 'INTERNAL', 'internal'), 'server'],
    [503, google(503, 'UNAVAILABLE', 'The model is overloaded.'), 'overloaded'],
    [504, google(504, 'DEADLINE_EXCEEDED', 'late'), 'timeout'],
    [503, `[${google(503, 'UNAVAILABLE', 'The model is overloaded.')}]`, 'overloaded'],
    [502, '<html>', 'server'],
  ])('%i %s is %s', (status, body, kind) => {
    expect(gemini.readError(status, body)).toMatchObject({ kind, status } as never)
  })

  test('say how long to wait, and which field is wrong', () => {
    const wait = [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '34.07s' }]
    expect(gemini.readError(429, google(429, 'RESOURCE_EXHAUSTED', 'quota', wait))).toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      retryAfterMs: 34_070,
    })
    const field = [{ fieldViolations: [{ field: 'contents', description: 'missing' }] }]
    expect(gemini.readError(400, google(400, 'INVALID_ARGUMENT', 'bad', field)).param).toBe('contents')
  })

  test('inside of a stream go by their own code', () => {
    const frame = { data: google(503, 'UNAVAILABLE', 'overloaded') }
    expect(gemini.reader()(frame)).toMatchObject([{ type: 'error', kind: 'overloaded', status: 503 }])
    expect(gemini.tap()(frame).failure?.kind).toBe('overloaded')
  })

  test('of ours are in the shape of Google', () => {
    const told = new Refusal('rate_limit_exceeded', 'Slow down.', { param: 'contents', facts: { limit: 5 } })
    expect(gemini.writeError(told)).toEqual({
      status: 429,
      body: {
        error: {
          code: 429,
          message: 'Slow down.',
          status: 'RESOURCE_EXHAUSTED',
          details: [
            {
              '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
              reason: 'RATE_LIMIT_EXCEEDED',
              domain: 'tollgate',
              metadata: { limit: '5' },
            },
            {
              '@type': 'type.googleapis.com/google.rpc.BadRequest',
              fieldViolations: [{ field: 'contents', description: 'Slow down.' }],
            },
          ],
        },
      },
    })
  })
})

describe('paths', () => {
  test('name the model and the action; names may hold colons and slashes', () => {
    expect(readPath('gemini-2.5-flash:generateContent')).toEqual({
      dialect: 'gemini',
      model: 'gemini-2.5-flash',
      action: 'generateContent',
      stream: false,
    })
    expect(readPath('openai/llama3.2:3b:streamGenerateContent')).toMatchObject({
      model: 'openai/llama3.2:3b',
      stream: true,
    })
    expect(readPath('e:batchEmbedContents')).toMatchObject({ dialect: 'gemini-embed', model: 'e' })
    for (const wrong of ['gemini', 'gemini:', ':generateContent', 'm:toString', 'm:constructor', ''])
      expect(() => readPath(wrong)).toThrow(Refusal)
  })

  test('are written so that a name can never lead elsewhere', () => {
    expect(writePath('gemini-2.5-flash', chatAction(true))).toBe(
      'models/gemini-2.5-flash:streamGenerateContent?alt=sse',
    )
    expect(writePath('tunedModels/my', chatAction(false))).toBe('tunedModels/my:generateContent')
    expect(writePath('a?key=1#x y', 'generateContent')).toBe('models/a%3Fkey%3D1%23x%20y:generateContent')
    expect(writePath('llama3:8b@1', 'generateContent')).toBe('models/llama3:8b@1:generateContent')
    for (const wrong of ['../../../etc', 'a/..', './a', 'a//b', '', '..', '\ud800'])
      expect(() => writePath(wrong, 'generateContent')).toThrow(Refusal)
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (model) => {
        let path: string
        try {
          path = writePath(model, 'generateContent')
        } catch (cause) {
          expect(cause).toBeInstanceOf(Refusal)
          return
        }
        const url = new URL(`https://host/v1beta/${path}`)
        expect([url.pathname, url.search, url.hash]).toEqual([`/v1beta/${path}`, '', ''])
      }),
    )
  })

  test('say what a body does not: peek takes model and stream from there', () => {
    const bytes = (body: Json) => new TextEncoder().encode(JSON.stringify(body))
    const said = { model: 'm', stream: true }
    const body = { contents: [], generationConfig: { maxOutputTokens: 9, candidateCount: 2 } }
    expect(peek(bytes(body), gemini, said)).toMatchObject({
      model: 'm',
      stream: true,
      maxTokens: 9,
      maxTokensField: 'generationConfig.maxOutputTokens',
      n: 2,
    })
    const snake = { contents: [], generation_config: { max_output_tokens: 9 } }
    expect(peek(bytes(snake), gemini, said)).toMatchObject({
      maxTokens: 9,
      maxTokensField: 'generation_config.max_output_tokens',
    })
    // A limit of ours goes where the caller's own settings stand.
    const bare = peek(bytes({ contents: [], generation_config: { temperature: 1 } }), gemini, said)
    expect([bare.maxTokens, bare.maxTokensField?.split('.')[0]]).toEqual([undefined, 'generation_config'])
    for (const twice of [{ ...body, generation_config: {} }, { generationConfig: {} }])
      expect(() => peek(bytes(twice), gemini, said)).toThrow(Refusal)
    // Others name their model in the body, whatever a path says.
    expect(() => peek(bytes({ messages: [1] }), chat('openai-chat'), said)).toThrow(Refusal)
  })
})

describe('embeddings', () => {
  const own = embed('gemini-embed')
  const request = (body: Json) => own.readRequest({ model: 'm', ...body })
  const { warn } = warnings()
  const content = (text: string) => ({ parts: [{ text }] })

  test('of one and of many go back as they came', () => {
    const one = { content: content('a'), taskType: 'RETRIEVAL_QUERY', outputDimensionality: 8 }
    expect(own.writeRequest(request(one), warn)).toEqual(one)
    expect(embedAction(one)).toBe('embedContent')
    const many = {
      requests: ['a', 'b'].map((text) => ({ model: 'models/m', content: content(text), outputDimensionality: 8 })),
    }
    expect(own.writeRequest(request(many), warn)).toEqual(many)
    expect(embedAction(many)).toBe('batchEmbedContents')
    expect(own.writeRequest(request({ content: content('a'), output_dimensionality: 4 }), warn)).toMatchObject({
      outputDimensionality: 4,
    })
  })

  test('go to OpenAI and come from there', () => {
    const openai = embed('openai-embeddings')
    const many = request({ requests: [{ content: content('a') }, { content: content('b') }] })
    expect(openai.writeRequest(many, warn)).toEqual({ model: 'm', input: ['a', 'b'] })
    const reply = openai.readReply({
      data: [
        { index: 0, embedding: [1, 2] },
        { index: 1, embedding: [3, 4] },
      ],
      usage: { prompt_tokens: 5 },
    })
    expect(own.writeReply(reply, many)).toEqual({
      embeddings: [{ values: [1, 2] }, { values: [3, 4] }],
      usageMetadata: { promptTokenCount: 5 },
    })
    const single = request({ content: content('a') })
    expect(own.writeReply({ model: 'm', vectors: [[1]] }, single)).toEqual({ embedding: { values: [1] } })
    const back = own.readReply({ embedding: { values: [1, 2] } })
    expect(openai.writeReply(back, single)).toMatchObject({ data: [{ embedding: [1, 2] }], model: 'm' })
    expect(own.glance('{"embedding":{"values":[1]}}')).toMatchObject({ finished: true, garbage: false })
    expect(own.glance('{}').garbage).toBe(true)
  })

  test('name a task that another model does not know, and refuse what is no one question', () => {
    const { warn: told, lost } = warnings()
    embed('openai-embeddings').writeRequest(request({ content: content('a'), taskType: 'CLUSTERING' }), told)
    expect(lost).toEqual(['taskType'])
    const mixed = {
      requests: [
        { content: content('a'), taskType: 'A' },
        { content: content('b'), taskType: 'B' },
      ],
    }
    for (const wrong of [mixed, { requests: [] }, {}, { content: { parts: [{ inlineData: {} }] } }])
      expect(() => request(wrong)).toThrow(Refusal)
    expect(() => own.readReply({})).toThrow(UpstreamFailure)
    expect(() => own.readReply({ embedding: { values: 'x' } })).toThrow(UpstreamFailure)
  })

  test('any texts come through', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1, maxLength: 4 }), fc.boolean(), (texts, single) => {
        const input = single ? texts.slice(0, 1) : texts
        const extras = { dialect: 'openai-embeddings' as const, fields: {} }
        const written = own.writeRequest({ op: 'embed', model: 'm', input, single, extras }, warn)
        expect(request(json(JSON.stringify(written)))).toMatchObject({ input, single })
      }),
    )
  })
})
