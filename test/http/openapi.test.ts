/** The description of all routes is whole, true to the tables it is made from, and OpenAPI. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { BODIES } from '../../src/admin/bodies.ts'
import { openApi, pathOf } from '../../src/http/openapi/document.ts'
import { PERMISSIONS } from '../../src/http/permissions.ts'
import { table } from '../support/table.ts'
import { runTollgate } from '../support/tollgate.ts'
import { startWorld, type World } from './world.ts'

type Json = Record<string, unknown>
interface Operation {
  operationId: string
  summary?: string
  security?: unknown[]
  parameters: { name: string; in: string; required: boolean }[]
  requestBody?: { content: Record<string, { schema?: Json }> }
  responses: Record<string, { content?: Json }>
  'x-tollgate-roles': unknown
}
interface Document {
  openapi: string
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Json }
}

const document = openApi(table) as unknown as Document
const operation = (route: { method: string; path: string }): Operation | undefined =>
  document.paths[pathOf(route.path)]?.[route.method.toLowerCase()]

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.stop())

test('every line of the table of permissions is described, and nothing else', () => {
  const described = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  const there = Object.keys(PERMISSIONS).map((line) => {
    const [method = '', path = ''] = line.split(' ')
    return `${method} ${pathOf(path)}`
  })
  expect(described.sort()).toEqual(there.sort())
})

test('every route says what it is for: give new ones a line in src/http/openapi/summaries.ts', () => {
  expect(table.flatMap((route) => (operation(route)?.summary ? [] : [`${route.method} ${route.path}`]))).toEqual([])
})

test('every route that reads a JSON body of ours tells its fields: give new ones a line in src/admin/bodies.ts', () => {
  const bare = table.filter((route) => {
    const schema = operation(route)?.requestBody?.content['application/json']?.schema
    return schema !== undefined && schema.properties === undefined
  })
  // They read one name, or nothing.
  const known = /^(\/api\/(show|pull|delete|push|create|copy|blobs\/\*)|\/v1(beta|alpha)?\/models\/\*)$/
  expect(bare.map(({ path }) => path).filter((path) => !known.test(path))).toEqual([])
  expect(Object.keys(BODIES).filter((line) => !(line in PERMISSIONS))).toEqual([])
})

test('who may, what it takes and how it is refused are told as they are', () => {
  const ids = table.map((route) => operation(route)?.operationId)
  expect(new Set(ids).size).toBe(table.length)
  for (const route of table) {
    const told = operation(route) as Operation
    const permission = PERMISSIONS[`${route.method} ${route.path}`]
    expect([route.path, told['x-tollgate-roles']]).toEqual([route.path, permission])
    const asksNobody = permission === 'open' || permission === 'login'
    expect([route.path, told.security]).toEqual([route.path, asksNobody ? [] : undefined])
    const inPath: string[] = told.parameters.filter((one) => one.in === 'path').map((one) => `{${one.name}}`)
    expect([...(pathOf(route.path).match(/\{\w+\}/g) ?? [])] as string[]).toEqual(inPath)
    for (const { content } of Object.values(told.responses))
      for (const ref of JSON.stringify(content ?? {}).match(/#\/components\/schemas\/\w+/g) ?? [])
        expect(document.components.schemas).toHaveProperty(ref.split('/').at(-1) as string)
  }
  const generate = operation({ method: 'POST', path: '/key/generate' })?.requestBody?.content['application/json']
    ?.schema
  expect(generate?.properties).toHaveProperty('allowed_passthrough_routes')
  const chat = operation({ method: 'POST', path: '/v1/chat/completions' })?.requestBody?.content['application/json']
  expect(chat?.schema).toMatchObject({ required: ['model', 'messages'], properties: { stream: { type: 'boolean' } } })
})

test('a running gateway tells the same, with what it passes through, to those who come in', async () => {
  const { gateway } = world
  expect((await fetch(`${gateway.url}/openapi.json`)).status).toBe(401)
  const told = (await (await gateway.call('GET', '/openapi.json')).json()) as Document
  expect(told.openapi).toBe('3.1.1')
  const more = Object.keys(told.paths).filter((path) => !(path in document.paths))
  expect(more).toEqual(['/openai/{path}'])
  for (const [path, methods] of Object.entries(document.paths))
    expect(told.paths[path]).toEqual(JSON.parse(JSON.stringify(methods)))
  const env = { TOLLGATE_MASTER_KEY: gateway.masterKey }
  const { code, out } = await runTollgate(['openapi', '--url', gateway.url], env)
  expect([code, JSON.parse(out)]).toEqual([0, told])
})
