/** What no client should send: an error that says what is wrong, in the caller's dialect, and no upstream is asked. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { BODIES, MARK } from './bodies.ts'
import { DOORS, MODELS, messageOf, startWorld, UPSTREAM_KEY, type World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.stop())

for (const door of DOORS) {
  test.each(BODIES)(`${door.path}: %s`, async (_, body, status, says) => {
    const before = world.mock.requests.length
    const answer = await world.post(door.path, body(door))
    const message = messageOf(door.shape, answer)
    expect([answer.status, message]).toEqual([status, expect.stringMatching(says)])
    expect(message.length).toBeLessThan(1_000)
    expect(world.mock.requests.length).toBe(before)
  })
}

const CHAT: Record<string, unknown> = { model: 'm', messages: [{ role: 'user', content: MARK }] }
const FIELDS: [path: string, body: Record<string, unknown>, names: string][] = [
  ['/v1/chat/completions', { model: 'm' }, 'messages'],
  ['/v1/chat/completions', { model: 'm', messages: MARK }, 'messages'],
  ['/v1/chat/completions', { model: 'm', messages: null }, 'messages'],
  ['/v1/chat/completions', { model: 'm', messages: {} }, 'messages'],
  ['/v1/chat/completions', { model: 'm', messages: [] }, 'messages'],
  ['/v1/chat/completions', { ...CHAT, stream: 'yes' }, 'stream'],
  ['/v1/chat/completions', { ...CHAT, stream: 1 }, 'stream'],
  ['/v1/chat/completions', { ...CHAT, max_tokens: 'ten' }, 'max_tokens'],
  ['/v1/chat/completions', { ...CHAT, max_tokens: -1 }, 'max_tokens'],
  ['/v1/chat/completions', { ...CHAT, max_tokens: 1.5 }, 'max_tokens'],
  ['/v1/chat/completions', { ...CHAT, max_tokens: 'HUGE' }, 'max_tokens'],
  ['/v1/chat/completions', { ...CHAT, max_completion_tokens: 0 }, 'max_completion_tokens'],
  ['/v1/chat/completions', { ...CHAT, n: 0 }, 'n'],
  ['/v1/chat/completions', { ...CHAT, n: 'many' }, 'n'],
  ['/v1/chat/completions', { ...CHAT, stream_options: 'usage' }, 'stream_options'],
  ['/v1/completions', { model: 'm' }, 'prompt'],
  ['/v1/embeddings', { model: 'm' }, 'input'],
  ['/v1/messages', { model: 'm', max_tokens: 5 }, 'messages'],
  ['/v1/messages', { ...CHAT, max_tokens: -5 }, 'max_tokens'],
  ['/api/chat', { ...CHAT, stream: 'no' }, 'stream'],
  ['/api/chat', { ...CHAT, options: 'hot' }, 'options'],
  ['/api/chat', { ...CHAT, options: { num_predict: 'ten' } }, 'num_predict'],
  ['/api/embed', { model: 'm' }, 'input'],
]

test.each(FIELDS)('%s %j: names %s', async (path, body, name) => {
  const before = world.mock.requests.length
  // A number that no double holds.
  const answer = await world.post(path, JSON.stringify(body).replace('"HUGE"', '1e400'))
  const { shape } = DOORS.find((door) => door.path === path)!
  expect([answer.status, messageOf(shape, answer)]).toEqual([
    400,
    expect.stringMatching(new RegExp(`'(options.)?${name}'`)),
  ])
  if (shape === 'openai') expect(JSON.parse(answer.text).error.param).toContain(name)
  expect(world.mock.requests.length).toBe(before)
})

test('what only the upstream can judge is asked once, and its reason is handed on', async () => {
  for (const model of ['m', 'local']) {
    const before = world.mock.requests.length
    const answer = await world.post('/v1/chat/completions', JSON.stringify({ model, messages: [{ role: 7 }] }))
    expect(answer.status).toBe(400)
    expect(messageOf('openai', answer)).toMatch(/role/)
    expect(world.mock.requests.length - before).toBeLessThanOrEqual(1)
  }
})

test.each([
  ['a form', 'application/x-www-form-urlencoded'],
  ['text', 'text/plain'],
  ['a multipart form', 'multipart/form-data; boundary=x'],
  ['nonsense', 'no/such; type='],
  ['JSON in another charset', 'application/json; charset=latin1'],
  ['nothing', ''],
])('JSON that says it is %s is taken as JSON', async (_, type) => {
  for (const { path, good } of DOORS) {
    const answer = await world.post(path, Buffer.from(JSON.stringify(good)), { 'content-type': type })
    expect([path, answer.status]).toEqual([path, 200])
  }
})

test('nobody is stopped from asking well, and the log holds neither words nor keys', async () => {
  for (const { path, good } of DOORS) {
    const marked = JSON.stringify(good).replace('Hi there', MARK)
    expect((await world.post(path, marked)).status).toBe(200)
  }
  await Bun.sleep(1_100)
  const log = world.gateway.logs()
  expect(log).toContain('"request_id"')
  for (const secret of [MARK, UPSTREAM_KEY, world.gateway.masterKey]) expect(log).not.toContain(secret)
  expect(log).not.toMatch(/\.ts:\d+|unhandled|panic/i)
  expect(MODELS.length).toBe(3)
})
