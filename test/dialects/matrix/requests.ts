/** Requests as the public reference of each dialect shows them, one for each feature that the dialect can say. */
import type { Json } from '../../../src/dialects/canonical.ts'
import { type Feature, type Id, PNG, SCHEMA } from './said.ts'

const CITY = { type: 'object', properties: { city: { type: 'string' } } }
const ZONE = { type: 'object', properties: { zone: { type: 'string' } } }
const TOOLS = [
  { name: 'get_weather', description: 'Weather of a city', parameters: CITY },
  { name: 'get_time', description: 'Time of a zone', parameters: ZONE },
]
const WEATHER = { name: 'get_weather', arguments: '{"city":"Paris"}' }
const TIME = { name: 'get_time', arguments: '{"zone":"UTC"}' }
const ASK = 'What is the weather in Paris?'

const functions = (count: number): Json[] => TOOLS.slice(0, count).map((one) => ({ type: 'function', function: one }))
const user = (content: unknown): Json => ({ role: 'user', content })

const openaiChat: Partial<Record<Feature, Json>> = {
  text: { messages: [{ role: 'system', content: 'Be brief.' }, user('Hello')], max_tokens: 50, temperature: 0.5 },
  tools: { messages: [user(ASK)], tools: functions(1), tool_choice: 'auto' },
  'parallel tools': { messages: [user(ASK)], tools: functions(2), parallel_tool_calls: true },
  'tool result': {
    messages: [
      user(ASK),
      {
        role: 'assistant',
        content: null,
        tool_calls: [
          { id: 'call_1', type: 'function', function: WEATHER },
          { id: 'call_2', type: 'function', function: TIME },
        ],
      },
      { role: 'tool', tool_call_id: 'call_1', content: '18 degrees' },
      { role: 'tool', tool_call_id: 'call_2', content: 'noon' },
    ],
  },
  image: {
    messages: [
      user([
        { type: 'text', text: 'What is this?' },
        { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } },
      ]),
    ],
  },
  thinking: { messages: [user('2+2?')], reasoning_effort: 'low' },
  'structured output': {
    messages: [user('Which city?')],
    response_format: { type: 'json_schema', json_schema: { name: 'city', strict: true, schema: SCHEMA } },
  },
}

const openaiResponses: Partial<Record<Feature, Json>> = {
  text: { instructions: 'Be brief.', input: 'Hello', max_output_tokens: 50, temperature: 0.5 },
  tools: { input: ASK, tools: TOOLS.slice(0, 1).map((one) => ({ type: 'function', ...one })), tool_choice: 'auto' },
  'parallel tools': {
    input: ASK,
    tools: TOOLS.map((one) => ({ type: 'function', ...one, strict: false })),
    parallel_tool_calls: true,
  },
  'tool result': {
    input: [
      user(ASK),
      { type: 'function_call', id: 'fc_1', call_id: 'call_1', status: 'completed', ...WEATHER },
      { type: 'function_call', id: 'fc_2', call_id: 'call_2', status: 'completed', ...TIME },
      { type: 'function_call_output', call_id: 'call_1', output: '18 degrees' },
      { type: 'function_call_output', call_id: 'call_2', output: 'noon' },
    ],
  },
  image: {
    input: [
      user([
        { type: 'input_text', text: 'What is this?' },
        { type: 'input_image', image_url: `data:image/png;base64,${PNG}`, detail: 'auto' },
      ]),
    ],
  },
  thinking: { input: '2+2?', reasoning: { effort: 'low', summary: 'auto' }, include: ['reasoning.encrypted_content'] },
  'structured output': {
    input: 'Which city?',
    text: { format: { type: 'json_schema', name: 'city', schema: SCHEMA, strict: true } },
  },
}

const anthropicTools = (count: number): Json[] =>
  TOOLS.slice(0, count).map(({ parameters, ...one }) => ({ ...one, input_schema: parameters }))
const limited = (body: Json): Json => ({ max_tokens: 50, ...body })

const anthropic: Partial<Record<Feature, Json>> = {
  text: limited({ system: 'Be brief.', messages: [user('Hello')], temperature: 0.5 }),
  tools: limited({ messages: [user(ASK)], tools: anthropicTools(1), tool_choice: { type: 'auto' } }),
  'parallel tools': limited({ messages: [user(ASK)], tools: anthropicTools(2) }),
  'tool result': limited({
    messages: [
      user(ASK),
      {
        role: 'assistant',
        content: [
          { type: 'tool_use', id: 'toolu_1', name: 'get_weather', input: { city: 'Paris' } },
          { type: 'tool_use', id: 'toolu_2', name: 'get_time', input: { zone: 'UTC' } },
        ],
      },
      user([
        { type: 'tool_result', tool_use_id: 'toolu_1', content: '18 degrees' },
        { type: 'tool_result', tool_use_id: 'toolu_2', content: [{ type: 'text', text: 'noon' }] },
      ]),
    ],
  }),
  image: limited({
    messages: [
      user([
        { type: 'text', text: 'What is this?' },
        { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } },
      ]),
    ],
  }),
  thinking: limited({ messages: [user('2+2?')], max_tokens: 4096, thinking: { type: 'enabled', budget_tokens: 1024 } }),
  'structured output': limited({
    messages: [user('Which city?')],
    output_config: { format: { type: 'json_schema', schema: SCHEMA } },
  }),
}

const ollamaChat: Partial<Record<Feature, Json>> = {
  text: {
    messages: [{ role: 'system', content: 'Be brief.' }, user('Hello')],
    options: { num_predict: 50, temperature: 0.5 },
  },
  tools: { messages: [user(ASK)], tools: functions(1) },
  'parallel tools': { messages: [user(ASK)], tools: functions(2) },
  'tool result': {
    messages: [
      user(ASK),
      {
        role: 'assistant',
        content: '',
        tool_calls: [
          { function: { name: 'get_weather', arguments: { city: 'Paris' } } },
          { function: { name: 'get_time', arguments: { zone: 'UTC' } } },
        ],
      },
      { role: 'tool', tool_name: 'get_weather', content: '18 degrees' },
      { role: 'tool', tool_name: 'get_time', content: 'noon' },
    ],
  },
  image: { messages: [{ ...user('What is this?'), images: [PNG] }] },
  thinking: { messages: [user('2+2?')], think: true },
  'structured output': { messages: [user('Which city?')], format: SCHEMA },
}

const geminiUser = (...parts: Json[]): Json => ({ role: 'user', parts })
const declared = (count: number): Json[] => [
  {
    functionDeclarations: TOOLS.slice(0, count).map(({ parameters, ...one }) => ({
      ...one,
      // Google's own schemas have their types in capitals.
      parameters: JSON.parse(
        JSON.stringify(parameters).replace(/"(object|string)"/g, (_, t) => `"${t.toUpperCase()}"`),
      ),
    })),
  },
]

const gemini: Partial<Record<Feature, Json>> = {
  text: {
    // As Google's examples for curl spell it.
    system_instruction: { parts: [{ text: 'Be brief.' }] },
    contents: [geminiUser({ text: 'Hello' })],
    generationConfig: { maxOutputTokens: 50, temperature: 0.5 },
  },
  tools: {
    contents: [geminiUser({ text: ASK })],
    tools: declared(1),
    toolConfig: { functionCallingConfig: { mode: 'AUTO' } },
  },
  'parallel tools': { contents: [geminiUser({ text: ASK })], tools: declared(2) },
  'tool result': {
    contents: [
      geminiUser({ text: ASK }),
      {
        role: 'model',
        parts: [
          { functionCall: { name: 'get_weather', args: { city: 'Paris' } }, thoughtSignature: 'c2lnbmVk' },
          { functionCall: { name: 'get_time', args: { zone: 'UTC' } } },
        ],
      },
      geminiUser(
        { functionResponse: { name: 'get_weather', response: { output: '18 degrees' } } },
        { functionResponse: { name: 'get_time', response: { output: 'noon' } } },
      ),
    ],
  },
  image: {
    contents: [geminiUser({ text: 'What is this?' }, { inline_data: { mime_type: 'image/png', data: PNG } })],
  },
  thinking: {
    contents: [geminiUser({ text: '2+2?' })],
    generationConfig: { thinkingConfig: { includeThoughts: true, thinkingBudget: 1024 } },
  },
  'structured output': {
    contents: [geminiUser({ text: 'Which city?' })],
    generationConfig: { responseMimeType: 'application/json', responseJsonSchema: SCHEMA },
  },
}

/** What a dialect that only continues texts can say at all. */
const openaiCompletions: Partial<Record<Feature, Json>> = {
  text: { prompt: 'Hello', max_tokens: 50, temperature: 0.5 },
}
const ollamaGenerate: Partial<Record<Feature, Json>> = {
  text: { system: 'Be brief.', prompt: 'Hello', options: { num_predict: 50, temperature: 0.5 } },
  image: { prompt: 'What is this?', images: [PNG] },
  thinking: { prompt: '2+2?', think: true },
  'structured output': { prompt: 'Which city?', format: SCHEMA },
}

export const REQUESTS: Record<Id, Partial<Record<Feature, Json>>> = {
  'openai-chat': openaiChat,
  'openai-completions': openaiCompletions,
  'openai-responses': openaiResponses,
  anthropic,
  'ollama-chat': ollamaChat,
  'ollama-generate': ollamaGenerate,
  gemini,
}
