/**
 * Ten thousand requests at every route, drawn from the OpenAPI description: never a 500, never a hang, no secret in any byte
 * that is sent or logged, and the books add up afterwards (gateway.stop() verifies them).
 * `TOLLGATE_FUZZ_SEED=7` draws others, `TOLLGATE_FUZZ_CASES=100000` more.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import fc from 'fast-check'
import { atRest } from '../support/books.ts'
import { bytesOf, type Case, caseOf, type Document, type Operation, operationsOf } from './cases.ts'
import { exchange } from './wire.ts'
import { leaks, startWorld, type World } from './world.ts'

/** The same in every run, so that what fails was changed; others by hand. */
const SEED = Number(process.env.TOLLGATE_FUZZ_SEED ?? 20_261_121)
const CASES = Number(process.env.TOLLGATE_FUZZ_CASES ?? 10_000)
const LANES = 4
/** ms. A hundred times what the slowest takes. */
const LIMIT = 20_000

let world: World
let operations: Operation[]
const statuses = new Map<number, number>()
const reached = new Map<string, Set<number>>()

beforeAll(async () => {
  world = await startWorld()
  operations = operationsOf((await (await world.gateway.call('GET', '/openapi.json')).json()) as Document)
  console.log(`fuzzing ${operations.length} routes with ${CASES} requests, seed ${SEED}`)
})
afterAll(() => world?.stop())

/** Why an answer is not right; undefined where it is. */
async function wrongWith(drawn: Case): Promise<string | undefined> {
  const caller = world.callers[drawn.caller]
  const { status, bytes, hung } = await exchange(world.gateway.port, bytesOf(drawn, caller?.headers ?? []), LIMIT)
  statuses.set(status, (statuses.get(status) ?? 0) + 1)
  if (caller?.name === 'session' && bytes.includes('logged in no longer')) await world.login()
  if (hung) return `no end within ${LIMIT} ms`
  if (status === 0) return `no HTTP: ${JSON.stringify(bytes.toString('latin1').slice(0, 200))}`
  if (status === 500 || bytes.includes('internal_error')) return bytes.toString('latin1').slice(0, 1_000)
  const told = leaks(world.secrets, bytes)
  if (told.length > 0) return `it tells ${told.join(', ')}`
  if (/\n\s+at \S+ \(|\.ts:\d+:\d+|SQLITE_|DrizzleQuery/.test(bytes.toString('latin1'))) return 'it shows its insides'
  return undefined
}

async function lane(number: number): Promise<void> {
  const drawn = fc.constantFrom(...operations).chain((operation) =>
    caseOf(operation, world.callers.length).map((one) => ({
      route: `${operation.method} ${operation.path}`,
      ...one,
    })),
  )
  const property = fc.asyncProperty(drawn, async (one) => {
    const wrong = await wrongWith(one)
    if (wrong !== undefined) throw new Error(`${world.callers[one.caller]?.name}: ${wrong}`)
    const seen = reached.get(one.route) ?? new Set()
    reached.set(one.route, seen.add(one.caller))
  })
  await fc.assert(property, {
    seed: SEED + number,
    numRuns: Math.ceil(CASES / LANES),
    interruptAfterTimeLimit: 5 * 60_000,
    markInterruptAsFailure: true,
  })
}

test(
  `${CASES} requests`,
  async () => {
    const lanes = await Promise.allSettled(Array.from({ length: LANES }, (_, i) => lane(i)))
    const failed = lanes.flatMap((one) =>
      one.status === 'rejected' ? [`${one.reason?.message}\n${one.reason?.cause?.message}`] : [],
    )
    if (failed.length > 0) {
      await Bun.sleep(1_200)
      const lines = world.gateway.logs().split('\n')
      console.log(
        lines
          .filter((line) => /internal_error|A route failed|unhandled|ledger/i.test(line))
          .slice(0, 5)
          .join('\n'),
      )
    }
    expect(failed).toEqual([])
    // It went everywhere, as everybody, and got through as well as refused.
    expect(operations.filter(({ method, path }) => !reached.has(`${method} ${path}`))).toEqual([])
    console.log(
      `by status: ${[...statuses]
        .sort(([a], [b]) => a - b)
        .map(([code, n]) => `${code} ${n}`)
        .join(', ')}`,
    )
    for (const code of [200, 400, 401, 403, 404])
      expect([code, (statuses.get(code) ?? 0) > CASES / 200]).toEqual([code, true])
  },
  10 * 60_000,
)

test('afterwards it serves, holds nothing, and has said nothing that is secret', async () => {
  const { gateway, mock, secrets } = world
  await atRest(gateway)
  const reply = await gateway.call('POST', '/v1/chat/completions', {
    model: 'm',
    messages: [{ role: 'user', content: 'x' }],
  })
  expect(reply.status).toBe(200)
  await Bun.sleep(1_200)
  const log = gateway.logs()
  expect(log).toContain('"request_id"')
  expect(leaks(secrets, log)).toEqual([])
  expect(
    log
      .split('\n')
      .filter((line) => /A route failed|unhandled|panic|\.ts:\d+:\d+/i.test(line))
      .slice(0, 5),
  ).toEqual([])
  // Nor does anybody's key go out to a model.
  const ours = [...secrets].filter(([name]) => / key/.test(name) && !name.startsWith('sk-upstream'))
  const sent = mock.requests.map(({ headers, path, query }) => JSON.stringify([headers, path, query])).join('\n')
  expect(ours.filter(([, secret]) => sent.includes(secret)).map(([name]) => name)).toEqual([])
}, 60_000)
