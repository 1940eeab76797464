/**
 * Patience with both sides. A slow reader slows the upstream: of a stream of 100 MB, neither the gateway nor the wire
 * holds more than a little. A silent upstream is waited for.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { connect } from 'node:net'
import { residentBytes } from '../support/memory.ts'
import { send, startWorld, type World } from './world.ts'

const MB = 1024 * 1024

let world: World
/** Silences of 12 s (Bun alone would cut at 10 s), under way while the rest is tested. */
let silences: Promise<[string, number, string]>[]

beforeAll(async () => {
  world = await startWorld(12, ['big:100', 'silent:12000', 'slowheaders:12000'])
  const asked: [string, 'openai' | 'ollama', boolean][] = [
    ['openai/silent:12000', 'openai', true],
    ['ollama/silent:12000', 'ollama', true],
    ['openai/slowheaders:12000', 'openai', true],
    ['ollama/slowheaders:12000', 'ollama', false],
  ]
  silences = asked.map(async ([model, caller, stream]): Promise<[string, number, string]> => {
    const reply = await send(world, caller, model, stream)
    return [`${model}, ${stream ? 'streamed' : 'whole'}`, reply.status, await reply.text()]
  })
})
afterAll(() => world.stop())

const WAYS = [
  ['openai', '/v1/chat/completions', /data: \[DONE\]/],
  ['ollama', '/api/chat', /"done":true/],
  ['ollama', '/v1/chat/completions', /data: \[DONE\]/],
] as const

test.each(WAYS)(
  '%s for %s',
  async (provider, path, end) => {
    const { mock, gateway } = world
    const model = `${provider}!big:100`
    const before = mock.of(model).length
    const body = JSON.stringify({
      model: `${provider}/big:100`,
      stream: true,
      messages: [{ role: 'user', content: 'Hi' }],
    })
    const head = `POST ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${gateway.masterKey}\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n`
    let received = 0
    let tail = Buffer.alloc(0)
    const socket = connect({ port: gateway.port, host: '127.0.0.1' }, () => socket.write(head + body))
    const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()))
    socket.on('data', (part: Buffer) => {
      received += part.length
      tail = Buffer.concat([tail, part]).subarray(-400)
    })
    await mock.until(() => (mock.of(model)[before]?.sold.completion ?? 0) > 0)
    const seen = mock.of(model)[before]!
    while (received < 2 * MB) await Bun.sleep(1)
    socket.pause()
    const base = residentBytes(gateway.pid)
    // Buffers on the way fill up; then nothing moves any more.
    let sold = -1
    for (const began = Date.now(); sold !== seen.sold.completion && Date.now() - began < 5_000; ) {
      sold = seen.sold.completion
      await Bun.sleep(300)
    }
    // A token is 1 kB. Sockets of the kernel hold a few MB on each side.
    expect((seen.sold.completion * 1024 - received) / MB).toBeLessThan(32)
    await Bun.sleep(500)
    expect(seen.sold.completion).toBe(sold)
    expect((residentBytes(gateway.pid) - base) / MB).toBeLessThan(40)

    socket.resume()
    await closed
    expect(received / MB).toBeGreaterThan(100)
    expect(tail.toString()).toMatch(end)
    // Two more than what was resident at the pause: garbage of a run at full speed is collected in its own time.
    expect((residentBytes(gateway.pid) - base) / MB).toBeLessThan(150)
  },
  60_000,
)

test('a silence of 12 s, before the headers or in the middle, breaks nothing', async () => {
  for (const [name, status, body] of await Promise.all(silences)) {
    expect([name, status, body]).toEqual([name, 200, expect.stringContaining('größer11')])
    expect([name, body]).toEqual([name, expect.stringMatching(/\[DONE\]|"done":true/)])
  }
}, 30_000)
