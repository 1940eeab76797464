/** A gateway before a mock, the doors of its models, and what an error looks like at each of them. */
import { connect } from 'node:net'
import { type Mock, startMock } from '../mock/upstream.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'

export type Shape = 'openai' | 'ollama' | 'anthropic'

export interface Door {
  path: string
  shape: Shape
  /** A request that is right. */
  good: Record<string, unknown>
}

const messages = [{ role: 'user', content: 'Hi there' }]

export const DOORS: readonly Door[] = [
  { path: '/v1/chat/completions', shape: 'openai', good: { model: 'm', messages } },
  { path: '/v1/completions', shape: 'openai', good: { model: 'm', prompt: 'Hi there' } },
  { path: '/v1/embeddings', shape: 'openai', good: { model: 'm', input: 'Hi there' } },
  { path: '/v1/messages', shape: 'anthropic', good: { model: 'm', messages, max_tokens: 50 } },
  { path: '/api/chat', shape: 'ollama', good: { model: 'm', messages, stream: false } },
  { path: '/api/generate', shape: 'ollama', good: { model: 'm', prompt: 'Hi there', stream: false } },
  { path: '/api/embed', shape: 'ollama', good: { model: 'm', input: 'Hi there' } },
  { path: '/api/embeddings', shape: 'ollama', good: { model: 'm', prompt: 'Hi there' } },
]

export interface World {
  mock: Mock
  gateway: Gateway
  /** A POST of any bytes with the master key. */
  post(path: string, body: string | Uint8Array, headers?: Record<string, string>): Promise<Answer>
  stop(): Promise<void>
}

export interface Answer {
  status: number
  headers: Headers
  text: string
}

export const UPSTREAM_KEY = 'sk-upstream-never-to-be-seen'
export const MODELS = ['m', 'local', 'team/large'] as const

export async function startWorld(tollgate: Record<string, unknown> = {}): Promise<World> {
  const mock = await startMock({ words: 10, models: ['m', 'local', 'large'] })
  const openai = { api_base: `${mock.url}/v1`, api_key: UPSTREAM_KEY }
  const gateway = await startGateway({
    yaml: {
      model_list: [
        { model_name: 'm', litellm_params: { model: 'openai/m', ...openai } },
        { model_name: 'local', litellm_params: { model: 'ollama/local', api_base: mock.url } },
        { model_name: 'team/large', litellm_params: { model: 'openai/large', ...openai } },
      ],
      tollgate,
    },
  })
  return {
    mock,
    gateway,
    async post(path, body, headers = {}) {
      const reply = await fetch(gateway.url + path, {
        method: 'POST',
        body,
        headers: { authorization: `Bearer ${gateway.masterKey}`, 'content-type': 'application/json', ...headers },
      })
      return { status: reply.status, headers: reply.headers, text: await reply.text() }
    },
    async stop() {
      await gateway.stop()
      mock.stop()
    },
  }
}

/** The message of an error in the shape of its dialect. @throws Error where it has another shape */
export function messageOf(shape: Shape, { text, headers, status }: Answer): string {
  const fail = (why: string): never => {
    throw new Error(`${status} is no error in the words of ${shape} (${why}): ${text.slice(0, 300)}`)
  }
  if (!headers.get('content-type')?.startsWith('application/json')) fail('content-type')
  if (!headers.get('x-request-id')) fail('no request id')
  const secret = /\bat (async )?\S+ \(|\.ts:\d|node_modules|bun:|sk-upstream|sk-test-master|SQLITE|drizzle/i.exec(text)
  if (secret) fail(`it shows '${secret[0]}'`)
  const body = JSON.parse(text) as { type?: string; error?: unknown }
  if (shape === 'ollama') return typeof body.error === 'string' ? body.error : fail('error is no string')
  const error = body.error as { message?: unknown; type?: unknown } | undefined
  if (typeof error?.message !== 'string' || typeof error.type !== 'string') return fail('error.message, error.type')
  if (shape === 'anthropic' && body.type !== 'error') fail('type')
  if (shape === 'openai' && !('param' in error && 'code' in error)) fail('param, code')
  return error.message
}

/**
 * Bytes over a raw connection, written as fast as they are taken, and what comes back until it ends.
 * @param limit ms after which what came is given, with `open: true`
 * @param enough ends it as soon as this has come
 */
export function raw(
  port: number,
  parts: Iterable<string | Uint8Array>,
  limit = 5_000,
  enough?: RegExp,
): Promise<{ text: string; open: boolean; written: number }> {
  return new Promise((resolve) => {
    let text = ''
    let written = 0
    const done = (open: boolean) => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ text, open, written })
    }
    const timer = setTimeout(() => done(true), limit)
    const socket = connect(port, '127.0.0.1')
    socket.setEncoding('utf8').on('data', (part: string) => {
      text += part
      if (enough?.test(text)) done(true)
    })
    socket.on('error', () => {}).on('close', () => done(false))
    const writer = parts[Symbol.iterator]()
    const pump = () => {
      for (;;) {
        if (socket.destroyed) return
        const { done: end, value } = writer.next()
        if (end) return
        written += value.length
        if (!socket.write(value)) return void socket.once('drain', pump)
      }
    }
    socket.on('connect', pump)
  })
}
