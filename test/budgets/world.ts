/** A gateway with a few models of known price, for tests of who may spend what. */
import { expect } from 'bun:test'
import { type Mock, startMock } from '../mock/upstream.ts'
import { ask, type Question, type Said } from '../support/ask.ts'
import { makeKey } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'

const WORDS = 20
const PRICE = { input: 1_000, output: 3_000 }
/** What a request costs, in nano-dollars: a prompt of two words, and the mock's answer. */
export const COST = 2 * PRICE.input + WORDS * PRICE.output
export const DOLLARS = COST / 1e9
/** For one request with room for its estimate, and not for two. */
export const ONE = (1.5 * COST) / 1e9
/** For two. */
export const TWO = (2.5 * COST) / 1e9

export interface World {
  mock: Mock
  gateway: Gateway
  /** A management request. @throws where it is refused */
  manage(method: string, path: string, body?: unknown): Promise<Record<string, unknown>>
  /** The same, whatever is answered. */
  tell(method: string, path: string, body?: unknown): Promise<{ status: number; error: Record<string, unknown> }>
  /** A request to a model. */
  ask(question: Partial<Question>): Promise<Said>
  key(fields?: Record<string, unknown>): Promise<string>
  stop(): Promise<void>
}

const PRICED = { input_cost_per_token: PRICE.input / 1e9, output_cost_per_token: PRICE.output / 1e9 }

/** @param models aliases of OpenAI's, each asked by its own name @param more of the configuration */
export async function startWorld(models: readonly string[], more: Record<string, unknown> = {}): Promise<World> {
  const mock = await startMock({ words: WORDS })
  const priced = (alias: string, model: string, extra: Record<string, unknown> = {}, info = {}) => ({
    model_name: alias,
    litellm_params: { model, api_base: `${mock.url}/v1`, api_key: 'sk-up', ...PRICED, ...extra },
    model_info: info,
  })
  const gateway = await startGateway({
    yaml: {
      ...more,
      model_list: [
        ...models.map((model) => priced(model, `openai/${model}`)),
        priced('first', 'groq/first'),
        priced('two', 'groq/two', { order: 1 }),
        priced('two', 'mistral/two', { order: 2 }),
        priced('fallen', 'openai/fallen!status:503'),
        priced('slow', 'openai/slow!slow:20'),
        priced('dear', 'openai/dear', {}, { needs_grant: true }),
        priced('big/*', 'openai/*', {}, { needs_grant: true }),
        { model_name: 'local', litellm_params: { model: 'ollama/local', api_base: mock.url } },
      ],
    },
  })
  const world: World = {
    mock,
    gateway,
    async manage(method, path, body) {
      const reply = await world.gateway.call(method, path, body)
      const text = await reply.text()
      if (reply.status !== 200) throw new Error(`${method} ${path}: ${reply.status} ${text}`)
      return JSON.parse(text)
    },
    async tell(method, path, body) {
      const reply = await world.gateway.call(method, path, body)
      const { error = {} } = (await reply.json()) as { error?: Record<string, unknown> }
      return { status: reply.status, error }
    },
    ask: (question) => ask(world.gateway, { model: 'paid', ...question }),
    key: (fields) => makeKey(world.gateway, fields),
    async stop() {
      await world.gateway.stop()
      mock.stop()
    },
  }
  // How long a prompt is, is guessed from the last ones: a first guess is a high one.
  for (const model of [...models, 'first', 'two', 'dear', 'big/one'])
    expect((await world.ask({ model })).status).toBe(200)
  return world
}

/** The error of a refusal, with its facts. */
export const errorOf = (said: Said): Record<string, unknown> => JSON.parse(said.body).error

let n = 0
/** A name that no other test has. */
export const fresh = (what: string): string => `${what}-${++n}`
