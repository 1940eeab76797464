/** A second attempt where the first one is slow: who answers, who is given up, and who pays. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { wordsFor } from '../mock/answer.ts'
import { type Mock, startMock } from '../mock/upstream.ts'
import { ask } from '../support/ask.ts'
import { atRest, billed, makeKey, nano, rowsOf, sum } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { promptTokens } from '../support/tokens.ts'

const WORDS = 30
const TEXT = 'Are you there?'
const FULL = wordsFor(TEXT, WORDS).join('')
const PRICE = { input: 1_000, output: 3_000 }
/** s */
const AFTER = 0.25

let mock: Mock
let gateway: Gateway
const names = ['stream', 'whole', 'fast', 'close', 'money', 'leaves', 'poor', 'fails', 'both', 'mistake', 'off']
const house = ['to-house', 'in-house', 'taken']

const at = (alias: string, order: number, model = `${alias}${order}`, provider = 'openai') => ({
  model_name: alias,
  litellm_params: {
    model: `${provider}/${model}`,
    api_base: provider === 'openai' ? `${mock.url}/v1` : mock.url,
    ...{ api_key: 'sk-up', order, num_retries: 0 },
    ...(provider === 'openai'
      ? { input_cost_per_token: PRICE.input / 1e9, output_cost_per_token: PRICE.output / 1e9 }
      : {}),
  },
})

beforeAll(async () => {
  mock = await startMock({ words: WORDS })
  for (const name of ['to-house1', 'in-house0', 'taken1']) mock.house.load(name)
  gateway = await startGateway({
    yaml: {
      model_list: [
        ...names.flatMap((name) => [name === 'off' ? { ...at(name, 0), hedge: 'off' } : at(name, 0), at(name, 1)]),
        at('to-house', 0),
        at('to-house', 1, 'to-house1', 'ollama'),
        at('in-house', 0, 'in-house0', 'ollama'),
        at('in-house', 1),
        at('taken', 0),
        at('taken', 1, 'taken1', 'ollama'),
        at('cold', 0),
        at('cold', 1, 'cold1', 'ollama'),
        { ...at('few', 0), hedge: { after: AFTER, most: 0.1 } },
        at('few', 1),
        at('tools', 0, 'tools0', 'anthropic'),
        at('tools', 1, 'tools1', 'anthropic'),
        { ...at('p95', 0), hedge: { after: 'p95', most: 0.2 } },
        at('p95', 1),
      ].map(({ litellm_params: { num_retries, ...params }, ...entry }) => ({ ...entry, litellm_params: params })),
      router_settings: { num_retries: 0, disable_cooldowns: true },
      tollgate: { hedge: { after: AFTER, most: 1 }, backends: { [mock.url]: { slots: 1 } } },
    },
  })
  // Each has earned its allowance.
  for (const alias of [...names, ...house]) await ask(gateway, { model: alias, text: TEXT })
  mock.requests.length = 0
}, 30_000)
afterAll(async () => {
  await atRest(gateway)
  await gateway.stop()
  mock.stop()
})

/** ms after which the caller had his answer and the loser was hung up on. */
const leftAt = (model: string) => {
  const seen = mock.of(model).at(-1)!
  return seen.at + (seen.abortedAt ?? Number.NaN)
}

describe.each([true, false])('a slow first target (stream: %p)', (stream) => {
  const alias = stream ? 'stream' : 'whole'
  test('the second one answers, the first is hung up on, and the headers say so', async () => {
    mock.plan(`${alias}0`, ['slowfirst:8000'])
    const said = await ask(gateway, { model: alias, text: TEXT, stream })
    const answeredAt = Date.now()
    expect(said).toMatchObject({ status: 200, whole: true, text: FULL, by: `openai/${alias}1`, attempts: 2 })
    expect(said.headers.get('x-tollgate-why')).toBe(
      `openai/${alias}0: no content after 250 ms, openai/${alias}1 was asked, too`,
    )
    expect(said.ms).toBeLessThan(4_000)
    await mock.until(() => mock.of(`${alias}0`).at(-1)!.abortedAt !== undefined)
    expect(leftAt(`${alias}0`) - answeredAt).toBeLessThan(500)
    expect(mock.of(`${alias}1`)).toHaveLength(1)
  })
})

test('a first target that is fast enough is asked alone', async () => {
  const said = await ask(gateway, { model: 'fast', text: TEXT, stream: true })
  expect(said).toMatchObject({ text: FULL, by: 'openai/fast0', attempts: 1 })
  expect(mock.of('fast1')).toHaveLength(0)
})

test('an alias that says off is not hedged', async () => {
  mock.plan('off0', ['slowfirst:1000'])
  expect(await ask(gateway, { model: 'off', text: TEXT })).toMatchObject({ by: 'openai/off0', attempts: 1 })
  expect(mock.of('off1')).toHaveLength(0)
})

test('the first one may still win: then the second is hung up on, and nothing of it is heard', async () => {
  mock.plan('close0', ['slowfirst:900'])
  mock.plan('close1', ['slowfirst:8000'])
  const said = await ask(gateway, { model: 'close', text: TEXT, stream: true })
  expect(said).toMatchObject({ whole: true, text: FULL, by: 'openai/close0', attempts: 2 })
  await mock.until(() => mock.of('close1').at(-1)?.abortedAt !== undefined)
})

test('many at once, both as fast as the other: every answer is whole, and of one target', async () => {
  mock.plan('both0', ['slowfirst:400!slow:2'])
  mock.plan('both1', ['slowfirst:120!slow:2'])
  const all = await Promise.all(
    Array.from({ length: 20 }, (_, i) => ask(gateway, { model: 'both', text: TEXT, stream: i % 2 === 0 })),
  )
  for (const said of all) expect(said).toMatchObject({ status: 200, whole: true, text: FULL, garbage: [] })
  const by = new Set(all.map((said) => said.by))
  expect([...by].every((one) => one === 'openai/both0' || one === 'openai/both1')).toBe(true)
}, 20_000)

test('the caller pays for the answer he gets, and the gateway for the one that was given up', async () => {
  const key = await makeKey(gateway, { max_budget: 1 })
  const before = billed(mock, 'money1', PRICE)
  mock.plan('money0', ['slowfirst:8000'])
  for (const stream of [true, false]) await ask(gateway, { model: 'money', key, text: TEXT, stream })
  await atRest(gateway)
  const mine = await rowsOf(gateway, key)
  expect(mine.map((row) => [row.outcome, row.model, row.attempt])).toEqual([
    ['ok', 'money1', 2],
    ['ok', 'money1', 2],
  ])
  const invoice = billed(mock, 'money1', PRICE) - before
  expect(sum(mine.map((row) => row.spend_nano))).toBe(invoice)
  const info = (await (await gateway.call('GET', `/key/info?key=${key}`)).json()) as { info: { spend: number } }
  expect(nano(info.info.spend)).toBe(invoice)
  // What a cloud may bill for the other one: its prompt.
  const lost = (await rowsOf(gateway)).filter((row) => row.outcome === 'hedged' && row.model === 'money0')
  expect(lost).toHaveLength(2)
  for (const row of lost) {
    expect(row).toMatchObject({ usage_source: 'counted', completion_tokens: 0, attempt: 1, status: 'failure' })
    expect(row.spend_nano).toBe(promptTokens(TEXT) * PRICE.input)
    expect(mine.map((one) => one.request_id)).toContain(row.request_id)
  }
  expect(billed(mock, 'money0', PRICE)).toBeLessThanOrEqual(sum(lost.map((row) => row.spend_nano)) + invoice)
})

test('a caller who leaves ends both, and pays for one', async () => {
  const key = await makeKey(gateway)
  mock.plan('leaves0', ['hang'])
  mock.plan('leaves1', ['hang'])
  const controller = new AbortController()
  const asked = ask(gateway, { model: 'leaves', key, text: TEXT, signal: controller.signal }).catch(() => undefined)
  await mock.until(() => mock.of('leaves1').length === 1)
  controller.abort()
  await asked
  await mock.until(() => ['leaves0', 'leaves1'].every((model) => mock.of(model).at(-1)!.abortedAt !== undefined))
  await atRest(gateway)
  expect((await rowsOf(gateway, key)).map((row) => [row.outcome, row.model])).toEqual([['aborted', 'leaves0']])
})

test('a budget that cannot hold both is never hedged: the slow one answers', async () => {
  const key = await makeKey(gateway, {
    max_budget: (200 * PRICE.input + 60 * PRICE.output) / 1e9,
    budget_mode: 'strict',
  })
  mock.plan('poor0', ['slowfirst:1200'])
  const said = await ask(gateway, { model: 'poor', key, text: TEXT, more: { max_tokens: 40 } })
  expect(said).toMatchObject({ status: 200, by: 'openai/poor0', attempts: 1 })
  expect(mock.of('poor1')).toHaveLength(0)
})

test('the first one fails after all: the second one answers, and the failure is told', async () => {
  mock.plan('fails0', [{ delayHeaders: 700, status: 500 }])
  mock.plan('fails1', ['slowfirst:1500'])
  const said = await ask(gateway, { model: 'fails', text: TEXT, stream: true })
  expect(said).toMatchObject({ status: 200, whole: true, by: 'openai/fails1', attempts: 2 })
  expect(said.headers.get('x-tollgate-why')).toContain('openai/fails0: server')
  await atRest(gateway)
  const rows = (await rowsOf(gateway)).filter((row) => row.model_group === 'fails' && row.status !== 'success')
  expect(rows.map((row) => [row.outcome, row.spend_nano])).toEqual([['server', 0]])
})

test("the caller's own mistake is told at once, and the other one is given up", async () => {
  mock.plan('mistake0', [{ delayHeaders: 600, status: 400, error: { message: 'no such temperature' } }])
  mock.plan('mistake1', ['slowfirst:8000'])
  const said = await ask(gateway, { model: 'mistake', text: TEXT })
  expect(said.status).toBe(400)
  expect(said.error).toContain('no such temperature')
  await mock.until(() => mock.of('mistake1').at(-1)?.abortedAt !== undefined)
})

test('tools that the provider runs itself are asked for once', async () => {
  mock.plan('tools0', ['slowfirst:600'])
  for (const more of [
    { tools: [{ type: 'web_search_20250305', name: 'web_search' }] },
    { mcp_servers: [{ type: 'url', name: 'x', url: 'https://example.com' }] },
  ]) {
    const said = await fetch(`${gateway.url}/v1/messages`, {
      method: 'POST',
      headers: { authorization: `Bearer ${gateway.masterKey}` },
      body: JSON.stringify({
        ...{ model: 'tools', max_tokens: 50, messages: [{ role: 'user', content: TEXT }] },
        ...more,
      }),
    })
    expect([said.status, await said.text()]).toEqual([200, expect.any(String)])
  }
  expect(mock.of('tools0')).toHaveLength(2)
  expect(mock.of('tools1')).toHaveLength(0)
})

describe('the house', () => {
  test('is asked beside a slow cloud where a slot is free', async () => {
    mock.plan('to-house0', ['slowfirst:8000'])
    expect(await ask(gateway, { model: 'to-house', text: TEXT })).toMatchObject({ by: 'ollama/to-house1', attempts: 2 })
  })

  test('is not left for being slow', async () => {
    mock.plan('in-house0', ['slowfirst:1000'])
    expect(await ask(gateway, { model: 'in-house', text: TEXT })).toMatchObject({ by: 'ollama/in-house0', attempts: 1 })
    expect(mock.of('in-house1')).toHaveLength(0)
  })

  test('is not asked where the model would have to be loaded first', async () => {
    mock.plan('cold0', ['slowfirst:1000'])
    expect(await ask(gateway, { model: 'cold', text: TEXT })).toMatchObject({ by: 'openai/cold0', attempts: 1 })
    expect(mock.of('cold1')).toHaveLength(0)
  })

  test('is not asked where all slots are taken', async () => {
    mock.plan('in-house0', ['slowfirst:2500'])
    mock.plan('taken0', ['slowfirst:1000'])
    const before = mock.of('in-house0').length
    const busy = ask(gateway, { model: 'in-house', text: TEXT })
    await mock.until(() => mock.of('in-house0').length > before)
    expect(await ask(gateway, { model: 'taken', text: TEXT })).toMatchObject({ by: 'openai/taken0', attempts: 1 })
    expect(mock.of('taken1').filter((seen) => seen.at > mock.of('in-house0').at(-1)!.at)).toHaveLength(0)
    await busy
  })
})

test('all are slow: no more than the share is asked twice', async () => {
  mock.plan('few0', ['slowfirst:500'])
  const all = await Promise.all(Array.from({ length: 60 }, () => ask(gateway, { model: 'few', text: TEXT })))
  const twice = all.filter((said) => said.attempts === 2).length
  expect(twice).toBeGreaterThan(0)
  expect(twice).toBeLessThanOrEqual(6)
  expect(mock.of('few1').length).toBe(twice)
})

test('after p95: learned from what it answers, and the slow tail is gone', async () => {
  for (let i = 0; i < 25; i++) expect((await ask(gateway, { model: 'p95', text: TEXT, stream: true })).attempts).toBe(1)
  mock.plan('p950', ['slowfirst:3000', 'ok', 'ok', 'ok', 'slowfirst:3000', 'ok'])
  const all = []
  for (let i = 0; i < 6; i++) all.push(await ask(gateway, { model: 'p95', text: TEXT, stream: true }))
  expect([all[0]!.by, all[4]!.by]).toEqual(['openai/p951', 'openai/p951'])
  expect(Math.max(...all.map((said) => said.ms))).toBeLessThan(2_000)
}, 20_000)
