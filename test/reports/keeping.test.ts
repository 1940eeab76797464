/** What happens to the books over time: they are proved, old charges go, days move to another calendar. */
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { NOBODY, type Payer } from '../../src/core/scope.ts'
import { dayAt } from '../../src/core/zone.ts'
import { ask, askIn } from '../../src/store/reports.ts'
import { retain } from '../../src/store/retain.ts'
import { rezone } from '../../src/store/rezone.ts'
import { type Verified, verify } from '../../src/store/verify.ts'
import { verifyFile } from '../../src/store/verify-file.ts'
import { makeWorld, TOKEN, type World } from '../store/make.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

const payerWith = (given: Partial<Payer>): Payer => ({ ...NOBODY, ...given })

let w: World
beforeEach(() => {
  w = makeWorld()
})
afterEach(() => w.end())

/** Charges of some weeks, at all hours: (i % 7) + 1 tokens each. Returns what they come to. */
async function use(times: number, everyMs = 5 * HOUR): Promise<number> {
  let cost = 0
  for (let i = 0; i < times; i++) {
    const payer = payerWith({ key: `k${i % 3}`, team: i % 2 ? 'odd' : undefined, tags: i % 5 ? [] : ['five', 'all'] })
    const held = await w.hold([], 10, { payer })
    cost += w.settle(held, (i % 7) + 1)
    w.clock.now += everyMs
  }
  w.ledger.flush()
  return cost
}

const proof = (): Verified => verify(w.store.sqlite)
const change = (sql: string) => w.store.sqlite.exec(sql)

test('books that were only used add up', async () => {
  const cost = await use(60)
  const books = proof()
  expect(books.differences).toEqual([])
  expect(books).toMatchObject({ charges: { count: 60, cost }, payers: { cost }, total: cost, holds: 0 })
  expect(verifyFile(w.store.path)).toEqual(books)
})

test('a hold that is open is told, and is no difference', async () => {
  await w.hold([], 10)
  expect(proof()).toMatchObject({ differences: [], holds: 1 })
})

test('a nano-dollar or a request that is missing anywhere is found', async () => {
  await use(60)
  for (const [sql, found] of [
    ['UPDATE charges SET cost = cost + 1 WHERE operation = (SELECT max(operation) FROM charges)', /by its own price/],
    ['DELETE FROM charges WHERE operation = (SELECT min(operation) FROM charges)', /charges and payer_rollups differ/],
    ['UPDATE payer_rollups SET cost = cost - 1 WHERE day = (SELECT max(day) FROM payer_rollups)', /payer_rollups/],
    ['UPDATE payer_rollups SET requests = requests + 1 WHERE day = (SELECT min(day) FROM payer_rollups)', /requests/],
    ["UPDATE rollups SET output = output + 1 WHERE scope = (SELECT id FROM words WHERE word = 'team:odd')", /rollups/],
    ["DELETE FROM rollups WHERE scope = (SELECT id FROM words WHERE word = 'tag:five')", /rollups/],
    [
      "UPDATE spend SET cost = cost - 1 WHERE scope = (SELECT id FROM words WHERE word = 'gateway')",
      /gateway: its days add up/,
    ],
    ["UPDATE spend SET tokens = 0 WHERE scope = (SELECT id FROM words WHERE word = 'key:k1')", /key:k1/],
    ["DELETE FROM spend WHERE scope = (SELECT id FROM words WHERE word = 'model:m')", /no total/],
    ['UPDATE payers SET team = NULL', /rollups/],
  ] as const) {
    change('SAVEPOINT before')
    change(sql)
    // verify() has a transaction of its own.
    const differences = (() => {
      try {
        return verifyInside()
      } finally {
        change('ROLLBACK TO before')
        change('RELEASE before')
      }
    })()
    expect([sql, differences.join(' ')]).toEqual([sql, expect.stringMatching(found)])
  }
  expect(proof().differences).toEqual([])
})

/** The proof of what stands in an open transaction, without a transaction of its own. */
function verifyInside(): string[] {
  const { sqlite } = w.store
  const seen = new Proxy(sqlite, {
    get(of, name) {
      if (name === 'exec') return () => of
      const value = Reflect.get(of, name)
      return typeof value === 'function' ? value.bind(of) : value
    },
  })
  return verify(seen).differences
}

test('charges go by whole days, and what they come to stays', async () => {
  const cost = await use(60)
  const before = proof()
  const teams = ask(w.store, { from: 0, to: 99_999, by: ['team'], where: {} })
  for (let i = 0; i < 100 && retain(w.store, 3, 'UTC', w.clock.now) > 0; i++);
  const left = w.count('SELECT count(*) FROM charges')
  expect(left).toBeLessThan(20)
  expect(left).toBeGreaterThan(10)
  expect(w.count('SELECT min(started_at) FROM charges')).toBeGreaterThanOrEqual((dayAt('UTC', w.clock.now) - 3) * DAY)
  const after = proof()
  expect(after.differences).toEqual([])
  expect(after).toMatchObject({ total: cost, payers: before.payers, scopes: before.scopes })
  expect(ask(w.store, { from: 0, to: 99_999, by: ['team'], where: {} })).toEqual(teams)
  // And it goes on after a restart.
  w.restart()
  await use(3)
  expect(proof().differences).toEqual([])
})

test('in the middle of a day that is being deleted the books still add up', async () => {
  await use(3_000, 60_000)
  expect(retain(w.store, 1, 'UTC', w.clock.now)).toBeGreaterThan(0)
  expect(proof().differences).toEqual([])
})

test('a ledger that moves to another time zone has its days there, and the same totals', async () => {
  const cost = await use(60)
  const question = { from: 0, to: 99_999, by: ['day', 'team'], where: {} } as const
  const there = askIn(w.store, 'Asia/Tokyo', {
    ...question,
    from: dayAt('UTC', w.clock.now) - 20,
    to: dayAt('UTC', w.clock.now) + 1,
  })
  expect(rezone(w.store, 'UTC')).toBeUndefined()
  expect(rezone(w.store, 'Asia/Tokyo')).toBe('UTC')
  const inOrder = (rows: ReturnType<typeof ask> | undefined) =>
    [...(rows ?? [])].sort((a, b) => (a.day as number) - (b.day as number))
  expect(inOrder(ask(w.store, question))).toEqual(inOrder(there))
  expect(proof()).toMatchObject({ differences: [], total: cost, charges: { count: 60 } })
  expect(rezone(w.store, 'Asia/Tokyo')).toBeUndefined()
  expect(rezone(w.store, 'UTC')).toBe('Asia/Tokyo')
  expect(proof().differences).toEqual([])
})

test('days whose charges are gone stay where they were when the zone changes', async () => {
  const cost = await use(60)
  rezone(w.store, 'UTC')
  for (let i = 0; i < 100 && retain(w.store, 3, 'UTC', w.clock.now) > 0; i++);
  expect(rezone(w.store, 'Asia/Tokyo')).toBe('UTC')
  expect(proof()).toMatchObject({ differences: [], total: cost, payers: { cost } })
})

test('windows of days are the same sums', async () => {
  await use(60)
  const [account] = w.ledger.accounts('team:odd', [{ limit: 1_000 * TOKEN, period: { count: 7, unit: 'd' } }])
  const monday = Math.floor((w.clock.now / DAY + 3) / 7) * 7 - 3
  const [sum] = ask(w.store, { from: monday, to: 99_999, by: [], where: { team: ['odd'] } })
  expect(account?.spent).toBe(sum?.cost as number)
  expect(account?.spent).toBeGreaterThan(0)
})
