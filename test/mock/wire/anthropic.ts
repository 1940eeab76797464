/** Anthropic's messages. https://docs.anthropic.com/en/api/messages-streaming */
import { type Answer, textOf } from '../answer.ts'
import type { Frame, Reported } from './speaker.ts'
import {
  BadRequest,
  type Fault,
  fromTurns,
  type Json,
  json,
  limit,
  model,
  type Speaker,
  textIn,
  turns,
} from './speaker.ts'

const STOP = { stop: 'end_turn', length: 'max_tokens', tool: 'tool_use' } as const

const TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  504: 'timeout_error',
  529: 'overloaded_error',
}

function error(status: number, fault: Fault): Json {
  const type = fault.type ?? TYPES[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error')
  return { type: 'error', error: { type, message: fault.message }, request_id: 'req_mock' }
}

function usageOf(usage: Reported): Json {
  const written = usage.cacheWrite + usage.cacheWriteHour
  return {
    input_tokens: usage.prompt - usage.cacheRead - written,
    cache_creation_input_tokens: written,
    cache_read_input_tokens: usage.cacheRead,
    output_tokens: usage.completion,
    ...(usage.cacheWriteHour > 0
      ? {
          cache_creation: {
            ephemeral_5m_input_tokens: usage.cacheWrite,
            ephemeral_1h_input_tokens: usage.cacheWriteHour,
          },
        }
      : {}),
    ...(usage.searches > 0 ? { server_tool_use: { web_search_requests: usage.searches } } : {}),
    ...(usage.service === undefined ? {} : { service_tier: usage.service }),
  }
}

/** The blocks of an answer: thinking, text, calls. */
function blocks(answer: Answer): Json[] {
  const out: Json[] = []
  if (answer.thinking.length > 0) {
    out.push({ type: 'thinking', thinking: answer.thinking.join(''), signature: `sig-${answer.id}` })
  }
  if (answer.pieces.length > 0) out.push({ type: 'text', text: textOf(answer) })
  for (const call of answer.calls) {
    out.push({ type: 'tool_use', id: `toolu_${call.id}`, name: call.name, input: call.args })
  }
  return out
}

export const messages: Speaker = {
  framing: 'sse',
  error,
  inBand: (fault) => ({ event: 'error', data: json(error(529, { type: 'overloaded_error', ...fault })) }),
  ask(body) {
    const all = fromTurns(turns(body.messages), textIn(body.system))
    if (body.max_tokens === undefined) throw new BadRequest('max_tokens: Field required')
    const offered = Array.isArray(body.tools) ? (body.tools as Json[]) : []
    const choice = body.tool_choice as Json | undefined
    const named = choice?.type === 'tool' ? offered.filter((tool) => tool.name === choice.name) : offered
    const schema = ((body.output_config as Json | undefined)?.format as Json | undefined)?.schema
    return {
      ...all,
      ...limit(body.max_tokens, 'max_tokens'),
      model: model(body),
      stream: body.stream === true,
      includeUsage: true,
      tools: (choice?.disable_parallel_tool_use === true ? named.slice(0, 1) : named).map((tool) => ({
        name: String(tool.name),
        schema: tool.input_schema,
      })),
      textOnly: all.textOnly || choice?.type === 'none',
      ...(schema === undefined ? {} : { schema }),
      n: 1,
      think: ['enabled', 'adaptive'].includes(String((body.thinking as Json | undefined)?.type)),
    }
  },
  *frames(answer, _asked, usage, behaviour) {
    const say = (type: string, more: Json = {}, tokens = 0): Frame => ({
      event: type,
      data: json({ type, ...more }),
      ...(tokens > 0 ? { tokens } : {}),
    })
    const message = {
      id: `msg_${answer.id}`,
      type: 'message',
      role: 'assistant',
      model: answer.model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      ...(usage ? { usage: { ...usageOf(usage), output_tokens: Math.min(1, usage.completion) } } : {}),
    }
    yield say('message_start', { message })
    let index = 0
    const delta = (value: Json, tokens = 0) => say('content_block_delta', { index, delta: value }, tokens)
    if (answer.thinking.length > 0) {
      yield say('content_block_start', { index, content_block: { type: 'thinking', thinking: '', signature: '' } })
      for (const thinking of answer.thinking) yield delta({ type: 'thinking_delta', thinking }, 1)
      yield delta({ type: 'signature_delta', signature: `sig-${answer.id}` })
      yield say('content_block_stop', { index: index++ })
    }
    if (answer.pieces.length > 0) {
      yield say('content_block_start', { index, content_block: { type: 'text', text: '' } })
      yield say('ping')
      for (const piece of answer.pieces) {
        yield delta({ type: 'text_delta', text: answer.padTo > 0 ? piece.padEnd(answer.padTo, 'x') : piece }, 1)
      }
      yield say('content_block_stop', { index: index++ })
    }
    for (const call of answer.calls) {
      const block = { type: 'tool_use', id: `toolu_${call.id}`, name: call.name, input: {} }
      yield say('content_block_start', { index, content_block: block }, 2)
      const args = json(call.args)
      const middle = Math.ceil(args.length / 2)
      for (const part of [args.slice(0, middle), args.slice(middle)]) {
        yield delta({ type: 'input_json_delta', partial_json: part }, 3)
      }
      yield say('content_block_stop', { index: index++ })
    }
    if (behaviour.noFinish !== true) {
      yield say('message_delta', {
        delta: { stop_reason: STOP[answer.finish], stop_sequence: null },
        ...(usage ? { usage: usageOf(usage) } : {}),
      })
    }
    if (behaviour.noDone !== true) yield say('message_stop')
  },
  whole(answer, _asked, usage, behaviour) {
    return {
      id: `msg_${answer.id}`,
      type: 'message',
      role: 'assistant',
      model: answer.model,
      content: blocks(answer),
      stop_reason: behaviour.noFinish === true ? null : STOP[answer.finish],
      stop_sequence: null,
      ...(usage ? { usage: usageOf(usage) } : {}),
    }
  },
}
