/** An answer that breaks off in the middle goes on elsewhere, whole and exact; where that can't be right the caller is told. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { wordsFor } from '../mock/answer.ts'
import { type Mock, startMock } from '../mock/upstream.ts'
import { ask, type Tongue } from '../support/ask.ts'
import { atRest, makeKey, rowsOf } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'

const WORDS = 60
const FULL = wordsFor('Hi', WORDS).join('')
const PRICED = { input_cost_per_token: 0.000001, output_cost_per_token: 0.000002 }

let mock: Mock
let gateway: Gateway
let restart: Gateway
let none: Gateway
const models = () => {
  const ollama = (alias: string, model: string, order: number) => ({
    model_name: alias,
    litellm_params: { model: `ollama/${model}`, api_base: mock.url, order, ...PRICED },
  })
  const openai = (alias: string, model: string, order: number, info = {}) => ({
    model_name: alias,
    litellm_params: { model: `openai/${model}`, api_base: `${mock.url}/v1`, api_key: 'sk-up', order, ...PRICED },
    model_info: info,
  })
  return [
    ollama('local', 'half!cut:40', 0),
    ollama('local', 'rest', 1),
    openai('mixed', 'oa-half!cut:40', 0),
    ollama('mixed', 'rest', 1),
    ollama('closing', 'half!cut:40', 0),
    ollama('closing', 'closes-its-turns', 1),
    ollama('closing-then', 'half!cut:40', 0),
    ollama('closing-then', 'closes-its-turns', 1),
    ollama('closing-then', 'rest', 2),
    openai('able', 'oa-half!cut:40', 0),
    openai('able', 'oa-able', 1, { supports_assistant_prefill: true }),
    openai('unable', 'oa-half!cut:40', 0),
    openai('unable', 'oa-rest', 1),
    ollama('thrice', 'half!cut:20', 0),
    ollama('thrice', 'half2!cut:20', 1),
    ollama('thrice', 'rest', 2),
    ollama('tools', 'calling!cut:1', 0),
    ollama('tools', 'rest', 1),
    ollama('stalls', 'half!stall:30', 0),
    ollama('stalls', 'rest', 1),
  ]
}
beforeAll(async () => {
  mock = await startMock({ words: WORDS })
  const start = (midstream: string) =>
    startGateway({
      yaml: {
        model_list: models(),
        router_settings: { num_retries: 0, disable_cooldowns: true },
        tollgate: { midstream, timeouts: { idle: 1 } },
      },
    })
  ;[gateway, restart, none] = await Promise.all([start('continue'), start('restart'), start('error')])
})
afterAll(async () => {
  for (const one of [gateway, restart, none]) {
    await atRest(one)
    await one.stop()
  }
  mock.stop()
})

describe('continue', () => {
  test('in every dialect, from one of its own and from another, without a character too many or too few', async () => {
    for (const model of ['local', 'mixed', 'able', 'stalls'])
      for (const tongue of ['openai', 'ollama'] as readonly Tongue[]) {
        const said = await ask(gateway, { model, tongue, stream: true })
        expect([model, tongue, said.text]).toEqual([model, tongue, FULL])
        expect(said).toMatchObject({ status: 200, whole: true, error: undefined })
      }
  })

  test('a model whose template closes the last turn would begin a new answer: it is not asked', async () => {
    const said = await ask(gateway, { model: 'closing', stream: true })
    expect(said.error).toContain('cut off')
    expect(FULL.startsWith(said.text)).toBe(true)
    expect(mock.of('closes-its-turns')).toHaveLength(0)
    expect(await ask(gateway, { model: 'closing-then', stream: true })).toMatchObject({ whole: true, text: FULL })
    expect(mock.of('closes-its-turns')).toHaveLength(0)
  })

  test('in Anthropic’s order of events', async () => {
    const reply = await fetch(`${gateway.url}/v1/messages`, {
      method: 'POST',
      headers: { 'x-api-key': gateway.masterKey, 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'local',
        max_tokens: 500,
        stream: true,
        messages: [{ role: 'user', content: 'Hi' }],
      }),
    })
    const events = (await reply.text())
      .split('\n\n')
      .filter((part) => part.includes('data: '))
      .map((part) => JSON.parse(part.slice(part.indexOf('data: ') + 6)))
    expect(events.map((e) => e.type).filter((type, i, all) => type !== all[i - 1])).toEqual([
      ...[
        'message_start',
        'content_block_start',
        'content_block_delta',
        'content_block_stop',
        'message_delta',
        'message_stop',
      ],
    ])
    expect(events.map((e) => e.delta?.text ?? '').join('')).toBe(FULL)
    expect(new Set(events.map((e) => e.index).filter((i) => i !== undefined))).toEqual(new Set([0]))
  })

  test('again and again, as long as attempts are left; and the next one is given all that was said', async () => {
    const said = await ask(gateway, { model: 'thrice', stream: true })
    expect([said.text, said.whole]).toEqual([FULL, true])
    const body = mock.of('rest').at(-1)?.body as { messages: { role: string; content: string }[] }
    const { role, content } = body.messages.at(-1) as { role: string; content: string }
    expect([role, FULL.startsWith(content), content.length > FULL.split(' ').slice(0, 21).join(' ').length]).toEqual([
      'assistant',
      true,
      true,
    ])
  })

  test('each part is charged once, to whoever asked; the usage that is told is of the whole answer', async () => {
    const key = await makeKey(gateway)
    const said = await ask(gateway, {
      model: 'local',
      key,
      stream: true,
      more: { stream_options: { include_usage: true } },
    })
    expect(said.usage?.completion).toBe(WORDS)
    await atRest(gateway)
    const rows = await rowsOf(gateway, key)
    expect(rows.map((row) => [row.attempt, row.status, row.completion_tokens]).sort()).toEqual([
      [1, 'failure', expect.any(Number)],
      [2, 'success', WORDS - 40],
    ])
    expect(new Set(rows.map((row) => row.request_id)).size).toBe(1)
  })

  test('who would not take a beginning is not given one, and the caller is told', async () => {
    const before = mock.of('oa-rest').length
    const said = await ask(gateway, { model: 'unable', stream: true })
    expect([said.status, said.whole]).toEqual([200, false])
    expect(said.error).toMatch(/cut off/)
    expect(FULL.startsWith(said.text)).toBeTrue()
    expect(mock.of('oa-rest').length).toBe(before)
  })

  test('half a tool call goes on nowhere', async () => {
    const tools = [
      {
        type: 'function',
        function: { name: 'toll', parameters: { type: 'object', properties: { a: { type: 'string' } } } },
      },
    ]
    const before = mock.of('rest').length
    const said = await ask(gateway, { model: 'tools', stream: true, more: { tools } })
    if (!said.whole) expect(said.error).toBeDefined()
    expect(mock.of('rest').length).toBe(before)
  })

  test('a caller who leaves meanwhile ends it all', async () => {
    const leave = new AbortController()
    mock.plan('rest', ['slow:200'])
    setTimeout(() => leave.abort(), 300)
    await ask(gateway, { model: 'local', stream: true, signal: leave.signal }).catch(() => undefined)
    await mock.until(() => mock.inFlight === 0, 2_000)
    mock.plan('rest', ['ok'])
    expect(await atRest(gateway)).toMatchObject({ open_holds: 0, held: 0 })
  })
})

test('restart: another one begins anew, and goes on where it has said the same', async () => {
  const said = await ask(restart, { model: 'unable', stream: true })
  expect([said.text, said.whole]).toEqual([FULL, true])
})

test('error: the caller is told, and nobody else is asked', async () => {
  const before = mock.of('rest').length
  const said = await ask(none, { model: 'local', stream: true })
  expect(said).toMatchObject({ status: 200, whole: false, error: expect.stringMatching(/cut off/) })
  expect(mock.of('rest').length).toBe(before)
})
