/** Every route stands in the one table, and every role gets what the table says. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROLES } from '../../src/core/role.ts'
import { extentOf, PERMISSIONS, type Permission, permissionOf } from '../../src/http/permissions.ts'
import { table } from '../support/table.ts'
import { startWorld, type World } from './world.ts'

const names = table.map((route) => `${route.method} ${route.path}`)

test('every route has its line, and every line its route', () => {
  expect(names.length).toBeGreaterThan(120)
  expect(names.filter((name) => PERMISSIONS[name] === undefined)).toEqual([])
  expect(Object.keys(PERMISSIONS).filter((line) => !names.includes(line))).toEqual([])
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([])
})

test('a route without a line does not start', () => {
  expect(() => permissionOf({ method: 'GET', path: '/new/thing' })).toThrow('GET /new/thing has no line')
})

test('what is open to all has a handler that asks for nobody, and models are for callers', () => {
  for (const route of table) {
    const permission = permissionOf(route)
    expect([route.path, permission === 'open' || permission === 'login']).toEqual([route.path, 'open' in route])
    if ('door' in route) expect([route.path, permission]).toEqual([route.path, 'caller'])
  }
})

test('whoever may do less reaches no farther', () => {
  for (const [name, permission] of Object.entries(PERMISSIONS)) {
    if (typeof permission === 'string') continue
    expect([name, permission.proxy_admin]).toEqual([name, 'all'])
    expect([name, permission.org_admin ?? 'org']).toEqual([name, 'org'])
    expect([name, permission.team_admin ?? 'team']).toEqual([name, 'team'])
    for (const role of ['internal_user', 'internal_user_viewer', 'customer'] as const)
      expect([name, role, permission[role] ?? 'self']).toEqual([name, role, 'self'])
    // Who only looks, changes nothing.
    const writes = !name.startsWith('GET') && !/ \/(budget|tag)\/info$/.test(name) && name !== 'POST /grant/ask'
    if (writes)
      for (const role of ['proxy_admin_viewer', 'internal_user_viewer', 'customer'] as const)
        expect([name, role, permission[role]]).toEqual([name, role, undefined])
  }
})

let world: World
beforeAll(async () => {
  world = await startWorld({ tollgate: { auth_attempts: { free: 1_000 } } })
})
afterAll(() => world.stop())

const shown = (permission: Permission): string =>
  typeof permission === 'string'
    ? permission
    : ROLES.flatMap((role) => (permission[role] ? [`${role} (${permission[role]})`] : [])).join(', ')

test('docs/access.md lists every line', () => {
  const page = readFileSync(join(import.meta.dir, '../../docs/access.md'), 'utf8')
  const rows = new Map(
    [...page.matchAll(/^\| `([A-Z]+ \/\S*)` \| (.+) \|$/gm)].map((m) => [m[1] as string, m[2] as string]),
  )
  expect(Object.fromEntries(rows)).toEqual(
    Object.fromEntries(Object.entries(PERMISSIONS).map(([name, permission]) => [name, shown(permission)])),
  )
})

/** With something for each of its parameters. */
const path = (route: string) =>
  route
    .replace(/\/models\/\*$/, '/models/m:generateContent')
    .replace('/deployments/*', '/deployments/m/chat/completions')
    .replace(/\/\*$/, '/m')
    .replace(':id', 'some_id')

test.each([...ROLES])(
  '%s: every route answers or says that it is not for him',
  async (role) => {
    const told: Record<string, string> = {}
    const expected: Record<string, string> = {}
    for (const name of names) {
      const [method = '', route = ''] = name.split(' ')
      const permission = PERMISSIONS[name] as Permission
      const said = await world.send(
        method,
        path(route),
        world.keys[role],
        ['GET', 'HEAD'].includes(method) ? undefined : {},
      )
      // A login that is none is a 401 there, whatever key came along.
      if ((said.status === 401 && permission !== 'login') || said.status >= 500)
        throw new Error(`${role} ${name}: ${said.status} ${said.text}`)
      told[name] = said.status === 403 && / is for .*You|is for .*key is/.test(said.text) ? 'not for him' : 'answers'
      expected[name] = permission === 'open' || extentOf(permission, role) ? 'answers' : 'not for him'
    }
    expect(told).toEqual(expected)
  },
  60_000,
)

test('nobody comes in without saying who he is', async () => {
  const wrong: string[] = []
  for (const name of names) {
    const [method = '', route = ''] = name.split(' ')
    const body = ['GET', 'HEAD'].includes(method) ? {} : { body: '{}' }
    for (const headers of [{}, { authorization: 'Bearer ' }, { authorization: 'Bearer sk-wrong' }] as Record<
      string,
      string
    >[]) {
      const { status } = await fetch(world.gateway.url + path(route), { method, headers, ...body })
      // Logging in is for those of whom nothing is known: without anything to show they are told what is missing.
      const may = { open: [200], login: [200, 400, 401, 403, 404] }[PERMISSIONS[name] as string] ?? [401]
      if (!may.includes(status)) wrong.push(`${name}: ${status}`)
    }
  }
  expect(wrong).toEqual([])
}, 60_000)
