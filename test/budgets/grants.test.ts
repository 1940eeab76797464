/** Models that need leave: asked for by the key, given for a time by the operator, and every step kept. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { tollgate } from '../cli/world.ts'
import { startGateway } from '../support/gateway.ts'
import { errorOf, fresh, startWorld, type World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld(['paid'], { router_settings: { num_retries: 0, fallbacks: [{ fallen: ['dear'] }] } })
})
afterAll(() => world.stop())

interface Grant {
  id: string
  state: string
  expires_at: string | null
}

/** A request of a key's own. */
async function own(key: string, method: string, path: string, body?: unknown) {
  const reply = await fetch(world.gateway.url + path, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: reply.status, body: (await reply.json()) as Record<string, unknown> & Grant }
}

const asked = (key: string, model = 'dear', more = {}) =>
  own(key, 'POST', '/grant/ask', { model, reason: 'to compare', ...more })

const decide = (step: string, body: unknown) =>
  world.manage('POST', `/grant/${step}`, body) as Promise<unknown> as Promise<Grant>

test('without leave it is refused, says how to ask, and asks nobody; the master key needs none', async () => {
  const key = await world.key()
  const before = world.mock.of('dear').length
  for (const stream of [false, true])
    for (const model of ['dear', 'big/two']) {
      const said = await world.ask({ key, model, stream })
      expect([said.status, errorOf(said).code, errorOf(said).type]).toEqual([403, 'grant_required', 'permission_error'])
      expect(said.error).toContain(`POST /grant/ask {"model": "${model}"`)
      expect(said.headers.get('x-should-retry')).toBe('false')
    }
  expect(world.mock.of('dear').length).toBe(before)
  expect((await world.ask({ model: 'dear' })).status).toBe(200)
})

test('asked, given, used, over: each by the clock, and told', async () => {
  const key = await world.key({ key_alias: fresh('analyst') })
  const first = await asked(key, 'dear', { duration: '2s' })
  expect(first).toMatchObject({
    status: 200,
    body: { state: 'asked', model: 'dear', reason: 'to compare', duration: '2s' },
  })
  const { id } = first.body
  expect(errorOf(await world.ask({ key, model: 'dear' })).message).toMatch(/asked for at .* and is not decided yet/)
  expect(await asked(key)).toMatchObject({ status: 409 })
  const given = await decide('approve', { id })
  const until = Date.parse(String(given.expires_at))
  expect(until - Date.now()).toBeWithin(1_000, 2_100)
  expect((await world.ask({ key, model: 'dear' })).status).toBe(200)
  expect(await asked(key)).toMatchObject({ status: 409 })
  await Bun.sleep(until - Date.now() + 20)
  const over = await world.ask({ key, model: 'dear' })
  expect([over.status, errorOf(over).grant_state, errorOf(over).grant_id]).toEqual([403, 'expired', id])
  const listed = (await own(key, 'GET', '/grant/list?state=expired')).body
  expect(listed).toMatchObject({ grants: [{ id, state: 'expired' }], needs_grant: ['dear', 'big/*'] })
  expect(await asked(key)).toMatchObject({ status: 200, body: { state: 'asked' } })
}, 15_000)

test('refused, asked again, given, given for longer, taken back: every step with who and when', async () => {
  const key = await world.key()
  const { id } = (await asked(key)).body
  expect(await world.tell('POST', '/grant/approve', { id })).toMatchObject({
    status: 400,
    error: { param: 'expires_in' },
  })
  await decide('refuse', { id, reason: 'use paid' })
  expect(errorOf(await world.ask({ key, model: 'dear' })).message).toContain('It was refused at')
  expect((await world.tell('POST', '/grant/refuse', { id })).status).toBe(409)
  const again = (await asked(key)).body.id
  expect(again).not.toBe(id)
  expect((await world.tell('POST', '/grant/approve', { id, expires_in: '1d' })).error.message).toContain(again)
  await decide('approve', { id: again, expires_in: '1h' })
  const reply = await fetch(`${world.gateway.url}/grant/approve`, {
    method: 'POST',
    headers: { authorization: `Bearer ${world.gateway.masterKey}`, 'litellm-changed-by': 'ada@example.com' },
    body: JSON.stringify({ id: again, expires_in: '1mo' }),
  })
  expect(reply.status).toBe(200)
  expect((await world.ask({ key, model: 'dear' })).status).toBe(200)
  await decide('revoke', { id: again })
  expect((await world.ask({ key, model: 'dear' })).status).toBe(403)
  expect((await world.tell('POST', '/grant/revoke', { id: again })).status).toBe(409)

  const { events } = (await world.manage('GET', `/grant/events?id=${again}`)) as { events: Record<string, unknown>[] }
  const token = ((await world.manage('GET', `/key/info?key=${key}`)).info as { token: string }).token
  expect(events.map((e) => [e.action, e.actor])).toEqual([
    ['ended', 'master'],
    ['given', 'master'],
    ['given', 'master'],
    ['asked', token],
  ])
  expect(events[1]).toMatchObject({
    grant: again,
    key: token,
    model: 'dear',
    changed_by: 'ada@example.com',
    expires_in: '1mo',
  })
  expect(events[3]).toMatchObject({ reason: 'to compare' })
  const ids = events.map((e) => e.id as number)
  expect(ids).toEqual(ids.toSorted((a, b) => b - a))
  const page = await world.manage('GET', `/grant/events?id=${again}&limit=2`)
  const rest = await world.manage('GET', `/grant/events?id=${again}&limit=2&before=${page.next}`)
  expect([...(page.events as object[]), ...(rest.events as object[])]).toEqual(events)
})

test('a fallback needs it, too', async () => {
  const key = await world.key()
  const before = world.mock.of('dear').length
  expect((await world.ask({ key, model: 'fallen' })).status).toBe(503)
  expect(world.mock.of('dear').length).toBe(before)
  await decide('approve', { id: (await asked(key)).body.id, expires_in: '1h' })
  expect(await world.ask({ key, model: 'fallen' })).toMatchObject({ status: 200, by: 'openai/dear' })
})

test('what is listed may be called; a pattern is granted as a whole', async () => {
  const key = await world.key()
  const names = async () => ((await own(key, 'GET', '/v1/models')).body.data as { id: string }[]).map((m) => m.id)
  expect(await names()).not.toContain('dear')
  expect(await own(key, 'GET', '/v1/models/dear')).toMatchObject({ status: 404 })
  await decide('approve', { id: (await asked(key, 'big/two')).body.id, expires_in: '1h' })
  expect((await world.ask({ key, model: 'big/three' })).status).toBe(200)
  expect((await world.ask({ key, model: 'dear' })).status).toBe(403)
  await decide('approve', { id: (await asked(key)).body.id, expires_in: '1h' })
  expect(await names()).toEqual(expect.arrayContaining(['dear', 'big/*']))
  expect((await own(key, 'GET', '/grant/list')).body.needs_grant).toEqual([])
})

test('what is asked for in vain is told', async () => {
  const key = await world.key({ models: ['paid', 'big/*'] })
  expect(await asked(key, 'paid')).toMatchObject({ status: 400, body: { error: { param: 'model' } } })
  expect(await asked(key, 'dear')).toMatchObject({ status: 403, body: { error: { code: 'model_access_denied' } } })
  expect(await asked(key, 'nothing')).toMatchObject({ status: 404 })
  expect(await asked(world.gateway.masterKey)).toMatchObject({ status: 400 })
  for (const wrong of [{ reason: '' }, { duration: 'soon' }, { priority: 'high' }])
    expect(await asked(key, 'big/two', wrong)).toMatchObject({
      status: 400,
      body: { error: { param: Object.keys(wrong)[0] } },
    })
  expect((await world.tell('POST', '/grant/approve', { id: 'nobody', expires_in: '1d' })).status).toBe(404)
  expect((await world.tell('GET', '/grant/list?state=maybe')).status).toBe(400)
})

test('a key decides nothing and sees nobody else', async () => {
  const [mine, other] = [await world.key(), await world.key()]
  const { id } = (await asked(other)).body
  for (const step of ['approve', 'refuse', 'revoke'])
    expect(await own(mine, 'POST', `/grant/${step}`, { id, expires_in: '1d' })).toMatchObject({ status: 403 })
  expect(await own(mine, 'GET', '/grant/events')).toMatchObject({ status: 403 })
  expect((await own(mine, 'GET', '/grant/list')).body.grants).toEqual([])
  expect((await own(mine, 'GET', '/grant/list?key=anything')).body.grants).toEqual([])
})

test('the grants of a deleted key end', async () => {
  const key = await world.key({ key_alias: fresh('gone') })
  const { id } = (await asked(key)).body
  await world.manage('POST', '/key/delete', { keys: [key] })
  const { grants } = (await world.manage('GET', '/grant/list?state=ended')) as { grants: Grant[] }
  expect(grants.map((grant) => grant.id)).toContain(id)
  expect((await world.tell('POST', '/grant/approve', { id, expires_in: '1d' })).status).toBe(409)
})

test('on the command line, and after a restart', async () => {
  const alias = fresh('cli')
  const key = await world.key({ key_alias: alias })
  const { id } = (await asked(key)).body
  const env = { TOLLGATE_MASTER_KEY: world.gateway.masterKey, TOLLGATE_URL: world.gateway.url }
  const run = (...words: string[]) => tollgate(['grants', ...words], env)
  const listed = await run('list', '--state', 'asked')
  expect(listed.code).toBe(0)
  expect(listed.out.split('\n').find((line) => line.startsWith(id))).toMatch(new RegExp(`${alias} +dear +asked`))
  expect((await run('approve', id)).err).toContain('expires_in')
  expect((await run('approve', id, '--for', '3d')).out).toMatch(new RegExp(`^Given until .*: dear for ${alias}\\.$`))
  expect((await world.ask({ key, model: 'dear' })).status).toBe(200)

  await world.gateway.kill9()
  const again = await startGateway({
    yaml: readFileSync(world.gateway.configFile, 'utf8'),
    dataDir: world.gateway.dataDir,
    port: world.gateway.port,
  })
  world.gateway = again
  expect((await world.ask({ key, model: 'dear' })).status).toBe(200)
  expect((await run('revoke', id, '--reason', 'done')).out).toBe(`Taken back: dear for ${alias}.`)
  expect((await world.ask({ key, model: 'dear' })).status).toBe(403)
  expect((await run('refuse', id)).code).toBe(1)
}, 30_000)
