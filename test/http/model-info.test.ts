/** /model/info in LiteLLM's words: what each target costs this caller now, and nothing that is secret. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { makeKey } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'

const SECRET = 'sk-upstream-never-to-be-seen'
let gateway: Gateway

beforeAll(async () => {
  gateway = await startGateway({
    yaml: {
      model_list: [
        { model_name: 'gpt', litellm_params: { model: 'openai/gpt-4o', api_key: SECRET, rpm: 7 } },
        {
          model_name: 'own',
          litellm_params: {
            model: 'openai/painter',
            api_key: SECRET,
            output_cost_per_image: 0.04,
            input_cost_per_token_priority: 0.000002,
            prices: [{ from: '2020-01-01', output_cost_per_image: 0.05 }],
          },
          model_info: {
            id: 'the-painter',
            mode: 'image_generation',
            max_tokens: 99,
            output_cost_per_image: 3,
            note: 'x',
          },
        },
        { model_name: 'mine', litellm_params: { model: 'openai/unheard-of', api_key: SECRET } },
        { model_name: 'home', litellm_params: { model: 'ollama/mistral', api_base: 'http://127.0.0.1:9' } },
        { model_name: 'openai/*', litellm_params: { model: 'openai/*', api_key: SECRET } },
      ],
      litellm_settings: { cost_margin_config: { openai: 0.1 } },
    },
  })
})
afterAll(() => gateway.stop())

interface Info {
  model_name: string
  litellm_params: Record<string, unknown>
  model_info: Record<string, unknown>
}

async function info(query = '', key = gateway.masterKey, path = '/model/info') {
  const reply = await fetch(gateway.url + path + query, { headers: { authorization: `Bearer ${key}` } })
  const text = await reply.text()
  return { status: reply.status, text, data: (JSON.parse(text) as { data: Info[] }).data }
}

test('each target with its price of now, margins included', async () => {
  const { text, data } = await info()
  expect(data.map((one) => one.model_name)).toEqual(['gpt', 'own', 'mine', 'home', 'openai/*'])
  const [gpt, own, mine, home, pattern] = data as [Info, Info, Info, Info, Info]
  expect(gpt.litellm_params).toEqual({ model: 'openai/gpt-4o', rpm: 7 })
  expect(gpt.model_info).toMatchObject({
    ...{ id: 'gpt#1', litellm_provider: 'openai', max_input_tokens: 128_000 },
    ...{ input_cost_per_token: 2.75e-6, cache_read_input_token_cost: 1.375e-6, output_cost_per_token: 1.1e-5 },
    price_version: expect.stringMatching(/^genai-prices@[\d.]+:openai\/gpt-4o, \+10 %$/),
  })
  expect(own.model_info).toMatchObject({
    ...{ id: 'the-painter', mode: 'image_generation', max_output_tokens: 99, note: 'x' },
    ...{ output_cost_per_image: 0.055, input_cost_per_token_priority: 2.2e-6 },
    price_version: 'config, from 2020-01-01, +10 %',
  })
  expect(mine.model_info).toMatchObject({
    input_cost_per_token: null,
    output_cost_per_token: null,
    price_version: null,
  })
  expect(home.model_info).toMatchObject({ litellm_provider: 'ollama', input_cost_per_token: 0, price_version: 'free' })
  expect(pattern.model_info).not.toHaveProperty('input_cost_per_token')
  expect(text).not.toContain(SECRET)
  expect((await info('', gateway.masterKey, '/v1/model/info')).data).toEqual(data)
})

test('one by its id, or that there is none', async () => {
  expect((await info('?litellm_model_id=the-painter')).data.map((one) => one.model_name)).toEqual(['own'])
  const none = await info('?litellm_model_id=nobody')
  expect([none.status, none.text]).toEqual([404, expect.stringContaining("There is no target 'nobody' here.")])
})

test('a key sees the models that it may use, at what it pays for them', async () => {
  const key = await makeKey(gateway, { models: ['gpt'], pricing: { gpt: { input_cost_per_token: 0.000_001 } } })
  const { data } = await info('', key)
  expect(data.map((one) => one.model_name)).toEqual(['gpt'])
  expect(data[0]?.model_info.input_cost_per_token).toBe(1e-6)
  expect(data[0]?.model_info.output_cost_per_token).toBe(1.1e-5)
  expect((await info('?litellm_model_id=the-painter', key)).status).toBe(404)
  expect((await fetch(`${gateway.url}/model/info`)).status).toBe(401)
})
