/** Gemini's API as its clients ask it: model and stream in the path, keys in `x-goog-api-key`, events or an array. */
import { afterAll, expect, test } from 'bun:test'
import { startMock } from '../mock/upstream.ts'
import { startGateway } from '../support/gateway.ts'

const mock = await startMock({ words: 8 })
const target = (model: string, api_base: string) => ({ model, api_base, api_key: 'x' })
const gateway = await startGateway({
  yaml: {
    model_list: [
      { model_name: 'cloud', litellm_params: target('openai/m', `${mock.url}/v1`) },
      { model_name: 'claude', litellm_params: target('anthropic/m', mock.url) },
      { model_name: 'local:8b', litellm_params: target('ollama/m', mock.url) },
      { model_name: 'cutting', litellm_params: target('openai/m!cut:4', `${mock.url}/v1`) },
    ],
    router_settings: { num_retries: 0 },
  },
})
const { key } = (await (await gateway.call('POST', '/key/generate', {})).json()) as { key: string }
afterAll(async () => {
  await gateway.stop()
  await mock.stop()
})

interface Answer {
  candidates?: { content?: { parts?: { text?: string }[] }; finishReason?: string }[]
  usageMetadata?: { totalTokenCount: number }
  error?: { code: number; status: string }
}
const ask = (model: string, action: string, apiKey = key) =>
  fetch(`${gateway.url}/v1beta/models/${model}:${action}`, {
    method: 'POST',
    headers: { 'x-goog-api-key': apiKey, 'content-type': 'application/json' },
    body: JSON.stringify({
      contents: [{ role: 'user', parts: [{ text: 'hello there' }] }],
      generationConfig: { maxOutputTokens: 50 },
    }),
  })
const textOf = (answers: Answer[]) =>
  answers
    .flatMap((a) => a.candidates?.[0]?.content?.parts ?? [])
    .map((p) => p.text ?? '')
    .join('')

for (const model of ['cloud', 'claude', 'local:8b']) {
  test(`${model}: whole, in events and as an array, the same is said`, async () => {
    const whole = (await (await ask(model, 'generateContent')).json()) as Answer
    expect(whole.candidates?.[0]?.finishReason).toBe('STOP')
    expect(whole.usageMetadata?.totalTokenCount).toBeGreaterThan(0)

    const events = await ask(model, 'streamGenerateContent?alt=sse')
    expect(events.headers.get('content-type')).toContain('text/event-stream')
    expect(mock.requests.at(-1)?.body).toMatchObject({ stream: true })
    const frames = (await events.text())
      .split(/\r?\n\r?\n/)
      .filter((f) => f.startsWith('data:'))
      .map((f) => JSON.parse(f.slice(5)) as Answer)
    expect(frames.length).toBeGreaterThan(2)
    expect(textOf(frames)).toBe(textOf([whole]))

    const array = await ask(model, 'streamGenerateContent')
    expect(array.headers.get('content-type')).toContain('application/json')
    expect(textOf((await array.json()) as Answer[])).toBe(textOf([whole]))
  })
}

test('errors are told as Google tells them', async () => {
  expect(((await (await ask('nope', 'generateContent')).json()) as Answer).error).toMatchObject({
    code: 404,
    status: 'NOT_FOUND',
  })
  expect((await ask('cloud', 'generateContent', 'sk-not-a-key-at-all')).status).toBe(401)
  expect((await ask('cloud', 'danceContent')).status).toBe(404)
})

test('an answer that is cut off does not look whole, as events or as an array', async () => {
  for (const action of ['streamGenerateContent?alt=sse', 'streamGenerateContent']) {
    const said = await (await ask('cutting', action)).text()
    expect(said).toContain('"error"')
    expect(said).not.toContain('"STOP"')
    if (action === 'streamGenerateContent') expect(() => JSON.parse(said)).not.toThrow()
  }
})
