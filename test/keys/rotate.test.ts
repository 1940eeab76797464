/** Another secret for a key: at once, with a time in which the old one goes on, and on a schedule. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { makeKey } from '../support/books.ts'
import { startGateway } from '../support/gateway.ts'
import { bearer, CHAT, type Reply, startWorld, type World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld({ tollgate: { auth_attempts: { free: 1_000 } } })
})
afterAll(() => world.stop())

type Body = Record<string, unknown>
const manage = (method: string, path: string, body?: unknown): Promise<Reply> =>
  world.send(method, path, bearer(world.gateway.masterKey), body)
const chat = (key: string): Promise<Reply> => world.send('POST', '/v1/chat/completions', bearer(key), CHAT)
const infoOf = async (key: string): Promise<Body> =>
  (await manage('GET', `/key/info?key=${encodeURIComponent(key)}`)).body.info as Body
const codeOf = (reply: Reply): unknown => (reply.body.error as Body | undefined)?.code

describe('regenerate', () => {
  test('at once: the new secret works, the old one is told that it was replaced; everything else stays', async () => {
    const key = await makeKey(world.gateway, { key_alias: 'app', max_budget: 5, models: ['fast'], metadata: { a: 1 } })
    await chat(key)
    const before = await infoOf(key)
    const made = await manage('POST', '/key/regenerate', { key })
    expect(made.status).toBe(200)
    const fresh = made.body.key as string
    expect(fresh).toMatch(/^sk-[\w-]{22}$/)
    expect(fresh).not.toBe(key)
    const after = await infoOf(fresh)
    const { key_name: _, updated_at: __, rotation_count, last_rotation_at, ...kept } = after
    expect(before).toMatchObject(kept)
    expect([before.rotation_count, rotation_count, before.last_rotation_at]).toEqual([0, 1, null])
    expect(Date.parse(String(last_rotation_at))).toBeGreaterThan(Date.now() - 10_000)
    expect(after.spend).toBeGreaterThan(0)
    expect((await chat(fresh)).status).toBe(200)
    const refused = await chat(key)
    expect([refused.status, codeOf(refused)]).toEqual([401, 'revoked_api_key'])
    expect(refused.text).toContain('was replaced')
    // The alias leads to it, the old secret to nothing.
    expect((await manage('GET', `/key/info?key=${key}`)).status).toBe(404)
    expect((await infoOf('app')).token).toBe(before.token)
  })

  test('with a grace period the old one goes on, marked, and then ends', async () => {
    const key = await makeKey(world.gateway)
    const path = `/key/${encodeURIComponent(key)}/regenerate`
    const fresh = (await manage('POST', path, { grace_period: '3s', max_budget: 7 })).body.key as string
    const old = await chat(key)
    expect([old.status, old.headers.get('x-tollgate-key')]).toEqual([200, expect.stringMatching(/^replaced; until=20/)])
    expect((await chat(fresh)).headers.get('x-tollgate-key')).toBeNull()
    const info = await infoOf(fresh)
    expect(info.max_budget).toBe(7)
    expect(info.old_keys).toEqual([
      { key_name: `sk-...${key.slice(-4)}`, works_until: expect.any(String), last_used_at: expect.any(String) },
    ])
    // One account, whichever secret is used.
    expect((await world.send('GET', '/key/info', bearer(key))).body.key).toBe(info.token)
    // Named by the old secret it is the key as it is.
    expect((await manage('POST', '/key/update', { key, rpm_limit: 99 })).body.rotation_count).toBe(1)
    await Bun.sleep(Date.parse((info.old_keys as Body[])[0]?.works_until as string) - Date.now() + 50)
    expect(codeOf(await chat(key))).toBe('revoked_api_key')
    expect((await chat(fresh)).status).toBe(200)
    expect((await infoOf(fresh)).old_keys).toEqual([])
  }, 15_000)

  test('without one, those that went on end, too: after a leak nothing is left', async () => {
    const first = await makeKey(world.gateway)
    const second = (await manage('POST', '/key/regenerate', { key: first, grace_period: '1h' })).body.key as string
    expect((await chat(first)).status).toBe(200)
    const third = (await manage('POST', '/key/regenerate', { key: second })).body.key as string
    expect([(await chat(first)).status, (await chat(second)).status, (await chat(third)).status]).toEqual([
      401, 401, 200,
    ])
  })

  test('a secret of the own making; none that is somebody else’s', async () => {
    const [key, other] = [await makeKey(world.gateway), await makeKey(world.gateway)]
    const mine = `sk-my-own-${crypto.randomUUID()}`
    for (const new_key of [other, key, world.gateway.masterKey])
      expect((await manage('POST', '/key/regenerate', { key, new_key })).status).toBe(400)
    expect((await manage('POST', '/key/regenerate', { key, new_key: mine })).body.key).toBe(mine)
    expect((await chat(mine)).status).toBe(200)
    for (const body of [
      {},
      { key: 'sk-nobody-has-this' },
      { key: mine, grace_period: 'soon' },
      { key: mine, colour: 1 },
    ])
      expect([400, 404]).toContain((await manage('POST', '/key/regenerate', body)).status)
    // Blocked it stays blocked: a new secret is no way around it.
    await manage('POST', '/key/block', { key: mine })
    const again = (await manage('POST', '/key/regenerate', { key: mine })).body.key as string
    expect(codeOf(await chat(again))).toBe('blocked_api_key')
  })

  test('whoever is not the operator does so for what is his', async () => {
    await manage('POST', '/user/new', { user_id: 'ida', user_role: 'internal_user', auto_create_key: false })
    const [own, others] = [await makeKey(world.gateway, { user_id: 'ida' }), await makeKey(world.gateway)]
    const as = (key: string, body: Body) => world.send('POST', '/key/regenerate', bearer(key), body)
    expect((await as(own, { key: others })).status).toBe(403)
    expect((await as(others, { key: others })).status).toBe(403)
    expect((await as(own, { key: own, pricing: { fast: { input_cost_per_token: 0 } } })).status).toBe(403)
    expect((await as(own, { key: own })).status).toBe(200)
  })
})

/** Lines of the log leave a moment later. */
async function logged(text: string): Promise<boolean> {
  for (const end = Date.now() + 8_000; Date.now() < end; await Bun.sleep(50))
    if (world.gateway.logs().includes(text)) return true
  return false
}

describe('on a schedule', () => {
  test('a secret that is due is announced, fetched once by the key itself, and the old one goes on for its grace', async () => {
    const scheduled = { auto_rotate: true, rotation_interval: '2s', rotation_grace: '1h' }
    const key = await makeKey(world.gateway, { key_alias: 'scheduled', ...scheduled })
    const fetchNew = (secret: string) => world.send('POST', '/key/rotate', bearer(secret))
    const early = await fetchNew(key)
    expect([early.status, early.text]).toEqual([403, expect.stringContaining('is due at')])
    const info = await infoOf(key)
    expect(info).toMatchObject({ ...scheduled, rotation_due: false })
    await Bun.sleep(Date.parse(String(info.key_rotation_at)) - Date.now() + 50)
    expect((await infoOf(key)).rotation_due).toBe(true)
    expect((await chat(key)).headers.get('x-tollgate-key')).toMatch(/^due; until=20/)
    expect(await logged('A key is to be replaced')).toBe(true)
    const made = await fetchNew(key)
    expect(made.status).toBe(200)
    const fresh = made.body.key as string
    // Whoever comes second learns that somebody was there before.
    const second = await fetchNew(key)
    expect([second.status, second.text]).toEqual([403, expect.stringContaining('fetched already')])
    expect([(await chat(key)).status, (await chat(fresh)).status]).toEqual([200, 200])
    expect(await infoOf(fresh)).toMatchObject({ rotation_due: false, rotation_count: 1 })
    expect(await logged('A key has fetched its new secret')).toBe(true)
  }, 20_000)

  test('one that nobody fetched in time is refused, until it is replaced', async () => {
    const key = await makeKey(world.gateway, { auto_rotate: true, rotation_interval: '1s', rotation_grace: '1s' })
    await Bun.sleep(2_100)
    const refused = await chat(key)
    expect([refused.status, codeOf(refused)]).toEqual([401, 'expired_api_key'])
    expect(refused.text).toContain('/key/regenerate')
    const fresh = (await manage('POST', '/key/regenerate', { key, rotation_interval: '30d' })).body.key as string
    expect((await chat(fresh)).status).toBe(200)
  })

  test('a key without a schedule does not replace itself: a thief would keep it', async () => {
    const key = await makeKey(world.gateway)
    expect((await world.send('POST', '/key/rotate', bearer(key))).status).toBe(403)
    expect((await manage('POST', '/key/rotate')).status).toBe(403)
  })

  test('an old key is not due at once, and half a schedule is refused', async () => {
    const key = await makeKey(world.gateway)
    await Bun.sleep(1_100)
    expect(
      (await manage('POST', '/key/update', { key, auto_rotate: true, rotation_interval: '1m' })).body,
    ).toMatchObject({
      ...{ auto_rotate: true, rotation_due: false, rotation_interval: '1m', rotation_grace: '7d' },
    })
    expect((await manage('POST', '/key/update', { key, auto_rotate: false })).body).toMatchObject({
      auto_rotate: false,
    })
    for (const body of [
      { auto_rotate: true },
      { rotation_interval: '30d' },
      { auto_rotate: true, rotation_interval: 'x' },
    ])
      expect((await manage('POST', '/key/generate', body)).status).toBe(400)
  })
})

describe('service accounts', () => {
  test("a team's key lives on when its people leave, and calls what the team may call", async () => {
    await manage('POST', '/user/new', { user_id: 'leaver', auto_create_key: false })
    await manage('POST', '/team/new', {
      ...{ team_id: 'crew', models: ['fast'] },
      members_with_roles: [{ user_id: 'leaver', role: 'admin' }],
    })
    const admin = await makeKey(world.gateway, { user_id: 'leaver', team_id: 'crew' })
    const made = await world.send('POST', '/key/service-account/generate', bearer(admin), {
      ...{ team_id: 'crew', key_alias: 'ci' },
    })
    expect(made.body).toMatchObject({ team_id: 'crew', user_id: null, metadata: { service_account_id: 'ci' } })
    const key = made.body.key as string
    await manage('POST', '/user/delete', { user_ids: ['leaver'] })
    expect([(await chat(admin)).status, (await chat(key)).status]).toEqual([401, 200])
    expect((await world.send('POST', '/v1/chat/completions', bearer(key), { ...CHAT, model: 'slow' })).status).toBe(403)
  })

  test('it has a team that is there, and no user', async () => {
    const make = (body: Body) => manage('POST', '/key/service-account/generate', body)
    const told = async (body: Body) => [(await make(body)).status, ((await make(body)).body.error as Body).param]
    expect(await told({})).toEqual([400, 'team_id'])
    expect(await told({ team_id: 'nowhere' })).toEqual([404, 'team_id'])
    expect(await told({ team_id: 'crew', user_id: 'ada' })).toEqual([400, 'user_id'])
  })
})

test('the log of refused keys tells who still uses one that was taken away, and no secret', async () => {
  const gone = await makeKey(world.gateway, { key_alias: 'forgotten', team_id: 'x' })
  const blocked = await makeKey(world.gateway, { key_alias: 'shut' })
  await manage('POST', '/key/delete', { keys: [gone] })
  await manage('POST', '/key/block', { key: blocked })
  for (let i = 0; i < 3; i++) await chat(gone)
  await chat(blocked)
  await chat('sk-a-guess-of-somebody')
  const said = await manage('GET', '/key/refused')
  const rows = said.body.keys as Body[]
  expect(rows.find((row) => row.key_alias === 'forgotten')).toMatchObject({
    ...{ reason: 'deleted', count: 3, team_id: 'x', key_name: `sk-...${gone.slice(-4)}` },
    addresses: [{ address: expect.stringContaining('127.0.0.1'), count: 3 }],
  })
  expect(rows.find((row) => row.key_alias === 'shut')).toMatchObject({ reason: 'blocked', count: 1 })
  expect(said.body.unknown).toBeGreaterThan(0)
  expect(await logged('"key_alias":"shut"')).toBe(true)
  expect(world.gateway.logs()).toContain('A key is still used that is no longer let in.')
  for (const secret of [gone, blocked, 'sk-a-guess-of-somebody'])
    expect([said.text.includes(secret), world.gateway.logs().includes(secret)]).toEqual([false, false])
})

test('what is a key is asked by secrets, and told without them', async () => {
  const [live, gone, first] = [await makeKey(world.gateway), await makeKey(world.gateway), await makeKey(world.gateway)]
  await manage('POST', '/key/delete', { keys: [gone] })
  await manage('POST', '/key/regenerate', { key: first, grace_period: '1h' })
  const said = await manage('POST', '/key/check', { keys: [live, gone, first, 'sk-unknown', world.gateway.masterKey] })
  const states = (said.body.keys as Body[]).map(({ state, works }) => [state, works])
  expect(states).toEqual([
    ...[
      ['live', true],
      ['deleted', false],
      ['replaced', true],
      ['unknown', false],
      ['master', true],
    ],
  ] as never)
  for (const secret of [live, gone, first]) expect(said.text).not.toContain(secret)
  expect((await world.send('POST', '/key/check', bearer(live), { keys: [live] })).status).toBe(403)
})

test('after a restart old secrets are what they were', async () => {
  const [gone, key] = [await makeKey(world.gateway), await makeKey(world.gateway)]
  await manage('POST', '/key/delete', { keys: [gone] })
  const fresh = (await manage('POST', '/key/regenerate', { key, grace_period: '1h' })).body.key as string
  const { gateway } = world
  await gateway.kill9()
  const again = await startGateway({ yaml: readFileSync(gateway.configFile, 'utf8'), dataDir: gateway.dataDir })
  try {
    const status = async (secret: string) => {
      const reply = await fetch(`${again.url}/v1/models`, { headers: bearer(secret) })
      return [reply.status, ((await reply.json()) as { error?: Body }).error?.code]
    }
    expect(await status(gone)).toEqual([401, 'revoked_api_key'])
    expect([await status(key), await status(fresh)]).toEqual([
      [200, undefined],
      [200, undefined],
    ])
  } finally {
    await again.stop()
  }
}, 30_000)
