/** What leaves the house, at real peers: syslog over TLS, checkpoints at a webhook, and a key that signs under another seal. */
import { afterAll, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createServer, type TLSSocket } from 'node:tls'
import { type Mock, startMock } from '../mock/upstream.ts'
import { makeAuthority } from '../support/authority.ts'
import { startGateway } from '../support/gateway.ts'
import { makeTemp, removeTemp } from '../support/temp.ts'
import { runTollgate } from '../support/tollgate.ts'

const dir = makeTemp('outside')
const ends: (() => unknown)[] = [() => removeTemp(dir)]
afterAll(async () => {
  for (const end of ends.reverse()) await end()
})

const model = (mock: Mock) => ({
  model_list: [{ model_name: 'm', litellm_params: { model: 'openai/m', api_base: `${mock.url}/v1`, api_key: 'k' } }],
})
const chat = { model: 'm', messages: [{ role: 'user', content: 'x' }] }

async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !holds(); i++) await Bun.sleep(20)
  expect(holds()).toBe(true)
}

/** A receiver of syslog over TLS (RFC 5425), with a certificate of this authority. */
async function receiver(authority: Awaited<ReturnType<typeof makeAuthority>>, ip = '127.0.0.1') {
  const parts: Buffer[] = []
  const sockets = new Set<TLSSocket>()
  const server = createServer(await authority.issue('logs', { ip: [ip] }), (socket) => {
    sockets.add(socket)
    socket.on('data', (data) => parts.push(data as Buffer))
    socket.on('error', () => {})
  })
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  ends.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return {
    url: `tls://127.0.0.1:${(server.address() as { port: number }).port}`,
    text: () => Buffer.concat(parts).toString(),
  }
}

test('syslog over TLS goes to whom the authority vouches for, and to nobody else', async () => {
  const [own, other] = [await makeAuthority('Own CA'), await makeAuthority('Other CA')]
  const [right, strange, misnamed] = [await receiver(own), await receiver(other), await receiver(own, '10.9.9.9')]
  const ca = join(dir, 'own-ca.pem')
  writeFileSync(ca, own.ca)
  const mock = await startMock({ words: 3 })
  ends.push(() => mock.stop())
  for (const { url, text } of [right, strange, misnamed]) {
    const gateway = await startGateway({
      yaml: { ...model(mock), tollgate: { unpriced: 'allow', egress: { ca }, audit: { syslog: url } } },
    })
    expect((await gateway.call('POST', '/v1/chat/completions', chat)).status).toBe(200)
    if (text === right.text) {
      await until(() => text().includes('|request:ok|'))
      const [frame = ''] = text().split('\n')
      const octets = Number(frame.slice(0, frame.indexOf(' ')))
      const first = Buffer.from(text())
        .subarray(String(octets).length + 1, String(octets).length + 1 + octets)
        .toString()
      expect(first).toMatch(/^<\d+>1 \S+ \S+ tollgate \d+ (requests|admin) - CEF:0\|Tollgate\|.*\S$/)
    } else {
      await until(() => gateway.logs().includes('The syslog server cannot be reached'))
      expect(text()).toBe('')
    }
    await gateway.stop()
  }
}, 60_000)

test('checkpoints at a webhook: tried again while it fails, signed, and what is cut off is found with them', async () => {
  const lines: string[] = []
  let refusals = 2
  const keeper = Bun.serve({
    ...{ port: 0, hostname: '127.0.0.1' },
    fetch: async (request) => {
      const text = await request.text()
      if (refusals-- > 0) return new Response('later', { status: 503 })
      lines.push(text)
      return new Response('', { status: 204 })
    },
  })
  ends.push(() => keeper.stop(true))
  const mock = await startMock({ words: 3 })
  ends.push(() => mock.stop())
  const dataDir = makeTemp('anchored')
  ends.push(() => removeTemp(dataDir))
  const webhook = `http://127.0.0.1:${keeper.port}/anchors`
  const audit = { checkpoint_entries: 2, anchors: { webhook } }
  const yaml = { ...model(mock), tollgate: { unpriced: 'allow', audit } }
  const gateway = await startGateway({ yaml, dataDir })
  for (let i = 0; i < 6; i++) await gateway.call('POST', '/v1/chat/completions', chat)
  await until(() => lines.some((line) => line.includes('"requests"')))
  await gateway.stop()
  const anchors = join(dir, 'anchors.jsonl')
  writeFileSync(anchors, lines.join('\n'))
  const verify = () => runTollgate(['audit', 'verify', '--data', dataDir, '--anchors', anchors], {})
  expect((await verify()).code).toBe(0)
  const newest = lines.map((line) => JSON.parse(line)).findLast(({ chain }) => chain === 'requests')
  writeFileSync(anchors, `${lines.join('\n').replaceAll(`"seq":${newest.seq},`, `"seq":${newest.seq + 1},`)}\n`)
  const told = await verify()
  expect([told.code, told.err]).toEqual([1, expect.stringContaining("not signed by this gateway's key")])
}, 60_000)

test('the key that signs is sealed anew with another seal_key, stays the same, and is needed to start', async () => {
  const mock = await startMock({ words: 3 })
  ends.push(() => mock.stop())
  const dataDir = makeTemp('resealed')
  ends.push(() => removeTemp(dataDir))
  const [first, second] = ['a', 'b'].map((one) => Buffer.alloc(32, one).toString('base64'))
  const start = (tollgate: Record<string, unknown>) =>
    startGateway({ yaml: { ...model(mock), tollgate: { unpriced: 'allow', ...tollgate } }, dataDir })
  const keyOf = async () => (await runTollgate(['audit', 'key', '--data', dataDir], {})).out
  let gateway = await start({ seal_key: first })
  await gateway.stop()
  const key = await keyOf()
  gateway = await start({ seal_key: second, seal_keys_before: [first] })
  await until(() => gateway.logs().includes('are needed no more'))
  await gateway.stop()
  gateway = await start({ seal_key: second })
  await gateway.call('POST', '/v1/chat/completions', chat)
  await gateway.stop()
  expect(await keyOf()).toBe(key)
  const kept = join(dir, 'key.pem')
  writeFileSync(kept, key)
  const { code, out } = await runTollgate(['audit', 'verify', '--data', dataDir, '--public-key', kept], {})
  expect([code, out]).toEqual([0, expect.stringContaining('The audit is whole.')])
  await expect(start({ seal_key: first })).rejects.toThrow('seal_keys_before')
}, 60_000)
