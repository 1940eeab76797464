import { describe, expect, test } from 'bun:test'
import * as fc from 'fast-check'
import type { Budget, BudgetMode } from '../../src/core/budget.ts'
import type { Estimate } from '../../src/core/estimate.ts'
import {
  type Account,
  type Ask,
  changeBudget,
  crossing,
  decide,
  extend,
  join,
  openAccount,
  roll,
  settle,
  take,
} from '../../src/core/ledger.ts'
import { parsePeriod } from '../../src/core/period.ts'
import { FREE, type Price, worstCost } from '../../src/core/price.ts'
import { anyPrice, NOON, priced } from './make.ts'

/** $1 a million both ways: a token is 1,000 nano-dollars. */
const PRICE = priced(1_000_000_000, 1_000_000_000)
const THOUSAND = 1_000

const tokens = (given: Partial<Estimate> = {}): Estimate => ({
  inputMost: 100,
  inputLikely: 20,
  outputMost: 50,
  outputLeast: 5,
  ...given,
})
const ask = (given: Partial<Ask> = {}): Ask => ({ price: PRICE, tokens: tokens(), ...given })
const DAY = 86_400_000
const open = (budget: Partial<Budget>, spent = 0, scope = 'key:a', now = NOON): Account =>
  openAccount(scope, { limit: 1e12, period: parsePeriod('1d'), ...budget }, spent, { zone: 'UTC', mode: 'cap' }, now)
const account = (limit: number, scope = 'key:a', spent = 0, mode?: BudgetMode): Account =>
  open({ limit, mode }, spent, scope)

describe('decide', () => {
  test('holds the worst case where it fits', () => {
    expect(decide([account(150 * THOUSAND)], ask())).toEqual({
      kind: 'hold',
      amount: 150 * THOUSAND,
      maxOutput: undefined,
      covers: { input: 100, output: 50 },
    })
  })

  test('cuts the answer to what is left, in cap mode only', () => {
    const tight = account(60 * THOUSAND)
    expect(decide([tight], ask())).toEqual({
      kind: 'hold',
      amount: 60 * THOUSAND,
      maxOutput: 40,
      covers: { input: 20, output: 40 },
    })
    expect(decide([account(60 * THOUSAND, 'key:a', 0, 'strict')], ask())).toMatchObject({
      kind: 'refuse',
      needed: 70 * THOUSAND,
    })
    // 70 tokens are paid for in full, though not the 150 of the worst case.
    expect(decide([account(70 * THOUSAND, 'key:a', 0, 'strict')], ask())).toEqual({
      kind: 'hold',
      amount: 70 * THOUSAND,
      maxOutput: undefined,
      covers: { input: 20, output: 50 },
    })
  })

  test('money that is only held makes wait, money that is spent refuses', () => {
    const held = account(150 * THOUSAND)
    take([held], 100 * THOUSAND, NOON)
    expect(decide([held], ask())).toEqual({
      kind: 'wait',
      account: held,
      needs: { most: 150 * THOUSAND, least: 25 * THOUSAND },
    })
    const spent = account(150 * THOUSAND, 'key:a', 126 * THOUSAND)
    expect(decide([spent], ask())).toEqual({ kind: 'refuse', account: spent, needed: 25 * THOUSAND })
  })

  test('every account has to pass, and a refusal names the one that stands in the way', () => {
    const rich = account(1e12)
    const poor = account(10 * THOUSAND, 'gateway')
    expect(decide([rich, poor], ask())).toMatchObject({ kind: 'refuse', account: poor })
    expect(rich.held + poor.held).toBe(0)
  })

  test('what is free needs no money, not even where none is left', () => {
    expect(decide([account(0)], ask({ price: FREE }))).toMatchObject({ kind: 'hold', amount: 0, maxOutput: undefined })
  })

  test('a cap beside a strict one cuts where it is the cap that is short', () => {
    const cap = account(60 * THOUSAND)
    const strict = account(80 * THOUSAND, 'gateway', 0, 'strict')
    for (const both of [
      [cap, strict],
      [strict, cap],
    ])
      expect(decide(both, ask())).toEqual({
        kind: 'hold',
        amount: 60 * THOUSAND,
        maxOutput: 40,
        covers: { input: 20, output: 40 },
      })
    // And where the strict one is short it refuses, whatever the other would do.
    const short = account(69 * THOUSAND, 'gateway', 0, 'strict')
    expect(decide([cap, short], ask())).toMatchObject({ kind: 'refuse', account: short, needed: 70 * THOUSAND })
  })

  test('a soft budget neither refuses nor cuts nor makes wait', () => {
    const soft = account(10 * THOUSAND, 'key:a', 9 * THOUSAND, 'soft')
    take([soft], 5 * THOUSAND, NOON)
    expect(decide([soft], ask())).toMatchObject({ kind: 'hold', amount: 150 * THOUSAND, maxOutput: undefined })
    const hard = account(60 * THOUSAND, 'gateway')
    expect(decide([soft, hard], ask())).toMatchObject({ kind: 'hold', amount: 60 * THOUSAND, maxOutput: 40 })
  })

  test('a budget without a limit never stands in the way', () => {
    const open = account(Number.POSITIVE_INFINITY)
    open.spent = 1e15
    expect(decide([open], ask())).toMatchObject({ kind: 'hold', amount: 150 * THOUSAND })
  })

  test('an answer that is cut has at least the tokens that let it in', () => {
    const count = fc.nat(10_000)
    fc.assert(
      fc.property(anyPrice, count, count, count, count, fc.nat(1_000), (price, likely, more, least, longer, spare) => {
        const t = tokens({
          inputLikely: likely,
          inputMost: likely + more,
          outputLeast: least + 1,
          outputMost: least + 1 + longer,
        })
        const enough = worstCost(price, t.inputLikely, t.outputLeast) + spare
        const verdict = decide([account(enough)], ask({ price, tokens: t }))
        if (verdict.kind !== 'hold') throw new Error(`${verdict.kind}, though the money is there`)
        if (verdict.maxOutput !== undefined) expect(verdict.maxOutput).toBeGreaterThanOrEqual(t.outputLeast)
      }),
      { numRuns: 1_000 },
    )
  })

  test('strict never cuts an answer', () => {
    const count = fc.nat(10_000)
    fc.assert(
      fc.property(anyPrice, count, count, count, fc.nat(1_000_000), (price, likely, more, most, spare) => {
        const t = tokens({ inputLikely: likely, inputMost: likely + more, outputMost: most })
        const enough = worstCost(price, likely, most) + spare
        expect(decide([account(enough, 'key:a', 0, 'strict')], ask({ price, tokens: t }))).toMatchObject({
          kind: 'hold',
          maxOutput: undefined,
        })
      }),
    )
  })
})

describe('take and settle', () => {
  test('a hold counts until it is settled, and then only its cost', () => {
    const [a, b] = [account(1e6), account(1e6, 'gateway')]
    const hold = take([a, b], 500, NOON)
    expect([a.held, b.held]).toEqual([500, 500])
    expect(settle(hold, 120)).toBeTrue()
    for (const each of [a, b]) expect(each).toMatchObject({ held: 0, spent: 120 })
  })

  test('settling again does nothing', () => {
    const a = account(1e6)
    const hold = take([a], 500, NOON)
    settle(hold, 120)
    expect(settle(hold, 999)).toBeFalse()
    expect(a).toMatchObject({ held: 0, spent: 120 })
  })

  test('a hold from yesterday does not touch the money of today', () => {
    const a = account(1e6)
    const hold = take([a], 500, NOON)
    roll(a, NOON + DAY)
    expect(a).toMatchObject({ held: 0, spent: 0 })
    const today = take([a], 300, NOON + DAY)
    settle(hold, 120)
    expect(a).toMatchObject({ held: 300, spent: 0 })
    settle(today, 10)
    expect(a).toMatchObject({ held: 0, spent: 10 })
  })
})

describe('extend', () => {
  const covers = { input: 20, output: 40 }
  const grow = (hold: ReturnType<typeof take>, least: number, wanted: number, price: Price = PRICE) =>
    extend(hold, price, covers, least, wanted)

  test('takes what is wanted from every account, or as much as there is, but the least of it or nothing', () => {
    const [a, b] = [account(100 * THOUSAND), account(1e9, 'gateway')]
    const hold = take([a, b], 60 * THOUSAND, NOON)
    expect(grow(hold, 1, 30)).toEqual({ tokens: 30 })
    expect([a.held, b.held, hold.amount]).toEqual([90_000, 90_000, 90_000])
    expect(grow(hold, 1, 30)).toEqual({ tokens: 10 })
    expect([a.held, b.held, hold.amount]).toEqual([100_000, 100_000, 100_000])
    expect(grow(hold, 1, 30)).toEqual({ short: a, needed: THOUSAND })
    expect([a.held, b.held, hold.amount]).toEqual([100_000, 100_000, 100_000])
    settle(hold, 70 * THOUSAND)
    expect([a.held, b.held, a.spent]).toEqual([0, 0, 70 * THOUSAND])
  })

  test('the least is taken to the last nano-dollar and not beyond', () => {
    const a = account(100 * THOUSAND, 'key:a', 30 * THOUSAND)
    const hold = take([a], 60 * THOUSAND, NOON)
    expect(grow(hold, 11, 30)).toEqual({ short: a, needed: 11 * THOUSAND })
    expect(grow(hold, 10, 30)).toEqual({ tokens: 10 })
    expect(a.held).toBe(70 * THOUSAND)
  })

  test('what is free grows though the money is overspent, and a soft budget lets everything grow', () => {
    const poor = account(10, 'key:a', 100)
    expect(grow(take([poor], 0, NOON), 1, 30, FREE)).toEqual({ tokens: 30 })
    const soft = account(10, 'key:a', 100, 'soft')
    expect(grow(take([soft], 60 * THOUSAND, NOON), 1, 30)).toEqual({ tokens: 30 })
    expect([poor.held, soft.held]).toEqual([0, 90 * THOUSAND])
  })

  test('a window that is over has no limit any more', () => {
    const a = account(60 * THOUSAND)
    const hold = take([a], 60 * THOUSAND, NOON)
    roll(a, NOON + DAY)
    const today = take([a], 60 * THOUSAND, NOON + DAY)
    expect(grow(hold, 1, 30)).toEqual({ tokens: 30 })
    expect(a.held).toBe(60 * THOUSAND)
    expect(grow(today, 1, 30)).toMatchObject({ short: a })
  })

  test('step by step it comes to what the whole answer would have cost at most, tiers and fees included', () => {
    const count = fc.integer({ min: 1, max: 5_000 })
    fc.assert(
      fc.property(
        anyPrice,
        fc.nat(2_000_000),
        count,
        fc.array(count, { maxLength: 8 }),
        (price, input, output, more) => {
          const a = account(Number.POSITIVE_INFINITY)
          const hold = take([a], worstCost(price, input, output), NOON)
          const grown = { input, output }
          for (const tokens of more) {
            expect(extend(hold, price, grown, 1, tokens)).toEqual({ tokens })
            grown.output += tokens
          }
          expect(a.held).toBe(worstCost(price, input, grown.output))
        },
      ),
    )
  })

  test('never takes more than there is, and never refuses what is there', () => {
    const count = fc.integer({ min: 1, max: 5_000 })
    fc.assert(
      fc.property(
        anyPrice,
        fc.nat(2_000_000),
        count,
        count,
        count,
        fc.nat(),
        (price, input, output, least, more, spare) => {
          const first = worstCost(price, input, output)
          const a = account(first + spare)
          const hold = take([a], first, NOON)
          const wanted = least + more
          const found = extend(hold, price, { input, output }, least, wanted)
          const needed = worstCost(price, input, output + least) - first
          expect(a.held).toBeLessThanOrEqual(a.limit)
          if ('short' in found) expect(needed).toBeGreaterThan(spare)
          else {
            expect(found.tokens).toBeWithin(least, wanted + 1)
            expect(a.held).toBe(worstCost(price, input, output + found.tokens))
          }
          if (needed <= spare) expect('tokens' in found).toBeTrue()
        },
      ),
      { numRuns: 1_000 },
    )
  })
})

describe('join', () => {
  test('an account that is opened while holds are open counts those of its window and of its models', () => {
    const old = account(1e6)
    const early = take([old], 300, NOON - DAY)
    const now = take([old], 500, NOON)
    const done = take([old], 700, NOON)
    settle(done, 1)
    const [late, forGpt] = [open({}), open({ model: 'gpt-*' })]
    for (const hold of [early, now, done]) for (const each of [late, forGpt]) join(hold, each, 'claude')
    expect([late.held, forGpt.held]).toEqual([500, 0])
    const other = take([old], 40, NOON)
    for (const each of [late, forGpt]) join(other, each, 'gpt-4o')
    expect([late.held, forGpt.held]).toEqual([540, 40])
    settle(now, 20)
    settle(other, 10)
    settle(early, 1_000)
    for (const each of [late, forGpt]) expect(each.held).toBe(0)
    expect([old.spent, late.spent, forGpt.spent]).toEqual([1_031, 30, 10])
  })
})

describe('a raise', () => {
  const raised = { limit: 100 * THOUSAND, raise: { amount: 50 * THOUSAND, until: NOON + 1_000 } }

  test('lifts the limit until it ends by itself, in the same window', () => {
    const a = open(raised)
    expect([a.limit, a.limitUntil]).toEqual([150 * THOUSAND, NOON + 1_000])
    const hold = take([a], 150 * THOUSAND, NOON)
    roll(a, NOON + 999)
    expect(a.limit).toBe(150 * THOUSAND)
    roll(a, NOON + 1_000)
    expect([a.limit, a.limitUntil, a.held]).toEqual([100 * THOUSAND, Number.POSITIVE_INFINITY, 150 * THOUSAND])
    settle(hold, 90 * THOUSAND)
    expect(decide([a], ask())).toMatchObject({ kind: 'refuse', needed: 25 * THOUSAND })
  })

  test('that is over when the account is opened counts for nothing', () => {
    expect(open(raised, 0, 'key:a', NOON + 1_000)).toMatchObject({
      limit: 100 * THOUSAND,
      limitUntil: Number.POSITIVE_INFINITY,
    })
  })

  test('given or taken later changes the limit and nothing else', () => {
    const a = open({ limit: 100 * THOUSAND }, 40 * THOUSAND)
    take([a], 7, NOON)
    const { window } = a
    changeBudget(a, { ...raised, mode: 'strict' }, 'cap', NOON)
    expect(a).toMatchObject({ limit: 150 * THOUSAND, mode: 'strict', spent: 40 * THOUSAND, held: 7 })
    changeBudget(a, { limit: 30 * THOUSAND }, 'cap', NOON)
    expect(a).toMatchObject({ limit: 30 * THOUSAND, mode: 'cap', spent: 40 * THOUSAND, held: 7, limitUntil: Infinity })
    expect(a.window).toBe(window)
  })
})

describe('crossing', () => {
  const spend = (a: Account, cost: number, shares = [0.8, 1]) => {
    settle(take([a], cost, NOON), cost)
    return crossing(a, shares)
  }

  test('tells of each mark once, and of the highest where several were passed at once', () => {
    const a = open({ limit: 1_000 })
    expect([spend(a, 799), spend(a, 1), spend(a, 1), spend(a, 198), spend(a, 1), spend(a, 1)]).toEqual([
      ...[undefined, 800, undefined, undefined, 1_000, undefined],
    ])
    expect(spend(open({ limit: 1_000 }), 5_000)).toBe(1_000)
  })

  test('a soft budget is a mark of its own, with a limit and without one', () => {
    const only = open({ limit: Number.POSITIVE_INFINITY, soft: 300 })
    expect([spend(only, 299), spend(only, 1), spend(only, 1_000)]).toEqual([undefined, 300, undefined])
    const both = open({ limit: 1_000, soft: 300 })
    expect([spend(both, 300), spend(both, 500), spend(both, 200)]).toEqual([300, 800, 1_000])
    expect(spend(open({ limit: Number.POSITIVE_INFINITY }), 1e12)).toBeUndefined()
  })

  test('begins anew with each window', () => {
    const a = open({ limit: 1_000 })
    expect(spend(a, 900)).toBe(800)
    roll(a, NOON + DAY)
    expect([spend(a, 700), spend(a, 100)]).toEqual([undefined, 800])
  })

  test('a limit that is raised is warned of again, one that is lowered at once', () => {
    const a = open({ limit: 1_000 })
    expect(spend(a, 1_000)).toBe(1_000)
    changeBudget(a, { limit: 2_000, period: a.budget.period }, 'cap', NOON)
    expect([spend(a, 1), spend(a, 599), spend(a, 400)]).toEqual([undefined, 1_600, 2_000])
    changeBudget(a, { limit: 4_000, period: a.budget.period }, 'cap', NOON)
    expect(spend(a, 1)).toBeUndefined()
    changeBudget(a, { limit: 2_400, period: a.budget.period }, 'cap', NOON)
    expect(spend(a, 1)).toBe(1_920)
  })
})
