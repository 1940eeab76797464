/** Where may be connected to: names, ranges, and names that lead elsewhere. */
import { afterAll, expect, test } from 'bun:test'
import { createHash, X509Certificate } from 'node:crypto'
import { type EgressRules, patternOf, whyNotAddress, whyNotName } from '../../src/upstream/egress.ts'
import { isProxied } from '../../src/upstream/proxies.ts'
import { type Trust, type WayOutOptions, WaysOut } from '../../src/upstream/way-out.ts'
import { makeAuthority } from '../support/authority.ts'

const rules = (only?: string[], own: string[] = []): EgressRules => ({
  only: only?.map(patternOf),
  private: own.map(patternOf),
})
const to = (host: string, named = false, port = '443') => ({ host, port, named })

test.each([
  ['api.openai.com', '104.18.7.192', false, undefined],
  ['api.openai.com', '10.0.0.7', false, 'private address 10.0.0.7'],
  ['api.openai.com', '127.0.0.1', false, 'private address'],
  ['api.openai.com', '::1', false, 'private address'],
  ['api.openai.com', '::ffff:10.0.0.7', false, 'private address'],
  ['api.openai.com', '169.254.169.254', false, 'no model is'],
  ['gpu1.lan', '10.0.0.7', true, undefined],
  ['gpu1.lan', 'fd12:3456::1', true, undefined],
  ['gpu1.lan', '127.0.0.1', true, undefined],
  ['gpu1.lan', '169.254.169.254', true, 'no model is'],
  ['gpu1.lan', 'fd00:ec2::254', true, 'no model is'],
  ['gpu1.lan', 'fe80::1', true, 'no model is'],
  ['gpu1.lan', '0.0.0.0', true, 'no model is'],
  ['gpu1.lan', '224.0.0.1', true, 'no model is'],
  ['169.254.169.254', '169.254.169.254', true, 'no model is'],
  ['127.0.0.1', '127.0.0.1', true, undefined],
])('%s at %s, named by the operator: %j', (host, address, named, told) => {
  const why = whyNotAddress(rules(), to(host, named), address)
  told === undefined ? expect(why).toBeUndefined() : expect(why).toContain(told)
})

test('a private end of a cloud may be named, by host or by range; metadata by range only', () => {
  const amazon = to('bedrock-runtime.eu-central-1.amazonaws.com')
  expect(whyNotAddress(rules(undefined, ['*.amazonaws.com']), amazon, '10.0.0.7')).toBeUndefined()
  expect(whyNotAddress(rules(undefined, ['10.0.0.0/8']), amazon, '10.0.0.7')).toBeUndefined()
  expect(whyNotAddress(rules(undefined, ['*.amazonaws.com']), amazon, '169.254.169.254')).toContain('no model is')
  expect(whyNotAddress(rules(undefined, ['169.254.0.0/16']), amazon, '169.254.1.2')).toBeUndefined()
})

test('a list of hosts is all there is', () => {
  const some = rules(['api.openai.com', '*.azure.com', 'gpu1.lan:11434'])
  expect(whyNotName(some, to('api.openai.com'))).toBeUndefined()
  expect(whyNotName(some, to('eu.openai.azure.com'))).toBeUndefined()
  expect(whyNotName(some, to('azure.com'))).toContain('tollgate.egress.only')
  expect(whyNotName(some, to('evil-azure.com'))).toContain('tollgate.egress.only')
  expect(whyNotName(some, to('api.openai.com.evil.com'))).toContain('tollgate.egress.only')
  expect(whyNotName(some, to('gpu1.lan', true, '11434'))).toBeUndefined()
  expect(whyNotName(some, to('gpu1.lan', true, '22'))).toContain('tollgate.egress.only')
  const ranged = rules(['104.18.0.0/16'])
  expect(whyNotAddress(ranged, to('api.openai.com'), '104.18.7.192')).toBeUndefined()
  expect(whyNotAddress(ranged, to('api.openai.com'), '8.8.8.8')).toContain('tollgate.egress.only')
})

test('proxies, as curl understands the environment', () => {
  const env = { HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: 'localhost,.lan, 10.0.0.7 ,example.com:8443' }
  expect(isProxied(env, true, 'api.openai.com', '443')).toBe(true)
  expect(isProxied(env, false, 'api.openai.com', '80')).toBe(false)
  expect(isProxied(env, true, 'gpu1.lan', '443')).toBe(false)
  expect(isProxied(env, true, 'gpulan', '443')).toBe(true)
  expect(isProxied(env, true, '10.0.0.7', '443')).toBe(false)
  expect(isProxied(env, true, 'example.com', '443')).toBe(true)
  expect(isProxied(env, true, 'example.com', '8443')).toBe(false)
  expect(isProxied({ all_proxy: 'http://p', no_proxy: '*' }, true, 'x.org', '443')).toBe(false)
  expect(isProxied({}, true, 'x.org', '443')).toBe(false)
})

const authority = await makeAuthority()
const site = await authority.issue('api', { dns: ['api.tollgate.test'] })
const seen: { host: string | null; url: string }[] = []
const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  tls: { cert: site.cert, key: site.key },
  fetch: (request, server) => {
    seen.push({ host: request.headers.get('host'), url: request.url })
    if (server.upgrade(request)) return undefined
    if (request.url.endsWith('/away'))
      return new Response(null, { status: 307, headers: { location: 'https://evil.test/' } })
    return new Response('here')
  },
  websocket: { message: (ws, text) => void ws.send(text) },
})
const plain = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: (r) => new Response(r.headers.get('host')) })
afterAll(async () => {
  await server.stop(true)
  await plain.stop(true)
})

const trust = (more: Partial<Trust> = {}): Trust => ({
  ...{ ca: [authority.ca], cert: undefined, key: undefined, pins: undefined },
  ...more,
})
const origin = `https://api.tollgate.test:${server.port}`
const ways = (more: Partial<WayOutOptions> = {}) =>
  new WaysOut({
    ...{ rules: rules(), env: {}, now: Date.now, trustOf: () => trust() },
    ...more,
    addressesOf: more.addressesOf ?? (async () => ['127.0.0.1']),
  })
const get = (way: ReturnType<WaysOut['of']>, path = '/v1/x') => way.fetch(origin + path, { method: 'POST', body: 'x' })

test('the name stands in Host and in the handshake, the address is the one that was judged', async () => {
  const way = ways().of(origin, true)
  seen.length = 0
  expect(await (await get(way)).text()).toBe('here')
  expect(seen).toEqual([{ host: `api.tollgate.test:${server.port}`, url: `${origin}/v1/x` }])
  expect((await get(way, '/away')).status).toBe(307)
  const http = ways().of(`http://api.tollgate.test:${plain.port}`, true)
  const answer = await http.fetch(`http://api.tollgate.test:${plain.port}/`, {})
  expect(await answer.text()).toBe(`api.tollgate.test:${plain.port}`)
})

test('a name that leads elsewhere the second time is caught before anything is sent', async () => {
  let clock = 0
  const answers = [['127.0.0.1'], ['169.254.169.254'], ['127.0.0.1', '10.9.9.9']]
  const asked: number[] = []
  const way = ways({
    now: () => clock,
    addressesOf: async () => {
      asked.push(clock)
      return answers[Math.min(asked.length - 1, 2)] as string[]
    },
  }).of(origin, true)
  await get(way)
  await get(way)
  expect(asked).toEqual([0])
  // Half a minute later it is looked up again; the last good answer serves meanwhile, and the bad one never.
  clock = 31_000
  await get(way)
  await Bun.sleep(10)
  seen.length = 0
  clock = 31_100
  // Among several addresses one that is not public is enough, where the operator did not name the host.
  const cloud = ways({ addressesOf: async () => ['8.8.8.8', '10.9.9.9'] }).of(origin, false)
  await expect(get(cloud)).rejects.toMatchObject({ code: 'EgressRefused' })
  expect(seen).toEqual([])
  expect(asked).toEqual([0, 31_000])
})

test('after a bad answer nothing goes out until a good one comes', async () => {
  let found = ['169.254.169.254']
  const way = ways({ addressesOf: async () => found }).of(origin, true)
  await expect(get(way)).rejects.toThrow('where no model is')
  await expect(get(way)).rejects.toMatchObject({ code: 'EgressRefused' })
  found = ['127.0.0.1']
  expect((await get(way)).status).toBe(200)
})

test('a name that is not on the list is not even looked up', async () => {
  let looked = 0
  const way = ways({
    rules: rules(['other.test']),
    addressesOf: async () => {
      looked++
      return ['127.0.0.1']
    },
  }).of(origin, true)
  await expect(get(way)).rejects.toThrow('tollgate.egress.only')
  expect(looked).toBe(0)
})

test('name servers that fall silent: what was found last serves for ten minutes', async () => {
  let clock = 0
  let silent = false
  const way = ways({
    now: () => clock,
    addressesOf: async () => {
      if (silent) throw Object.assign(new Error('queryA ESERVFAIL'), { code: 'ENOTFOUND' })
      return ['127.0.0.1']
    },
  }).of(origin, true)
  await get(way)
  silent = true
  clock = 9 * 60_000
  expect((await get(way)).status).toBe(200)
  clock = 11 * 60_000
  await expect(get(way)).rejects.toThrow('ESERVFAIL')
})

test('an address where nobody listens: another of them is asked, and from then on first', async () => {
  const way = ways({ addressesOf: async () => ['127.0.0.2', '127.0.0.3', '127.0.0.1'] }).of(origin, true)
  seen.length = 0
  expect((await get(way)).status).toBe(200)
  expect((await way.address()).host).toBe('127.0.0.1')
  expect(seen.length).toBe(1)
  const gone = ways({ addressesOf: async () => ['127.0.0.2', '127.0.0.3'] }).of(origin, true)
  await expect(get(gone)).rejects.toThrow()
})

test('an authority that is not ours, another name, another key: no request is sent', async () => {
  seen.length = 0
  await expect(get(ways({ trustOf: () => undefined }).of(origin, true))).rejects.toThrow()
  const other = `https://other.tollgate.test:${server.port}`
  await expect(ways().of(other, true).fetch(`${other}/`, {})).rejects.toThrow()
  const key = new X509Certificate(site.cert).publicKey.export({ type: 'spki', format: 'der' })
  const pin = createHash('sha256').update(key).digest('base64')
  expect((await get(ways({ trustOf: () => trust({ pins: [pin] }) }).of(origin, true))).status).toBe(200)
  const before = seen.length
  const strange = createHash('sha256').update('another').digest('base64')
  await expect(get(ways({ trustOf: () => trust({ pins: [strange] }) }).of(origin, true))).rejects.toThrow()
  // A pin does not stand in for the name.
  await expect(
    ways({ trustOf: () => trust({ pins: [pin] }) })
      .of(other, true)
      .fetch(`${other}/`, {}),
  ).rejects.toThrow()
  expect(seen.length).toBe(before)
})

test('our own certificate is shown where one is set', async () => {
  const mutual = Bun.serve({
    ...{ port: 0, hostname: '127.0.0.1', fetch: () => new Response('known') },
    tls: { cert: site.cert, key: site.key, ca: authority.ca, requestCert: true, rejectUnauthorized: true },
  })
  const there = `https://api.tollgate.test:${mutual.port}`
  await expect(ways().of(there, true).fetch(`${there}/`, {})).rejects.toThrow()
  const me = await authority.issue('tollgate')
  const way = ways({ trustOf: () => trust({ cert: me.cert, key: me.key }) }).of(there, true)
  expect(await (await way.fetch(`${there}/`, {})).text()).toBe('known')
  await mutual.stop(true)
})

test('a WebSocket goes the same way', async () => {
  const socket = await ways()
    .of(origin, true)
    .socket(`wss://api.tollgate.test:${server.port}/v1/realtime`, { authorization: 'Bearer x' })
  const said = await new Promise((resolve, reject) => {
    socket.onopen = () => socket.send('hello')
    socket.onmessage = ({ data }) => resolve(data)
    socket.onerror = (event) => reject(new Error(String((event as ErrorEvent).message)))
  })
  socket.close()
  expect(said).toBe('hello')
  const bad = ways({ addressesOf: async () => ['169.254.169.254'] }).of(origin, true)
  await expect(bad.socket(`${origin.replace('https', 'wss')}/`, {})).rejects.toMatchObject({ code: 'EgressRefused' })
})
