/**
 * An answer that breaks off in a cloud (the mock) goes on at a real Ollama, whose templates decide whether it can: one that
 * leaves the last turn open goes on with it, one that closes it would begin a new answer.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type Mock, startMock } from '../mock/upstream.ts'
import { ask } from '../support/ask.ts'
import { atRest, rowsOf } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { type RealOllama, startOllama } from './ollama.ts'

const LAST = '{{- $last := eq (len (slice $.Messages $i)) 1 }}'
/** As models of Ollama's library have them; only the marks are those of the tiny model. */
const TEMPLATES = {
  // Llama 3.1, Qwen 2.5, Mistral, Gemma 3: the last turn stays open where it is the assistant's.
  'tiny-open': `{{- range $i, $_ := .Messages }}${LAST}<|im_start|>{{ .Role }}\n{{ .Content }}{{ if not (and $last (eq .Role "assistant")) }}<|im_end|>\n{{ end }}{{ if and $last (ne .Role "assistant") }}<|im_start|>assistant\n{{ end }}{{ end }}`,
  // Older ones, with one prompt and one response: what stands behind the response is left out at the end.
  'tiny-response':
    '{{ if .Prompt }}<|im_start|>user\n{{ .Prompt }}<|im_end|>\n{{ end }}<|im_start|>assistant\n{{ .Response }}<|im_end|>\n',
  // Without one of its own.
  'tiny-plain': '{{ .Prompt }}',
  // Each turn is closed, and another one begun.
  'tiny-closed':
    '{{- range .Messages }}<|im_start|>{{ .Role }}\n{{ .Content }}<|im_end|>\n{{ end }}<|im_start|>assistant\n',
} as const
type Name = keyof typeof TEMPLATES
const GO_ON: readonly Name[] = ['tiny-open', 'tiny-response', 'tiny-plain']

const WHOLE = 'The toll is paid by the caller, and nobody else has to wait for it.'
const CUT = 4
const BEGINNING = 'The toll is paid'
const TEXT = 'Who pays?'
const OPTIONS = { seed: 7, temperature: 0 }

let cloud: Mock
let server: RealOllama
let gateway: Gateway

beforeAll(async () => {
  cloud = await startMock()
  cloud.plan('cloud', [{ text: WHOLE, stop: { how: 'cut', at: CUT } }])
  server = await startOllama({ models: ['tiny-chat'] })
  for (const [model, template] of Object.entries(TEMPLATES)) {
    const body = { model, from: 'tiny-chat', template, parameters: { num_predict: 24 }, stream: false }
    const made = await fetch(`${server.url}/api/create`, { method: 'POST', body: JSON.stringify(body) })
    if (!made.ok) throw new Error(`${model}: ${await made.text()}`)
  }
  const first = (model_name: string) => ({
    model_name,
    litellm_params: { model: 'openai/cloud', api_base: `${cloud.url}/v1`, api_key: 'sk-up', order: 0 },
  })
  gateway = await startGateway({
    yaml: {
      model_list: Object.keys(TEMPLATES).flatMap((model) => [
        first(model),
        { model_name: model, litellm_params: { model: `ollama/${model}`, api_base: server.url, order: 1 } },
      ]),
      router_settings: { num_retries: 0, disable_cooldowns: true },
    },
  })
}, 120_000)
afterAll(async () => {
  await gateway?.stop()
  cloud?.stop()
  await server?.stop()
}, 60_000)

/** What the model itself says behind that beginning. */
async function goesOn(model: string): Promise<string> {
  const messages = [
    { role: 'user', content: TEXT },
    { role: 'assistant', content: BEGINNING },
  ]
  const reply = await fetch(`${server.url}/api/chat`, {
    method: 'POST',
    body: JSON.stringify({ model, messages, stream: false, options: OPTIONS }),
  })
  return ((await reply.json()) as { message: { content: string } }).message.content
}

test.each(GO_ON)('%s goes on with it, to the character', async (model) => {
  const said = await ask(gateway, { model, text: TEXT, stream: true, more: OPTIONS })
  const rest = await goesOn(model)
  expect(rest.length).toBeGreaterThan(3)
  expect(said).toMatchObject({ status: 200, whole: true, error: undefined, text: BEGINNING + rest })
  await atRest(gateway)
  const rows = (await rowsOf(gateway)).filter((row) => row.model_group === model)
  expect(rows.sort((a, b) => a.attempt - b.attempt).map((row) => [row.attempt, row.model, row.outcome])).toEqual([
    [1, 'cloud', 'bad_reply'],
    [2, model, 'ok'],
  ])
})

test('tiny-closed would begin anew, and is not asked: the caller is told', async () => {
  expect(await goesOn('tiny-closed')).not.toBe(await goesOn('tiny-open'))
  const said = await ask(gateway, { model: 'tiny-closed', text: TEXT, stream: true, more: OPTIONS })
  expect(said).toMatchObject({ status: 200, whole: false, text: BEGINNING })
  expect(said.error).toContain('cut off')
  await atRest(gateway)
  expect((await rowsOf(gateway)).filter((row) => row.model === 'tiny-closed')).toEqual([])
})
