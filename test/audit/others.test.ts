/** What others say of a request stands in its entry: guards that blocked it, a cache that answered it. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type Mock, startMock } from '../mock/upstream.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'

let mock: Mock
let gateway: Gateway
beforeAll(async () => {
  mock = await startMock({ words: 5 })
  gateway = await startGateway({
    yaml: {
      model_list: [
        { model_name: 'm', litellm_params: { model: 'openai/m', api_base: `${mock.url}/v1`, api_key: 'k' } },
      ],
      litellm_settings: { cache: true, cache_params: { type: 'local' } },
      guardrails: [
        {
          guardrail_name: 'no-falcons',
          litellm_params: { guardrail: 'words', mode: 'pre_call', default_on: true, words: ['falcon'] },
        },
      ],
    },
  })
})
afterAll(async () => {
  await gateway.stop()
  await mock.stop()
})

async function entryOf(content: string): Promise<Record<string, unknown>> {
  const response = await gateway.call('POST', '/v1/chat/completions', {
    ...{ model: 'm', temperature: 0, messages: [{ role: 'user', content }] },
  })
  await response.text()
  const id = response.headers.get('x-request-id')
  const found = (await (await gateway.call('GET', `/audit/requests?id=${id}`)).json()) as Record<string, unknown>[]
  expect(found).toHaveLength(1)
  return found[0] as Record<string, unknown>
}

test('a request that a guard has blocked', async () => {
  const entry = await entryOf('where is the falcon?')
  expect(entry).toMatchObject({ status: 400, outcome: 'content_policy_violation', cost_nano: 0 })
  expect(JSON.stringify(entry.guardrails)).toContain('no-falcons')
  expect(entry.attempts).toBeUndefined()
  expect(JSON.stringify(entry)).not.toContain('falcon?')
})

test('one that a cache has answered', async () => {
  expect((await entryOf('the same')).cache).toBeUndefined()
  expect(await entryOf('the same')).toMatchObject({ cache: 'hit', cost_nano: 0, status: 200 })
})
