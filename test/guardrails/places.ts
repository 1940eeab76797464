/** Requests and answers with a text in every place that their dialects have for one. */
type Json = Record<string, unknown>

const PIXEL = 'iVBORw0KGgo='
const tool = {
  type: 'function',
  function: {
    name: 'f',
    description: 'does',
    parameters: {
      type: 'object',
      title: 'T',
      properties: { a: { type: 'string', description: 'dd', enum: ['x1', 'x2'], default: 'x1', pattern: '^x' } },
    },
  },
}

export const REQUESTS: Readonly<Record<string, { path: string; to: string; body: Json }>> = {
  chat: {
    path: '/v1/chat/completions',
    to: 'openai',
    body: {
      user: 'u1',
      metadata: { topic: 'tt' },
      stop: ['END'],
      prediction: { type: 'content', content: 'pred' },
      service_tier: 'auto',
      safety_identifier: 'sid',
      prompt_cache_key: 'pck',
      reasoning_effort: 'low',
      verbosity: 'low',
      response_format: {
        type: 'json_schema',
        json_schema: {
          name: 'nn',
          description: 'rd',
          schema: {
            type: 'object',
            title: 'st',
            properties: { q: { type: 'string', description: 'pd', const: 'cc' } },
          },
        },
      },
      web_search_options: { user_location: { type: 'approximate', approximate: { city: 'Bonn', country: 'DE' } } },
      logit_bias: { '50256': -100 },
      messages: [
        { role: 'system', content: 'sys', name: 'sysname' },
        { role: 'developer', content: [{ type: 'text', text: 'dev' }] },
        {
          role: 'user',
          name: 'bob',
          content: [
            { type: 'text', text: 'hi' },
            { type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}`, detail: 'low' } },
            { type: 'image_url', image_url: { url: 'https://e.org/x.png' } },
            { type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } },
            { type: 'file', file: { filename: 'fn.pdf', file_data: 'data:application/pdf;base64,AAAA' } },
          ],
        },
        {
          role: 'assistant',
          content: 'asst',
          refusal: 'ref',
          reasoning_content: 'think',
          tool_calls: [
            { id: 'call_1', type: 'function', function: { name: 'f', arguments: '{"a":"arg","n":{"deep":["x"]}}' } },
          ],
        },
        { role: 'tool', tool_call_id: 'call_1', content: 'result' },
        { role: 'assistant', content: 'pre', audio: { id: 'aud' } },
        { role: 'user', content: 'end' },
      ],
      tools: [
        tool,
        {
          type: 'custom',
          custom: {
            name: 'cu',
            description: 'cud',
            format: { type: 'grammar', grammar: { syntax: 'lark', definition: 'start: x' } },
          },
        },
      ],
      tool_choice: { type: 'function', function: { name: 'f' } },
      unknown_field: 'uf',
      provider: { x: 'px' },
    },
  },
  responses: {
    path: '/v1/responses',
    to: 'openai',
    body: {
      instructions: 'ins',
      user: 'u',
      metadata: { k: 'v' },
      prompt_cache_key: 'pck',
      safety_identifier: 'si',
      include: ['reasoning.encrypted_content'],
      store: false,
      input: [
        {
          role: 'user',
          content: [
            { type: 'input_text', text: 'hi' },
            { type: 'input_image', image_url: `data:image/png;base64,${PIXEL}`, detail: 'low' },
            { type: 'input_file', filename: 'fn', file_data: 'data:application/pdf;base64,AAAA' },
          ],
        },
        {
          type: 'reasoning',
          id: 'rs_1',
          summary: [{ type: 'summary_text', text: 'sum' }],
          content: [{ type: 'reasoning_text', text: 'rt' }],
          encrypted_content: 'enc',
        },
        { type: 'function_call', id: 'fc_1', call_id: 'c1', name: 'f', arguments: '{"a":"b"}' },
        { type: 'function_call_output', call_id: 'c1', output: 'out' },
        {
          type: 'message',
          id: 'msg_1',
          role: 'assistant',
          status: 'completed',
          content: [
            {
              type: 'output_text',
              text: 'ot',
              annotations: [{ type: 'url_citation', url: 'https://e.org', title: 'tt', start_index: 0, end_index: 1 }],
            },
            { type: 'refusal', refusal: 'rf' },
          ],
        },
        { role: 'developer', content: 'dev' },
        { role: 'user', content: 'end' },
      ],
      text: {
        format: {
          type: 'json_schema',
          name: 'nn',
          description: 'dd',
          schema: { type: 'object', properties: { a: { type: 'string', description: 'ss' } } },
        },
      },
      tools: [
        {
          type: 'function',
          name: 'f',
          description: 'fd',
          parameters: { type: 'object', properties: { a: { type: 'string', description: 'ad' } } },
        },
      ],
    },
  },
  messages: {
    path: '/v1/messages',
    to: 'anthropic',
    body: {
      max_tokens: 10,
      metadata: { user_id: 'u1' },
      system: [{ type: 'text', text: 'sys', cache_control: { type: 'ephemeral' } }],
      stop_sequences: ['S'],
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'hi' },
            {
              type: 'document',
              title: 'dt',
              context: 'dc',
              source: { type: 'text', media_type: 'text/plain', data: 'doc data' },
            },
            { type: 'document', source: { type: 'content', content: [{ type: 'text', text: 'dcontent' }] } },
            { type: 'search_result', source: 'https://e.org', title: 'srt', content: [{ type: 'text', text: 'srx' }] },
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PIXEL } },
          ],
        },
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'tk', signature: 'sig' },
            { type: 'redacted_thinking', data: 'rdd' },
            {
              type: 'text',
              text: 'at',
              citations: [
                {
                  type: 'char_location',
                  cited_text: 'ct',
                  document_index: 0,
                  document_title: 'cdt',
                  start_char_index: 0,
                  end_char_index: 1,
                },
              ],
            },
            { type: 'tool_use', id: 'tu_1', name: 'f', input: { a: 'b', k: ['z'] } },
          ],
        },
        {
          role: 'user',
          content: [{ type: 'tool_result', tool_use_id: 'tu_1', content: [{ type: 'text', text: 'tr' }] }],
        },
        {
          role: 'assistant',
          content: [
            { type: 'server_tool_use', id: 'st', name: 'web_search', input: { query: 'wq' } },
            {
              type: 'web_search_tool_result',
              tool_use_id: 'st',
              content: [
                {
                  type: 'web_search_result',
                  url: 'https://e.org',
                  title: 'wt',
                  encrypted_content: 'ec',
                  page_age: 'pa',
                },
              ],
            },
            { type: 'text', text: 'b' },
          ],
        },
        { role: 'user', content: 'z' },
        { role: 'assistant', content: 'prefill' },
      ],
      tools: [
        {
          name: 'f',
          description: 'fd',
          input_schema: { type: 'object', properties: { a: { type: 'string', description: 'ad' } } },
          input_examples: [{ a: 'ex' }],
        },
        {
          type: 'web_search_20250305',
          name: 'web_search',
          user_location: { type: 'approximate', city: 'ci' },
          allowed_domains: ['e.org'],
        },
      ],
      mcp_servers: [{ type: 'url', url: 'https://e.org', name: 'mn', authorization_token: 'at' }],
      container: 'cont',
      unknown_field: 'u',
    },
  },
  'ollama chat': {
    path: '/api/chat',
    to: 'ollama',
    body: {
      stream: false,
      format: { type: 'object', properties: { a: { type: 'string', description: 'ad' } } },
      options: { stop: ['S'] },
      messages: [
        { role: 'system', content: 's' },
        { role: 'user', content: 'hi', images: [PIXEL] },
        {
          role: 'assistant',
          content: 'a',
          thinking: 'tk',
          tool_calls: [{ function: { name: 'f', arguments: { a: 'b' } } }],
        },
        { role: 'tool', tool_name: 'f', content: 'tr' },
      ],
      tools: [tool],
      template: 'tmpl',
    },
  },
  'ollama generate': {
    path: '/api/generate',
    to: 'ollama',
    body: {
      stream: false,
      prompt: 'p',
      suffix: 'suf',
      system: 'sys',
      template: '{{ .Prompt }}',
      raw: false,
      format: { type: 'object', description: 'ffd' },
      options: { stop: ['x'] },
    },
  },
  gemini: {
    path: '/v1beta/models/gemini:generateContent',
    to: 'gemini',
    body: {
      systemInstruction: { parts: [{ text: 'sys' }] },
      cachedContent: 'cachedContents/x',
      labels: { a: 'b' },
      contents: [
        {
          role: 'user',
          parts: [
            { text: 'hi' },
            { inlineData: { mimeType: 'image/png', data: PIXEL, displayName: 'dn' } },
            { fileData: { mimeType: 'image/png', fileUri: 'https://e.org/f', displayName: 'fdn' } },
          ],
        },
        {
          role: 'model',
          parts: [
            { text: 'th', thought: true, thoughtSignature: 'c2ln' },
            { functionCall: { name: 'f', args: { a: 'b' } } },
            { executableCode: { language: 'PYTHON', code: 'ex' } },
            { codeExecutionResult: { outcome: 'OUTCOME_OK', output: 'ceo' } },
          ],
        },
        { role: 'user', parts: [{ functionResponse: { name: 'f', response: { r: 's' } } }] },
      ],
      tools: [
        {
          functionDeclarations: [
            {
              name: 'f',
              description: 'fd',
              parameters: { type: 'OBJECT', properties: { a: { type: 'STRING', description: 'pd' } } },
              response: { type: 'OBJECT', description: 'rsp' },
            },
          ],
        },
        { retrieval: { vertexAiSearch: { datastore: 'ds', filter: 'fl' } } },
      ],
      toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['f'] } },
      generationConfig: {
        stopSequences: ['S'],
        responseMimeType: 'application/json',
        responseSchema: { type: 'OBJECT', description: 'rsd' },
        speechConfig: { voiceConfig: { prebuiltVoiceConfig: { voiceName: 'Kore' } } },
      },
      safetySettings: [],
    },
  },
  completions: { path: '/v1/completions', to: 'openai', body: { prompt: 'p', suffix: 'suf', user: 'u', stop: 'S' } },
  embeddings: { path: '/v1/embeddings', to: 'openai', body: { input: ['a', 'b'], user: 'u' } },
  rerank: { path: '/v1/rerank', to: 'cohere', body: { query: 'q', documents: ['d1', { text: 'd2', title: 'tt' }] } },
  moderations: { path: '/v1/moderations', to: 'openai', body: { input: [{ type: 'text', text: 'x' }] } },
  images: { path: '/v1/images/generations', to: 'openai', body: { prompt: 'p', user: 'u', negative_prompt: 'np' } },
  speech: { path: '/v1/audio/speech', to: 'openai', body: { input: 'p', voice: 'alloy', instructions: 'ins' } },
}

const odds = {
  content: [{ token: 'tok', logprob: -0.1, bytes: [116], top_logprobs: [{ token: 'alt', logprob: -1, bytes: null }] }],
  refusal: null,
}
const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 }

export const ANSWERS: Readonly<Record<string, Json>> = {
  openai: {
    id: 'c',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    system_fingerprint: 'fp',
    service_tier: 'default',
    extra_top: 'et',
    choices: [0, 1].map((index) => ({
      index,
      logprobs: odds,
      finish_reason: 'stop',
      matched_stop: 'ms',
      message: {
        role: 'assistant',
        content: 'fine',
        refusal: 'rf',
        reasoning_content: 'rc',
        annotations: [
          { type: 'url_citation', url_citation: { url: 'https://e.org/x', title: 'ti', start_index: 0, end_index: 1 } },
        ],
        tool_calls: [{ id: 'c1', type: 'function', function: { name: 'f', arguments: '{"a":"b"}' } }],
        extra_msg: 'em',
        audio: { id: 'a', data: 'AA', transcript: 'tr', expires_at: 1 },
      },
    })),
    usage,
    citations: ['https://e.org/c'],
    search_results: [{ title: 'st', url: 'https://e.org' }],
  },
  anthropic: {
    id: 'm',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content: [
      { type: 'thinking', thinking: 'tk', signature: 'sg' },
      { type: 'redacted_thinking', data: 'rd' },
      {
        type: 'text',
        text: 'fine',
        citations: [
          {
            type: 'char_location',
            cited_text: 'ct',
            document_index: 0,
            document_title: 'dt',
            start_char_index: 0,
            end_char_index: 1,
          },
          {
            type: 'web_search_result_location',
            url: 'https://e.org',
            title: 'wt',
            encrypted_index: 'ei',
            cited_text: 'wct',
          },
        ],
      },
      { type: 'server_tool_use', id: 's', name: 'web_search', input: { query: 'q' } },
      {
        type: 'web_search_tool_result',
        tool_use_id: 's',
        content: [
          { type: 'web_search_result', url: 'https://e.org', title: 'wst', encrypted_content: 'ec', page_age: 'pa' },
        ],
      },
      {
        type: 'code_execution_tool_result',
        tool_use_id: 's',
        content: { type: 'code_execution_result', stdout: 'so', stderr: 'se', return_code: 0, content: [] },
      },
      { type: 'mcp_tool_result', tool_use_id: 's', is_error: false, content: [{ type: 'text', text: 'mt' }] },
      { type: 'tool_use', id: 't', name: 'f', input: { a: 'b' } },
    ],
    stop_reason: 'tool_use',
    stop_sequence: null,
    usage: { input_tokens: 1, output_tokens: 1 },
    container: { id: 'c', expires_at: 'x' },
    extra: 'xt',
  },
  ollama: {
    model: 'm',
    created_at: '2026-01-01T00:00:00Z',
    message: {
      role: 'assistant',
      content: 'fine',
      thinking: 'tk',
      tool_calls: [{ function: { name: 'f', arguments: { a: 'b' } } }],
      tool_name: 'tn',
    },
    logprobs: [{ token: 'tok', logprob: -1, bytes: [1], top_logprobs: [{ token: 'alt', logprob: -2, bytes: [1] }] }],
    done: true,
    done_reason: 'stop',
    prompt_eval_count: 1,
    eval_count: 1,
    total_duration: 1,
    load_duration: 1,
    prompt_eval_duration: 1,
    eval_duration: 1,
    extra: 'xx',
  },
  gemini: {
    responseId: 'r',
    modelVersion: 'mv',
    candidates: [0, 1].map((index) => ({
      index,
      finishReason: 'STOP',
      finishMessage: 'fm',
      content: {
        role: 'model',
        parts: [
          { text: 'th', thought: true },
          { text: 'fine' },
          { functionCall: { name: 'f', args: { a: 'b' } } },
          { executableCode: { language: 'PYTHON', code: 'cd' } },
          { codeExecutionResult: { outcome: 'OUTCOME_OK', output: 'op' } },
          { inlineData: { mimeType: 'image/png', data: 'AAAA', displayName: 'dn' } },
        ],
      },
      citationMetadata: {
        citationSources: [{ uri: 'https://e.org', title: 'ct', startIndex: 0, endIndex: 1, license: 'li' }],
      },
      groundingMetadata: {
        webSearchQueries: ['wq'],
        groundingChunks: [{ web: { uri: 'https://e.org', title: 'gt' } }],
        groundingSupports: [{ segment: { startIndex: 0, endIndex: 2, text: 'sgt' }, groundingChunkIndices: [0] }],
        searchEntryPoint: { renderedContent: 'rcn' },
      },
      logprobsResult: {
        chosenCandidates: [{ token: 'tok', logProbability: -1 }],
        topCandidates: [{ candidates: [{ token: 'alt', logProbability: -2 }] }],
      },
      urlContextMetadata: { urlMetadata: [{ retrievedUrl: 'https://e.org/r' }] },
    })),
    usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 1, totalTokenCount: 2 },
    promptFeedback: { blockReasonMessage: 'brm' },
  },
}
