/** Limits through a real gateway: who they are of, what an answer and a refusal say of them, and that none burns another. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Mock, startMock } from '../mock/upstream.ts'
import { ask } from '../support/ask.ts'
import { atRest, makeKey } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'

let mock: Mock
const start = (
  limits: Record<string, unknown>,
  litellm: Record<string, unknown> = {},
  dataDir?: string,
): Promise<Gateway> => {
  const at = (alias: string, model: string) => ({
    model_name: alias,
    litellm_params: { model: `openai/${model}`, api_base: `${mock.url}/v1`, api_key: 'sk-up' },
  })
  return startGateway({
    yaml: {
      model_list: [at('a', 'a'), at('b', 'b'), at('slow', 'slow!slow:30')],
      litellm_settings: litellm,
      tollgate: { limits },
    },
    ...(dataDir === undefined ? {} : { dataDir }),
  })
}
let gateway: Gateway
beforeAll(async () => {
  mock = await startMock({ words: 5 })
  gateway = await start({ per_model: { b: { rpm: 3 } } })
})
afterAll(async () => {
  await atRest(gateway)
  await gateway.stop()
  mock.stop()
})

test('an answer tells what is left, in OpenAI’s words and in Anthropic’s', async () => {
  const key = await makeKey(gateway, { rpm_limit: 10, tpm_limit: 100_000 })
  const said = await ask(gateway, { model: 'a', key })
  expect([said.headers.get('x-ratelimit-limit-requests'), said.headers.get('x-ratelimit-remaining-requests')]).toEqual([
    '10',
    '9',
  ])
  expect(said.headers.get('x-ratelimit-reset-requests')).toMatch(/^(59|6\d)\.\d{3}s$/)
  expect(said.headers.get('x-ratelimit-limit-tokens')).toBe('100000')
  expect(said.headers.get('anthropic-ratelimit-requests-limit')).toBeNull()
  const anthropic = await fetch(`${gateway.url}/v1/messages`, {
    method: 'POST',
    headers: { 'x-api-key': key, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'a', max_tokens: 5, messages: [{ role: 'user', content: 'Hi' }] }),
  })
  expect(anthropic.headers.get('anthropic-ratelimit-requests-remaining')).toBe('8')
  expect(Date.parse(anthropic.headers.get('anthropic-ratelimit-requests-reset') ?? '')).toBeGreaterThan(Date.now())
})

test('a refusal names the limit, whose it is, how full it is and when to come back; it burns none of the others', async () => {
  const key = await makeKey(gateway, { rpm_limit: 2, rpd_limit: 100, team_id: 'limited' })
  await ask(gateway, { model: 'a', key })
  await ask(gateway, { model: 'a', key })
  for (let i = 0; i < 5; i++) {
    const said = await ask(gateway, { model: 'b', key })
    expect(said.status).toBe(429)
    expect(Number(said.headers.get('retry-after'))).toBeGreaterThan(50)
    expect(JSON.parse(said.body).error).toMatchObject({
      limit: 'requests',
      used: 2,
      max: 2,
      entity_type: 'key',
      reset_in_ms: expect.any(Number),
    })
    expect(said.headers.get('x-ratelimit-remaining-requests')).toBe('0')
  }
  // The model's own limit was not touched by them.
  for (let i = 0; i < 3; i++) expect((await ask(gateway, { model: 'b' })).status).toBe(200)
  const full = await ask(gateway, { model: 'b' })
  expect(full).toMatchObject({ status: 429, error: expect.stringContaining("model 'b'") })
})

test('a key and a model together; a day; evenly spaced', async () => {
  const key = await makeKey(gateway, { model_rpm_limit: { a: 1 }, rpd_limit: 3 })
  expect((await ask(gateway, { model: 'a', key })).status).toBe(200)
  expect(await ask(gateway, { model: 'a', key })).toMatchObject({
    status: 429,
    error: expect.stringContaining("this API key and the model 'a'"),
  })
  expect((await ask(gateway, { model: 'slow', key })).status).toBe(200)
  expect((await ask(gateway, { model: 'slow', key })).status).toBe(200)
  const day = await ask(gateway, { model: 'slow', key })
  expect(day).toMatchObject({ status: 429, error: expect.stringContaining('3 of 3 requests a day') })
  const spaced = await makeKey(gateway, { rate_limit: '5r/s burst 1' })
  const began = performance.now()
  const all = await Promise.all(Array.from({ length: 3 }, () => ask(gateway, { model: 'a', key: spaced })))
  expect(all.map((said) => said.status).sort()).toEqual([200, 200, 429])
  expect(performance.now() - began).toBeGreaterThan(150)
  const info = (await (await gateway.call('GET', `/key/info?key=${spaced}`)).json()) as {
    info: Record<string, unknown>
  }
  expect(info.info.rate_limit).toBe('5r/s burst 1')
  expect((await gateway.call('POST', '/key/generate', { rate_limit: 'fast' })).status).toBe(400)
})

describe('of nobody who pays', () => {
  test('the gateway, an address, and the two classes of routes', async () => {
    for (const [limits, whose] of [
      [{ gateway: { rpm: 2 } }, 'the whole gateway'],
      [{ ip: { rpm: 2 } }, 'the address 127.0.0.1'],
      [{ generation: { rpm: 2 } }, 'generation routes'],
    ] as const) {
      const other = await start(limits)
      try {
        for (let i = 0; i < 2; i++) expect((await ask(other, { model: 'a' })).status).toBe(200)
        expect(await ask(other, { model: 'a' })).toMatchObject({ status: 429, error: expect.stringContaining(whose) })
        // Files are another class of routes.
        const files = await other.call('GET', '/v1/files')
        expect([whose, files.status]).toEqual([whose, whose === 'generation routes' ? 200 : 429])
      } finally {
        await other.stop()
      }
    }
  }, 30_000)

  test('a day is not given back by a restart', async () => {
    const first = await start({ gateway: { rpd: 3 } }, {}, `${gateway.dataDir}-day`)
    for (let i = 0; i < 2; i++) expect((await ask(first, { model: 'a' })).status).toBe(200)
    await first.stop()
    const second = await start({ gateway: { rpd: 3 } }, {}, `${gateway.dataDir}-day`)
    expect((await ask(second, { model: 'a' })).status).toBe(200)
    expect((await ask(second, { model: 'a' })).status).toBe(429)
    await second.stop()
  })

  test('a shared limit keeps each priority its part', async () => {
    const shared = await start({ gateway: { rpm: 20 } }, { priority_reservation: { interactive: 0.5, batch: 0.5 } })
    try {
      const batch = await makeKey(shared, { metadata: { priority: 'batch' } })
      const interactive = await makeKey(shared, { metadata: { priority: 'interactive' } })
      const got = await Promise.all(Array.from({ length: 30 }, () => ask(shared, { model: 'a', key: batch })))
      expect(got.filter((said) => said.status === 200)).toHaveLength(19)
      expect(got.find((said) => said.status === 429)?.error).toContain("the part of priority 'batch'")
      expect((await ask(shared, { model: 'a', key: interactive })).status).toBe(200)
    } finally {
      await shared.stop()
    }
  })
})
