/** From the command line: what may listen where, and how it is told. */
import { afterAll, expect, test } from 'bun:test'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { providers } from '../../src/app.ts'
import { load } from '../../src/config/load.ts'
import { makeAuthority, writePair } from '../support/authority.ts'
import { MASTER_KEY } from '../support/gateway.ts'
import { bury, collect, freePort, makeTemp, terminate } from '../support/temp.ts'
import { open } from './world.ts'

const MAIN = join(import.meta.dir, '../../src/main.ts')
const folder = makeTemp('start')
const started: Bun.Subprocess[] = []
afterAll(async () => {
  for (const child of started) await terminate(child, 10_000)
})

/** Starts a gateway; waits until it listens, or has ended. */
async function serve(tollgate: unknown, args: string[], env: Record<string, string> = {}) {
  const config = join(folder, `${Bun.hash(JSON.stringify([tollgate, args, env]))}.yaml`)
  const model = { model_name: 'm', litellm_params: { model: 'demo/m' } }
  await Bun.write(config, stringify({ model_list: [model], general_settings: { master_key: MASTER_KEY }, tollgate }))
  const port = freePort()
  const command = ['serve', '--config', config, '--port', String(port), '--data', join(folder, String(port)), ...args]
  const child = Bun.spawn([process.execPath, MAIN, ...command], {
    ...{ cwd: folder, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' },
    env: { PATH: process.env.PATH ?? '', HOME: folder, ...env },
  })
  bury(child)
  started.push(child)
  const said = collect(child)
  for (let n = 0; n < 400 && child.exitCode === null && !said().includes('Tollgate listens on'); n++)
    await Bun.sleep(25)
  if (child.exitCode !== null) await Bun.sleep(50)
  return { port, child, said }
}

test('all interfaces without encryption: it does not start, and says what can be done', async () => {
  const { child, said } = await serve({}, ['--host', '0.0.0.0'])
  expect(child.exitCode).toBe(1)
  expect(said()).toContain('0.0.0.0 can be reached from other machines')
  expect(said()).toContain('--insecure')
}, 20_000)

test.each([
  ['by a flag', {}, ['--insecure'], {}],
  ['by the environment', {}, [], { TOLLGATE_INSECURE: 'true' }],
  ['by the file', { insecure: true }, [], {}],
] as const)(
  'it starts where the operator says so %s',
  async (_, tollgate, args, env) => {
    const { port, said } = await serve(tollgate, ['--host', '0.0.0.0', ...args], env)
    expect(said()).toContain('Tollgate listens on http://0.0.0.0')
    expect((await fetch(`http://127.0.0.1:${port}/health/liveliness`)).status).toBe(200)
  },
  20_000,
)

test('with a certificate, by LiteLLM’s variables too, a whole request goes by HTTPS', async () => {
  const authority = await makeAuthority()
  const where = writePair(folder, 'site', await authority.issue('site', { dns: ['localhost'], ip: ['127.0.0.1'] }))
  const { port, said } = await serve({}, ['--host', '0.0.0.0'], {
    SSL_CERTFILE_PATH: where.cert,
    SSL_KEYFILE_PATH: where.key,
  })
  expect(said()).toContain('Tollgate listens on https://0.0.0.0')
  const answer = await fetch(`https://127.0.0.1:${port}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${MASTER_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hi' }] }),
    tls: { ca: authority.ca },
  })
  expect(await answer.text()).toContain('chat.completion')
}, 20_000)

test.each([
  [{ cert: 'a.crt' }, 'needs both `cert` and `key`'],
  [{ cert: 'a.crt', key: 'a.key', self_signed: true }, 'more than one source'],
  [{ tls_min: '1.2' }, 'has no certificate'],
  [{ acme: { domains: ['a.example'] } }, 'agree: true'],
  [{ acme: { domains: ['*.a.example'], agree: true } }, 'dns_hook'],
  [{ self_signed: true, client_certs: 'optional' }, 'without a `client_ca`'],
  [{ self_signed: true, tls_minimum: '1.3' }, 'tls_min'],
])('the configuration %j is refused', (tls, told) => {
  const loaded = load(stringify({ tollgate: { tls } }), {}, providers())
  expect(loaded.ok ? '' : JSON.stringify(loaded.errors)).toContain(told)
})

test('a taken redirect port is told, and nothing stays open', async () => {
  const taken = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
  const tls = {
    source: { kind: 'self-signed' as const, names: ['localhost'] },
    min: '1.3' as const,
    clients: undefined,
    hsts: 0,
  }
  await expect(open({ ...tls, redirectPort: taken.port })).rejects.toThrow('redirect_port) is taken')
  taken.stop(true)
})
