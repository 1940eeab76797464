/** A target that was away and is well again: the first request that tries it must not keep all others out. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type Mock, startMock } from '../mock/upstream.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'

let first: Mock
let second: Mock
let gateway: Gateway
beforeAll(async () => {
  first = await startMock({ words: 40 })
  second = await startMock()
  const at = (mock: Mock, model: string) => ({ model: `openai/${model}`, api_base: `${mock.url}/v1`, api_key: 'sk-x' })
  gateway = await startGateway({
    yaml: {
      model_list: [
        { model_name: 'main', litellm_params: at(first, 'm!slow:200') },
        { model_name: 'spare', litellm_params: at(second, 's') },
      ],
      router_settings: { fallbacks: [{ main: ['spare'] }], cooldown_time: 1 },
    },
  })
}, 30_000)
afterAll(async () => {
  await gateway?.stop()
  first?.stop()
  second?.stop()
}, 30_000)

/** Begins a stream, and says who serves it. */
async function begin(): Promise<{ by: string | null; leave: () => Promise<void> }> {
  const body = { model: 'main', messages: [{ role: 'user', content: 'hi' }], stream: true }
  const reply = await gateway.call('POST', '/v1/chat/completions', body)
  const reader = (reply.body as ReadableStream<Uint8Array>).getReader()
  await reader.read()
  return { by: reply.headers.get('x-tollgate-served-by'), leave: () => reader.cancel() }
}

test('a long stream that proves it well lets the others back at its first content, not at its end', async () => {
  first.down()
  const away = await begin()
  expect(away.by).toBe('openai/s')
  first.up()
  await Bun.sleep(1_200)
  // Eight seconds of stream: the others would be kept away for all of it.
  const probe = await begin()
  expect(probe.by).toBe('openai/m!slow:200')
  const others = [await begin(), await begin()]
  expect(others.map((o) => o.by)).toEqual(['openai/m!slow:200', 'openai/m!slow:200'])
  for (const stream of [away, probe, ...others]) await stream.leave()
}, 30_000)
