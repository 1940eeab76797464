/** A gateway with a few models, for tests of who may use them. */
import { type Mock, startMock } from '../mock/upstream.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'

export interface World {
  mock: Mock
  gateway: Gateway
  /** A request of any kind with any credentials. */
  send(method: string, path: string, headers: Record<string, string>, body?: unknown): Promise<Reply>
  stop(): Promise<void>
}

export interface Reply {
  status: number
  headers: Headers
  text: string
  body: Record<string, unknown>
}

export const MODELS = ['fast', 'slow', 'team/a', 'team/b'] as const

export async function startWorld(more: Record<string, unknown> = {}): Promise<World> {
  const mock = await startMock({ words: 10 })
  const model_list = MODELS.map((model) => ({
    model_name: model,
    litellm_params: {
      model: `openai/${model}`,
      api_base: `${mock.url}/v1`,
      api_key: 'sk-up',
      input_cost_per_token: 1e-6,
      output_cost_per_token: 1e-6,
    },
  }))
  const gateway = await startGateway({ yaml: { model_list, ...more } })
  return {
    mock,
    gateway,
    async send(method, path, headers, body) {
      const reply = await fetch(gateway.url + path, {
        method,
        headers: { 'content-type': 'application/json', ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const text = await reply.text()
      const isJson = reply.headers.get('content-type')?.startsWith('application/json') === true && text !== ''
      return { status: reply.status, headers: reply.headers, text, body: isJson ? JSON.parse(text) : {} }
    },
    async stop() {
      await gateway.stop()
      mock.stop()
    },
  }
}

export const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` })
export const CHAT = { model: 'fast', messages: [{ role: 'user', content: 'Hi there' }] }
