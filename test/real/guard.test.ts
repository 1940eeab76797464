/** A guard model on a real Ollama, the whole way: request, question, verdict, and what becomes of the request. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type Mock, startMock } from '../mock/upstream.ts'
import { ask } from '../support/ask.ts'
import { atRest } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { type RealOllama, startOllama } from './ollama.ts'

/** It ticks where a text is long, and says a sentence where it is not: a judge of lengths. */
const TEMPLATE = `{{- range .Messages }}<|im_start|>{{ .Role }}
{{ .Content }}<|im_end|>
{{ end }}<|im_start|>assistant
{{ range .Messages }}{{ if eq .Role "user" }}{{ if gt (len .Content) 200 }}<|do_loop|>{{ end }}{{ end }}{{ end }}`
const SHORT = 'Hi there'
const LONG = 'This is a rather long request. '.repeat(12)

let server: RealOllama
let cloud: Mock
/** Its answers are long. */
let wordy: Mock
let gateway: Gateway
beforeAll(async () => {
  ;[server, cloud, wordy] = await Promise.all([
    startOllama({ parallel: 2, models: ['tiny-chat', 'tiny-loop'] }),
    startMock({ words: 6 }),
    startMock({ words: 80 }),
  ])
  const made = await fetch(`${server.url}/api/create`, {
    method: 'POST',
    body: JSON.stringify({
      model: 'tiny-judge',
      from: 'tiny-loop',
      template: TEMPLATE,
      parameters: { num_predict: 8 },
      stream: false,
    }),
  })
  if (!made.ok) throw new Error(await made.text())
  const local = (model_name: string, model = model_name) => ({
    model_name,
    litellm_params: { model: `ollama/${model}`, api_base: server.url },
  })
  const judge = (guardrail_name: string, more: Record<string, unknown>) => ({
    guardrail_name,
    litellm_params: {
      ...{
        guardrail: 'model',
        format: 'custom',
        prompt: 'Is this text short?',
        mode: 'pre_call',
        timeout: 20,
        retries: 0,
      },
      ...more,
    },
  })
  const words = { model: 'judge', flagged: 'tick', passed: '^[^t]*[A-Z]' }
  gateway = await startGateway({
    yaml: {
      model_list: [
        local('judge', 'tiny-judge'),
        local('strict', 'tiny-chat'),
        { model_name: 'wordy', litellm_params: { model: 'openai/w', api_base: `${wordy.url}/v1`, api_key: 'sk-up' } },
        { model_name: 'm', litellm_params: { model: 'openai/m', api_base: `${cloud.url}/v1`, api_key: 'sk-up' } },
      ],
      router_settings: { num_retries: 0, disable_cooldowns: true },
      guardrails: [
        judge('by-words', words),
        judge('beside', { ...words, mode: 'during_call' }),
        judge('answers', { ...words, mode: 'post_call' }),
        judge('by-schema', { model: 'strict' }),
        judge('open', { ...words, on_error: 'fail_open' }),
        judge('closed', words),
      ],
    },
  })
}, 60_000)
afterAll(async () => {
  await gateway?.stop()
  cloud?.stop()
  wordy?.stop()
  await server?.stop()
}, 30_000)

const says = (guard: string, text: string, stream = false) =>
  ask(gateway, { model: 'm', text, stream, more: { guardrails: [guard] } })

for (const stream of [false, true])
  test(`what the model says decides, ${stream ? 'in a stream' : 'whole'}`, async () => {
    // Beside a stream that is over before the verdict there is nothing left to cut.
    for (const guard of stream ? ['by-words'] : ['by-words', 'beside']) {
      expect(await says(guard, SHORT, stream)).toMatchObject({ status: 200, whole: true })
      const blocked = await says(guard, LONG, stream)
      expect(blocked.status).toBe(400)
      expect(blocked.error).toContain(guard)
    }
  }, 60_000)

test('what is blocked before the call is sent nowhere', async () => {
  const before = cloud.requests.length
  expect((await says('by-words', LONG)).status).toBe(400)
  expect(cloud.requests.length).toBe(before)
  await says('by-words', SHORT)
  expect(cloud.requests.length).toBe(before + 1)
})

test('an answer is judged as well', async () => {
  expect(await ask(gateway, { model: 'm', more: { guardrails: ['answers'], max_tokens: 3 } })).toMatchObject({
    status: 200,
  })
  const said = await ask(gateway, { model: 'wordy', more: { guardrails: ['answers'] } })
  expect(said.status).toBe(400)
  expect(said.error).toContain('answers')
}, 30_000)

test('without patterns of its own a model is held to a verdict by its schema', async () => {
  // This one knows no word of JSON: without the schema there would be no verdict but an error.
  const said = await says('by-schema', SHORT)
  expect(said.status).toBe(400)
  expect(said.error).toContain('by-schema')
}, 30_000)

test('with Ollama gone there is no verdict: open lets it through, closed refuses', async () => {
  await server.stop()
  expect(await says('open', LONG)).toMatchObject({ status: 200, whole: true })
  const refused = await says('closed', SHORT)
  expect(refused.status).toBe(503)
  expect(refused.error).toContain('closed')
  await atRest(gateway)
}, 60_000)
