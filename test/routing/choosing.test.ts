/** Where requests really go: conditions, tags, needs, shares, sessions, and what must stay in the house. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Mock, startMock } from '../mock/upstream.ts'
import { ask } from '../support/ask.ts'
import { atRest, makeKey, rowsOf } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { runTollgate } from '../support/tollgate.ts'

let mock: Mock
let gateway: Gateway
beforeAll(async () => {
  mock = await startMock({ words: 5 })
  const at = (
    alias: string,
    model: string,
    more: Record<string, unknown> = {},
    params: Record<string, unknown> = {},
  ) => ({
    model_name: alias,
    litellm_params: { model: `openai/${model}`, api_base: `${mock.url}/v1`, api_key: 'sk-up', ...params },
    ...more,
  })
  const hour = new Date().getUTCHours()
  const clock = (h: number) => `${String((h + 24) % 24).padStart(2, '0')}:00`
  gateway = await startGateway({
    yaml: {
      model_list: [
        at('byteam', 'for-red', { when: { teams: ['red'] } }),
        at('byteam', 'for-blue', { when: { teams: ['blue'] } }),
        at('bysize', 'short', { when: { max_prompt_tokens: 200 } }),
        at('bysize', 'long', { when: { min_prompt_tokens: 201 } }),
        at('byhour', 'now', { when: { hours: `${clock(hour - 1)}-${clock(hour + 2)}` } }),
        at('byhour', 'later', { when: { hours: `${clock(hour + 4)}-${clock(hour + 6)}` } }),
        at('bymeta', 'gold', { when: { metadata: { tier: 'gold' } } }),
        at('bytag', 'eu', {}, { tags: ['eu'] }),
        at('bytag', 'rest', {}, { tags: ['default'] }),
        at('fits', 'small', { model_info: { max_input_tokens: 300 } }),
        at('fits', 'large', { model_info: { max_input_tokens: 100_000 } }),
        at('sees', 'blind', { model_info: { supports_vision: false } }),
        at('sees', 'seeing', { model_info: { supports_vision: true } }),
        at('canary', 'stable'),
        at('canary', 'new', { canary: 0.1 }),
        at('sessions', 's1'),
        at('sessions', 's2'),
        at('sessions', 's3'),
        { model_name: 'house', litellm_params: { model: 'ollama/in-house', api_base: mock.url } },
        at('house', 'cloud'),
        at('only-cloud', 'cloud'),
        at('watched', 'watched', { mirror: { to: 'copies', share: 1 } }, { input_cost_per_token: 0.000001 }),
        at('copies', 'copies', {}, { input_cost_per_token: 0.000001 }),
        at('watched-broken', 'watched', { mirror: { to: 'broken' } }),
        at('broken', 'broken!hang', {}, { timeout: 2 }),
      ],
      router_settings: { routing_strategy: 'sticky', enable_tag_filtering: true, num_retries: 0 },
      tollgate: { local_only_tags: ['secret'] },
    },
  })
})
afterAll(async () => {
  await atRest(gateway)
  await gateway.stop()
  mock.stop()
})

const to = async (model: string, given: Parameters<typeof ask>[1] extends infer Q ? Partial<Q> : never = {}) =>
  (await ask(gateway, { model, ...given })).by

test('a team has its targets, and a caller who fits none is told why', async () => {
  const red = await makeKey(gateway, { team_id: 'red' })
  const blue = await makeKey(gateway, { team_id: 'blue' })
  for (let i = 0; i < 5; i++) {
    expect(await to('byteam', { key: red })).toBe('openai/for-red')
    expect(await to('byteam', { key: blue, tongue: 'ollama' })).toBe('openai/for-blue')
  }
  const nobody = await ask(gateway, { model: 'byteam' })
  expect(nobody).toMatchObject({
    status: 400,
    error: expect.stringMatching(/No target of 'byteam'.*not for this team/),
  })
})

test('the size of the prompt, the time of day, and what metadata says', async () => {
  // The long one first: the mock counts two tokens in any prompt, and the next estimate goes by that.
  expect(await to('bysize', { text: 'long '.repeat(500) })).toBe('openai/long')
  expect(await to('bysize', { text: 'short' })).toBe('openai/short')
  for (let i = 0; i < 5; i++) expect(await to('byhour')).toBe('openai/now')
  expect(await to('bymeta', { more: { metadata: { tier: 'gold' } } })).toBe('openai/gold')
  expect((await ask(gateway, { model: 'bymeta' })).status).toBe(400)
})

test('tags of the header, the body and the key', async () => {
  expect(await to('bytag')).toBe('openai/rest')
  expect(await to('bytag', { headers: { 'x-litellm-tags': 'eu' } })).toBe('openai/eu')
  expect(await to('bytag', { more: { metadata: { tags: ['eu'] } } })).toBe('openai/eu')
  expect(await to('bytag', { headers: { 'x-litellm-tags': 'us' } })).toBe('openai/rest')
})

test('what one target cannot take goes to one that can, and the header says so', async () => {
  for (let i = 0; i < 5; i++) expect(await to('fits', { text: 'many words '.repeat(300) })).toBe('openai/large')
  const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } }
  for (let i = 0; i < 5; i++) {
    const said = await ask(gateway, { model: 'sees', more: { messages: [{ role: 'user', content: [image] }] } })
    expect(said.by).toBe('openai/seeing')
    expect(said.headers.get('x-tollgate-why')).toBe('openai/blind: it cannot take images')
  }
})

test('a canary gets about its share', async () => {
  const seen = await Promise.all(
    Array.from({ length: 300 }, (_, i) => to('canary', { headers: { 'x-session-id': `c${i}` } })),
  )
  const share = seen.filter((by) => by === 'openai/new').length / 300
  expect(share).toBeGreaterThan(0.03)
  expect(share).toBeLessThan(0.2)
})

test('a session stays with its target, by header, by cache key and by how its prompt begins', async () => {
  const homes = new Set<string | null>()
  for (let session = 0; session < 12; session++)
    for (const given of [
      { headers: { 'x-session-id': `s${session}` } },
      { more: { prompt_cache_key: `k${session}` } },
      { text: `Conversation ${session} begins so` },
    ]) {
      const first = await to('sessions', given)
      homes.add(first)
      for (let i = 0; i < 3; i++) expect(await to('sessions', given)).toBe(first)
    }
  expect(homes.size).toBe(3)
})

describe('what must stay in the house', () => {
  test('never reaches a cloud: by tag, by key, streamed and not, when the house is down too', async () => {
    const key = await makeKey(gateway, { metadata: { data_class: 'local-only' } })
    const before = mock.of('cloud').length
    for (const stream of [true, false])
      for (const given of [{ headers: { 'x-litellm-tags': 'secret' } }, { key }]) {
        expect(await ask(gateway, { model: 'house', stream, ...given })).toMatchObject({
          status: 200,
          by: 'ollama/in-house',
        })
        const refused = await ask(gateway, { model: 'only-cloud', stream, ...given })
        expect(refused).toMatchObject({ status: 400, error: expect.stringContaining('must stay in the house') })
        mock.plan('in-house', ['status:500'])
        expect((await ask(gateway, { model: 'house', stream, ...given })).status).toBeGreaterThanOrEqual(500)
        mock.plan('in-house', ['ok'])
      }
    expect(mock.of('cloud').length).toBe(before)
  })
})

describe('mirrored traffic', () => {
  test('a copy goes out, in any dialect, streamed or not, and the caller pays for one', async () => {
    const key = await makeKey(gateway, { max_budget: 1 })
    const before = { asked: mock.of('watched').length, copied: mock.of('copies').length }
    for (const stream of [true, false])
      for (const tongue of ['openai', 'ollama'] as const)
        expect(await ask(gateway, { model: 'watched', key, stream, tongue })).toMatchObject({
          status: 200,
          by: 'openai/watched',
          whole: true,
        })
    await mock.until(() => mock.of('copies').length === before.copied + 4, 2_000)
    expect(mock.of('watched').length).toBe(before.asked + 4)
    expect(mock.of('copies').at(-1)?.body).toMatchObject({ model: 'copies' })
    await atRest(gateway)
    const own = await rowsOf(gateway, key)
    expect(own.map((row) => row.model_group)).toEqual(Array(4).fill('watched'))
    const copies = await rowsOf(gateway, undefined, 'tag=mirror')
    expect(copies.map((row) => [row.api_key, row.model_group])).toEqual(Array(4).fill(['master', 'copies']))
  })

  test('a copy that hangs slows nobody; what must stay in the house is not copied', async () => {
    const began = performance.now()
    expect((await ask(gateway, { model: 'watched-broken' })).status).toBe(200)
    expect(performance.now() - began).toBeLessThan(1_000)
    const before = mock.of('copies').length
    await ask(gateway, { model: 'watched', headers: { 'x-litellm-tags': 'secret' } })
    await Bun.sleep(50)
    expect(mock.of('copies').length).toBe(before)
  })
})

describe('route --explain', () => {
  const env = { TOLLGATE_MASTER_KEY: '' }
  test('says who would be asked, who was left out and what it costs, and sends nothing', async () => {
    const before = mock.requests.length
    const reply = await gateway.call('POST', '/utils/route', {
      model: 'fits',
      messages: [{ role: 'user', content: 'x '.repeat(2_000) }],
    })
    expect(await reply.json()).toMatchObject({
      chosen: 'fits#2',
      targets: [{ id: 'fits#2', place: 1, state: 'well', budget: 'ok', in_flight: 0 }],
      left_out: [{ id: 'fits#1', reason: expect.stringContaining('and it takes 300') }],
    })
    const shown = await runTollgate(['route', 'canary', '--explain', '--url', gateway.url], {
      ...env,
      TOLLGATE_MASTER_KEY: gateway.masterKey,
    })
    expect(shown).toMatchObject({ code: 0, err: '' })
    expect(shown.out).toMatch(/^canary → openai\/(stable|new) \(canary#\d\)\n {2}by sticky\n {2}1\. /)
    const nobody = await runTollgate(['route', 'byteam', '--url', gateway.url], {
      TOLLGATE_MASTER_KEY: gateway.masterKey,
    })
    expect(nobody).toMatchObject({ code: 1, err: expect.stringContaining('not for this team') })
    expect(mock.requests.length).toBe(before)
    expect((await atRest(gateway)).open_holds).toBe(0)
  })

  test('in any dialect; a key sees no loads of others; an unknown dialect is named', async () => {
    const key = await makeKey(gateway)
    const post = (query: string, body: unknown) =>
      fetch(`${gateway.url}/utils/route${query}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
    const said = await post('?dialect=anthropic', {
      model: 'sessions',
      max_tokens: 5,
      messages: [{ role: 'user', content: 'Hi' }],
    })
    const json = (await said.json()) as { targets: Record<string, unknown>[] }
    expect(json.targets).toHaveLength(3)
    expect(json.targets[0]).not.toHaveProperty('in_flight')
    expect(await (await post('?dialect=klingon', {})).text()).toContain("no dialect 'klingon'")
    expect((await post('', { model: 'nowhere', messages: [{ role: 'user', content: 'Hi' }] })).status).toBe(404)
  })
})
