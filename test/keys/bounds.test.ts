/** What a key is bound to beside its budget: models by groups and by names of its own, routes, addresses, an environment. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { connect } from 'node:net'
import { makeKey } from '../support/books.ts'
import { startGateway } from '../support/gateway.ts'
import { bearer, CHAT, MODELS, type Reply, startWorld, type World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld({
    tollgate: { environment: 'prod', trusted_proxies: ['127.0.0.1'], auth_attempts: { free: 1_000 } },
  })
})
afterAll(() => world.stop())

const manage = (method: string, path: string, body?: unknown): Promise<Reply> =>
  world.send(method, path, bearer(world.gateway.masterKey), body)
const chat = (key: string, model: string, headers: Record<string, string> = {}): Promise<Reply> =>
  world.send('POST', '/v1/chat/completions', { ...bearer(key), ...headers }, { ...CHAT, model })
const servedBy = (reply: Reply): string | null => reply.headers.get('x-tollgate-served-by')
const listed = async (key: string): Promise<string[]> => {
  const { body } = await world.send('GET', '/v1/models', bearer(key))
  return (body.data as { id: string }[]).map(({ id }) => id).sort()
}

describe('aliases', () => {
  test("a key's own name leads to the model, in requests and in the list", async () => {
    const key = await makeKey(world.gateway, { models: ['house-model'], aliases: { 'house-model': 'team/a' } })
    const said = await chat(key, 'house-model')
    expect([said.status, servedBy(said)]).toEqual([200, 'openai/team/a'])
    expect(await listed(key)).toEqual(['house-model'])
    expect((await world.send('GET', '/v1/models/house-model', bearer(key))).status).toBe(200)
    // The model itself is not on the key's list.
    expect((await chat(key, 'team/a')).status).toBe(403)
    const { info } = (await world.send('GET', '/key/info', bearer(key))).body as { info: Record<string, unknown> }
    expect(info.aliases).toEqual({ 'house-model': 'team/a' })
    await manage('POST', '/key/update', { key, aliases: null })
    expect((await chat(key, 'house-model')).status).toBe(404)
  })

  test("a key's name does not lead where its team may not go, and its team's does", async () => {
    await manage('POST', '/team/new', {
      team_id: 'narrow',
      models: ['fast', 'ours'],
      model_aliases: { ours: 'team/b' },
    })
    const key = await makeKey(world.gateway, {
      team_id: 'narrow',
      aliases: { out: 'slow', fast: 'slow', mine: 'fast' },
    })
    for (const model of ['out', 'fast', 'slow', 'team/b'])
      expect([model, (await chat(key, model)).status]).toEqual([model, 403])
    expect(servedBy(await chat(key, 'mine'))).toBe('openai/fast')
    expect(servedBy(await chat(key, 'ours'))).toBe('openai/team/b')
    expect(await listed(key)).toEqual(['mine', 'ours'])
    expect((await manage('GET', '/team/info?team_id=narrow')).body.team_info).toMatchObject({
      model_aliases: { ours: 'team/b' },
    })
  })

  test('a fallback that the caller names is found by its name, too', async () => {
    const key = await makeKey(world.gateway, { models: ['a', 'b'], aliases: { a: 'fast', b: 'slow' } })
    const said = await world.send('POST', '/v1/chat/completions', bearer(key), {
      ...CHAT,
      model: 'a',
      fallbacks: ['b'],
    })
    expect(said.status).toBe(200)
    const other = { ...CHAT, model: 'a', fallbacks: ['slow'] }
    expect((await world.send('POST', '/v1/chat/completions', bearer(key), other)).status).toBe(403)
  })

  test('one that leads to no model is refused', async () => {
    const wrong = await manage('POST', '/key/generate', { aliases: { x: 'nowhere' } })
    expect([wrong.status, wrong.text]).toEqual([400, expect.stringContaining("aliases.x: there is no model 'nowhere'")])
    expect((await manage('POST', '/team/new', { team_id: 'x', model_aliases: { x: 'nowhere' } })).status).toBe(400)
  })
})

describe('access groups', () => {
  test('a name in a list of models stands for all aliases that say they are in it', async () => {
    const model = (model_name: string, access_groups?: string[]) => ({
      model_name,
      litellm_params: { model: `openai/${model_name}`, api_base: `${world.mock.url}/v1`, api_key: 'sk-up' },
      ...(access_groups ? { model_info: { access_groups } } : {}),
    })
    const list = [model('one', ['beta']), model('two', ['beta', 'gold']), model('three'), model('big/*', ['gold'])]
    const gateway = await startGateway({ yaml: { model_list: list } })
    try {
      const status = async (key: string, name: string) => {
        const init = { method: 'POST', headers: { ...bearer(key), 'content-type': 'application/json' } }
        return (
          await fetch(`${gateway.url}/v1/chat/completions`, { ...init, body: JSON.stringify({ ...CHAT, model: name }) })
        ).status
      }
      const beta = await makeKey(gateway, { models: ['beta'] })
      expect([await status(beta, 'one'), await status(beta, 'two'), await status(beta, 'three')]).toEqual([
        200, 200, 403,
      ])
      await gateway.call('POST', '/team/new', { team_id: 'g', models: ['gold', 'three'] })
      const team = await makeKey(gateway, { team_id: 'g', models: ['all-team-models'] })
      expect([
        await status(team, 'two'),
        await status(team, 'big/x'),
        await status(team, 'three'),
        await status(team, 'one'),
      ]).toEqual([200, 200, 200, 403])
      const both = await makeKey(gateway, { team_id: 'g', models: ['beta'] })
      expect([await status(both, 'two'), await status(both, 'one'), await status(both, 'three')]).toEqual([
        200, 403, 403,
      ])
      const all = await makeKey(gateway, { models: ['all-proxy-models'] })
      expect(await status(all, 'three')).toBe(200)
    } finally {
      await gateway.stop()
    }
  })
})

describe('routes', () => {
  const routes = [
    '/v1/chat/completions',
    '/v1/models',
    '/api/tags',
    '/v1/messages',
    '/key/info',
    '/v1/model/info',
  ] as const
  const table: [Record<string, unknown>, readonly string[]][] = [
    [{}, routes],
    [{ key_type: 'llm_api' }, ['/v1/chat/completions', '/v1/models', '/api/tags', '/v1/messages', '/v1/model/info']],
    [{ key_type: 'management' }, ['/key/info']],
    [{ key_type: 'read_only' }, ['/v1/models', '/key/info', '/v1/model/info']],
    [{ allowed_routes: ['openai_routes'] }, ['/v1/chat/completions', '/v1/models', '/v1/model/info']],
    [{ allowed_routes: ['ollama_routes', 'anthropic_routes'] }, ['/api/tags', '/v1/messages']],
    [{ allowed_routes: ['/v1/chat/*', '/key/info'] }, ['/v1/chat/completions', '/key/info']],
  ]
  test.each(table)('%j', async (fields, may) => {
    const key = await makeKey(world.gateway, fields)
    const told: Record<string, number> = {}
    for (const route of routes) {
      const isPost = /completions|messages/.test(route)
      const body = isPost ? { ...CHAT, max_tokens: 5 } : undefined
      const said = await world.send(isPost ? 'POST' : 'GET', route, bearer(key), body)
      if (said.status === 403) expect(said.text).toContain('allowed_routes')
      told[route] = said.status
    }
    expect(told).toEqual(Object.fromEntries(routes.map((route) => [route, may.includes(route) ? 200 : 403])))
  })

  test('no way of writing a path leads around it', async () => {
    const key = await makeKey(world.gateway, { allowed_routes: ['/v1/models/*'] })
    const status = (path: string) =>
      new Promise<string>((resolve, reject) => {
        const head = `authorization: Bearer ${key}\r\ncontent-length: 2\r\nconnection: close`
        const socket = connect(world.gateway.port, '127.0.0.1', () =>
          socket.write(`POST ${path} HTTP/1.1\r\nhost: a\r\n${head}\r\n\r\n{}`),
        )
        socket.on('error', reject)
        socket.once('data', (data) => resolve(String(data).split(' ')[1] ?? ''))
      })
    for (const path of [
      '/v1/models/../chat/completions',
      '/v1/models/%2e%2e/chat/completions',
      '/v1/models/./../chat/completions',
    ])
      expect([path, await status(path)]).toEqual([path, '403'])
    // It is routed as it is read here: this one is Gemini's, and allowed.
    expect(await status('/v1/models/fast:generateContent')).toBe('400')
  })

  test('a key of an operator that is bound makes no key that is not', async () => {
    await manage('POST', '/user/new', { user_id: 'op', user_role: 'proxy_admin', auto_create_key: false })
    const key = await makeKey(world.gateway, {
      ...{ user_id: 'op', allowed_routes: ['/key/generate', '/key/update'], allowed_ips: ['127.0.0.1', '10.0.0.0/8'] },
    })
    const make = (body: object) => world.send('POST', '/key/generate', bearer(key), { user_id: 'op', ...body })
    const bound = { allowed_routes: ['/key/generate'], allowed_ips: ['127.0.0.1'] }
    for (const body of [
      {},
      { ...bound, allowed_ips: [] },
      { ...bound, allowed_routes: ['llm_api_routes'] },
      { ...bound, environment: 'dev' },
    ])
      expect([body, (await make(body)).status]).toEqual([body, 403])
    expect((await make(bound)).status).toBe(200)
    expect((await world.send('POST', '/key/update', bearer(key), { key, allowed_routes: null })).status).toBe(403)
  })

  test.each([['chat'], ['everything_routes'], ['/v1/*/x'], ['*']])('%s is no route', async (word) => {
    const wrong = await manage('POST', '/key/generate', { allowed_routes: [word] })
    expect([wrong.status, wrong.text]).toEqual([400, expect.stringContaining('llm_api_routes')])
  })
})

describe('addresses', () => {
  test('only from there; behind a trusted proxy what it says counts', async () => {
    const key = await makeKey(world.gateway, { allowed_ips: ['10.1.0.0/16', '2001:db8::1'] })
    const from = async (ip: string) => (await chat(key, 'fast', { 'x-forwarded-for': ip })).status
    expect([await from('10.1.2.3'), await from('2001:db8::1'), await from('10.2.0.1')]).toEqual([200, 200, 403])
    const direct = await chat(key, 'fast')
    expect([direct.status, direct.text]).toEqual([403, expect.stringContaining('allowed_ips')])
    await manage('POST', '/key/update', { key, allowed_ips: ['127.0.0.1'] })
    expect((await chat(key, 'fast')).status).toBe(200)
    expect((await manage('POST', '/key/generate', { allowed_ips: ['10.0.0.0/33'] })).status).toBe(400)
  })
})

describe('environment', () => {
  test('a new key is of the gateway that made it, and one of another is refused', async () => {
    const key = await makeKey(world.gateway)
    const info = async () =>
      ((await world.send('GET', '/key/info', bearer(key))).body.info as { environment: unknown }).environment
    expect(await info()).toBe('prod')
    expect((await chat(key, 'fast')).status).toBe(200)
    await manage('POST', '/key/update', { key, environment: 'dev' })
    const refused = await chat(key, 'fast')
    expect(refused.status).toBe(403)
    expect(refused.text).toContain("of the environment 'dev', and this gateway is 'prod'")
    await manage('POST', '/key/update', { key, environment: null })
    expect((await chat(key, 'fast')).status).toBe(200)
    expect((await manage('POST', '/key/update', { key, environment: 'moon' })).status).toBe(400)
  })

  test('a gateway that does not say what it is takes no key of any', async () => {
    const gateway = await startGateway({ yaml: { model_list: [] } })
    try {
      const key = await makeKey(gateway, { environment: 'staging' })
      const said = await fetch(`${gateway.url}/v1/models`, { headers: bearer(key) })
      expect([said.status, await said.text()]).toEqual([403, expect.stringContaining('tollgate.environment')])
      expect((await fetch(`${gateway.url}/v1/models`, { headers: bearer(await makeKey(gateway)) })).status).toBe(200)
    } finally {
      await gateway.stop()
    }
  })
})

test('all of it is there after a restart', async () => {
  const fields = {
    aliases: { x: 'fast' },
    allowed_routes: ['llm_api_routes'],
    allowed_ips: ['127.0.0.1'],
    environment: 'prod',
  }
  const key = await makeKey(world.gateway, { ...fields, models: [...MODELS, 'x'] })
  const before = (await manage('GET', `/key/info?key=${key}`)).body.info as Record<string, unknown>
  const { gateway } = world
  await gateway.kill9()
  const { readFileSync } = await import('node:fs')
  const again = await startGateway({ yaml: readFileSync(gateway.configFile, 'utf8'), dataDir: gateway.dataDir })
  try {
    const { info } = (await (await again.call('GET', `/key/info?key=${key}`)).json()) as {
      info: Record<string, unknown>
    }
    expect(info).toEqual(before)
    for (const [field, value] of Object.entries(fields)) expect(info[field]).toEqual(value)
  } finally {
    await again.stop()
  }
}, 30_000)
