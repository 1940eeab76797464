/** Conversations by WebSocket, against a provider that speaks the events of platform.openai.com/docs/api-reference/realtime. */
import { afterAll, beforeEach, expect, test } from 'bun:test'
import type { ServerWebSocket } from 'bun'
import { startWorld, until } from './world.ts'

interface Talk {
  url: URL
  headers: Headers
}
let sockets: ServerWebSocket<Talk>[] = []
let heard: Record<string, unknown>[] = []
let refuseAll = false
let count = 0

const say = (ws: ServerWebSocket<Talk>, event: object) => ws.send(JSON.stringify({ event_id: `e${count++}`, ...event }))
const finish = (ws: ServerWebSocket<Talk>, id: string, usage: object | null, status = 'completed') =>
  say(ws, { type: 'response.done', response: { id, object: 'realtime.response', status, usage } })

const upstream = Bun.serve<Talk>({
  hostname: '127.0.0.1',
  port: 0,
  fetch(request, server) {
    if (refuseAll) return new Response('no', { status: 500 })
    return server.upgrade(request, { data: { url: new URL(request.url), headers: request.headers } })
      ? undefined
      : new Response('no', { status: 400 })
  },
  websocket: {
    open(ws) {
      sockets.push(ws)
      say(ws, { type: 'session.created', session: { model: ws.data.url.searchParams.get('model') } })
    },
    message(ws, text) {
      const event = JSON.parse(String(text)) as Record<string, unknown>
      heard.push(event)
      if (event.type === 'session.update') say(ws, { type: 'session.updated', session: event.session })
      if (event.type !== 'response.create') return
      const id = `resp_${count++}`
      say(ws, { type: 'response.created', response: { id, status: 'in_progress' } })
      say(ws, { type: 'response.output_text.delta', response_id: id, delta: 'hi' })
      if (event.hang) return
      finish(ws, id, {
        total_tokens: 150,
        input_tokens: 100,
        output_tokens: 50,
        input_token_details: { cached_tokens: 20 },
      })
    },
  },
})

const model = (name: string, more: object, port = upstream.port, info: object = {}) => ({
  model_name: name,
  litellm_params: { model: `openai/gpt-${name}`, api_base: `http://127.0.0.1:${port}/v1`, api_key: 'sk-up', ...more },
  model_info: { max_input_tokens: 1_000, max_output_tokens: 100, ...info },
})
const PRICED = { input_cost_per_token: 1e-6, output_cost_per_token: 2e-6 }
const world = await startWorld({
  yaml: {
    model_list: [
      model('live', PRICED),
      model('dark', {}),
      model('dear', PRICED, upstream.port, { needs_grant: true }),
      { model_name: 'local', litellm_params: { model: 'ollama/m', api_base: 'http://127.0.0.1:1' } },
    ],
  },
})
beforeEach(() => {
  sockets = []
  heard = []
  refuseAll = false
})
afterAll(async () => {
  await world.gateway.stop()
  await upstream.stop(true)
})

interface Line {
  socket: WebSocket
  events: Record<string, unknown>[]
  /** Waits for an event of this kind. */
  next(type: string, n?: number): Promise<Record<string, unknown>>
  send(event: object): void
  end: Promise<{ code: number; reason: string }>
}

function dial(
  key: string,
  query = '?model=live',
  options: object = { headers: { authorization: `Bearer ${key}` } },
): Line {
  const socket = new WebSocket(`${world.gateway.url.replace('http', 'ws')}/v1/realtime${query}`, options as never)
  const events: Record<string, unknown>[] = []
  socket.onmessage = ({ data }) => events.push(JSON.parse(String(data)) as Record<string, unknown>)
  const end = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.onclose = ({ code, reason }) => resolve({ code, reason })
  })
  return {
    socket,
    events,
    end,
    next: (type, n = 1) => until(() => events.filter((e) => e.type === type)[n - 1]),
    send: (event) => socket.send(JSON.stringify(event)),
  }
}
const rows = async (token: string) => (await world.rows(100)).filter((r) => r.api_key === token)
const atRest = () =>
  until(async () => {
    const spend = (await (await world.gateway.call('GET', '/global/spend')).json()) as {
      open_holds: number
      held: number
    }
    return spend.open_holds === 0 && spend.held === 0
  })

test('events pass both ways, and each answer is a row', async () => {
  const key = await world.key({ max_budget: 1 })
  const line = dial(key.key)
  expect(await line.next('session.created')).toMatchObject({ session: { model: 'gpt-live' } })
  const [ws] = sockets
  expect(`${ws?.data.url.pathname}${ws?.data.url.search}`).toBe('/v1/realtime?model=gpt-live')
  expect(ws?.data.headers.get('authorization')).toBe('Bearer sk-up')
  expect(JSON.stringify([...(ws?.data.headers ?? [])])).not.toContain(key.key)
  line.send({ type: 'session.update', session: { model: 'live', instructions: 'be kind' } })
  expect(await line.next('session.updated')).toMatchObject({ session: { model: 'gpt-live', instructions: 'be kind' } })
  for (let n = 1; n <= 3; n++) {
    line.send({ type: 'response.create' })
    await line.next('response.done', n)
  }
  await until(async () => (await rows(key.token)).length === 3)
  for (const row of await rows(key.token))
    expect(row).toMatchObject({
      call_type: 'arealtime',
      spend: 0.0002,
      prompt_tokens: 100,
      completion_tokens: 50,
      usage_source: 'provider',
      outcome: 'ok',
    })
  line.socket.close()
  await line.end
  await atRest()
  expect(await rows(key.token)).toHaveLength(3)
})

test('the key may be a protocol, which is not answered', async () => {
  const key = await world.key()
  const line = dial('', '?model=live', {
    protocols: ['realtime', `openai-insecure-api-key.${key.key}`, 'openai-beta.realtime-v1'],
  })
  await line.next('session.created')
  expect(line.socket.protocol).toBe('realtime')
  expect(sockets[0]?.data.headers.get('sec-websocket-protocol')).toBeNull()
  expect(sockets[0]?.data.headers.get('openai-beta')).toBe('realtime=v1')
  line.socket.close()
})

test.each([
  ['no key', {}, '?model=live', 401, true],
  ['an unknown key', { authorization: 'Bearer sk-nobody' }, '?model=live', 401, true],
  ['no model', {}, '', 400, false],
  ['an unknown model', {}, '?model=nobody', 404, false],
  ['a model that does not talk', {}, '?model=local', 400, false],
] as const)('%s: refused before anything is opened', async (_name, headers, query, status, bare) => {
  const key = await world.key()
  const reply = await fetch(`${world.gateway.url}/v1/realtime${query}`, {
    headers: {
      ...(bare ? {} : { authorization: `Bearer ${key.key}` }),
      ...headers,
      upgrade: 'websocket',
      connection: 'upgrade',
    },
  })
  expect(reply.status).toBe(status)
  expect(((await reply.json()) as { error: { message: string } }).error.message.length).toBeGreaterThan(10)
  expect(sockets).toEqual([])
})

test('models, prices and slots are held to', async () => {
  const status = async (settings: object, query = '?model=live') => {
    const key = await world.key(settings as Record<string, unknown>)
    const reply = await fetch(`${world.gateway.url}/v1/realtime${query}`, {
      headers: { authorization: `Bearer ${key.key}`, upgrade: 'websocket', connection: 'upgrade' },
    })
    return reply.status
  }
  expect(await status({ models: ['dark'] })).toBe(403)
  expect(await status({ max_budget: 1 }, '?model=dark')).toBe(403)
  expect(await status({ max_budget: 0 })).toBe(422)
  expect(sockets).toEqual([])
  const one = await world.key({ max_parallel_requests: 1 })
  const line = dial(one.key)
  await line.next('session.created')
  const second = dial(one.key)
  expect((await second.end).code).not.toBe(1000)
  expect(sockets).toHaveLength(1)
  line.socket.close()
  await until(() => sockets.at(-1)?.readyState === 3)
  const third = dial(one.key)
  await third.next('session.created')
  third.socket.close()
})

test('it is cut with an error when the budget is gone', async () => {
  // Each answer is held at 0.0012 at most and needs 0.0007 to begin; it costs 0.0002.
  const key = await world.key({ max_budget: 0.0013 })
  const line = dial(key.key)
  await line.next('session.created')
  let asked = 0
  const asking = setInterval(() => {
    if (
      line.socket.readyState === WebSocket.OPEN &&
      line.events.filter((e) => e.type === 'response.done').length === asked
    ) {
      asked++
      line.send({ type: 'response.create' })
    }
  }, 10)
  const { code } = await line.end
  clearInterval(asking)
  expect(code).toBe(1008)
  expect(line.events.at(-1)).toMatchObject({ type: 'error', error: { code: 'budget_exceeded' } })
  const spent = (await rows(key.token)).reduce((sum, r) => sum + r.spend, 0)
  expect(spent).toBeGreaterThan(0)
  expect(spent).toBeLessThanOrEqual(0.0013)
  await atRest()
})

test('it is cut with an error when the key is blocked', async () => {
  const key = await world.key()
  const line = dial(key.key)
  await line.next('session.created')
  await world.gateway.call('POST', '/key/block', { key: key.key })
  expect((await line.end).code).toBe(1008)
  expect(line.events.at(-1)).toMatchObject({ type: 'error', error: { code: 'blocked_api_key' } })
  await until(() => sockets.at(-1)?.readyState === 3)
})

test.each([
  ['deleted', (token: string) => world.gateway.call('POST', '/key/delete', { keys: [token] })],
  ['given another secret', (token: string) => world.gateway.call('POST', '/key/regenerate', { key: token })],
  ['of a team that is blocked', () => world.gateway.call('POST', '/team/block', { team_id: 'talkers' })],
  ['of a team that is deleted', () => world.gateway.call('POST', '/team/delete', { team_ids: ['talkers'] })],
])('it is cut when the key is %s', async (_, revoke) => {
  await world.gateway.call('POST', '/team/new', { team_id: 'talkers' })
  const key = await world.key({ team_id: 'talkers' })
  const line = dial(key.key)
  await line.next('session.created')
  const said = await revoke(key.token)
  expect(said.status).toBe(200)
  const at = Date.now()
  expect((await line.end).code).toBe(1008)
  expect(Date.now() - at).toBeLessThan(1_000)
  expect(line.events.at(-1)?.type).toBe('error')
  await world.gateway.call('POST', '/team/delete', { team_ids: ['talkers'] })
})

test('it needs leave where its model does, and ends with it', async () => {
  const key = await world.key()
  const refused = await fetch(`${world.gateway.url}/v1/realtime?model=dear`, {
    headers: { authorization: `Bearer ${key.key}`, upgrade: 'websocket', connection: 'upgrade' },
  })
  expect([refused.status, ((await refused.json()) as { error: object }).error]).toMatchObject([
    403,
    { code: 'grant_required' },
  ])
  const { id } = (await (await key('POST', '/grant/ask', { model: 'dear', reason: 'to talk' })).json()) as {
    id: string
  }
  await world.gateway.call('POST', '/grant/approve', { id, expires_in: '2s' })
  const line = dial(key.key, '?model=dear')
  await line.next('session.created')
  line.send({ type: 'response.create' })
  await line.next('response.done')
  expect((await line.end).code).toBe(1008)
  expect(line.events.at(-1)).toMatchObject({ type: 'error', error: { code: 'grant_required' } })
})

test('either side that leaves ends the other at once, and half an answer is charged', async () => {
  const key = await world.key()
  const first = dial(key.key)
  await first.next('session.created')
  first.send({ type: 'response.create', hang: true })
  await first.next('response.output_text.delta')
  let at = performance.now()
  first.socket.terminate()
  await until(() => sockets.at(-1)?.readyState === 3)
  expect(performance.now() - at).toBeLessThan(100)
  await until(async () => (await rows(key.token)).length === 1)
  expect((await rows(key.token))[0]).toMatchObject({
    outcome: 'aborted',
    usage_source: 'estimated',
    completion_tokens: 1,
  })
  const second = dial(key.key)
  await second.next('session.created')
  at = performance.now()
  sockets.at(-1)?.close(1000, 'bye')
  expect((await second.end).code).toBe(1000)
  expect(performance.now() - at).toBeLessThan(100)
  await atRest()
})

test('a session stays with its model, and nonsense is told without an end', async () => {
  const key = await world.key()
  const line = dial(key.key)
  await line.next('session.created')
  for (const said of ['nonsense', '[]', '{}', '{"type":"session.update","session":{"model":"gpt-dearest"}}'])
    line.socket.send(said)
  await line.next('error', 4)
  expect(line.events.filter((e) => e.type === 'error').map((e) => (e.error as { code: string }).code)).toEqual([
    'invalid_json',
    'invalid_json',
    'invalid_json',
    'invalid_request',
  ])
  expect(heard).toEqual([])
  line.send({ type: 'response.create' })
  await line.next('response.done')
  line.socket.close()
})

test('two conversations hear nothing of each other', async () => {
  const [a, b] = [await world.key(), await world.key()]
  const [one, two] = [dial(a.key), dial(b.key)]
  await one.next('session.created')
  await two.next('session.created')
  one.send({ type: 'response.create' })
  await one.next('response.done')
  expect(two.events.map((e) => e.type)).toEqual(['session.created'])
  await until(async () => (await rows(a.token)).length === 1)
  expect(await rows(b.token)).toEqual([])
  one.socket.close()
  two.socket.close()
})

test('large events pass, too large ones end it, and a provider that is not there is told', async () => {
  const key = await world.key()
  const line = dial(key.key)
  await line.next('session.created')
  const audio = 'A'.repeat(5_000_000)
  line.send({ type: 'input_audio_buffer.append', audio })
  await until(() => heard.length === 1)
  expect(heard[0]?.audio).toBe(audio)
  line.send({ type: 'input_audio_buffer.append', audio: 'A'.repeat(17_000_000) })
  await line.end
  await until(() => sockets.at(-1)?.readyState === 3)
  refuseAll = true
  const reply = await fetch(`${world.gateway.url}/v1/realtime?model=live`, {
    headers: { authorization: `Bearer ${key.key}`, upgrade: 'websocket', connection: 'upgrade' },
  })
  expect(reply.status).toBe(502)
  await atRest()
})

test('a GET that is no WebSocket is told so', async () => {
  const key = await world.key()
  expect((await key('GET', '/v1/realtime?model=live')).status).toBe(426)
})

test('a gateway that stops says so and leaves nothing held', async () => {
  const home = await startWorld({ yaml: { model_list: [model('live', PRICED)] } })
  const key = await home.key({ max_budget: 1 })
  const socket = new WebSocket(`${home.gateway.url.replace('http', 'ws')}/v1/realtime?model=live`, {
    headers: { authorization: `Bearer ${key.key}` },
  } as never)
  const said: string[] = []
  socket.onmessage = ({ data }) => said.push(String(data))
  const end = new Promise<number>((resolve) => {
    socket.onclose = ({ code }) => resolve(code)
  })
  await until(() => said.length === 1)
  await home.gateway.stop()
  expect(await end).toBe(1001)
  expect(JSON.parse(said.at(-1) ?? '')).toMatchObject({ type: 'error', error: { code: 'shutting_down' } })
  expect(sockets.at(-1)?.readyState).toBe(3)
})
