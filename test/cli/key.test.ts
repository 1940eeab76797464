// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is for a file
/** `tollgate key` against a server that speaks LiteLLM's routes and remembers what it was asked. */
import { afterAll, beforeEach, expect, test } from 'bun:test'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { folder, tollgate } from './world.ts'

interface Asked {
  method: string
  path: string
  key: string | null
  body: unknown
}

let asked: Asked[] = []
const KEYS = Array.from({ length: 101 }, (_, i) => ({
  key_alias: i === 0 ? 'ci\u001b[31m' : `k${i}`,
  key_name: `sk-...${i}`,
  spend: i,
  max_budget: i === 0 ? 5 : null,
  budget_duration: i === 0 ? '1d' : null,
  models: i === 0 ? ['a', 'b'] : [],
  blocked: i === 0,
  expires: null,
}))

const gateway = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  async fetch(request) {
    const url = new URL(request.url)
    const text = await request.text()
    asked.push({
      method: request.method,
      path: url.pathname,
      key: request.headers.get('authorization'),
      body: text ? JSON.parse(text) : undefined,
    })
    if (request.headers.get('authorization') !== 'Bearer sk-master-key')
      return Response.json({ error: { message: 'This key is not known.', code: 'invalid_api_key' } }, { status: 401 })
    if (url.pathname === '/key/generate') return Response.json({ key: 'sk-new', key_alias: 'ci' })
    if (url.pathname === '/key/list') {
      const page = Number(url.searchParams.get('page'))
      return Response.json({ keys: KEYS.slice((page - 1) * 100, page * 100), total_pages: 2 })
    }
    if (url.pathname === '/key/block') return Response.json({ detail: 'no such key' }, { status: 404 })
    return Response.json({})
  },
})
const url = gateway.url.origin
const env = { TOLLGATE_MASTER_KEY: 'sk-master-key', TOLLGATE_URL: url }
beforeEach(() => {
  asked = []
})
afterAll(() => gateway.stop(true))

test('create: the key alone on stdout, the wishes in LiteLLM’s words', async () => {
  const words =
    'key create --alias ci --models a,openai/* --max-budget 2.50 --budget-duration 1d --duration 30d --rpm 5'
  const { code, out } = await tollgate([...words.split(' '), '--url', `${url}/`], {
    TOLLGATE_MASTER_KEY: 'sk-master-key',
  })
  expect([code, out]).toEqual([0, 'sk-new'])
  expect(asked).toEqual([
    {
      method: 'POST',
      path: '/key/generate',
      key: 'Bearer sk-master-key',
      body: {
        key_alias: 'ci',
        models: ['a', 'openai/*'],
        max_budget: 2.5,
        budget_duration: '1d',
        duration: '30d',
        rpm_limit: 5,
      },
    },
  ])
})

test('create without wishes asks for none', async () => {
  await tollgate(['key', 'create'], env)
  expect(asked[0]?.body).toEqual({})
})

test('list: every page, one line a key, no control characters', async () => {
  const { code, out } = await tollgate(['key', 'list'], env)
  expect(code).toBe(0)
  const lines = out.split('\n')
  expect(lines).toHaveLength(102)
  expect(lines[0]?.split(/\s+/)).toEqual(['ALIAS', 'KEY', 'SPENT', 'BUDGET', 'MODELS', 'EXPIRES', 'STATE'])
  expect(lines[1]?.split(/\s+/)).toEqual(['ci?[31m', 'sk-...0', '$0', '$5/1d', 'a,b', 'never', 'blocked'])
  expect(lines[2]?.split(/\s+/)).toEqual(['k1', 'sk-...1', '$1', 'none', 'all', 'never', 'open'])
  expect(JSON.parse((await tollgate(['key', 'list', '--json'], env)).out)).toHaveLength(101)
})

test('delete, unblock: what is named goes there', async () => {
  expect((await tollgate(['key', 'delete', 'sk-1', 'sk-2'], env)).out).toBe('Deleted.')
  expect((await tollgate(['key', 'delete', '--alias', 'a,b'], env)).code).toBe(0)
  expect((await tollgate(['key', 'unblock', 'sk-1'], env)).out).toBe('Unblocked.')
  expect(asked.map((a) => [a.path, a.body])).toEqual([
    ['/key/delete', { keys: ['sk-1', 'sk-2'] }],
    ['/key/delete', { key_aliases: ['a', 'b'] }],
    ['/key/unblock', { key: 'sk-1' }],
  ])
})

test('a refusal is told in the gateway’s words', async () => {
  const blocked = await tollgate(['key', 'block', 'sk-1'], env)
  expect([blocked.code, blocked.err]).toEqual([1, 'tollgate: the gateway refused (404): no such key'])
  const wrong = await tollgate(['key', 'list'], { ...env, TOLLGATE_MASTER_KEY: 'sk-another-key' })
  expect([wrong.code, wrong.err]).toEqual([1, 'tollgate: the gateway refused (401): This key is not known.'])
})

test('the master key of a file that is named wins over the environment', async () => {
  const file = join(await folder(), 'a.yaml')
  await writeFile(file, 'general_settings: { master_key: "sk-${M}" }')
  const given = { TOLLGATE_MASTER_KEY: 'sk-another-key', M: 'master-key', TOLLGATE_URL: url }
  expect((await tollgate(['key', 'list', '--config', file], given)).code).toBe(0)
  expect((await tollgate(['key', 'list'], { TOLLGATE_CONFIG: file, M: 'master-key', TOLLGATE_URL: url })).code).toBe(0)
  const broken = await tollgate(['key', 'list', '--config', file], { TOLLGATE_URL: url })
  expect([broken.code, broken.err.includes('environment variable M is not set')]).toEqual([1, true])
})

test('no key, no gateway', async () => {
  const at = await folder()
  await writeFile(join(at, 'a.yaml'), '')
  const none = await tollgate(['key', 'list', '--config', join(at, 'a.yaml')], { TOLLGATE_URL: url })
  expect([none.code, none.err]).toEqual([1, `tollgate: ${join(at, 'a.yaml')} has no general_settings.master_key.`])
  const gone = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() })
  await gone.stop(true)
  const { code, err } = await tollgate(['key', 'list', '--url', gone.url.origin], env)
  expect([code, err]).toEqual([
    1,
    `tollgate: the gateway at ${gone.url.origin} does not answer. Start it with \`tollgate serve\`, or name another with --url.`,
  ])
})
