/** The official OpenAI client on /v1/responses: kept, gone on with, read, listed, taken away; and nobody else's. */
import { afterAll, expect, test } from 'bun:test'
import OpenAI from 'openai'
import { startMock } from '../mock/upstream.ts'
import { startGateway } from '../support/gateway.ts'

const mock = await startMock()
const gateway = await startGateway({
  yaml: {
    model_list: [
      {
        model_name: 'cloud',
        litellm_params: {
          model: 'openai/m',
          api_base: `${mock.url}/v1`,
          api_key: 'x',
          input_cost_per_token: 1e-6,
          output_cost_per_token: 1e-6,
        },
      },
      { model_name: 'local', litellm_params: { model: 'ollama/m', api_base: mock.url } },
    ],
  },
})
afterAll(async () => {
  await gateway.stop()
  await mock.stop()
})

const makeKey = async (): Promise<string> =>
  ((await (await gateway.call('POST', '/key/generate', {})).json()) as { key: string }).key
const clientFor = (apiKey: string) => new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey, maxRetries: 0 })
const mine = clientFor(await makeKey())
const theirs = clientFor(await makeKey())
const failed = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (e: { status: number; code?: string; param?: string }) => e,
  )

for (const model of ['local', 'cloud']) {
  test(`${model}: a response is gone on with by its id, and read, listed and taken away`, async () => {
    const first = await mine.responses.create({ model, input: 'alpha beta', instructions: 'be brief' })
    expect(first.output_text.length).toBeGreaterThan(0)
    const second = await mine.responses.create({ model, input: 'gamma', previous_response_id: first.id })
    const sent = JSON.stringify(mock.requests.at(-1)?.body)
    expect(sent).toContain('alpha beta')
    expect(sent).toContain(first.output_text)
    expect(sent).toContain('gamma')
    expect(sent).not.toContain('previous_response_id')
    // Instructions are of one request and not of those that follow it.
    expect(sent).not.toContain('be brief')

    expect((await mine.responses.retrieve(second.id)).output_text ?? second.output_text).toBe(second.output_text)
    const items = await mine.responses.inputItems.list(second.id, { order: 'asc' })
    expect(items.data.length).toBe(3)
    await mine.responses.delete(second.id)
    expect((await failed(mine.responses.retrieve(second.id)))?.status).toBe(404)
  })

  test(`${model}: a streamed response is kept as well`, async () => {
    const stream = await mine.responses.create({ model, input: 'delta', stream: true })
    let id = ''
    let last = -1
    for await (const event of stream) {
      expect(event.sequence_number).toBe(++last)
      if (event.type === 'response.completed') id = event.response.id
    }
    expect(id).not.toBe('')
    const next = await mine.responses.create({ model, input: 'epsilon', previous_response_id: id })
    expect(next.status).toBe('completed')
    expect(JSON.stringify(mock.requests.at(-1)?.body)).toContain('delta')
  })
}

test("another key's response is not there", async () => {
  const first = await mine.responses.create({ model: 'local', input: 'secret words' })
  expect((await failed(theirs.responses.retrieve(first.id)))?.status).toBe(404)
  expect((await failed(theirs.responses.delete(first.id)))?.status).toBe(404)
  const refused = await failed(theirs.responses.create({ model: 'local', input: 'x', previous_response_id: first.id }))
  expect(refused).toMatchObject({ status: 400, code: 'previous_response_not_found', param: 'previous_response_id' })
  expect((await mine.responses.retrieve(first.id)).id).toBe(first.id)
})

test('what is not to be stored is not', async () => {
  const first = await mine.responses.create({ model: 'local', input: 'x', store: false })
  expect((await failed(mine.responses.retrieve(first.id)))?.status).toBe(404)
})

test('background and conversations are refused in clear words', async () => {
  expect(await failed(mine.responses.create({ model: 'local', input: 'x', background: true }))).toMatchObject({
    status: 400,
    param: 'background',
  })
  expect(await failed(mine.responses.create({ model: 'local', input: 'x', conversation: 'conv_1' }))).toMatchObject({
    status: 400,
    param: 'conversation',
  })
})

test('nothing of it lies open in the database', async () => {
  await mine.responses.create({ model: 'local', input: 'a very particular sentence' })
  const files = ['tollgate.sqlite', 'tollgate.sqlite-wal'].map((f) => Bun.file(`${gateway.dataDir}/${f}`))
  for (const file of files)
    if (await file.exists())
      expect(Buffer.from(await file.arrayBuffer()).includes('a very particular sentence')).toBe(false)
})
