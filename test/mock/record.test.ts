/** Plans, the record, the bill, and the mock as a process of its own. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import { join } from 'node:path'
import { type Mock, startMock } from './upstream.ts'

let mock: Mock
beforeAll(async () => {
  mock = await startMock({ words: 20 })
})
beforeEach(() => mock.reset())
afterAll(() => mock.stop())

const post = (model: string, init: RequestInit = {}, more: object = {}, base = mock.url): Promise<Response> =>
  fetch(`${base}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'one two three' }], ...more }),
    ...init,
  })

type Loose = { usage: Record<string, number>; sold: object }
const json = async (reply: Response): Promise<Loose> => (await reply.json()) as Loose

test('a plan is used up one a request and its last behaviour stays', async () => {
  mock.plan('m', ['status:500', 'status:503', 'ok'])
  const statuses: number[] = []
  for (let i = 0; i < 5; i++) statuses.push((await post('m')).status)
  expect(statuses).toEqual([500, 503, 200, 200, 200])
  mock.plan('*', [{ status: 418 }])
  expect((await post('other')).status).toBe(418)
  mock.plan('/api/ps', ['status:500'])
  expect((await fetch(`${mock.url}/api/ps`)).status).toBe(500)
})

test('an unknown fault is said, not swallowed', async () => {
  expect(() => mock.plan('m', ['constructor'])).toThrow('no fault named')
  const reply = await post('m!nonsense')
  expect(reply.status).toBe(599)
  expect(await reply.text()).toContain("no fault named 'nonsense'")
})

test('requests are recorded with headers, body and times; connections are reused', async () => {
  await (await post('m', { headers: { 'x-test': 'yes' } })).text()
  await (await post('m')).text()
  const [first, second] = mock.requests
  expect(first).toMatchObject({ method: 'POST', path: '/v1/chat/completions', model: 'm', status: 200 })
  expect(first?.headers['x-test']).toBe('yes')
  expect(first?.body).toMatchObject({ model: 'm' })
  await mock.until((all) => all.every((seen) => seen.doneAt !== undefined))
  expect(first?.abortedAt).toBeUndefined()
  expect(second?.connection).toBe(first?.connection)
})

test('the bill counts what was sold and what was said', async () => {
  await (await post('a', {}, { max_tokens: 5 })).json()
  await (await post('a!nousage')).json()
  await (await post('b!cut:7', {}, { stream: true })).text()
  await (await post('c!liar')).json()
  await (await post('d!status:500')).text()
  const { byModel, requests } = mock.bill()
  expect(requests).toBe(5)
  expect(byModel.a).toEqual({ requests: 1, sold: { prompt: 3, completion: 5 }, reported: { prompt: 3, completion: 5 } })
  expect(byModel['a!nousage']).toMatchObject({ sold: { prompt: 3, completion: 20 }, reported: { completion: 0 } })
  expect(byModel['b!cut:7']).toMatchObject({ sold: { prompt: 3, completion: 7 }, reported: { prompt: 0 } })
  expect(byModel['c!liar']).toMatchObject({ sold: { completion: 20 }, reported: { completion: 100_000 } })
  expect(byModel['d!status:500']?.sold).toEqual({ prompt: 0, completion: 0 })
})

test('a client that leaves is seen at once, before headers and inside a stream', async () => {
  const early = new AbortController()
  const waiting = post('m!hang', { signal: early.signal }).catch(() => 'left')
  await mock.until((all) => all.length === 1)
  early.abort()
  expect(await waiting).toBe('left')
  await mock.until((all) => all[0]?.abortedAt !== undefined, 500)

  const late = new AbortController()
  const reply = await post('m!slow:20', { signal: late.signal }, { stream: true })
  await reply.body!.getReader().read()
  late.abort()
  await mock.until((all) => all[1]?.abortedAt !== undefined, 500)
  expect(mock.requests[1]!.sold.completion).toBeLessThan(20)
  expect(mock.inFlight).toBe(0)
})

test('a reset by the mock is not an abort by the client', async () => {
  await post('m!reset').catch(() => undefined)
  await mock.until((all) => all.length === 1 && mock.inFlight === 0)
  expect(mock.requests[0]?.abortedAt).toBeUndefined()
})

test('a reader that stops reading stops the mock', async () => {
  const json = JSON.stringify({ model: 'm!big:100', stream: true, messages: [{ role: 'user', content: 'x' }] })
  const socket = await Bun.connect({
    hostname: '127.0.0.1',
    port: mock.port,
    socket: {
      data(reader) {
        reader.pause()
      },
    },
  })
  const head = 'POST /v1/chat/completions HTTP/1.1\r\nhost: mock\r\n'
  socket.write(`${head}content-length: ${Buffer.byteLength(json)}\r\n\r\n${json}`)
  await Bun.sleep(300)
  const sold = mock.requests[0]!.sold.completion
  await Bun.sleep(200)
  expect(mock.requests[0]!.sold.completion).toBe(sold)
  expect(sold).toBeLessThan(50 * 1024)
  socket.terminate()
  await mock.until((all) => all[0]?.abortedAt !== undefined)
  expect(mock.requests[0]!.sentBytes).toBeGreaterThan(1000)
})

test('a 100 MB stream arrives whole', async () => {
  const reply = await post('m!big:100', {}, { stream: true })
  let bytes = 0
  for await (const part of reply.body!) bytes += part.length
  expect(bytes).toBeGreaterThan(100 * 1024 * 1024)
  await mock.until((all) => all[0]?.doneAt !== undefined)
  expect(mock.requests[0]!.sold.completion).toBe(100 * 1024)
}, 20_000)

test('down refuses connections, up takes them again on the same port', async () => {
  mock.down()
  expect(await post('m').catch((e: { code?: string }) => e.code)).toBe('ECONNREFUSED')
  mock.up()
  expect((await post('m')).status).toBe(200)
})

test('a large body in small packets, chunked, and pipelined requests are read right', async () => {
  const content = 'word '.repeat(200_000)
  const encoder = new TextEncoder()
  const text = JSON.stringify({ model: 'm', messages: [{ role: 'user', content }] })
  const stream = new ReadableStream({
    start(controller) {
      for (let at = 0; at < text.length; at += 50_000) controller.enqueue(encoder.encode(text.slice(at, at + 50_000)))
      controller.close()
    },
  })
  const reply = await fetch(`${mock.url}/v1/chat/completions`, { method: 'POST', body: stream })
  expect((await json(reply)).usage.prompt_tokens).toBe(200_000)
  let got = ''
  const socket = await Bun.connect({
    hostname: '127.0.0.1',
    port: mock.port,
    socket: {
      data(_, bytes) {
        got += Buffer.from(bytes).toString()
      },
    },
  })
  socket.write('GET /api/version HTTP/1.1\r\nhost: a\r\n\r\nGET /v1/models HTTP/1.1\r\nhost: a\r\n\r\n')
  await mock.until((all) => all.length === 3 && all[2]?.doneAt !== undefined)
  await Bun.sleep(20)
  expect(got.match(/HTTP\/1.1 200 OK/g)).toHaveLength(2)
  socket.terminate()
})

test('slots: one answer at a time, in order, and who leaves the line takes no place', async () => {
  const gpu = await startMock({ slots: 1, words: 4 })
  const first = post('a!slow:30', {}, {}, gpu.url)
  await gpu.until((all) => all.length === 1)
  const leaving = new AbortController()
  const second = post('b', { signal: leaving.signal }, {}, gpu.url).catch(() => 'left')
  await gpu.until((all) => all.length === 2)
  const third = post('c', {}, {}, gpu.url)
  await gpu.until((all) => all.length === 3)
  leaving.abort()
  expect(await second).toBe('left')
  expect((await first).status).toBe(200)
  expect((await third).status).toBe(200)
  const [a, b, c] = gpu.requests
  expect(b).toMatchObject({ sold: { prompt: 0, completion: 0 } })
  expect(c!.at + c!.headersAt!).toBeGreaterThanOrEqual(a!.at + a!.headersAt!)
  expect((await post('d', {}, {}, gpu.url)).status).toBe(200)
  gpu.stop()
})

test('the mock as a process of its own, told over HTTP', async () => {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, 'main.ts'), '--words', '4'], { stdout: 'pipe' })
  try {
    const { value } = await child.stdout.getReader().read()
    const url = /http:\S+/.exec(new TextDecoder().decode(value))![0]
    const told = await fetch(`${url}/__mock/plan`, {
      method: 'POST',
      body: JSON.stringify({ model: 'm', behaviours: ['status:503', { words: 2 }] }),
    })
    expect(told.status).toBe(200)
    expect((await post('m', {}, {}, url)).status).toBe(503)
    expect((await json(await post('m', {}, {}, url))).usage.completion_tokens).toBe(2)
    expect(await (await fetch(`${url}/__mock/requests`)).json()).toHaveLength(2)
    expect((await json(await fetch(`${url}/__mock/bill`))).sold).toEqual({ prompt: 3, completion: 2 })
    await fetch(`${url}/__mock/reset`, { method: 'POST' })
    expect(await (await fetch(`${url}/__mock/requests`)).json()).toEqual([])
  } finally {
    child.kill()
    await child.exited
  }
})
