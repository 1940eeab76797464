/**
 * Bytes cut anywhere: characters of 2, 3 and 4 bytes and events arrive whole, relayed and translated. Pieces of several
 * sizes, since what is kept of one and what comes with the next may be equally long.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { wordsFor } from '../mock/answer.ts'
import { type Mock, startMock } from '../mock/upstream.ts'
import { ask, inParallel, type Tongue } from '../support/ask.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'

const PROVIDERS = ['openai', 'ollama', 'anthropic'] as const
const TONGUES: readonly Tongue[] = ['openai', 'ollama']
/** Bytes a piece, and how many requests are made with it: coincidences need some. */
const SIZES = [
  [1, 2],
  [2, 2],
  [3, 2],
  [7, 4],
  [50, 8],
  [100, 8],
] as const
const WORDS = 36
const TEXT = wordsFor('€🚦', WORDS).join('')

let mock: Mock
let gateway: Gateway
beforeAll(async () => {
  mock = await startMock({ words: WORDS })
  const model_list = PROVIDERS.flatMap((provider) =>
    SIZES.map(([size]) => ({
      model_name: `${provider}-${size}`,
      litellm_params: {
        model: `${provider}/${provider}!split:${size}`,
        api_base: provider === 'openai' ? `${mock.url}/v1` : mock.url,
        api_key: 'sk-up',
      },
    })),
  )
  gateway = await startGateway({ yaml: { model_list } })
})
afterAll(async () => {
  await gateway.stop()
  mock.stop()
})

const cases = PROVIDERS.flatMap((provider) => TONGUES.map((tongue) => [provider, tongue] as const))

test.each(cases)(
  '%s, asked in the words of %s',
  async (provider, tongue) => {
    const asked = SIZES.flatMap(([size, times]) => Array.from({ length: times }, () => size))
    await inParallel(asked, 8, async (size) => {
      const said = await ask(gateway, { tongue, model: `${provider}-${size}`, stream: true, text: '€🚦' })
      expect({ size, garbage: said.garbage, text: said.text, whole: said.whole }).toEqual({
        size,
        garbage: [],
        text: TEXT,
        whole: true,
      })
    })
  },
  30_000,
)

test('and as they came: a relay changes nothing but what it must', async () => {
  const body = JSON.stringify({
    model: 'openai!split:7',
    stream: true,
    stream_options: { include_usage: true },
    messages: [{ role: 'user', content: '€🚦' }],
  })
  const headers = { authorization: `Bearer ${gateway.masterKey}`, 'content-type': 'application/json' }
  const direct = await (await fetch(`${mock.url}/v1/chat/completions`, { method: 'POST', body })).text()
  const through = body.replace('openai!split:7', 'openai-7')
  const relayed = await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', headers, body: through })
  // The id and the time are the mock's own each time.
  const plain = (text: string) => text.replace(/mock\d{8}/g, 'mock').replace(/"created":\d+/g, '"created":0')
  expect(plain(await relayed.text())).toBe(plain(direct))
})
