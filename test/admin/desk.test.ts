/** The management at an address of its own, with addresses of its own that may ask there. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { openDoors } from '../../src/http/doors.ts'
import { PERMISSIONS, type Permission, sideOf } from '../../src/http/permissions.ts'
import { Sockets } from '../../src/http/sockets.ts'
import { shake, tlsConfig } from '../doors/world.ts'
import { type Mock, startMock } from '../mock/upstream.ts'
import { type Gateway, MASTER_KEY, startGateway } from '../support/gateway.ts'
import { table } from '../support/table.ts'
import { freePort, makeTemp } from '../support/temp.ts'

const modelList = (mock: Mock) => [
  { model_name: 'm', litellm_params: { model: 'openai/m', api_base: `${mock.url}/v1`, api_key: 'sk-up' } },
]
const ask = async (url: string, method: string, path: string, headers: Record<string, string> = {}) => {
  const body = ['GET', 'HEAD'].includes(method)
    ? {}
    : { body: '{"model":"m","messages":[{"role":"user","content":"Hi"}]}' }
  const reply = await fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${MASTER_KEY}`, 'content-type': 'application/json', ...headers },
    ...body,
  })
  return { status: reply.status, text: await reply.text() }
}

let mock: Mock
let gateway: Gateway
let desk = ''
beforeAll(async () => {
  mock = await startMock({ words: 3 })
  const port = freePort()
  desk = `http://127.0.0.1:${port}`
  gateway = await startGateway({
    yaml: {
      model_list: modelList(mock),
      tollgate: {
        trusted_proxies: ['127.0.0.1'],
        admin: { listen: `127.0.0.1:${port}`, allowed_ips: ['127.0.0.1', '10.0.0.0/8'] },
      },
    },
  })
})
afterAll(async () => {
  await gateway.stop()
  mock.stop()
})

/** With something for each of its parameters. */
const path = (route: string) =>
  route
    .replace(/\/models\/\*$/, '/models/m')
    .replace('/deployments/*', '/deployments/m/chat/completions')
    .replace(/\/\*$/, '/m')
    .replace(':id', 'some_id')

test('every route answers where the table says, and tells clearly where it does not', async () => {
  const wrong: string[] = []
  for (const route of table) {
    const { method } = route
    const name = `${method} ${route.path}`
    if (method === 'HEAD') continue
    const home = sideOf(PERMISSIONS[name] as Permission, 'door' in route)
    const main = await ask(gateway.url, method, path(route.path))
    const managed = await ask(desk, method, path(route.path))
    const isSentAway = (said: { status: number; text: string }) =>
      said.status === 404 && /answers at its own address alone|ask the gateway's other address/.test(said.text)
    if (isSentAway(main) !== (home === 'desk') || isSentAway(managed) !== (home === 'callers')) wrong.push(name)
  }
  expect(wrong).toEqual([])
})

test('models are called and keys are made each at its own', async () => {
  expect((await ask(gateway.url, 'POST', '/v1/chat/completions')).status).toBe(200)
  expect((await ask(desk, 'POST', '/v1/chat/completions')).status).toBe(404)
  const refused = await ask(gateway.url, 'GET', '/key/list')
  expect([refused.status, refused.text.includes('tollgate.admin.listen')]).toEqual([404, true])
  expect((await ask(desk, 'GET', '/key/list')).status).toBe(200)
})

test('who asks from elsewhere does not manage, whatever he has; he calls models', async () => {
  const from = (ip: string) => ({ 'x-forwarded-for': ip })
  expect((await ask(desk, 'GET', '/key/list', from('10.1.2.3'))).status).toBe(200)
  const refused = await ask(desk, 'GET', '/key/list', from('203.0.113.9'))
  expect([refused.status, refused.text.includes('203.0.113.9')]).toEqual([403, true])
  expect((await ask(gateway.url, 'POST', '/v1/chat/completions', from('203.0.113.9'))).status).toBe(200)
})

test('an address beyond the loopback needs encryption, as the other one does, and one that is taken is named', async () => {
  const start = (listen: string) =>
    startGateway({ yaml: { model_list: modelList(mock), tollgate: { admin: { listen } } } })
  const told = async (listen: string) =>
    String(
      await start(listen).then(
        (g) => g.stop().then(() => 'it started'),
        (cause) => cause,
      ),
    )
  expect(await told('0.0.0.0:0')).toContain('can be reached from other machines')
  expect(await told(`127.0.0.1:${gateway.port}`)).toContain('tollgate.admin.listen) is taken')
  expect(await told('127.0.0.1')).toContain('must be an address with a port')
}, 60_000)

test('with TLS both are encrypted, by the one certificate', async () => {
  const app = { fetch: () => new Response('here') }
  const source = { kind: 'self-signed' as const, names: ['localhost', '127.0.0.1'] }
  const doors = await openDoors({
    ...{ app, port: 0, host: '127.0.0.1', tls: tlsConfig(source), insecure: false, heartbeat: 0 },
    ...{ dataDir: makeTemp('desk'), sockets: new Sockets(), now: Date.now, info: () => {}, warn: () => {} },
    desk: { app, port: 0, host: '127.0.0.1', sockets: new Sockets(true) },
  })
  const [one, other] = [doors.url, doors.deskUrl as string].map((url) => new URL(url))
  expect([one?.protocol, other?.protocol, one?.port === other?.port]).toEqual(['https:', 'https:', false])
  const [a, b] = await Promise.all([shake(Number(one?.port)), shake(Number(other?.port))])
  expect(a.fingerprint).toBe(b.fingerprint)
  await doors.stop(true)
})
