/** Verdicts of guardrails in a real Redis: kept, sealed, each tenant's own, and not needed where Redis is gone. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { RedisClient } from 'bun'
import { SECRET } from '../guardrails/rails.ts'
import { type Scanner, startScanner } from '../guardrails/scanner.ts'
import { type Mock, startMock } from '../mock/upstream.ts'
import { ask } from '../support/ask.ts'
import { makeKey } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { type RedisServer, startRedis } from './server.ts'

let mock: Mock
let redis: RedisServer
let scanner: Scanner
let gateway: Gateway

beforeAll(async () => {
  mock = await startMock({ words: 12 })
  redis = await startRedis()
  scanner = startScanner()
  gateway = await startGateway({
    yaml: {
      model_list: [
        { model_name: 'm', litellm_params: { model: 'openai/m', api_base: `${mock.url}/v1`, api_key: 'sk-up' } },
      ],
      litellm_settings: { cache: true, cache_params: { type: 'redis', url: redis.url, ttl: 60, mode: 'default_off' } },
      guardrails: [
        {
          guardrail_name: 'kept',
          litellm_params: {
            ...{ guardrail: 'webhook', url: scanner.url, mode: 'pre_call', default_on: true, retries: 0, timeout: 5 },
            cache: { ttl: 60, in: 'redis' },
          },
        },
      ],
    },
  })
}, 60_000)
afterAll(async () => {
  await gateway?.stop()
  await redis?.stop()
  scanner?.stop()
  mock?.stop()
})

const statuses = async (texts: readonly string[], key?: string): Promise<number[]> => {
  const all: number[] = []
  for (const text of texts) all.push((await ask(gateway, { model: 'm', text, ...(key ? { key } : {}) })).status)
  return all
}

test('a verdict is asked for once, of each tenant, and what was looked at can be read by nobody', async () => {
  const harm = `the word is ${SECRET}`
  expect(await statuses(['harmless', 'harmless', harm, harm])).toEqual([200, 200, 400, 400])
  expect(scanner.asked.length).toBe(2)
  expect(await statuses([harm], await makeKey(gateway))).toEqual([400])
  expect(scanner.asked.length).toBe(3)
  const look = new RedisClient(redis.url)
  const keys = (await look.send('KEYS', ['*'])) as string[]
  expect(keys.length).toBe(3)
  for (const key of keys) {
    const raw = Buffer.from((await look.getBuffer(key)) as Uint8Array).toString('latin1')
    for (const word of [SECRET, 'harmless', 'CODE', 'flagged']) expect(`${key} ${raw}`).not.toContain(word)
    const ttl = Number(await look.send('PTTL', [key]))
    expect([ttl > 30_000, ttl <= 60_000]).toEqual([true, true])
  }
  look.close()
})

test('what was moved to another key, or broken, is no verdict: it is asked for again', async () => {
  const harm = `again ${SECRET}`
  const look = new RedisClient(redis.url)
  await look.send('FLUSHALL', [])
  scanner.asked.length = 0
  expect(await statuses(['fine', harm])).toEqual([200, 400])
  const keys = (await look.send('KEYS', ['*'])) as string[]
  const [a, b] = keys as [string, string]
  const [first, second] = [await look.getBuffer(a), await look.getBuffer(b)]
  await look.set(a, second as Uint8Array)
  await look.set(b, first as Uint8Array)
  expect(await statuses(['fine', harm])).toEqual([200, 400])
  expect(scanner.asked.length).toBe(4)
  look.close()
})

test('without Redis every request is looked at, and none fails of it', async () => {
  scanner.asked.length = 0
  await redis.stop()
  expect(await statuses(['fine', `once more ${SECRET}`])).toEqual([200, 400])
  expect(scanner.asked.length).toBe(2)
}, 30_000)
