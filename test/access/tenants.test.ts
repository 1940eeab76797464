/** Nobody of one organisation or team sees, changes, charges or becomes anything of another. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { Role } from '../../src/core/role.ts'
import { ask } from '../support/ask.ts'
import { atRest, makeKey } from '../support/books.ts'
import { startWorld, type World } from './world.ts'

let world: World
/** Keys of the other side, and of ours. */
let blue: string
let red: string
let blueToken: string
beforeAll(async () => {
  world = await startWorld()
  blue = await makeKey(world.gateway, { team_id: 'blue', user_id: 'berta', key_alias: 'blue-key' })
  red = await makeKey(world.gateway, { team_id: 'red', user_id: 'ida', key_alias: 'red-key' })
  blueToken = (await world.manage('GET', `/key/info?key=${blue}`).then((a) => a.info as { token: string })).token
  await world.manage('POST', '/project/new', { project_id: 'blue-project', team_id: 'blue' })
  await world.manage('POST', '/customer/new', { user_id: 'shop' })
  for (const key of [blue, red, world.berta]) await ask(world.gateway, { model: 'm', key })
  await atRest(world.gateway)
})
afterAll(() => world.stop())

/** All but the operator and his viewer. */
const OTHERS = ['org_admin', 'team_admin', 'internal_user', 'internal_user_viewer', 'customer'] as const

const THEIRS = /blue|bolt|berta/

describe.each([...OTHERS])('%s of red', (role) => {
  const as = (method: string, path: string, body?: unknown) => world.send(method, path, world.keys[role], body)

  test('sees nothing of blue', async () => {
    for (const path of [
      ...['/key/list', '/key/list?return_full_object=true', '/key/list?team_id=blue', '/key/info', '/team/list'],
      ...['/user/list', '/user/info', '/organization/list', '/project/list', '/spend/logs', '/grant/list'],
      ...['/user/daily/activity', '/team/daily/activity', '/organization/daily/activity', '/project/daily/activity'],
      ...['/customer/daily/activity', '/tag/daily/activity', '/team/info?team_id=red'],
      ...['/spend/statement?month=2026-11&customer_id=shop', '/organization/info?organization_id=acme'],
    ]) {
      const { status, text } = await as('GET', path)
      expect([path, [200, 403].includes(status), THEIRS.test(text)]).toEqual([path, true, false])
    }
  })

  test('asks in vain for what is blue, by whatever name', async () => {
    for (const path of [
      ...[`/key/info?key=${blue}`, `/key/info?key=${blueToken}`, '/key/info?key=blue-key'],
      ...['/team/info?team_id=blue', '/user/info?user_id=berta', '/organization/info?organization_id=bolt'],
      ...['/project/info?project_id=blue-project', `/spend/logs?api_key=${blueToken}`],
      ...['/spend/statement?month=2026-11&team_id=blue', '/team/daily/activity?team_ids=blue'],
      ...['/organization/daily/activity?organization_ids=bolt', '/team/daily/activity?team_ids=red,blue'],
      ...['/global/spend', '/global/spend/report?team_id=blue', '/spend/keys', '/spend/users', '/health', '/backends'],
    ])
      expect([path, (await as('GET', path)).status]).toEqual([path, 403])
    // Narrowed down to what is his own, which this is not.
    for (const path of [
      '/spend/logs?team_id=blue',
      '/spend/logs?user_id=berta',
      '/user/daily/activity?user_id=berta',
    ]) {
      const { status, json } = await as('GET', path)
      const told = Array.isArray(json) ? json.length : ((json.metadata as Record<string, unknown>)?.total_spend ?? 0)
      expect([path, status === 403 || told === 0]).toEqual([path, true])
    }
  })

  test('what is not there looks like what is not his', async () => {
    for (const [there, not] of [
      ['/team/info?team_id=blue', '/team/info?team_id=nowhere'],
      [`/key/info?key=${blue}`, '/key/info?key=sk-nobody-has-this'],
      ['/user/info?user_id=berta', '/user/info?user_id=nobody'],
      ['/project/info?project_id=blue-project', '/project/info?project_id=nowhere'],
    ] as const) {
      const [a, b] = [await as('GET', there), await as('GET', not)]
      expect([a.status, a.text.replaceAll(/blue-project|blue|berta/g, '?')]).toEqual([
        b.status,
        b.text.replaceAll(/nowhere|nobody/g, '?'),
      ])
    }
  })

  test('changes nothing of blue, and becomes nobody', async () => {
    const before = JSON.stringify(await state())
    for (const [method, path, body] of [
      ['POST', '/key/update', { key: blue, key_alias: 'mine' }],
      ['POST', '/key/update', { key: blueToken, team_id: 'red' }],
      ['POST', '/key/delete', { keys: [blue] }],
      ['POST', '/key/delete', { key_aliases: ['blue-key'] }],
      ['POST', '/key/block', { key: 'blue-key' }],
      ['POST', '/key/generate', { team_id: 'blue' }],
      ['POST', '/key/generate', { user_id: 'berta' }],
      ['POST', '/key/generate', { user_id: 'berta', team_id: 'red' }],
      ['POST', '/key/generate', { user_id: 'peter', team_id: 'red' }],
      ['POST', '/key/generate', { team_id: 'red', organization_id: 'bolt' }],
      ['POST', '/key/generate', { team_id: 'blue', organization_id: 'acme' }],
      ['POST', '/key/generate', { user_id: 'berta', organization_id: 'acme' }],
      ['POST', '/key/update', { key: red, team_id: 'blue', organization_id: 'acme' }],
      ['POST', '/key/generate', { team_id: 'red', project_id: 'blue-project' }],
      ['POST', '/key/generate', { project_id: 'blue-project' }],
      ['POST', '/key/generate', { team_id: 'red', pricing: { m: { input_cost_per_token: 0 } } }],
      ['POST', '/key/generate', { team_id: 'red', allowed_passthrough_routes: ['*'] }],
      ['POST', '/key/generate', { team_id: 'red', metadata: { allowed_passthrough_routes: ['*'] } }],
      ['POST', '/key/generate', { team_id: 'red', metadata: { priority: 'prod' } }],
      ['POST', '/key/update', { key: red, team_id: 'blue' }],
      ['POST', '/key/update', { key: red, user_id: 'peter' }],
      ['POST', '/key/update', { key: red, organization_id: 'bolt' }],
      ['POST', '/team/update', { team_id: 'blue', team_alias: 'ours' }],
      ['POST', '/team/delete', { team_ids: ['blue'] }],
      ['POST', '/team/block', { team_id: 'blue' }],
      ['POST', '/team/member_add', { team_id: 'blue', member: { user_id: 'tina', role: 'admin' } }],
      ['POST', '/team/member_add', { team_id: 'red', member: { user_id: 'berta', role: 'user' } }],
      ['POST', '/team/member_update', { team_id: 'blue', user_id: 'berta', role: 'user' }],
      ['POST', '/team/member_delete', { team_id: 'blue', user_id: 'berta' }],
      ['POST', '/team/new', { team_id: 'loose' }],
      ['POST', '/team/new', { team_id: 'loose', organization_id: 'bolt' }],
      ['POST', '/team/update', { team_id: 'red', organization_id: 'bolt' }],
      ['POST', '/organization/member_add', { organization_id: 'bolt', member: { user_id: 'ida', role: 'org_admin' } }],
      ['POST', '/organization/member_add', { organization_id: 'acme', member: { user_id: 'berta' } }],
      ['DELETE', '/organization/member_delete', { organization_id: 'bolt', user_id: 'berta' }],
      ['PATCH', '/organization/update', { organization_id: 'acme', max_budget: 1_000_000 }],
      ['POST', '/user/new', { user_id: 'mallory', user_role: 'proxy_admin', organization_id: 'acme' }],
      ['POST', '/user/new', { user_id: 'mallory' }],
      ['POST', '/user/new', { user_id: 'mallory', organization_id: 'bolt' }],
      ['POST', '/user/update', { user_id: 'berta', user_role: 'internal_user' }],
      ['POST', '/user/update', { user_id: 'peter', blocked: true }],
      ['POST', '/user/update', { user_id: 'oscar', user_role: 'proxy_admin' }],
      ['POST', '/user/update', { user_id: 'ida', user_role: 'admin' }],
      ['POST', '/user/delete', { user_ids: ['berta'] }],
      ['POST', '/project/update', { project_id: 'blue-project', max_budget: 1 }],
      ['POST', '/project/new', { project_id: 'loose' }],
      ['DELETE', '/project/delete', { project_ids: ['blue-project'] }],
      ['POST', '/customer/update', { user_id: 'shop', blocked: true }],
      ['POST', '/budget/new', { budget_id: 'mine', max_budget: 1 }],
      ['POST', '/grant/approve', { id: 'x' }],
      ['POST', '/api/pull', { model: 'm' }],
    ] as const)
      expect([path, JSON.stringify(body), (await as(method, path, body)).status]).toEqual([
        path,
        JSON.stringify(body),
        403,
      ])
    expect(JSON.stringify(await state())).toBe(before)
  })
})

/** All that there is, as the operator sees it, without what moves by itself. */
async function state(): Promise<unknown> {
  const pages = ['/key/list?return_full_object=true', '/team/list', '/user/list', '/organization/list', '/project/list']
  return Promise.all(pages.map((path) => world.manage('GET', path)))
}

test('what each does see and may do is his', async () => {
  const as = (role: Role, method: string, path: string, body?: unknown) =>
    world.send(method, path, world.keys[role], body)
  const aliases = async (role: Role) => {
    const { json } = await as(role, 'GET', '/key/list?return_full_object=true')
    return (json.keys as { user_id: string | null }[]).map((key) => key.user_id).sort()
  }
  expect(await aliases('internal_user')).toEqual(['ida', 'ida'])
  expect(await aliases('internal_user_viewer')).toEqual(['ivan'])
  expect(await aliases('team_admin')).toEqual(['ida', 'tina'])
  expect(await aliases('org_admin')).toEqual(['ida', 'ida', 'ivan', 'oscar', 'peter', 'tina', 'vera'])
  expect((await aliases('proxy_admin_viewer')).length).toBe(10)

  const made = await as('team_admin', 'POST', '/key/generate', { team_id: 'red', user_id: 'ivan' })
  expect([made.status, made.json.team_id, made.json.user_id]).toEqual([200, 'red', 'ivan'])
  const service = await as('team_admin', 'POST', '/key/generate', { team_id: 'red' })
  expect([service.status, service.json.user_id]).toEqual([200, null])
  // Outside of the team nobody but the operator watches his money.
  expect((await as('team_admin', 'POST', '/key/generate', {})).status).toBe(403)
  const own = await as('internal_user', 'POST', '/key/generate', { key_alias: 'idas' })
  expect([own.status, own.json.user_id]).toEqual([200, 'ida'])
  expect((await as('internal_user', 'POST', '/key/generate', { team_id: 'red' })).status).toBe(403)
  for (const [role, key] of [
    ['team_admin', made.json.key],
    ['internal_user', own.json.key],
    ['org_admin', service.json.key],
  ] as const) {
    expect((await as(role, 'POST', '/key/update', { key, tags: ['x'] })).status).toBe(200)
    expect((await as(role, 'POST', '/key/delete', { keys: [key] })).status).toBe(200)
  }
  const logs = await as('team_admin', 'GET', '/spend/logs')
  expect((logs.json as unknown as { team_id: string }[]).map((row) => row.team_id)).toEqual(['red'])
  const spend = await as('org_admin', 'GET', '/organization/daily/activity')
  expect((spend.json.metadata as { total_api_requests: number }).total_api_requests).toBe(1)
  expect((await as('team_admin', 'GET', '/team/info?team_id=red')).status).toBe(200)
  expect((await as('internal_user', 'GET', '/team/info?team_id=red')).status).toBe(200)
  expect((await as('team_admin', 'POST', '/team/update', { team_id: 'red', team_alias: 'Reds' })).status).toBe(200)
  expect((await as('team_admin', 'POST', '/team/update', { team_id: 'red', max_budget: 99 })).status).toBe(403)
  expect((await as('org_admin', 'POST', '/team/update', { team_id: 'red', max_budget: 99 })).status).toBe(200)
  expect((await as('org_admin', 'POST', '/team/new', { team_id: 'green', organization_id: 'acme' })).status).toBe(200)
  const user = { user_id: 'una', organization_id: 'acme', user_role: 'write' }
  expect((await as('org_admin', 'POST', '/user/new', user)).json).toMatchObject({ user_role: 'internal_user' })
  expect((await as('proxy_admin', 'POST', '/user/delete', { user_ids: ['nobody'] })).status).toBe(404)
})

test('what a team gave somebody is not his to widen', async () => {
  const key = await makeKey(world.gateway, { team_id: 'red', user_id: 'ida', max_budget: 1 })
  const ida = (path: string, body: unknown) => world.send('POST', path, world.keys.internal_user, body)
  for (const wider of [{ max_budget: 1_000 }, { user_id: null }, { team_id: null }, { models: [] }, { duration: null }])
    expect([wider, (await ida('/key/update', { key, ...wider })).status]).toEqual([wider, 403])
  expect((await world.send('POST', '/key/update', world.keys.team_admin, { key, max_budget: 2 })).status).toBe(200)
  expect((await ida('/key/delete', { keys: [key] })).status).toBe(200)
})

test('a name that others have used is not made one’s own', async () => {
  const key = await makeKey(world.gateway, { team_id: 'loose-name', user_id: 'loose-user' })
  await ask(world.gateway, { model: 'm', key })
  const oscar = (path: string, body: unknown) => world.send('POST', path, world.keys.org_admin, body)
  const organization_id = 'acme'
  for (const [path, body] of [
    ['/team/new', { team_id: 'loose-name', organization_id }],
    ['/user/new', { user_id: 'loose-user', organization_id }],
    ['/team/member_add', { team_id: 'red', member: { user_id: 'loose-user' } }],
  ] as const)
    expect([path, (await oscar(path, body)).status]).toEqual([path, 400])
  await world.manage('POST', '/key/delete', { keys: [key] })
  await atRest(world.gateway)
  expect((await oscar('/team/new', { team_id: 'loose-name', organization_id })).status).toBe(400)
  expect((await world.send('GET', '/key/list', world.keys.org_admin)).text).not.toContain('loose')
})

test('a key that the operator blocked is not opened by its user', async () => {
  const key = await makeKey(world.gateway, { user_id: 'ida', metadata: { data_class: 'local-only' } })
  const ida = (body: unknown) => world.send('POST', '/key/update', world.keys.internal_user, body)
  expect((await ida({ key, metadata: { mine: 1 } })).json.metadata).toEqual({ mine: 1, data_class: 'local-only' })
  expect((await ida({ key, metadata: { data_class: 'any' } })).status).toBe(403)
  await world.manage('POST', '/key/block', { key })
  expect((await ida({ key, blocked: false })).status).toBe(403)
  expect((await ida({ key, key_alias: 'x' })).status).toBe(403)
  expect((await world.send('POST', '/key/unblock', world.keys.internal_user, { key })).status).toBe(403)
})

test('who is blocked manages nothing', async () => {
  await world.manage('POST', '/user/update', { user_id: 'tina', blocked: true })
  expect((await world.send('GET', '/key/list', world.keys.team_admin)).status).toBe(401)
  await world.manage('POST', '/user/update', { user_id: 'tina', blocked: false })
  expect((await world.send('GET', '/key/list', world.keys.team_admin)).status).toBe(200)
})
