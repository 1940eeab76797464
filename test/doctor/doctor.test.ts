/** The doctor on set-ups that are well and on such as are not: each finding is made to appear and to go away. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { chmodSync, writeFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import type { Finding } from '../../src/cli/doctor/finding.ts'
import { ollamas, ownAddresses } from '../../src/cli/doctor/ollama.ts'
import { askOf, holders, routes } from '../../src/cli/doctor/running.ts'
import { modeOf, plainSecrets } from '../../src/cli/doctor/secrets.ts'
import { encryption } from '../../src/cli/doctor/tls.ts'
import { type Mock, startMock } from '../mock/upstream.ts'
import { makeAuthority } from '../support/authority.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { makeTemp, removeTemp } from '../support/temp.ts'
import { runTollgate } from '../support/tollgate.ts'

const of = (findings: readonly Finding[], id: string): Finding | undefined => findings.find((one) => one.id === id)
const levels = (findings: readonly Finding[]): Record<string, string> =>
  Object.fromEntries(findings.map(({ id, level }) => [id, level]))

const MASTER = 'sk-master-from-the-environment'
const temp = makeTemp('doctor')
let mock: Mock
let bad: Gateway
let good: Gateway
beforeAll(async () => {
  mock = await startMock()
  const local = { model_name: 'local', litellm_params: { model: 'ollama/local', api_base: mock.url } }
  // Whoever comes from this machine is let in, without a key.
  bad = await startGateway({
    yaml: {
      model_list: [local],
      tollgate: {
        auth: [{ api_key: {} }, { ip: { allow: ['127.0.0.1'], as: { user: 'lobby' } } }],
        unpriced: 'allow',
      },
    },
  })
  good = await startGateway({
    yaml: {
      general_settings: { master_key: 'os.environ/MASTER' },
      model_list: [local],
      litellm_settings: { max_budget: 10, budget_duration: '1mo' },
      tollgate: {
        allow_from: { manage: ['127.0.0.1'] },
        egress: { only: ['127.0.0.0/8'] },
        admin: { require_mfa: true },
      },
    },
    env: { MASTER },
  })
})
afterAll(async () => {
  await Promise.all([bad.stop(), good.stop()])
  mock.stop()
  removeTemp(temp)
})

const manage = (path: string, body: unknown) =>
  fetch(good.url + path, { method: 'POST', headers: { authorization: `Bearer ${MASTER}` }, body: JSON.stringify(body) })

const doctor = async (gateway: Gateway, words: string[] = [], env: Record<string, string> = {}) => {
  const where = ['--url', gateway.url, '--config', gateway.configFile, '--data', gateway.dataDir]
  const { code, out, err } = await runTollgate(['doctor', ...where, ...words, '--json'], env)
  if (!out) throw new Error(err)
  return { code, text: out, ...(JSON.parse(out) as { errors: number; warnings: number; findings: Finding[] }) }
}

test('a set-up that is well: nothing to mend now, and 0', async () => {
  chmodSync(good.configFile, 0o600)
  const { code, errors, findings, text } = await doctor(good, [], { MASTER })
  expect(findings.filter(({ level }) => level === 'error')).toEqual([])
  expect([code, errors]).toEqual([0, 0])
  expect(levels(findings)).toMatchObject({
    ...{ 'secrets.plain': 'ok', 'files.config': 'ok', 'files.data': 'ok', 'files.pepper': 'ok', 'tls.none': 'note' },
    ...{
      'routes.closed': 'ok',
      'keys.expiry': 'ok',
      'budget.gateway': 'ok',
      'roles.admins': 'ok',
      'auth.manage': 'ok',
    },
    ...{
      'egress.only': 'ok',
      'mfa.required': 'ok',
      'ollama.closed': 'ok',
      'backups.unknown': 'note',
      'alerts.channels': 'note',
      'audit.anchors': 'note',
      'guardrails.default': 'note',
    },
  })
  expect(text).not.toContain(MASTER)
})

test('one that is not: named, with why and a way out, and 1', async () => {
  chmodSync(bad.configFile, 0o644)
  chmodSync(bad.dataDir, 0o755)
  const { code, findings, text } = await doctor(bad)
  expect(code).toBe(1)
  expect(levels(findings)).toMatchObject({
    ...{ 'secrets.plain': 'warn', 'files.config': 'error', 'files.data': 'error', 'routes.open': 'error' },
    ...{ 'budget.gateway': 'warn', 'budget.unpriced': 'warn', 'mfa.required': 'warn' },
  })
  expect(of(findings, 'secrets.plain')?.what).toMatch(
    /^general_settings\.master_key stands in the clear in .+, line \d+\.$/,
  )
  expect(of(findings, 'files.config')?.fix).toBe(`chmod 600 ${bad.configFile}`)
  for (const { level, why, fix } of findings)
    if (level === 'warn' || level === 'error') expect([typeof why, typeof fix]).toEqual(['string', 'string'])
  expect(text).not.toContain(bad.masterKey)
})

test('what is only to be mended some time counts where that is asked for', async () => {
  await manage('/key/generate', { key_alias: 'for-ever' })
  const usual = await doctor(good, [], { MASTER })
  expect([usual.code, of(usual.findings, 'keys.expiry')?.what]).toEqual([0, '1 of 1 keys never expire: for-ever.'])
  expect((await doctor(good, ['--fail-on', 'warn'], { MASTER })).code).toBe(1)
  expect((await runTollgate(['doctor', '--fail-on', 'never'], {})).code).toBe(2)
})

test('without the key, or without a gateway, it says what was left out', async () => {
  const keyless = await doctor(good, [], { MASTER: '' })
  expect(levels(keyless.findings)).toMatchObject({ 'config.wrong': 'warn', 'gateway.key': 'warn' })
  const { code, out } = await runTollgate(['doctor', '--url', 'http://127.0.0.1:1', '--data', temp], {})
  expect(code).toBe(0)
  expect(out).toContain('gateway.away: No gateway answers at http://127.0.0.1:1.')
  expect(out).toMatch(/\d+ to mend now, \d+ to mend, \d+ to know, \d+ well\.$/m)
})

test('keys, roles and budgets of the gateway that runs', async () => {
  const ask = askOf(good.url)
  for (const user_id of ['a', 'b', 'c', 'd']) await manage('/user/new', { user_id, user_role: 'proxy_admin' })
  const found = await holders(ask, MASTER)
  expect(levels(found)['budget.gateway']).toBe('ok')
  const none = await routes(ask, 'sk-wrong-master-key')
  expect(levels(none)).toEqual({ 'routes.unknown': 'warn' })
})

describe('secrets in the clear', () => {
  test('settings are named with their lines, values never', () => {
    const text = [
      'general_settings:',
      '  master_key: sk-plain-master',
      '  key_header: X-Key',
      'model_list:',
      '  - model_name: m',
      '    litellm_params: { model: openai/m, api_key: sk-plain-provider }',
      '  - { model_name: n, litellm_params: { model: openai/n, api_key: os.environ/KEY } }',
      '  - { model_name: o, litellm_params: { model: openai/o, api_key: "file:/run/secrets/o" } }',
      'tollgate:',
      '  tls: { cert: site.crt, key: /etc/site.key }',
      '  auth: [{ jwt: { secret: a-shared-secret-in-the-clear, issuer: x } }]',
    ].join('\n')
    const found = plainSecrets(text)
    expect(found).toEqual([
      { path: 'general_settings.master_key', line: 2 },
      { path: 'model_list.0.litellm_params.api_key', line: 6 },
      { path: 'tollgate.auth.0.jwt.secret', line: 11 },
    ])
    expect(JSON.stringify(found)).not.toContain('plain')
  })

  test('files that others may read or write', () => {
    const file = join(temp, 'some.yaml')
    writeFileSync(file, 'x')
    for (const [mode, secret, level] of [
      [0o600, true, 'ok'],
      [0o640, true, 'error'],
      [0o644, false, 'ok'],
      [0o664, false, 'error'],
    ] as const) {
      chmodSync(file, mode)
      expect([mode, secret, modeOf('x', file, secret)[0]?.level]).toEqual([mode, secret, level])
    }
  })
})

describe('encryption', () => {
  const serve = async (days: number, options: Record<string, unknown> = {}) => {
    const { cert, key } = await (await makeAuthority()).issue('localhost', {
      dns: ['localhost'],
      ip: ['127.0.0.1'],
      days,
    })
    const server = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      tls: { cert, key, ...options },
      fetch: () => new Response(''),
    })
    const found = await encryption(new URL(`https://127.0.0.1:${server.port}`), Date.now())
    await server.stop(true)
    return found
  }

  test('versions, end and chain are those of a handshake', async () => {
    const found = await serve(90)
    expect(levels(found)).toEqual({ 'tls.versions': 'ok', 'tls.expiry': 'ok', 'tls.chain': 'warn' })
    expect(of(found, 'tls.versions')?.what).toBe('It takes TLSv1.2 and TLSv1.3 only.')
    expect(of(found, 'tls.chain')?.what).toMatch(/not trusted by this machine \([A-Z_]+/)
  })

  test('one that ends soon, or has ended', async () => {
    expect(of(await serve(5), 'tls.expiry')).toMatchObject({ level: 'warn', what: 'The certificate ends in 4 days.' })
    const found = await encryption(new URL('https://127.0.0.1:1'), Date.now())
    expect(levels(found)).toEqual({ 'tls.none': 'error' })
  })

  test('no encryption is a word at the loopback, and an error elsewhere', async () => {
    expect(levels(await encryption(new URL('http://127.0.0.1:4000'), 0))).toEqual({ 'tls.none': 'note' })
    expect(levels(await encryption(new URL('http://192.0.2.7:4000'), 0))).toEqual({ 'tls.none': 'error' })
  })
})

describe('an Ollama past the gateway', () => {
  const beyond = Object.values(networkInterfaces())
    .flat()
    .filter((one) => one && !one.internal && one.family === 'IPv4')
    .map((one) => one?.address ?? '')

  test('bound to the loopback it is closed', async () => {
    expect(levels(await ollamas([mock.url]))).toEqual({ 'ollama.closed': 'ok' })
  })

  test('bound to all addresses it is open, and the commands that close it are told', async () => {
    // Another address of this machine: one of its network, or where there is none, of the loopback.
    const addresses = beyond.length > 0 ? ownAddresses() : ['127.0.0.2']
    const server = Bun.serve({ port: 0, hostname: '0.0.0.0', fetch: () => new Response('Ollama is running') })
    const { port } = server
    const found = await ollamas([`http://localhost:${port}`], addresses)
    await server.stop(true)
    expect(levels(found)).toEqual({ 'ollama.open': 'error' })
    expect(found[0]?.what).toContain(`:${port}`)
    for (const part of [`OLLAMA_HOST=127.0.0.1:${port}`, 'nft add rule', 'iptables -I INPUT', 'systemctl restart'])
      expect(found[0]?.fix).toContain(part)
  })

  test('one that is away, and one on another machine, are said to be unknown', async () => {
    expect(levels(await ollamas(['http://127.0.0.1:1']))).toEqual({ 'ollama.away': 'note' })
    expect(levels(await ollamas(['http://192.0.2.77:11434'], ['192.0.2.5']))).toEqual({ 'ollama.elsewhere': 'note' })
    expect(levels(await ollamas([]))).toEqual({ 'ollama.none': 'note' })
  })
})
