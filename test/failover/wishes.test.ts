/** What the operator and the caller say of failing over: policies by class, special fallbacks, fewer attempts, shorter times. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Mock, startMock } from '../mock/upstream.ts'
import { ask } from '../support/ask.ts'
import { atRest, makeKey } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'

let mock: Mock
let gateway: Gateway
beforeAll(async () => {
  mock = await startMock({ words: 20 })
  const at = (alias: string, model: string) => ({
    model_name: alias,
    litellm_params: { model: `openai/${model}`, api_base: `${mock.url}/v1`, api_key: 'sk-up' },
  })
  gateway = await startGateway({
    yaml: {
      model_list: [
        at('small', 'small!context'),
        at('large', 'large'),
        at('usual', 'usual'),
        at('strict', 'strict!filter'),
        at('lenient', 'lenient'),
        at('broken', 'broken!status:500'),
        at('busy', 'busy!status:503'),
        at('mine', 'mine'),
        at('slow', 'slow!slow:400'),
        at('a0', 'a0!status:500'),
        ...[1, 2, 3].map((n) => at(`a${n}`, `a${n}!status:500`)),
        at('a4', 'a4'),
      ],
      router_settings: {
        num_retries: 0,
        fallbacks: [{ small: ['usual'] }, { broken: ['usual'] }, { a0: ['a1', 'a2', 'a3', 'a4'] }],
        context_window_fallbacks: [{ small: ['large'] }],
        content_policy_fallbacks: [{ strict: ['lenient'] }],
        retry_policy: { InternalServerErrorRetries: 2 },
        model_group_retry_policy: { busy: { ServiceUnavailableErrorRetries: 0 } },
        max_fallbacks: 2,
        disable_cooldowns: true,
      },
    },
  })
})
afterAll(async () => {
  await atRest(gateway)
  await gateway.stop()
  mock.stop()
})
const times = (model: string) => mock.requests.filter((r) => r.model?.split('!')[0] === model).length

test('a prompt that does not fit goes to its own fallbacks first; one that is refused for what it says to those only', async () => {
  for (const stream of [true, false]) {
    expect((await ask(gateway, { model: 'small', stream })).by).toBe('openai/large')
    expect((await ask(gateway, { model: 'strict', stream })).by).toBe('openai/lenient')
  }
  expect(times('usual')).toBe(0)
})

test('a class of failures has its own number of attempts, an alias its own policy', async () => {
  expect((await ask(gateway, { model: 'broken' })).by).toBe('openai/usual')
  expect(times('broken')).toBe(3)
  expect((await ask(gateway, { model: 'busy' })).status).toBe(503)
  expect(times('busy')).toBe(1)
})

test('no more fallbacks than are allowed', async () => {
  const said = await ask(gateway, { model: 'a0', more: { num_retries: 0 } })
  expect(said.status).toBeGreaterThanOrEqual(500)
  expect(times('a4')).toBe(0)
})

describe('a caller’s own wishes', () => {
  test('his fallbacks take the place of the configured ones, and no upstream hears of them', async () => {
    const said = await ask(gateway, { model: 'busy', more: { fallbacks: ['mine'], num_retries: 0, timeout: 30 } })
    expect(said.by).toBe('openai/mine')
    const sent = mock.of('mine').at(-1)?.body
    expect(sent).toHaveProperty('messages')
    for (const field of ['fallbacks', 'num_retries', 'timeout']) expect(sent).not.toHaveProperty(field)
    const anthropic = await fetch(`${gateway.url}/v1/messages`, {
      method: 'POST',
      headers: { 'x-api-key': gateway.masterKey, 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'busy',
        max_tokens: 9,
        messages: [{ role: 'user', content: 'Hi' }],
        fallbacks: [{ model: 'mine' }],
      }),
    })
    expect(anthropic.headers.get('x-tollgate-served-by')).toBe('openai/mine')
    const before = times('usual')
    expect(
      (await ask(gateway, { model: 'broken', more: { disable_fallbacks: true, num_retries: 0 } })).status,
    ).toBeGreaterThanOrEqual(500)
    expect(times('usual')).toBe(before)
  })

  test('only models that he may use', async () => {
    const key = await makeKey(gateway, { models: ['busy'] })
    const said = await ask(gateway, { model: 'busy', key, more: { fallbacks: ['mine'] } })
    expect(said).toMatchObject({ status: 403, error: expect.stringContaining("'mine'") })
    expect((await ask(gateway, { model: 'busy', more: { fallbacks: ['nowhere'] } })).status).toBe(404)
  })

  test('less patience, by field and by header', async () => {
    for (const given of [{ more: { timeout: 0.3 } }, { headers: { 'x-litellm-timeout': '0.3' } }]) {
      const began = performance.now()
      const said = await ask(gateway, { model: 'slow', ...given })
      expect(said.status).toBe(504)
      expect(performance.now() - began).toBeLessThan(2_500)
    }
  })

  test('a failure that is played asks nobody of the first alias', async () => {
    const before = times('small')
    expect((await ask(gateway, { model: 'small', more: { mock_testing_fallbacks: true } })).by).toBe('openai/usual')
    expect((await ask(gateway, { model: 'small', more: { mock_testing_context_fallbacks: true } })).by).toBe(
      'openai/large',
    )
    expect((await ask(gateway, { model: 'strict', more: { mock_testing_content_policy_fallbacks: true } })).by).toBe(
      'openai/lenient',
    )
    expect(times('small')).toBe(before)
    expect(
      (await ask(gateway, { model: 'mine', more: { mock_testing_fallbacks: true } })).status,
    ).toBeGreaterThanOrEqual(500)
  })

  test('what is no wish is named', async () => {
    for (const [more, told] of [
      [{ fallbacks: 'mine' }, /fallbacks.*list/],
      [{ fallbacks: [{ model: 'mine', messages: [] }] }, /messages/],
      [{ num_retries: -1 }, /num_retries/],
      [{ timeout: 'soon' }, /timeout.*seconds/],
      [{ mock_testing_fallbacks: 'yes' }, /mock_testing_fallbacks/],
    ] as const) {
      const said = await ask(gateway, { model: 'mine', more })
      expect(said).toMatchObject({ status: 400, error: expect.stringMatching(told) })
    }
  })
})
