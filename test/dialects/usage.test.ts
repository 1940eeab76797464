/**
 * What every dialect tells of usage, as its provider documents it or was recorded: whole, in a stream, relayed and read,
 * and passed through without being understood. All of them must find the same.
 */
import { describe, expect, test } from 'bun:test'
import { NO_USAGE, type Usage } from '../../src/core/usage.ts'
import { usageReader } from '../../src/dialects/any-usage.ts'
import type { Json, WireId } from '../../src/dialects/canonical.ts'
import type { ChatDialect, ChatTarget, Frame } from '../../src/dialects/dialect.ts'
import { targetDialects } from '../../src/dialects/index.ts'
import { readUsage as readRealtime } from '../../src/dialects/openai-responses/usage.ts'

interface Case {
  id: WireId
  /** Where it is from. */
  source: string
  whole?: Json
  /** Events of a stream, the last of which tells usage. */
  stream?: Json[]
  /** `event:` lines, or AWS's names. */
  events?: string[]
  wanted: Partial<Usage>
  /** What is passed through can't be told apart from another dialect's, or tells it elsewhere. */
  onlyHere?: boolean
}

const choice = (more: Json = {}) => ({
  index: 0,
  message: { role: 'assistant', content: 'x' },
  finish_reason: 'stop',
  ...more,
})
const chat = (usage: Json, more: Json = {}): Json => ({
  id: 'c',
  object: 'chat.completion',
  model: 'm',
  choices: [choice()],
  usage,
  ...more,
})
const chunks = (usage: Json, more: Json = {}): Json[] => [
  { id: 'c', choices: [{ index: 0, delta: { content: 'x' }, finish_reason: null }], ...more },
  { id: 'c', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], ...more },
  { id: 'c', choices: [], usage, ...more },
]
const openai = (source: string, usage: Json, wanted: Partial<Usage>, more: Json = {}): Case => ({
  ...{ id: 'openai-chat', source, wanted },
  whole: chat(usage, more),
  stream: chunks(usage, more),
})

const response = (usage: Json, more: Json = {}): Json => ({
  ...{ id: 'resp_1', object: 'response', status: 'completed', model: 'm', created_at: 1 },
  output: [
    { type: 'message', id: 'm', role: 'assistant', content: [{ type: 'output_text', text: 'x', annotations: [] }] },
  ],
  usage,
  ...more,
})

const gemini = (usageMetadata: Json, more: Json = {}): Json => ({
  candidates: [{ content: { parts: [{ text: 'x' }], role: 'model' }, index: 0, finishReason: 'STOP', ...more }],
  usageMetadata,
  modelVersion: 'm',
  responseId: 'r',
})

const message = (usage: Json): Json => ({
  ...{ id: 'msg', type: 'message', role: 'assistant', model: 'm', stop_reason: 'end_turn', stop_sequence: null },
  content: [{ type: 'text', text: 'x' }],
  usage,
})
const anthropic = (start: Json, delta: Json): Json[] => [
  { type: 'message_start', message: { ...message(start), content: [], stop_reason: null } },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'x' } },
  { type: 'content_block_stop', index: 0 },
  { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: delta },
  { type: 'message_stop' },
]

const CASES: Case[] = [
  openai(
    'OpenAI, audio in and out (platform.openai.com/docs/api-reference/chat/object)',
    {
      ...{ prompt_tokens: 120, completion_tokens: 90, total_tokens: 210 },
      prompt_tokens_details: { cached_tokens: 0, audio_tokens: 100 },
      completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 70, accepted_prediction_tokens: 0 },
    },
    { input: 120, audioInput: 100, output: 90, audioOutput: 70, service: 'priority' },
    { service_tier: 'priority' },
  ),
  openai(
    'OpenAI, its default tier',
    { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
    { input: 3, output: 2, service: 'standard' },
    { service_tier: 'default' },
  ),
  openai(
    'OpenAI, flex, reasoning and a cache that was written',
    {
      ...{ prompt_tokens: 2006, completion_tokens: 300, total_tokens: 2306 },
      prompt_tokens_details: { cached_tokens: 1920, cache_write_tokens: 64 },
      completion_tokens_details: { reasoning_tokens: 256 },
    },
    { input: 2006, cacheRead: 1920, cacheWrite: 64, output: 300, reasoning: 256, service: 'flex' },
    { service_tier: 'flex' },
  ),
  openai(
    'xAI counts reasoning beside the completion (docs.x.ai; figures of sub2api#5771)',
    {
      ...{ prompt_tokens: 10120, completion_tokens: 1499, total_tokens: 14428 },
      prompt_tokens_details: { cached_tokens: 128, text_tokens: 10120, audio_tokens: 0, image_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 2809 },
    },
    { input: 10120, cacheRead: 128, output: 4308, reasoning: 2809 },
  ),
  openai(
    'DeepSeek',
    {
      prompt_tokens: 50,
      completion_tokens: 5,
      total_tokens: 55,
      prompt_cache_hit_tokens: 32,
      prompt_cache_miss_tokens: 18,
    },
    { input: 50, cacheRead: 32, output: 5 },
  ),
  openai(
    'Moonshot',
    { prompt_tokens: 50, completion_tokens: 5, total_tokens: 55, cached_tokens: 32 },
    { input: 50, cacheRead: 32, output: 5 },
  ),
  openai(
    'Mistral, Voxtral in chat (docs.mistral.ai/capabilities/audio)',
    { prompt_audio_seconds: 203, prompt_tokens: 2583, completion_tokens: 33, total_tokens: 3616 },
    { input: 2583, output: 33, mediaMs: 203_000 },
  ),
  openai(
    "Perplexity's deep research: citations are billed as prompt, reasoning beside the answer",
    {
      ...{ prompt_tokens: 33, completion_tokens: 7163, total_tokens: 7196 },
      ...{ citation_tokens: 20016, num_search_queries: 21, reasoning_tokens: 95305, search_context_size: 'low' },
    },
    { input: 20049, output: 102468, reasoning: 95305, searches: 21 },
  ),
  openai(
    'LiteLLM as a provider, of Claude behind it',
    {
      ...{ prompt_tokens: 1000, completion_tokens: 9, total_tokens: 1009 },
      ...{ cache_creation_input_tokens: 300, cache_read_input_tokens: 600 },
      prompt_tokens_details: { cached_tokens: 600, cache_creation_tokens: 300 },
    },
    { input: 1000, cacheRead: 600, cacheWrite: 300, output: 9 },
  ),
  openai(
    'OpenRouter, an image that was drawn',
    {
      ...{ prompt_tokens: 10, completion_tokens: 1300, total_tokens: 1310 },
      completion_tokens_details: { reasoning_tokens: 0, image_tokens: 1290 },
    },
    { input: 10, output: 1300, imageOutput: 1290 },
  ),
  {
    id: 'openai-completions',
    source: 'OpenAI',
    whole: {
      ...{ id: 'c', object: 'text_completion', model: 'm', choices: [{ text: 'x', index: 0, finish_reason: 'stop' }] },
      usage: { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 },
      service_tier: 'flex',
    },
    stream: [
      { id: 'c', choices: [{ text: 'x', index: 0, finish_reason: 'stop' }] },
      {
        id: 'c',
        choices: [],
        usage: { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 },
        service_tier: 'flex',
      },
    ],
    wanted: { input: 5, output: 7, service: 'flex' },
  },
  {
    id: 'openai-responses',
    source: 'OpenAI, with two searches and a page that was opened (platform.openai.com/docs/guides/tools-web-search)',
    whole: response(
      {
        ...{ input_tokens: 328, output_tokens: 356, total_tokens: 684 },
        input_tokens_details: { cached_tokens: 100 },
        output_tokens_details: { reasoning_tokens: 50 },
      },
      {
        service_tier: 'priority',
        output: [
          { type: 'web_search_call', id: 'ws_1', status: 'completed', action: { type: 'search', query: 'a' } },
          {
            type: 'web_search_call',
            id: 'ws_2',
            status: 'completed',
            action: { type: 'open_page', url: 'https://a.example' },
          },
          { type: 'web_search_call', id: 'ws_3', status: 'completed' },
          ...(response({}).output as Json[]),
        ],
      },
    ),
    wanted: { input: 328, cacheRead: 100, output: 356, reasoning: 50, searches: 2, service: 'priority' },
  },
  {
    id: 'anthropic',
    source: 'Anthropic, both caches, thinking and searches (docs.claude.com: prompt caching, web search tool)',
    whole: message({
      ...{ input_tokens: 2048, cache_read_input_tokens: 1800, cache_creation_input_tokens: 248, output_tokens: 503 },
      cache_creation: { ephemeral_5m_input_tokens: 148, ephemeral_1h_input_tokens: 100 },
      output_tokens_details: { thinking_tokens: 200 },
      server_tool_use: { web_search_requests: 2, web_fetch_requests: 1 },
      service_tier: 'standard',
    }),
    stream: anthropic(
      {
        ...{ input_tokens: 2048, cache_read_input_tokens: 1800, cache_creation_input_tokens: 248, output_tokens: 1 },
        cache_creation: { ephemeral_5m_input_tokens: 148, ephemeral_1h_input_tokens: 100 },
        service_tier: 'standard',
      },
      {
        output_tokens: 503,
        output_tokens_details: { thinking_tokens: 200 },
        server_tool_use: { web_search_requests: 2 },
      },
    ),
    wanted: {
      ...{ input: 4096, cacheRead: 1800, cacheWrite: 148, cacheWriteHour: 100 },
      ...{ output: 503, reasoning: 200, searches: 2, service: 'standard' },
    },
  },
  {
    id: 'anthropic',
    source: 'Anthropic in fast mode',
    whole: message({
      input_tokens: 5,
      cache_read_input_tokens: 0,
      output_tokens: 3,
      service_tier: 'standard',
      speed: 'fast',
    }),
    wanted: { input: 5, output: 3, service: 'priority' },
  },
  {
    id: 'gemini',
    source:
      'Vertex AI, a cached video with sound and a drawn image (cloud.google.com: GenerateContentResponse.UsageMetadata)',
    whole: gemini({
      ...{ promptTokenCount: 1000, cachedContentTokenCount: 600, candidatesTokenCount: 1300, thoughtsTokenCount: 40 },
      totalTokenCount: 2340,
      promptTokensDetails: [
        { modality: 'TEXT', tokenCount: 100 },
        { modality: 'AUDIO', tokenCount: 400 },
        { modality: 'VIDEO', tokenCount: 450 },
        { modality: 'IMAGE', tokenCount: 50 },
      ],
      cacheTokensDetails: [
        { modality: 'AUDIO', tokenCount: 300 },
        { modality: 'VIDEO', tokenCount: 300 },
      ],
      candidatesTokensDetails: [
        { modality: 'IMAGE', tokenCount: 1290 },
        { modality: 'TEXT', tokenCount: 10 },
      ],
      trafficType: 'ON_DEMAND_PRIORITY',
    }),
    stream: [
      gemini({ promptTokenCount: 1000, totalTokenCount: 1000 }, { finishReason: undefined }),
      gemini({
        ...{ promptTokenCount: 1000, cachedContentTokenCount: 600, candidatesTokenCount: 1300, thoughtsTokenCount: 40 },
        promptTokensDetails: [
          { modality: 'AUDIO', tokenCount: 400 },
          { modality: 'VIDEO', tokenCount: 500 },
        ],
        cacheTokensDetails: [
          { modality: 'AUDIO', tokenCount: 300 },
          { modality: 'VIDEO', tokenCount: 300 },
        ],
        candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: 1290 }],
        trafficType: 'ON_DEMAND_PRIORITY',
      }),
    ],
    wanted: {
      ...{ input: 1000, cacheRead: 600, audioRead: 300, imageRead: 300, audioInput: 100, imageInput: 200 },
      ...{ output: 1340, reasoning: 40, imageOutput: 1290, service: 'priority' },
    },
  },
  {
    id: 'gemini',
    source: 'Gemini with Google Search (ai.google.dev/gemini-api/docs/google-search)',
    whole: gemini(
      { promptTokenCount: 10, candidatesTokenCount: 20, toolUsePromptTokenCount: 70, totalTokenCount: 100 },
      { groundingMetadata: { webSearchQueries: ['UEFA Euro 2024 winner', 'who won euro 2024'], groundingChunks: [] } },
    ),
    stream: [
      gemini(
        { promptTokenCount: 10, candidatesTokenCount: 20, toolUsePromptTokenCount: 70 },
        {
          groundingMetadata: { webSearchQueries: ['UEFA Euro 2024 winner', 'who won euro 2024'], groundingChunks: [] },
        },
      ),
    ],
    wanted: { input: 80, output: 20, searches: 2 },
  },
  {
    id: 'ollama-chat',
    source: 'Ollama (docs/api.md): reading and writing are work, loading and waiting are not',
    whole: {
      ...{
        model: 'm',
        created_at: '2023-12-12T14:13:43.416799Z',
        message: { role: 'assistant', content: 'x' },
        done: true,
      },
      ...{ done_reason: 'stop', total_duration: 5191566416, load_duration: 2154458, prompt_eval_count: 26 },
      ...{ prompt_eval_duration: 383809000, eval_count: 298, eval_duration: 4799921000 },
    },
    stream: [
      { model: 'm', created_at: 'x', message: { role: 'assistant', content: 'x' }, done: false },
      {
        ...{
          model: 'm',
          created_at: 'x',
          message: { role: 'assistant', content: '' },
          done: true,
          done_reason: 'stop',
        },
        ...{ total_duration: 5191566416, load_duration: 2154458, prompt_eval_count: 26 },
        ...{ prompt_eval_duration: 383809000, eval_count: 298, eval_duration: 4799921000 },
      },
    ],
    wanted: { input: 26, output: 298, gpuMs: 5184 },
    onlyHere: true,
  },
  {
    id: 'ollama-generate',
    source: 'Ollama (docs/api.md)',
    whole: {
      ...{ model: 'm', created_at: 'x', response: 'x', done: true, done_reason: 'stop', total_duration: 5043500667 },
      ...{ prompt_eval_count: 26, prompt_eval_duration: 325953000, eval_count: 290, eval_duration: 4709213000 },
    },
    wanted: { input: 26, output: 290, gpuMs: 5035 },
    onlyHere: true,
  },
  {
    id: 'cohere-chat',
    source: 'Cohere v2: what is billed counts, not what was read (docs.cohere.com/reference/chat)',
    whole: {
      ...{ id: 'c', finish_reason: 'COMPLETE', message: { role: 'assistant', content: [{ type: 'text', text: 'x' }] } },
      usage: {
        billed_units: { input_tokens: 5, output_tokens: 418 },
        tokens: { input_tokens: 71, output_tokens: 418 },
      },
    },
    stream: [
      { type: 'message-start', id: 'c', delta: { message: { role: 'assistant' } } },
      { type: 'content-delta', index: 0, delta: { message: { content: { text: 'x' } } } },
      {
        type: 'message-end',
        delta: {
          finish_reason: 'COMPLETE',
          usage: {
            billed_units: { input_tokens: 5, output_tokens: 418 },
            tokens: { input_tokens: 71, output_tokens: 418 },
          },
        },
      },
    ],
    wanted: { input: 5, output: 418 },
  },
  {
    id: 'bedrock-converse',
    source: 'Bedrock (docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html)',
    whole: {
      output: { message: { role: 'assistant', content: [{ text: 'x' }] } },
      stopReason: 'end_turn',
      usage: {
        ...{
          inputTokens: 30,
          outputTokens: 628,
          totalTokens: 788,
          cacheReadInputTokens: 100,
          cacheWriteInputTokens: 30,
        },
        cacheDetails: [{ ttl: '1h', inputTokens: 10 }],
      },
      serviceTier: { type: 'flex' },
    },
    stream: [
      { role: 'assistant' },
      { contentBlockIndex: 0, delta: { text: 'x' } },
      { stopReason: 'end_turn' },
      {
        usage: {
          ...{
            inputTokens: 30,
            outputTokens: 628,
            totalTokens: 788,
            cacheReadInputTokens: 100,
            cacheWriteInputTokens: 30,
          },
          cacheDetails: [{ ttl: '1h', inputTokens: 10 }],
        },
        serviceTier: { type: 'flex' },
      },
    ],
    events: ['messageStart', 'contentBlockDelta', 'messageStop', 'metadata'],
    wanted: { input: 160, cacheRead: 100, cacheWrite: 20, cacheWriteHour: 10, output: 628, service: 'flex' },
    onlyHere: true,
  },
  {
    id: 'openai-images',
    source: 'OpenAI, gpt-image-1 (platform.openai.com/docs/api-reference/images/create)',
    whole: {
      created: 1713833628,
      data: [{ b64_json: 'AA==' }, { b64_json: 'AA==' }],
      usage: {
        ...{ total_tokens: 100, input_tokens: 50, output_tokens: 50 },
        input_tokens_details: { text_tokens: 10, image_tokens: 40 },
      },
    },
    wanted: { input: 50, imageInput: 40, output: 50, imageOutput: 50, images: 2 },
    onlyHere: true,
  },
  {
    id: 'openai-images',
    source: 'OpenAI, gpt-image-1.5, which tells what of its answer is text',
    whole: {
      data: [{ b64_json: 'AA==' }],
      usage: {
        ...{
          input_tokens: 50,
          output_tokens: 60,
          total_tokens: 110,
          input_tokens_details: { text_tokens: 50, image_tokens: 0 },
        },
        output_tokens_details: { text_tokens: 10, image_tokens: 50 },
      },
    },
    wanted: { input: 50, output: 60, imageOutput: 50, images: 1 },
    onlyHere: true,
  },
  {
    id: 'openai-images',
    source: 'DALL·E, which counts no tokens',
    whole: { created: 1, data: [{ url: 'https://a.example/1.png' }] },
    wanted: { images: 1 },
    onlyHere: true,
  },
  {
    id: 'openai-transcriptions',
    source: 'OpenAI, gpt-4o-transcribe (platform.openai.com/docs/api-reference/audio/json-object)',
    whole: {
      text: 'x',
      usage: {
        ...{ type: 'tokens', input_tokens: 14, output_tokens: 45, total_tokens: 59 },
        input_token_details: { text_tokens: 4, audio_tokens: 10 },
      },
    },
    wanted: { input: 14, audioInput: 10, output: 45 },
  },
  {
    id: 'openai-transcriptions',
    source: 'OpenAI, whisper-1',
    whole: { text: 'x', usage: { type: 'duration', seconds: 9 } },
    wanted: { mediaMs: 9_000 },
  },
  {
    id: 'openai-transcriptions',
    source: 'verbose_json of Groq, which tells no usage',
    whole: { task: 'transcribe', language: 'English', duration: 10.56, text: 'x', segments: [] },
    wanted: { mediaMs: 10_560 },
    onlyHere: true,
  },
  {
    id: 'rerank',
    source: 'Cohere (docs.cohere.com/reference/rerank)',
    whole: {
      id: 'r',
      results: [{ index: 0, relevance_score: 0.9 }],
      meta: { api_version: { version: '2' }, billed_units: { search_units: 2 } },
    },
    wanted: { searches: 2 },
  },
  {
    id: 'rerank',
    source: 'Jina',
    whole: { model: 'm', results: [{ index: 0, relevance_score: 0.9 }], usage: { total_tokens: 815 } },
    wanted: { input: 815 },
    onlyHere: true,
  },
  {
    id: 'openai-embeddings',
    source: 'OpenAI',
    whole: {
      object: 'list',
      data: [{ object: 'embedding', index: 0, embedding: [0.1] }],
      model: 'm',
      usage: { prompt_tokens: 8, total_tokens: 8 },
    },
    wanted: { input: 8 },
  },
  {
    id: 'cohere-embed',
    source: 'Cohere v2',
    whole: { id: 'e', embeddings: { float: [[0.1]] }, meta: { billed_units: { input_tokens: 2 } } },
    wanted: { input: 2 },
  },
  {
    id: 'ollama-embed',
    source: 'Ollama (docs/api.md): all but loading is work',
    whole: { model: 'm', embeddings: [[0.1]], total_duration: 14143917, load_duration: 1019500, prompt_eval_count: 8 },
    wanted: { input: 8, gpuMs: 13 },
    onlyHere: true,
  },
]

const whole = (wanted: Partial<Usage>): Usage => ({ ...NO_USAGE, ...wanted })

describe('an answer', () => {
  for (const { id, source, whole: body, wanted, onlyHere } of CASES.filter((c) => c.whole)) {
    const dialect = targetDialects[id]
    test(`${id} · ${source}`, () => {
      if ('readReply' in dialect)
        expect((dialect.readReply(body as Json) as { usage?: Usage }).usage).toEqual(whole(wanted))
      if ('glance' in dialect) expect(dialect.glance(JSON.stringify(body)).usage).toEqual(whole(wanted))
      if (!onlyHere) expect(usageReader()(body as Json)).toEqual(whole(wanted))
    })
  }
})

describe('a stream', () => {
  for (const { id, source, stream, events, wanted, onlyHere } of CASES.filter((c) => c.stream)) {
    const dialect = targetDialects[id] as ChatTarget
    const frames = (stream as Json[]).map((data, i): Frame => ({ event: events?.[i], data: JSON.stringify(data) }))
    test(`${id} · ${source}`, () => {
      const read = dialect.reader()
      const told = frames.flatMap((frame) => read(frame)).findLast((event) => event.type === 'usage')
      expect(told?.type === 'usage' && told.usage).toEqual(whole(wanted))
      if ('tap' in dialect) {
        const tap = (dialect as ChatDialect).tap()
        expect(frames.map((frame) => tap(frame).usage).findLast((usage) => usage)).toEqual(whole(wanted))
      }
      if (!onlyHere) {
        const any = usageReader()
        expect((stream as Json[]).map((one) => any(one)).findLast((usage) => usage)).toEqual(whole(wanted))
      }
    })
  }

  test('Responses tell it of the response that is completed', () => {
    const { whole: body, wanted } = CASES.find(({ id }) => id === 'openai-responses') as Case
    const dialect = targetDialects['openai-responses']
    const frame = { data: JSON.stringify({ type: 'response.completed', response: body }) }
    const told = dialect
      .reader()(frame)
      .find((event) => event.type === 'usage')
    expect(told?.type === 'usage' && told.usage).toEqual(whole(wanted))
    expect(dialect.tap()(frame).usage).toEqual(whole(wanted))
    expect(usageReader()({ type: 'response.completed', response: body })).toEqual(whole(wanted))
  })

  test('an image that is drawn in a stream: its last event', () => {
    const tap = targetDialects['openai-images'].tap()
    const usage = { input_tokens: 10, output_tokens: 1000, input_tokens_details: { text_tokens: 10, image_tokens: 0 } }
    expect(
      tap({ data: JSON.stringify({ type: 'image_generation.partial_image', b64_json: 'AA==' }) }).usage,
    ).toBeUndefined()
    expect(
      tap({ data: JSON.stringify({ type: 'image_generation.completed', b64_json: 'AA==', usage }) }).usage,
    ).toEqual(whole({ input: 10, output: 1000, imageOutput: 1000, images: 1 }))
  })

  test('Realtime: each kind of token, and what of it was cached (platform.openai.com/docs/guides/realtime-costs)', () => {
    const said = {
      ...{ total_tokens: 253, input_tokens: 132, output_tokens: 121 },
      input_token_details: {
        ...{ text_tokens: 119, audio_tokens: 13, image_tokens: 0, cached_tokens: 64 },
        cached_tokens_details: { text_tokens: 60, audio_tokens: 4, image_tokens: 0 },
      },
      output_token_details: { text_tokens: 30, audio_tokens: 91 },
    }
    expect(readRealtime(said)).toEqual(
      whole({ input: 132, cacheRead: 64, audioInput: 9, audioRead: 4, output: 121, audioOutput: 91 }),
    )
  })
})
