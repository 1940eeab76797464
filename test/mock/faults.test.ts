/** Each fault as it looks from the wire: raw sockets where bytes matter, fetch where HTTP does. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { wordsFor } from './answer.ts'
import { type Mock, startMock } from './upstream.ts'

let mock: Mock
beforeAll(async () => {
  mock = await startMock({ words: 60 })
})
afterAll(() => mock.stop())

const body = (model: string, stream: boolean, more: object = {}) =>
  JSON.stringify({ model, stream, messages: [{ role: 'user', content: 'Hi there' }], ...more })
const post = (model: string, stream = true, init: RequestInit = {}, more: object = {}): Promise<Response> =>
  fetch(`${mock.url}/v1/chat/completions`, {
    method: 'POST',
    body: body(model, stream, more),
    redirect: 'manual',
    ...init,
  })

type Loose = {
  error: { message: string; code: string | null }
  usage: { completion_tokens: number } | undefined
  choices: { message: { content: string } }[]
}
const json = async (reply: Response): Promise<Loose> => (await reply.json()) as Loose

/** Words of an OpenAI stream as a careful client would collect them. */
function spoken(sse: string): string {
  let text = ''
  for (const line of sse.split(/\r?\n/)) {
    const data = /^data: ?(\{.*)$/.exec(line)?.[1]
    if (data === undefined) continue
    try {
      text += JSON.parse(data).choices?.[0]?.delta?.content ?? ''
    } catch {}
  }
  return text
}
const firstWords = (n: number): string => wordsFor('Hi', n).join('')

/** Everything that comes over a raw connection until it ends, at most `ms`. */
async function raw(model: string, stream = true, ms = 300): Promise<{ text: string; end: 'fin' | 'reset' | 'open' }> {
  const parts: Buffer[] = []
  let settle: (end: 'fin' | 'reset' | 'open') => void = () => {}
  const ended = new Promise<'fin' | 'reset' | 'open'>((resolve) => {
    settle = resolve
  })
  const socket = await Bun.connect({
    hostname: '127.0.0.1',
    port: mock.port,
    socket: {
      data: (_, bytes) => void parts.push(Buffer.from(bytes)),
      end: () => settle('fin'),
      error: () => settle('reset'),
      close: (_, error) => settle(error ? 'reset' : 'fin'),
    },
  })
  const json = body(model, stream)
  const head = 'POST /v1/chat/completions HTTP/1.1\r\nhost: mock\r\n'
  socket.write(`${head}content-length: ${Buffer.byteLength(json)}\r\n\r\n${json}`)
  const timer = setTimeout(() => settle('open'), ms)
  const end = await ended
  clearTimeout(timer)
  socket.terminate()
  return { text: Buffer.concat(parts).toString(), end }
}

test('hang: no headers; stall: no more after N tokens', async () => {
  expect(await raw('m!hang')).toEqual({ text: '', end: 'open' })
  const stalled = await raw('m!stall:20')
  expect(stalled.end).toBe('open')
  expect(spoken(stalled.text)).toBe(firstWords(20))
})

test('reset: before headers, after headers, after N tokens', async () => {
  expect(await raw('m!reset')).toEqual({ text: '', end: 'reset' })
  const headers = await raw('m!reset:headers')
  expect(headers.end).toBe('reset')
  expect(headers.text).toMatch(/^HTTP\/1.1 200 OK\r\n[\s\S]*\r\n\r\n$/)
  const later = await raw('m!slow:1!reset:5')
  expect(later.end).toBe('reset')
  expect(spoken(later.text)).toBe(firstWords(5))
})

test('cut ends the HTTP body properly, fin does not', async () => {
  const cut = await post('m!cut:40')
  const text = await cut.text()
  expect(spoken(text)).toBe(firstWords(40))
  expect(text).not.toContain('[DONE]')
  const fin = await raw('m!fin:40')
  expect(fin.end).toBe('fin')
  expect(fin.text.endsWith('0\r\n\r\n')).toBe(false)
  const whole = await raw('m!fin:30', false)
  const announced = Number(/content-length: (\d+)/.exec(whole.text)?.[1])
  const got = Buffer.byteLength(whole.text.split('\r\n\r\n')[1] ?? '')
  expect(got / announced).toBeCloseTo(0.5, 1)
})

test('statuses, with their bodies and headers', async () => {
  for (const status of [400, 401, 403, 404, 500, 503, 520, 529]) {
    const reply = await post(`m!status:${status}`)
    expect(reply.status).toBe(status)
    expect((await json(reply)).error.message).toBeString()
  }
  expect((await post('m!429')).headers.get('retry-after')).toBeNull()
  expect((await post('m!429:2')).headers.get('retry-after')).toBe('2')
  const date = Date.parse((await post('m!429:date:3')).headers.get('retry-after') ?? '')
  expect(Math.abs(date - Date.now() - 3000)).toBeLessThan(1500)
  const html = await post('m!html')
  expect([html.status, html.headers.get('content-type')]).toEqual([502, 'text/html'])
  expect(await html.text()).toContain('<html>')
  expect((await json(await post('m!context'))).error.code).toBe('context_length_exceeded')
  expect((await json(await post('m!filter'))).error.code).toBe('content_filter')
  const echo = await post('m!echo:403', true, { headers: { authorization: 'Bearer sk-secret' } })
  expect(echo.status).toBe(403)
  expect(await echo.text()).toContain('Bearer sk-secret')
})

test('redirects point to a foreign host', async () => {
  for (const code of [302, 308]) {
    const reply = await post(`m!redirect:${code}`)
    expect(reply.status).toBe(code)
    expect(reply.headers.get('location')).toContain('foreign.invalid')
  }
})

test('ends: no [DONE] closed, open, or by the connection', async () => {
  const closed = await (await post('m!nodone')).text()
  expect(spoken(closed)).toBe(firstWords(60))
  expect(closed).not.toContain('[DONE]')
  expect((await raw('m!nodoneopen')).end).toBe('open')
  const until = await raw('m!untilclose')
  expect(until.end).toBe('fin')
  expect(until.text).not.toMatch(/transfer-encoding|content-length/)
  expect(spoken(until.text)).toBe(firstWords(60))
})

test('usage and finish can be missing, or lie', async () => {
  const asking = { stream_options: { include_usage: true } }
  expect(await (await post('m!nousage', true, {}, asking)).text()).not.toContain('"usage":{')
  expect((await json(await post('m!nousage', false))).usage).toBeUndefined()
  expect(await (await post('m!nofinish')).text()).not.toContain('"finish_reason":"')
  const liar = await json(await post('m!liar', false, {}, { max_tokens: 3 }))
  expect(liar.usage?.completion_tokens).toBe(100_000)
  const winded = await json(await post('m!long_winded', false, {}, { max_tokens: 3 }))
  expect(winded.usage?.completion_tokens).toBe(60)
})

test('what does not belong in a stream: broken events, garbage, in-band errors', async () => {
  const malformed = await (await post('m!malformed:10')).text()
  expect(malformed).toContain('{"delta"\n\n')
  expect(spoken(malformed)).toBe(firstWords(60))
  const garbage = new Uint8Array(await (await post('m!garbage:10')).arrayBuffer())
  expect(garbage.includes(0xff)).toBe(true)
  const inBand = await (await post('m!inband:10')).text()
  expect(spoken(inBand)).toBe(firstWords(10))
  expect(inBand.trimEnd().split('\n').at(-1)).toContain('"error"')
  expect(await (await post('m!inband:0')).text()).toMatch(/^data: {"error"/)
})

test('200 that is none: an error body, nothing, plain JSON for a stream', async () => {
  expect(await json(await post('m!errorbody'))).toHaveProperty('error')
  expect(await (await post('m!empty')).text()).toBe('')
  const plain = await post('m!plain')
  expect(plain.headers.get('content-type')).toBe('application/json')
  expect((await json(plain)).choices[0]!.message.content).toBe(firstWords(60))
})

test('HTTP lies: length, gzip, interim answers', async () => {
  for (const [model, sign] of [
    ['m!short', 1],
    ['m!long', -1],
  ] as const) {
    const { text, end } = await raw(model, false)
    const announced = Number(/content-length: (\d+)/.exec(text)?.[1])
    const got = Buffer.byteLength(text.slice(text.indexOf('\r\n\r\n') + 4))
    expect(announced - got).toBe(10 * sign)
    expect(end).toBe('fin')
  }
  expect(spoken(await (await post('m!gzip')).text())).toBe(firstWords(60))
  expect(
    await post('m!badgzip', false)
      .then((r) => r.text())
      .catch(() => 'failed'),
  ).toBe('failed')
  const interim = await raw('m!interim', false)
  expect(interim.text).toMatch(/^HTTP\/1.1 100 [\s\S]*HTTP\/1.1 102 [\s\S]*HTTP\/1.1 103 [\s\S]*HTTP\/1.1 200 OK/)
})

test('an event that never completes: dripped, or 2 MB of it', async () => {
  const drip = await raw('m!drip:5')
  expect(drip.end).toBe('open')
  expect(drip.text).not.toMatch(/\n\n/)
  expect(drip.text.length).toBeGreaterThan(150)
  const big = await raw('m!bigevent:2', true, 1500)
  expect(big.text.length).toBeGreaterThan(2 * 1024 * 1024)
  expect(big.end).toBe('open')
})

test('whole answers drip and break too', async () => {
  expect((await raw('m!drip:5', false)).end).toBe('open')
  for (const model of ['m!malformed', 'm!garbage']) {
    const reply = await post(model, false)
    expect(reply.status).toBe(200)
    const text = await reply.text()
    expect(() => JSON.parse(text)).toThrow()
  }
})

test('split bytes cut inside a character and still make one text', async () => {
  const reply = await post('m!split:1')
  let cuts = 0
  const parts: Uint8Array[] = []
  for await (const part of reply.body!) {
    parts.push(part)
    if (((part[0] ?? 0) & 0xc0) === 0x80) cuts++
  }
  expect(spoken(Buffer.concat(parts).toString())).toBe(firstWords(60))
  expect(cuts).toBeGreaterThan(0)
})

test('odd but legal SSE says the same', async () => {
  const text = await (await post('m!odd')).text()
  expect(text).toMatch(/^: comment/m)
  expect(text).toMatch(/\r\n\r\n/)
  expect(text).toMatch(/^id:\d+\r$/m)
  expect(text).toMatch(/^retry:1000\r$/m)
  expect(text).toMatch(/^data:{/m)
  expect(spoken(text)).toBe(firstWords(60))
})

test('waiting: headers, first token, between tokens, silence', async () => {
  let began = performance.now()
  const late = await post('m!slowheaders:120')
  expect(performance.now() - began).toBeGreaterThan(110)
  await late.text()
  began = performance.now()
  const first = await post('m!slowfirst:200')
  expect(performance.now() - began).toBeLessThan(150)
  await first.text()
  expect(performance.now() - began).toBeGreaterThan(190)
  began = performance.now()
  await (await post('m!slow:5')).text()
  expect(performance.now() - began).toBeGreaterThan(59 * 5)
  const silent = await (await post('m!silentcomments:200')).text()
  expect(silent.match(/: keep-alive/g)?.length).toBeGreaterThan(2)
  expect(spoken(silent)).toBe(firstWords(60))
})

test('the same faults hold for Anthropic and Ollama streams', async () => {
  const anthropic = await fetch(`${mock.url}/v1/messages`, {
    method: 'POST',
    body: body('m!inband:3', true, { max_tokens: 50 }),
  })
  expect(await anthropic.text()).toMatch(/event: error\ndata: {"type":"error"[^\n]*\n\n$/)
  const ollama = await fetch(`${mock.url}/api/chat`, { method: 'POST', body: body('m!nofinish', true) })
  const lines = (await ollama.text()).trimEnd().split('\n')
  expect(lines).toHaveLength(60)
  expect(lines.some((line) => JSON.parse(line).done)).toBe(false)
})
