/** Answers that are given again: for whom, for how long, in which form, and at what price. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Mock, startMock } from '../mock/upstream.ts'
import { ask } from '../support/ask.ts'
import { atRest, makeKey, rowsOf } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'

let mock: Mock
const gateways: Gateway[] = []
const PLACES = ['local', 'disk'] as const
const byPlace = new Map<string, Gateway>()

const start = async (cacheParams: Record<string, unknown>, tollgate: Record<string, unknown> = {}) => {
  const model = (name: string, at: string) => ({
    model_name: name,
    litellm_params: {
      ...{ model: at, api_key: 'sk-up', num_retries: 0 },
      api_base: at.startsWith('openai/') ? `${mock.url}/v1` : mock.url,
      ...{ input_cost_per_token: 1e-6, output_cost_per_token: 2e-6 },
    },
  })
  const gateway = await startGateway({
    yaml: {
      model_list: [
        ...['m', 'other', 'slow', 'fails', 'primary', 'spare', 'vectors'].map((name) => model(name, `openai/${name}`)),
        model('claude', 'anthropic/claude'),
      ],
      router_settings: { num_retries: 0, fallbacks: [{ primary: ['spare'] }] },
      litellm_settings: { cache: true, cache_params: cacheParams },
      tollgate,
    },
  })
  gateways.push(gateway)
  return gateway
}

beforeAll(async () => {
  mock = await startMock({ words: 12 })
  for (const type of PLACES) byPlace.set(type, await start({ type }))
}, 60_000)
afterAll(async () => {
  for (const gateway of gateways) await gateway.stop()
  mock?.stop()
})

const cacheOf = (said: { headers: Headers }) => said.headers.get('x-tollgate-cache')
let n = 0
const fresh = () => `question ${++n} of ${Math.floor(performance.now())}`

describe.each(PLACES)('kept in %s', (type) => {
  const here = () => byPlace.get(type) as Gateway

  test('the same request is answered once, free and marked', async () => {
    const text = fresh()
    const key = await makeKey(here(), { max_budget: 1 })
    const asked = mock.of('m').length
    const first = await ask(here(), { model: 'm', text, key })
    const again = await ask(here(), { model: 'm', text, key })
    expect(mock.of('m').length).toBe(asked + 1)
    expect(again.body).toBe(first.body)
    expect(cacheOf(first)).toBe('miss')
    expect(cacheOf(again)).toBe('hit')
    expect(again.headers.get('x-litellm-cache-key')).toMatch(/^key:.+:[0-9a-f]{64}$/)
    expect(first.headers.get('x-litellm-cache-key')).toBeNull()
    expect(again.headers.get('x-litellm-response-cost')).toBe('0')
    expect(Number(first.headers.get('x-litellm-response-cost'))).toBeGreaterThan(0)
    await atRest(here())
    expect((await rowsOf(here(), key)).length).toBe(1)
  })

  test('a stream is kept, and given again as a stream, byte for byte', async () => {
    const text = fresh()
    const first = await ask(here(), { model: 'm', text, stream: true })
    const again = await ask(here(), { model: 'm', text, stream: true })
    expect([cacheOf(first), cacheOf(again)]).toEqual(['miss', 'hit'])
    expect(again.body).toBe(first.body)
    expect(again.whole).toBe(true)
    expect(again.headers.get('content-type')).toContain('text/event-stream')
  })

  test('what was a stream is given whole, and the other way round', async () => {
    const [a, b] = [fresh(), fresh()]
    const streamed = await ask(here(), { model: 'm', text: a, stream: true })
    const whole = await ask(here(), { model: 'm', text: a })
    expect(cacheOf(whole)).toBe('hit')
    expect([whole.text, whole.finish, whole.whole]).toEqual([streamed.text, streamed.finish, true])
    const before = await ask(here(), { model: 'm', text: b })
    const after = await ask(here(), {
      model: 'm',
      text: b,
      stream: true,
      more: { stream_options: { include_usage: true } },
    })
    expect(cacheOf(after)).toBe('hit')
    expect([after.text, after.whole, after.garbage]).toEqual([before.text, true, []])
    expect(after.usage).toEqual(before.usage)
  })

  test('a question in another dialect has the same answer', async () => {
    const text = fresh()
    const openai = await ask(here(), { model: 'm', text })
    const ollama = await ask(here(), { model: 'm', text, tongue: 'ollama' })
    expect(cacheOf(ollama)).toBe('hit')
    expect([ollama.text, ollama.whole]).toEqual([openai.text, true])
    const lines = await ask(here(), { model: 'm', text, tongue: 'ollama', stream: true })
    expect([cacheOf(lines), lines.text, lines.whole]).toEqual(['hit', openai.text, true])
  })

  test('fields in another order ask the same; other settings, models and texts do not', async () => {
    const text = fresh()
    const more = { temperature: 0.5, seed: 1 }
    await ask(here(), { model: 'm', text, more })
    const said = async (question: object) => cacheOf(await ask(here(), { model: 'm', text, more, ...question }))
    expect(await said({ more: { seed: 1, temperature: 0.5 } })).toBe('hit')
    expect(await said({ more: { seed: 1, temperature: 0.5, user: 'ada', metadata: { a: 'b' } } })).toBe('hit')
    expect(await said({ more: { ...more, temperature: 0.6 } })).toBe('miss')
    expect(await said({ more: { ...more, tools: [{ type: 'function', function: { name: 'f' } }] } })).toBe('miss')
    expect(await said({ model: 'other' })).toBe('miss')
    expect(await said({ text: `${text}.` })).toBe('miss')
  })

  test("LiteLLM's controls of a request", async () => {
    const text = fresh()
    const said = async (cache: unknown, other = text) =>
      cacheOf(await ask(here(), { model: 'm', text: other, more: { cache } }))
    expect(await said({ 'no-store': true })).toBe('miss')
    expect(await said({ ttl: 600 })).toBe('miss')
    expect(await said({})).toBe('hit')
    expect(await said({ 'no-cache': true })).toBe('miss')
    expect(await said({ namespace: 'x' })).toBe('miss')
    expect(await said({ namespace: 'x' })).toBe('hit')
    expect(await said({ 's-maxage': 0 })).not.toBe('hit')
    const short = fresh()
    expect(await said({ ttl: 0.3 }, short)).toBe('miss')
    expect(await said({}, short)).toBe('hit')
    await Bun.sleep(350)
    expect(await said({}, short)).toBe('miss')
    // The upstream is told nothing of it.
    expect(mock.of('m').every(({ body }) => !JSON.stringify(body).includes('"cache"'))).toBe(true)
    const wrong = await ask(here(), { model: 'm', text, more: { cache: { 'no-cahce': true } } })
    expect([wrong.status, wrong.error]).toEqual([400, expect.stringContaining("'cache.no-cahce' is not known")])
  })

  test('failures, and answers of fallbacks, are not kept', async () => {
    const text = fresh()
    mock.plan('fails', ['status:400', 'ok'])
    expect((await ask(here(), { model: 'fails', text })).status).toBe(400)
    expect((await ask(here(), { model: 'fails', text })).status).toBe(200)
    mock.plan('primary', ['status:500', 'ok'])
    const spare = await ask(here(), { model: 'primary', text })
    expect(spare.by).toBe('openai/spare')
    const primary = await ask(here(), { model: 'primary', text })
    expect(cacheOf(primary)).toBe('miss')
  })

  test('an answer that was cut to a budget, or that broke off, is not kept', async () => {
    const text = fresh()
    const poor = await makeKey(here(), { max_budget: 0.00005 })
    const cut = await ask(here(), { model: 'm', text, key: poor, more: { max_tokens: 500 } })
    expect(cut.headers.get('x-tollgate-max-tokens')).not.toBeNull()
    mock.plan('slow', ['cut:4', 'ok'])
    const broken = await ask(here(), { model: 'slow', text, stream: true })
    expect(broken.whole).toBe(false)
    expect(cacheOf(await ask(here(), { model: 'slow', text, stream: true }))).toBe('miss')
  })

  test('what is in the cache is free even where nothing may be spent any more', async () => {
    const text = fresh()
    const key = await makeKey(here(), { max_budget: 0.0001 })
    const first = await ask(here(), { model: 'm', text, key, more: { max_tokens: 12 } })
    expect(first.status).toBe(200)
    for (let i = 0; i < 20; i++) await ask(here(), { model: 'm', text: fresh(), key, more: { max_tokens: 12 } })
    expect((await ask(here(), { model: 'm', text: fresh(), key, more: { max_tokens: 12 } })).status).toBe(422)
    expect(cacheOf(await ask(here(), { model: 'm', text, key, more: { max_tokens: 12 } }))).toBe('hit')
  })
})

describe('whose answers they are', () => {
  const here = () => byPlace.get('local') as Gateway

  test('no tenant ever gets what another one asked: every pair of tenants', async () => {
    const gateway = here()
    const team = async (alias: string) =>
      ((await (await gateway.call('POST', '/team/new', { team_alias: alias })).json()) as { team_id: string }).team_id
    const [red, blue] = [await team(`red-${fresh()}`), await team(`blue-${fresh()}`)]
    const project = async (team_id: string) =>
      (
        (await (await gateway.call('POST', '/project/new', { project_alias: fresh(), team_id })).json()) as {
          project_id: string
        }
      ).project_id
    const inRed = await project(red)
    const holders: Record<string, string> = {
      master: gateway.masterKey,
      alone: await makeKey(gateway),
      'alone too': await makeKey(gateway),
      ada: await makeKey(gateway, { user_id: 'ada' }),
      bob: await makeKey(gateway, { user_id: 'bob' }),
      red: await makeKey(gateway, { team_id: red }),
      blue: await makeKey(gateway, { team_id: blue }),
      'project in red': await makeKey(gateway, { team_id: red, project_id: inRed }),
    }
    const shared: string[] = []
    for (const [mine, key] of Object.entries(holders))
      for (const [yours, other] of Object.entries(holders)) {
        if (mine === yours) continue
        const text = fresh()
        for (const stream of [false, true]) {
          await ask(gateway, { model: 'm', text, key, stream })
          if (
            cacheOf(
              await ask(gateway, { model: 'm', text, key: other, stream, more: { cache: { 'no-store': true } } }),
            ) !== 'miss'
          )
            shared.push(`${mine} → ${yours}`)
        }
      }
    expect(shared).toEqual([])
    const second = await makeKey(gateway, { team_id: red })
    const text = fresh()
    await ask(gateway, { model: 'm', text, key: holders.red as string })
    expect(cacheOf(await ask(gateway, { model: 'm', text, key: second }))).toBe('hit')
  }, 60_000)

  test.each([false, true])(
    'a response that is kept is its caller’s own, whoever asked first (stream: %p)',
    async (stream) => {
      const gateway = here()
      const made = await gateway.call('POST', '/team/new', { team_alias: fresh() })
      const { team_id } = (await made.json()) as { team_id: string }
      const [mine, yours] = [await makeKey(gateway, { team_id }), await makeKey(gateway, { team_id })]
      const respond = async (key: string, body: object) => {
        const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
        const init = { method: 'POST', headers, body: JSON.stringify({ model: 'm', ...body }) }
        const reply = await fetch(`${gateway.url}/v1/responses`, init)
        const text = await reply.text()
        return { status: reply.status, cache: cacheOf(reply), id: /"id":\s*"(resp_[^"]+)"/.exec(text)?.[1] as string }
      }
      const input = fresh()
      const first = await respond(mine, { input, stream })
      const second = await respond(yours, { input, stream })
      expect([first.cache, second.cache]).toEqual(['miss', 'hit'])
      expect(second.id).not.toBe(first.id)
      // Each goes on with his own, and with nobody else's.
      expect((await respond(mine, { input: 'go on', previous_response_id: first.id })).status).toBe(200)
      expect((await respond(yours, { input: 'go on', previous_response_id: second.id })).status).toBe(200)
      expect((await respond(yours, { input: 'go on', previous_response_id: first.id })).status).toBe(400)
    },
  )

  test('whoever may not use a model gets no answer of it from the cache either', async () => {
    const gateway = here()
    const { team_id } = (await (await gateway.call('POST', '/team/new', { team_alias: fresh() })).json()) as {
      team_id: string
    }
    const [may, mayNot] = [await makeKey(gateway, { team_id }), await makeKey(gateway, { team_id, models: ['other'] })]
    const text = fresh()
    await ask(gateway, { model: 'm', text, key: may })
    expect((await ask(gateway, { model: 'm', text, key: mayNot })).status).toBe(403)
  })

  test('one tenant is flushed, and the others stay', async () => {
    const gateway = here()
    const [a, b] = [await makeKey(gateway, { user_id: 'flush-a' }), await makeKey(gateway, { user_id: 'flush-b' })]
    const text = fresh()
    for (const key of [a, b]) await ask(gateway, { model: 'm', text, key })
    await gateway.call('POST', '/cache/flush', { tenant: 'user:flush-a' })
    expect(cacheOf(await ask(gateway, { model: 'm', text, key: b }))).toBe('hit')
    expect(cacheOf(await ask(gateway, { model: 'm', text, key: a }))).toBe('miss')
    expect((await gateway.call('GET', '/cache/ping')).status).toBe(200)
  })

  test('what was saved is counted, and is no spend', async () => {
    const gateway = here()
    const key = await makeKey(gateway, { user_id: 'saver' })
    const text = fresh()
    const first = await ask(gateway, { model: 'm', text, key })
    for (let i = 0; i < 3; i++) await ask(gateway, { model: 'm', text, key })
    const report = (await (await gateway.call('GET', '/cache/report?scope=user:saver')).json()) as Record<
      string,
      unknown
    >
    const cost = Number(first.headers.get('x-litellm-response-cost'))
    expect(report).toMatchObject({ hits: 3, models: [{ model: 'm', hits: 3 }] })
    expect(report.saved as number).toBeCloseTo(3 * cost, 12)
    const other = await makeKey(gateway)
    const refused = await fetch(`${gateway.url}/cache/flush`, {
      method: 'POST',
      headers: { authorization: `Bearer ${other}` },
    })
    expect(refused.status).toBe(403)
  })
})

describe('requests that ask the same at once', () => {
  const here = () => byPlace.get('local') as Gateway

  test.each([false, true])('are asked once (stream: %p)', async (stream) => {
    const text = fresh()
    mock.plan('slow', [{ delayHeaders: 300, delayBetween: 10 }])
    const asked = mock.of('slow').length
    const key = await makeKey(here())
    const all = await Promise.all(Array.from({ length: 8 }, () => ask(here(), { model: 'slow', text, key, stream })))
    expect(mock.of('slow').length).toBe(asked + 1)
    expect(new Set(all.map(({ text: said }) => said)).size).toBe(1)
    expect(all.every(({ whole }) => whole)).toBe(true)
    expect(all.map(cacheOf).sort()).toEqual([...Array(7).fill('joined'), 'miss'])
    await atRest(here())
    expect((await rowsOf(here(), key)).length).toBe(1)
  })

  test('the first one leaves: the others have their answer', async () => {
    const text = fresh()
    mock.plan('slow', [{ delayHeaders: 100, delayBetween: 60 }])
    const asked = mock.of('slow').length
    const key = await makeKey(here())
    const leaving = new AbortController()
    const first = ask(here(), { model: 'slow', text, key, stream: true, signal: leaving.signal }).catch(() => 'left')
    await mock.until((all) => all.filter(({ model }) => model === 'slow').length > asked)
    const second = ask(here(), { model: 'slow', text, key, stream: true })
    await Bun.sleep(300)
    leaving.abort()
    await first
    const said = await second
    expect([said.status, said.whole]).toEqual([200, true])
    expect(mock.of('slow').length).toBe(asked + 1)
  })

  test('the first one leaves before it is answered: the next one asks', async () => {
    const text = fresh()
    mock.plan('slow', [{ delayHeaders: 400 }])
    const asked = mock.of('slow').length
    const key = await makeKey(here())
    const leaving = new AbortController()
    const first = ask(here(), { model: 'slow', text, key, signal: leaving.signal }).catch(() => 'left')
    await mock.until((all) => all.filter(({ model }) => model === 'slow').length > asked)
    const second = ask(here(), { model: 'slow', text, key })
    await Bun.sleep(100)
    leaving.abort()
    expect(await first).toBe('left')
    expect((await second).whole).toBe(true)
  })

  test('the first one fails: the next one asks', async () => {
    const text = fresh()
    mock.plan('slow', [{ delayHeaders: 200, status: 400 }, 'ok'])
    const key = await makeKey(here())
    const all = await Promise.all(Array.from({ length: 3 }, () => ask(here(), { model: 'slow', text, key })))
    expect(all.map(({ status }) => status).sort()).toEqual([200, 200, 400])
  })

  test('all leave: the upstream is hung up on', async () => {
    const text = fresh()
    mock.plan('slow', [{ delayBetween: 100 }])
    const asked = mock.of('slow').length
    const key = await makeKey(here())
    const leaving = new AbortController()
    const all = [0, 1].map(() =>
      ask(here(), { model: 'slow', text, key, stream: true, signal: leaving.signal }).catch(() => 'left'),
    )
    await mock.until((seen) => seen.filter(({ model }) => model === 'slow').length > asked)
    await Bun.sleep(250)
    leaving.abort()
    await Promise.all(all)
    await mock.until((seen) => seen.filter(({ model }) => model === 'slow').at(-1)?.abortedAt !== undefined, 3_000)
    expect(mock.of('slow').length).toBe(asked + 1)
  })
})

test('only for those who ask for it (mode: default_off)', async () => {
  const gateway = await start({ mode: 'default_off' })
  const text = fresh()
  const said = async (cache?: object) =>
    cacheOf(await ask(gateway, { model: 'm', text, ...(cache ? { more: { cache } } : {}) }))
  expect(await said()).toBeNull()
  expect(await said({ 'use-cache': true })).toBe('miss')
  expect(await said()).toBeNull()
  expect(await said({ 'use-cache': true })).toBe('hit')
}, 30_000)

test('what is on the disk is sealed, and outlives the process', async () => {
  const { makeTemp, removeTemp } = await import('../support/temp.ts')
  const dataDir = makeTemp('cache-data')
  const yaml = {
    model_list: [
      { model_name: 'm', litellm_params: { model: 'openai/m', api_base: `${mock.url}/v1`, api_key: 'sk-up' } },
    ],
    litellm_settings: { cache: true, cache_params: { type: 'disk' } },
  }
  const before = await startGateway({ yaml, dataDir })
  const first = await ask(before, { model: 'm', text: 'a word that nobody else says' })
  await before.stop()
  const files = [...new Bun.Glob('tollgate.sqlite*').scanSync(dataDir)]
  expect(files.length).toBeGreaterThan(0)
  for (const file of files) {
    const bytes = Buffer.from(await Bun.file(`${dataDir}/${file}`).arrayBuffer())
    for (const word of ['a word that nobody', first.text.slice(0, 20)]) expect(bytes.includes(word)).toBe(false)
  }
  const after = await startGateway({ yaml, dataDir })
  const again = await ask(after, { model: 'm', text: 'a word that nobody else says' })
  expect([cacheOf(again), again.text]).toEqual(['hit', first.text])
  await after.stop()
  removeTemp(dataDir)
}, 60_000)
