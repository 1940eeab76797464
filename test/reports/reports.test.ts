/** Reports of a gateway that was really used: every one of them comes to what the mock's bill says. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type Mock, startMock } from '../mock/upstream.ts'
import { ask } from '../support/ask.ts'
import { atRest, billed, makeKey, rowsOf, sum } from '../support/books.ts'
import { type Gateway, MASTER_KEY, startGateway } from '../support/gateway.ts'
import { runTollgate } from '../support/tollgate.ts'

const PRICE = { input: 1_000, output: 3_000 }
const PRICED = { input_cost_per_token: PRICE.input / 1e9, output_cost_per_token: PRICE.output / 1e9 }
const TODAY = new Date().toISOString().slice(0, 10)

let mock: Mock
let gateway: Gateway
let red: string
let blue: string
beforeAll(async () => {
  mock = await startMock({ words: 10 })
  const cloud = (alias: string, model: string) => ({
    model_name: alias,
    litellm_params: { model: `openai/${model}`, api_base: `${mock.url}/v1`, api_key: 'sk-up', ...PRICED },
  })
  gateway = await startGateway({
    yaml: { model_list: [cloud('a', 'a'), cloud('b', 'b'), cloud('broken', 'broken!status:500')] },
  })
  red = await makeKey(gateway, { key_alias: 'red', team_id: 'reds', user_id: 'rita' })
  blue = await makeKey(gateway, { key_alias: 'blue', team_id: 'blues' })
  for (const [key, model, headers, times] of [
    [red, 'a', { 'x-litellm-customer-id': 'acme', 'x-litellm-tags': 'nightly,eval' }, 3],
    [red, 'b', {}, 2],
    [blue, 'a', { 'x-litellm-tags': 'eval' }, 4],
    [blue, 'broken', {}, 1],
    [MASTER_KEY, 'b', { 'x-litellm-customer-id': 'acme' }, 1],
  ] as const)
    for (let i = 0; i < times; i++) await ask(gateway, { model, key, headers })
  await atRest(gateway)
})
afterAll(async () => {
  await gateway.stop()
  mock.stop()
})

const get = async (path: string, key?: string): Promise<{ status: number; json: unknown; text: string }> => {
  const reply = await fetch(gateway.url + path, { headers: { authorization: `Bearer ${key ?? MASTER_KEY}` } })
  const text = await reply.text()
  return {
    status: reply.status,
    text,
    json: text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : undefined,
  }
}
const bill = () => billed(mock, 'a', PRICE) + billed(mock, 'b', PRICE)
const of = async (query: string) => sum((await rowsOf(gateway, undefined, query)).map((row) => row.spend_nano))

interface Metrics {
  spend_nano: number
  api_requests: number
  failed_requests: number
}
interface Activity {
  results: {
    date: string
    metrics: Metrics
    breakdown: Record<string, Record<string, { metrics: Metrics; metadata: { key_alias?: string } }>>
  }[]
  metadata: Record<string, number | boolean>
}

test('everybody together spent what the provider billed', async () => {
  const { json } = await get(`/user/daily/activity?start_date=${TODAY}`)
  const { results, metadata } = json as Activity
  expect(results.map((day) => day.date)).toEqual([TODAY])
  expect(metadata.total_spend_nano).toBe(bill())
  expect(bill()).toBeGreaterThan(0)
  // 10 answers, and the broken one's attempts.
  expect(metadata.total_successful_requests).toBe(10)
  expect(metadata.total_failed_requests as number).toBeGreaterThanOrEqual(1)
  const [day] = results
  for (const parted of ['models', 'model_groups', 'providers', 'api_keys'])
    expect([parted, sum(Object.values(day?.breakdown[parted] ?? {}).map((part) => part.metrics.spend_nano))]).toEqual([
      parted,
      bill(),
    ])
  const names = Object.values(day?.breakdown.api_keys ?? {}).map((part) => part.metadata.key_alias)
  expect(new Set(names)).toEqual(new Set([null, 'blue', 'red'] as unknown as string[]))
})

test('each kind of scope has its days, and they are the sums of its charges', async () => {
  for (const [kind, filter, query] of [
    ['team', 'team_ids=reds', 'team_id=reds'],
    ['team', 'team_ids=blues', 'team_id=blues'],
    ['user', 'user_id=rita', 'user_id=rita'],
    ['customer', 'end_user_ids=acme', 'end_user=acme'],
    ['tag', 'tags=eval', 'tag=eval'],
    ['tag', 'tags=nightly', 'tag=nightly'],
  ] as const) {
    const { json } = await get(`/${kind}/daily/activity?${filter}`)
    const { metadata, results } = json as Activity
    const spent = await of(query)
    expect([filter, metadata.total_spend_nano]).toEqual([filter, spent])
    expect(spent).toBeGreaterThan(0)
    expect(sum(Object.values(results[0]?.breakdown.entities ?? {}).map((e) => e.metrics.spend_nano))).toBe(spent)
  }
  const { json } = await get('/team/daily/activity')
  expect(Object.keys((json as Activity).results[0]?.breakdown.entities ?? {}).sort()).toEqual(['blues', 'reds'])
  const none = (await get('/team/daily/activity?team_ids=greens')).json as Activity
  expect(none).toMatchObject({ results: [], metadata: { total_spend: 0, total_pages: 0, has_more: false } })
})

test('a key sees its own days, and nobody else’s', async () => {
  const own = (await get('/user/daily/activity', red)).json as Activity
  expect(own.metadata.total_spend_nano).toBe(await of('user_id=rita'))
  expect((await get('/team/daily/activity', red)).status).toBe(403)
  expect((await get('/global/spend/report', red)).status).toBe(403)
  const asked = (await get('/user/daily/activity?api_key=whatever', red)).json as Activity
  expect([own.metadata.total_spend_nano, asked.metadata.total_spend_nano]).toEqual([expect.any(Number), 0])
})

test('the report is by day and group, in LiteLLM’s shape', async () => {
  const { json } = await get(`/global/spend/report?group_by=team&start_date=${TODAY}&end_date=${TODAY}`)
  const [day] = json as {
    group_by_day: string
    teams: { team_name: string; total_spend_nano: number; metadata: unknown[] }[]
  }[]
  expect(day?.group_by_day).toBe(`${TODAY}T00:00:00+00:00`)
  const teams = Object.fromEntries((day?.teams ?? []).map((team) => [team.team_name, team.total_spend_nano]))
  expect(teams).toEqual({ reds: await of('team_id=reds'), blues: await of('team_id=blues') })
  expect(day?.teams.find((team) => team.team_name === 'reds')?.metadata).toHaveLength(2)
  const keys = (await get('/global/spend/report?group_by=api_key')).json as {
    api_key: string
    total_cost_nano: number
  }[]
  expect(sum(keys.map((key) => key.total_cost_nano))).toBe(bill())
  for (const group of ['model', 'provider', 'customer', 'user', 'tag', 'project', 'organization'])
    expect([group, (await get(`/global/spend/report?group_by=${group}`)).status]).toEqual([group, 200])
  const models = (await get('/global/spend/report?group_by=model&summarize=true')).json as {
    models: { total_spend_nano: number }[]
  }[]
  expect(sum((models[0]?.models ?? []).map((model) => model.total_spend_nano))).toBe(bill())
  expect((await get('/global/spend/report?group_by=colour')).text).toMatch(/group_by.*team, customer/)
})

test('who spent: keys, users and tags, the dearest first', async () => {
  const keys = (await get('/spend/keys')).json as { key_alias: string | null; spend_nano: number }[]
  expect(keys.map((key) => key.key_alias)).toEqual(['red', 'blue', null])
  expect(sum(keys.map((key) => key.spend_nano))).toBe(bill())
  expect((await get('/spend/users')).json).toMatchObject([{ user_id: 'rita', spend_nano: await of('user_id=rita') }])
  const tags = (await get('/spend/tags')).json as { individual_request_tag: string; log_count: number }[]
  expect(tags.map((tag) => [tag.individual_request_tag, tag.log_count])).toEqual([
    ['eval', 7],
    ['nightly', 3],
  ])
  expect((await get('/spend/keys?limit=1')).json).toHaveLength(1)
  expect((await get('/spend/keys?start_date=2020-01-01&end_date=2020-01-31')).json).toEqual([])
})

test('a table for spreadsheets has the same numbers, and runs nothing in them', async () => {
  await ask(gateway, { model: 'a', headers: { 'x-litellm-customer-id': '=cmd|calc' } })
  await atRest(gateway)
  for (const path of ['/global/spend/report?group_by=customer&', '/customer/daily/activity?']) {
    const reply = await fetch(`${gateway.url}${path}format=csv`, { headers: { authorization: `Bearer ${MASTER_KEY}` } })
    expect(reply.headers.get('content-type')).toBe('text/csv; charset=utf-8')
    const [head = '', ...lines] = (await reply.text()).trimEnd().split('\r\n')
    const column = head.split(',').indexOf('spend_nano')
    expect(sum(lines.map((line) => Number(line.split(',')[column])))).toBe(
      (await of('end_user=acme')) + (await of('end_user==cmd|calc')),
    )
    expect(lines.join('\n')).toContain("'=cmd|calc")
    expect(lines.join('\n')).not.toContain(',=cmd')
  }
  expect((await get('/global/spend/report?format=xlsx')).status).toBe(400)
})

test('pages of charges neither repeat nor lose one, whatever they are of', async () => {
  const all = await rowsOf(gateway)
  for (const limit of [1, 2, 3])
    for (const query of ['', 'team_id=reds', 'tag=eval', 'model=a', 'status=failure', 'provider=openai']) {
      const paged = await rowsOf(gateway, undefined, query, limit)
      const whole = query === '' ? all : await rowsOf(gateway, undefined, query)
      expect([query, paged.map((r) => `${r.request_id} ${r.attempt}`)]).toEqual([
        query,
        whole.map((r) => `${r.request_id} ${r.attempt}`),
      ])
    }
  // More than one attempt of a request: a page may end between them.
  expect(all.some((row) => row.attempt > 1)).toBeTrue()
  expect((await rowsOf(gateway, undefined, 'status=failure')).every((row) => row.status === 'failure')).toBeTrue()
  expect((await get('/spend/logs?status=maybe')).status).toBe(400)
})

test('another time zone is added up from the charges, and comes to the same', async () => {
  for (const zone of ['Asia/Tokyo', 'America/Los_Angeles', '-60'])
    for (const kind of ['team', 'tag', 'user']) {
      const here = (await get(`/${kind}/daily/activity`)).json as Activity
      const there = (await get(`/${kind}/daily/activity?timezone=${zone}`)).json as Activity
      expect([zone, kind, there.metadata.total_spend_nano]).toEqual([
        zone,
        kind,
        here.metadata.total_spend_nano as number,
      ])
    }
  expect((await get('/team/daily/activity?timezone=Mars/Base')).text).toMatch(/timezone.*Europe\/Berlin/)
  expect((await get('/team/daily/activity?start_date=yesterday')).text).toMatch(/start_date.*2026-11-21/)
  expect((await get('/team/daily/activity?start_date=2026-02-01&end_date=2026-01-01')).status).toBe(400)
})

test('a statement of a month, as JSON, as CSV and on the terminal', async () => {
  const month = TODAY.slice(0, 7)
  const { json } = await get(`/spend/statement?team_id=reds&month=${month}`)
  const spent = await of('team_id=reds')
  expect(json).toMatchObject({
    scope: 'team:reds',
    month,
    timezone: 'UTC',
    is_final: false,
    total: { spend_nano: spent },
  })
  const { by_model, by_key, by_day } = json as Record<string, Metrics[]>
  for (const lines of [by_model, by_key, by_day]) expect(sum((lines ?? []).map((line) => line.spend_nano))).toBe(spent)
  const env = { TOLLGATE_MASTER_KEY: MASTER_KEY }
  const shown = await runTollgate(['statement', '--team', 'reds', '--month', month, '--url', gateway.url], env)
  expect(shown.code).toBe(0)
  expect(shown.out).toContain(`Statement of team 'reds' for ${month}`)
  expect(shown.out).toMatch(new RegExp(`Total +0\\.${String(spent).padStart(9, '0')} +5 `))
  const csv = await runTollgate(
    ['statement', '--team', 'reds', '--month', month, '--format', 'csv', '--url', gateway.url],
    env,
  )
  expect(csv.out.trimEnd().split('\n')).toHaveLength(3)
  const wrong = await runTollgate(['statement', '--team', 'reds', '--project', 'x', '--month', month], env)
  expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining('whose?') })
  expect((await get('/spend/statement?team_id=reds&month=2026-13')).text).toMatch(/month.*2026-10/)
})

test('the books add up while the gateway runs on them', async () => {
  const shown = await runTollgate(['ledger', 'verify', '--data', gateway.dataDir], {})
  expect(shown.err).toBe('')
  expect(shown.out).toContain('The books add up.')
  const json = JSON.parse((await runTollgate(['ledger', 'verify', '--json', '--data', gateway.dataDir], {})).out)
  expect(json).toMatchObject({ differences: [], charges: { cost: bill() }, total: bill(), payers: { cost: bill() } })
})
