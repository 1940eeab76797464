/** Answers in a real Redis: kept, sealed, given again, forgotten, and nothing that a request fails of. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { RedisClient } from 'bun'
import { type Mock, startMock } from '../mock/upstream.ts'
import { ask } from '../support/ask.ts'
import { makeKey } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { type RedisServer, startRedis } from './server.ts'

let mock: Mock
let redis: RedisServer
let gateway: Gateway

beforeAll(async () => {
  mock = await startMock({ words: 12 })
  redis = await startRedis()
  gateway = await startGateway({
    yaml: {
      model_list: [
        { model_name: 'm', litellm_params: { model: 'openai/m', api_base: `${mock.url}/v1`, api_key: 'sk-up' } },
      ],
      litellm_settings: { cache: true, cache_params: { type: 'redis', url: redis.url, ttl: 60 } },
    },
  })
}, 60_000)
afterAll(async () => {
  await gateway?.stop()
  await redis?.stop()
  mock?.stop()
})

const cacheOf = (said: { headers: Headers }) => said.headers.get('x-tollgate-cache')

test('an answer is kept in Redis, where nobody can read it, and given again', async () => {
  const first = await ask(gateway, { model: 'm', text: 'the secret of the house' })
  const again = await ask(gateway, { model: 'm', text: 'the secret of the house' })
  expect([cacheOf(first), cacheOf(again)]).toEqual(['miss', 'hit'])
  expect(again.text).toBe(first.text)
  const look = new RedisClient(redis.url)
  const keys = (await look.send('KEYS', ['*'])) as string[]
  expect(keys.length).toBe(1)
  const [key] = keys as [string]
  expect(key).toStartWith('tollgate:answers:master:')
  const raw = Buffer.from((await look.getBuffer(key)) as Uint8Array).toString('latin1')
  for (const word of ['secret', 'house', first.text.slice(0, 12)]) expect(raw).not.toContain(word)
  const ttl = Number(await look.send('PTTL', [key]))
  expect(ttl).toBeGreaterThan(30_000)
  expect(ttl).toBeLessThanOrEqual(60_000)
  look.close()
})

test('what was moved from one tenant to another does not open', async () => {
  const [mine, yours] = [await makeKey(gateway), await makeKey(gateway)]
  await ask(gateway, { model: 'm', text: 'mine', key: mine })
  await ask(gateway, { model: 'm', text: 'yours', key: yours })
  const look = new RedisClient(redis.url)
  const keys = ((await look.send('KEYS', ['tollgate:answers:key:*'])) as string[]).sort()
  expect(keys.length).toBe(2)
  const [a, b] = keys as [string, string]
  await look.set(b, (await look.getBuffer(a)) as Uint8Array)
  await look.set(a, (await look.getBuffer(b)) as Uint8Array)
  const said = [
    cacheOf(await ask(gateway, { model: 'm', text: 'mine', key: mine })),
    cacheOf(await ask(gateway, { model: 'm', text: 'yours', key: yours })),
  ]
  expect(said.sort()).toEqual(['hit', 'miss'])
  look.close()
})

test('a ping, a deletion and a flush', async () => {
  const ping = await gateway.call('GET', '/cache/ping')
  expect(await ping.json()).toMatchObject({ status: 'healthy', cache_type: 'redis', caching: true })
  await ask(gateway, { model: 'm', text: 'to be deleted' })
  const hit = await ask(gateway, { model: 'm', text: 'to be deleted' })
  const key = hit.headers.get('x-litellm-cache-key') as string
  expect(await (await gateway.call('POST', '/cache/delete', { keys: [key] })).json()).toEqual({
    status: 'success',
    deleted: 1,
  })
  expect(cacheOf(await ask(gateway, { model: 'm', text: 'to be deleted' }))).toBe('miss')
  const flushed = (await (await gateway.call('POST', '/cache/flush', {})).json()) as { deleted: number }
  expect(flushed.deleted).toBeGreaterThanOrEqual(2)
  expect(cacheOf(await ask(gateway, { model: 'm', text: 'to be deleted' }))).toBe('miss')
})

test('without its Redis the gateway answers all the same, and comes back to it', async () => {
  await redis.stop()
  const asked = mock.of('m').length
  const began = performance.now()
  for (let i = 0; i < 5; i++) expect((await ask(gateway, { model: 'm', text: 'gone' })).status).toBe(200)
  // One of them may have waited for a connection; the others are not even asked.
  expect(performance.now() - began).toBeLessThan(10_000)
  expect(mock.of('m').length).toBe(asked + 5)
  const ping = await gateway.call('GET', '/cache/ping')
  expect(ping.status).toBe(503)
  redis = await startRedis(redis.port)
  let seen: string | null = null
  for (let i = 0; i < 100 && seen !== 'hit'; i++) {
    seen = cacheOf(await ask(gateway, { model: 'm', text: 'back' }))
    await Bun.sleep(100)
  }
  expect(seen).toBe('hit')
  expect(gateway.logs()).toContain('requests go on without it')
  expect(gateway.logs()).not.toContain('open-sesame')
}, 60_000)
