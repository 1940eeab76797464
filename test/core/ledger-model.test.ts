/**
 * The ledger's promises under random holds, settles, hours that pass and budgets that change, against a bookkeeping
 * that knows nothing of accounts: a list of holds and a list of charges.
 */
import { expect, test } from 'bun:test'
import * as fc from 'fast-check'
import { type Budget, type BudgetMode, limitAt } from '../../src/core/budget.ts'
import {
  type Account,
  changeBudget,
  decide,
  type Hold,
  openAccount,
  roll,
  settle,
  take,
} from '../../src/core/ledger.ts'
import { type Period, parsePeriod, windowAt } from '../../src/core/period.ts'
import { costOf, type Price, worstCost } from '../../src/core/price.ts'
import { usage } from '../../src/core/usage.ts'
import { anyPrice, NOON, priced } from './make.ts'

type Step =
  | { do: 'hold'; key: number; price: Price; likely: number; more: number; most: number }
  | { do: 'settle'; which: number; input: number; output: number }
  | { do: 'pass'; ms: number }
  | { do: 'budget'; of: number; limit: number; mode: BudgetMode; raise: Budget['raise'] }

interface Open {
  hold: Hold
  accounts: Account[]
  starts: number[]
  amount: number
  price: Price
  inputMost: number
  outputMost: number
}

const money = fc.oneof(fc.nat(200_000), fc.nat(2_000_000_000))
const price = fc.oneof(anyPrice, fc.constant(priced(1_000_000_000, 2_000_000_000)))
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant('hold' as const),
        key: fc.nat(1),
        price,
        likely: fc.nat(50),
        more: fc.nat(50),
        most: fc.integer({ min: 1, max: 100 }),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constant('settle' as const), which: fc.nat(), input: fc.nat(), output: fc.nat() }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.nat(100_000_000) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('budget' as const),
        of: fc.nat(3),
        limit: money,
        mode: fc.constantFrom<BudgetMode[]>('cap', 'strict', 'soft'),
        raise: fc.option(fc.record({ amount: money, until: fc.nat(400_000_000).map((ms) => NOON + ms) }), {
          nil: undefined,
        }),
      }),
    },
  ),
  { minLength: 1, maxLength: 80 },
)

/** Of the two keys, the gateway's day, and the gateway's first window. */
const PERIODS = ['1h', '1d', undefined, '1w'].map((text) => text && parsePeriod(text)) as (Period | undefined)[]
const SCOPES = ['key:0', 'key:1', 'gateway', 'gateway']
const ZONE = 'Europe/Berlin'

/** One whole life of four accounts. */
function live(limits: readonly number[], modes: readonly BudgetMode[], all: readonly Step[]): void {
  let now = NOON
  const budgets: Budget[] = limits.map((limit, i) => ({ limit, period: PERIODS[i], mode: modes[i] }))
  const accounts = budgets.map((budget, i) =>
    openAccount(SCOPES[i] as string, budget, 0, { zone: ZONE, mode: 'cap' }, now),
  )
  let open: Open[] = []
  const charges: { account: Account; start: number; cost: number }[] = []
  const startOf = (account: Account) => windowAt(PERIODS[accounts.indexOf(account)], now, ZONE).start

  /** What the books say of an account, by themselves. */
  const books = (account: Account) => {
    const start = startOf(account)
    const here = (o: Open) => o.starts[o.accounts.indexOf(account)] === start
    const budget = budgets[accounts.indexOf(account)] as Budget
    return {
      held: open.filter((o) => o.accounts.includes(account) && here(o)).reduce((sum, o) => sum + o.amount, 0),
      spent: charges.filter((c) => c.account === account && c.start === start).reduce((sum, c) => sum + c.cost, 0),
      limit: limitAt(budget, now).limit,
      mode: budget.mode as BudgetMode,
    }
  }
  const agree = () => {
    for (const account of accounts) {
      roll(account, now)
      expect(account).toMatchObject(books(account))
    }
  }
  const end = (o: Open, input: number, output: number) => {
    const used = usage({ input: input % (o.inputMost + 1), output: output % (o.outputMost + 1) })
    const cost = costOf(o.price, used)
    // What was held pays for whatever the request could use.
    expect(cost).toBeLessThanOrEqual(o.amount)
    open = open.filter((other) => other !== o)
    o.accounts.forEach((account, i) => {
      charges.push({ account, start: o.starts[i] as number, cost })
    })
    expect(settle(o.hold, cost)).toBeTrue()
    expect(settle(o.hold, cost + 1)).toBeFalse()
  }

  for (const step of all) {
    if (step.do === 'pass') now += step.ms
    else if (step.do === 'budget') {
      const { of, limit, mode, raise } = step
      const budget = { ...budgets[of], limit, mode, raise }
      budgets[of] = budget
      changeBudget(accounts[of] as Account, budget, 'cap', now)
    } else if (step.do === 'settle') {
      const one = open[step.which % Math.max(1, open.length)]
      if (one) end(one, step.input, step.output)
    } else {
      const mine = [accounts[step.key] as Account, ...accounts.slice(2)]
      for (const account of mine) roll(account, now)
      const before = mine.map(books)
      const tokens = {
        inputLikely: step.likely,
        inputMost: step.likely + step.more,
        outputLeast: 1,
        outputMost: step.most,
      }
      const verdict = decide(mine, { price: step.price, tokens })
      const least = (mode: BudgetMode) => worstCost(step.price, step.likely, mode === 'cap' ? 1 : step.most)
      const payable = before.every((b) => b.mode === 'soft' || b.limit - b.spent >= least(b.mode))
      const free = before.every((b) => b.held === 0)
      if (verdict.kind === 'refuse') {
        // Only what is spent may refuse, and it says so of the account where it is true.
        expect(payable).toBeFalse()
        const { limit, spent, mode } = books(verdict.account)
        expect(limit - spent).toBeLessThan(verdict.needed)
        expect(verdict.needed).toBe(least(mode))
        expect(mode).not.toBe('soft')
      } else if (verdict.kind === 'wait') {
        expect(books(verdict.account).held).toBeGreaterThan(0)
      } else {
        const worst = worstCost(step.price, tokens.inputMost, tokens.outputMost)
        if (worst > 0)
          for (const { mode, spent, held, limit } of before)
            if (mode !== 'soft') expect(spent + held + verdict.amount).toBeLessThanOrEqual(limit)
        // Who is strict is not cut: it pays for all of it, or another one's cap stands in the way.
        if (verdict.maxOutput !== undefined)
          expect(before.some((b) => b.mode === 'cap' && b.limit - b.spent < worst)).toBeTrue()
        open.push({
          hold: take(mine, verdict.amount, now),
          accounts: mine,
          starts: mine.map(startOf),
          amount: verdict.amount,
          price: step.price,
          inputMost: verdict.covers.input,
          outputMost: Math.min(verdict.covers.output, verdict.maxOutput ?? tokens.outputMost),
        })
      }
      if (payable && free) expect(verdict.kind).toBe('hold')
    }
    agree()
  }
  while (open[0]) end(open[0], 7, 7)
  agree()
  for (const account of accounts) expect(account.held).toBe(0)
}

const mode = fc.constantFrom<BudgetMode[]>('cap', 'cap', 'strict', 'soft')

test('never overspends, never leaks, never refuses what spent money alone would allow', () => {
  fc.assert(fc.property(fc.tuple(money, money, money, money), fc.tuple(mode, mode, mode, mode), steps, live), {
    numRuns: 1_500,
  })
})
