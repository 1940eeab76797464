/** What a client of each dialect sees in an answer, read as its documentation says and not as the code under test does. */
import type { Json } from '../../../src/dialects/canonical.ts'
import type { Id, Said } from './said.ts'

/** Tokens of the prompt and of the answer, in the dialect's own words for them. */
type Usage = [input: unknown, output: unknown]

export interface Seen {
  whole(body: Json): Said
  stream(written: string): Said
  /** As the answer tells it, or the last of the events that do. */
  usage(written: string | Json): Usage | undefined
  /** Whether a client notices that the stream failed. */
  failed(written: string): boolean
}

const list = (value: unknown): Json[] => (Array.isArray(value) ? (value as Json[]) : [])
const object = (value: unknown): Json => (value ?? {}) as Json
const string = (value: unknown): string => (typeof value === 'string' ? value : '')
const nothing = (): Said => ({ text: '', thinking: '', calls: [], finish: undefined })
const data = (written: string): Json[] =>
  written.split('\n').flatMap((line) => (line.startsWith('data: {') ? [JSON.parse(line.slice(6)) as Json] : []))
const jsonLines = (written: string): Json[] =>
  written.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Json]))

/** Clients give results back by these. */
function distinct(ids: readonly unknown[]): void {
  if (ids.some((id) => typeof id !== 'string' || id === '')) throw new Error('A call has no id.')
  if (new Set(ids).size !== ids.length) throw new Error('Two calls have one id.')
}

/** The last of these objects that tells usage at all. */
function usageIn(all: readonly Json[], read: (one: Json) => Usage): Usage | undefined {
  return all.map(read).findLast((one) => one.some((count) => count !== undefined))
}

const openaiUsage = (written: string | Json): Usage | undefined =>
  usageIn(typeof written === 'string' ? data(written) : [written], (one) => {
    const { prompt_tokens: input, completion_tokens: output } = object(one.usage)
    return [input, output]
  })

const openaiFinish = (reason: unknown): Said['finish'] =>
  reason === 'stop' ? 'stop' : reason === 'tool_calls' ? 'tools' : undefined

const openaiChat: Seen = {
  whole(body) {
    const [choice] = list(body.choices)
    const message = object(choice?.message)
    distinct(list(message.tool_calls).map(({ id }) => id))
    return {
      text: string(message.content),
      thinking: string(message.reasoning_content),
      calls: list(message.tool_calls).map((call) => {
        const { name, arguments: args } = object(call.function)
        return { name: string(name), args: JSON.parse(string(args)) }
      }),
      finish: openaiFinish(choice?.finish_reason),
    }
  },
  stream(written) {
    const said = nothing()
    const args: string[] = []
    const ids = new Set<unknown>()
    const callIds: unknown[] = []
    for (const chunk of data(written)) {
      if (!('error' in chunk)) ids.add(chunk.id)
      for (const choice of list(chunk.choices)) {
        const delta = object(choice.delta)
        said.text += string(delta.content)
        said.thinking += string(delta.reasoning_content)
        for (const call of list(delta.tool_calls)) {
          const index = call.index as number
          const named = object(call.function)
          callIds[index] ??= call.id
          said.calls[index] ??= { name: string(named.name), args: undefined }
          args[index] = (args[index] ?? '') + string(named.arguments)
        }
        said.finish = openaiFinish(choice.finish_reason) ?? said.finish
      }
    }
    if (ids.size > 1) throw new Error('The id changes within the stream.')
    distinct(callIds)
    if (said.finish && !written.endsWith('data: [DONE]\n\n')) throw new Error('The stream has no end.')
    for (const [index, call] of said.calls.entries()) call.args = parsed(args[index])
    return said
  },
  usage: openaiUsage,
  failed: (written) => data(written).some((chunk) => 'error' in chunk),
}

/** Arguments that were cut are not there yet. */
function parsed(args: string | undefined): unknown {
  try {
    return JSON.parse(args ?? '')
  } catch {
    return undefined
  }
}

const openaiCompletions: Seen = {
  whole(body) {
    const [choice] = list(body.choices)
    return { ...nothing(), text: string(choice?.text), finish: openaiFinish(choice?.finish_reason) }
  },
  stream(written) {
    const said = nothing()
    for (const chunk of data(written)) {
      for (const choice of list(chunk.choices)) {
        said.text += choice.text as string
        said.finish = openaiFinish(choice.finish_reason) ?? said.finish
      }
    }
    return said
  },
  usage: openaiUsage,
  failed: openaiChat.failed,
}

const openaiResponses: Seen = {
  whole(body) {
    const said = nothing()
    for (const item of list(body.output)) {
      for (const part of list(item.content)) said.text += string(part.text)
      for (const part of list(item.summary)) said.thinking += string(part.text)
      if (item.type === 'function_call')
        said.calls.push({ name: string(item.name), args: JSON.parse(string(item.arguments)) })
    }
    distinct(list(body.output).flatMap((item) => (item.type === 'function_call' ? [item.call_id] : [])))
    if (body.status === 'completed') said.finish = said.calls.length > 0 ? 'tools' : 'stop'
    return said
  },
  stream(written) {
    const said = nothing()
    const events = data(written)
    const args = new Map<unknown, string>()
    for (const [place, event] of events.entries()) {
      if (event.sequence_number !== place) throw new Error(`Event ${place} has the number ${event.sequence_number}.`)
      const delta = string(event.delta)
      if (event.type === 'response.output_text.delta') said.text += delta
      if (event.type === 'response.reasoning_summary_text.delta') said.thinking += delta
      if (event.type === 'response.function_call_arguments.delta')
        args.set(event.item_id, (args.get(event.item_id) ?? '') + delta)
      const item = object(event.item)
      if (event.type === 'response.output_item.added' && item.type === 'function_call') {
        said.calls.push({ name: string(item.name), args: item.id })
      }
    }
    for (const call of said.calls) call.args = parsed(args.get(call.args))
    const last = events.at(-1)
    if (last?.type !== 'response.completed') return said
    // The whole that the last event holds is what the pieces said.
    const whole = openaiResponses.whole(object(last.response))
    const pieces = { ...said, finish: whole.finish }
    if (JSON.stringify(whole) !== JSON.stringify(pieces)) throw new Error('The pieces are not the whole.')
    return whole
  },
  usage: (written) =>
    usageIn(typeof written === 'string' ? data(written).map(({ response }) => object(response)) : [written], (one) => {
      const { input_tokens: input, output_tokens: output } = object(one.usage)
      return [input, output]
    }),
  failed(written) {
    const types = data(written).map(({ type }) => type)
    return types.at(-2) === 'error' && types.at(-1) === 'response.failed' && !types.includes('response.completed')
  },
}

const anthropicFinish = (reason: unknown): Said['finish'] =>
  reason === 'end_turn' ? 'stop' : reason === 'tool_use' ? 'tools' : undefined

const anthropic: Seen = {
  whole(body) {
    const said = nothing()
    for (const block of list(body.content)) {
      if (block.type === 'text') said.text += string(block.text)
      if (block.type === 'thinking') said.thinking += string(block.thinking)
      if (block.type === 'tool_use') said.calls.push({ name: string(block.name), args: block.input })
    }
    distinct(list(body.content).flatMap(({ type, id }) => (type === 'tool_use' ? [id] : [])))
    said.finish = anthropicFinish(body.stop_reason)
    return said
  },
  stream(written) {
    const said = nothing()
    const args: string[] = []
    const events = data(written)
    if (events.length > 0 && events[0]?.type !== 'message_start') throw new Error('The stream has no start.')
    for (const event of events) {
      const block = object(event.content_block)
      const delta = object(event.delta)
      if (block.type === 'tool_use') said.calls.push({ name: string(block.name), args: undefined })
      said.text += string(delta.text)
      said.thinking += string(delta.thinking)
      if (delta.type === 'input_json_delta') {
        const at = said.calls.length - 1
        args[at] = (args[at] ?? '') + string(delta.partial_json)
      }
      if (event.type === 'message_delta') said.finish = anthropicFinish(delta.stop_reason)
    }
    const opened = events.map((event) => object(event.content_block))
    distinct(opened.flatMap(({ type, id }) => (type === 'tool_use' ? [id] : [])))
    for (const [index, call] of said.calls.entries()) call.args = parsed(args[index])
    return said
  },
  // A client adds what the last event tells to what the first one told.
  usage: (written) =>
    usageIn(typeof written === 'string' ? data(written) : [written], (one) => {
      const { input_tokens: input, output_tokens: output } = object(one.usage)
      return [input, output]
    }),
  failed: (written) => /event: error\ndata: \{"type":"error"/.test(written) && !written.includes('message_stop'),
}

const ollamaFinish = (line: Json, called: boolean): Said['finish'] =>
  line.done === true && line.done_reason === 'stop' ? (called ? 'tools' : 'stop') : undefined
const ollamaSaid = (line: Json, said: Said): void => {
  const message = object(line.message)
  said.text += string(message.content) + string(line.response)
  said.thinking += string(message.thinking) + string(line.thinking)
  for (const call of list(message.tool_calls)) {
    const { name, arguments: args } = object(call.function)
    said.calls.push({ name: string(name), args })
  }
  said.finish = ollamaFinish(line, said.calls.length > 0)
}

const ollama: Seen = {
  whole(body) {
    const said = nothing()
    ollamaSaid(body, said)
    return said
  },
  stream(written) {
    const said = nothing()
    for (const line of jsonLines(written)) ollamaSaid(line, said)
    return said
  },
  usage: (written) =>
    usageIn(typeof written === 'string' ? jsonLines(written) : [written], (one) => [
      one.prompt_eval_count,
      one.eval_count,
    ]),
  failed: (written) => jsonLines(written).some(({ error }) => typeof error === 'string'),
}

const geminiSaid = (chunk: Json, said: Said): void => {
  const [candidate] = list(chunk.candidates)
  for (const part of list(object(candidate?.content).parts)) {
    if (part.thought === true) said.thinking += string(part.text)
    else said.text += string(part.text)
    const call = object(part.functionCall)
    if (part.functionCall !== undefined) said.calls.push({ name: string(call.name), args: call.args })
  }
  if (candidate?.finishReason === 'STOP') said.finish = said.calls.length > 0 ? 'tools' : 'stop'
}

const gemini: Seen = {
  whole(body) {
    const said = nothing()
    geminiSaid(body, said)
    return said
  },
  stream(written) {
    const said = nothing()
    for (const chunk of data(written)) geminiSaid(chunk, said)
    return said
  },
  usage: (written) =>
    usageIn(typeof written === 'string' ? data(written) : [written], (one) => {
      const {
        promptTokenCount: input,
        candidatesTokenCount: said,
        thoughtsTokenCount: thought,
      } = object(one.usageMetadata)
      return [input, said === undefined ? undefined : Number(said) + Number(thought ?? 0)]
    }),
  failed: (written) => data(written).some((chunk) => typeof object(chunk.error).status === 'string'),
}

export const SEEN: Record<Id, Seen> = {
  'openai-chat': openaiChat,
  'openai-completions': openaiCompletions,
  'openai-responses': openaiResponses,
  anthropic,
  'ollama-chat': ollama,
  'ollama-generate': ollama,
  gemini,
}
