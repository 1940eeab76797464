/** The clients of all callers' dialects, each asked for the same few things. */
import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import { Ollama } from 'ollama'
import OpenAI from 'openai'

export interface Heard {
  text: string
  calls: { name: string; args: unknown }[]
  /** Pieces with text. */
  pieces: number
  /** Tokens, as the client is told. */
  input: number | undefined
  output: number | undefined
  /** The client was told that the answer is whole. */
  whole: boolean
}

export interface Caller {
  whole(model: string, tools?: boolean): Promise<Heard>
  stream(model: string, tools?: boolean): Promise<Heard>
  /** Reads a few pieces of a stream without an end, then leaves. */
  leave(model: string): Promise<void>
}

export const QUESTION = 'Hello, what is the weather?'
const PIECES = 3
const parameters = (argument: string) => ({
  type: 'object' as const,
  required: [argument],
  properties: { [argument]: { type: 'string' } },
})
const TOOLS = [
  { name: 'get_weather', description: 'get_weather', parameters: parameters('city') },
  { name: 'get_time', description: 'get_time', parameters: parameters('tz') },
]
const nothing = (): Heard => ({ text: '', calls: [], pieces: 0, input: undefined, output: undefined, whole: false })
const hear = (heard: Heard, text: string | null | undefined): void => {
  if (!text) return
  heard.text += text
  heard.pieces++
}

function openaiChat(client: OpenAI): Caller {
  const ask = (model: string, tools: boolean) => ({
    model,
    messages: [{ role: 'user' as const, content: QUESTION }],
    ...(tools ? { tools: TOOLS.map((one) => ({ type: 'function' as const, function: one })) } : {}),
  })
  const told = (reply: OpenAI.ChatCompletion, pieces: number): Heard => {
    const [choice] = reply.choices
    return {
      text: choice?.message.content ?? '',
      calls: (choice?.message.tool_calls ?? []).flatMap((call) =>
        call.type === 'function' ? [{ name: call.function.name, args: JSON.parse(call.function.arguments) }] : [],
      ),
      pieces,
      input: reply.usage?.prompt_tokens,
      output: reply.usage?.completion_tokens,
      whole: ['stop', 'length', 'tool_calls'].includes(choice?.finish_reason ?? ''),
    }
  }
  return {
    whole: async (model, tools = false) => told(await client.chat.completions.create(ask(model, tools)), 1),
    async stream(model, tools = false) {
      let pieces = 0
      const asked = { ...ask(model, tools), stream_options: { include_usage: true } }
      const stream = client.chat.completions.stream(asked).on('content', () => pieces++)
      return told(await stream.finalChatCompletion(), pieces)
    },
    async leave(model) {
      let pieces = 0
      const stream = await client.chat.completions.create({ ...ask(model, false), stream: true, max_tokens: 20_000 })
      for await (const chunk of stream) if (chunk.choices[0]?.delta.content && ++pieces === PIECES) return
    },
  }
}

function openaiResponses(client: OpenAI): Caller {
  const ask = (model: string, tools: boolean) => ({
    model,
    input: QUESTION,
    ...(tools ? { tools: TOOLS.map((one) => ({ type: 'function' as const, strict: false, ...one })) } : {}),
  })
  const told = (reply: OpenAI.Responses.Response, pieces: number): Heard => ({
    text: reply.output_text,
    calls: reply.output.flatMap((item) =>
      item.type === 'function_call' ? [{ name: item.name, args: JSON.parse(item.arguments) }] : [],
    ),
    pieces,
    input: reply.usage?.input_tokens,
    output: reply.usage?.output_tokens,
    whole: ['completed', 'incomplete'].includes(reply.status ?? ''),
  })
  return {
    whole: async (model, tools = false) => told(await client.responses.create(ask(model, tools)), 1),
    // Event by event: Ollama 0.17.4 gives two calls one place in the output, which the SDK's own sum does not take.
    async stream(model, tools = false) {
      const heard = nothing()
      for await (const event of await client.responses.create({ ...ask(model, tools), stream: true })) {
        if (event.type === 'response.output_text.delta') hear(heard, event.delta)
        if (event.type === 'response.output_item.done' && event.item.type === 'function_call')
          heard.calls.push({ name: event.item.name, args: JSON.parse(event.item.arguments) })
        if (event.type === 'response.completed' || event.type === 'response.incomplete') {
          const { input, output, whole } = told(event.response, heard.pieces)
          Object.assign(heard, { input, output, whole })
        }
      }
      return heard
    },
    async leave(model) {
      let pieces = 0
      const stream = await client.responses.create({ ...ask(model, false), stream: true, max_output_tokens: 20_000 })
      for await (const event of stream)
        if (event.type === 'response.output_text.delta' && ++pieces === PIECES) return stream.controller.abort()
    },
  }
}

function anthropic(client: Anthropic): Caller {
  const ask = (model: string, tools: boolean, max_tokens = 500) => ({
    model,
    max_tokens,
    messages: [{ role: 'user' as const, content: QUESTION }],
    ...(tools ? { tools: TOOLS.map(({ parameters: input_schema, ...one }) => ({ ...one, input_schema })) } : {}),
  })
  const told = ({ content, usage, stop_reason }: Anthropic.Message, pieces: number): Heard => ({
    text: content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
    calls: content.flatMap((block) => (block.type === 'tool_use' ? [{ name: block.name, args: block.input }] : [])),
    pieces,
    input: usage.input_tokens,
    output: usage.output_tokens,
    whole: ['end_turn', 'max_tokens', 'tool_use'].includes(stop_reason ?? ''),
  })
  return {
    whole: async (model, tools = false) => told(await client.messages.create(ask(model, tools)), 1),
    async stream(model, tools = false) {
      let pieces = 0
      const stream = client.messages.stream(ask(model, tools)).on('text', () => pieces++)
      return told(await stream.finalMessage(), pieces)
    },
    async leave(model) {
      let pieces = 0
      const stream = await client.messages.create({ ...ask(model, false, 20_000), stream: true })
      for await (const event of stream)
        if (event.type === 'content_block_delta' && ++pieces === PIECES) return stream.controller.abort()
    },
  }
}

function ollama(client: Ollama): Caller {
  const ask = (model: string, tools: boolean) => ({
    model,
    messages: [{ role: 'user', content: QUESTION }],
    ...(tools ? { tools: TOOLS.map((one) => ({ type: 'function', function: one })) as never } : {}),
  })
  const read = (heard: Heard, part: Awaited<ReturnType<typeof client.chat>>): void => {
    hear(heard, part.message.content)
    for (const { function: said } of part.message.tool_calls ?? [])
      heard.calls.push({ name: said.name, args: said.arguments })
    if (part.done) Object.assign(heard, { whole: true, input: part.prompt_eval_count, output: part.eval_count })
  }
  return {
    async whole(model, tools = false) {
      const heard = nothing()
      read(heard, await client.chat(ask(model, tools)))
      return heard
    },
    async stream(model, tools = false) {
      const heard = nothing()
      for await (const part of await client.chat({ ...ask(model, tools), stream: true })) read(heard, part)
      return heard
    },
    async leave(model) {
      let pieces = 0
      const options = { num_predict: 20_000 }
      const stream = await client.chat({ ...ask(model, false), stream: true, options })
      for await (const part of stream) if (part.message.content && ++pieces === PIECES) return stream.abort()
    },
  }
}

function gemini(client: GoogleGenAI): Caller {
  const ask = (model: string, tools: boolean) => ({
    model,
    contents: QUESTION,
    config: tools
      ? {
          tools: [
            {
              functionDeclarations: TOOLS.map(({ parameters: parametersJsonSchema, ...one }) => ({
                ...one,
                parametersJsonSchema,
              })),
            },
          ],
        }
      : {},
  })
  const read = (heard: Heard, part: Awaited<ReturnType<typeof client.models.generateContent>>): void => {
    const parts = part.candidates?.[0]?.content?.parts ?? []
    hear(heard, parts.map(({ text = '' }) => text).join(''))
    for (const { name = '', args } of part.functionCalls ?? []) heard.calls.push({ name, args })
    if (part.candidates?.[0]?.finishReason) heard.whole = true
    const { promptTokenCount: input, candidatesTokenCount: output } = part.usageMetadata ?? {}
    if (input !== undefined) Object.assign(heard, { input, output })
  }
  return {
    async whole(model, tools = false) {
      const heard = nothing()
      read(heard, await client.models.generateContent(ask(model, tools)))
      return heard
    },
    async stream(model, tools = false) {
      const heard = nothing()
      for await (const part of await client.models.generateContentStream(ask(model, tools))) read(heard, part)
      return heard
    },
    async leave(model) {
      let pieces = 0
      const abort = new AbortController()
      const config = { abortSignal: abort.signal, maxOutputTokens: 20_000 }
      const stream = await client.models.generateContentStream({ ...ask(model, false), config })
      for await (const part of stream) if (part.text && ++pieces === PIECES) break
      abort.abort()
    },
  }
}

/** @param url of the gateway */
export function callers(url: string, key: string): Record<string, Caller> {
  const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0 })
  return {
    'openai-chat': openaiChat(openai),
    'openai-responses': openaiResponses(openai),
    anthropic: anthropic(new Anthropic({ baseURL: url, apiKey: key, maxRetries: 0 })),
    ollama: ollama(new Ollama({ host: url, headers: { authorization: `Bearer ${key}` } })),
    gemini: gemini(new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: url } })),
  }
}
