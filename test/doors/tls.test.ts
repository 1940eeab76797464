/** Encrypted connections of callers: versions, suites, certificates that change, and what is refused. */
import { afterAll, expect, test } from 'bun:test'
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Issued, makeAuthority, writePair } from '../support/authority.ts'
import { freePort, makeTemp } from '../support/temp.ts'
import { type Opened, open, shake, tlsConfig } from './world.ts'

const folder = makeTemp('tls')
const authority = await makeAuthority()
const site = (days?: number): Promise<Issued> =>
  authority.issue('site', { dns: ['localhost'], ip: ['127.0.0.1'], ...(days ? { days } : {}) })
const opened: Opened[] = []
const doors = async (...args: Parameters<typeof open>): Promise<Opened> => {
  const one = await open(...args)
  opened.push(one)
  return one
}
const files = async (name: string) => ({ kind: 'files' as const, ...writePair(folder, name, await site()) })
const trusting = { tls: { ca: authority.ca } }

afterAll(async () => {
  for (const one of opened) await one.stop()
})

test('TLS 1.3 and nothing older, unless told; browsers are told to stay', async () => {
  const { url, port } = await doors(tlsConfig(await files('new')))
  expect(url).toStartWith('https://')
  expect(await shake(port)).toMatchObject({ protocol: 'TLSv1.3' })
  await expect(shake(port, { maxVersion: 'TLSv1.2' })).rejects.toThrow()
  const answer = await fetch(`${url}/`, trusting)
  expect(await answer.text()).toBe('here')
  expect(answer.headers.get('strict-transport-security')).toBe('max-age=31536000')
})

test('TLS 1.2 where it is asked for, with suites that keep past traffic secret only', async () => {
  const { port } = await doors(tlsConfig(await files('old'), { min: '1.2', hsts: 0 }))
  expect(await shake(port)).toMatchObject({ protocol: 'TLSv1.3' })
  const shaken = await shake(port, { maxVersion: 'TLSv1.2' })
  expect(shaken.protocol).toBe('TLSv1.2')
  expect(shaken.cipher).toMatch(/^ECDHE-ECDSA-.*(GCM|POLY1305)/)
  await expect(shake(port, { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA' })).rejects.toThrow()
  await expect(shake(port, { maxVersion: 'TLSv1.1', minVersion: 'TLSv1.1' })).rejects.toThrow()
})

test('another certificate is used when its files change; a pair that does not match is not, and open streams go on', async () => {
  const source = await files('changing')
  const { url, port, told } = await doors(tlsConfig(source))
  const first = await shake(port)
  const stream = await fetch(`${url}/stream`, trusting)
  const other = await site()
  writeFileSync(source.cert, other.cert)
  await until(() => told.some((line) => line.includes('is not the key of the certificate')))
  expect((await shake(port)).fingerprint).toBe(first.fingerprint)
  writeFileSync(source.key, other.key)
  await until(() => told.some((line) => line.startsWith('The certificate is another one now.')))
  expect((await shake(port)).fingerprint).not.toBe(first.fingerprint)
  expect((await stream.text()).trim().split('\n')).toHaveLength(30)
})

test('a WebSocket over TLS, which outlives another certificate', async () => {
  const source = await files('socket')
  const { url, told } = await doors(tlsConfig(source))
  const socket = new WebSocket(`${url.replace('https', 'wss')}/socket`, trusting as never)
  const next = () =>
    new Promise((resolve) => socket.addEventListener('message', ({ data }) => resolve(data), { once: true }))
  await new Promise((resolve, reject) => {
    socket.onopen = resolve
    socket.onerror = (event) => reject(new Error(String((event as ErrorEvent).message)))
  })
  const other = await site()
  writePair(folder, 'socket', other)
  await until(() => told.some((line) => line.startsWith('The certificate is another one now.')))
  const answer = next()
  socket.send('still here')
  expect(await answer).toBe('you said still here')
  socket.close()
})

test('a certificate that ends soon is told of', async () => {
  const where = writePair(folder, 'short', await site(3))
  const { told } = await doors(tlsConfig({ kind: 'files', ...where }))
  expect(told.join('\n')).toContain('The certificate ends soon.')
})

test('without a certificate that can be read nothing is opened', async () => {
  const where = { cert: join(folder, 'none.crt'), key: join(folder, 'none.key') }
  await expect(open(tlsConfig({ kind: 'files', ...where }))).rejects.toThrow("none.crt can't be read (ENOENT)")
  writeFileSync(where.cert, 'no certificate')
  writeFileSync(where.key, 'no key')
  await expect(open(tlsConfig({ kind: 'files', ...where }))).rejects.toThrow('none.crt holds no certificate in PEM')
})

test('one of our own making is kept, is for its names, and its key is closed to others', async () => {
  const dataDir = makeTemp('self')
  const source = { kind: 'self-signed' as const, names: ['localhost', '127.0.0.1'] }
  const first = await doors(tlsConfig(source), { dataDir })
  const second = await doors(tlsConfig(source), { dataDir })
  const shown = await shake(first.port)
  expect((await shake(second.port)).fingerprint).toBe(shown.fingerprint)
  expect(statSync(join(dataDir, 'self-signed.key')).mode & 0o777).toBe(0o600)
  const ca = await Bun.file(join(dataDir, 'self-signed.crt')).text()
  expect(await (await fetch(`${first.url}/`, { tls: { ca } })).text()).toBe('here')
  const third = await doors(tlsConfig({ ...source, names: ['other.example'] }), { dataDir })
  expect((await shake(third.port)).fingerprint).not.toBe(shown.fingerprint)
})

test('plain HTTP leads to HTTPS; what is no page is told, since its key was in the clear', async () => {
  const redirectPort = freePort()
  const { port } = await doors(tlsConfig(await files('redirect'), { redirectPort }))
  const plain = `http://127.0.0.1:${redirectPort}`
  const answer = await fetch(`${plain}/a/b?c=d`, { redirect: 'manual' })
  expect(answer.status).toBe(308)
  expect(answer.headers.get('location')).toBe(`https://127.0.0.1:${port}/a/b?c=d`)
  const posted = await fetch(`${plain}/v1/chat/completions`, { method: 'POST', body: '' })
  expect(posted.status).toBe(403)
  expect(await posted.json()).toMatchObject({ error: { code: 'https_required' } })
  expect((await fetch(`${plain}/.well-known/acme-challenge/x`, { redirect: 'manual' })).status).toBe(308)
})

test('beyond the loopback nothing is opened without encryption, unless the operator says so', async () => {
  await expect(open(undefined, { host: '0.0.0.0' })).rejects.toThrow('0.0.0.0 can be reached from other machines')
  await expect(open(undefined, { host: '::' })).rejects.toThrow('--insecure')
  await expect(open(undefined, { host: '192.168.1.10' })).rejects.toThrow('tollgate.tls')
  expect((await doors(undefined, { host: '0.0.0.0', insecure: true })).url).toStartWith('http://0.0.0.0:')
  for (const host of ['127.0.0.1', '127.1.2.3', 'localhost'])
    expect((await doors(undefined, { host })).port).toBePositive()
  expect((await doors(tlsConfig(await files('outside')), { host: '0.0.0.0' })).url).toStartWith('https://0.0.0.0:')
})

async function until(met: () => boolean): Promise<void> {
  for (let n = 0; n < 400 && !met(); n++) await Bun.sleep(25)
  expect(met()).toBe(true)
}
