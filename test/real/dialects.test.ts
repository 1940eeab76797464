/**
 * A real Ollama speaks four dialects itself: it is the server of a target in each of them, and a client of each dialect
 * asks it. What these targets answer is written by another hand than ours.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { freePort } from '../support/temp.ts'
import { type Caller, callers, type Heard } from './callers.ts'
import { type RealOllama, startOllama } from './ollama.ts'

/** Each dialect of a target: how it is configured, and the path that Ollama's log then shows. */
const TARGETS = {
  openai: { prefix: 'openai', base: '/v1', path: '/v1/chat/completions' },
  responses: { prefix: 'openai/responses', base: '/v1', path: '/v1/responses' },
  anthropic: { prefix: 'anthropic', base: '', path: '/v1/messages' },
  ollama: { prefix: 'ollama', base: '', path: '/api/chat' },
} as const
const CALLERS = ['openai-chat', 'openai-responses', 'anthropic', 'ollama', 'gemini'] as const
/** Tokens of the question, as Ollama counts them. */
const PROMPT = 15

let server: RealOllama
let gateway: Gateway
let clients: Record<string, Caller>

/** Where the server of each cell will be that is left. */
const loops = new Map<string, number>()

beforeAll(async () => {
  server = await startOllama({ parallel: 1, models: ['tiny-chat'] })
  const entry = (target: keyof typeof TARGETS, name: string, model: string, url: string) => {
    const { prefix, base } = TARGETS[target]
    const params = { model: `${prefix}/${model}`, api_base: url + base }
    return { model_name: name, litellm_params: target === 'ollama' ? params : { ...params, api_key: 'sk-none' } }
  }
  const leaving = (target: keyof typeof TARGETS, caller: string) => {
    const name = `loop-${target}-${caller}`
    const port = freePort()
    loops.set(name, port)
    return entry(target, name, 'tiny-loop', `http://127.0.0.1:${port}`)
  }
  gateway = await startGateway({
    yaml: {
      model_list: (Object.keys(TARGETS) as (keyof typeof TARGETS)[]).flatMap((target) => [
        entry(target, target, 'tiny-chat', server.url),
        ...CALLERS.map((caller) => leaving(target, caller)),
      ]),
      router_settings: { num_retries: 0 },
    },
  })
  clients = callers(gateway.url, gateway.masterKey)
}, 120_000)

afterAll(async () => {
  await gateway?.stop()
  await server?.stop()
}, 60_000)

const cells = Object.entries(TARGETS).flatMap(([target, { path }]) =>
  CALLERS.map((caller) => [caller, target, path] as const),
)

describe.each(cells)('%s to %s (%s)', (caller, target, path) => {
  const client = (): Caller => clients[caller] as Caller
  /** Ends of requests of this dialect in Ollama's log. */
  const ended = (one = server): number => one.logs().split(`"${path}"`).length - 1
  /** Asked where it was meant to be, and nowhere else. */
  const there = async (act: () => Promise<Heard>): Promise<Heard> => {
    const before = ended()
    const heard = await act()
    for (let i = 0; i < 100 && ended() === before; i++) await Bun.sleep(10)
    expect(ended()).toBe(before + 1)
    return heard
  }

  test('text', async () => {
    const heard = await there(() => client().whole(target))
    expect(heard.text.length).toBeGreaterThan(5)
    expect(heard).toMatchObject({ calls: [], whole: true, input: PROMPT })
    expect(heard.output).toBeGreaterThan(0)
  })

  test('stream', async () => {
    const heard = await there(() => client().stream(target))
    expect(heard.text.length).toBeGreaterThan(5)
    expect(heard.pieces).toBeGreaterThan(3)
    expect(heard).toMatchObject({ calls: [], whole: true })
    expect(heard.output).toBeGreaterThan(0)
  })

  test('tools, whole and streamed', async () => {
    for (const how of ['whole', 'stream'] as const) {
      const heard = await there(() => client()[how](target, true))
      expect(heard.calls.map(({ name }) => name)).toEqual(['get_weather', 'get_time'])
      for (const { args } of heard.calls) expect(args).toBeObject()
      expect(heard.whole).toBeTrue()
    }
  })

  // A server of its own: about one time in fifty Ollama 0.17.4 never answers a request again after one was given up, with
  // or without a gateway before it.
  test('a caller who leaves frees the server', async () => {
    const model = `loop-${target}-${caller}`
    const port = loops.get(model) as number
    const alone = await startOllama({ parallel: 1, port, models: ['tiny-loop'] })
    try {
      await client().leave(model)
      const left = performance.now()
      while (ended(alone) === 0 && performance.now() - left < 5_000) await Bun.sleep(2)
      expect(ended(alone)).toBe(1)
      // The machine may be busy with other things.
      expect(performance.now() - left).toBeLessThan(2_000)
    } finally {
      await alone.stop()
    }
  })
})
