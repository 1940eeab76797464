/** Whoever sends slowly, or nothing, keeps no connection: headers are the server's matter, bodies ours. */
import { afterAll, expect, test } from 'bun:test'
import net from 'node:net'
import { jsonBody } from '../../src/http/json-body.ts'
import { startMock } from '../mock/upstream.ts'
import { MASTER_KEY, startGateway } from '../support/gateway.ts'

const mock = await startMock({ words: 5, models: ['m'] })
const gateway = await startGateway({
  yaml: {
    model_list: [
      { model_name: 'm', litellm_params: { model: 'openai/m', api_base: `${mock.url}/v1`, api_key: 'sk-u' } },
    ],
    tollgate: { timeouts: { body: 1 } },
  },
})
afterAll(async () => {
  await gateway.stop()
  await mock.stop()
})

/** Sends this, then `drip` every 200 ms. @returns what came back, and after how many ms the connection was closed */
function knock(first: string, drip: string, mostMs: number): Promise<{ text: string; ms: number; closed: boolean }> {
  return new Promise((resolve) => {
    const began = Date.now()
    let text = ''
    const socket = net.connect(gateway.port, '127.0.0.1', () => socket.write(first))
    const dripping = setInterval(() => drip && socket.write(drip), 200)
    const end = (closed: boolean) => {
      clearInterval(dripping)
      clearTimeout(late)
      socket.destroy()
      resolve({ text, ms: Date.now() - began, closed })
    }
    const late = setTimeout(() => end(false), mostMs)
    socket.on('data', (part) => {
      text += part.toString()
    })
    socket.on('close', () => end(true))
    socket.on('error', () => {})
  })
}

const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${MASTER_KEY}\r\nContent-Type: application/json\r\n`

test('headers that drip, that stop, or that never begin: the connection is closed', async () => {
  const [dripping, half, silent] = await Promise.all([
    knock('GET /v1/models HTTP/1.1\r\nHost: x\r\nX-A: ', 'a', 25_000),
    knock('GET /v1/models HTTP/1.1\r\nHost: x\r\n', '', 25_000),
    knock('', '', 25_000),
  ])
  expect([dripping.closed, half.closed, silent.closed]).toEqual([true, true, true])
}, 40_000)

test('a body that drips, or that stops, is refused when its time is over, and no model is asked', async () => {
  const declared = `${head}Content-Length: 1000\r\n\r\n{"model":`
  const answers = await Promise.all([
    knock(declared, ' ', 10_000),
    knock(declared, '', 10_000),
    knock(`${head}Transfer-Encoding: chunked\r\n\r\n9\r\n{"model":\r\n`, '1\r\n \r\n', 10_000),
  ])
  for (const { text, ms } of answers) {
    expect(text).toStartWith('HTTP/1.1 408')
    expect(text).toContain('did not come in whole within 1 s')
    expect(ms).toBeLessThan(8_000)
  }
  expect(mock.requests.length).toBe(0)
}, 20_000)

test('management routes wait no longer', async () => {
  const body = new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode('{')) })
  const request = new Request('http://x/key/generate', { method: 'POST', body })
  await expect(jsonBody(request, 100)).rejects.toThrow('did not come in whole within 0.1 s')
})

test('an answer may take longer than that, and a body that comes in time is read', async () => {
  mock.plan('m', [{ delayFirst: 2_500 }])
  const answer = await gateway.call('POST', '/v1/chat/completions', {
    model: 'm',
    messages: [{ role: 'user', content: 'Hi' }],
  })
  expect(answer.status).toBe(200)
  await answer.text()
}, 20_000)
