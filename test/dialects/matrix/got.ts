/** What a server of each dialect understands of a request, read as its documentation says and not as the code under test does. */
import type { Json } from '../../../src/dialects/canonical.ts'
import type { TargetId } from './said.ts'

export interface Got {
  system: string
  /** What users and the model said, in order. */
  text: string
  maxTokens: unknown
  temperature: unknown
  tools: { name: unknown; description: unknown; parameters: unknown }[]
  calls: { name: unknown; args: unknown }[]
  /** Results of tools: whose each is, and what it says. */
  results: { of: unknown; text: string }[]
  /** In base64. */
  images: unknown[]
  thinks: boolean
  schema: unknown
}

const list = (value: unknown): Json[] => (Array.isArray(value) ? (value as Json[]) : [])
const object = (value: unknown): Json => (value ?? {}) as Json
const string = (value: unknown): string => (typeof value === 'string' ? value : '')
const nothing = (): Got => ({
  system: '',
  text: '',
  maxTokens: undefined,
  temperature: undefined,
  tools: [],
  calls: [],
  results: [],
  images: [],
  thinks: false,
  schema: undefined,
})
const say = (got: Got, role: unknown, text: string): void => {
  const isSystem = role === 'system' || role === 'developer'
  if (isSystem) got.system += text
  else if (text !== '') got.text += `${got.text === '' ? '' : ' '}${text}`
}
const base64Of = (url: unknown): string => string(url).replace('data:image/png;base64,', '')
const isUsed = (effort: unknown): boolean => typeof effort === 'string' && effort !== 'none'
const defined = ({ name, description, parameters }: Json): Got['tools'][number] => ({ name, description, parameters })

/** Ids of calls → their names: a result belongs to the call whose id it names. */
class Ids {
  private readonly names = new Map<unknown, unknown>()
  call(id: unknown, name: unknown): void {
    if (typeof id !== 'string' || id === '') throw new Error('A call has no id.')
    if (this.names.has(id)) throw new Error('Two calls have one id.')
    this.names.set(id, name)
  }
  of(id: unknown): unknown {
    if (!this.names.has(id)) throw new Error('A result belongs to no call.')
    return this.names.get(id)
  }
}

/** OpenAI's messages, and Cohere's, which differ in little. */
function readTurns(got: Got, messages: unknown): void {
  const ids = new Ids()
  for (const { role, content, tool_calls: calls, tool_call_id: id } of list(messages)) {
    const parts = typeof content === 'string' ? [{ type: 'text', text: content } as Json] : list(content)
    const text = parts.map((part) => string(part.text)).join('')
    if (role === 'tool') {
      got.results.push({ of: ids.of(id), text })
      continue
    }
    say(got, role, text)
    for (const part of parts) if (part.type === 'image_url') got.images.push(base64Of(object(part.image_url).url))
    for (const call of list(calls)) {
      const { name, arguments: args } = object(call.function)
      ids.call(call.id, name)
      got.calls.push({ name, args: JSON.parse(string(args)) })
    }
  }
}

function openaiChat(body: Json): Got {
  const got = nothing()
  readTurns(got, body.messages)
  const format = object(body.response_format)
  return {
    ...got,
    maxTokens: body.max_completion_tokens ?? body.max_tokens,
    temperature: body.temperature,
    tools: list(body.tools).map((tool) => defined(object(tool.function))),
    thinks: isUsed(body.reasoning_effort),
    schema: format.type === 'json_schema' ? object(format.json_schema).schema : undefined,
  }
}

const openaiCompletions = (body: Json): Got => ({
  ...nothing(),
  text: string(body.prompt),
  maxTokens: body.max_tokens,
  temperature: body.temperature,
})

function openaiResponses(body: Json): Got {
  const got = { ...nothing(), system: string(body.instructions) }
  const ids = new Ids()
  for (const item of typeof body.input === 'string' ? [{ role: 'user', content: body.input }] : list(body.input)) {
    if (item.type === 'function_call') {
      ids.call(item.call_id, item.name)
      got.calls.push({ name: item.name, args: JSON.parse(string(item.arguments)) })
    } else if (item.type === 'function_call_output') {
      const { output } = item
      const text = list(output).map((part) => string(part.text))
      got.results.push({ of: ids.of(item.call_id), text: string(output) || text.join('') })
    } else {
      const parts = typeof item.content === 'string' ? [{ text: item.content }] : list(item.content)
      say(got, item.role, parts.map((part) => string(part.text)).join(''))
      for (const part of parts as Json[]) if (part.type === 'input_image') got.images.push(base64Of(part.image_url))
    }
  }
  const format = object(object(body.text).format)
  return {
    ...got,
    maxTokens: body.max_output_tokens,
    temperature: body.temperature,
    tools: list(body.tools).map(defined),
    thinks: isUsed(object(body.reasoning).effort),
    schema: format.type === 'json_schema' ? format.schema : undefined,
  }
}

function anthropic(body: Json): Got {
  const got = nothing()
  got.system =
    typeof body.system === 'string'
      ? body.system
      : list(body.system)
          .map(({ text }) => text)
          .join('')
  const ids = new Ids()
  for (const { role, content } of list(body.messages)) {
    for (const block of typeof content === 'string' ? [{ type: 'text', text: content } as Json] : list(content)) {
      if (block.type === 'text') say(got, role, string(block.text))
      if (block.type === 'image') got.images.push(object(block.source).data)
      if (block.type === 'tool_use') {
        ids.call(block.id, block.name)
        got.calls.push({ name: block.name, args: block.input })
      }
      if (block.type === 'tool_result') {
        const text = typeof block.content === 'string' ? block.content : string(list(block.content)[0]?.text)
        got.results.push({ of: ids.of(block.tool_use_id), text })
      }
    }
  }
  return {
    ...got,
    maxTokens: body.max_tokens,
    temperature: body.temperature,
    tools: list(body.tools).map(({ input_schema: parameters, ...one }) => defined({ ...one, parameters })),
    thinks: ['enabled', 'adaptive'].includes(string(object(body.thinking).type)),
    schema: object(object(body.output_config).format).schema,
  }
}

const ollamaLimits = (body: Json) => {
  const { num_predict: maxTokens, temperature } = object(body.options)
  return { maxTokens, temperature, thinks: body.think === true || isUsed(body.think), schema: body.format }
}

function ollamaChat(body: Json): Got {
  const got = nothing()
  for (const message of list(body.messages)) {
    const text = string(message.content)
    if (message.role === 'tool') got.results.push({ of: message.tool_name, text })
    else say(got, message.role, text)
    got.images.push(...list(message.images))
    for (const call of list(message.tool_calls)) {
      const { name, arguments: args } = object(call.function)
      got.calls.push({ name, args })
    }
  }
  return { ...got, ...ollamaLimits(body), tools: list(body.tools).map((tool) => defined(object(tool.function))) }
}

const ollamaGenerate = (body: Json): Got => ({
  ...nothing(),
  ...ollamaLimits(body),
  system: string(body.system),
  text: string(body.prompt),
  images: list(body.images),
})

function gemini(body: Json): Got {
  const got = nothing()
  got.system = list(object(body.systemInstruction).parts)
    .map(({ text }) => string(text))
    .join('')
  for (const { role, parts } of list(body.contents)) {
    for (const part of list(parts)) {
      say(got, role, string(part.text))
      if (part.inlineData) got.images.push(object(part.inlineData).data)
      if (part.functionCall) {
        const { name, args } = object(part.functionCall)
        got.calls.push({ name, args })
      }
      if (part.functionResponse) {
        const { name: of, response } = object(part.functionResponse)
        got.results.push({ of, text: string(object(response).output ?? object(response).result) })
      }
    }
  }
  const config = object(body.generationConfig)
  const declared = list(body.tools).flatMap((tool) => list(tool.functionDeclarations))
  const thinking = object(config.thinkingConfig)
  return {
    ...got,
    maxTokens: config.maxOutputTokens,
    temperature: config.temperature,
    tools: declared.map(({ parametersJsonSchema, parameters, ...one }) =>
      defined({ ...one, parameters: parametersJsonSchema ?? lower(parameters) }),
    ),
    thinks: thinking.includeThoughts === true && thinking.thinkingBudget !== 0,
    schema: config.responseMimeType === 'application/json' ? config.responseJsonSchema : undefined,
  }
}

/** Google's own schemas have their types in capitals. */
const lower = (schema: unknown): unknown =>
  JSON.parse(JSON.stringify(schema ?? {}), (key, value) =>
    key === 'type' && typeof value === 'string' ? value.toLowerCase() : value,
  )

function cohere(body: Json): Got {
  const got = nothing()
  readTurns(got, body.messages)
  return {
    ...got,
    maxTokens: body.max_tokens,
    temperature: body.temperature,
    tools: list(body.tools).map((tool) => defined(object(tool.function))),
    thinks: object(body.thinking).type === 'enabled',
    schema: object(body.response_format).json_schema,
  }
}

function converse(body: Json): Got {
  const got = nothing()
  got.system = list(body.system)
    .map(({ text }) => text)
    .join('')
  const ids = new Ids()
  for (const { role, content } of list(body.messages)) {
    for (const block of list(content)) {
      say(got, role, string(block.text))
      if (block.image) got.images.push(object(object(block.image).source).bytes)
      if (block.toolUse) {
        const { toolUseId, name, input: args } = object(block.toolUse)
        ids.call(toolUseId, name)
        got.calls.push({ name, args })
      }
      if (block.toolResult) {
        const { toolUseId, content: said } = object(block.toolResult)
        got.results.push({ of: ids.of(toolUseId), text: string(list(said)[0]?.text) })
      }
    }
  }
  const inference = object(body.inferenceConfig)
  const thinking = object(object(body.additionalModelRequestFields).thinking)
  const form = object(object(object(body.outputConfig).textFormat).structure)
  const schema = string(object(form.jsonSchema).schema)
  return {
    ...got,
    maxTokens: inference.maxTokens,
    temperature: inference.temperature,
    tools: list(object(body.toolConfig).tools).map((tool) => {
      const { inputSchema, ...one } = object(tool.toolSpec)
      return defined({ ...one, parameters: object(inputSchema).json })
    }),
    thinks: ['enabled', 'adaptive'].includes(string(thinking.type)),
    schema: schema === '' ? undefined : JSON.parse(schema),
  }
}

export const GOT: Record<TargetId, (body: Json) => Got> = {
  'openai-chat': openaiChat,
  'openai-completions': openaiCompletions,
  'openai-responses': openaiResponses,
  anthropic,
  'ollama-chat': ollamaChat,
  'ollama-generate': ollamaGenerate,
  gemini,
  'cohere-chat': cohere,
  'sagemaker-chat': openaiChat,
  'bedrock-converse': converse,
}
