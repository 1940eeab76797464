/** A gateway before a mock, with a model of each provider for each fault that a test wants to meet. */
import { type Mock, startMock } from '../mock/upstream.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'

export const PROVIDERS = ['openai', 'ollama', 'anthropic'] as const
export type Provider = (typeof PROVIDERS)[number]

export interface World {
  mock: Mock
  gateway: Gateway
  stop(): Promise<void>
}

/** `<provider>/<fault>` is an alias of the mock's model `<provider>!<fault>`. */
export async function startWorld(
  words: number,
  faults: readonly string[],
  more: Record<string, unknown> = {},
): Promise<World> {
  const mock = await startMock({ words })
  const model_list = PROVIDERS.flatMap((provider) =>
    faults.map((fault) => ({
      model_name: `${provider}/${fault}`,
      litellm_params: {
        model: `${provider}/${provider}!${fault}`,
        api_base: provider === 'openai' ? `${mock.url}/v1` : mock.url,
        api_key: 'sk-up',
      },
    })),
  )
  // The mock has a slot for everybody, which no Ollama tells.
  const tollgate = { ...(more.tollgate as object | undefined), backends: { [mock.url]: { slots: 1_000 } } }
  const gateway = await startGateway({ yaml: { model_list, ...more, tollgate } })
  return {
    mock,
    gateway,
    async stop() {
      await gateway.stop()
      mock.stop()
    },
  }
}

export type Caller = 'openai' | 'ollama' | 'anthropic'
const PATHS = { openai: '/v1/chat/completions', ollama: '/api/chat', anthropic: '/v1/messages' } as const

/** Every way from a caller's dialect to a provider's. */
export const WAYS = PROVIDERS.flatMap((provider) =>
  (['openai', 'ollama', 'anthropic'] as const).map((caller): [Caller, Provider] => [caller, provider]),
)

/** A request in the caller's dialect, unread. */
export function send(
  { gateway }: World,
  caller: Caller,
  model: string,
  stream: boolean,
  init: RequestInit = {},
): Promise<Response> {
  const messages = [{ role: 'user', content: 'Hi there' }]
  return fetch(gateway.url + PATHS[caller], {
    method: 'POST',
    headers: { authorization: `Bearer ${gateway.masterKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model, stream, messages, ...(caller === 'anthropic' ? { max_tokens: 4096 } : {}) }),
    ...init,
  })
}

/** What only the end of a whole stream holds. */
export const END: Record<Caller, RegExp> = {
  openai: /data: \[DONE\]/,
  ollama: /"done":true/,
  anthropic: /event: message_stop/,
}

/** An error inside a stream, as each dialect's clients see it. */
export const ERROR: Record<Caller, RegExp> = {
  openai: /^data: \{"error":\{.*"message":"/m,
  ollama: /^\{"error":"/m,
  anthropic: /^event: error\ndata: \{"type":"error"/m,
}
