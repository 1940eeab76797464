/** What an account begins with: read from totals, from days, from a window of hours, or counted anew from the charges. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { Budget } from '../../src/core/budget.ts'
import type { Account } from '../../src/core/ledger.ts'
import { parsePeriod } from '../../src/core/period.ts'
import { NOBODY, type Payer } from '../../src/core/scope.ts'
import { retain } from '../../src/store/retain.ts'
import { LONGEST_OPERATION_MS } from '../../src/store/spent.ts'
import { target } from '../core/make.ts'
import { makeWorld, PRICE, refusal, TOKEN, type World } from './make.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const budget = (period?: string, model?: string, limit = 1_000): Budget => ({
  limit: limit * TOKEN,
  period: period === undefined ? undefined : parsePeriod(period),
  model,
})
const ALL = [undefined, '1h', '1d', '1w', '1mo']

let w: World
beforeEach(() => {
  w = makeWorld(undefined, { zone: 'Europe/Berlin' })
})
afterEach(() => w.end())

/** Charges `tokens` to whoever pays, whatever budgets there are. */
async function spend(
  tokens: number,
  payer: Partial<Payer> = { key: 'a' },
  alias = 'gpt-1',
  accounts: readonly Account[] = [],
) {
  const given = {
    payer: { ...NOBODY, ...payer },
    target: target({ id: alias, alias, provider: 'openai', price: PRICE }),
  }
  w.settle(await w.hold(accounts, tokens, given), tokens)
}
const spentOf = (scope: string, it: Budget): number => (w.ledger.accounts(scope, [it])[0] as Account).spent / TOKEN

test('every window counts what lies in it, for every kind of scope', async () => {
  // A Saturday, 13:00 in Berlin; the clock goes on from here.
  const payer = { key: 'a', user: 'u', team: 't', organization: 'o', project: 'p', customer: 'c', tags: ['x', 'y'] }
  await spend(1, payer)
  w.clock.now += 20 * DAY
  await spend(2, payer)
  w.clock.now += 2 * DAY
  await spend(4, payer)
  w.clock.now += 5 * HOUR
  await spend(8, payer)
  w.clock.now += HOUR
  await spend(16, payer)
  // A Sunday, 19:00.
  w.restart()
  const scopes = ['key:a', 'user:u', 'team:t', 'organization:o', 'project:p', 'customer:c', 'tag:x', 'tag:y']
  for (const scope of [...scopes, 'model:gpt-1', 'provider:openai', 'gateway'])
    expect([scope, ...ALL.map((period) => spentOf(scope, budget(period)))]).toEqual([scope, 31, 16, 28, 30, 30])
  for (const scope of ['key:b', 'team:a', 'tag:z', 'model:gpt-2']) expect(spentOf(scope, budget('1mo'))).toBe(0)
})

test('a budget of some models counts those and no others, in every window', async () => {
  for (const [tokens, alias] of [
    [1, 'gpt-1'],
    [2, 'gpt-2'],
    [4, 'claude'],
  ] as const)
    await spend(tokens, { key: 'a' }, alias)
  w.restart()
  for (const period of ALL)
    expect([
      period,
      ...['gpt-*', 'claude', 'other', '*'].map((model) => spentOf('key:a', budget(period, model))),
    ]).toEqual([period, ...[3, 4, 0, 7]])
})

test("a day begins at the zone's midnight", async () => {
  // 22:30 in UTC is 23:30 in Berlin.
  w.clock.now = Date.UTC(2026, 10, 21, 22, 30)
  await spend(1)
  w.clock.now += HOUR
  await spend(2)
  w.restart()
  expect([spentOf('key:a', budget('1d')), spentOf('key:a', budget('1mo'))]).toEqual([2, 3])
})

describe('a window of hours', () => {
  test('moves with its charges, and is not counted again', async () => {
    const hour = [budget('1h')]
    await spend(3, { key: 'a' }, 'gpt-1', w.ledger.accounts('key:a', hour))
    await spend(5, { key: 'a' }, 'gpt-1', w.ledger.accounts('key:a', hour))
    w.ledger.flush()
    // Nobody looks at the charges: they are gone.
    w.store.sqlite.exec('DELETE FROM charges')
    w.restart()
    expect(spentOf('key:a', budget('1h'))).toBe(8)
  })

  test('that has missed charges is counted anew: after a crash, and where there was no budget for a while', async () => {
    const hour = [budget('1h')]
    await spend(3, { key: 'a' }, 'gpt-1', w.ledger.accounts('key:a', hour))
    await w.hold(w.ledger.accounts('key:a', hour), { inputMost: 20, inputLikely: 7 })
    w.ledger.flush()
    w.restart('crash')
    expect(spentOf('key:a', budget('1h'))).toBe(10)
    w.ledger.accounts('key:a', [])
    await spend(20)
    w.restart()
    expect(spentOf('key:a', budget('1h'))).toBe(30)
    // Of another key nothing was missed.
    await spend(1, { key: 'b' })
    w.restart()
    expect(spentOf('key:a', budget('1h'))).toBe(30)
  })

  test('counts an attempt whose operation began hours ago', async () => {
    const operation = w.ledger.nextOperation()
    w.clock.now += LONGEST_OPERATION_MS - 1
    const held = await w.hold([], 9, { operation, attempt: 3, payer: { ...NOBODY, key: 'a' } })
    w.settle(held, 9)
    w.restart()
    expect(spentOf('key:a', budget('1h'))).toBe(9)
  })

  test('that is longer than charges are kept counts the days that are gone', async () => {
    const hours = [budget('720h')]
    await spend(3, { key: 'a' }, 'gpt-1', w.ledger.accounts('key:a', hours))
    w.clock.now += 4 * DAY
    await spend(4, { key: 'a' }, 'gpt-2', w.ledger.accounts('key:a', hours))
    w.ledger.flush()
    expect(retain(w.store, 2, 'Europe/Berlin', w.clock.now)).toBe(1)
    for (const it of [budget('720h'), budget('720h', '*')]) {
      w.ledger.accounts('key:a', [])
      expect(spentOf('key:a', it)).toBe(7)
    }
    expect(spentOf('key:a', budget('720h', 'gpt-1'))).toBe(3)
  })

  test('begins with nothing when the last one is over', async () => {
    await spend(3, { key: 'a' }, 'gpt-1', w.ledger.accounts('key:a', [budget('1h')]))
    w.clock.now += HOUR
    w.restart()
    expect(spentOf('key:a', budget('1h'))).toBe(0)
    await spend(4, { key: 'a' }, 'gpt-1', w.ledger.accounts('key:a', [budget('1h')]))
    w.restart()
    expect(spentOf('key:a', budget('1h'))).toBe(4)
  })
})

describe('scopes that nobody asks for', () => {
  const named = (i: number) => `customer:${i}`
  const hour = [budget('1h')]

  test('are let go when there are too many, and come back with what they spent', async () => {
    w.end()
    w = makeWorld(undefined, { bounds: { scopes: 5 } })
    const first = w.ledger.accounts(named(0), hour)
    await spend(3, { customer: '0' }, 'gpt-1', first)
    w.clock.now += 61_000
    for (let i = 1; i < 10; i++) w.ledger.accounts(named(i), hour)
    const again = w.ledger.accounts(named(0), hour)
    expect(again[0]).not.toBe(first[0])
    expect(again[0]).toMatchObject({ spent: 3 * TOKEN, held: 0 })
    expect(first[0]?.closed).toBeTrue()
  })

  test('stay while money is held in them, or while they are asked for', async () => {
    w.end()
    w = makeWorld(undefined, { bounds: { scopes: 5 } })
    const held = w.ledger.accounts(named(0), hour)
    const open = await w.hold(held, 3)
    const asked = w.ledger.accounts(named(1), hour)
    w.clock.now += 61_000
    w.ledger.accounts(named(1), hour)
    for (let i = 2; i < 10; i++) w.ledger.accounts(named(i), hour)
    expect([w.ledger.accounts(named(0), hour), w.ledger.accounts(named(1), hour)]).toEqual([held, asked])
    expect(w.ledger.accounts(named(0), hour)[0]).toBe(held[0])
    w.settle(open, 1)
  })
})

describe('several budgets of one scope', () => {
  test('all hold: the first that is short refuses, and says which it is', async () => {
    const both = [budget('1mo', undefined, 100), budget('1h', undefined, 10), budget('1d', 'gpt-*', 20)]
    const accounts = w.ledger.accounts('key:a', both)
    await spend(8, { key: 'a' }, 'gpt-1', accounts)
    const refused = await refusal(w.hold(accounts, 5))
    expect(refused.message).toContain('budget of this key (1h) is $0.000010000; $0.000008000 is spent')
    w.clock.now += HOUR
    await spend(8, { key: 'a' }, 'gpt-1', w.ledger.accounts('key:a', both))
    w.clock.now += HOUR
    expect((await refusal(w.hold(w.ledger.accounts('key:a', both), 5))).message).toContain("this key for 'gpt-*' (1d)")
    expect(accounts.map(({ spent }) => spent / TOKEN)).toEqual([16, 0, 16])
  })

  test('are warned of one by one, in each window', async () => {
    const both = [budget('1mo', undefined, 100), budget('1h', undefined, 10)]
    for (const tokens of [8, 1, 1]) await spend(tokens, { key: 'a' }, 'gpt-1', w.ledger.accounts('key:a', both))
    w.clock.now += HOUR
    await spend(9, { key: 'a' }, 'gpt-1', w.ledger.accounts('key:a', both))
    expect(w.crossed).toEqual([8, 10, 8].map((tokens) => ['key:a', tokens * TOKEN]))
  })
})

describe('an answer that grows', () => {
  test('takes more of all accounts, or what is left of the tightest, and is told when there is none', async () => {
    const accounts = [
      ...w.ledger.accounts('key:a', [budget('1d', undefined, 100)]),
      ...w.ledger.accounts('gateway', [budget('1d')]),
    ]
    const open = await w.hold(accounts, { inputMost: 10, inputLikely: 10, outputMost: 20, outputLeast: 1 })
    expect(open.covers).toMatchObject({ input: 10, output: 20 })
    expect(w.ledger.extend(open, 1, 60, 422)).toBeUndefined()
    expect(w.ledger.extend(open, 1, 60, 422)).toBeUndefined()
    expect([open.covers.output, open.hold.amount]).toEqual([90, 100 * TOKEN])
    expect(accounts.map(({ held }) => held)).toEqual([100 * TOKEN, 100 * TOKEN])
    expect(w.ledger.extend(open, 1, 60, 422)).toMatchObject({ code: 'budget_exceeded', status: 422 })
    w.settle(open, 10)
    expect(accounts.map(({ held, spent }) => [held, spent])).toEqual([
      [0, 10 * TOKEN],
      [0, 10 * TOKEN],
    ])
  })

  test('is bound by budgets as they are then: one that went away lets it grow, one that came bounds it', async () => {
    let budgets = [budget('1d', undefined, 30)]
    const accounts = () => w.ledger.accounts('key:a', budgets)
    const open = await w.hold([], { inputMost: 10, outputMost: 20 }, { payer: { ...NOBODY, key: 'a' }, accounts })
    expect(w.ledger.extend(open, 1, 60, 422)?.code).toBe('budget_exceeded')
    budgets = []
    expect(w.ledger.extend(open, 1, 60, 422)).toBeUndefined()
    budgets = [budget('1w', undefined, 95)]
    expect(w.ledger.extend(open, 1, 60, 422)).toBeUndefined()
    expect(open.covers.output).toBe(85)
    expect(w.ledger.extend(open, 1, 60, 422)?.code).toBe('budget_exceeded')
    w.settle(open, 10)
    expect(accounts()[0]).toMatchObject({ spent: 10 * TOKEN, held: 0 })
  })
})
