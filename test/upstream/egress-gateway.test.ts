/** The rules of the way out at a whole gateway: what its callers are told, what reaches whom, and proxies of the environment. */
import { afterAll, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startMock } from '../mock/upstream.ts'
import { makeAuthority } from '../support/authority.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { makeTemp } from '../support/temp.ts'

const mock = await startMock({ words: 5, models: ['m'] })
const gateways: Gateway[] = []
afterAll(async () => {
  for (const gateway of gateways) await gateway.stop()
  await mock.stop()
})

async function gateway(apiBase: string, more: Record<string, unknown> = {}, env: Record<string, string> = {}) {
  const litellm_params = { model: 'openai/m', api_base: apiBase, api_key: 'sk-upstream-secret' }
  const started = await startGateway({ yaml: { model_list: [{ model_name: 'm', litellm_params }], ...more }, env })
  gateways.push(started)
  return started
}

const ask = (to: Gateway) =>
  to.call('POST', '/v1/chat/completions', { model: 'm', messages: [{ role: 'user', content: 'Hi' }] })

test('a host that is not on the list is not asked; the caller is told nothing of the address, the log all of it', async () => {
  const refusing = await gateway(`${mock.url}/v1`, { tollgate: { egress: { only: ['api.openai.com'] } } })
  mock.requests.length = 0
  const answer = await ask(refusing)
  const text = await answer.text()
  expect([answer.status, mock.requests.length]).toEqual([502, 0])
  expect(text).toContain('upstream_misconfigured')
  expect(text).not.toContain('127.0.0.1')
  await Bun.sleep(200)
  expect(refusing.logs()).toContain('is not among the hosts that may be connected to (tollgate.egress.only)')
  const allowing = await gateway(`${mock.url}/v1`, { tollgate: { egress: { only: ['127.0.0.0/8'] } } })
  expect((await ask(allowing)).status).toBe(200)
}, 20_000)

test('a name leads to its address, with its own authority', async () => {
  const authority = await makeAuthority()
  const site = await authority.issue('localhost', { dns: ['localhost'] })
  const ca = join(makeTemp('egress'), 'ca.crt')
  writeFileSync(ca, authority.ca)
  const secure = Bun.serve({
    ...{ port: 0, hostname: '127.0.0.1', tls: { cert: site.cert, key: site.key } },
    fetch: async (request) =>
      await fetch(`${mock.url}${new URL(request.url).pathname}`, { method: 'POST', body: await request.bytes() }),
  })
  const base = `https://localhost:${secure.port}/v1`
  expect((await ask(await gateway(base))).status).toBe(502)
  expect((await ask(await gateway(base, { tollgate: { egress: { ca } } }))).status).toBe(200)
  expect((await ask(await gateway(base, { litellm_settings: { ssl_verify: ca } }))).status).toBe(200)
  const upstreams = { [`https://localhost:${secure.port}`]: { ca } }
  expect((await ask(await gateway(base, { tollgate: { egress: { upstreams } } }))).status).toBe(200)
  await secure.stop(true)
}, 30_000)

test('a proxy of the environment is asked for names, and those whom NO_PROXY spares are not', async () => {
  const seen: string[] = []
  const proxy = Bun.serve({
    ...{ port: 0, hostname: '127.0.0.1' },
    fetch: async (request) => {
      seen.push(request.url)
      return await fetch(`${mock.url}${new URL(request.url).pathname}`, { method: 'POST', body: await request.bytes() })
    },
  })
  const env = { HTTP_PROXY: `http://127.0.0.1:${proxy.port}` }
  // No name server knows it: only the proxy is asked.
  const through = await gateway('http://models.tollgate.test/v1', {}, env)
  expect((await ask(through)).status).toBe(200)
  expect(seen).toEqual(['http://models.tollgate.test/v1/chat/completions'])
  const spared = await gateway(
    `${mock.url.replace('127.0.0.1', 'localhost')}/v1`,
    {},
    { ...env, NO_PROXY: 'localhost' },
  )
  expect((await ask(spared)).status).toBe(200)
  expect(seen).toHaveLength(1)
  await proxy.stop(true)
}, 20_000)

test('a file that is not there stops the start', async () => {
  await expect(gateway(`${mock.url}/v1`, { tollgate: { egress: { ca: '/nowhere/ca.crt' } } })).rejects.toThrow(
    "tollgate.egress.ca: /nowhere/ca.crt can't be read (ENOENT)",
  )
}, 20_000)
