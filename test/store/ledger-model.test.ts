/**
 * The ledger with its database under random traffic: holds that wait, settles, hours that pass, budgets and periods
 * that change, restarts and crashes. What memory says, what the database says and what the test remembers must agree.
 */
import { expect, test } from 'bun:test'
import * as fc from 'fast-check'
import type { Budget } from '../../src/core/budget.ts'
import type { Account } from '../../src/core/ledger.ts'
import { parsePeriod, windowAt } from '../../src/core/period.ts'
import type { OpenHold } from '../../src/store/ledger.ts'
import { LONGEST_OPERATION_MS } from '../../src/store/spent.ts'
import { makeWorld, TOKEN } from './make.ts'

const PERIODS = [undefined, '1h', '1d', '1w', '1mo'] as const

type Step =
  | { do: 'hold'; key: number; likely: number; more: number }
  | { do: 'settle'; which: number; tokens: number }
  | { do: 'release'; which: number }
  | { do: 'pass'; ms: number }
  | { do: 'budget'; of: number; tokens: number; period: (typeof PERIODS)[number] }
  | { do: 'restart'; crash: boolean }

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constant('hold' as const),
        key: fc.nat(1),
        likely: fc.integer({ min: 1, max: 30 }),
        more: fc.nat(30),
      }),
    },
    { weight: 7, arbitrary: fc.record({ do: fc.constant('settle' as const), which: fc.nat(), tokens: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('release' as const), which: fc.nat() }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.nat(100_000_000) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('budget' as const),
        of: fc.nat(2),
        tokens: fc.integer({ min: 1, max: 300 }),
        period: fc.constantFrom(...PERIODS),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const), crash: fc.boolean() }) },
  ),
  { minLength: 5, maxLength: 60 },
)

interface Live {
  key: number
  most: number
  likely: number
  at: number
  open: OpenHold | undefined
  refused: string | undefined
  gone: AbortController
}

const SCOPES = ['key:0', 'key:1', 'gateway'] as const

async function live(all: readonly Step[]): Promise<void> {
  const w = makeWorld()
  const budgets: (readonly [Budget])[] = SCOPES.map(() => [{ limit: 100 * TOKEN }])
  const account = (i: number) => w.ledger.accounts(SCOPES[i] as string, budgets[i] as [Budget])[0] as Account
  const charges: { key: number; at: number; cost: number }[] = []
  let traffic: Live[] = []
  /** Until what was sent to the database in this turn is there. */
  const turn = () => new Promise((resolve) => setImmediate(resolve)).then(() => new Promise((r) => setImmediate(r)))

  /** What the window has seen: whatever was taken in it, whichever budget there was then. */
  const seen = <T extends { key: number; at: number }>(i: number, all: readonly T[]): T[] => {
    const { start, end } = windowAt(budgets[i]?.[0].period, w.clock.now)
    return all.filter((one) => (i === 2 || one.key === i) && one.at >= start && one.at < end)
  }
  const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0)
  const check = () => {
    for (const i of [0, 1, 2]) {
      const a = account(i)
      expect(a.spent).toBe(sum(seen(i, charges).map((c) => c.cost)))
      const held = seen(
        i,
        traffic.filter((t) => t.open),
      )
      expect(a.held).toBe(sum(held.map((t) => t.open?.hold.amount ?? 0)))
      const all = charges.filter((c) => i === 2 || c.key === i)
      expect(w.ledger.total(SCOPES[i] as string).cost).toBe(sum(all.map((c) => c.cost)))
    }
  }
  const drop = (one: Live) => {
    traffic = traffic.filter((t) => t !== one)
  }

  for (const step of all) {
    const open = traffic.filter((t) => t.open)
    const one = 'which' in step ? open[step.which % Math.max(1, open.length)] : undefined
    if (step.do === 'hold') {
      const mine = [account(step.key), account(2)]
      const needed = step.likely * TOKEN
      const could = mine.every((a) => a.limit - a.spent >= needed)
      const most = step.likely + step.more
      const before = mine.map((a) => a.spent + a.held)
      const it: Live = {
        key: step.key,
        likely: step.likely,
        most,
        at: w.clock.now,
        open: undefined,
        refused: undefined,
        gone: new AbortController(),
      }
      traffic.push(it)
      const given = {
        signal: it.gone.signal,
        waitMs: 3_600_000,
        accounts: () => [account(step.key), account(2)],
      }
      w.hold(mine, { inputLikely: step.likely, inputMost: most }, given).then(
        (held) => {
          it.open = held
          it.at = held.attempt.startedAt
        },
        (cause) => {
          it.refused = (cause as { code: string }).code
        },
      )
      await turn()
      if (it.refused) {
        // Only spent money refuses at once.
        expect(could).toBeFalse()
        drop(it)
      } else if (it.open) {
        const { amount } = (it.open as OpenHold).hold
        for (const [i, a] of mine.entries()) expect((before[i] as number) + amount).toBeLessThanOrEqual(a.limit)
      } else expect(could && mine.some((a) => a.held > 0)).toBeTrue()
    } else if (step.do === 'settle' && one?.open) {
      const held = one.open
      const whole = held.hold.amount >= one.most * TOKEN
      const cost = w.settle(held, step.tokens % ((whole ? one.most : one.likely) + 1))
      expect(cost).toBeLessThanOrEqual(held.hold.amount)
      charges.push({ key: one.key, at: one.at, cost })
      drop(one)
      await turn()
    } else if (step.do === 'release' && one?.open) {
      w.ledger.release(one.open)
      drop(one)
      await turn()
    } else if (step.do === 'pass') {
      // No request lives so long: charges are looked for by when its operation began (store/spent.ts).
      for (const t of traffic) if (!t.open && w.clock.now + step.ms - t.at >= LONGEST_OPERATION_MS) t.gone.abort()
      await turn()
      w.clock.now += step.ms
      for (const i of [0, 1, 2]) account(i)
      await turn()
    } else if (step.do === 'budget') {
      const period = step.period === undefined ? undefined : parsePeriod(step.period)
      budgets[step.of] = [{ limit: step.tokens * TOKEN, period }]
      account(step.of)
      await turn()
    } else if (step.do === 'restart') {
      // In an orderly stop everything that is in flight has ended; a crash leaves it as it is.
      for (const t of traffic) if (!t.open) t.gone.abort()
      await turn()
      w.ledger.flush()
      for (const t of traffic) {
        if (!t.open) continue
        if (step.crash) charges.push({ key: t.key, at: t.at, cost: t.likely * TOKEN })
        else w.ledger.release(t.open)
      }
      const crashed = step.crash ? traffic.filter((t) => t.open).length : 0
      traffic = []
      w.restart(step.crash ? 'crash' : 'flush')
      expect(w.recovered).toBe(crashed)
    }
    // Whoever waited may have been let in or refused by what happened.
    for (const t of traffic.filter((x) => x.refused)) drop(t)
    check()
  }

  for (const t of traffic.filter((x) => !x.open)) t.gone.abort()
  await turn()
  for (const t of traffic) {
    if (!t.open) continue
    charges.push({ key: t.key, at: t.at, cost: w.settle(t.open, 1) })
  }
  traffic = []
  check()
  w.ledger.flush()
  expect(w.left()).toEqual({ holds: 0, amount: 0 })
  expect(w.count('SELECT count(*) FROM charges')).toBe(charges.length)
  expect(w.count('SELECT coalesce(sum(cost), 0) FROM charges')).toBe(charges.reduce((sum, c) => sum + c.cost, 0))
  w.end()
}

test('memory, database and a list of what happened agree, whatever happens', async () => {
  await fc.assert(fc.asyncProperty(steps, live), { numRuns: 60 })
}, 60_000)
