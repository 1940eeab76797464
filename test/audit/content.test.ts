/** Content is kept of those alone who ask for it, sealed, and read by those alone who are named, each time with an entry. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { type Mock, startMock } from '../mock/upstream.ts'
import { makeKey } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'

let mock: Mock
let gateway: Gateway
let reader: string
beforeAll(async () => {
  mock = await startMock({ words: 5 })
  gateway = await start()
  reader = await makeUser(gateway, 'rita', { content_reader: true })
})
afterAll(async () => {
  await gateway.stop()
  await mock.stop()
})

type Json = Record<string, unknown>

const start = (more: Json = {}) =>
  startGateway({
    yaml: {
      model_list: [
        { model_name: 'm', litellm_params: { model: 'openai/m', api_base: `${mock.url}/v1`, api_key: 'k' } },
      ],
      ...more,
      tollgate: { unpriced: 'allow', content_log: { most_kb: 2 } },
    },
  })

async function makeUser(
  at: Gateway,
  user_id: string,
  metadata: Json,
  user_role = 'proxy_admin_viewer',
): Promise<string> {
  const made = await at.call('POST', '/user/new', { user_id, user_role, metadata })
  return ((await made.json()) as { key: string }).key
}

const as = (key: string, path: string, body?: unknown, headers: Record<string, string> = {}, at = gateway) =>
  fetch(at.url + path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })

const chat = (content: string, more: Json = {}) => ({ model: 'm', messages: [{ role: 'user', content }], ...more })

/** Asks, and says what is kept of it. */
async function keptOf(key: string, body: Json, path = '/v1/chat/completions', headers: Record<string, string> = {}) {
  const response = await as(key, path, body, headers)
  const text = await response.text()
  const id = response.headers.get('x-request-id') ?? ''
  await Bun.sleep(150)
  const read = await as(reader, `/content/${id}`)
  return {
    text,
    id,
    status: read.status,
    content: (await read.json()) as { request: Json; answer: Json; status: number },
  }
}

test('of a key that did not ask nothing is kept', async () => {
  const { status } = await keptOf(await makeKey(gateway), chat('silence'))
  expect(status).toBe(404)
})

test('of a key, a team and a project that ask: the request as it came, and the answer as it went', async () => {
  const asked = { metadata: { log_content: true } }
  await gateway.call('POST', '/team/new', { team_id: 'red', ...asked })
  await gateway.call('POST', '/team/new', { team_id: 'blue' })
  await gateway.call('POST', '/project/new', { project_id: 'p', team_id: 'blue', ...asked })
  for (const whose of [asked, { team_id: 'red' }, { team_id: 'blue', project_id: 'p' }]) {
    const key = await makeKey(gateway, whose)
    const said = chat(`kept ${JSON.stringify(whose)}`)
    const { status, content, text } = await keptOf(key, said)
    expect([status, content.request.text, content.answer.text, content.status]).toEqual([
      200,
      JSON.stringify(said),
      text,
      200,
    ])
  }
})

test('streams and other dialects likewise, and what is refused', async () => {
  const key = await makeKey(gateway, { metadata: { log_content: true } })
  const stream = await keptOf(key, chat('x', { stream: true }))
  expect(stream.content.answer).toMatchObject({ text: stream.text, cut: 0 })
  expect(stream.text).toContain('[DONE]')
  const anthropic = await keptOf(key, chat('x', { max_tokens: 5, stream: true }), '/v1/messages')
  expect(anthropic.content.answer.text).toBe(anthropic.text)
  const refused = await keptOf(key, chat('x', { model: 'none' }))
  expect(refused.content).toMatchObject({ status: 404, answer: { text: refused.text } })
})

test('what is too much is cut, and that is said', async () => {
  const key = await makeKey(gateway, { metadata: { log_content: true } })
  const { content } = await keptOf(key, chat('x'.repeat(5_000)))
  expect((content.request.text as string).length).toBe(2_048)
  expect(content.request.cut).toBe(JSON.stringify(chat('x'.repeat(5_000))).length - 2_048)
})

test('a caller may say no, in the body or in a header, and no upstream is told of it', async () => {
  const key = await makeKey(gateway, { metadata: { log_content: true } })
  expect((await keptOf(key, chat('x', { 'no-log': true }))).status).toBe(404)
  expect((await keptOf(key, chat('x'), undefined, { 'x-tollgate-no-log': 'true' })).status).toBe(404)
  expect((await keptOf(key, chat('x', { 'no-log': false }))).status).toBe(200)
  expect(JSON.stringify(mock.requests)).not.toContain('no-log')
})

test('it is read by those alone who are named, never by the master key, and each reading is written down', async () => {
  const key = await makeKey(gateway, { metadata: { log_content: true } })
  const { id } = await keptOf(key, chat('x'))
  const others = [
    gateway.masterKey,
    await makeUser(gateway, 'paul', {}, 'proxy_admin'),
    await makeUser(gateway, 'ines', { content_reader: true }, 'internal_user'),
    key,
  ]
  for (const other of others) expect((await as(other, `/content/${id}`)).status).toBe(403)
  const { audit_logs: logs } = (await (
    await gateway.call('GET', '/audit?page_size=100&table_name=content')
  ).json()) as {
    audit_logs: Json[]
  }
  expect(logs.find(({ object_id }) => object_id === id)).toMatchObject({
    action: 'read',
    role: 'proxy_admin_viewer',
    status: 200,
  })
})

test('on the disk there is nothing of it to be read', async () => {
  const sqlite = new Database(join(gateway.dataDir, 'tollgate.sqlite'), { readonly: true })
  const all = sqlite.prepare('SELECT sealed FROM contents').pluck().all() as Buffer[]
  sqlite.close()
  expect(all.length).toBeGreaterThan(5)
  for (const one of all) expect(one.toString('latin1')).not.toMatch(/messages|content|choices/)
})

test("LiteLLM's switches: of everybody, of nobody, and callers who are not heard", async () => {
  const all = await start({
    general_settings: { store_prompts_in_spend_logs: true },
    litellm_settings: { global_disable_no_log_param: true },
  })
  const none = await start({ litellm_settings: { turn_off_message_logging: true } })
  try {
    for (const [at, metadata, expected] of [
      [all, {}, 200],
      [none, { log_content: true }, 404],
    ] as const) {
      const rita = await makeUser(at, 'rita', { content_reader: true })
      const key = await makeKey(at, { metadata })
      const response = await as(key, '/v1/chat/completions', chat('x', { 'no-log': true }), {}, at)
      await response.text()
      await Bun.sleep(150)
      expect((await as(rita, `/content/${response.headers.get('x-request-id')}`, undefined, {}, at)).status).toBe(
        expected,
      )
    }
  } finally {
    await Promise.all([all.stop(), none.stop()])
  }
}, 30_000)
