/** Every route answers in the shape of its API, and only there. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { DOORS, MODELS, messageOf, startWorld, type World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.stop())

const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(world.gateway.url + path, { headers: { authorization: `Bearer ${world.gateway.masterKey}`, ...headers } })

const CHAT_SHAPE = {
  object: 'chat.completion',
  choices: [{ message: { role: 'assistant' }, finish_reason: 'stop' }],
  usage: { total_tokens: 12 },
}
const ANSWERS: Record<string, object> = {
  '/v1/chat/completions': CHAT_SHAPE,
  '/v1/completions': { object: 'text_completion', choices: [{ finish_reason: 'stop' }] },
  '/v1/embeddings': { object: 'list', data: [{ object: 'embedding', index: 0 }] },
  '/v1/messages': {
    type: 'message',
    role: 'assistant',
    stop_reason: 'end_turn',
    usage: { input_tokens: 2, output_tokens: 10 },
  },
  '/api/chat': { message: { role: 'assistant' }, done: true, done_reason: 'stop', eval_count: 10 },
  '/api/generate': { done: true, done_reason: 'stop', prompt_eval_count: 2 },
  '/api/embed': { embeddings: [expect.any(Array)] },
  '/api/embeddings': { embedding: expect.any(Array) },
}

test.each(DOORS)('POST $path: in its shape, from either provider, with who answered', async ({ path, good }) => {
  for (const model of ['m', 'local']) {
    if (model === 'local' && path === '/v1/completions') continue
    const answer = await world.post(path, JSON.stringify({ ...good, model }))
    expect([model, answer.status, JSON.parse(answer.text)]).toEqual([model, 200, expect.objectContaining({})])
    expect(JSON.parse(answer.text)).toMatchObject(ANSWERS[path]!)
    expect(answer.headers.get('content-type')).toStartWith('application/json')
    expect(answer.headers.get('x-request-id')).toMatch(/^req_/)
    expect(answer.headers.get('x-tollgate-served-by')).toBe(model === 'm' ? 'openai/m' : 'ollama/local')
    expect(answer.headers.get('x-tollgate-attempts')).toBe('1')
    for (const hop of ['transfer-encoding', 'content-encoding', 'connection', 'keep-alive'])
      expect([hop, answer.headers.get(hop)]).toEqual([hop, null])
  }
})

test.each(['/chat/completions', '/completions', '/embeddings'])('POST %s is the same without /v1', async (path) => {
  const { good } = DOORS.find((door) => door.path === `/v1${path}`)!
  const answer = await world.post(path, JSON.stringify(good))
  expect(answer.status).toBe(200)
  expect(JSON.parse(answer.text)).toMatchObject(ANSWERS[`/v1${path}`]!)
})

test.each(DOORS)('GET $path: 405 in its words, and what to use', async ({ path, shape }) => {
  for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
    const reply = await fetch(world.gateway.url + path, {
      method,
      headers: { authorization: `Bearer ${world.gateway.masterKey}` },
    })
    const answer = { status: reply.status, headers: reply.headers, text: await reply.text() }
    expect([method, answer.status]).toEqual([method, 405])
    expect(messageOf(shape, answer)).toContain('POST')
    expect(answer.headers.get('allow')).toBe('POST')
  }
})

test.each([
  ['/v1/nothing', 'openai'],
  ['/api/nothing', 'ollama'],
  ['/v1/chat/completions/', 'openai'],
  ['/key/nothing', 'openai'],
  ['/..%2f..%2fetc%2fpasswd', 'openai'],
  ['/%00', 'openai'],
  [`/${'x'.repeat(10_000)}`, 'openai'],
] as const)('POST %s: 404 in its words, or the route that is meant', async (path, shape) => {
  const answer = await world.post(path, '{}')
  if (path.endsWith('/completions/') && answer.status === 400) return
  expect(answer.status).toBe(404)
  expect(messageOf(shape, answer).length).toBeLessThan(500)
})

test('models: listed, shown, and in the shape of who asks', async () => {
  for (const path of ['/v1/models', '/models']) {
    const list = (await (await get(path)).json()) as { object: string; data: { id: string; object: string }[] }
    expect(list.object).toBe('list')
    expect(list.data.map((m) => m.id)).toEqual([...MODELS])
    for (const name of MODELS)
      expect(await (await get(`${path}/${name}`)).json()).toMatchObject({ id: name, object: 'model' })
    const none = await get(`${path}/gpt-99`)
    expect([none.status, ((await none.json()) as { error: { code: string } }).error.code]).toEqual([
      404,
      'model_not_found',
    ])
  }
  const anthropic = (await (await get('/v1/models', { 'anthropic-version': '2023-06-01' })).json()) as {
    data: unknown[]
  }
  expect(anthropic).toMatchObject({ has_more: false, first_id: 'm' })
  expect(anthropic.data[0]).toMatchObject({ type: 'model', id: 'm', display_name: expect.any(String) })
})

test('what an Ollama client asks besides', async () => {
  const json = async (path: string): Promise<Record<string, { name: string }[]>> =>
    (await (await get(path)).json()) as never
  expect((await json('/api/tags')).models!.map((m) => m.name)).toEqual([
    'm:latest',
    'local:latest',
    'team/large:latest',
  ])
  expect(await json('/api/version')).toMatchObject({ version: expect.stringMatching(/^\d+\.\d+\.\d+$/) })
  world.mock.house.load('local')
  expect((await json('/api/ps')).models!.map((m) => m.name)).toContain('local:latest')
  for (const body of [{ model: 'local' }, { name: 'local' }, { model: 'local:latest' }, { model: 'm' }]) {
    const shown = await world.post('/api/show', JSON.stringify(body))
    expect([body, shown.status]).toEqual([body, 200])
    expect(JSON.parse(shown.text)).toMatchObject({ capabilities: expect.arrayContaining(['completion']) })
  }
  const unknown = await world.post('/api/show', '{"model":"nothing"}')
  expect([unknown.status, messageOf('ollama', unknown)]).toEqual([404, expect.stringContaining('not found')])
  for (const method of ['GET', 'HEAD']) expect((await fetch(`${world.gateway.url}/`, { method })).status).toBe(200)
  const tagged = await world.post(
    '/api/chat',
    JSON.stringify({ model: 'm:latest', stream: false, messages: [{ role: 'user', content: 'Hi' }] }),
  )
  expect(tagged.status).toBe(200)
})

test('an Ollama request streams unless it says otherwise, as lines', async () => {
  const reply = await world.post(
    '/api/chat',
    JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hi' }] }),
  )
  expect(reply.headers.get('content-type')).toBe('application/x-ndjson')
  expect(
    reply.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).done),
  ).toEqual([...Array(10).fill(false), true])
})

test.each([
  ['DELETE', '/api/delete'],
  ['POST', '/api/push'],
  ['POST', '/api/create'],
  ['POST', '/api/copy'],
  ['POST', '/api/blobs/sha256:29fdb92e57cf0827ded04ae6461b5931d01fa595843f55d36f5b275a52087dd2'],
] as const)('%s %s is closed: 403 as JSON, and nobody is asked', async (method, path) => {
  const before = world.mock.requests.length
  const reply = await fetch(world.gateway.url + path, {
    method,
    body: '{"model":"local"}',
    headers: { authorization: `Bearer ${world.gateway.masterKey}` },
  })
  const answer = { status: reply.status, headers: reply.headers, text: await reply.text() }
  expect([answer.status, messageOf('ollama', answer)]).toEqual([403, expect.stringContaining('closed')])
  expect(world.mock.requests.length).toBe(before)
})

test('health: alive for all, ready for all, the targets for the operator', async () => {
  for (const path of ['/health/liveliness', '/health/readiness'])
    expect((await fetch(world.gateway.url + path)).status).toBe(200)
  expect((await fetch(`${world.gateway.url}/health`)).status).toBe(401)
  const health = (await (await get('/health')).json()) as Record<string, unknown>
  expect(health).toMatchObject({ healthy_count: 3, unhealthy_count: 0 })
  expect(JSON.stringify(health)).not.toContain('sk-upstream')
})
