/** What each dialect's documentation shows as answer, stream and errors; and what is to be read in them. */
import type { Usage } from '../../src/core/usage.ts'
import type { Json, WireId } from '../../src/dialects/canonical.ts'
import { event, piece } from './frames.ts'

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
const sse = (...data: (Json | string)[]): Uint8Array =>
  encode(data.map((one) => `data: ${typeof one === 'string' ? one : JSON.stringify(one)}\n\n`).join(''))
const named = (...events: Json[]): Uint8Array =>
  encode(events.map((one) => `event: ${String(one.type)}\ndata: ${JSON.stringify(one)}\n\n`).join(''))
const lines = (...data: Json[]): Uint8Array => encode(data.map((one) => `${JSON.stringify(one)}\n`).join(''))

export interface Documented {
  whole: Json
  stream: Uint8Array
  /** What both say. */
  text: string
  usage: Partial<Usage>
  /** An error body for a message. */
  error(message: string, code: string): string
}

const head = { id: 'chatcmpl-123', created: 1694268190, model: 'm' }
const usage = { prompt_tokens: 19, completion_tokens: 10, total_tokens: 29 }

const RESPONSE = {
  id: 'resp_1',
  object: 'response',
  created_at: 1694268190,
  status: 'completed',
  model: 'm',
  output: [
    {
      type: 'message',
      id: 'msg_1',
      status: 'completed',
      role: 'assistant',
      content: [{ type: 'output_text', text: 'Hello!', annotations: [] }],
    },
  ],
  usage: {
    input_tokens: 19,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: 10,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 29,
  },
}

export const CHATS: Partial<Record<WireId, Documented>> = {
  'openai-chat': {
    whole: {
      ...head,
      object: 'chat.completion',
      choices: [{ index: 0, message: { role: 'assistant', content: 'Hello!' }, finish_reason: 'stop' }],
      usage,
    },
    stream: sse(
      // Azure begins with what its filters think of the prompt.
      { ...head, object: 'chat.completion.chunk', choices: [], prompt_filter_results: [{ prompt_index: 0 }] },
      {
        ...head,
        object: 'chat.completion.chunk',
        choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }],
      },
      {
        ...head,
        object: 'chat.completion.chunk',
        choices: [{ index: 0, delta: { content: 'Hel' }, finish_reason: null }],
      },
      {
        ...head,
        object: 'chat.completion.chunk',
        choices: [{ index: 0, delta: { content: 'lo!' }, finish_reason: null }],
      },
      { ...head, object: 'chat.completion.chunk', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
      { ...head, object: 'chat.completion.chunk', choices: [], usage },
      '[DONE]',
    ),
    text: 'Hello!',
    usage: { input: 19, output: 10 },
    error: (message, code) => JSON.stringify({ error: { message, type: 'error', param: null, code } }),
  },
  'openai-completions': {
    whole: {
      ...head,
      object: 'text_completion',
      choices: [{ index: 0, text: 'Hello!', logprobs: null, finish_reason: 'stop' }],
      usage,
    },
    stream: sse(
      { ...head, object: 'text_completion', choices: [{ index: 0, text: 'Hel', logprobs: null, finish_reason: null }] },
      {
        ...head,
        object: 'text_completion',
        choices: [{ index: 0, text: 'lo!', logprobs: null, finish_reason: 'stop' }],
      },
      { ...head, object: 'text_completion', choices: [], usage },
      '[DONE]',
    ),
    text: 'Hello!',
    usage: { input: 19, output: 10 },
    error: (message, code) => JSON.stringify({ error: { message, type: code, param: null, code } }),
  },
  'openai-responses': {
    whole: RESPONSE,
    stream: named(
      { type: 'response.created', sequence_number: 0, response: { ...RESPONSE, status: 'in_progress', output: [] } },
      {
        type: 'response.output_item.added',
        sequence_number: 1,
        output_index: 0,
        item: { ...RESPONSE.output[0], status: 'in_progress', content: [] },
      },
      {
        type: 'response.content_part.added',
        sequence_number: 2,
        item_id: 'msg_1',
        output_index: 0,
        content_index: 0,
        part: { type: 'output_text', text: '', annotations: [] },
      },
      ...['Hel', 'lo!'].map((delta, i) => ({
        type: 'response.output_text.delta',
        sequence_number: 3 + i,
        item_id: 'msg_1',
        output_index: 0,
        content_index: 0,
        delta,
      })),
      {
        type: 'response.output_text.done',
        sequence_number: 5,
        item_id: 'msg_1',
        output_index: 0,
        content_index: 0,
        text: 'Hello!',
      },
      { type: 'response.output_item.done', sequence_number: 6, output_index: 0, item: RESPONSE.output[0] as Json },
      { type: 'response.completed', sequence_number: 7, response: RESPONSE },
    ),
    text: 'Hello!',
    usage: { input: 19, output: 10 },
    error: (message, code) => JSON.stringify({ error: { message, type: code, param: null, code } }),
  },
  anthropic: {
    whole: {
      id: 'msg_01',
      type: 'message',
      role: 'assistant',
      model: 'm',
      content: [{ type: 'text', text: 'Hello!' }],
      stop_reason: 'end_turn',
      stop_sequence: null,
      usage: { input_tokens: 19, output_tokens: 10 },
    },
    stream: named(
      {
        type: 'message_start',
        message: {
          id: 'msg_01',
          type: 'message',
          role: 'assistant',
          content: [],
          model: 'm',
          stop_reason: null,
          stop_sequence: null,
          usage: { input_tokens: 19, output_tokens: 1 },
        },
      },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'ping' },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hel' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'lo!' } },
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 10 } },
      { type: 'message_stop' },
    ),
    text: 'Hello!',
    usage: { input: 19, output: 10 },
    error: (message, code) => JSON.stringify({ type: 'error', error: { type: code, message } }),
  },
  'ollama-chat': {
    whole: {
      model: 'm',
      created_at: '2023-08-04T19:22:45.499127Z',
      message: { role: 'assistant', content: 'Hello!' },
      done: true,
      done_reason: 'stop',
      total_duration: 4883583458,
      prompt_eval_count: 19,
      eval_count: 10,
    },
    stream: lines(
      {
        model: 'm',
        created_at: '2023-08-04T08:52:19.385406455-07:00',
        message: { role: 'assistant', content: 'Hel' },
        done: false,
      },
      {
        model: 'm',
        created_at: '2023-08-04T08:52:19.385406455-07:00',
        message: { role: 'assistant', content: 'lo!' },
        done: false,
      },
      {
        model: 'm',
        created_at: '2023-08-04T19:22:45.499127Z',
        message: { role: 'assistant', content: '' },
        done: true,
        done_reason: 'stop',
        prompt_eval_count: 19,
        eval_count: 10,
      },
    ),
    text: 'Hello!',
    usage: { input: 19, output: 10 },
    error: (message) => JSON.stringify({ error: message }),
  },
  gemini: {
    whole: {
      candidates: [{ content: { parts: [{ text: 'Hello!' }], role: 'model' }, finishReason: 'STOP', index: 0 }],
      usageMetadata: { promptTokenCount: 19, candidatesTokenCount: 10, totalTokenCount: 29 },
      modelVersion: 'm',
    },
    stream: sse(
      {
        candidates: [{ content: { parts: [{ text: 'Hel' }], role: 'model' }, index: 0 }],
        usageMetadata: { promptTokenCount: 19, totalTokenCount: 19 },
        modelVersion: 'm',
      },
      {
        candidates: [{ content: { parts: [{ text: 'lo!' }], role: 'model' }, finishReason: 'STOP', index: 0 }],
        usageMetadata: { promptTokenCount: 19, candidatesTokenCount: 10, totalTokenCount: 29 },
        modelVersion: 'm',
      },
    ),
    text: 'Hello!',
    usage: { input: 19, output: 10 },
    error: (message, code) => JSON.stringify({ error: { code: 400, message, status: code } }),
  },
  // docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-call.html
  'bedrock-converse': {
    whole: {
      output: { message: { role: 'assistant', content: [{ text: 'Hello!' }] } },
      stopReason: 'end_turn',
      usage: { inputTokens: 19, outputTokens: 10, totalTokens: 29 },
      metrics: { latencyMs: 1275 },
    },
    stream: Buffer.concat([
      event('messageStart', { role: 'assistant' }),
      event('contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'Hel' }, p: 'abcdefg' }),
      event('contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'lo!' } }),
      event('contentBlockStop', { contentBlockIndex: 0 }),
      event('messageStop', { stopReason: 'end_turn' }),
      event('metadata', {
        usage: { inputTokens: 19, outputTokens: 10, totalTokens: 29 },
        metrics: { latencyMs: 1275 },
      }),
    ]),
    text: 'Hello!',
    usage: { input: 19, output: 10 },
    error: (message) => JSON.stringify({ message }),
  },
  // docs.cohere.com/reference/chat
  'cohere-chat': {
    whole: {
      id: 'c14c80c3-18eb-4519-9460-6c92edd8cfb4',
      finish_reason: 'COMPLETE',
      message: { role: 'assistant', content: [{ type: 'text', text: 'Hello!' }] },
      usage: { billed_units: { input_tokens: 19, output_tokens: 10 }, tokens: { input_tokens: 64, output_tokens: 10 } },
    },
    stream: named(
      {
        type: 'message-start',
        id: '29f14a5a',
        delta: { message: { role: 'assistant', content: [], tool_plan: '', tool_calls: [], citations: [] } },
      },
      { type: 'content-start', index: 0, delta: { message: { content: { type: 'text', text: '' } } } },
      { type: 'content-delta', index: 0, delta: { message: { content: { text: 'Hel' } } } },
      { type: 'content-delta', index: 0, delta: { message: { content: { text: 'lo!' } } } },
      { type: 'content-end', index: 0 },
      {
        type: 'message-end',
        delta: {
          finish_reason: 'COMPLETE',
          usage: {
            billed_units: { input_tokens: 19, output_tokens: 10 },
            tokens: { input_tokens: 64, output_tokens: 10 },
          },
        },
      },
    ),
    text: 'Hello!',
    usage: { input: 19, output: 10 },
    error: (message) => JSON.stringify({ id: 'd27b6862', message }),
  },
}

const OPENAI = CHATS['openai-chat'] as Documented
/** In SageMaker's frames a container's stream is cut anywhere: here after each seventh byte. */
const pieces = Array.from({ length: Math.ceil(OPENAI.stream.length / 7) }, (_, i) =>
  piece(OPENAI.stream.subarray(i * 7, i * 7 + 7)),
)
CHATS['sagemaker-chat'] = {
  ...OPENAI,
  stream: Buffer.concat(pieces),
  error: (message, code) => JSON.stringify({ Message: message, __type: code }),
}

/** Ollama's completion, which is its chat but for where the text stands. */
const GENERATED = { model: 'm', created_at: '2023-08-04T19:22:45.499127Z' }
const GENERATED_END = { ...GENERATED, done: true, done_reason: 'stop', prompt_eval_count: 19, eval_count: 10 }
CHATS['ollama-generate'] = {
  whole: { ...GENERATED_END, response: 'Hello!' },
  stream: lines(
    { ...GENERATED, response: 'Hel', done: false },
    { ...GENERATED, response: 'lo!', done: false },
    { ...GENERATED_END, response: '' },
  ),
  text: 'Hello!',
  usage: { input: 19, output: 10 },
  error: (message) => JSON.stringify({ error: message }),
}

export const EMBEDDINGS: Partial<Record<WireId, { whole: Json; input: number | undefined }>> = {
  'openai-embeddings': {
    whole: {
      object: 'list',
      data: [{ object: 'embedding', embedding: [0.5, -0.25], index: 0 }],
      model: 'm',
      usage: { prompt_tokens: 8, total_tokens: 8 },
    },
    input: 8,
  },
  'ollama-embed': { whole: { model: 'm', embeddings: [[0.5, -0.25]], prompt_eval_count: 8 }, input: 8 },
  // Gemini counts no tokens there.
  'gemini-embed': { whole: { embedding: { values: [0.5, -0.25] } }, input: undefined },
  'cohere-embed': {
    whole: {
      id: 'da6e531f',
      embeddings: { float: [[0.5, -0.25]] },
      texts: ['hello'],
      meta: { api_version: { version: '2' }, billed_units: { input_tokens: 8 } },
    },
    input: 8,
  },
  'ollama-embeddings': { whole: { embedding: [0.5, -0.25] }, input: undefined },
  'titan-embed': { whole: { embedding: [0.5, -0.25], inputTextTokenCount: 8 }, input: 8 },
  'vertex-embed': {
    whole: {
      predictions: [{ embeddings: { statistics: { truncated: false, token_count: 8 }, values: [0.5, -0.25] } }],
    },
    input: 8,
  },
}

export const DOCUMENTS = ['Paris is in France.', 'Berlin is in Germany.', 'Rome is in Italy.']

/** Rankings of these documents: the third one first. */
export const RERANKS: Partial<Record<WireId, unknown>> = {
  rerank: {
    id: 'oGzvXtf-8YK9gd-969ae', // Together, and vLLM but for `object`
    object: 'rerank',
    model: 'Salesforce/Llama-Rank-v1',
    results: [
      { index: 2, relevance_score: 0.9, document: { text: DOCUMENTS[2] } },
      { index: 0, relevance_score: 0.2, document: { text: DOCUMENTS[0] } },
    ],
    usage: { prompt_tokens: 31, completion_tokens: 0, total_tokens: 31 },
  },
  'cohere-rerank': {
    id: '07734bd2',
    results: [
      { index: 2, relevance_score: 0.9 },
      { index: 0, relevance_score: 0.2 },
    ],
    meta: { api_version: { version: '2', is_experimental: false }, billed_units: { search_units: 1 } },
  },
  'jina-rerank': {
    model: 'jina-reranker-v3',
    object: 'list',
    usage: { total_tokens: 31 },
    results: [
      { index: 2, relevance_score: 0.9, document: { text: DOCUMENTS[2] } },
      { index: 0, relevance_score: 0.2 },
    ],
  },
  'voyage-rerank': {
    object: 'list',
    data: [
      { relevance_score: 0.9, index: 2 },
      { relevance_score: 0.2, index: 0 },
    ],
    model: 'rerank-2.5',
    usage: { total_tokens: 31 },
  },
  'tei-rerank': [
    { index: 0, score: 0.2 },
    { index: 2, score: 0.9, text: DOCUMENTS[2] },
    { index: 1, score: 0.1 },
  ],
  'sglang-rerank': [
    { score: 0.2, document: DOCUMENTS[0], index: 0, meta_info: {} },
    { score: 0.9, document: DOCUMENTS[2], index: 2, meta_info: {} },
  ],
  'nim-rerank': {
    rankings: [
      { index: 2, logit: 0.9 },
      { index: 0, logit: 0.2 },
    ],
    usage: { prompt_tokens: 31, total_tokens: 31 },
  },
}
