/** Requests that are too large or not quite HTTP, over raw connections: refused or hung up on, and others go on. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { DOORS, messageOf, raw, startWorld, type World } from './world.ts'

const MB = 1024 * 1024
const LIMIT_MB = 8

let world: World
beforeAll(async () => {
  world = await startWorld({ body_limit_mb: LIMIT_MB })
  // So that what a first request loads is not counted as growth.
  for (const { path, good } of DOORS) await world.post(path, JSON.stringify(good))
})
afterAll(() => world.stop())

const head = (path: string, lines: readonly string[]): string =>
  [`POST ${path} HTTP/1.1`, 'host: gateway', `authorization: Bearer ${world.gateway.masterKey}`, ...lines, '', ''].join(
    '\r\n',
  )

const alive = async (): Promise<void> => {
  const { path, good } = DOORS[0]!
  expect((await world.post(path, JSON.stringify(good))).status).toBe(200)
}

test('a body just below the limit is taken', async () => {
  const content = 'x'.repeat(LIMIT_MB * MB - 1_000)
  const answer = await world.post(
    '/v1/chat/completions',
    JSON.stringify({ model: 'm', messages: [{ role: 'user', content }] }),
  )
  expect(answer.status).toBe(200)
})

test('a management route reads no more than it needs', async () => {
  const answer = await world.post('/key/generate', JSON.stringify({ key_alias: 'x'.repeat(2 * MB) }))
  expect([answer.status, messageOf('openai', answer)]).toEqual([413, expect.stringContaining('1 MB')])
})

const GOOD = JSON.stringify(DOORS[0]!.good)

const ODD: [name: string, lines: () => string[], body: string][] = [
  [
    '10,000 headers',
    () => [...Array(10_000).keys()].map((i) => `x-h${i}: y`).concat(`content-length: ${GOOD.length}`),
    GOOD,
  ],
  ['a negative length', () => ['content-length: -5'], GOOD],
  ['a length that is no number', () => ['content-length: many'], GOOD],
  ['a length of 1e30', () => [`content-length: 1${'0'.repeat(30)}`], GOOD],
  ['a chunk size that is none', () => ['transfer-encoding: chunked'], `zz\r\n${GOOD}\r\n0\r\n\r\n`],
]

test.each(ODD)(
  '%s: refused or hung up on, and never two requests of one',
  async (_, lines, body) => {
    const before = world.mock.requests.length
    const { text, open } = await raw(
      world.gateway.port,
      [head('/v1/chat/completions', [...lines(), 'connection: close']), body],
      3_000,
    )
    const statuses = [...text.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map((m) => Number(m[1]))
    expect(open).toBe(false)
    expect(statuses.length).toBeLessThanOrEqual(1)
    for (const status of statuses) expect([400, 411, 413, 414, 431]).toContain(status)
    expect(text).not.toMatch(/\.ts:\d|node_modules/)
    await alive()
    expect(world.mock.requests.length).toBe(before + 1)
  },
  10_000,
)

test('a caller who stops in the middle of his body and leaves disturbs nobody', async () => {
  const before = world.mock.requests.length
  for (const lines of [[`content-length: ${GOOD.length + 100}`], ['transfer-encoding: chunked']])
    await raw(
      world.gateway.port,
      [head('/v1/chat/completions', lines), lines[0]!.startsWith('t') ? '5\r\n{"mod' : GOOD],
      200,
    )
  await alive()
  expect(world.mock.requests.length).toBe(before + 1)
})

test.each(['a', 'ab', 'llm', 'gateway.example', '127.0.0.1:4000', '[::1]:80'])(
  'the host %s: every route is found',
  async (host) => {
    for (const { path, good } of DOORS) {
      const body = JSON.stringify(good)
      const lines = [
        `POST ${path} HTTP/1.1`,
        `host: ${host}`,
        `authorization: Bearer ${world.gateway.masterKey}`,
        'connection: close',
        `content-length: ${body.length}`,
      ]
      const { text } = await raw(world.gateway.port, [`${lines.join('\r\n')}\r\n\r\n${body}`])
      expect([path, text.slice(0, 12)]).toEqual([path, 'HTTP/1.1 200'])
    }
  },
)
