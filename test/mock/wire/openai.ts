/** OpenAI's chat completions, and the two older routes beside them. https://platform.openai.com/docs/api-reference */
import { type Answer, type Asked, textOf, vector } from '../answer.ts'
import type { Behaviour } from '../behaviour.ts'
import {
  BadRequest,
  type Fault,
  type Frame,
  fromTurns,
  type Json,
  json,
  limit,
  model,
  type Reported,
  type Speaker,
  turns,
} from './speaker.ts'

const FINISH = { stop: 'stop', length: 'length', tool: 'tool_calls' } as const

export function error(status: number, fault: Fault): Json {
  const type =
    fault.type ??
    (status === 401
      ? 'invalid_request_error'
      : status === 403
        ? 'permission_error'
        : status === 429
          ? 'requests'
          : status < 500
            ? 'invalid_request_error'
            : 'server_error')
  const code = fault.code ?? (status === 401 ? 'invalid_api_key' : status === 404 ? 'model_not_found' : null)
  return { error: { message: fault.message, type, param: fault.param ?? null, code } }
}

/** Stands in every chunk, and beside the usage of a whole answer. */
const tier = ({ detail }: Behaviour): Json => (detail?.service === undefined ? {} : { service_tier: detail.service })

const inBand = (fault: Fault): Frame => ({ data: json(error(500, fault)) })

function usageOf(usage: Reported): Json {
  return {
    prompt_tokens: usage.prompt,
    completion_tokens: usage.completion,
    total_tokens: usage.prompt + usage.completion,
    prompt_tokens_details: { cached_tokens: usage.cacheRead, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: usage.reasoning, audio_tokens: 0 },
  }
}

function tools(body: Json): Asked['tools'] {
  if (!Array.isArray(body.tools)) return []
  const all = body.tools.map((tool: Json) => {
    const f = (tool.function ?? {}) as Json
    if (typeof f.name !== 'string') throw new BadRequest('tools[].function.name: a string')
    return { name: f.name, schema: f.parameters }
  })
  const choice = body.tool_choice
  if (typeof choice === 'object' && choice !== null) {
    const wanted = ((choice as Json).function as Json | undefined)?.name
    return all.filter((tool) => tool.name === wanted)
  }
  return body.parallel_tool_calls === false ? all.slice(0, 1) : all
}

const streaming = (body: Json) => ({
  stream: body.stream === true,
  includeUsage: (body.stream_options as Json | null | undefined)?.include_usage === true,
  n: typeof body.n === 'number' ? body.n : 1,
})

export const chat: Speaker = {
  framing: 'sse',
  error,
  inBand,
  ask(body) {
    const all = fromTurns(turns(body.messages))
    const format = body.response_format as Json | undefined
    const schema = (format?.json_schema as Json | undefined)?.schema
    const max = body.max_completion_tokens ?? body.max_tokens
    return {
      ...all,
      ...streaming(body),
      ...limit(max, 'max_tokens'),
      model: model(body),
      tools: tools(body),
      textOnly: all.textOnly || body.tool_choice === 'none',
      ...(schema !== undefined ? { schema } : format?.type === 'json_object' ? { schema: { type: 'object' } } : {}),
      think: false,
    }
  },
  *frames(answer, asked, usage, behaviour) {
    const head = {
      id: `chatcmpl-${answer.id}`,
      object: 'chat.completion.chunk',
      created: answer.created,
      model: answer.model,
      system_fingerprint: 'fp_mock',
      ...tier(behaviour),
    }
    const tail = asked.includeUsage && usage !== undefined ? { usage: null } : {}
    const chunk = (index: number, delta: Json, finish: string | null = null) =>
      json({ ...head, choices: [{ index, delta, logprobs: null, finish_reason: finish }], ...tail })
    for (let index = 0; index < asked.n; index++) {
      yield { data: chunk(index, { role: 'assistant', content: '', refusal: null }) }
    }
    for (const text of answer.thinking) {
      for (let i = 0; i < asked.n; i++) yield { data: chunk(i, { reasoning_content: text }), tokens: 1 }
    }
    for (const piece of answer.pieces) {
      const content = answer.padTo > 0 ? piece.padEnd(answer.padTo, 'x') : piece
      for (let i = 0; i < asked.n; i++) yield { data: chunk(i, { content }), tokens: 1 }
    }
    yield* callFrames(answer, asked.n, chunk)
    if (behaviour.noFinish !== true) {
      for (let i = 0; i < asked.n; i++) yield { data: chunk(i, {}, FINISH[answer.finish]) }
    }
    if (tail.usage === null && usage) yield { data: json({ ...head, choices: [], usage: usageOf(usage) }) }
    if (behaviour.noDone !== true) yield { data: '[DONE]' }
  },
  whole(answer, asked, usage, behaviour) {
    const message: Json = {
      role: 'assistant',
      content: answer.calls.length > 0 ? null : textOf(answer),
      refusal: null,
      ...(answer.thinking.length > 0 ? { reasoning_content: answer.thinking.join('') } : {}),
      ...(answer.calls.length > 0
        ? {
            tool_calls: answer.calls.map((call) => ({
              id: call.id,
              type: 'function',
              function: { name: call.name, arguments: json(call.args) },
            })),
          }
        : {}),
    }
    return {
      id: `chatcmpl-${answer.id}`,
      object: 'chat.completion',
      created: answer.created,
      model: answer.model,
      choices: Array.from({ length: asked.n }, (_, index) => ({
        index,
        message,
        logprobs: null,
        finish_reason: behaviour.noFinish === true ? null : FINISH[answer.finish],
      })),
      ...(usage ? { usage: usageOf(usage) } : {}),
      ...tier(behaviour),
      system_fingerprint: 'fp_mock',
    }
  },
}

/** A call comes as its name, then its arguments in two pieces, as OpenAI streams them. */
function* callFrames(
  answer: Answer,
  n: number,
  chunk: (index: number, delta: Json) => string,
): Generator<Frame, void, undefined> {
  for (const [index, call] of answer.calls.entries()) {
    const args = json(call.args)
    const middle = Math.ceil(args.length / 2)
    for (let i = 0; i < n; i++) {
      const head = { index, id: call.id, type: 'function', function: { name: call.name, arguments: '' } }
      yield { data: chunk(i, { tool_calls: [head] }), tokens: 2 }
      for (const part of [args.slice(0, middle), args.slice(middle)]) {
        yield { data: chunk(i, { tool_calls: [{ index, function: { arguments: part } }] }), tokens: 3 }
      }
    }
  }
}

export const completions: Speaker = {
  framing: 'sse',
  error,
  inBand,
  ask(body) {
    const prompts = Array.isArray(body.prompt) ? body.prompt : [body.prompt]
    if (!prompts.every((p: unknown) => typeof p === 'string')) throw new BadRequest('prompt: a string')
    return {
      ...streaming(body),
      ...limit(body.max_tokens, 'max_tokens'),
      model: model(body),
      texts: prompts as string[],
      lastUser: (prompts.at(-1) as string | undefined) ?? '',
      tools: [],
      textOnly: true,
      think: false,
    }
  },
  *frames(answer, asked, usage, behaviour) {
    const chunk = (choices: Json[], more: Json = {}) =>
      json({
        id: `cmpl-${answer.id}`,
        object: 'text_completion',
        created: answer.created,
        choices,
        model: answer.model,
        ...tier(behaviour),
        ...more,
      })
    const tail = asked.includeUsage && usage !== undefined ? { usage: null } : {}
    for (const piece of answer.pieces) {
      const text = answer.padTo > 0 ? piece.padEnd(answer.padTo, 'x') : piece
      for (let index = 0; index < asked.n; index++) {
        yield { data: chunk([{ text, index, logprobs: null, finish_reason: null }], tail), tokens: 1 }
      }
    }
    if (behaviour.noFinish !== true) {
      for (let index = 0; index < asked.n; index++) {
        yield { data: chunk([{ text: '', index, logprobs: null, finish_reason: FINISH[answer.finish] }], tail) }
      }
    }
    if (tail.usage === null && usage) yield { data: chunk([], { usage: usageOf(usage) }) }
    if (behaviour.noDone !== true) yield { data: '[DONE]' }
  },
  whole(answer, asked, usage, behaviour) {
    return {
      id: `cmpl-${answer.id}`,
      object: 'text_completion',
      created: answer.created,
      model: answer.model,
      choices: Array.from({ length: asked.n }, (_, index) => ({
        text: textOf(answer),
        index,
        logprobs: null,
        finish_reason: behaviour.noFinish === true ? null : FINISH[answer.finish],
      })),
      ...(usage ? { usage: usageOf(usage) } : {}),
      ...tier(behaviour),
    }
  },
}

/** Embeddings: floats, or base64 of little-endian float32 where asked. Token lists count a token each. */
export function embeddings(
  body: Json,
  behaviour: Behaviour,
  count: (texts: readonly string[]) => number,
): { reply: Json; promptTokens: number } {
  const raw = body.input
  const single = typeof raw === 'string' || (Array.isArray(raw) && typeof raw[0] === 'number')
  const inputs: unknown[] = single ? [raw] : Array.isArray(raw) ? raw : []
  if (inputs.length === 0) throw new BadRequest('input: a string or a list')
  const dimensions = typeof body.dimensions === 'number' ? body.dimensions : 64
  const texts = inputs.map((input) => (Array.isArray(input) ? input.join(' ') : String(input)))
  const promptTokens = count(texts)
  const reported = behaviour.usage?.prompt ?? promptTokens
  const data = texts.map((text, index) => {
    const floats = vector(text, dimensions)
    const embedding =
      body.encoding_format === 'base64' ? Buffer.from(new Float32Array(floats).buffer).toString('base64') : floats
    return { object: 'embedding', index, embedding }
  })
  const usage = behaviour.noUsage === true ? {} : { usage: { prompt_tokens: reported, total_tokens: reported } }
  return { reply: { object: 'list', data, model: model(body), ...usage }, promptTokens }
}
