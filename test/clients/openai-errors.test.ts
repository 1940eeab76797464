/** What goes wrong, as the official OpenAI client tells its user. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import OpenAI from 'openai'
import { type House, KINDS, QUESTION, startHouse, TEXT, thrown } from './house.ts'

let house: House
let openai: OpenAI
beforeAll(async () => {
  house = await startHouse()
  openai = house.openai
}, 60_000)
afterAll(() => house?.end())

const messages = [{ role: 'user' as const, content: QUESTION }]
const ask = (client: OpenAI, model: string) => client.chat.completions.create({ model, messages })

test('an unknown model is NotFoundError, and says what there is', async () => {
  const error = await thrown(ask(openai, 'no-such-model'))
  expect(error).toBeInstanceOf(OpenAI.NotFoundError)
  expect(error).toMatchObject({ status: 404, code: 'model_not_found', param: 'model' })
  expect(error.message).toContain('no-such-model')
  expect(error.message).toContain('There is: openai')
  expect(error.requestID).toMatch(/^req_/)
})

test('an unknown key is AuthenticationError, and so is a blocked one', async () => {
  expect(await thrown(ask(house.as('sk-wrong'), 'openai'))).toBeInstanceOf(OpenAI.AuthenticationError)
  const key = await house.key()
  await house.gateway.call('POST', '/key/block', { key })
  const blocked = await thrown(ask(house.as(key), 'openai'))
  expect(blocked).toBeInstanceOf(OpenAI.AuthenticationError)
  expect(blocked.message).toContain('blocked')
})

test('a model that a key may not use is PermissionDeniedError', async () => {
  const error = await thrown(ask(house.as(await house.key({ models: ['ollama'] })), 'openai'))
  expect(error).toBeInstanceOf(OpenAI.PermissionDeniedError)
  expect(error.message).toContain('ollama')
})

test('a request that is none is BadRequestError with the field, and asks nobody', async () => {
  const before = house.mock.requests.length
  const wrong = [
    [{ model: 'openai', messages: 'hello' }, 'messages'],
    [{ model: 'openai' }, 'messages'],
    [{ model: 'openai', messages: [] }, 'messages'],
    [{ messages }, 'model'],
  ] as const
  for (const [body, param] of wrong) {
    const error = await thrown(openai.chat.completions.create(body as never))
    expect(error).toBeInstanceOf(OpenAI.BadRequestError)
    expect(error.param).toBe(param)
  }
  expect(house.mock.requests.length).toBe(before)
})

test('a rate limit is RateLimitError with retry-after', async () => {
  const mine = house.as(await house.key({ rpm_limit: 1 }))
  await ask(mine, 'openai')
  const error = await thrown(ask(mine, 'openai'))
  expect(error).toBeInstanceOf(OpenAI.RateLimitError)
  const after = Number((error.headers as Headers).get('retry-after'))
  expect(after).toBeGreaterThan(0)
  expect(after).toBeLessThanOrEqual(61)
})

test('the SDK waits as long as retry-after says and then has its answer', async () => {
  const key = await house.key({ max_parallel_requests: 1 })
  const slow = await house.as(key).chat.completions.create({ model: 'openai-slow', messages, stream: true })
  const first = (async () => {
    for await (const _ of slow);
  })()
  // The slow answer takes more than a second; the limit says to come back in one.
  const started = Date.now()
  const refused = await thrown(ask(house.as(key), 'openai'))
  expect((refused.headers as Headers).get('retry-after')).toBe('1')
  const reply = await ask(house.as(key, { maxRetries: 3 }), 'openai')
  expect(reply.choices[0]?.message.content).toBe(TEXT)
  expect(Date.now() - started).toBeGreaterThanOrEqual(1_000)
  await first
})

test('a budget that is spent is told with its numbers, and the SDK does not try again', async () => {
  const key = await house.key({ max_budget: 0.000001 })
  const before = house.mock.requests.length
  const error = await thrown(ask(house.as(key, { maxRetries: 3 }), 'openai'))
  expect(error).toMatchObject({ status: 422, code: 'budget_exceeded' })
  expect(error.message).toContain('$0.000001000')
  expect(house.mock.requests.length).toBe(before)
})

for (const kind of KINDS) {
  test(`${kind}: an upstream that fails is InternalServerError without its words`, async () => {
    const error = await thrown(ask(openai, `${kind}-500`))
    expect(error).toBeInstanceOf(OpenAI.InternalServerError)
    expect(error.message).not.toContain('had an error while processing')
  })

  test(`${kind}: a key that the upstream refuses is ours to mend, not the caller's`, async () => {
    const error = await thrown(ask(openai, `${kind}-401`))
    expect(error).toBeInstanceOf(OpenAI.InternalServerError)
    expect(error.message).toContain('operator')
    expect(JSON.stringify(error)).not.toContain('sk-up')
  })

  test(`${kind}: a prompt too long is BadRequestError with the code that clients read`, async () => {
    const error = await thrown(ask(openai, `${kind}-context`))
    expect(error).toBeInstanceOf(OpenAI.BadRequestError)
    expect(error.code).toBe('context_length_exceeded')
    expect(error.message).toContain('maximum context length')
  })

  test(`${kind}: a refusal for what it says is handed on`, async () => {
    const error = await thrown(ask(openai, `${kind}-filter`))
    expect(error).toBeInstanceOf(OpenAI.BadRequestError)
    expect(error.message).toContain('content management policy')
  })

  test(`${kind}: an answer that breaks off in the middle is an error, never a quiet end`, async () => {
    const stream = await openai.chat.completions.create({ model: `${kind}-inband`, messages, stream: true })
    let text = ''
    const error = await thrown(
      (async () => {
        for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? ''
      })(),
    )
    expect(error).toBeInstanceOf(OpenAI.APIError)
    expect(TEXT.startsWith(text)).toBeTrue()
    expect(text.length).toBeGreaterThan(0)
    expect(error.message).toContain('not the whole answer')
  })
}
