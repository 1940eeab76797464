/**
 * A caller who reads slowly slows the upstream: of a stream of 100 MB, neither the gateway nor the wire holds more than a
 * little. What the upstream could write is held against what the caller has read.
 */
import { expect } from 'bun:test'
import { type Mock, startMock } from '../mock/upstream.ts'
import type { Tongue } from '../support/ask.ts'
import { atRest } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { residentBytes } from '../support/memory.ts'
import type { Case, Scene } from './scene.ts'
import { chat, speak } from './wire.ts'
import { deployment } from './world.ts'

const MB = 1024 * 1024
/** A token of the mock's then. */
const TOKEN = 1024

/** The caller's dialect → the target's: relayed twice, and translated. */
const WAYS: readonly (readonly [Tongue, Tongue])[] = [
  ['openai', 'openai'],
  ['ollama', 'ollama'],
  ['openai', 'ollama'],
]
const END = { openai: 'data: [DONE]', ollama: '"done":true' } as const

export function slowReaders(): Scene {
  let mock: Mock
  let gateway: Gateway

  async function slow(caller: Tongue, target: Tongue): Promise<void> {
    const model = `${caller}-${target}!big:100`
    const reading = speak(gateway.port, chat(gateway, caller, model, true, 'Hi', ['connection: close']), {
      keep: false,
    })
    const { socket } = reading
    let tail = Buffer.alloc(0)
    socket.on('data', (part: Buffer) => {
      tail = Buffer.concat([tail, part]).subarray(-400)
    })
    await reading.until(() => reading.count() > 2 * MB)
    socket.pause()
    const [seen] = mock.of(model)
    const base = residentBytes(gateway.pid)
    // Buffers on the way fill up; then nothing moves any more.
    let sold = -1
    for (const began = Date.now(); sold !== seen!.sold.completion && Date.now() - began < 5_000; ) {
      sold = seen!.sold.completion
      await Bun.sleep(300)
    }
    // Sockets of the kernel hold a few MB on each side.
    expect((seen!.sold.completion * TOKEN - reading.count()) / MB).toBeLessThan(32)
    await Bun.sleep(500)
    expect(seen!.sold.completion).toBe(sold)
    expect((residentBytes(gateway.pid) - base) / MB).toBeLessThan(40)

    socket.resume()
    await reading.until(reading.ended, 30_000)
    expect(reading.count() / MB).toBeGreaterThan(100)
    expect(tail.toString()).toContain(END[caller])
    // More than what was resident at the pause: garbage of a run at full speed is collected in its own time.
    expect((residentBytes(gateway.pid) - base) / MB).toBeLessThan(150)
  }

  return {
    width: 1,
    cases: WAYS.map(
      ([caller, target]): Case => ({
        rows: ['Slow reader of a huge stream', 'slow reader'],
        name: `${target} for ${caller}`,
        tongues: [target],
        forms: ['streamed'],
        run: () => slow(caller, target),
      }),
    ),
    async start() {
      mock = await startMock({ words: 12 })
      gateway = await startGateway({
        yaml: {
          model_list: WAYS.map(([caller, target]) => {
            const model = `${caller}-${target}!big:100`
            return deployment(model, target, mock.url, model)
          }),
          tollgate: { backends: { [mock.url]: { slots: 1_000 } } },
        },
      })
    },
    async stop() {
      await atRest(gateway)
      await gateway.stop()
      mock.stop()
    },
  }
}
