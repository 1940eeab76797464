/** Any other path of a provider: granted by the operator, below the provider's own address, charged and told as everywhere. */
import { afterAll, beforeEach, describe, expect, test } from 'bun:test'
import { type AddressInfo, connect, createServer } from 'node:net'
import { residentBytes } from '../support/memory.ts'
import { type Ask, startUpstream, startWorld, until } from './world.ts'

const upstream = startUpstream()
const elsewhere = startUpstream()
/** Sends five of nine megabytes and is gone. */
const cutting = createServer((socket) => {
  socket.on('error', () => {})
  socket.once('data', () => {
    const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9000000\r\n\r\n'
    socket.write(`${head}{"a":"${'x'.repeat(5_000_000)}`, () => setTimeout(() => socket.destroy(), 100))
  })
})
await new Promise<void>((resolve) => cutting.listen(0, '127.0.0.1', resolve))
const cuttingPort = (cutting.address() as AddressInfo).port
const model = (name: string, params: Record<string, unknown>, info = {}) => ({
  model_name: name,
  litellm_params: { api_key: 'sk-upstream-secret', ...params },
  model_info: info,
})
const PRICED = { input_cost_per_token: 1e-6, output_cost_per_token: 2e-6 }
const base = `http://127.0.0.1:${upstream.port}`
const world = await startWorld({
  yaml: {
    tollgate: { body_limit_mb: 1 },
    model_list: [
      model('fast', { model: 'openai/real-fast', api_base: `${base}/tenant/v1`, ...PRICED }),
      model('dark', { model: 'openai/no-such-model-anywhere', api_base: `${base}/tenant/v1` }),
      model('claude', { model: 'anthropic/claude-x', api_base: base, ...PRICED }),
      model('flash', { model: 'gemini/flash-x', api_base: base, ...PRICED }),
      model('cut', { model: 'groq/m', api_base: `http://127.0.0.1:${cuttingPort}` }),
      model('local', { model: 'ollama/m', api_base: base }),
    ],
  },
})
const ALL = { allowed_passthrough_routes: ['*'] }
const open = await world.key(ALL)
const plain = await world.key()
beforeEach(() => {
  upstream.seen = []
  elsewhere.seen = []
  upstream.answer = () => Response.json({ ok: true })
})
afterAll(async () => {
  await world.gateway.stop()
  await upstream.stop()
  await elsewhere.stop()
  cutting.close()
})
const told = async (reply: Response) => {
  const { error } = (await reply.json()) as { error: { message: string; code?: string } }
  return { status: reply.status, code: error.code, message: error.message }
}

test.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])('%s goes to the provider with our credentials', async (method) => {
  const body = method === 'GET' || method === 'DELETE' ? undefined : { model: 'real-fast', x: [1, 2] }
  const reply = await open(method, '/openai/v1/fine_tuning/jobs?limit=2&key=mine&after=a%20b', body, {
    'openai-beta': 'b',
    'x-forwarded-host': 'evil',
    cookie: 'c',
    'openai-organization': 'org-other',
  })
  expect([reply.status, await reply.json()]).toEqual([200, { ok: true }])
  expect(reply.headers.get('x-request-id')).toMatch(/^req_/)
  const [seen] = upstream.seen
  expect(seen).toMatchObject({ method, path: '/tenant/v1/fine_tuning/jobs', query: '?limit=2&after=a+b' })
  expect(seen?.headers.get('authorization')).toBe('Bearer sk-upstream-secret')
  expect(seen?.headers.get('openai-beta')).toBe('b')
  for (const name of ['cookie', 'x-forwarded-host', 'openai-organization']) expect(seen?.headers.get(name)).toBeNull()
  expect(JSON.stringify([...(seen?.headers ?? [])])).not.toContain(open.key)
  if (body) expect(JSON.parse(seen?.body ?? '')).toEqual(body)
  expect((await world.rows(1))[0]).toMatchObject({ call_type: 'pass_through_endpoint', api_key: open.token })
})

test('the path may be written with and without what the address ends in', async () => {
  for (const path of ['/openai/v1/jobs', '/openai/jobs', '/openai/tenant/v1/jobs']) await open('GET', path)
  expect(upstream.seen.map((s) => s.path)).toEqual(Array(3).fill('/tenant/v1/jobs'))
})

test('only who was granted a path may use it, and the master key', async () => {
  expect(await told(await plain('GET', '/openai/v1/jobs'))).toMatchObject({
    status: 403,
    message: expect.stringContaining('allowed_passthrough_routes'),
  })
  const some = await world.key({ allowed_passthrough_routes: ['/openai/fine_tuning', '/openai/v1/fine_tuning/*'] })
  expect((await some('GET', '/openai/v1/fine_tuning/jobs')).status).toBe(200)
  expect((await some('GET', '/openai/fine_tuning')).status).toBe(200)
  for (const path of ['/openai/v1/fine_tuningX', '/openai/v1/assistants', '/anthropic/v1/fine_tuning'])
    expect([path, (await some('GET', path)).status]).toEqual([path, 403])
  expect((await world.gateway.call('GET', '/openai/v1/jobs')).status).toBe(200)
  expect((await fetch(`${world.gateway.url}/openai/v1/jobs`)).status).toBe(401)
  expect(upstream.seen).toHaveLength(3)
})

test("what has owners here is not reached past them, and Ollama's management not at all", async () => {
  for (const path of ['files', 'files/file-1/content', 'batches', 'responses/resp_1', 'Files', 'fil%65s'])
    expect([path, (await open('GET', `/openai/v1/${path}`)).status]).toEqual([path, 403])
  for (const path of ['/ollama/api/delete', '/demo/x', '/cohere/v2/chat'])
    expect([path, (await open('POST', path, {})).status]).toEqual([path, 404])
  expect(upstream.seen).toEqual([])
})

/** Bytes as they are: no client tidies the path. */
function raw(path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(world.gateway.port, '127.0.0.1', () =>
      socket.write(
        `GET ${path} HTTP/1.1\r\nhost: x.example\r\nauthorization: Bearer ${open.key}\r\nconnection: close\r\n\r\n`,
      ),
    )
    let got = ''
    socket.on('data', (d) => (got += d))
    socket.on('close', () => resolve(Number(got.split(' ')[1])))
    socket.on('error', reject)
  })
}

test.each([
  '/openai/../v1/secret',
  '/openai/v1/../../secret',
  '/openai/v1/%2e%2e/%2e%2e/secret',
  '/openai/v1/..%2f..%2fsecret',
  '/openai/v1/a%2fb',
  '/openai/v1/a%252fb',
  '/openai/v1/a%5cb',
  '/openai//evil.example/x',
  '/openai/@evil.example/x',
  '/openai/v1/x@evil.example',
  '/openai/%40evil.example',
  '/openai/v1/..;/secret',
  '/openai/v1/%00',
  '/openai/v1/a%0d%0ahost:%20evil',
  '/openai/v1/%zz',
  '/openai/http://evil.example/',
  '/openai/',
])('%s leads nowhere', async (path) => {
  const status = await raw(path)
  expect(status).toBeGreaterThanOrEqual(400)
  expect(status).toBeLessThan(500)
  expect(upstream.seen).toEqual([])
})

test('what the runtime itself tidies stays below the address', async () => {
  expect(await raw('/openai/v1\\..\\secret')).toBe(200)
  expect(upstream.seen[0]?.path).toBe('/tenant/v1/secret')
  upstream.seen = []
  expect(await raw('/openai/v1\\..\\..\\..\\secret')).toBe(404)
  expect(upstream.seen).toEqual([])
})

test('a redirect is not followed, and a refused key of ours is told as our fault', async () => {
  upstream.answer = () =>
    new Response(null, { status: 302, headers: { location: `http://127.0.0.1:${elsewhere.port}/` } })
  const moved = await open('GET', '/openai/v1/jobs')
  expect(moved.status).toBe(502)
  expect(moved.headers.get('location')).toBeNull()
  expect(elsewhere.seen).toEqual([])
  upstream.answer = () => Response.json({ error: { message: 'bad key sk-upstream-secret' } }, { status: 401 })
  expect(await told(await open('GET', '/openai/v1/jobs'))).toMatchObject({
    status: 502,
    code: 'upstream_misconfigured',
  })
})

test("the provider's own errors and statuses are passed on, without our key in them", async () => {
  upstream.answer = () =>
    Response.json({ error: { message: 'no job for sk-upstream-secret', code: 'nope' } }, { status: 404 })
  expect(await told(await open('GET', '/openai/v1/jobs/1'))).toEqual({
    status: 404,
    code: 'nope',
    message: 'no job for [redacted]',
  })
  upstream.answer = () =>
    new Response('<h1>10.0.0.7 is sad</h1>', { status: 500, headers: { 'content-type': 'text/html' } })
  expect((await told(await open('GET', '/openai/v1/jobs'))).message).not.toContain('10.0.0.7')
  upstream.answer = () => Response.json({ id: 'job' }, { status: 201 })
  expect((await open('POST', '/openai/v1/jobs', { model: 'fast' })).status).toBe(201)
  upstream.answer = () => new Response(null, { status: 204 })
  expect((await open('DELETE', '/openai/v1/jobs/1')).status).toBe(204)
  const rows = await world.rows(4)
  expect(rows.map((r) => [r.outcome, r.upstream_status])).toEqual([
    ['ok', 204],
    ['ok', 200],
    ['server', 500],
    ['caller', 404],
  ])
})

const SHAPES: [string, string, object, object, [number, number]][] = [
  [
    'OpenAI',
    '/openai/v1/x',
    { model: 'fast' },
    { usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 } },
    [10, 5],
  ],
  [
    'Responses',
    '/openai/v1/x',
    { model: 'real-fast' },
    { object: 'response', usage: { input_tokens: 7, output_tokens: 3 } },
    [7, 3],
  ],
  [
    'Anthropic',
    '/anthropic/v1/complete',
    { model: 'claude-x' },
    { type: 'message', usage: { input_tokens: 4, cache_read_input_tokens: 6, output_tokens: 2 } },
    [10, 2],
  ],
  [
    'Gemini',
    '/gemini/v1beta/models/flash:generateContent',
    { contents: [] },
    { usageMetadata: { promptTokenCount: 8, candidatesTokenCount: 1, thoughtsTokenCount: 1 } },
    [8, 2],
  ],
]
test.each(SHAPES)("usage is read from %s's answer, whole", async (_name, path, body, answer, [input, output]) => {
  upstream.answer = () => Response.json(answer)
  const reply = await open('POST', path, body)
  expect([reply.status, await reply.json()]).toEqual([200, answer])
  expect((await world.rows(1))[0]).toMatchObject({
    prompt_tokens: input,
    completion_tokens: output,
    usage_source: 'provider',
    call_type: 'pass_through_endpoint',
  })
})

test('names of ours are the provider’s when they arrive', async () => {
  await open('POST', '/openai/v1/x', { model: 'fast', a: 1 })
  await open('POST', '/gemini/v1beta/models/flash:generateContent', { contents: [] })
  expect(JSON.parse(upstream.seen[0]?.body ?? '')).toEqual({ model: 'real-fast', a: 1 })
  expect(upstream.seen[1]?.path).toEndWith('/models/flash-x:generateContent')
  expect(JSON.parse(upstream.seen[1]?.body ?? '')).toEqual({ contents: [] })
})

const sse = (events: object[]) =>
  new Response(events.map((e) => `data: ${JSON.stringify(e)}\n\n`).join(''), {
    headers: { 'content-type': 'text/event-stream' },
  })
const STREAMS: [string, string, object[], [number, number, string]][] = [
  [
    'OpenAI',
    '/openai/v1/x',
    [{ choices: [] }, { choices: [], usage: { prompt_tokens: 3, completion_tokens: 2 } }],
    [3, 2, 'provider'],
  ],
  [
    'Anthropic',
    '/anthropic/v1/x',
    [
      { type: 'message_start', message: { type: 'message', usage: { input_tokens: 5, output_tokens: 1 } } },
      { type: 'message_delta', usage: { output_tokens: 9 } },
    ],
    [5, 9, 'provider'],
  ],
  [
    'Gemini',
    '/gemini/v1beta/x',
    [{ usageMetadata: { promptTokenCount: 2, candidatesTokenCount: 6 } }],
    [2, 6, 'provider'],
  ],
  ['nobody', '/openai/v1/x', [{ a: 1 }, { a: 2 }, { a: 3 }], [0, 3, 'estimated']],
]
test.each(STREAMS)("usage is read from %s's events", async (_name, path, events, [input, output, source]) => {
  upstream.answer = () => sse(events)
  const modelOf = path.startsWith('/anthropic') ? 'claude' : path.startsWith('/gemini') ? 'flash' : 'fast'
  const reply = await open('POST', path, { model: modelOf })
  expect(reply.headers.get('content-type')).toBe('text/event-stream')
  expect(await reply.text()).toBe(events.map((e) => `data: ${JSON.stringify(e)}\n\n`).join(''))
  await Bun.sleep(60)
  const [row] = await world.rows(1)
  expect(row).toMatchObject({ completion_tokens: output, usage_source: source, outcome: 'ok' })
  if (source === 'provider') expect(row?.prompt_tokens).toBe(input)
  else expect(row?.prompt_tokens).toBeGreaterThan(0)
})

test('a caller with a budget needs a price, and is held to the budget', async () => {
  const poor = await world.key({ ...ALL, max_budget: 0.001 })
  const unpriced = await told(await poor('POST', '/openai/v1/x', { model: 'dark' }))
  expect(unpriced).toMatchObject({
    status: 403,
    code: 'unpriced_model',
    message: expect.stringContaining("The price of 'dark' is not known"),
  })
  expect((await told(await poor('POST', '/openai/v1/x', { model: 'never-heard-of' }))).code).toBe('unpriced_model')
  expect((await told(await poor('POST', '/openai/v1/x', { input: 'no model' }))).code).toBe('unpriced_model')
  expect((await told(await poor('POST', '/openai/v1/x', { model: 'fast', max_tokens: 5_000 }))).code).toBe(
    'budget_exceeded',
  )
  expect(upstream.seen).toEqual([])
  upstream.answer = () => Response.json({ usage: { prompt_tokens: 900, completion_tokens: 50 } })
  expect((await poor('POST', '/openai/v1/x', { model: 'fast', max_tokens: 50 })).status).toBe(200)
  expect((await told(await poor('POST', '/openai/v1/x', { model: 'fast', max_tokens: 50 }))).code).toBe(
    'budget_exceeded',
  )
  expect((await poor('GET', '/openai/v1/jobs')).status).toBe(200)
})

test('a key for certain models stays with them', async () => {
  const few = await world.key({ ...ALL, models: ['fast'] })
  const status = async (ask: Ask, body: unknown, path = '/openai/v1/x') => (await ask('POST', path, body)).status
  expect(await status(few, { model: 'fast' })).toBe(200)
  expect(await status(few, { model: 'real-fast' })).toBe(200)
  for (const body of [
    { model: 'dark' },
    { model: 'other' },
    {},
    { Model: 'dark', model: 'fast' },
    '{"model":"fast","model":"dark"}',
  ])
    expect([body, (await status(few, body)) >= 400]).toEqual([body, true])
  expect(await status(few, {}, '/gemini/v1beta/models/flash:generateContent')).toBe(403)
  expect(await status(few, { model: 'fast' }, '/gemini/v1beta/models/flash:generateContent')).toBe(400)
  expect((await few('GET', '/openai/v1/jobs')).status).toBe(403)
  const starred = await world.key({ ...ALL, models: ['openai/*'] })
  expect(await status(starred, {})).toBe(200)
  expect(await status(starred, { model: 'anything' })).toBe(200)
  expect(await status(starred, { model: 'claude' }, '/anthropic/v1/x')).toBe(403)
})

test('limits hold, and a body too large does not arrive', async () => {
  const slow = await world.key({ ...ALL, rpm_limit: 1 })
  expect((await slow('GET', '/openai/v1/jobs')).status).toBe(200)
  expect((await slow('GET', '/openai/v1/jobs')).status).toBe(429)
  const form = new FormData()
  form.set('model', 'fast')
  form.set('file', new File([new Uint8Array(100_000)], 'a.bin'))
  expect((await open('POST', '/openai/v1/uploads', form)).status).toBe(200)
  expect(upstream.seen.at(-1)?.body).toContain('real-fast')
  form.set('file', new File([new Uint8Array(1_100_000)], 'a.bin'))
  expect((await open('POST', '/openai/v1/uploads', form)).status).toBe(413)
  expect(upstream.seen).toHaveLength(2)
})

test('who leaves is left, and the upstream hears of it', async () => {
  let gone = false
  upstream.answer = () =>
    new Response(
      new ReadableStream({
        async pull(c) {
          c.enqueue(new TextEncoder().encode('data: {"a":1}\n\n'))
          await Bun.sleep(20)
        },
        cancel() {
          gone = true
        },
      }),
      { headers: { 'content-type': 'text/event-stream' } },
    )
  const reply = await open('POST', '/openai/v1/x', { model: 'fast' })
  const reader = reply.body?.getReader()
  await reader?.read()
  await reader?.cancel()
  for (let i = 0; i < 100 && !gone; i++) await Bun.sleep(20)
  expect(gone).toBe(true)
  await Bun.sleep(80)
  expect((await world.rows(1))[0]?.outcome).toBe('aborted')
  expect(await (await world.gateway.call('GET', '/global/spend')).json()).toMatchObject({ open_holds: 0, held: 0 })
})

describe('a long answer', () => {
  const filler = (mb: number) => `"${'x'.repeat(mb * 1024 * 1024)}"`
  const JSON_TYPE = { headers: { 'content-type': 'application/json' } }

  test('passes before it is whole, and its usage is still found', async () => {
    let release = () => {}
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    const parts = [`{"data":[${filler(3)},`, `${filler(3)}],`, '"usage":{"prompt_tokens":10,"completion_tokens":5}}']
    upstream.answer = () =>
      new Response(
        new ReadableStream({
          async pull(controller) {
            if (parts.length === 1) await released
            controller.enqueue(new TextEncoder().encode(parts.shift() ?? ''))
            if (parts.length === 0) controller.close()
          },
        }),
        JSON_TYPE,
      )
    const reply = await open('POST', '/openai/v1/x', { model: 'fast' })
    const reader = (reply.body as ReadableStream<Uint8Array>).getReader()
    const first = await reader.read()
    expect(new TextDecoder().decode(first.value?.subarray(0, 12))).toBe('{"data":["xx')
    release()
    let length = first.value?.byteLength ?? 0
    let last: Uint8Array = new Uint8Array()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      length += value.byteLength
      last = value
    }
    expect(length).toBeGreaterThan(6 * 1024 * 1024)
    expect(new TextDecoder().decode(last)).toEndWith('"completion_tokens":5}}')
    const row = await until(async () => {
      const [found] = await world.rows(1)
      return found?.outcome === 'ok' && found.prompt_tokens === 10 && found
    })
    expect(row).toMatchObject({ completion_tokens: 5, usage_source: 'provider', spend: 2e-5 })
  })

  test('does not sit in memory, however long it is', async () => {
    const { pid } = world.gateway
    const before = residentBytes(pid)
    let left = 256
    const mb = new TextEncoder().encode('y'.repeat(1024 * 1024))
    upstream.answer = () =>
      new Response(
        new ReadableStream({
          pull(controller) {
            if (left === 256) controller.enqueue(new TextEncoder().encode('{"a":"'))
            if (left-- > 0) return controller.enqueue(mb)
            controller.enqueue(new TextEncoder().encode('"}'))
            controller.close()
          },
        }),
        JSON_TYPE,
      )
    const reply = await open('GET', '/openai/v1/x')
    let length = 0
    let most = 0
    for await (const part of reply.body as ReadableStream<Uint8Array>) {
      length += part.byteLength
      most = Math.max(most, residentBytes(pid) - before)
    }
    expect(length).toBe(256 * 1024 * 1024 + 8)
    expect(most).toBeLessThan(128 * 1024 * 1024)
  }, 30_000)

  test('that breaks off is broken off, and one that lies about being JSON passes no error of ours', async () => {
    const reply = await open('GET', '/groq/v1/x')
    expect(reply.status).toBe(200)
    expect(
      await reply.text().then(
        () => 'whole',
        () => 'cut',
      ),
    ).toBe('cut')
    upstream.answer = () => new Response('not json', JSON_TYPE)
    expect((await told(await open('GET', '/openai/v1/x'))).status).toBe(502)
  })

  test('that is a list comes item by item', async () => {
    let release = () => {}
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    upstream.answer = () =>
      new Response(
        new ReadableStream({
          async start(controller) {
            controller.enqueue(new TextEncoder().encode(' [{"candidates":[]}'))
            await released
            controller.enqueue(
              new TextEncoder().encode(',{"usageMetadata":{"promptTokenCount":8,"candidatesTokenCount":2}}]'),
            )
            controller.close()
          },
        }),
        JSON_TYPE,
      )
    const reply = await open('POST', '/gemini/v1beta/models/flash:streamGenerateContent', { contents: [] })
    const reader = (reply.body as ReadableStream<Uint8Array>).getReader()
    expect(new TextDecoder().decode((await reader.read()).value)).toBe(' [{"candidates":[]}')
    release()
    while (!(await reader.read()).done);
    const row = await until(async () => {
      const [found] = await world.rows(1)
      return found?.prompt_tokens === 8 && found
    })
    expect(row).toMatchObject({ completion_tokens: 2, usage_source: 'provider' })
  })
})
