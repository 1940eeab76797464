/** A gateway before an upstream that writes down what it was asked, for routes that are not one request to one model. */
import { type Gateway, type GatewayOptions, startGateway } from '../support/gateway.ts'

export interface Seen {
  method: string
  path: string
  query: string
  headers: Headers
  body: string
}

export interface Upstream {
  port: number
  seen: Seen[]
  /** How it answers the next requests. */
  answer: (seen: Seen) => Response | Promise<Response>
  stop(): Promise<void>
}

export function startUpstream(): Upstream {
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      const url = new URL(request.url)
      const body = Buffer.from(await request.arrayBuffer()).toString('latin1')
      const one = { method: request.method, path: url.pathname, query: url.search, headers: request.headers, body }
      upstream.seen.push(one)
      return await upstream.answer(one)
    },
  })
  const upstream: Upstream = {
    port: server.port as number,
    seen: [],
    answer: () => Response.json({ ok: true }),
    stop: () => server.stop(true),
  }
  return upstream
}

export interface Row {
  spend: number
  call_type: string
  api_key: string
  prompt_tokens: number
  completion_tokens: number
  usage_source: string
  outcome: string
  upstream_status: number
  model: string
  request_id: string
  attempt: number
}

export type Ask = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Response>

export interface World {
  gateway: Gateway
  /** A new key, and how to ask with it. */
  key(settings?: Record<string, unknown>): Promise<Ask & { key: string; token: string }>
  rows(limit?: number): Promise<Row[]>
}

export async function startWorld(options: GatewayOptions): Promise<World> {
  const gateway = await startGateway(options)
  return {
    gateway,
    async key(settings = {}) {
      const made = await gateway.call('POST', '/key/generate', settings)
      const { key, token } = (await made.json()) as { key: string; token: string }
      const ask: Ask = (method, path, body, headers = {}) =>
        fetch(gateway.url + path, {
          method,
          redirect: 'manual',
          headers: { authorization: `Bearer ${key}`, ...headers },
          ...(body === undefined
            ? {}
            : { body: typeof body === 'string' || body instanceof FormData ? body : JSON.stringify(body) }),
        })
      return Object.assign(ask, { key, token })
    },
    async rows(limit = 10) {
      return (await (await gateway.call('GET', `/spend/logs?limit=${limit}`)).json()) as Row[]
    },
  }
}

/** Waits until `found` gives something. @throws after 3 s */
export async function until<T>(found: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> {
  for (let i = 0; i < 150; i++) {
    const it = await found()
    if (it) return it
    await Bun.sleep(20)
  }
  throw new Error('It did not come within 3 s.')
}
