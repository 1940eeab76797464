/** Which credentials open the door, where they may stand, what a key may use, and how fast. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { ask, type Tongue } from '../support/ask.ts'
import { makeKey } from '../support/books.ts'
import { bearer, CHAT, startWorld, type World } from './world.ts'

let world: World
/** Lives for a second, which is over when it is used. */
let short: string
let shortUntil: number
beforeAll(async () => {
  world = await startWorld({
    general_settings: { litellm_key_header_name: 'X-Company-Key' },
    tollgate: { auth_attempts: { free: 1_000 } },
  })
  short = await makeKey(world.gateway, { duration: '1s' })
  shortUntil = Date.now() + 1_000
})
afterAll(() => world.stop())

const HEADERS: [string, (key: string) => Record<string, string>][] = [
  ['Authorization: Bearer', bearer],
  ['authorization in lower case', (key) => ({ authorization: `bearer ${key}` })],
  ['x-api-key', (key) => ({ 'x-api-key': key })],
  ['api-key', (key) => ({ 'api-key': key })],
  ["a header of one's own", (key) => ({ 'x-company-key': key })],
  ["a header of one's own, as a bearer", (key) => ({ 'X-Company-Key': `Bearer ${key}` })],
]

test.each(HEADERS)('%s', async (_, headers) => {
  const key = await makeKey(world.gateway)
  for (const good of [key, world.gateway.masterKey])
    expect((await world.send('POST', '/v1/chat/completions', headers(good), CHAT)).status).toBe(200)
  const bad = await world.send('POST', '/v1/chat/completions', headers(`${key}x`), CHAT)
  expect(bad.status).toBe(401)
  expect(bad.text).not.toContain(key)
})

test("a client's own credentials are not handed to the upstream", async () => {
  const key = await makeKey(world.gateway)
  await world.send('POST', '/v1/chat/completions', { ...bearer(key), 'x-api-key': key, cookie: 'session=1' }, CHAT)
  const seen = JSON.stringify(world.mock.requests.at(-1)?.headers)
  expect(seen).toContain('sk-up')
  expect(seen).not.toContain(key)
  expect(seen).not.toContain('session=1')
})

const DOORS: [string, string, unknown][] = [
  ['POST', '/v1/chat/completions', CHAT],
  ['POST', '/v1/completions', { model: 'fast', prompt: 'Hi' }],
  ['POST', '/v1/embeddings', { model: 'fast', input: 'Hi' }],
  ['GET', '/v1/models', undefined],
  ['POST', '/api/chat', CHAT],
  ['POST', '/api/generate', { model: 'fast', prompt: 'Hi' }],
  ['POST', '/api/embed', { model: 'fast', input: 'Hi' }],
  ['GET', '/api/tags', undefined],
  ['GET', '/api/ps', undefined],
  ['POST', '/api/show', { model: 'fast' }],
]

test.each(DOORS)('%s %s: no key, an unknown one, an expired one, a blocked one', async (method, path, body) => {
  const blocked = await makeKey(world.gateway, { blocked: true })
  const before = world.mock.requests.length
  const cases: [Record<string, string>, string][] = [
    [{}, 'missing_api_key'],
    [bearer(''), 'api_key'],
    [bearer('sk-nobody-has-this-one'), 'invalid_api_key'],
    [{ authorization: 'Basic dXNlcjpwYXNz' }, 'missing_api_key'],
    [bearer(blocked), 'blocked_api_key'],
  ]
  const check = async (headers: Record<string, string>, code: string) => {
    const reply = await world.send(method, path, headers, body)
    expect([reply.status, code]).toEqual([401, code])
    expect(reply.headers.get('www-authenticate')).toBe('Bearer')
    expect(reply.headers.get('x-request-id')).toBeTruthy()
    const { error } = reply.body as { error: string | { code: string; type: string; message: string } }
    if (path.startsWith('/api/')) expect(typeof error).toBe('string')
    else expect(error).toMatchObject({ code: expect.stringContaining(code), type: 'authentication_error' })
    expect(reply.text).not.toContain('sk-nobody')
  }
  for (const [headers, code] of cases) await check(headers, code)
  await Bun.sleep(Math.max(0, shortUntil - Date.now()) + 5)
  await check(bearer(short), 'expired_api_key')
  expect(world.mock.requests.length).toBe(before)
})

test('a key for some models uses those, sees those, and hears of those', async () => {
  const key = await makeKey(world.gateway, { models: ['fast', 'team/*'] })
  const can: [string, number][] = [
    ['fast', 200],
    ['team/a', 200],
    ['team/b', 200],
    ['slow', 403],
    ['nothing-of-the-kind', 404],
  ]
  for (const [model, status] of can)
    for (const tongue of ['openai', 'ollama'] as const satisfies readonly Tongue[])
      expect([model, tongue, (await ask(world.gateway, { model, tongue, key })).status]).toEqual([
        model,
        tongue,
        status,
      ])
  const refused = await ask(world.gateway, { model: 'slow', key })
  expect(refused.error).toMatch(/fast, team\/a, team\/b/)
  const unknown = await ask(world.gateway, { model: 'nothing-of-the-kind', key })
  expect(unknown.error).toMatch(/nothing-of-the-kind.*fast, team\/a, team\/b/)
  expect(unknown.error).not.toContain('slow')
  const list = await world.send('GET', '/v1/models', bearer(key))
  expect((list.body.data as { id: string }[]).map((m) => m.id).sort()).toEqual(['fast', 'team/a', 'team/b'])
  const tags = await world.send('GET', '/api/tags', bearer(key))
  expect(tags.text).not.toContain('slow')
})

test('requests a minute: as many as were granted, also at once, and then a 429 that says when', async () => {
  const key = await makeKey(world.gateway, { rpm_limit: 5 })
  const all = await Promise.all(Array.from({ length: 20 }, () => ask(world.gateway, { model: 'fast', key })))
  expect(all.filter((s) => s.status === 200)).toHaveLength(5)
  for (const said of all.filter((s) => s.status !== 200)) {
    expect(said.status).toBe(429)
    expect(Number(said.headers.get('retry-after'))).toBeWithin(1, 62)
    expect(said.error).toMatch(/5 of 5 requests/)
  }
  const other = await makeKey(world.gateway, { rpm_limit: 5 })
  expect((await ask(world.gateway, { model: 'fast', key: other })).status).toBe(200)
  // A raised limit holds at once.
  await world.gateway.call('POST', '/key/update', { key, rpm_limit: 6 })
  expect((await ask(world.gateway, { model: 'fast', key })).status).toBe(200)
  expect((await ask(world.gateway, { model: 'fast', key })).status).toBe(429)
})

test('tokens a minute are those that were used, whatever was asked for', async () => {
  const key = await makeKey(world.gateway, { tpm_limit: 400 })
  // 12 tokens each. What a request might use counts only until it is known.
  for (let i = 0; i < 10; i++) {
    const said = await ask(world.gateway, { model: 'fast', key, stream: i % 2 === 0, more: { max_tokens: 200 } })
    expect([i, said.status]).toEqual([i, 200])
  }
  const small = await makeKey(world.gateway, { tpm_limit: 20 })
  expect((await ask(world.gateway, { model: 'fast', key: small, more: { max_tokens: 10 } })).status).toBe(200)
  const said = await ask(world.gateway, { model: 'fast', key: small, more: { max_tokens: 10 } })
  expect([said.status, said.error]).toEqual([429, expect.stringMatching(/of 20 tokens/)])
  expect(Number(said.headers.get('retry-after'))).toBeWithin(1, 62)
})

test('requests at once: the slot is free again however its request ends', async () => {
  const key = await makeKey(world.gateway, { max_parallel_requests: 2 })
  world.mock.plan('slow', ['slow:30'])
  const leave = new AbortController()
  const running = [
    ask(world.gateway, { model: 'slow', key, stream: true }),
    ask(world.gateway, { model: 'slow', key, stream: true, signal: leave.signal }).catch(() => undefined),
  ]
  await world.mock.until(() => world.mock.of('slow').length === 2)
  const third = await ask(world.gateway, { model: 'fast', key, tongue: 'ollama' })
  expect([third.status, third.error]).toEqual([429, expect.stringMatching(/2 of 2 parallel requests/)])
  expect(third.headers.get('retry-after')).toBe('1')
  leave.abort()
  await Promise.all(running)
  world.mock.plan('fast', ['status:400', 'cut:3', 'ok'])
  const after: number[] = []
  for (let i = 0; i < 4; i++) after.push((await ask(world.gateway, { model: 'fast', key, stream: true })).status)
  expect(after).toEqual([400, 200, 200, 200])
  const two = await Promise.all([1, 2].map(() => ask(world.gateway, { model: 'fast', key })))
  expect(two.map((s) => s.status)).toEqual([200, 200])
})

test('a refusal by one limit uses up none of the others', async () => {
  const key = await makeKey(world.gateway, { rpm_limit: 3, models: ['fast'] })
  for (let i = 0; i < 5; i++) expect((await ask(world.gateway, { model: 'slow', key })).status).toBe(403)
  for (let i = 0; i < 5; i++) expect((await ask(world.gateway, { model: 'no', key })).status).toBe(404)
  for (let i = 0; i < 3; i++) expect((await ask(world.gateway, { model: 'fast', key })).status).toBe(200)
})
