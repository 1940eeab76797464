/** A local model that is down, with a paid one behind it: why it was not asked is told, and so is that the money is gone. */
import { afterAll, expect, test } from 'bun:test'
import { startMock } from '../mock/upstream.ts'
import { startGateway } from '../support/gateway.ts'
import { freePort } from '../support/temp.ts'

const mock = await startMock({ words: 10 })
const gateway = await startGateway({
  yaml: {
    model_list: [
      { model_name: 'chat', litellm_params: { model: 'ollama/local', api_base: `http://127.0.0.1:${freePort()}` } },
      {
        model_name: 'cloud',
        litellm_params: {
          ...{ model: 'openai/cloud', api_base: `${mock.url}/v1`, api_key: 'x' },
          ...{ input_cost_per_token: 1e-6, output_cost_per_token: 1e-6 },
        },
      },
    ],
    router_settings: { fallbacks: [{ chat: ['cloud'] }], cooldown_time: 60 },
  },
})
afterAll(async () => {
  await gateway.stop()
  await mock.stop()
})

test('each answer of the paid one says why, and when its money is gone that is what is told', async () => {
  const made = await gateway.call('POST', '/key/generate', { max_budget: 0.00004 })
  const { key } = (await made.json()) as { key: string }
  const ask = () =>
    fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}` },
      body: JSON.stringify({ model: 'chat', max_tokens: 10, messages: [{ role: 'user', content: 'hello there' }] }),
    })
  const whys: (string | null)[] = []
  let last = await ask()
  for (let i = 0; i < 10 && last.status === 200; i++) {
    whys.push(last.headers.get('x-tollgate-why'))
    last = await ask()
  }
  expect(whys.length).toBeGreaterThan(1)
  // Asked in vain, cooling down, or seen to be down by whoever watches the machine: never in silence.
  for (const why of whys) expect(why).toMatch(/^ollama\/local: (unreachable|cooling down \(unreachable\)|down)$/)
  expect(last.status).toBe(422)
  expect(((await last.json()) as { error: { code: string } }).error.code).toBe('budget_exceeded')
})
