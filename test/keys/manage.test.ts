/** The life of a virtual key by LiteLLM's routes and fields, and who may manage. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ask } from '../support/ask.ts'
import { makeKey } from '../support/books.ts'
import { startGateway } from '../support/gateway.ts'
import { bearer, CHAT, type Reply, startWorld, type World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.stop())

const manage = (method: string, path: string, body?: unknown): Promise<Reply> =>
  world.send(method, path, bearer(world.gateway.masterKey), body)

const FIELDS = {
  key_alias: 'billing-app',
  models: ['fast', 'team/*'],
  max_budget: 12.5,
  budget_duration: '1mo',
  rpm_limit: 100,
  tpm_limit: 50_000,
  max_parallel_requests: 7,
  metadata: { owner: 'finance', cost_centre: 42 },
  team_id: 'team-1',
  user_id: 'user-1',
}

test('a key is made with all of its fields, shown, changed and removed', async () => {
  const before = Date.now()
  const made = await manage('POST', '/key/generate', { ...FIELDS, duration: '30d' })
  expect(made.status).toBe(200)
  const key = made.body.key as string
  expect(key).toMatch(/^sk-[\x21-\x7e]{16,}$/)
  expect(made.body).toMatchObject({ ...FIELDS, blocked: false, spend: 0 })
  const life = Date.parse(made.body.expires as string) - before
  expect(life).toBeWithin(30 * 86_400_000 - 1_000, 30 * 86_400_000 + 10_000)

  for (const name of [key, made.body.token as string, FIELDS.key_alias]) {
    const info = await manage('GET', `/key/info?key=${encodeURIComponent(name)}`)
    expect(info.body.info).toMatchObject({ ...FIELDS, token: made.body.token, blocked: false })
    expect(info.text).not.toContain(key)
  }

  const list = await manage('GET', '/key/list?return_full_object=true&key_alias=billing-app')
  expect(list.body).toMatchObject({ total_count: 1, current_page: 1, total_pages: 1 })
  expect(list.body.keys).toMatchObject([{ ...FIELDS, token: made.body.token }])
  expect(list.text).not.toContain(key)

  const changed = await manage('POST', '/key/update', { key, rpm_limit: 5, max_budget: null, models: [] })
  expect(changed.status).toBe(200)
  const { rpm_limit, max_budget, models, ...kept } = FIELDS
  expect(changed.body).toMatchObject({ ...kept, rpm_limit: 5, max_budget: null, models: [] })

  expect((await manage('POST', '/key/delete', { keys: [key] })).body.deleted_keys).toHaveLength(1)
  expect((await manage('GET', `/key/info?key=${key}`)).status).toBe(404)
  expect((await world.send('POST', '/v1/chat/completions', bearer(key), CHAT)).status).toBe(401)
})

test('blocked it is refused at once, unblocked it works again', async () => {
  const key = await makeKey(world.gateway)
  const chat = () => world.send('POST', '/v1/chat/completions', bearer(key), CHAT)
  expect((await chat()).status).toBe(200)
  expect((await manage('POST', '/key/block', { key })).body.blocked).toBe(true)
  const refused = await chat()
  expect(refused.status).toBe(401)
  expect(refused.text).toContain('blocked')
  expect((await manage('POST', '/key/unblock', { key })).body.blocked).toBe(false)
  expect((await chat()).status).toBe(200)
})

test("a key of the operator's own making works, and a second one of the same name or secret does not", async () => {
  const secret = 'sk-chosen-by-the-operator'
  expect((await manage('POST', '/key/generate', { key: secret, key_alias: 'chosen' })).body.key).toBe(secret)
  expect((await world.send('POST', '/v1/chat/completions', bearer(secret), CHAT)).status).toBe(200)
  for (const body of [{ key: secret }, { key_alias: 'chosen' }, { key: world.gateway.masterKey }]) {
    const again = await manage('POST', '/key/generate', body)
    expect([400, 409]).toContain(again.status)
    expect((again.body.error as { message: string }).message).toMatch(/already|master key/)
    expect(again.text).not.toContain(world.gateway.masterKey)
  }
})

test('pages of keys are whole and do not overlap', async () => {
  for (let i = 0; i < 7; i++) await makeKey(world.gateway, { team_id: 'paged', key_alias: `paged-${i}` })
  const seen: string[] = []
  for (const page of [1, 2, 3]) {
    const { body } = await manage('GET', `/key/list?team_id=paged&size=3&page=${page}`)
    expect(body).toMatchObject({ total_count: 7, total_pages: 3, current_page: page })
    seen.push(...(body.keys as string[]))
  }
  expect(new Set(seen).size).toBe(7)
})

const WRONG: [string, unknown, string][] = [
  ['/key/generate', { max_budget: 'lots' }, 'max_budget'],
  ['/key/generate', { max_budget: -1 }, 'max_budget'],
  ['/key/generate', { budget_duration: 'whenever' }, 'budget_duration'],
  ['/key/generate', { models: 'fast' }, 'models'],
  ['/key/generate', { rpm_limit: 1.5 }, 'rpm_limit'],
  ['/key/generate', { duration: '0s' }, 'duration'],
  ['/key/generate', { key: 'no-prefix' }, 'key'],
  ['/key/generate', { allowed_routes: ['v1/models'] }, 'allowed_routes'],
  ['/key/generate', { enforced_params: ['user'] }, 'enforced_params'],
  ['/key/update', { rpm_limit: 1 }, 'key'],
  ['/key/delete', {}, 'keys'],
  ['/key/block', {}, 'key'],
]

test.each(WRONG)('%s %j is refused and names %s', async (path, body, field) => {
  const reply = await manage('POST', path, body)
  expect(reply.status).toBe(400)
  const error = reply.body.error as { message: string; type: string }
  expect(error.type).toBe('invalid_request_error')
  expect(error.message).toContain(field)
})

test('unknown keys are 404, and a list with one of them deletes none', async () => {
  const key = await makeKey(world.gateway)
  for (const [method, path, body] of [
    ['GET', '/key/info?key=sk-nobody-has-this-one', undefined],
    ['POST', '/key/update', { key: 'sk-nobody-has-this-one', rpm_limit: 1 }],
    ['POST', '/key/block', { key: 'sk-nobody-has-this-one' }],
    ['POST', '/key/delete', { keys: [key, 'sk-nobody-has-this-one'] }],
  ] as const) {
    const reply = await manage(method, path, body)
    expect([path, reply.status]).toEqual([path, 404])
    expect(reply.text).not.toContain('sk-nobody')
  }
  expect((await world.send('POST', '/v1/chat/completions', bearer(key), CHAT)).status).toBe(200)
})

const MANAGEMENT = [
  ['POST', '/key/generate'],
  ['POST', '/key/update'],
  ['POST', '/key/delete'],
  ['POST', '/key/block'],
  ['POST', '/key/unblock'],
  ['GET', '/key/list'],
  ['GET', '/global/spend'],
  ['GET', '/health'],
  ['POST', '/api/pull'],
] as const

test.each(MANAGEMENT)('%s %s: not with a virtual key, not without one', async (method, path) => {
  const key = await makeKey(world.gateway)
  const body = method === 'POST' ? { key, keys: [key], model: 'fast', max_budget: 1000 } : undefined
  const mine = await world.send(method, path, bearer(key), body)
  expect(mine.status).toBe(403)
  expect(mine.text).toContain('master key')
  expect((await world.send(method, path, {}, body)).status).toBe(401)
  expect((await world.send(method, path, bearer('sk-wrong-key-12345'), body)).status).toBe(401)
  const { info } = (await manage('GET', `/key/info?key=${key}`)).body as { info: { max_budget: unknown } }
  expect(info.max_budget).toBeNull()
})

test('a key sees itself and its own spend, and nobody else', async () => {
  const [mine, other] = [await makeKey(world.gateway), await makeKey(world.gateway)]
  await ask(world.gateway, { model: 'fast', key: mine })
  await ask(world.gateway, { model: 'fast', key: other })
  expect((await world.send('GET', '/key/info', bearer(mine))).status).toBe(200)
  expect((await world.send('GET', `/key/info?key=${mine}`, bearer(mine))).status).toBe(200)
  for (const stranger of [other, 'sk-nobody-has-this-one'])
    expect((await world.send('GET', `/key/info?key=${stranger}`, bearer(mine))).status).toBe(403)
  expect(JSON.parse((await world.send('GET', '/spend/logs', bearer(mine))).text)).toHaveLength(1)
  for (const stranger of [other, 'sk-nobody-has-this-one'])
    expect((await world.send('GET', `/spend/logs?api_key=${stranger}`, bearer(mine))).status).toBe(403)
})

test('after a restart the keys are as they were, and none is on the disk', async () => {
  const dataDir = world.gateway.dataDir
  const key = await makeKey(world.gateway, { key_alias: 'kept', models: ['fast'] })
  await world.gateway.kill9()
  const again = await startGateway({ yaml: readFileSync(world.gateway.configFile, 'utf8'), dataDir })
  try {
    expect((await ask(again, { model: 'fast', key })).status).toBe(200)
    expect((await ask(again, { model: 'slow', key })).status).toBe(403)
    for (const file of readdirSync(dataDir)) {
      const bytes = readFileSync(join(dataDir, file)).toString('latin1')
      expect([file, bytes.includes(key.slice(3)), bytes.includes(again.masterKey.slice(3))]).toEqual([
        file,
        false,
        false,
      ])
    }
    expect(world.gateway.logs() + again.logs()).not.toContain(key)
  } finally {
    await again.stop()
  }
}, 30_000)
