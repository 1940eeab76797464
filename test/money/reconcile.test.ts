/**
 * The gateway's charges against the bill that the provider writes himself (test/mock/invoice.ts): per dialect of caller and
 * target, whole and streamed, with caches, reasoning and services, to the end, given up, and cut. Equal to the nano-dollar.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { Behaviour, Detail } from '../mock/behaviour.ts'
import { invoiceOf, type Tariff } from '../mock/invoice.ts'
import type { Seen } from '../mock/record.ts'
import { type Mock, startMock } from '../mock/upstream.ts'
import { atRest, makeKey, type Row, rowsOf } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { promptTokens, tokensOf } from '../support/tokens.ts'

const WORDS = 30
const TEXT =
  'Say how much the toll is for a lorry of forty tons that goes over the bridge at night, and why that is so.'
/** A prompt for which the dearer rates hold. */
const LONG = 'toll '.repeat(1_500)

/** Odd rates: a bill that is rounded elsewhere, or with another rate, comes to something else. */
const TARIFF: Tariff = {
  ...{ prompt: 1_234_567_000n, cached: 123_457_000n, written: 1_543_211_000n, writtenHour: 2_469_133_000n },
  ...{ answer: 7_654_321_000n, reasoning: 6_543_211_000n, search: 10_000_001n, request: 17n },
  long: {
    above: 1_000,
    tariff: {
      ...{ prompt: 2_222_223_000n, cached: 222_223_000n, written: 1_543_211_000n, writtenHour: 2_469_133_000n },
      ...{ answer: 9_999_991_000n, reasoning: 6_543_211_000n, search: 10_000_001n, request: 17n },
    },
  },
  services: {
    priority: {
      ...{ prompt: 2_469_134_000n, cached: 246_913_000n, written: 1_543_211_000n, writtenHour: 2_469_133_000n },
      ...{ answer: 15_308_642_000n, reasoning: 6_543_211_000n, search: 10_000_001n, request: 17n },
    },
  },
}

/** The same tariff in the words of a configuration. */
const PRICES = {
  input_cost_per_token: 1.234567e-6,
  cache_read_input_token_cost: 1.23457e-7,
  cache_creation_input_token_cost: 1.543211e-6,
  cache_creation_input_token_cost_above_1hr: 2.469133e-6,
  output_cost_per_token: 7.654321e-6,
  output_cost_per_reasoning_token: 6.543211e-6,
  input_cost_per_query: 0.010000001,
  input_cost_per_request: 17e-9,
  input_cost_per_token_priority: 2.469134e-6,
  cache_read_input_token_cost_priority: 2.46913e-7,
  output_cost_per_token_priority: 1.5308642e-5,
  tiered_pricing: [
    {
      range: [1_000, 1_000_000],
      input_cost_per_token: 2.222223e-6,
      cache_read_input_token_cost: 2.22223e-7,
      output_cost_per_token: 9.999991e-6,
    },
  ],
}

/** The last one is an Ollama whose working time has a price, too. */
const TARGETS = ['openai', 'anthropic', 'gemini', 'ollama', 'worker'] as const
type TargetName = (typeof TARGETS)[number]
const GPU = 33_333_000n
const WORKER: Tariff = {
  ...TARIFF,
  gpu: GPU,
  ...(TARIFF.long ? { long: { ...TARIFF.long, tariff: { ...TARIFF.long.tariff, gpu: GPU } } } : {}),
}
const tariffOf = (target: string): Tariff => (target === 'worker' ? WORKER : TARIFF)

const CALLERS = ['chat', 'responses', 'messages', 'gemini', 'ollama'] as const
type Caller = (typeof CALLERS)[number]

let mock: Mock
let gateway: Gateway

beforeAll(async () => {
  mock = await startMock({
    words: WORDS,
    // What nobody reports the gateway counts with a vocabulary; this provider counts with it, too.
    counter: {
      prompt: (texts, plain) =>
        plain ? texts.reduce((sum, text) => sum + tokensOf(text), 0) : promptTokens(texts.join(' ')),
      answer: tokensOf,
    },
  })
  const target = (name: TargetName, base = '') => ({
    model_name: name,
    litellm_params: { model: `${name}/${name}`, api_base: mock.url + base, api_key: 'sk-up', ...PRICES },
  })
  const worker = {
    model_name: 'worker',
    litellm_params: { model: 'ollama/worker', api_base: mock.url, ...PRICES, cost_per_gpu_second: 3.3333e-5 },
  }
  gateway = await startGateway({
    yaml: {
      model_list: [target('openai', '/v1'), target('anthropic'), target('gemini'), target('ollama'), worker],
      router_settings: { num_retries: 0 },
    },
  })
})
afterAll(async () => {
  await gateway.stop()
  mock.stop()
})

interface Asking {
  key: string
  model: string
  text: string
  stream: boolean
  /** Stop to listen when this was heard. */
  until?: string
}

function wordsOf(caller: Caller, { model, text, stream }: Asking): [path: string, body: Record<string, unknown>] {
  const messages = [{ role: 'user', content: text }]
  switch (caller) {
    case 'chat':
      return ['/v1/chat/completions', { model, messages, stream }]
    case 'responses':
      return ['/v1/responses', { model, input: text, stream, store: false }]
    case 'messages':
      return ['/v1/messages', { model, messages, stream, max_tokens: 500 }]
    case 'ollama':
      return ['/api/chat', { model, messages, stream }]
    case 'gemini': {
      const action = stream ? 'streamGenerateContent?alt=sse' : 'generateContent'
      return [`/v1beta/models/${model}:${action}`, { contents: [{ role: 'user', parts: [{ text }] }] }]
    }
  }
}

async function post(path: string, body: unknown, { key, until }: Pick<Asking, 'key' | 'until'>): Promise<number> {
  const controller = new AbortController()
  const reply = await fetch(gateway.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: controller.signal,
  })
  let heard = ''
  try {
    for await (const part of reply.body ?? []) {
      heard += Buffer.from(part).toString()
      if (until !== undefined && heard.includes(until)) controller.abort()
    }
  } catch {
    // It was cut, by us or by the upstream.
  }
  return reply.status
}

/** One request, the row that it left, and what the upstream asks for it. */
async function reconcile(target: string, behaviour: Behaviour, ask: (key: string) => Promise<number>) {
  mock.plan(target, [behaviour])
  const key = await makeKey(gateway, { max_budget: 10 })
  const before = mock.requests.length
  expect(await ask(key)).toBe(200)
  await atRest(gateway)
  const rows = await rowsOf(gateway, key)
  expect([rows.length, mock.requests.length - before]).toEqual([1, 1])
  const [row] = rows as [Row]
  const seen = mock.requests.at(-1) as Seen
  const bill = Number(invoiceOf(seen, tariffOf(target)))
  expect(bill).toBeGreaterThan(0)
  expect({ nano: row.spend_nano, row, seen }).toEqual({ nano: bill, row, seen })
  return { row, seen, bill }
}

/** What each of them sells beside tokens, and can say that it did. */
const SOLD: Record<TargetName, Detail> = {
  openai: { cacheRead: 11, reasoning: 9 },
  anthropic: { cacheRead: 5, cacheWrite: 4, cacheWriteHour: 3, searches: 2 },
  gemini: { cacheRead: 7, reasoning: 6 },
  ollama: {},
  worker: { gpuMs: 12_345 },
}
/** Ollama has one service. */
const SERVED: readonly TargetName[] = ['openai', 'anthropic', 'gemini']

for (const target of TARGETS)
  for (const caller of CALLERS)
    describe(`${caller} to ${target}`, () => {
      for (const stream of [false, true])
        test(stream ? 'a stream' : 'whole', async () => {
          const asking = (key: string, text = TEXT) => {
            const [path, body] = wordsOf(caller, { key, model: target, text, stream })
            return post(path, body, { key })
          }
          const nothing = target === 'worker' ? { detail: { gpuMs: 1 } } : {}
          const plain = await reconcile(target, nothing, (key) => asking(key))
          const rich = await reconcile(target, { detail: SOLD[target] }, (key) => asking(key))
          const long = await reconcile(target, { detail: SOLD[target] }, (key) => asking(key, LONG))
          expect([plain, rich, long].map(({ row }) => row.usage_source)).toEqual(['provider', 'provider', 'provider'])
          if (target !== 'ollama') expect(rich.bill).not.toBe(plain.bill)
          expect(long.seen.sold.prompt).toBeGreaterThan(1_000)
          if (!SERVED.includes(target)) return
          const fast = await reconcile(target, { detail: { ...SOLD[target], service: 'priority' } }, (key) =>
            asking(key),
          )
          expect(fast.bill).toBeGreaterThan(rich.bill)
        })

      // How long it worked nobody tells who leaves before the end: the gateway takes its own time.
      if (target !== 'worker')
        test('a stream that is given up, and one that is cut', async () => {
          // Only Anthropic says at once what of the prompt was cached, and Gemini what of all was.
          const early: Partial<Record<TargetName, Detail>> = {
            anthropic: { cacheRead: 5, cacheWriteHour: 3 },
            gemini: SOLD.gemini,
          }
          const detail = early[target] ?? {}
          for (const how of ['hang', 'cut'] as const) {
            const { row, seen } = await reconcile(target, { detail, stop: { how, at: 10 } }, (key) => {
              const [path, body] = wordsOf(caller, { key, model: target, text: TEXT, stream: true })
              return post(path, body, { key, ...(how === 'hang' ? { until: 'fare9' } : {}) })
            })
            expect(row.outcome).toBe(how === 'hang' ? 'aborted' : 'bad_reply')
            expect(row.usage_source).toBe(target === 'gemini' ? 'provider' : 'counted')
            expect(seen.sold.completion).toBeWithin(10, 60)
          }
        })

      test('nothing was reported', async () => {
        if (target === 'worker') return
        for (const stream of [false, true]) {
          const { row } = await reconcile(target, { noUsage: true, thinking: 3 }, (key) => {
            const [path, body] = wordsOf(caller, { key, model: target, text: TEXT, stream })
            return post(path, body, { key })
          })
          expect(row.usage_source).toBe('counted')
        }
      })
    })

describe('other operations', () => {
  const OTHERS: [string, string, (model: string, stream: boolean) => Record<string, unknown>][] = [
    ['completions', '/v1/completions', (model, stream) => ({ model, prompt: TEXT, stream })],
    ['generate', '/api/generate', (model, stream) => ({ model, prompt: TEXT, stream })],
    ['embeddings', '/v1/embeddings', (model) => ({ model, input: [TEXT, LONG] })],
    ['embed', '/api/embed', (model) => ({ model, input: TEXT })],
  ]
  for (const [name, path, body] of OTHERS)
    for (const target of TARGETS) {
      // Claude embeds nothing, and how long an embedding took Ollama does not tell.
      if ((target === 'anthropic' || target === 'worker') && /embed/.test(path)) continue
      for (const stream of /embed/.test(path) ? [false] : [false, true])
        test(`${name} at ${target}, ${stream ? 'a stream' : 'whole'}`, async () => {
          const detail = /embed/.test(path) ? {} : SOLD[target]
          await reconcile(target, { detail }, (key) => post(path, body(target, stream), { key }))
        })
    }
})

test('given up before its service was told: the one that was asked for', async () => {
  await reconcile('openai', { detail: { service: 'priority' }, stop: { how: 'hang', at: 10 } }, (key) => {
    const body = {
      model: 'openai',
      messages: [{ role: 'user', content: TEXT }],
      stream: true,
      service_tier: 'priority',
    }
    return post('/v1/chat/completions', body, { key, until: 'fare9' })
  })
})

test('all of it, at the end', async () => {
  const { total_spend } = await atRest(gateway)
  const bill = mock.requests.reduce((sum, seen) => sum + invoiceOf(seen, tariffOf(seen.model ?? '')), 0n)
  expect(Math.round(total_spend * 1e9)).toBe(Number(bill))
})
