/** Ollama's native chat, generate and embeddings. https://github.com/ollama/ollama/blob/main/docs/api.md */
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

const error = (_status: number, fault: Fault): Json => ({ error: fault.message })
const inBand = (fault: Fault): Frame => ({ data: json({ error: fault.message }) })

/** The metrics of the last line, in ns; zeros are left out, as the real server does. */
function metrics(usage: Reported | undefined): Json {
  if (!usage) return {}
  // A tenth of the work is reading.
  const [read, write] =
    usage.gpuMs === undefined ? [4_189_344, 11_551_133] : [usage.gpuMs * 100_000, usage.gpuMs * 900_000]
  return {
    total_duration: 30_430_121,
    load_duration: 2_863_783,
    ...(usage.prompt > 0 ? { prompt_eval_count: usage.prompt } : {}),
    prompt_eval_duration: read,
    ...(usage.completion > 0 ? { eval_count: usage.completion } : {}),
    ...(usage.completion > 1 ? { eval_duration: write } : {}),
  }
}

const options = (body: Json): Json => (body.options ?? {}) as Json
const stamp = (answer: Answer): Json => ({
  model: answer.model,
  created_at: new Date(answer.created * 1000).toISOString(),
})
const reason = (answer: Answer): string => (answer.finish === 'length' ? 'length' : 'stop')

function predict(body: Json): { maxTokens?: number } {
  const asked = options(body).num_predict
  return typeof asked === 'number' && asked <= 0 ? {} : limit(asked, 'num_predict')
}

function schemaOf(body: Json): { schema?: unknown } {
  if (body.format === 'json') return { schema: { type: 'object' } }
  return typeof body.format === 'object' && body.format !== null ? { schema: body.format } : {}
}

/** `think` may be a boolean or an effort. */
const thinks = (body: Json): boolean => body.think === true || typeof body.think === 'string'

interface Shape {
  text(content: string): Json
  thinking(content: string): Json
}

/** The lines of a stream; chat and generate differ in where the text stands. */
function* lines(
  answer: Answer,
  usage: Reported | undefined,
  behaviour: Behaviour,
  shape: Shape,
  more: Json = {},
): Generator<Frame> {
  const line = (value: Json, done = false) => json({ ...stamp(answer), ...value, done })
  for (const text of answer.thinking) yield { data: line(shape.thinking(text)), tokens: 1 }
  for (const piece of answer.pieces) {
    yield { data: line(shape.text(answer.padTo > 0 ? piece.padEnd(answer.padTo, 'x') : piece)), tokens: 1 }
  }
  for (const [index, call] of answer.calls.entries()) {
    yield { data: line({ message: { role: 'assistant', content: '', tool_calls: [native(call, index)] } }), tokens: 8 }
  }
  if (behaviour.noDone === true || behaviour.noFinish === true) return
  const last = {
    ...stamp(answer),
    ...shape.text(''),
    done: true,
    done_reason: reason(answer),
    ...more,
    ...metrics(usage),
  }
  yield { data: json(last) }
}

const native = (call: Answer['calls'][number], index: number): Json => ({
  id: call.id,
  function: { index, name: call.name, arguments: call.args },
})

/** What a whole answer ends with: `done: false` and no metrics where it just stopped. */
const ending = (answer: Answer, usage: Reported | undefined, behaviour: Behaviour): Json =>
  behaviour.noFinish === true ? { done: false } : { done: true, done_reason: reason(answer), ...metrics(usage) }

const chatShape: Shape = {
  text: (content) => ({ message: { role: 'assistant', content } }),
  thinking: (thinking) => ({ message: { role: 'assistant', content: '', thinking } }),
}

const generateShape: Shape = {
  text: (response) => ({ response }),
  thinking: (thinking) => ({ response: '', thinking }),
}

export const chat: Speaker = {
  framing: 'ndjson',
  error,
  inBand,
  ask(body): Asked {
    const all = fromTurns(turns(body.messages))
    const offered = Array.isArray(body.tools) ? (body.tools as Json[]) : []
    return {
      ...all,
      ...predict(body),
      ...schemaOf(body),
      model: model(body),
      stream: body.stream !== false,
      includeUsage: true,
      tools: offered.map((tool) => {
        const f = (tool.function ?? {}) as Json
        return { name: String(f.name), schema: f.parameters }
      }),
      n: 1,
      think: thinks(body),
    }
  },
  frames: (answer, _asked, usage, behaviour) => lines(answer, usage, behaviour, chatShape),
  whole(answer, _asked, usage, behaviour) {
    const message: Json = { role: 'assistant', content: textOf(answer) }
    if (answer.thinking.length > 0) message.thinking = answer.thinking.join('')
    if (answer.calls.length > 0) message.tool_calls = answer.calls.map(native)
    return { ...stamp(answer), message, ...ending(answer, usage, behaviour) }
  },
}

export const generate: Speaker = {
  framing: 'ndjson',
  error,
  inBand,
  ask(body): Asked {
    const prompt = typeof body.prompt === 'string' ? body.prompt : ''
    const system = typeof body.system === 'string' ? [body.system] : []
    return {
      ...predict(body),
      ...schemaOf(body),
      model: model(body),
      stream: body.stream !== false,
      includeUsage: true,
      texts: [...system, prompt],
      lastUser: prompt,
      tools: [],
      textOnly: true,
      n: 1,
      think: thinks(body),
    }
  },
  frames: (answer, _asked, usage, behaviour) => lines(answer, usage, behaviour, generateShape, { context: [1, 2, 3] }),
  whole(answer, _asked, usage, behaviour) {
    const thinking = answer.thinking.length > 0 ? { thinking: answer.thinking.join('') } : {}
    return {
      ...stamp(answer),
      response: textOf(answer),
      ...thinking,
      context: [1, 2, 3],
      ...ending(answer, usage, behaviour),
    }
  },
}

/** An empty `messages` or `prompt` loads the model and `keep_alive: 0` unloads it: no tokens. Undefined: neither. */
export function loading(body: Json, path: string): Json | undefined {
  const chatting = path === '/api/chat'
  const asked = chatting ? body.messages : body.prompt
  const empty = asked === undefined || asked === '' || (Array.isArray(asked) && asked.length === 0)
  if (!empty) return undefined
  const said = chatting ? chatShape.text('') : generateShape.text('')
  const done_reason = body.keep_alive === 0 ? 'unload' : 'load'
  return { model: model(body), created_at: new Date().toISOString(), ...said, done: true, done_reason }
}

/** `/api/embed`: a list or a string, one vector each; an empty string has none. */
export function embed(
  body: Json,
  behaviour: Behaviour,
  count: (texts: readonly string[]) => number,
): { reply: Json; promptTokens: number } {
  const raw = body.input
  if (typeof raw !== 'string' && !Array.isArray(raw)) throw new BadRequest('invalid input type')
  const inputs = (Array.isArray(raw) ? raw : [raw]).map(String).filter((text) => text !== '')
  const dimensions = typeof body.dimensions === 'number' ? body.dimensions : 64
  const promptTokens = count(inputs)
  const reported = behaviour.usage?.prompt ?? promptTokens
  return {
    reply: {
      model: model(body),
      embeddings: inputs.map((text) => vector(text, dimensions)),
      total_duration: 6_640_587,
      load_duration: 2_742_215,
      ...(reported > 0 && behaviour.noUsage !== true ? { prompt_eval_count: reported } : {}),
    },
    promptTokens,
  }
}

/** `/api/embeddings`, the old route: one vector and no usage at all. */
export function embeddings(
  body: Json,
  _behaviour: Behaviour,
  count: (texts: readonly string[]) => number,
): { reply: Json; promptTokens: number } {
  const prompt = String(body.prompt ?? '')
  return { reply: { embedding: prompt === '' ? [] : vector(prompt, 64) }, promptTokens: count([prompt]) }
}
