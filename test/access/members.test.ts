/** Members of teams and organisations, in LiteLLM's words, and what they become by it. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { makeKey } from '../support/books.ts'
import { startGateway } from '../support/gateway.ts'
import { startWorld, type World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.stop())

const tell = (method: string, path: string, body?: unknown) => world.send(method, path, world.gateway.masterKey, body)

test('a team is made with members, who are shown, changed and taken out', async () => {
  const made = await world.manage('POST', '/team/new', {
    team_id: 'crew',
    members_with_roles: [{ user_id: 'ann', role: 'admin' }, { user_id: 'bob' }],
  })
  const members = [
    { user_id: 'ann', user_email: null, role: 'admin' },
    { user_id: 'bob', user_email: null, role: 'user' },
  ]
  expect(made.members_with_roles).toEqual(members)
  await world.manage('POST', '/user/new', { user_id: 'cyd', user_email: 'cyd@example.com', auto_create_key: false })
  const added = await world.manage('POST', '/team/member_add', {
    team_id: 'crew',
    member: { user_email: 'cyd@example.com', role: 'user' },
  })
  expect(added).toMatchObject({
    team_id: 'crew',
    updated_users: [{ user_id: 'cyd', user_email: 'cyd@example.com', role: 'user' }],
    updated_team_memberships: [{ user_id: 'cyd', team_id: 'crew' }],
  })
  expect(await world.manage('POST', '/team/member_update', { team_id: 'crew', user_id: 'cyd', role: 'admin' })).toEqual(
    {
      ...{ team_id: 'crew', user_id: 'cyd', user_email: 'cyd@example.com', role: 'admin' },
    },
  )
  const key = await makeKey(world.gateway, { team_id: 'crew', user_id: 'bob' })
  const others = await makeKey(world.gateway, { user_id: 'bob' })
  const { token } = (await world.manage('GET', `/key/info?key=${key}`)).info as { token: string }
  const left = await world.manage('POST', '/team/member_delete', { team_id: 'crew', user_id: 'bob' })
  expect(left.deleted_keys).toEqual([token])
  expect((await world.send('GET', '/key/info', key)).status).toBe(401)
  expect((await world.send('GET', '/key/info', others)).status).toBe(200)
  const info = await world.manage('GET', '/team/info?team_id=crew')
  expect(info).toMatchObject({
    team_info: { members_with_roles: [{ user_id: 'ann' }, { user_id: 'cyd', role: 'admin' }] },
    team_memberships: [
      { user_id: 'ann', team_id: 'crew', role: 'admin' },
      { user_id: 'cyd', team_id: 'crew', role: 'admin' },
    ],
  })
  expect((await world.manage('GET', '/user/info?user_id=cyd')).teams).toMatchObject([{ team_id: 'crew' }])
})

test('an organisation likewise, with its own methods', async () => {
  const added = await world.manage('POST', '/organization/member_add', {
    organization_id: 'acme',
    member: [
      { user_id: 'dan', role: 'internal_user' },
      { user_id: 'eve', role: 'org_admin' },
    ],
  })
  expect(added.updated_users).toMatchObject([
    { user_id: 'dan', organization_id: 'acme', user_role: 'internal_user' },
    { user_id: 'eve', user_role: 'org_admin' },
  ])
  const danish = { organization_id: 'acme', user_id: 'dan' }
  expect(await world.manage('PATCH', '/organization/member_update', { ...danish, role: 'org_admin' })).toMatchObject({
    user_role: 'org_admin',
  })
  expect(await world.manage('DELETE', '/organization/member_delete', danish)).toMatchObject({ user_id: 'dan' })
  const { members } = await world.manage('GET', '/organization/info?organization_id=acme')
  expect((members as { user_id: string }[]).map((one) => one.user_id)).toEqual(['oscar', 'eve'])
})

test('what is wrong is named', async () => {
  const add = (body: Record<string, unknown>) => tell('POST', '/team/member_add', body)
  for (const [body, status, param] of [
    [{ team_id: 'nowhere', member: { user_id: 'x' } }, 404, 'team_id'],
    [{ team_id: 'red', member: {} }, 400, 'user_id'],
    [{ team_id: 'red', member: { user_id: 'x', role: 'king' } }, 400, 'member'],
    [{ team_id: 'red', member: { user_id: 'x', color: 'red' } }, 400, 'member'],
    [{ team_id: 'red', member: { user_email: 'nobody@example.com' } }, 404, 'user_email'],
    [{ team_id: 'red', member: { user_id: 'x' }, max_budget_in_team: 5 }, 400, 'max_budget_in_team'],
    [{ member: { user_id: 'x' } }, 400, 'team_id'],
  ] as const) {
    const said = await add(body)
    expect([body, said.status, (said.json.error as { param: string }).param]).toEqual([body, status, param])
  }
  for (const step of ['update', 'delete'])
    expect(
      (
        await tell('POST', `/team/member_${step}`, {
          team_id: 'red',
          user_id: 'nobody',
          ...(step === 'update' ? { role: 'user' } : {}),
        })
      ).status,
    ).toBe(404)
  for (const [word, message] of [
    ['king', 'must be one of proxy_admin'],
    ['team_admin', '/team/member_add'],
  ]) {
    const said = await tell('POST', '/user/new', { user_id: 'kim', user_role: word })
    expect([said.status, said.text.includes(message as string)]).toEqual([400, true])
  }
})

test('a role holds from the next request on, and goes with its reason', async () => {
  const made = await world.manage('POST', '/user/new', { user_id: 'fay', organization_id: 'acme' })
  const fay = () => world.send('POST', '/key/generate', made.key as string, {})
  expect((await fay()).status).toBe(403)
  await world.manage('POST', '/user/update', { user_id: 'fay', user_role: 'internal_user' })
  expect((await fay()).status).toBe(200)
  await world.manage('POST', '/user/update', { user_id: 'fay', user_role: null })
  expect((await fay()).status).toBe(403)
  const team = () => world.send('POST', '/key/generate', made.key as string, { team_id: 'red' })
  await world.manage('POST', '/team/member_add', { team_id: 'red', member: { user_id: 'fay', role: 'admin' } })
  expect((await team()).status).toBe(200)
  await world.manage('POST', '/team/member_update', { team_id: 'red', user_id: 'fay', role: 'user' })
  expect((await team()).status).toBe(403)
})

test('who decided is told by name', async () => {
  const gateway = await startGateway({
    yaml: {
      model_list: [
        {
          model_name: 'dear',
          litellm_params: { model: 'openai/m', api_base: world.mock.url, api_key: 'k' },
          model_info: { needs_grant: true },
        },
      ],
    },
  })
  try {
    const call = async (key: string, path: string, body: unknown) => {
      const headers = { authorization: `Bearer ${key}` }
      const reply = await fetch(gateway.url + path, { method: 'POST', headers, body: JSON.stringify(body) })
      return (await reply.json()) as Record<string, string>
    }
    const admin = await call(gateway.masterKey, '/user/new', { user_id: 'pam', user_role: 'admin' })
    const key = await makeKey(gateway)
    const { id } = await call(key, '/grant/ask', { model: 'dear', reason: 'why not' })
    const given = await call(admin.key as string, '/grant/approve', { id, expires_in: '1h' })
    expect(given.decided_by).toBe(`key:${admin.token}`)
  } finally {
    await gateway.stop()
  }
})
