/** The helper that other tests stand on: a gateway that starts, serves, restarts on its data, and leaves nothing. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Mock, startMock } from '../mock/upstream.ts'
import { startGateway } from './gateway.ts'

let mock: Mock
beforeAll(async () => {
  mock = await startMock({ words: 5 })
})
afterAll(() => mock.stop())

const yaml = () => ({
  model_list: [
    { model_name: 'm', litellm_params: { model: 'openai/m', api_base: `${mock.url}/v1`, api_key: 'sk-up' } },
  ],
})

test('it serves, is killed, starts again on the same data, and cleans up', async () => {
  const first = await startGateway({ yaml: yaml() })
  const ask = { model: 'm', messages: [{ role: 'user', content: 'Hi there' }] }
  const reply = await first.call('POST', '/v1/chat/completions', ask)
  expect(await reply.json()).toMatchObject({ usage: { prompt_tokens: 2, completion_tokens: 5 } })
  expect(mock.of('m').at(-1)?.headers.authorization).toBe('Bearer sk-up')
  await first.kill9()
  expect(await fetch(first.url).catch((cause: { code?: string }) => cause.code)).toBe('ECONNREFUSED')
  const second = await startGateway({ yaml: yaml(), dataDir: first.dataDir, port: first.port })
  expect((await second.call('POST', '/v1/chat/completions', ask)).status).toBe(200)
  await second.stop()
  await first.stop()
  expect(existsSync(dirname(first.configFile))).toBe(false)
}, 30_000)

test('a configuration that is wrong is told, not waited for', async () => {
  const began = performance.now()
  const cause = await startGateway({ yaml: 'model_lisst: []\n' }).catch((error: Error) => error)
  expect(cause).toBeInstanceOf(Error)
  expect((cause as Error).message).toContain('model_lisst')
  expect(performance.now() - began).toBeLessThan(10_000)
}, 30_000)
