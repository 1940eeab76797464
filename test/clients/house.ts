/** A gateway before a mock that speaks all dialects: one alias for each kind of target, and the clients of npm. */
import Anthropic from '@anthropic-ai/sdk'
import { Ollama } from 'ollama'
import OpenAI from 'openai'
import { words, wordsFor } from '../mock/answer.ts'
import { type Mock, startMock } from '../mock/upstream.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'

/** One alias for each dialect that a target may speak. */
export const KINDS = ['openai', 'anthropic', 'ollama'] as const
/** With Gemini's, which have no client of their own here. */
export const TARGETS = [...KINDS, 'gemini'] as const
type Kind = (typeof TARGETS)[number]

/** Words of each answer of the mock. */
export const WORDS = 12
export const SYSTEM = 'Be brief now.'
export const QUESTION = 'Hello, what is the weather?'
/** The mock counts words. */
export const PROMPT = words(`${SYSTEM} ${QUESTION}`)
export const TEXT = wordsFor('Hello,', WORDS).join('')
/** The first `n` tokens of an answer. */
export const begin = (n: number): string => wordsFor('Hello,', WORDS).slice(0, n).join('')
/** 1 × 1 pixel. */
export const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=='

export interface House {
  mock: Mock
  gateway: Gateway
  openai: OpenAI
  anthropic: Anthropic
  ollama: Ollama
  /** The body that the target got last. */
  last(): Record<string, unknown>
  /** A key of its own, with LiteLLM's fields. */
  key(fields?: Record<string, unknown>): Promise<string>
  /** An OpenAI client with this key. */
  as(key: string, options?: { maxRetries?: number }): OpenAI
  end(): Promise<void>
}

/** Each alias `<kind>-<fault>` is a model of that kind that has the fault (test/mock/behaviour.ts). */
const FAULTS = [
  'hang',
  'slow:100',
  'slowheaders:2000',
  'think',
  'status:500',
  'inband:5!slow:20',
  'cut:5!slow:20',
  'context',
  'filter',
  'status:401',
  '429:1',
]

export async function startHouse(more: Record<string, unknown> = {}): Promise<House> {
  const mock = await startMock({ words: WORDS })
  const params = (kind: Kind, model: string) => ({
    model: `${kind}/${model}`,
    api_base: kind === 'openai' ? `${mock.url}/v1` : mock.url,
    ...(kind === 'ollama' ? {} : { api_key: 'sk-up' }),
    input_cost_per_token: 1e-6,
    output_cost_per_token: 2e-6,
  })
  const models = TARGETS.flatMap((kind) => [
    { model_name: kind, litellm_params: params(kind, 'm') },
    ...FAULTS.map((fault) => ({
      model_name: `${kind}-${fault.replace(/^status:/, '').replace(/:.*/, '')}`,
      litellm_params: params(kind, `m!${fault}`),
    })),
  ])
  const gateway = await startGateway({
    yaml: {
      model_list: [...models, { model_name: 'demo', litellm_params: { model: 'demo/demo' } }],
      router_settings: { num_retries: 0 },
      ...more,
    },
  })
  const { url, masterKey } = gateway
  return {
    mock,
    gateway,
    openai: new OpenAI({ baseURL: `${url}/v1`, apiKey: masterKey, maxRetries: 0 }),
    anthropic: new Anthropic({ baseURL: url, apiKey: masterKey, maxRetries: 0 }),
    ollama: new Ollama({ host: url, headers: { authorization: `Bearer ${masterKey}` } }),
    last: () => mock.requests.at(-1)?.body as Record<string, unknown>,
    async key(fields = {}) {
      const made = await gateway.call('POST', '/key/generate', fields)
      return ((await made.json()) as { key: string }).key
    },
    as: (key, options = {}) => new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0, ...options }),
    async end() {
      await gateway.stop()
      mock.stop()
    },
  }
}

/** What was thrown. The SDKs' promises are lazy, and `expect().rejects` does not wake them. */
export const thrown = async (promise: PromiseLike<unknown>): Promise<Error & Record<string, unknown>> => {
  try {
    await promise
  } catch (cause) {
    return cause as Error & Record<string, unknown>
  }
  throw new Error('nothing was thrown')
}

/** A tool with an argument for each name: strings but for `days`. */
export const PARAMETERS = { type: 'object', properties: { city: { type: 'string' }, days: { type: 'integer' } } }
export const ARGUMENTS = { city: 'Paris', days: 7 }
export const tool = (name: string) => ({
  type: 'function' as const,
  function: { name, description: `Calls ${name}`, parameters: PARAMETERS },
})
