/** Which path is answered by what. */
import { type Counter, words } from './answer.ts'
import { anthropicModel, type House, openaiModel } from './house.ts'
import type { Connection } from './http.ts'
import type { Seen } from './record.ts'
import { type Exchange, obstruct, respond, sendJson, sendWhole } from './respond.ts'
import * as anthropic from './wire/anthropic.ts'
import * as gemini from './wire/gemini.ts'
import * as ollama from './wire/ollama.ts'
import * as openai from './wire/openai.ts'
import { BadRequest, type Json, type Speaker } from './wire/speaker.ts'

interface Routed {
  seen: Seen
  connection: Connection
  house: House
  body: unknown
  options: { words: number; key?: string; counter?: Counter }
}

const SPEAKERS: Readonly<Record<string, Speaker>> = {
  '/v1/chat/completions': openai.chat,
  '/v1/completions': openai.completions,
  '/v1/messages': anthropic.messages,
  '/api/chat': ollama.chat,
  '/api/generate': ollama.generate,
  generateContent: gemini.generate,
  streamGenerateContent: gemini.generate,
}

const EMBEDDERS = {
  '/v1/embeddings': openai.embeddings,
  '/api/embed': ollama.embed,
  '/api/embeddings': ollama.embeddings,
  embedContent: gemini.embed,
  batchEmbedContents: gemini.embed,
}

const wordsIn = (texts: readonly string[]): number => texts.reduce((sum, text) => sum + words(text), 0)

/** Whose errors a path speaks. */
const tongue = (path: string): Speaker =>
  path.startsWith('/api/')
    ? ollama.chat
    : path.startsWith('/v1/messages')
      ? anthropic.messages
      : path.startsWith('/v1beta/')
        ? gemini.generate
        : openai.chat

/** @returns whether the connection may be used again. */
export async function answerRoute({ seen, connection, house, body, options }: Routed): Promise<boolean> {
  const { method, behaviour, headers } = seen
  const google = gemini.pathOf(seen.path)
  const path = google?.action ?? seen.path
  const speaker = SPEAKERS[path] ?? tongue(seen.path)
  const exchange: Exchange = { seen, connection, speaker, behaviour }
  const fail = (status: number, message: string): Promise<boolean> =>
    sendJson(exchange, status, speaker.error(status, { message }))

  const given = headers['x-api-key'] ?? headers['x-goog-api-key'] ?? headers.authorization?.replace(/^Bearer /i, '')
  if (options.key !== undefined && given !== options.key) return fail(401, 'Incorrect API key provided')
  const embedder = Object.hasOwn(EMBEDDERS, path) ? EMBEDDERS[path as keyof typeof EMBEDDERS] : undefined
  if (SPEAKERS[path] === undefined && embedder === undefined) {
    return (await obstruct(exchange)) ?? about(exchange, house, body, fail)
  }
  if (method !== 'POST') return sendWhole(exchange, 405, Buffer.from('405 method not allowed'), 'text/plain')
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return fail(400, 'unexpected EOF')
  const json: Json = google
    ? { ...body, model: google.model, stream: path === 'streamGenerateContent' }
    : (body as Json)
  if (seen.model !== undefined && !house.has(seen.model)) return fail(404, `model '${seen.model}' not found`)
  try {
    if (embedder !== undefined) {
      const stopped = await obstruct(exchange)
      if (stopped !== undefined) return stopped
      if (!(await connection.sleep(behaviour.delayFirst ?? 0))) return false
      const count = options.counter?.prompt ?? wordsIn
      const { reply, promptTokens } = embedder(json, behaviour, (texts) => count(texts, true))
      seen.sold.prompt = promptTokens
      if (behaviour.noUsage !== true && path !== '/api/embeddings') {
        seen.reported = { prompt: behaviour.usage?.prompt ?? promptTokens, completion: 0 }
      }
      return sendJson(exchange, 200, reply, 1)
    }
    const loaded = path === '/api/chat' || path === '/api/generate' ? ollama.loading(json, path) : undefined
    if (seen.model !== undefined) house.load(seen.model)
    if (loaded !== undefined) {
      if (json.keep_alive === 0 && seen.model !== undefined) house.unload(seen.model)
      return (await obstruct(exchange)) ?? sendJson(exchange, 200, loaded)
    }
    return await respond(exchange, speaker.ask(json), options.words, options.counter)
  } catch (cause) {
    if (cause instanceof BadRequest) return fail(400, cause.message)
    throw cause
  }
}

type Fail = (status: number, message: string) => Promise<boolean>

/** The routes that are about models, not answers. */
async function about(exchange: Exchange, house: House, body: unknown, fail: Fail): Promise<boolean> {
  const { method, path, headers } = exchange.seen
  const json = (typeof body === 'object' && body !== null ? body : {}) as Json
  const name = String(json.model ?? json.name ?? '')
  const missing = (): Promise<boolean> => fail(404, `model '${name}' not found`)
  const ok = (value: unknown): Promise<boolean> => sendJson(exchange, 200, value)
  const anthropicCaller = headers['anthropic-version'] !== undefined

  if (method === 'GET' && path.startsWith('/v1/models/')) {
    const id = decodeURIComponent(path.slice('/v1/models/'.length))
    if (!house.has(id)) return fail(404, `The model '${id}' does not exist`)
    return ok(anthropicCaller ? anthropicModel(id) : openaiModel(id))
  }
  const page = method === 'GET' ? house.pages.get(path) : undefined
  if (typeof page === 'string') return sendWhole(exchange, 200, Buffer.from(page), 'text/plain; version=0.0.4')
  if (page !== undefined) return ok(page)
  switch (`${method} ${path}`) {
    case 'GET /':
      return sendWhole(exchange, 200, Buffer.from('Ollama is running'), 'text/plain; charset=utf-8')
    case 'HEAD /':
      return sendWhole(exchange, 200, new Uint8Array(), 'text/plain; charset=utf-8')
    case 'GET /v1/models':
      return ok(house.list(anthropicCaller))
    case 'GET /api/tags':
      return ok(house.tags())
    case 'GET /api/ps':
      return ok(house.ps())
    case 'GET /api/version':
      return ok({ version: '0.17.4' })
    case 'POST /api/show':
      return house.has(name) ? ok(house.show(name)) : missing()
    case 'POST /v1/messages/count_tokens': {
      const asked = anthropic.messages.ask({ ...json, max_tokens: 1 })
      return ok({ input_tokens: asked.texts.reduce((sum, text) => sum + words(text), 0) })
    }
    case 'POST /api/copy':
      if (!house.has(String(json.source))) return fail(404, `model '${String(json.source)}' not found`)
      house.add(String(json.destination))
      return sendWhole(exchange, 200, new Uint8Array(), 'text/plain')
    case 'DELETE /api/delete':
      return house.remove(name) ? sendWhole(exchange, 200, new Uint8Array(), 'text/plain') : missing()
    case 'POST /api/pull':
    case 'POST /api/create':
    case 'POST /api/push': {
      if (path === '/api/push' && !house.has(name)) return missing()
      house.add(name)
      const steps = [
        { status: 'pulling manifest' },
        { status: 'pulling 04dce6515e1d', digest: 'sha256:04dce6515e1d', total: 803_808, completed: 803_808 },
        { status: 'success' },
      ]
      if (json.stream === false) return ok(steps.at(-1))
      const lines = steps.map((step) => `${JSON.stringify(step)}\n`).join('')
      return sendWhole(exchange, 200, Buffer.from(lines), 'application/x-ndjson')
    }
    default:
      if (gemini.pathOf(path)?.action === 'countTokens') {
        const asked = gemini.generate.ask({ ...(((json.generateContentRequest ?? json) as Json) ?? {}), model: 'm' })
        return ok({ totalTokens: asked.texts.reduce((sum, text) => sum + words(text), 0) })
      }
      return sendWhole(exchange, 404, Buffer.from('404 page not found'), 'text/plain')
  }
}
