/** Callers who show certificates: who they are is known, nobody else comes in, and bytes pass as they would without. */
import { afterAll, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import { makeAuthority, writePair } from '../support/authority.ts'
import { makeTemp } from '../support/temp.ts'
import { type Opened, open, tlsConfig } from './world.ts'

const folder = makeTemp('client-certs')
const authority = await makeAuthority()
const stranger = await makeAuthority('Another CA')
const source = {
  kind: 'files' as const,
  ...writePair(folder, 'site', await authority.issue('site', { dns: ['localhost'], ip: ['127.0.0.1'] })),
}
const ca = join(folder, 'ca.crt')
writeFileSync(ca, authority.ca)
const alice = await authority.issue('alice', { email: ['alice@example.com'], dns: ['alice.example.com'] })
const mallory = await stranger.issue('alice', { email: ['alice@example.com'] })
const as = (shown?: { cert: string; key: string }) => ({ tls: { ca: authority.ca, ...shown } })

const strict = await open(tlsConfig(source, { clients: { ca, required: true } }))
const lenient = await open(tlsConfig(source, { clients: { ca, required: false } }))
afterAll(async () => {
  await strict.stop()
  await lenient.stop()
})

const who = async (doors: Opened, shown?: { cert: string; key: string }) =>
  (await (await fetch(`${doors.url}/who`, as(shown))).json()) as {
    address: string
    certificate?: Record<string, unknown>
  }

test('who showed a good certificate is known by it', async () => {
  const der = Buffer.from(alice.cert.replace(/-----[^-]+-----|\s/g, ''), 'base64')
  expect(await who(strict, alice)).toMatchObject({
    address: '127.0.0.1',
    certificate: {
      commonName: 'alice',
      subject: expect.stringContaining('CN=alice'),
      names: expect.arrayContaining(['DNS:alice.example.com', 'email:alice@example.com']),
      fingerprint: createHash('sha256').update(der).digest('hex'),
    },
  })
  expect((await who(lenient, alice)).certificate?.commonName).toBe('alice')
})

test('without one, or with one of another authority, nobody comes in where it is required', async () => {
  await expect(fetch(`${strict.url}/who`, as())).rejects.toThrow()
  await expect(fetch(`${strict.url}/who`, as(mallory))).rejects.toThrow()
})

test('where it is optional they come in as nobody', async () => {
  expect((await who(lenient)).certificate).toBeUndefined()
  const stranger = await who(lenient, mallory).catch(() => undefined)
  expect(stranger?.certificate).toBeUndefined()
})

test('large bodies both ways, whole', async () => {
  const body = new Uint8Array(8 * 1024 * 1024)
  for (let n = 0; n < body.length; n++) body[n] = (n * 31) & 255
  const echo = await (await fetch(`${strict.url}/echo`, { method: 'POST', body, ...as(alice) })).bytes()
  expect(Bun.hash(echo)).toBe(Bun.hash(body))
  const large = await (await fetch(`${strict.url}/large`, as(alice))).bytes()
  expect(large.byteLength).toBe(20 * 1024 * 1024)
  expect(large.every((byte) => byte === 65)).toBe(true)
})

test('parts of a stream come as they are said', async () => {
  const answer = await fetch(`${strict.url}/stream`, as(alice))
  const parts: number[] = []
  for await (const part of answer.body as ReadableStream<Uint8Array>) if (part.byteLength > 0) parts.push(Date.now())
  expect(parts.length).toBeGreaterThan(10)
})

test('a WebSocket goes through, with a message of a megabyte each way', async () => {
  const socket = new WebSocket(`${strict.url.replace('https', 'wss')}/socket`, as(alice) as never)
  const word = 'x'.repeat(1024 * 1024)
  const said = await new Promise((resolve, reject) => {
    socket.onopen = () => socket.send(word)
    socket.onmessage = ({ data }) => resolve(data)
    socket.onerror = (event) => reject(new Error(String((event as ErrorEvent).message)))
  })
  expect(said).toBe(`you said ${word}`)
  socket.close()
})

test('fifty at once are not mixed up', async () => {
  const people = await Promise.all(Array.from({ length: 10 }, (_, n) => authority.issue(`caller-${n}`)))
  const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => who(strict, people[n % 10])))
  expect(answers.map(({ certificate }) => certificate?.commonName)).toEqual(
    Array.from({ length: 50 }, (_, n) => `caller-${n % 10}`),
  )
})

test('whoever goes round the front by the loopback is refused', async () => {
  // The gateway's own listener has a port of the system's choosing: all of them that are open here are tried.
  const open = await listeningPorts()
  const answers = await Promise.all(open.filter((port) => port !== strict.port && port !== lenient.port).map(plainGet))
  const refused = answers.filter((text) => text.includes('connections that come through the front'))
  expect(refused.length).toBeGreaterThanOrEqual(2)
  expect(answers.filter((text) => text.includes('here'))).toEqual([])
})

async function listeningPorts(): Promise<number[]> {
  const own = new Set<string>()
  for (const fd of new Bun.Glob('*').scanSync({ cwd: '/proc/self/fd', onlyFiles: false })) {
    const link = await import('node:fs').then(({ readlinkSync }) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`)
      } catch {
        return ''
      }
    })
    const inode = /^socket:\[(\d+)\]$/.exec(link)?.[1]
    if (inode) own.add(inode)
  }
  const lines = (await Bun.file('/proc/self/net/tcp').text()).split('\n').slice(1)
  return lines.flatMap((line) => {
    const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/)
    return state === '0A' && own.has(inode) ? [Number.parseInt(local.split(':')[1] ?? '0', 16)] : []
  })
}

const plainGet = (port: number): Promise<string> =>
  new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () =>
      socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'),
    )
    let text = ''
    socket.on('data', (part) => {
      text += part.toString('latin1')
    })
    socket.on('close', () => resolve(text))
    socket.on('error', () => resolve(text))
    socket.setTimeout(3000, () => socket.destroy())
  })
