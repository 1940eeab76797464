/** What a gateway writes down of the requests that pass it, over the wire. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { tollgate } from '../cli/world.ts'
import { type Mock, startMock } from '../mock/upstream.ts'
import { makeKey } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'

let mock: Mock
let gateway: Gateway
let key: string
beforeAll(async () => {
  mock = await startMock({ words: 5 })
  const target = { api_base: `${mock.url}/v1`, api_key: 'sk-up' }
  const price = { input_cost_per_token: 1e-6, output_cost_per_token: 1e-6 }
  gateway = await startGateway({
    yaml: {
      model_list: [
        { model_name: 'm', litellm_params: { model: 'openai/m', ...target, ...price } },
        {
          model_name: 'dead',
          litellm_params: { model: 'openai/m', api_base: 'http://127.0.0.1:9/v1', api_key: 'k', ...price },
        },
      ],
      router_settings: { fallbacks: [{ dead: ['m'] }], num_retries: 0 },
      litellm_settings: { request_timeout: 20 },
    },
  })
  key = await makeKey(gateway, { user_id: 'ada', team_id: undefined })
})
afterAll(async () => {
  await gateway.stop()
  await mock.stop()
})

type Entry = Record<string, unknown>

const post = (path: string, body: unknown, as = key) =>
  fetch(gateway.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${as}`, 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })

const chat = (content: string, more: object = {}) => ({ model: 'm', messages: [{ role: 'user', content }], ...more })

function entries(): Entry[] {
  const sqlite = new Database(join(gateway.dataDir, 'tollgate.sqlite'), { readonly: true })
  const bodies = sqlite.prepare('SELECT body FROM audit_requests ORDER BY seq').pluck().all() as string[]
  sqlite.close()
  return bodies.map((body) => JSON.parse(body))
}

/** The entry of the answer's request, when it is written. */
async function entryOf(response: Response): Promise<Entry> {
  await response.text()
  const id = response.headers.get('x-request-id')
  for (let i = 0; i < 200; i++) {
    const found = entries().filter((one) => one.id === id)
    expect(found.length).toBeLessThan(2)
    if (found[0]) return found[0]
    await Bun.sleep(10)
  }
  throw new Error(`no entry of ${id}`)
}

test('an entry says who, what, when, what it cost and what came of it, and nothing of what was said', async () => {
  const body = JSON.stringify(chat('my secret thoughts', { user: 'shop-17' }))
  const entry = await entryOf(await post('/v1/chat/completions', body))
  expect(entry).toMatchObject({
    ...{ kind: 'request', call: 'acompletion', model: 'm', target: 'openai/m', status: 200, outcome: 'ok' },
    ...{ role: 'customer', way: 'key', ip: '127.0.0.0', bytes: body.length, stream: false, output_tokens: 5 },
    attempts: [['m#1', 'ok']],
  })
  expect(entry.cost_nano).toBe(1_000 * ((entry.input_tokens as number) + 5))
  expect(Math.abs(Date.parse(String(entry.time)) - Date.now())).toBeLessThan(60_000)
  expect(entry.prompt).toMatch(/^[\da-f]{64}$/)
  for (const name of ['key', 'user', 'customer']) expect(entry[name]).toMatch(/^[\da-f]{32}$/)
  expect(JSON.stringify(entry)).not.toMatch(/secret|thoughts|"ada"|shop-17/)
  // The same ones are found again, and others are others.
  const again = await entryOf(await post('/v1/chat/completions', body))
  expect([again.key, again.user, again.customer, again.prompt]).toEqual([
    entry.key,
    entry.user,
    entry.customer,
    entry.prompt,
  ])
  const other = await entryOf(await post('/v1/chat/completions', chat('another', { user: 'shop-18' })))
  expect(other.prompt).not.toBe(entry.prompt)
  expect([other.user, other.customer === entry.customer]).toEqual([entry.user, false])
})

test('each dialect, streams, counting and what is refused have one each', async () => {
  const said: [string, object | string, Partial<Entry>][] = [
    ['/v1/chat/completions', chat('x', { stream: true }), { stream: true, status: 200, outcome: 'ok' }],
    ['/v1/messages', chat('x', { max_tokens: 9 }), { call: 'anthropic_messages', outcome: 'ok' }],
    ['/api/chat', chat('x'), { call: 'acompletion', outcome: 'ok', stream: true }],
    ['/v1/embeddings', { model: 'm', input: 'x' }, { call: 'aembedding', outcome: 'ok' }],
    ['/v1/messages/count_tokens', chat('x'), { call: 'count', outcome: 'counted', cost_nano: 0 }],
    ['/v1/chat/completions', '{"model":', { status: 400, outcome: 'invalid_json' }],
    ['/v1/chat/completions', chat('x', { model: 'nobody' }), { status: 404, outcome: 'model_not_found' }],
    ['/openai/v1/fine_tuning/jobs', {}, { call: 'pass_through_endpoint', status: 403, outcome: 'forbidden' }],
    ['/v1/files', {}, { status: 400 }],
  ]
  for (const [path, body, expected] of said)
    expect({ path, ...(await entryOf(await post(path, body))) }).toMatchObject({ path, ...expected })
})

test('attempts are told with what came of each', async () => {
  const entry = await entryOf(await post('/v1/chat/completions', chat('x', { model: 'dead' })))
  expect(entry).toMatchObject({ model: 'dead', target: 'openai/m', outcome: 'ok' })
  const attempts = entry.attempts as [string, string][]
  expect(attempts[0]?.[0]).toBe('dead#1')
  expect(attempts[0]?.[1]).not.toBe('ok')
  expect(attempts.at(-1)).toEqual(['m#1', 'ok'])
})

test('a body that is large is hashed as the small ones are', async () => {
  const body = JSON.stringify(chat('x'.repeat(3_000_000)))
  const [one, two] = await Promise.all([post('/v1/chat/completions', body), post('/v1/chat/completions', body)])
  const [a, b] = [await entryOf(one), await entryOf(two)]
  expect(a).toMatchObject({ bytes: body.length, prompt: b.prompt as string })
  const file = join(gateway.dataDir, 'body.json')
  writeFileSync(file, body)
  const { out } = await tollgate(['audit', 'hash', file, '--data', gateway.dataDir])
  expect(out).toBe(String(a.prompt))
})

test('strangers are told one by one, and from the sixtieth in a minute on as one', async () => {
  for (let i = 0; i < 150; i++) await (await post('/v1/chat/completions', chat('x'), 'sk-nobody')).text()
  await Bun.sleep(200)
  const told = entries().filter((one) => one.outcome === 'invalid_api_key' || one.outcome === 'too_many_attempts')
  expect(told.length).toBe(60)
  expect(told[0]).toMatchObject({ outcome: 'invalid_api_key', status: 401, ip: '127.0.0.0' })
})

test('while it runs, and after its end, the audit is whole; what was folded is told', async () => {
  const running = await tollgate(['audit', 'verify', '--data', gateway.dataDir])
  expect([running.code, running.out]).toEqual([0, expect.stringContaining('The audit is whole.')])
  process.kill(gateway.pid, 'SIGTERM')
  for (let i = 0; i < 500 && !entries().some(({ kind }) => kind === 'stop'); i++) await Bun.sleep(20)
  const all = entries()
  expect(all[0]).toMatchObject({ kind: 'start' })
  expect(all.at(-1)).toMatchObject({ kind: 'stop' })
  const folded = all.find(({ kind }) => kind === 'folded')
  expect(folded).toMatchObject({ ips: ['127.0.0.0'] })
  expect((folded?.count as number) + all.filter(({ status }) => status === 401 || status === 429).length).toBe(150)
  const { code, out } = await tollgate(['audit', 'verify', '--data', gateway.dataDir])
  expect(out).not.toContain('not yet')
  expect(code).toBe(0)
})
