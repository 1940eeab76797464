/** Who may no longer be here is cut off within a second, wherever his request is, told why in his own dialect, and charged for what was said. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Mock, startMock } from '../mock/upstream.ts'
import { atRest, makeKey, rowsOf } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'

/** What the issue promises, from the answer of whoever revokes to the end of the stream. */
const PROMISED_MS = 1_000
const PRICED = { input_cost_per_token: 1e-6, output_cost_per_token: 1e-6 }

let mock: Mock
let gpu: Mock
let gateway: Gateway
beforeAll(async () => {
  mock = await startMock({ words: 2_000 })
  gpu = await startMock({ words: 2_000, slots: 1 })
  gpu.house.load('one')
  const at = (model_name: string, model: string, house = mock) => ({
    model_name,
    litellm_params: {
      ...{ model, api_key: 'sk-up', ...PRICED },
      api_base: model.startsWith('openai/') ? `${house.url}/v1` : house.url,
    },
  })
  gateway = await startGateway({
    yaml: {
      model_list: [
        at('m', 'openai/m!slow:10'),
        at('claude', 'anthropic/m!slow:10'),
        at('silent', 'openai/m!stall:5'),
        at('late', 'openai/m!slowfirst:60000'),
        at('house', 'ollama/one!slow:10', gpu),
      ],
      tollgate: {
        backends: { [gpu.url]: { slots: 1, queue: 5 }, [mock.url]: { slots: 100 } },
        auth_attempts: { free: 1_000 },
      },
    },
  })
})
afterAll(async () => {
  await gateway.stop()
  mock.stop()
  gpu.stop()
})

const TEXT = 'Hi there'
const messages = [{ role: 'user', content: TEXT }]
type Body = Record<string, unknown>

/** Each dialect: its request, what its clients see as words, as an error, and as the end of a whole stream. */
const CALLERS: Record<string, { path: string; body: Body; error: RegExp; end: RegExp; key?: string }> = {
  'chat completions': {
    ...{ path: '/v1/chat/completions', body: { model: 'm', messages, stream: true } },
    ...{ error: /^data: \{"error":\{.*API key/m, end: /\[DONE\]/ },
  },
  'chat completions, translated': {
    ...{ path: '/v1/chat/completions', body: { model: 'claude', messages, stream: true } },
    ...{ error: /^data: \{"error":\{.*API key/m, end: /\[DONE\]/ },
  },
  completions: {
    ...{ path: '/v1/completions', body: { model: 'm', prompt: TEXT, stream: true } },
    ...{ error: /^data: \{"error":\{.*API key/m, end: /\[DONE\]/ },
  },
  responses: {
    ...{ path: '/v1/responses', body: { model: 'm', input: TEXT, stream: true } },
    ...{ error: /^event: (error|response\.failed)\ndata: .*API key/m, end: /response\.completed/ },
  },
  anthropic: {
    ...{ path: '/v1/messages', body: { model: 'm', messages, stream: true, max_tokens: 4_000 } },
    ...{ error: /^event: error\ndata: \{"type":"error".*API key/m, end: /message_stop/ },
  },
  gemini: {
    path: '/v1beta/models/m:streamGenerateContent?alt=sse',
    body: { contents: [{ role: 'user', parts: [{ text: TEXT }] }] },
    ...{ error: /^data: \{"error":\{.*API key/m, end: /"finishReason": ?"STOP"/ },
  },
  "gemini's array": {
    path: '/v1beta/models/m:streamGenerateContent',
    body: { contents: [{ role: 'user', parts: [{ text: TEXT }] }] },
    ...{ error: /"error":\{.*API key/, end: /"finishReason": ?"STOP"/ },
  },
  'ollama chat': {
    ...{ path: '/api/chat', body: { model: 'm', messages } },
    ...{ error: /^\{"error":"[^"]*API key/m, end: /"done":true/ },
  },
  'ollama generate': {
    ...{ path: '/api/generate', body: { model: 'm', prompt: TEXT } },
    ...{ error: /^\{"error":"[^"]*API key/m, end: /"done":true/ },
  },
  'a silent stream': {
    ...{ path: '/v1/chat/completions', body: { model: 'silent', messages, stream: true } },
    ...{ error: /^data: \{"error":\{.*API key/m, end: /\[DONE\]/ },
  },
}

const send = (key: string, path: string, body: Body): Promise<Response> =>
  fetch(gateway.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

/** A stream that has begun. */
async function begin(key: string, path: string, body: Body) {
  const reply = await send(key, path, body)
  if (reply.status !== 200) throw new Error(`${path}: ${reply.status} ${await reply.text()}`)
  const reader = reply.body!.getReader()
  const decoder = new TextDecoder()
  let text = decoder.decode((await reader.read()).value, { stream: true })
  const rest = (async () => {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return Date.now()
      text += decoder.decode(value, { stream: true })
    }
  })()
  return { text: () => text, rest }
}

async function manage(method: string, path: string, body: Body): Promise<Record<string, unknown>> {
  const reply = await gateway.call(method, path, body)
  if (reply.status !== 200) throw new Error(`${path}: ${reply.status} ${await reply.text()}`)
  return (await reply.json()) as Record<string, unknown>
}

test.each(Object.entries(CALLERS))('%s: the stream ends with an error', async (_, { path, body, error, end }) => {
  const key = await makeKey(gateway)
  const stream = await begin(key, path, body)
  await Bun.sleep(100)
  await manage('POST', '/key/block', { key })
  const at = Date.now()
  expect((await stream.rest) - at).toBeLessThan(PROMISED_MS)
  expect(stream.text()).toMatch(error)
  expect(stream.text()).not.toMatch(end)
  await atRest(gateway)
  const [row, ...others] = await rowsOf(gateway, key)
  expect(others).toEqual([])
  // What was said is paid for.
  expect(row).toMatchObject({ outcome: 'revoked', status: expect.anything() })
  expect(row?.completion_tokens).toBeGreaterThan(0)
  expect(row?.spend_nano).toBeGreaterThan(0)
})

const chat = (model: string, stream: boolean): Body => ({ model, messages, stream })
let count = 0
const fresh = (kind: string): string => `${kind}-${count++}`

describe('whoever takes the leave away', () => {
  const ways: [string, (key: string, ids: Record<string, string>) => Promise<unknown>][] = [
    ['the key is deleted', (key) => manage('POST', '/key/delete', { keys: [key] })],
    [
      'the key expires at once',
      (key) => manage('POST', '/key/update', { key, duration: '1s' }).then(() => Bun.sleep(1_000)),
    ],
    ['its secret is replaced', (key) => manage('POST', '/key/regenerate', { key })],
    ['its team is blocked', (_, { team }) => manage('POST', '/team/block', { team_id: team })],
    ['its team is deleted', (_, { team }) => manage('POST', '/team/delete', { team_ids: [team] })],
    ['its user is blocked', (_, { user }) => manage('POST', '/user/update', { user_id: user, blocked: true })],
    ['its user is deleted', (_, { user }) => manage('POST', '/user/delete', { user_ids: [user] })],
    [
      'its project is blocked',
      (_, { project }) => manage('POST', '/project/update', { project_id: project, blocked: true }),
    ],
    ['its project is deleted', (_, { project }) => manage('DELETE', '/project/delete', { project_ids: [project] })],
    [
      'its organisation is blocked',
      (_, { org }) => manage('PATCH', '/organization/update', { organization_id: org, blocked: true }),
    ],
    [
      'its organisation is deleted',
      (_, { org }) => manage('DELETE', '/organization/delete', { organization_ids: [org] }),
    ],
  ]
  test.each(ways)('%s', async (_, revoke) => {
    const ids = { org: fresh('org'), team: fresh('team'), user: fresh('user'), project: fresh('project') }
    await manage('POST', '/organization/new', { organization_id: ids.org })
    await manage('POST', '/team/new', { team_id: ids.team, organization_id: ids.org })
    await manage('POST', '/user/new', { user_id: ids.user, auto_create_key: false })
    await manage('POST', '/project/new', { project_id: ids.project, team_id: ids.team })
    const key = await makeKey(gateway, { team_id: ids.team, user_id: ids.user, project_id: ids.project })
    const other = await makeKey(gateway)
    const stream = await begin(key, '/v1/chat/completions', chat('m', true))
    const stays = await begin(other, '/v1/chat/completions', chat('m', true))
    await revoke(key, ids)
    const at = Date.now()
    expect((await stream.rest) - at).toBeLessThan(PROMISED_MS)
    expect(stream.text()).toMatch(/^data: \{"error":\{/m)
    expect((await send(key, '/v1/chat/completions', chat('m', false))).status).toBe(401)
    // Nobody else is cut off.
    const before = stays.text().length
    await Bun.sleep(200)
    expect(stays.text().length).toBeGreaterThan(before)
    expect(stays.text()).not.toContain('"error"')
    await manage('POST', '/key/delete', { keys: [other] })
    await stays.rest
  })
})

test('a whole answer that is waited for: 401 at once, and the upstream is hung up on', async () => {
  const key = await makeKey(gateway)
  const asked = send(key, '/v1/chat/completions', chat('late', false))
  await mock.until(() => mock.of('m!slowfirst:60000').length > 0)
  const seen = mock.of('m!slowfirst:60000').at(-1)!
  await manage('POST', '/key/delete', { keys: [key] })
  const at = Date.now()
  const reply = await asked
  expect(Date.now() - at).toBeLessThan(PROMISED_MS)
  expect([reply.status, await reply.text()]).toEqual([401, expect.stringContaining('API key')])
  await mock.until(() => seen.abortedAt !== undefined)
})

test('a request that waits for a slot leaves the queue', async () => {
  const [holder, waiter] = [await makeKey(gateway), await makeKey(gateway)]
  const first = await begin(holder, '/api/chat', { model: 'house', messages })
  const waiting = send(waiter, '/v1/chat/completions', chat('house', false))
  const queued = async () => (await (await gateway.call('GET', '/backends')).text()).includes('"waiting":1')
  for (const end = Date.now() + 5_000; !(await queued()) && Date.now() < end; ) await Bun.sleep(20)
  await manage('POST', '/key/block', { key: waiter })
  const at = Date.now()
  expect((await waiting).status).toBe(401)
  expect(Date.now() - at).toBeLessThan(PROMISED_MS)
  await manage('POST', '/key/block', { key: holder })
  await first.rest
  await atRest(gateway)
})

test('what a deleted team had spent stays in the books, and its members are free of it', async () => {
  const [team, user] = [fresh('team'), fresh('user')]
  await manage('POST', '/user/new', { user_id: user, auto_create_key: false })
  await manage('POST', '/team/new', { team_id: team, members_with_roles: [{ user_id: user, role: 'admin' }] })
  const key = await makeKey(gateway, { team_id: team })
  const own = await makeKey(gateway, { user_id: user })
  const stream = await begin(key, '/v1/chat/completions', chat('m', true))
  const gone = await manage('POST', '/team/delete', { team_ids: [team] })
  const [token = '', ...others] = gone.deleted_keys as string[]
  expect([gone.deleted_teams, others]).toEqual([[team], []])
  await stream.rest
  await atRest(gateway)
  const rows = (await rowsOf(gateway)).filter((row) => row.api_key === token)
  expect(rows).toHaveLength(1)
  expect(rows[0]?.spend_nano).toBeGreaterThan(0)
  expect(((await (await gateway.call('GET', `/team/info?team_id=${team}`)).json()) as Body).keys).toEqual([])
  // His own key is no business of the team's.
  expect((await fetch(`${gateway.url}/key/info`, { headers: { authorization: `Bearer ${own}` } })).status).toBe(200)
})
