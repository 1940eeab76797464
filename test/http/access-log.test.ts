/** A line for each request as parsers of nginx's `combined` read it, and `/status` for the machine itself. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { existsSync, readFileSync, renameSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { accessLine, escaped, withoutKeys } from '../../src/core/access-line.ts'
import { showStatus } from '../../src/http/status.ts'
import { type Mock, startMock } from '../mock/upstream.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { makeTemp } from '../support/temp.ts'

const path = join(makeTemp('access'), 'access.log')
let mock: Mock
let gateway: Gateway
beforeAll(async () => {
  mock = await startMock({ words: 5 })
  gateway = await startGateway({
    yaml: {
      model_list: [
        { model_name: 'm', litellm_params: { model: 'openai/m', api_base: `${mock.url}/v1`, api_key: 'k' } },
      ],
      tollgate: { access_log: path, unpriced: 'allow' },
    },
  })
})
afterAll(async () => {
  await gateway.stop()
  await mock.stop()
})

/** log_format combined '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'; and the two times. */
const COMBINED =
  /^(\S+) - (\S+) \[(\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\] "([^"]*)" (\d{3}) (\d+) "([^"]*)" "([^"]*)" (\d+\.\d{3}) (\d+\.\d{3}|-)$/

async function lines(least: number, file = path): Promise<string[]> {
  for (let i = 0; i < 300; i++) {
    const found = existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : []
    if (found.length >= least) return found
    await Bun.sleep(20)
  }
  throw new Error(`never ${least} lines`)
}

/** Exactly these bytes, which no client would send. */
const raw = (request: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(gateway.port, '127.0.0.1', () => socket.write(request))
    let answer = ''
    socket.on('data', (bytes) => {
      answer += bytes
      socket.end()
    })
    socket.on('close', () => resolve(answer))
    socket.on('error', reject)
  })

test('a request, a stream, and what is refused', async () => {
  const body = (stream: boolean) => ({ model: 'm', stream, messages: [{ role: 'user', content: 'hi' }] })
  const whole = await (await gateway.call('POST', '/v1/chat/completions', body(false))).text()
  const streamed = await (await gateway.call('POST', '/v1/chat/completions', body(true))).text()
  await (await fetch(`${gateway.url}/key/list`)).text()
  const all = (await lines(3)).filter((line) => !line.includes('/health'))
  const parsed = all.map((line) => COMBINED.exec(line))
  expect(parsed.every((one) => one !== null)).toBe(true)
  const [one, two, three] = parsed as [RegExpExecArray, RegExpExecArray, RegExpExecArray]
  expect(one.slice(4, 7)).toEqual(['POST /v1/chat/completions HTTP/1.1', '200', String(Buffer.byteLength(whole))])
  expect(two.slice(5, 7)).toEqual(['200', String(Buffer.byteLength(streamed))])
  expect(streamed).toContain('[DONE]')
  expect([one[1], one[2]]).toEqual(['127.0.0.1', '-'])
  expect(Number(one[10])).toBeLessThanOrEqual(Number(one[9]) + 0.002)
  expect([three[4], three[5], three[10]]).toEqual(['GET /key/list HTTP/1.1', '401', '-'])
})

test('nobody puts a line of his own into it, and no key comes in', async () => {
  const before = (await lines(1)).length
  const agent = 'x" 200 5 "-" "y\\ \u00fc'
  await raw(
    `GET /v1/models?key=sk-secret-secret-secret&a=%0a HTTP/1.1\r\nHost: x.example.com\r\nUser-Agent: ${agent}\r\nReferer: http://h/?api_key=geheim\r\nConnection: close\r\n\r\n`,
  )
  const all = await lines(before + 1)
  expect(all).toHaveLength(before + 1)
  const parsed = COMBINED.exec(all.at(-1) as string)
  expect(parsed?.[4]).toBe('GET /v1/models?key=***&a=%0a HTTP/1.1')
  expect(parsed?.[7]).toBe('http://h/?api_key=***')
  expect(parsed?.[8]).toStartWith('x\\x22 200 5 \\x22-\\x22 \\x22y\\x5C ')
  expect(all.join()).not.toMatch(/sk-secret|geheim/)
})

test('a file that was moved away is begun anew, by itself and when a signal asks for it', async () => {
  await lines(1)
  renameSync(path, `${path}.1`)
  process.kill(gateway.pid, 'SIGUSR1')
  await gateway.call('GET', '/v1/models')
  expect((await lines(1)).at(-1)).toContain('GET /v1/models')
  expect(readFileSync(`${path}.1`, 'utf8')).toContain('/v1/chat/completions')
})

test('/status is for the machine itself, and says what stub_status says', async () => {
  const text = await (await fetch(`${gateway.url}/status`)).text()
  expect(text).toMatch(
    /^Active connections: \d+ \nserver accepts handled requests\n \d+ \d+ \d+ \nReading: \d+ Writing: \d+ Waiting: \d+ \n$/,
  )
  const json = (await (await fetch(`${gateway.url}/status?format=json`)).json()) as Record<string, number>
  expect(json.requests).toBeGreaterThan(3)
  expect(json.active).toBeGreaterThan(0)
  const forwarded = await fetch(`${gateway.url}/status`, { headers: { 'x-forwarded-for': '127.0.0.1' } })
  expect(forwarded.status).toBe(403)
})

test('/status goes by the other end of the connection', () => {
  const ask = (peer: string | undefined) => () =>
    showStatus(new Request('http://127.0.0.1/status'), peer, { active: 1, requests: 2 })
  for (const peer of ['127.0.0.1', '::1', '::ffff:127.0.0.1']) expect(ask(peer)().status).toBe(200)
  for (const peer of ['10.0.0.1', '2001:db8::1', '::ffff:10.0.0.1', undefined])
    expect(ask(peer)).toThrow('machine of the gateway')
})

test('what is no printable ASCII stands as bytes', () => {
  expect(escaped('a"b\\c\n\u00fc\u0000')).toBe('a\\x22b\\x5Cc\\x0A\\xC3\\xBC\\x00')
  expect(withoutKeys('/key/sk-abcdefgh123/regenerate?x=1&access_token=abc;client_secret=1')).toBe(
    '/key/sk-***/regenerate?x=1&access_token=***;client_secret=***',
  )
  const line = accessLine({
    ...{ ip: undefined, user: 'a b"', at: Date.UTC(2026, 10, 21, 13, 0, 5), method: 'GET', target: '/', status: 200 },
    ...{ bytes: 3, referer: null, agent: null, tookMs: 12.4, upstreamMs: undefined },
  })
  expect(line).toBe('- - a\\x20b\\x22 [21/Nov/2026:13:00:05 +0000] "GET / HTTP/1.1" 200 3 "-" "-" 0.012 -\n')
})
