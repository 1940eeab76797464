/** Answers as the servers of each dialect give them, made from what they say and from nothing of the code under test. */
import type { Json } from '../../../src/dialects/canonical.ts'
import { event, exception, piece } from '../../providers/frames.ts'
import type { Said, TargetId } from './said.ts'

export interface Wire {
  whole(said: Said): Json
  /** Events or lines; without a `finish` it ends as where the connection breaks. */
  stream(said: Said): string | Uint8Array
  /** A failure: the body of its own answer, and what stands in a stream that had begun. */
  error: { status: number; body: Json; frame: string | Uint8Array }
}

const sse = (...events: unknown[]): string =>
  events.map((one) => `data: ${typeof one === 'string' ? one : JSON.stringify(one)}\n\n`).join('')
const named = (...events: Json[]): string =>
  events.map((one) => `event: ${one.type}\ndata: ${JSON.stringify(one)}\n\n`).join('')
const lines = (...all: Json[]): string => all.map((one) => `${JSON.stringify(one)}\n`).join('')
/** A text in the pieces that a stream brings it in. */
const pieces = (text: string): string[] => text.match(/[\s\S]{1,5}/g) ?? []

const OPENAI_USAGE = { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13 }
const OPENAI_DOWN = {
  error: { message: 'The server had an error', type: 'server_error', param: null, code: null },
}
const openaiReason = ({ finish }: Said) => (finish === 'tools' ? 'tool_calls' : (finish ?? null))

const openaiChat: Wire = {
  whole: (said) => ({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1_741_569_952,
    model: 'gpt-up',
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: said.calls.length > 0 ? null : said.text,
          ...(said.thinking ? { reasoning_content: said.thinking } : {}),
          ...(said.calls.length > 0
            ? {
                tool_calls: said.calls.map(({ name, args }, index) => ({
                  id: `call_up${index}`,
                  type: 'function',
                  function: { name, arguments: JSON.stringify(args) },
                })),
              }
            : {}),
        },
        logprobs: null,
        finish_reason: openaiReason(said),
      },
    ],
    usage: OPENAI_USAGE,
  }),
  stream(said) {
    const chunk = (delta: Json, finish_reason: unknown = null) => ({
      id: 'chatcmpl-1',
      object: 'chat.completion.chunk',
      created: 1_741_569_952,
      model: 'gpt-up',
      choices: [{ index: 0, delta, finish_reason }],
    })
    const calls = said.calls.flatMap(({ name, args }, index) => [
      chunk({ tool_calls: [{ index, id: `call_up${index}`, type: 'function', function: { name, arguments: '' } }] }),
      ...pieces(JSON.stringify(args)).map((part) => chunk({ tool_calls: [{ index, function: { arguments: part } }] })),
    ])
    return sse(
      chunk({ role: 'assistant', content: '' }),
      ...pieces(said.thinking).map((part) => chunk({ reasoning_content: part })),
      ...pieces(said.text).map((content) => chunk({ content })),
      ...calls,
      ...(said.finish
        ? [chunk({}, openaiReason(said)), { ...chunk({}), choices: [], usage: OPENAI_USAGE }, '[DONE]']
        : []),
    )
  },
  error: { status: 500, body: OPENAI_DOWN, frame: sse(OPENAI_DOWN) },
}

const openaiCompletions: Wire = {
  whole: (said) => ({
    id: 'cmpl-1',
    object: 'text_completion',
    created: 1_741_569_952,
    model: 'gpt-up',
    choices: [{ text: said.text, index: 0, logprobs: null, finish_reason: said.finish ?? null }],
    usage: OPENAI_USAGE,
  }),
  stream(said) {
    const chunk = (text: string, finish_reason: unknown = null) => ({
      id: 'cmpl-1',
      object: 'text_completion',
      created: 1_741_569_952,
      model: 'gpt-up',
      choices: [{ text, index: 0, logprobs: null, finish_reason }],
    })
    const end = [chunk('', 'stop'), { ...chunk(''), choices: [], usage: OPENAI_USAGE }, '[DONE]']
    return sse(...pieces(said.text).map((part) => chunk(part)), ...(said.finish ? end : []))
  },
  error: { status: 500, body: OPENAI_DOWN, frame: sse(OPENAI_DOWN) },
}

/** The items of a response's output. */
function itemsOf(said: Said): Json[] {
  const summary = [{ type: 'summary_text', text: said.thinking }]
  return [
    ...(said.thinking ? [{ id: 'rs_1', type: 'reasoning', summary, encrypted_content: 'gAAAAB' }] : []),
    ...(said.text
      ? [
          {
            id: 'msg_1',
            type: 'message',
            status: 'completed',
            role: 'assistant',
            content: [{ type: 'output_text', text: said.text, annotations: [], logprobs: [] }],
          },
        ]
      : []),
    ...said.calls.map(({ name, args }, index) => ({
      id: `fc_${index}`,
      type: 'function_call',
      status: 'completed',
      arguments: JSON.stringify(args),
      call_id: `call_up${index}`,
      name,
    })),
  ]
}

const response = (more: Json): Json => ({
  id: 'resp_1',
  object: 'response',
  created_at: 1_741_476_542,
  status: 'in_progress',
  error: null,
  incomplete_details: null,
  model: 'gpt-up',
  output: [],
  usage: null,
  ...more,
})
const RESPONSE_USAGE = {
  input_tokens: 9,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: 4,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 13,
}
const RESPONSE_FAILED = response({ status: 'failed', error: { code: 'server_error', message: 'It failed' } })

/** The events of one item between its announcement and its end. */
function insideOf(item: Json, output_index: number): Json[] {
  const at = { item_id: item.id, output_index }
  if (item.type === 'function_call') {
    const type = 'response.function_call_arguments'
    const args = item.arguments as string
    return [
      ...pieces(args).map((delta) => ({ type: `${type}.delta`, ...at, delta })),
      { type: `${type}.done`, ...at, arguments: args },
    ]
  }
  if (item.type === 'reasoning') {
    const part = (item.summary as Json[])[0] as Json
    const here = { ...at, summary_index: 0 }
    return [
      { type: 'response.reasoning_summary_part.added', ...here, part: { ...part, text: '' } },
      ...pieces(part.text as string).map((delta) => ({
        type: 'response.reasoning_summary_text.delta',
        ...here,
        delta,
      })),
      { type: 'response.reasoning_summary_text.done', ...here, text: part.text },
      { type: 'response.reasoning_summary_part.done', ...here, part },
    ]
  }
  const part = (item.content as Json[])[0] as Json
  const here = { ...at, content_index: 0 }
  return [
    { type: 'response.content_part.added', ...here, part: { ...part, text: '' } },
    ...pieces(part.text as string).map((delta) => ({
      type: 'response.output_text.delta',
      ...here,
      delta,
      logprobs: [],
    })),
    { type: 'response.output_text.done', ...here, text: part.text, logprobs: [] },
    { type: 'response.content_part.done', ...here, part },
  ]
}

const EMPTY: Json = { content: [], status: 'in_progress' }

const openaiResponses: Wire = {
  whole: (said) =>
    response({ status: said.finish ? 'completed' : 'in_progress', output: itemsOf(said), usage: RESPONSE_USAGE }),
  stream(said) {
    const items = itemsOf(said)
    const events: Json[] = [
      { type: 'response.created', response: response({}) },
      { type: 'response.in_progress', response: response({}) },
    ]
    for (const [output_index, item] of items.entries()) {
      const begun =
        item.type === 'message'
          ? { ...item, ...EMPTY }
          : item.type === 'reasoning'
            ? { id: item.id, type: 'reasoning', summary: [] }
            : { ...item, arguments: '', status: 'in_progress' }
      events.push({ type: 'response.output_item.added', output_index, item: begun }, ...insideOf(item, output_index))
      events.push({ type: 'response.output_item.done', output_index, item })
    }
    const whole = response({ status: 'completed', output: items, usage: RESPONSE_USAGE })
    // Cut: the last item is not closed either.
    if (said.finish) events.push({ type: 'response.completed', response: whole })
    else events.pop()
    return named(...events.map((event, sequence_number) => ({ ...event, sequence_number })))
  },
  error: {
    status: 500,
    body: OPENAI_DOWN,
    frame: named({ type: 'response.failed', sequence_number: 9, response: RESPONSE_FAILED }),
  },
}

const ANTHROPIC_DOWN = { type: 'error', error: { type: 'api_error', message: 'Internal server error' } }
const anthropicReason = ({ finish }: Said) => (finish === 'tools' ? 'tool_use' : finish === 'stop' ? 'end_turn' : null)

const anthropic: Wire = {
  whole: (said) => ({
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-up',
    content: [
      ...(said.thinking ? [{ type: 'thinking', thinking: said.thinking, signature: 'EqQB' }] : []),
      ...(said.text ? [{ type: 'text', text: said.text }] : []),
      ...said.calls.map(({ name, args }, index) => ({ type: 'tool_use', id: `toolu_${index}`, name, input: args })),
    ],
    stop_reason: anthropicReason(said),
    stop_sequence: null,
    usage: { input_tokens: 9, output_tokens: 4 },
  }),
  stream(said) {
    const blocks: [block: Json, deltas: Json[]][] = []
    if (said.thinking) {
      blocks.push([
        { type: 'thinking', thinking: '', signature: '' },
        [
          ...pieces(said.thinking).map((thinking) => ({ type: 'thinking_delta', thinking })),
          { type: 'signature_delta', signature: 'EqQB' },
        ],
      ])
    }
    if (said.text)
      blocks.push([{ type: 'text', text: '' }, pieces(said.text).map((text) => ({ type: 'text_delta', text }))])
    for (const [index, { name, args }] of said.calls.entries()) {
      const deltas = pieces(JSON.stringify(args)).map((part) => ({ type: 'input_json_delta', partial_json: part }))
      blocks.push([{ type: 'tool_use', id: `toolu_${index}`, name, input: {} }, deltas])
    }
    const message = {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'claude-up',
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { input_tokens: 9, output_tokens: 1 },
    }
    const events: Json[] = [{ type: 'message_start', message }]
    for (const [index, [content_block, deltas]] of blocks.entries()) {
      events.push({ type: 'content_block_start', index, content_block })
      for (const delta of deltas) events.push({ type: 'content_block_delta', index, delta })
      events.push({ type: 'content_block_stop', index })
    }
    const delta = { stop_reason: anthropicReason(said), stop_sequence: null }
    if (said.finish)
      events.push({ type: 'message_delta', delta, usage: { output_tokens: 4 } }, { type: 'message_stop' })
    return named(...events)
  },
  error: { status: 500, body: ANTHROPIC_DOWN, frame: named(ANTHROPIC_DOWN) },
}

const OLLAMA_COUNTS = {
  total_duration: 30_430_121,
  load_duration: 2_000_000,
  prompt_eval_count: 9,
  prompt_eval_duration: 4_000_000,
  eval_count: 4,
  eval_duration: 9_000_000,
}
const ollamaLine = (said: Json, end?: Json): Json => ({
  model: 'tiny-up',
  created_at: '2026-11-20T22:14:36.1Z',
  ...said,
  ...(end ?? { done: false }),
})
const OLLAMA_END = { done: true, done_reason: 'stop', ...OLLAMA_COUNTS }
const OLLAMA_DOWN = { error: 'llama runner process has terminated' }

const ollamaChat: Wire = {
  whole: (said) =>
    ollamaLine(
      {
        message: {
          role: 'assistant',
          content: said.text,
          ...(said.thinking ? { thinking: said.thinking } : {}),
          ...(said.calls.length > 0 ? { tool_calls: said.calls.map(ollamaCall) } : {}),
        },
      },
      said.finish && OLLAMA_END,
    ),
  stream: (said) =>
    lines(
      ...pieces(said.thinking).map((thinking) => ollamaLine({ message: { role: 'assistant', content: '', thinking } })),
      ...pieces(said.text).map((content) => ollamaLine({ message: { role: 'assistant', content } })),
      ...said.calls.map((call, index) =>
        ollamaLine({ message: { role: 'assistant', content: '', tool_calls: [ollamaCall(call, index)] } }),
      ),
      ...(said.finish ? [ollamaLine({ message: { role: 'assistant', content: '' } }, OLLAMA_END)] : []),
    ),
  error: { status: 500, body: OLLAMA_DOWN, frame: lines(OLLAMA_DOWN) },
}

const ollamaCall = ({ name, args }: Said['calls'][number], index: number): Json => ({
  id: `call_up${index}`,
  function: { index, name, arguments: args },
})

const ollamaGenerate: Wire = {
  whole: (said) =>
    ollamaLine(
      { response: said.text, ...(said.thinking ? { thinking: said.thinking } : {}) },
      said.finish && { ...OLLAMA_END, context: [1, 2] },
    ),
  stream: (said) =>
    lines(
      ...pieces(said.thinking).map((thinking) => ollamaLine({ response: '', thinking })),
      ...pieces(said.text).map((text) => ollamaLine({ response: text })),
      ...(said.finish ? [ollamaLine({ response: '' }, { ...OLLAMA_END, context: [1, 2] })] : []),
    ),
  error: { status: 500, body: OLLAMA_DOWN, frame: lines(OLLAMA_DOWN) },
}

const GEMINI_DOWN = { error: { code: 500, message: 'An internal error has occurred', status: 'INTERNAL' } }
const GEMINI_USAGE = {
  promptTokenCount: 9,
  candidatesTokenCount: 3,
  thoughtsTokenCount: 1,
  totalTokenCount: 13,
}
const geminiAnswer = (parts: Json[], finish: boolean): Json => ({
  candidates: [{ content: { parts, role: 'model' }, ...(finish ? { finishReason: 'STOP' } : {}), index: 0 }],
  usageMetadata: GEMINI_USAGE,
  modelVersion: 'gemini-up',
  responseId: 'mAitaLmkHPPlz7IPvtfUqQ4',
})
const geminiCalls = (said: Said): Json[] =>
  said.calls.map(({ name, args }, index) => ({
    functionCall: { name, args },
    // Only the first of parallel calls is signed.
    ...(index === 0 ? { thoughtSignature: 'c2lnbmVk' } : {}),
  }))

const gemini: Wire = {
  whole: (said) =>
    geminiAnswer(
      [
        ...(said.thinking ? [{ text: said.thinking, thought: true }] : []),
        ...(said.text ? [{ text: said.text }] : []),
        ...geminiCalls(said),
      ],
      said.finish !== undefined,
    ),
  stream: (said) =>
    sse(
      ...pieces(said.thinking).map((text) => geminiAnswer([{ text, thought: true }], false)),
      ...pieces(said.text).map((text) => geminiAnswer([{ text }], false)),
      ...(said.calls.length > 0 ? [geminiAnswer(geminiCalls(said), false)] : []),
      ...(said.finish ? [geminiAnswer([{ text: '' }], true)] : []),
    ),
  error: { status: 500, body: GEMINI_DOWN, frame: sse(GEMINI_DOWN) },
}

// docs.cohere.com/docs/streaming and docs.cohere.com/reference/chat
const COHERE_USAGE = {
  billed_units: { input_tokens: 9, output_tokens: 4 },
  tokens: { input_tokens: 80, output_tokens: 4 },
}
const COHERE_DOWN = { id: 'b1', message: 'internal server error' }
const cohereFinish = ({ finish }: Said): Json => ({ finish_reason: finish === 'tools' ? 'TOOL_CALL' : 'COMPLETE' })
const cohereCall = ({ name, args }: Said['calls'][number], index: number) => ({
  id: `${name}_${index}`,
  type: 'function',
  function: { name, arguments: JSON.stringify(args) },
})

const cohere: Wire = {
  whole: (said) => ({
    id: 'c14c80c3',
    message: {
      role: 'assistant',
      content: [
        ...(said.thinking ? [{ type: 'thinking', thinking: said.thinking }] : []),
        ...(said.text ? [{ type: 'text', text: said.text }] : []),
      ],
      ...(said.calls.length > 0 ? { tool_calls: said.calls.map(cohereCall) } : {}),
    },
    ...(said.finish ? cohereFinish(said) : {}),
    usage: COHERE_USAGE,
  }),
  stream(said) {
    const content = (type: 'thinking' | 'text', all: string, index: number): Json[] =>
      all === ''
        ? []
        : [
            { type: 'content-start', index, delta: { message: { content: { type, [type]: '' } } } },
            ...pieces(all).map((part) => ({
              type: 'content-delta',
              index,
              delta: { message: { content: { [type]: part } } },
            })),
            { type: 'content-end', index },
          ]
    const calls = said.calls.flatMap((call, index) => {
      const { function: made, ...head } = cohereCall(call, index)
      const begun = { ...head, function: { name: made.name, arguments: '' } }
      return [
        { type: 'tool-call-start', index, delta: { message: { tool_calls: begun } } },
        ...pieces(made.arguments).map((part) => ({
          type: 'tool-call-delta',
          index,
          delta: { message: { tool_calls: { function: { arguments: part } } } },
        })),
        { type: 'tool-call-end', index },
      ]
    })
    const end = { type: 'message-end', delta: { ...cohereFinish(said), usage: COHERE_USAGE } }
    const begin = { type: 'message-start', id: 'c14c80c3', delta: { message: { role: 'assistant', content: [] } } }
    return named(
      begin,
      ...content('thinking', said.thinking, 0),
      ...content('text', said.text, said.thinking ? 1 : 0),
      ...calls,
      ...(said.finish ? [end] : []),
    )
  },
  error: {
    status: 500,
    body: COHERE_DOWN,
    frame: named({ type: 'message-end', delta: { finish_reason: 'ERROR', error: 'It failed' } }),
  },
}

// docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
const CONVERSE_USAGE = { inputTokens: 9, outputTokens: 4, totalTokens: 13 }
const CONVERSE_DOWN = {
  message: 'The system encountered an unexpected error during processing. Try your request again.',
}
const converseReason = ({ finish }: Said): Json =>
  finish ? { stopReason: finish === 'tools' ? 'tool_use' : 'end_turn' } : {}
const converseId = (index: number): string => `tooluse_${index}`

const converse: Wire = {
  whole: (said) => ({
    output: {
      message: {
        role: 'assistant',
        content: [
          ...(said.thinking
            ? [{ reasoningContent: { reasoningText: { text: said.thinking, signature: 'EqQB' } } }]
            : []),
          ...(said.text ? [{ text: said.text }] : []),
          ...said.calls.map(({ name, args }, index) => ({
            toolUse: { toolUseId: converseId(index), name, input: args },
          })),
        ],
      },
    },
    ...converseReason(said),
    usage: CONVERSE_USAGE,
    metrics: { latencyMs: 12 },
  }),
  stream(said) {
    const frames: Uint8Array[] = [event('messageStart', { role: 'assistant' })]
    let contentBlockIndex = 0
    const block = (start: Json | undefined, deltas: readonly Json[]): void => {
      if (start) frames.push(event('contentBlockStart', { contentBlockIndex, start }))
      for (const delta of deltas) frames.push(event('contentBlockDelta', { contentBlockIndex, delta }))
      frames.push(event('contentBlockStop', { contentBlockIndex: contentBlockIndex++ }))
    }
    if (said.thinking)
      block(undefined, [
        ...pieces(said.thinking).map((text) => ({ reasoningContent: { text } })),
        { reasoningContent: { signature: 'EqQB' } },
      ])
    if (said.text)
      block(
        undefined,
        pieces(said.text).map((text) => ({ text })),
      )
    for (const [index, { name, args }] of said.calls.entries())
      block(
        { toolUse: { toolUseId: converseId(index), name } },
        pieces(JSON.stringify(args)).map((input) => ({ toolUse: { input } })),
      )
    if (said.finish) {
      frames.push(event('messageStop', converseReason(said)))
      frames.push(event('metadata', { usage: CONVERSE_USAGE, metrics: { latencyMs: 12 } }))
    }
    return Buffer.concat(frames)
  },
  error: { status: 500, body: CONVERSE_DOWN, frame: exception('internalServerException', CONVERSE_DOWN.message) },
}

/** A container's own stream, cut anywhere, in frames of AWS's. */
const sagemaker: Wire = {
  whole: openaiChat.whole,
  stream(said) {
    const bytes = Buffer.from(openaiChat.stream(said))
    return Buffer.concat(
      Array.from({ length: Math.ceil(bytes.length / 40) }, (_, i) => piece(bytes.subarray(i * 40, i * 40 + 40))),
    )
  },
  error: { status: 500, body: CONVERSE_DOWN, frame: exception('InternalStreamFailure', CONVERSE_DOWN.message) },
}

export const WIRES: Record<TargetId, Wire> = {
  'openai-chat': openaiChat,
  'openai-completions': openaiCompletions,
  'openai-responses': openaiResponses,
  anthropic,
  'ollama-chat': ollamaChat,
  'ollama-generate': ollamaGenerate,
  gemini,
  'cohere-chat': cohere,
  'sagemaker-chat': sagemaker,
  'bedrock-converse': converse,
}
