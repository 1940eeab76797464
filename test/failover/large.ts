/** What is too large, from either side: memory stays bounded. Each part measures a gateway of its own. */
import { expect } from 'bun:test'
import { messageOf, raw, type Shape } from '../http/world.ts'
import { type Mock, startMock } from '../mock/upstream.ts'
import { ask, type Tongue } from '../support/ask.ts'
import { atRest } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { peakBytes, residentBytes } from '../support/memory.ts'
import { type Case, each, FORMS, type Scene } from './scene.ts'
import { answersIn, head } from './wire.ts'
import { deployment, FULL, WORDS } from './world.ts'

const MB = 1024 * 1024
const LIMIT_MB = 8
const BODY_MB = 100
const BLOCK = Buffer.alloc(64 * 1024, 'x')

function* times(count: number, part: Uint8Array, first: string): Generator<Uint8Array | string> {
  yield first
  for (let i = 0; i < count; i++) yield part
}

const SHAPES: [Shape, string][] = [
  ['openai', '/v1/chat/completions'],
  ['ollama', '/api/chat'],
  ['anthropic', '/v1/messages'],
]

/** 100 MB behind a head: as one body, and in chunks. */
const BODIES = {
  'a content-length': (gateway: Gateway, path: string) =>
    times((BODY_MB * MB) / BLOCK.length, BLOCK, head(gateway, path, [`content-length: ${BODY_MB * MB}`])),
  chunks: (gateway: Gateway, path: string) => {
    const chunk = Buffer.concat([Buffer.from(`${BLOCK.length.toString(16)}\r\n`), BLOCK, Buffer.from('\r\n')])
    return times((BODY_MB * MB) / BLOCK.length, chunk, head(gateway, path, ['transfer-encoding: chunked']))
  },
} as const

/** Bodies of 100 MB at a gateway that takes 8. */
export function largeBodies(): Scene {
  let mock: Mock
  let gateway: Gateway
  const alive = async () => expect((await ask(gateway, { model: 'm' })).status).toBe(200)

  const told = (shape: Shape, path: string, how: keyof typeof BODIES) => async () => {
    const { text } = await raw(gateway.port, BODIES[how](gateway, path), 20_000, /\}(\r\n0\r\n\r\n)?$/)
    const [answer] = answersIn(text)
    expect(answer?.status).toBe(413)
    expect(messageOf(shape, { status: 413, headers: answer!.headers, text: answer!.body })).toContain(
      `larger than ${LIMIT_MB} MB`,
    )
    await alive()
  }
  /** Callers who go on writing all the same. */
  const eight = async () => {
    const base = residentBytes(gateway.pid)
    const path = '/v1/chat/completions'
    const all = Array.from({ length: 4 }, () =>
      Object.values(BODIES).map((body) => raw(gateway.port, body(gateway, path), 4_000)),
    )
    for (const { text } of await Promise.all(all.flat())) expect(text).toStartWith('HTTP/1.1 413')
    // Four of them are read up to the limit, in pieces that are joined or let go.
    expect((peakBytes(gateway.pid) - base) / MB).toBeLessThan(4 * 2 * LIMIT_MB + 64)
    await alive()
  }
  const row = { rows: ['100 MB body, chunked'] as const, forms: FORMS }
  return {
    width: 1,
    cases: [
      { ...row, name: 'eight at once', tongues: ['openai'], run: eight },
      ...SHAPES.flatMap(([shape, path]) =>
        (Object.keys(BODIES) as (keyof typeof BODIES)[]).map(
          (how): Case => ({
            ...row,
            name: `${shape}, ${how}`,
            tongues: shape === 'anthropic' ? [] : [shape],
            run: told(shape, path, how),
          }),
        ),
      ),
    ],
    async start() {
      mock = await startMock({ words: WORDS })
      gateway = await startGateway({
        yaml: { model_list: [deployment('m', 'openai', mock.url, 'm')], tollgate: { body_limit_mb: LIMIT_MB } },
      })
      // So that what a first request loads is not counted as growth.
      await alive()
    },
    async stop() {
      await atRest(gateway)
      expect(mock.requests.every((seen) => seen.status === 200)).toBeTrue()
      await gateway.stop()
      mock.stop()
    },
  }
}

/** Events that do not end. */
export function largeEvents(): Scene {
  let mock: Mock
  let gateway: Gateway
  const served = async (tongue: Tongue, stream: boolean) => {
    const before = residentBytes(gateway.pid)
    const said = await ask(gateway, { model: `huge-${tongue}`, tongue, stream })
    expect(said).toMatchObject({ status: 200, whole: true, text: FULL })
    // One event may have 16 MB, in a buffer that doubles.
    if (stream) expect((peakBytes(gateway.pid) - before) / MB).toBeLessThan(160)
  }
  return {
    width: 1,
    cases: [...each(['One event of 48 MB without an end'], served)],
    async start() {
      mock = await startMock({ words: WORDS })
      gateway = await startGateway({
        yaml: {
          model_list: (['openai', 'ollama'] as const).flatMap((tongue) => [
            deployment(`huge-${tongue}`, tongue, mock.url, `huge-${tongue}!bigevent:48`, { order: 0 }),
            deployment(`huge-${tongue}`, tongue, mock.url, 'm', { order: 1 }),
          ]),
          router_settings: { num_retries: 0, disable_cooldowns: true },
          tollgate: { timeouts: { total: 12 }, backends: { [mock.url]: { slots: 1_000 } } },
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
