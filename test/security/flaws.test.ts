/** Public flaws of other gateways, tried here. Each names where it was told of. */

import { Database } from 'bun:sqlite'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { exchange } from './wire.ts'
import { digestsIn, leaks, SEALED, startWorld, type World } from './world.ts'

let world: World
/** What must never be reached: whoever gets there was led there by a caller. */
let canary: ReturnType<typeof Bun.serve>
let reached: string[] = []
beforeAll(async () => {
  world = await startWorld({ tollgate: { allow_from: { manage: ['127.0.0.1'] } } })
  canary = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: (request) => {
      reached.push(request.url)
      return Response.json({ choices: [{ message: { content: 'led away' } }] })
    },
  })
})
afterAll(async () => {
  await canary.stop(true)
  await world.stop()
})
beforeEach(() => {
  reached = []
  world.mock.reset()
})

const messages = [{ role: 'user', content: 'Hello' }]

async function send(path: string, body: unknown, headers: Record<string, string> = {}, method = 'POST') {
  const reply = await fetch(world.gateway.url + path, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: reply.status, text: await reply.text() }
}

const as = (key: string) => ({ authorization: `Bearer ${key}` })

/** Rows of a table, by a look at the file. */
function rowsIn(table: string): number {
  const db = new Database(join(world.gateway.dataDir, 'tollgate.sqlite'), { readonly: true })
  try {
    return (db.query(`SELECT count(*) AS n FROM ${table}`).get() as { n: number }).n
  } finally {
    db.close()
  }
}

describe('SQL where the key is checked (CVE-2026-42208)', () => {
  const INJECTED = [
    "' OR '1'='1",
    "sk-' OR 1=1 --",
    "x'; DROP TABLE keys; --",
    'sk-" UNION SELECT digest FROM keys --',
    'sk-%27%20OR%201=1',
  ]
  test.each(INJECTED)('%s', async (text) => {
    const before = rowsIn('keys')
    for (const header of ['authorization', 'x-api-key', 'api-key', 'x-goog-api-key', 'x-litellm-api-key']) {
      const value = header === 'authorization' ? `Bearer ${text}` : text
      const said = await send('/v1/models', undefined, { [header]: value }, 'GET')
      expect([header, said.status]).toEqual([header, 401])
      expect(said.text).not.toContain(text)
    }
    for (const path of [
      '/key/info?key=',
      '/key/list?key_alias=',
      '/spend/logs?api_key=',
      '/user/info?user_id=',
      '/team/info?team_id=',
    ])
      expect(
        (await send(path + encodeURIComponent(text), undefined, as(world.gateway.masterKey), 'GET')).status,
      ).toBeOneOf([200, 404])
    expect(rowsIn('keys')).toBe(before)
  })
})

test('what is stored of a key is none: neither its digest nor its id opens (GHSA-69x8-hrgq-fjj8)', async () => {
  const list = (await world.manage('GET', '/key/list?size=100')) as { keys: string[] }
  const stored = [...digestsIn(world.gateway.dataDir), ...list.keys]
  expect(stored.length).toBeGreaterThan(6)
  for (const text of stored.slice(0, 12))
    for (const value of [text, `sk-${text}`])
      expect((await send('/v1/models', undefined, as(value), 'GET')).status).toBeOneOf([401, 429])
})

test('nothing of the configuration is changed by a route, and nothing of the management without its role (CVE-2026-35029)', async () => {
  for (const path of [
    '/config/update',
    '/config/yaml',
    '/update/config',
    '/model/new',
    '/model/update',
    '/model/delete',
    '/config/pass_through_endpoint',
  ])
    for (const key of [world.keys.customer, world.gateway.masterKey]) {
      const said = await send(
        path,
        { general_settings: { master_key: 'sk-mine' }, environment_variables: { PATH: '/tmp' } },
        as(key),
      )
      expect([path, said.status]).toEqual([path, 404])
    }
  for (const path of [
    '/key/generate',
    '/team/new',
    '/user/new',
    '/organization/new',
    '/budget/new',
    '/customer/new',
    '/grant/approve',
    '/api/pull',
  ])
    for (const key of [world.keys.customer, world.keys.viewer]) {
      const said = await send(path, { team_id: 't', user_id: 'u', max_budget: 1 }, as(key))
      expect([path, said.status]).toEqual([path, 403])
    }
})

describe('a caller says where his request goes (CVE-2024-6587, CVE-2025-66405)', () => {
  const to = () => `http://127.0.0.1:${canary.port}`
  const FIELDS = [
    'api_base',
    'base_url',
    'apiBase',
    'baseURL',
    'custom_llm_provider',
    'api_key',
    'endpoint',
    'proxy',
    'aws_bedrock_runtime_endpoint',
    'azure_endpoint',
  ]

  test.each(FIELDS)('by %s in the body', async (field) => {
    for (const [path, body] of [
      ['/v1/chat/completions', { model: 'm', messages }],
      ['/v1/chat/completions', { model: 'claude', messages }],
      ['/v1/messages', { model: 'm', max_tokens: 5, messages }],
      ['/api/chat', { model: 'local', messages, stream: false }],
      ['/v1/embeddings', { model: 'm', input: 'x' }],
    ] as const)
      for (const more of [
        { [field]: to() },
        { metadata: { [field]: to() } },
        { extra_body: { [field]: to() } },
        { litellm_params: { [field]: to() } },
      ])
        await send(path, { ...body, ...more }, as(world.keys.owner))
    expect(reached).toEqual([])
  })

  test.each([
    'x-portkey-custom-host',
    'x-api-base',
    'x-base-url',
    'x-litellm-api-base',
    'x-forwarded-host',
    'x-original-url',
    'x-upstream',
    'x-target-url',
  ])('by the header %s', async (name) => {
    const said = await send('/v1/chat/completions', { model: 'm', messages }, { ...as(world.keys.owner), [name]: to() })
    expect([said.status, reached]).toEqual([200, []])
    expect(world.mock.requests.at(-1)?.headers[name]).toBeUndefined()
  })

  test('by the model, or by the path of what is passed through', async () => {
    for (const model of [to(), `openai/${to()}`, `m@127.0.0.1:${canary.port}`, `../../${canary.port}`])
      expect((await send('/v1/chat/completions', { model, messages }, as(world.keys.owner))).status).toBe(404)
    const host = `127.0.0.1:${canary.port}`
    for (const path of [
      `/openai//${host}/x`,
      `/openai/@${host}/x`,
      `/openai/%2f%2f${host}/x`,
      `/openai/..%2f..%2f@${host}`,
      `/openai/http://${host}/`,
    ])
      await send(path, {}, as(world.keys.customer))
    expect(reached).toEqual([])
  })

  test('by the address of a picture', async () => {
    const places = [
      ...[
        `${to()}/a.png`,
        `http://localhost:${canary.port}/a.png`,
        `http://[::1]:${canary.port}/a.png`,
        `http://2130706433:${canary.port}/a.png`,
      ],
      ...[
        `http://127.1:${canary.port}/a.png`,
        `http://0x7f.1:${canary.port}/`,
        `http://[::ffff:127.0.0.1]:${canary.port}/`,
        `http://0.0.0.0:${canary.port}/`,
      ],
      ...[
        'http://169.254.169.254/latest/meta-data/',
        'file:///etc/passwd',
        'gopher://127.0.0.1/',
        'http://metadata.google.internal/',
      ],
    ]
    for (const url of places)
      for (const model of ['local', 'gem']) {
        const content = [
          { type: 'text', text: 'x' },
          { type: 'image_url', image_url: { url } },
        ]
        const said = await send(
          '/v1/chat/completions',
          { model, messages: [{ role: 'user', content }] },
          as(world.keys.owner),
        )
        expect([url, model, said.status < 500]).toEqual([url, model, true])
      }
    expect(reached).toEqual([])
    expect(JSON.stringify(world.mock.requests.map(({ body }) => body))).not.toContain('root:')
  }, 60_000)
})

describe('headers that pretend', () => {
  const { customer } = { customer: () => world.keys.customer }

  test('who somebody is, is said by no header of a proxy that is not trusted', async () => {
    for (const name of [
      'X-Forwarded-User',
      'X-Remote-User',
      'Remote-User',
      'X-Auth-User',
      'X-Auth-Role',
      'X-Client-Cert',
      'X-Ssl-Client-S-Dn',
      'X-User-Id',
      'X-Webauth-User',
      'X-Amzn-Oidc-Identity',
    ])
      expect([name, (await send('/v1/models', undefined, { [name]: 'proxy_admin' }, 'GET')).status]).toEqual([
        name,
        401,
      ])
    for (const name of ['X-Auth-Role', 'X-Role', 'X-Litellm-Role', 'X-User-Role'])
      expect((await send('/key/list', undefined, { ...as(customer()), [name]: 'proxy_admin' }, 'GET')).status).toBe(403)
  })

  test('where somebody comes from, neither', async () => {
    for (const name of [
      'X-Forwarded-For',
      'X-Real-IP',
      'Forwarded',
      'True-Client-IP',
      'CF-Connecting-IP',
      'X-Client-IP',
    ]) {
      const said = await send(
        '/key/list',
        undefined,
        { ...as(world.gateway.masterKey), [name]: name === 'Forwarded' ? 'for=203.0.113.9' : '203.0.113.9' },
        'GET',
      )
      expect([name, said.status]).toEqual([name, 200])
    }
  })

  test('neither does a method or a path that a header names take the place of the one that was sent', async () => {
    for (const headers of [
      { 'X-HTTP-Method-Override': 'DELETE' },
      { 'X-Original-URL': '/key/list' },
      { 'X-Rewrite-URL': '/key/list' },
    ]) {
      const said = await send(
        '/v1/models',
        undefined,
        { ...as(customer()), ...headers } as Record<string, string>,
        'GET',
      )
      expect([said.status, JSON.parse(said.text).object]).toEqual([200, 'list'])
    }
  })

  const CHAT = '{"model":"m","messages":[{"role":"user","content":"x"}]}'
  const smuggled = () =>
    `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${world.keys.owner}\r\nContent-Length: ${CHAT.length}\r\n\r\n${CHAT}`
  test.each([
    ['both a length and chunks', () => `Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled()}`],
    ['chunks and a length', () => `Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${smuggled()}`],
    ['two lengths', () => `Content-Length: 0\r\nContent-Length: 44\r\n\r\n${smuggled()}`],
    ['a length with a sign', () => `Content-Length: +0\r\n\r\n${smuggled()}`],
    [
      'a coding with a space before its colon',
      () => `Transfer-Encoding : chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${smuggled()}`,
    ],
    ['an unknown coding', () => `Transfer-Encoding: xchunked\r\nContent-Length: 0\r\n\r\n${smuggled()}`],
    ['a folded line', () => `X: a\r\n Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n${smuggled()}`],
  ])('two requests in the bytes of one: %s', async (_, rest) => {
    // Whoever sends the second as the body of the first, through a proxy that reads it so, must not have it served by another's key.
    const before = world.mock.requests.length
    const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sk-nobody-at-all\r\n`
    const { bytes } = await exchange(world.gateway.port, Buffer.from(head + rest(), 'latin1'), 1_500)
    const statuses = [...bytes.toString('latin1').matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, code]) => Number(code))
    // Refused as a whole, or read as two by the one rule that there is; never anything that is served under the first one's name.
    expect(statuses[0]).toBeOneOf([400, 401, 413, 429, 501, undefined as never])
    expect(statuses.length).toBeLessThanOrEqual(2)
    expect(world.mock.requests.length - before).toBeLessThanOrEqual(statuses.length > 1 ? 1 : 0)
  })

  test('a credential that stands twice is not tried one by one', async () => {
    const { status } = await exchange(
      world.gateway.port,
      Buffer.from(
        `GET /v1/models HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer sk-wrong-one-of-two\r\nAuthorization: Bearer ${world.keys.owner}\r\n\r\n`,
      ),
      5_000,
    )
    expect(status).toBeOneOf([400, 401, 429])
  })
})

describe('keys in logs and errors (GitHub issues of LiteLLM 15799, 6963, 5762)', () => {
  test('an upstream that tells its key in an error', async () => {
    for (const [model, path] of [
      ['m', '/v1/chat/completions'],
      ['claude', '/v1/messages'],
      ['gem', '/v1/chat/completions'],
    ] as const) {
      world.mock.plan('*', [{ status: 401, echoKey: true }])
      const said = await send(path, { model, max_tokens: 5, messages }, as(world.keys.owner))
      expect(leaks(world.secrets, said.text)).toEqual([])
      world.mock.plan('*', [{ status: 400, echoKey: true }])
      expect(
        leaks(world.secrets, (await send(path, { model, max_tokens: 5, messages }, as(world.keys.owner))).text),
      ).toEqual([])
    }
  })

  test('a key in the address, in the wrong header, in the body, in the path: none of it is written down or told', async () => {
    const key = world.keys.owner
    const told: string[] = []
    for (const path of [
      `/v1beta/models?key=${key}`,
      `/v1/models?api_key=${key}`,
      `/nowhere/${key}`,
      `/key/info?key=${key}`,
    ])
      told.push((await send(path, undefined, {}, 'GET')).text)
    told.push((await send(`/key/info?key=${key}`, undefined, as(world.gateway.masterKey), 'GET')).text)
    told.push((await send('/key/block', { key: 'sk-not-there-at-all' }, as(world.gateway.masterKey))).text)
    await Bun.sleep(1_200)
    const log = world.gateway.logs()
    expect(log).toContain('"request_id"')
    // A path that is not there is told back as it was asked for, to whoever asked; nothing else is.
    expect(told.filter((text) => text.includes(key)).length).toBeLessThanOrEqual(1)
    expect(leaks(world.secrets, log)).toEqual([])
  })
})

describe('what is another’s', () => {
  test('a kept response is not read, gone on from, listed, cancelled or deleted; not by the master key either', async () => {
    for (const key of [world.keys.customer, world.keys.user, world.gateway.masterKey])
      for (const base of ['/v1/responses', '/responses']) {
        const id = `${base}/${world.kept}`
        for (const [method, path] of [
          ['GET', id],
          ['GET', `${id}/input_items`],
          ['POST', `${id}/cancel`],
          ['DELETE', id],
        ] as const) {
          const said = await send(path, method === 'POST' ? {} : undefined, as(key), method)
          expect([method, path, said.status, said.text.includes(SEALED)]).toEqual([method, path, 404, false])
        }
        const next = await send(base, { model: 'm', input: 'go on', previous_response_id: world.kept }, as(key))
        expect([next.status, next.text.includes(SEALED)]).toEqual([400, false])
      }
    const own = await send(`/v1/responses/${world.kept}/input_items`, undefined, as(world.keys.owner), 'GET')
    expect([own.status, own.text.includes(SEALED)]).toEqual([200, true])
  })

  test('charges and keys', async () => {
    const ids = JSON.parse((await send('/key/info', undefined, as(world.keys.owner), 'GET')).text) as { key: string }
    for (const key of [world.keys.customer, world.keys.user]) {
      const rows = JSON.parse((await send('/spend/logs', undefined, as(key), 'GET')).text) as { api_key: string }[]
      expect(rows.filter((row) => row.api_key === ids.key)).toEqual([])
      expect((await send(`/spend/logs?api_key=${ids.key}`, undefined, as(key), 'GET')).status).toBe(403)
      expect((await send(`/key/info?key=${ids.key}`, undefined, as(key), 'GET')).status).toBe(403)
    }
  })
})
