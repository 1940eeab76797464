/** Where entries go beside the database: CEF as its specification escapes it, syslog as its RFCs frame it, a file that is moved away. */
import { afterEach, expect, test } from 'bun:test'
import { createSocket } from 'node:dgram'
import { existsSync, readFileSync, renameSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { cefOf, jsonlOf, syslogOf } from '../../src/core/audit-cef.ts'
import { LineFile } from '../../src/observe/line-file.ts'
import { readSyslog, Syslog } from '../../src/observe/syslog.ts'
import { makeTemp } from '../support/temp.ts'

const hooks = { info: () => {}, warn: () => {} }
const ends: (() => void | Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

const until = async (is: () => boolean, what: string) => {
  for (let i = 0; i < 500; i++) {
    if (is()) return
    await Bun.sleep(10)
  }
  throw new Error(`never came: ${what}`)
}

const row = (body: object) => ({
  chain: 1,
  seq: 7,
  at: Date.UTC(2026, 0, 2),
  mac: new Uint8Array(32),
  body: JSON.stringify(body),
})

/** Reads a line of CEF as ArcSight's guide describes it. */
function readCef(line: string): { head: string[]; fields: Record<string, string> } {
  const parts = line.split(/(?<!\\)(?:\\\\)*\|/)
  const head = parts.slice(0, 7).map((part) => part.replaceAll(/\\([\\|])/g, '$1'))
  const rest = parts.slice(7).join('|')
  const fields: Record<string, string> = {}
  for (const [, name = '', text = ''] of rest.matchAll(/(\w+)=((?:\\.|[^\\=])*?)(?=\s\w+=|$)/gs))
    fields[name] = text.replaceAll(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c === 'r' ? '\r' : c))
  return { head, fields }
}

test('CEF is read as it was meant, whatever a caller has put into it', () => {
  const model = 'a|b=c\\d\nCEF:0|x'
  const line = cefOf(
    row({ kind: 'request', id: 'req_1', model, ip: '10.0.0.0', outcome: 'no|t=ok\n', status: 401, cost_nano: 5 }),
    '1.0',
  )
  expect(line.split('\n')).toHaveLength(1)
  const { head, fields } = readCef(line)
  expect(head).toEqual(['CEF:0', 'Tollgate', 'Tollgate', '1.0', 'request:no|t=ok ', 'Request (no|t=ok )', '6'])
  expect(fields).toMatchObject({
    cs1: model,
    cs1Label: 'model',
    src: '10.0.0.0',
    externalId: 'req_1',
    cn1: '5',
    cn1Label: 'cost_nano',
  })
  expect(fields).toMatchObject({ outcome: 'no|t=ok\n', reason: '401', cat: 'requests', deviceExternalId: '7' })
})

test('what ends a text or turns it around is written out', () => {
  const model = 'a\0b\u001b[31m\u0085c\u2028d\u202ee\u007f\tf'
  const line = cefOf(row({ kind: 'request', id: 'req_1', model, outcome: 'a\0\u202eb', status: 200 }), '1')
  expect(line).not.toMatch(/[^\x20-\x7e]/)
  expect(readCef(line).fields.cs1).toBe('a\\u0000b\\u001b[31m\\u0085c\\u2028d\\u202ee\\u007f\\u0009f')
})

test('a message of syslog is one of RFC 5424', () => {
  const text = syslogOf(row({ kind: 'request', id: 'req_1', status: 200, outcome: 'ok' }), {
    host: 'gate way',
    pid: 12,
    version: '1',
  })
  // HEADER = PRI VERSION SP TIMESTAMP SP HOSTNAME SP APP-NAME SP PROCID SP MSGID; no structured data.
  expect(text).toMatch(/^<110>1 2026-01-02T00:00:00\.000Z gateway tollgate 12 requests - CEF:0\|/)
  expect(syslogOf(row({ kind: 'folded' }), { host: 'h', pid: 1, version: '1' })).toStartWith('<108>1 ')
})

test('a line of JSON has the entry, its place and its code', () => {
  expect(JSON.parse(jsonlOf(row({ kind: 'request', id: 'req_1' })))).toMatchObject({
    ...{ chain: 'requests', seq: 7, at: '2026-01-02T00:00:00.000Z', entry: { id: 'req_1' } },
    mac: '0'.repeat(64),
  })
})

interface Receiver {
  server: Server
  port: number
  bytes: Buffer[]
  sockets: Socket[]
}

async function receiver(port = 0): Promise<Receiver> {
  const made: Receiver = { server: createServer(), port: 0, bytes: [], sockets: [] }
  made.server.on('connection', (socket) => {
    made.sockets.push(socket)
    socket.on('data', (data) => made.bytes.push(data as Buffer))
    socket.on('error', () => {})
  })
  await new Promise<void>((resolve) => made.server.listen(port, '127.0.0.1', resolve))
  made.port = (made.server.address() as { port: number }).port
  ends.push(() => {
    for (const socket of made.sockets) socket.destroy()
    made.server.close()
  })
  return made
}

/** RFC 6587, 3.4.1: MSG-LEN SP SYSLOG-MSG. */
function framesIn(bytes: Buffer): string[] {
  const frames: string[] = []
  let at = 0
  while (at < bytes.length) {
    const space = bytes.indexOf(0x20, at)
    const length = Number(bytes.subarray(at, space).toString())
    frames.push(bytes.subarray(space + 1, space + 1 + length).toString())
    at = space + 1 + length
  }
  return frames
}

test('over TCP messages have their octets counted, and none is lost when the server comes later or goes for a while', async () => {
  const first = await receiver()
  const { port } = first
  const syslog = new Syslog(readSyslog(`tcp://127.0.0.1:${port}`), hooks)
  ends.push(() => syslog.stop(100))
  syslog.send('eins ü\nzwei')
  syslog.send('drei')
  await until(() => framesIn(Buffer.concat(first.bytes)).length === 2, 'two messages')
  expect(framesIn(Buffer.concat(first.bytes))).toEqual(['eins ü\nzwei', 'drei'])
  for (const socket of first.sockets) socket.destroy()
  await new Promise((resolve) => first.server.close(resolve))
  await Bun.sleep(50)
  for (let i = 0; i < 100; i++) syslog.send(`spaeter ${i}`)
  expect(syslog.waiting).toBe(100)
  const second = await receiver(port)
  await until(() => framesIn(Buffer.concat(second.bytes)).length === 100, 'a hundred messages')
  expect(framesIn(Buffer.concat(second.bytes)).at(-1)).toBe('spaeter 99')
})

test('what waits for a server that is not there is bounded', async () => {
  const syslog = new Syslog(readSyslog('tcp://127.0.0.1:9'), hooks)
  ends.push(() => syslog.stop(10))
  for (let i = 0; i < 12_000; i++) syslog.send('x')
  expect(syslog.waiting).toBe(10_000)
})

test('over UDP each message is a datagram', async () => {
  const got: string[] = []
  const socket = createSocket('udp4')
  socket.on('message', (bytes) => got.push(bytes.toString()))
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', () => resolve()))
  ends.push(() => {
    socket.close()
  })
  const syslog = new Syslog(readSyslog(`udp://127.0.0.1:${socket.address().port}`), hooks)
  ends.push(() => syslog.stop(10))
  syslog.send('<110>1 one')
  await until(() => got.length === 1, 'a datagram')
  expect(got).toEqual(['<110>1 one'])
})

test('addresses of servers, with and without a port', () => {
  expect(readSyslog('udp://logs.lan')).toEqual({ way: 'udp', host: 'logs.lan', port: 514 })
  expect(readSyslog('TLS://[::1]:7000')).toEqual({ way: 'tls', host: '::1', port: 7000 })
})

test('a file that is moved away is begun anew', () => {
  const path = join(makeTemp('lines'), 'audit.jsonl')
  const file = new LineFile(path, hooks)
  file.write('one\n')
  file.flush()
  renameSync(path, `${path}.1`)
  file.write('two\n')
  file.write('three\n')
  file.close()
  expect(readFileSync(`${path}.1`, 'utf8')).toBe('one\n')
  expect(readFileSync(path, 'utf8')).toBe('two\nthree\n')
})

test('a file that cannot be written is told of once, and what waits comes later', () => {
  const told: string[] = []
  const dir = join(makeTemp('lines'), 'not-yet')
  const path = join(dir, 'audit.jsonl')
  const file = new LineFile(path, { warn: (message) => told.push(message) })
  file.write('one\n')
  file.flush()
  file.write('two\n')
  file.flush()
  expect(told).toHaveLength(1)
  require('node:fs').mkdirSync(dir)
  file.close()
  expect(existsSync(path) && readFileSync(path, 'utf8')).toBe('one\ntwo\n')
})
