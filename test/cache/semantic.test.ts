/** Answers to requests that say the same in other words. The vectors here count words: alike is what shares them. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type Mock, startMock } from '../mock/upstream.ts'
import { ask } from '../support/ask.ts'
import { makeKey, rowsOf } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'

let mock: Mock
let gateway: Gateway
let asked = 0
let isDown = false

/** 64 numbers: how often words with each hash stand in the text. */
function vectorOf(text: string): number[] {
  const vector = Array(64).fill(0)
  for (const word of text.toLowerCase().match(/[a-z]+/g) ?? []) vector[Number(Bun.hash(word) % 64n)]++
  return vector
}

const vectors = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  async fetch(request) {
    asked++
    if (isDown) return new Response('no', { status: 500 })
    const { input } = (await request.json()) as { input: string }
    const data = [{ object: 'embedding', index: 0, embedding: vectorOf(input) }]
    return Response.json({ object: 'list', data, model: 'v', usage: { prompt_tokens: 3, total_tokens: 3 } })
  },
})

beforeAll(async () => {
  mock = await startMock({ words: 12 })
  const base = `http://127.0.0.1:${vectors.port}/v1`
  gateway = await startGateway({
    yaml: {
      model_list: [
        { model_name: 'm', litellm_params: { model: 'openai/m', api_base: `${mock.url}/v1`, api_key: 'sk-up' } },
        { model_name: 'home', litellm_params: { model: 'ollama/home', api_base: mock.url } },
        {
          model_name: 'v',
          litellm_params: { model: 'openai/v', api_base: base, api_key: 'sk-up', input_cost_per_token: 1e-6 },
        },
      ],
      guardrails: [
        {
          guardrail_name: 'pii',
          litellm_params: { guardrail: 'pii', mode: 'pre_call', default_on: true, on_flagged: 'redact', restore: true },
        },
      ],
      router_settings: { num_retries: 0 },
      litellm_settings: { cache: true },
      tollgate: { cache: { semantic: { model: 'v', threshold: 0.9 } } },
    },
  })
}, 60_000)
afterAll(async () => {
  await gateway?.stop()
  mock?.stop()
  vectors.stop(true)
})

const cacheOf = (said: { headers: Headers }) => said.headers.get('x-tollgate-cache')
const QUESTION = 'please tell me how tall the tower in the middle of the town of paris is'

test('what says the same has the same answer, and says how alike it is', async () => {
  const first = await ask(gateway, { model: 'm', text: QUESTION })
  const alike = await ask(gateway, { model: 'm', text: `${QUESTION} now` })
  expect(cacheOf(first)).toBe('miss')
  expect(cacheOf(alike)).toMatch(/^hit; similarity=0\.9\d+$/)
  expect(alike.text).toBe(first.text)
  const other = await ask(gateway, { model: 'm', text: 'what do cats eat in winter' })
  expect(cacheOf(other)).toBe('miss')
})

test('numbers in it have to be the same, and all that was said before, and the settings', async () => {
  const text = 'what would you pay for these apples and pears in the shop at the corner of the street for 10 days'
  await ask(gateway, { model: 'm', text })
  expect(cacheOf(await ask(gateway, { model: 'm', text: text.replace('10', '100') }))).toBe('miss')
  expect(cacheOf(await ask(gateway, { model: 'm', text: `${text} then` }))).toStartWith('hit; similarity=')
  expect(cacheOf(await ask(gateway, { model: 'm', text: `${text} so`, more: { temperature: 1 } }))).toBe('miss')
  const messages = (system: string, last: string) => ({
    messages: [
      { role: 'system', content: system },
      { role: 'user', content: last },
    ],
  })
  await ask(gateway, { model: 'm', more: messages('You are kind.', QUESTION) })
  expect(cacheOf(await ask(gateway, { model: 'm', more: messages('You are rude.', `${QUESTION} now`) }))).toBe('miss')
  expect(cacheOf(await ask(gateway, { model: 'm', more: messages('You are kind.', `${QUESTION} now`) }))).toStartWith(
    'hit',
  )
})

test('no tenant has the answers of another one', async () => {
  const [mine, yours] = [await makeKey(gateway), await makeKey(gateway)]
  const text = 'where did I put the keys of my own house yesterday in the evening after the party'
  await ask(gateway, { model: 'm', text, key: mine })
  expect(cacheOf(await ask(gateway, { model: 'm', text: `${text} then`, key: yours }))).toBe('miss')
  expect(cacheOf(await ask(gateway, { model: 'm', text: `${text} so`, key: mine }))).toStartWith('hit')
})

test('an exact answer needs no vector, and vectors are paid by a tag of their own', async () => {
  const text = 'a question that is asked twice in the very same words by the very same caller'
  await ask(gateway, { model: 'm', text })
  const before = asked
  expect(cacheOf(await ask(gateway, { model: 'm', text }))).toBe('hit')
  expect(asked).toBe(before)
  const rows = await rowsOf(gateway, undefined, 'tag=semantic_cache')
  expect(rows.length).toBe(asked)
  expect(rows.every(({ model_group }) => model_group === 'v')).toBe(true)
})

test('without vectors it is answered as if there were no such cache', async () => {
  isDown = true
  const said = await ask(gateway, { model: 'm', text: `${QUESTION} again and again and again` })
  expect([said.status, cacheOf(said)]).toEqual([200, 'miss'])
  for (let i = 0; i < 100 && !gateway.logs().includes('semantic cache did not see it'); i++) await Bun.sleep(20)
  expect(gateway.logs()).toContain('semantic cache did not see it')
  isDown = false
})

test('what must stay in the house is not sent to a cloud that makes vectors', async () => {
  const key = await makeKey(gateway, { metadata: { data_class: 'local-only' } })
  const before = asked
  const said = await ask(gateway, { model: 'home', key, text: 'nobody outside may read this question of mine today' })
  expect([said.status, cacheOf(said)]).toEqual([200, 'miss'])
  expect(asked).toBe(before)
})

test('what a guardrail takes out of a request goes to nobody who makes vectors', async () => {
  const before = asked
  const said = await ask(gateway, {
    model: 'm',
    text: 'write to ada.lovelace@example.com about the meeting of tomorrow',
  })
  expect([said.status, cacheOf(said)]).toEqual([200, 'miss'])
  expect(asked).toBe(before)
  expect(mock.of('m').some(({ body }) => JSON.stringify(body).includes('ada.lovelace'))).toBe(false)
})
