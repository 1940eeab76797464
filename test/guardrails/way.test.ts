/** Guardrails of a running gateway: whose they are, what leaves, what it costs, what is told. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { type Mock, startMock } from '../mock/upstream.ts'
import { rowsOf } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { runTollgate } from '../support/tollgate.ts'
import { SECRET } from './rails.ts'
import { type Scanner, startScanner } from './scanner.ts'

type Json = Record<string, unknown>
const WORD = 'mandragora'

let cloud: Mock
let house: Mock
let scanner: Scanner
let gateway: Gateway
beforeAll(async () => {
  ;[cloud, house] = await Promise.all([startMock({ words: 40 }), startMock({ words: 40 })])
  scanner = startScanner()
  const priced = { input_cost_per_token: 1e-6, output_cost_per_token: 2e-6 }
  const there = (model_name: string, model = 'm', more: Json = {}) => ({
    model_name,
    litellm_params: { model: `openai/${model}`, api_base: `${cloud.url}/v1`, api_key: 'sk-up', ...priced, ...more },
  })
  const here = (model_name: string, model = 'm', more: Json = {}) => ({
    model_name,
    litellm_params: { model: `ollama/${model}`, api_base: house.url, ...more },
  })
  const words = (guardrail_name: string, more: Json) => ({
    guardrail_name,
    litellm_params: { guardrail: 'words', words: [WORD], mode: 'pre_call', ...more },
  })
  const asks = (guardrail_name: string, more: Json) => ({
    guardrail_name,
    litellm_params: { guardrail: 'webhook', url: scanner.url, mode: 'pre_call', retries: 0, timeout: 1, ...more },
  })
  gateway = await startGateway({
    yaml: {
      model_list: [
        there('far'),
        { ...there('both', 'm', { order: 0 }), mirror: { to: 'shadow', share: 1 } },
        here('both', 'm', { order: 1 }),
        there('shadow', 'shadow'),
        there('guarded', 'm', { guardrails: ['of-model'] }),
        there('vectors'),
        here('breaks', 'half!cut:20', { order: 0 }),
        here('breaks', 'rest', { order: 1 }),
      ],
      router_settings: { num_retries: 0, disable_cooldowns: true },
      tollgate: { heartbeat: 0.1 },
      guardrails: [
        words('everywhere', { default_on: true, roles: ['tool'] }),
        words('asked', {}),
        words('of-model', {}),
        words('of-tag', { tags: ['careful'] }),
        words('of-team', { teams: ['red'] }),
        words('of-key', { keys: ['one'] }),
        words('home', { on_flagged: 'local_only' }),
        words('masks', { on_flagged: 'redact' }),
        words('out', { mode: 'post_call', on_flagged: 'redact' }),
        words('out-blocks', { mode: 'post_call' }),
        words('never', { sample: 0 }),
        words('loose', { unseen: 'allow' }),
        asks('kept', { cache: { ttl: 60 } }),
        asks('whole', { mode: 'post_call', needs_whole: true, timeout: 5 }),
        asks('far-scanner', { in_house: false }),
        asks('near-scanner', { in_house: true }),
      ],
    },
  })
}, 60_000)
afterAll(async () => {
  await gateway?.stop()
  cloud?.stop()
  house?.stop()
  scanner?.stop()
})

interface Asked {
  model?: string
  key?: string
  stream?: boolean
  guards?: readonly string[]
  more?: Json
  headers?: Record<string, string>
}

function chat(said: string, { model = 'far', key, stream = false, guards, more = {}, headers = {} }: Asked = {}) {
  return fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key ?? gateway.masterKey}`, ...headers },
    body: JSON.stringify({
      ...{ model, stream, messages: [{ role: 'user', content: said }] },
      ...(guards ? { guardrails: guards } : {}),
      ...more,
    }),
  })
}

const status = async (response: Promise<Response>): Promise<number> => {
  const answer = await response
  await answer.text()
  return answer.status
}

async function make(path: string, body: Json): Promise<Json> {
  const made = await gateway.call('POST', path, body)
  expect(made.status).toBe(200)
  return (await made.json()) as Json
}
const makeKey = async (body: Json = {}): Promise<string> => String((await make('/key/generate', body)).key)

const tool = { messages: [{ role: 'tool', tool_call_id: 'c', content: `so ${WORD}` }] }

describe('whose requests', () => {
  test('of everybody, of a model, of a tag, as asked', async () => {
    expect(await status(chat('', { more: tool }))).toBe(400)
    expect(await status(chat(WORD))).toBe(200)
    expect(await status(chat(WORD, { model: 'guarded' }))).toBe(400)
    expect(await status(chat(WORD, { headers: { 'x-litellm-tags': 'careful' } }))).toBe(400)
    expect(await status(chat(WORD, { guards: ['asked'] }))).toBe(400)
    expect(await status(chat(WORD, { more: { metadata: { guardrails: ['asked'] } } }))).toBe(400)
    expect(await status(chat('hi', { more: { metadata: { guardrails: ['asked'], tags: ['a'] } } }))).toBe(200)
    expect(JSON.stringify(cloud.requests.at(-1)?.body)).not.toContain('guardrails')
  })

  test('of a key, of what is said of a key, of its team and its project', async () => {
    expect(await status(chat(WORD, { key: await makeKey({ key_alias: 'one' }) }))).toBe(400)
    expect(await status(chat(WORD, { key: await makeKey({ guardrails: ['asked'] }) }))).toBe(400)
    expect(await status(chat(WORD, { key: await makeKey({ metadata: { guardrails: ['asked'] } }) }))).toBe(400)
    expect(await status(chat(WORD, { key: await makeKey() }))).toBe(200)
    await make('/team/new', { team_id: 'red' })
    await make('/team/new', { team_id: 'blue', guardrails: ['asked'] })
    await make('/project/new', { project_id: 'p', team_id: 'red', guardrails: ['asked'] })
    expect(await status(chat(WORD, { key: await makeKey({ team_id: 'red' }) }))).toBe(400)
    const blue = await makeKey({ team_id: 'blue' })
    expect(await status(chat(WORD, { key: blue }))).toBe(400)
    await make('/team/update', { team_id: 'blue', guardrails: [] })
    expect(await status(chat(WORD, { key: blue }))).toBe(200)
    expect(await status(chat(WORD, { key: await makeKey({ project_id: 'p' }) }))).toBe(400)
  })

  test('whoever is exempt is so from those for everybody alone, and no request exempts itself', async () => {
    const key = await makeKey({ disable_global_guardrails: true })
    expect(await status(chat('', { key, more: tool }))).toBe(200)
    expect(await status(chat(WORD, { key, model: 'guarded' }))).toBe(400)
    expect(await status(chat('', { more: { ...tool, disable_global_guardrails: true } }))).toBe(400)
    expect(await status(chat('', { more: { ...tool, metadata: { disable_global_guardrails: true } } }))).toBe(400)
    expect(await status(chat('', { guards: [], more: tool }))).toBe(400)
  })

  test('one that is not there is told, with those that are; of a key it lets nothing through', async () => {
    const unknown = await chat('hi', { guards: ['askd'] })
    const { error } = (await unknown.json()) as { error: Json }
    expect([unknown.status, error.param]).toEqual([400, 'guardrails'])
    expect(error.message).toContain("There is no guardrail 'askd'. There are: everywhere, asked,")
    expect(await status(chat('hi', { more: { guardrails: 'asked' } }))).toBe(400)
    expect(await status(chat('hi', { key: await makeKey({ guardrails: ['gone'] }) }))).toBe(503)
  })

  test('of a sample of none nobody is looked at, which is not passed', async () => {
    const answer = await chat(WORD, { guards: ['never'] })
    expect([answer.status, answer.headers.get('x-tollgate-guardrails')]).toEqual([
      200,
      expect.stringContaining('never=not_run; mode=pre_call'),
    ])
  })

  test('a user does not take the guardrails from his key', async () => {
    await make('/user/new', { user_id: 'ada', user_role: 'internal_user', auto_create_key: false })
    const key = await makeKey({ user_id: 'ada', guardrails: ['asked'] })
    const change = (body: Json) =>
      fetch(`${gateway.url}/key/update`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ key, ...body }),
      })
    expect((await change({ guardrails: [] })).status).toBe(403)
    expect((await change({ disable_global_guardrails: true })).status).toBe(403)
    expect((await change({ metadata: { disable_global_guardrails: true } })).status).toBe(403)
    expect((await change({ metadata: {} })).status).toBe(200)
    expect(await status(chat(WORD, { key }))).toBe(400)
  })
})

describe('what must not leave the house', () => {
  const fresh = () => {
    cloud.reset()
    house.reset()
  }

  test('is seen by no cloud: not as an answer, not as a copy, not as a failover', async () => {
    fresh()
    expect(await status(chat('nothing of it', { model: 'both', guards: ['home'] }))).toBe(200)
    await cloud.until((all) => all.length === 2, 2_000)
    fresh()
    for (const stream of [false, true]) {
      expect(await status(chat(`so ${WORD} it is`, { model: 'both', guards: ['home'], stream }))).toBe(200)
      house.plan('m', ['status:500'])
      expect(await status(chat(`so ${WORD} it is`, { model: 'both', guards: ['home'], stream }))).toBe(502)
      house.reset()
      expect(await status(chat(`so ${WORD} it is`, { model: 'far', guards: ['home'], stream }))).toBe(400)
    }
    await Bun.sleep(100)
    expect(cloud.requests).toEqual([])
  })

  test('is shown to no scanner outside of it', async () => {
    const key = await makeKey({ metadata: { data_class: 'local-only' } })
    scanner.asked.length = 0
    expect(await status(chat('hi', { key, model: 'both', guards: ['far-scanner'] }))).toBe(503)
    expect(scanner.asked).toEqual([])
    expect(await status(chat('hi', { key, model: 'both', guards: ['near-scanner'] }))).toBe(200)
    expect(scanner.asked.length).toBe(1)
    // It is kept at home first, and then nobody else is asked.
    expect(await status(chat(WORD, { model: 'both', guards: ['far-scanner', 'home'] }))).toBe(503)
    expect(scanner.asked.length).toBe(1)
  })
})

test('what is taken out of a request is in no copy, no embedding, no reranking, no moderation', async () => {
  cloud.reset()
  expect(await status(chat(`so ${WORD} it is`, { model: 'both', guards: ['masks'] }))).toBe(200)
  await cloud.until((all) => all.length === 2, 2_000)
  const post = (path: string, body: Json) => status(gateway.call('POST', path, { ...body, guardrails: ['masks'] }))
  expect(await post('/v1/embeddings', { model: 'vectors', input: ['a', `b ${WORD}`] })).toBe(200)
  // Which this mock does not have: it is asked all the same.
  expect(await post('/v1/moderations', { model: 'vectors', input: [`c ${WORD}`] })).toBe(502)
  const seen = JSON.stringify(cloud.requests.map(({ body }) => body))
  expect(seen).not.toContain(WORD)
  expect(seen.match(/<BANNED_WORD>/g)?.length).toBe(4)
  expect(await post('/v1/embeddings', { model: 'vectors', input: [1, 2, 3] })).toBe(400)
})

describe('what can not be seen', () => {
  const routes: [string, string, Json][] = [
    ['POST', '/openai/v1/chat/completions', { model: 'm', messages: [] }],
    ['POST', '/openai/v1/threads', {}],
  ]
  test.each(routes)('%s %s', async (method, path, body) => {
    for (const [guardrails, expected] of [
      [['asked'], 400],
      [['loose'], undefined],
    ] as const) {
      const key = await makeKey({ guardrails, disable_global_guardrails: true, allowed_passthrough_routes: ['*'] })
      const answer = await fetch(gateway.url + path, {
        method,
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      const written = await answer.text()
      if (expected) expect([answer.status, written]).toEqual([expected, expect.stringContaining("'asked'")])
      else expect(written).not.toContain('content_policy_violation')
    }
  })

  test('files, and conversations', async () => {
    const key = await makeKey({ guardrails: ['asked'] })
    const form = new FormData()
    form.set('purpose', 'assistants')
    form.set('file', new Blob(['hello']), 'a.txt')
    const headers = { authorization: `Bearer ${key}` }
    const file = await fetch(`${gateway.url}/v1/files`, { method: 'POST', headers, body: form })
    expect([file.status, await file.text()]).toEqual([400, expect.stringContaining('content_policy_violation')])
    const upgrade = { ...headers, upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-version': '13' }
    const talk = await fetch(`${gateway.url}/v1/realtime?model=far`, {
      headers: { ...upgrade, 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' },
    })
    expect([talk.status, await talk.text()]).toEqual([400, expect.stringContaining('realtime conversations')])
  })
})

test('what it costs: a request that is blocked nothing, an answer that is blocked what it cost', async () => {
  const key = await makeKey({ max_budget: 1 })
  expect(await status(chat(WORD, { key, guards: ['asked'] }))).toBe(400)
  expect(await rowsOf(gateway, key).then((rows) => rows.length)).toBe(0)
  cloud.plan('m', [{ text: `here ${WORD} is, ${'and more '.repeat(40)}`, ignoreMaxTokens: true }])
  for (const stream of [false, true])
    expect([200, 400]).toContain(await status(chat('hi', { key, guards: ['out-blocks'], stream })))
  cloud.reset()
  // What nobody reported is counted first.
  let rows = await rowsOf(gateway, key)
  for (let i = 0; i < 100 && rows.length < 2; i++) {
    await Bun.sleep(20)
    rows = await rowsOf(gateway, key)
  }
  expect(rows.map(({ outcome }) => outcome)).toEqual(['content_policy_violation', 'content_policy_violation'])
  for (const { spend } of rows) expect(Number(spend)).toBeGreaterThan(0)
})

test('a verdict that is kept asks nobody, and is its tenant’s own', async () => {
  const [one, two] = await Promise.all([makeKey(), makeKey()])
  scanner.asked.length = 0
  for (const key of [one, one, one])
    expect(await status(chat(`the same ${SECRET}`, { key, guards: ['kept'] }))).toBe(400)
  expect(scanner.asked.length).toBe(1)
  expect(await status(chat(`the same ${SECRET}`, { key: two, guards: ['kept'] }))).toBe(400)
  expect(scanner.asked.length).toBe(2)
})

test('an answer that breaks off goes on past the same guardrails', async () => {
  house.plan('half!cut:20', [{ text: `${'word '.repeat(150)}`, stop: { how: 'cut', at: 120 }, ignoreMaxTokens: true }])
  house.plan('rest', [{ text: `then ${WORD} comes and more words follow it`, ignoreMaxTokens: true }])
  const answer = await chat('hi', { model: 'breaks', guards: ['out'], stream: true })
  const written = await answer.text()
  house.reset()
  expect(written).not.toContain(WORD)
  expect(written).toContain('[DONE]')
  const text = written
    .split('\n')
    .flatMap((line) => (line.startsWith('data: {') ? [JSON.parse(line.slice(6))] : []))
    .map(({ choices }) => choices?.[0]?.delta?.content ?? '')
    .join('')
  expect(text).toContain('word word')
  expect(text).toContain('then <BANNED_WORD> comes')
})

test('while all of an answer is held back, and looked at, there are signs of life', async () => {
  cloud.plan('m', [
    { text: 'one two three four five six seven eight nine ten', delayBetween: 60, ignoreMaxTokens: true },
  ])
  scanner.set('well', 400)
  const answer = await chat('hi', { guards: ['whole'], stream: true })
  const written = await answer.text()
  cloud.reset()
  scanner.set('well')
  const first = written.indexOf('data: ')
  // 600 ms of words that nobody sees yet, and 400 ms of looking at them.
  expect(written.slice(0, first).match(/^:/gm)?.length).toBeGreaterThan(4)
  expect(written).toContain('[DONE]')
  expect(written).toContain('ten')
})

describe('what is told', () => {
  test('routes: the list, trying, applying, the report', async () => {
    const { guardrails } = (await (await gateway.call('GET', '/guardrails/list')).json()) as { guardrails: Json[] }
    expect(guardrails[0]).toMatchObject({
      guardrail_name: 'everywhere',
      litellm_params: { guardrail: 'words', mode: 'pre_call', default_on: true },
    })
    expect(JSON.stringify(guardrails)).not.toContain(scanner.url)
    const tried = await gateway.call('POST', '/guardrails/test', { guardrail: ['masks', 'out'], text: `a ${WORD} b` })
    const { verdicts } = (await tried.json()) as { verdicts: Json[] }
    expect(verdicts).toMatchObject([
      {
        ...{ guardrail_name: 'masks', status: 'redacted', flagged: true, redacted: ['a <BANNED_WORD> b'] },
        findings: [{ message: 0, start: 2, end: 2 + WORD.length, what: 'BANNED_WORD' }],
      },
      { guardrail_name: 'out', status: 'redacted' },
    ])
    expect((await gateway.call('POST', '/guardrails/test', { guardrail: 'nope', text: 'a' })).status).toBe(404)
    expect((await gateway.call('POST', '/guardrails/test', {})).status).toBe(400)
    for (const path of ['/guardrails/apply_guardrail', '/apply_guardrail']) {
      const said = { text: `a ${WORD}`, language: 'en' }
      expect((await gateway.call('POST', path, { guardrail_name: 'masks', ...said })).status).toBe(400)
      const applied = await gateway.call('POST', path, { guardrail_name: 'masks', text: `a ${WORD}` })
      expect(await applied.json()).toEqual({ response_text: 'a <BANNED_WORD>' })
      expect((await gateway.call('POST', path, { guardrail_name: 'asked', text: WORD })).status).toBe(400)
    }
    const report = (await (await gateway.call('GET', '/guardrails/report')).json()) as { guardrails: Json[] }
    const line = report.guardrails.find(({ guardrail_name }) => guardrail_name === 'asked')
    expect([line?.kind, Number(line?.blocked) > 3]).toEqual(['words', true])
    expect(JSON.stringify(line)).toMatch(/"p50":\d/)
    expect(report.guardrails.find(({ guardrail_name }) => guardrail_name === 'kept')).toMatchObject({ cache_hits: 2 })
  })

  test('the log says what guardrails said, and nothing of what they saw', async () => {
    await status(chat(`so ${WORD}-${crypto.randomUUID()}`, { guards: ['asked'] }))
    await Bun.sleep(100)
    expect(gateway.logs()).toContain('asked=blocked; mode=pre_call')
    expect(gateway.logs()).not.toContain(WORD)
  })

  test('the command line, without a gateway', async () => {
    const run = (...words: string[]) =>
      runTollgate(['guard', 'try', ...words, '--config', join(gateway.configFile)], { HOME: '/tmp' })
    const masked = await run(`so ${WORD}`, '--guard', 'masks')
    expect([masked.code, masked.out]).toEqual([0, expect.stringContaining('  so <BANNED_WORD>')])
    const blocked = await run(`so ${WORD}`, '--guard', 'asked,masks', '--json')
    expect([blocked.code, JSON.parse(blocked.out).length]).toEqual([1, 2])
    const missing = await run('x', '--guard', 'nope')
    expect([missing.code === 0, missing.err]).toEqual([false, expect.stringContaining('There are: everywhere')])
    const report = await runTollgate(['guard', 'report', '--url', gateway.url, '--config', gateway.configFile], {})
    expect([report.code, report.out]).toEqual([0, expect.stringContaining('GUARDRAIL')])
  }, 30_000)
})
