/** Targets that cannot be reached, all of them failing, and what happens when they come back. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { connect } from 'node:net'
import { wordsFor } from '../mock/answer.ts'
import { startBlackhole } from '../mock/blackhole.ts'
import { type Mock, startMock } from '../mock/upstream.ts'
import { ask, inParallel, type Said, type Tongue } from '../support/ask.ts'
import { atRest } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { peakBytes, residentBytes } from '../support/memory.ts'
import { freePort } from '../support/temp.ts'
import { deployment, FULL, TIMES, UPSTREAM_KEY, WORDS } from './world.ts'

const closed = `http://127.0.0.1:${freePort()}`
const blackhole = await startBlackhole()
/** Aliases of two targets that fail alike, and what their caller is told. */
const BOTH = {
  '503': 'status:503',
  '401': 'echo:401',
  '403': 'echo:403',
  '429': '429:30',
  hang: 'hang',
} as const

let mock: Mock
/** Goes down and comes back. */
let shaky: Mock
let backup: Mock
let gateway: Gateway

beforeAll(async () => {
  mock = await startMock({ words: WORDS })
  shaky = await startMock({ words: WORDS })
  backup = await startMock({ words: WORDS })
  const model_list = [
    ...Object.entries(BOTH).flatMap(([name, fault]) => [
      deployment(name, 'openai', mock.url, `${name}-a!${fault}`),
      deployment(name, 'ollama', mock.url, `${name}-b!${fault}`),
    ]),
    ...[closed, 'http://no-such-host.invalid', blackhole.url].flatMap((url, i) => [
      deployment(`unreachable-${i}`, 'openai', url, 'm', { order: 0 }),
      deployment(`unreachable-${i}`, 'openai', mock.url, 'm', { order: 1 }),
      deployment(`unreachable-ollama-${i}`, 'ollama', url, 'm', { order: 0 }),
      deployment(`unreachable-ollama-${i}`, 'openai', mock.url, 'm', { order: 1 }),
    ]),
    deployment('shaky', 'openai', shaky.url, 'm', { order: 0 }),
    deployment('shaky', 'openai', mock.url, 'm', { order: 1 }),
    deployment('both-down', 'openai', shaky.url, 'm', { order: 0 }),
    deployment('both-down', 'openai', backup.url, 'm', { order: 1 }),
    deployment('flapping', 'openai', mock.url, 'flaps', { order: 0 }),
    deployment('flapping', 'openai', mock.url, 'm', { order: 1 }),
    deployment('huge-openai', 'openai', mock.url, 'huge!bigevent:48', { order: 0 }),
    deployment('huge-openai', 'openai', mock.url, 'm', { order: 1 }),
    deployment('huge-ollama', 'ollama', mock.url, 'huge!bigevent:48', { order: 0 }),
    deployment('huge-ollama', 'openai', mock.url, 'm', { order: 1 }),
    deployment('plain', 'openai', mock.url, 'plain'),
  ]
  gateway = await startGateway({
    yaml: {
      model_list,
      router_settings: { num_retries: 2, cooldown_time: 1 },
      tollgate: { timeouts: { ...TIMES, total: 4 }, backends: { [mock.url]: { slots: 1_000 } } },
    },
  })
})
afterAll(async () => {
  await gateway.stop()
  await blackhole.stop()
  for (const each of [mock, shaky, backup]) each.stop()
})

const FORMS = (['openai', 'ollama'] as const).flatMap((tongue) =>
  [true, false].map((stream): [Tongue, boolean] => [tongue, stream]),
)

const TOLD = [
  ['503', [502, 503], 10_000],
  ['401', [502], 5_000],
  ['403', [502], 5_000],
  ['429', [429], 5_000],
  ['hang', [504], 6_000],
] as const

test.each(TOLD)(
  'all targets fail with %s: an honest status, soon, and no key',
  async (model, statuses, within) => {
    const before = mock.requests.length
    const all = await Promise.all(FORMS.map(([tongue, stream]) => ask(gateway, { tongue, stream, model })))
    for (const said of all) {
      expect(statuses as readonly number[]).toContain(said.status)
      expect(said.ms).toBeLessThan(within)
      expect(said.error).toBeTruthy()
      expect(said.body).not.toContain(UPSTREAM_KEY)
      expect(said.body).not.toMatch(/127\.0\.0\.1|Incorrect API key|at .*\.ts:\d/)
      if (model === '429') expect(Number(said.headers.get('retry-after'))).toBeWithin(1, 31)
    }
    expect(mock.requests.length - before).toBeLessThanOrEqual(4 * all.length)
  },
  20_000,
)

const WHERE = ['refused', 'no such name', 'the connect hangs'] as const

test.each(WHERE.map((name, i) => [name, i] as const))(
  '%s: the backup answers',
  async (_, i) => {
    const all = await Promise.all(
      FORMS.map(([tongue, stream]) =>
        ask(gateway, { tongue, stream, model: tongue === 'openai' ? `unreachable-${i}` : `unreachable-ollama-${i}` }),
      ),
    )
    for (const said of all) {
      expect(said).toMatchObject({ status: 200, whole: true, text: FULL, by: 'openai/m' })
      // 0.5 s to connect, and the time that a busy machine takes.
      expect(said.ms).toBeLessThan(3_000)
    }
  },
  20_000,
)

const served = (said: Said): void => expect(said).toMatchObject({ status: 200, whole: true, text: FULL })

test('an outage: each request is answered, and the primary is back soon after it is well', async () => {
  const one = async (): Promise<string> => {
    const before = shaky.requests.length
    served(await ask(gateway, { model: 'shaky' }))
    return shaky.requests.length > before ? 'primary' : 'backup'
  }
  expect(await one()).toBe('primary')
  shaky.down()
  for (let i = 0; i < 5; i++) expect(await one()).toBe('backup')
  shaky.up()
  const began = performance.now()
  while ((await one()) === 'backup') {
    // cooldown_time is 1 s, and doubles.
    expect(performance.now() - began).toBeLessThan(6_000)
    await Bun.sleep(100)
  }
  for (let i = 0; i < 3; i++) expect(await one()).toBe('primary')
}, 20_000)

test('everything was down: the next request after one is back is served', async () => {
  shaky.down()
  backup.down()
  for (let i = 0; i < 4; i++) {
    const said = await ask(gateway, { model: 'both-down' })
    expect(said.status).toBe(502)
    expect(said.ms).toBeLessThan(3_000)
  }
  backup.up()
  served(await ask(gateway, { model: 'both-down' }))
  shaky.up()
  served(await ask(gateway, { model: 'both-down', stream: true }))
}, 20_000)

test('50 callers while the primary flaps: each gets his own answer, once and whole', async () => {
  mock.plan(
    'flaps',
    Array.from({ length: 200 }, (_, i) => ['ok', 'status:503', 'reset', 'cut:0', 'ok'][i % 5] as string),
  )
  await inParallel([...Array(50).keys()], 50, async (i) => {
    const said = await ask(gateway, { model: 'flapping', stream: i % 2 === 0, text: `caller${i} speaks` })
    expect(said).toMatchObject({ status: 200, whole: true, text: wordsFor(`caller${i}`, WORDS).join('') })
  })
}, 20_000)

test('an event of 48 MB without an end: the backup answers, and memory stays bounded', async () => {
  const before = residentBytes(gateway.pid)
  for (const [model, tongue] of [
    ['huge-openai', 'openai'],
    ['huge-ollama', 'ollama'],
  ] as const)
    served(await ask(gateway, { model, tongue, stream: true }))
  // One event may have 16 MB, in a buffer that doubles.
  expect(peakBytes(gateway.pid) - before).toBeLessThan(160 * 1024 * 1024)
}, 20_000)

test('a caller that shuts its sending side still gets its answer', async () => {
  const body = JSON.stringify({ model: 'plain', messages: [{ role: 'user', content: 'Hi there' }] })
  const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${gateway.masterKey}\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n`
  const text = await new Promise<string>((resolve, reject) => {
    let all = ''
    const socket = connect({ port: gateway.port, host: '127.0.0.1', allowHalfOpen: true }, () =>
      socket.end(head + body),
    )
    socket.setEncoding('utf8').on('data', (part) => {
      all += part
    })
    socket.on('end', () => resolve(all)).on('error', reject)
    setTimeout(() => reject(new Error(`it hangs after: ${all}`)), 5_000).unref()
  })
  // In full, or hung up on: never left hanging.
  if (text !== '') expect(text).toContain(FULL.slice(-10))
  else await mock.until(() => mock.inFlight === 0, 1_000)
}, 10_000)

test('nothing is held, and no key was logged', async () => {
  // The last caller left in the middle: that is settled a moment after the mock has seen it.
  await atRest(gateway)
  expect(gateway.logs()).not.toContain(UPSTREAM_KEY)
})
