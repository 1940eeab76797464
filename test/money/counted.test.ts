/** Providers that report no usage: prompt and answer are counted, the hold stays until then, and nobody waits for it. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Mock, startMock } from '../mock/upstream.ts'
import { ask } from '../support/ask.ts'
import { atRest, makeKey, type Row, rowsOf } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { makeTemp, removeTemp } from '../support/temp.ts'
import { promptTokens, tokensOf } from '../support/tokens.ts'

/** Nano-dollars a token. */
const PRICE = { input: 1_000, output: 3_000 }
const TEXT = 'How much is the toll for a lorry?'

let mock: Mock
let gateway: Gateway
const dataDir = makeTemp('counted')

const target = (alias: string, model: string, base: string) => ({
  model_name: alias,
  litellm_params: {
    ...{ model, api_base: base, api_key: 'sk-up' },
    input_cost_per_token: PRICE.input / 1e9,
    output_cost_per_token: PRICE.output / 1e9,
  },
})

const start = () =>
  startGateway({
    dataDir,
    yaml: {
      model_list: [
        target('openai', 'openai/a!nousage', `${mock.url}/v1`),
        target('anthropic', 'anthropic/b!nousage', mock.url),
        target('gemini', 'gemini/c!nousage', mock.url),
        target('ollama', 'ollama/d!nousage', mock.url),
        { model_name: 'free', litellm_params: { model: 'ollama/e!nousage', api_base: mock.url } },
        target('embed', 'openai/f!nousage', `${mock.url}/v1`),
        target('reports', 'openai/g', `${mock.url}/v1`),
      ],
      router_settings: { num_retries: 0 },
    },
  })

beforeAll(async () => {
  mock = await startMock({ words: 30 })
  gateway = await start()
})
afterAll(async () => {
  await gateway.stop()
  mock.stop()
  removeTemp(dataDir)
})

async function last(key: string): Promise<Row> {
  await atRest(gateway)
  const [row] = await rowsOf(gateway, key)
  if (!row) throw new Error('no row')
  return row
}

const costOf = (input: number, output: number) => input * PRICE.input + output * PRICE.output

describe('what nobody reported is counted', () => {
  for (const model of ['openai', 'anthropic', 'gemini', 'ollama'])
    for (const tongue of ['openai', 'ollama'] as const)
      for (const stream of [true, false])
        test(`${model}, asked in the words of ${tongue}, ${stream ? 'a stream' : 'whole'}`, async () => {
          const key = await makeKey(gateway, { max_budget: 1 })
          const said = await ask(gateway, { model, key, tongue, stream, text: TEXT })
          expect(said).toMatchObject({ status: 200, whole: true })
          // It is not waited for, and what is not known yet is not told.
          expect(said.headers.get('x-litellm-response-cost')).toBeNull()
          const [input, output] = [promptTokens(TEXT), tokensOf(said.text)]
          expect(await last(key)).toMatchObject({
            ...{ usage_source: 'counted', prompt_tokens: input, completion_tokens: output },
            spend_nano: costOf(input, output),
          })
        })

  test('embeddings', async () => {
    const key = await makeKey(gateway, { max_budget: 1 })
    const reply = await fetch(`${gateway.url}/v1/embeddings`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'embed', input: [TEXT, 'and back'] }),
    })
    expect(reply.status).toBe(200)
    const input = tokensOf(TEXT) + tokensOf('and back')
    expect(await last(key)).toMatchObject({
      usage_source: 'counted',
      prompt_tokens: input,
      spend_nano: costOf(input, 0),
    })
  })

  test('what costs nothing is not worth a count', async () => {
    const key = await makeKey(gateway)
    expect(await ask(gateway, { model: 'free', key, stream: true })).toMatchObject({ status: 200, whole: true })
    expect(await last(key)).toMatchObject({ usage_source: 'estimated', spend: 0 })
  })

  test('what is reported is not counted, and told at once', async () => {
    const key = await makeKey(gateway)
    const said = await ask(gateway, { model: 'reports', key, text: TEXT })
    expect(said.headers.get('x-litellm-response-cost')).toBe(String(costOf(8, 30) / 1e9))
    expect(await last(key)).toMatchObject({ usage_source: 'provider', prompt_tokens: 8, completion_tokens: 30 })
  })

  test('a caller with one slot asks again at once: counting holds money, not slots', async () => {
    const key = await makeKey(gateway, { max_parallel_requests: 1, max_budget: 1 })
    for (let i = 0; i < 5; i++)
      expect(await ask(gateway, { model: 'openai', key, stream: i % 2 === 0, text: TEXT })).toMatchObject({
        status: 200,
      })
    await atRest(gateway)
    expect((await rowsOf(gateway, key)).map((row) => row.usage_source)).toEqual(new Array(5).fill('counted'))
  })

  test('a hundred at once', async () => {
    const key = await makeKey(gateway, { max_budget: 1 })
    const all = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        ask(gateway, { model: 'openai', key, stream: i % 2 === 0, text: `${TEXT} ${i}` }),
      ),
    )
    await atRest(gateway)
    const rows = await rowsOf(gateway, key)
    expect(rows.map((row) => row.usage_source)).toEqual(new Array(100).fill('counted'))
    const due = all.reduce((sum, said, i) => sum + costOf(promptTokens(`${TEXT} ${i}`), tokensOf(said.text)), 0)
    expect(rows.reduce((sum, row) => sum + row.spend_nano, 0)).toBe(due)
  }, 20_000)

  test('a gateway that is stopped counts what it has begun', async () => {
    const key = await makeKey(gateway, { max_budget: 1 })
    await Promise.all(Array.from({ length: 20 }, () => ask(gateway, { model: 'openai', key, text: TEXT })))
    await gateway.stop()
    gateway = await start()
    const rows = await rowsOf(gateway, key)
    expect(rows.map((row) => row.usage_source)).toEqual(new Array(20).fill('counted'))
    await atRest(gateway)
  }, 20_000)
})
