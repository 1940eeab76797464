/**
 * The ledger's promises under random holds, settles, hours that pass and budgets that change, against a bookkeeping
 * that knows nothing of accounts: a list of holds and a list of charges.
 */
import { expect, test } from 'bun:test'
import * as fc from 'fast-check'
import { type Account, decide, type Hold, openAccount, roll, settle, take } from '../../src/core/ledger.ts'
import { type Period, parsePeriod, windowAt } from '../../src/core/period.ts'
import { costOf, type Price, worstCost } from '../../src/core/price.ts'
import { usage } from '../../src/core/usage.ts'
import { anyPrice, NOON, priced } from './make.ts'

type Step =
  | { do: 'hold'; key: number; price: Price; likely: number; more: number; most: number; mode: 'cap' | 'strict' }
  | { do: 'settle'; which: number; input: number; output: number }
  | { do: 'pass'; ms: number }
  | { do: 'limit'; of: number; limit: number }

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
        mode: fc.constantFrom('cap' as const, 'strict' as const),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constant('settle' as const), which: fc.nat(), input: fc.nat(), output: fc.nat() }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.nat(100_000_000) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('limit' as const), of: fc.nat(2), limit: money }) },
  ),
  { minLength: 1, maxLength: 80 },
)

const PERIODS = ['1h', '1d', undefined].map((text) => text && parsePeriod(text)) as (Period | undefined)[]

/** One whole life of three accounts. */
function live(limits: readonly number[], all: readonly Step[]): void {
  let now = NOON
  const accounts = limits.map((limit, i) =>
    openAccount(['key:0', 'key:1', 'gateway'][i] as string, { limit, period: PERIODS[i] }, 0, 0, now),
  ) as [Account, Account, Account]
  let open: Open[] = []
  const charges: { account: Account; start: number; cost: number }[] = []

  /** What the books say of an account, by themselves. */
  const books = (account: Account) => {
    const { start } = windowAt(account.period, now)
    const here = (o: Open) => o.starts[o.accounts.indexOf(account)] === start
    return {
      held: open.filter((o) => o.accounts.includes(account) && here(o)).reduce((sum, o) => sum + o.amount, 0),
      spent: charges.filter((c) => c.account === account && c.start === start).reduce((sum, c) => sum + c.cost, 0),
      total: charges.filter((c) => c.account === account).reduce((sum, c) => sum + c.cost, 0),
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
    else if (step.do === 'limit') (accounts[step.of] as Account).limit = step.limit
    else if (step.do === 'settle') {
      const one = open[step.which % Math.max(1, open.length)]
      if (one) end(one, step.input, step.output)
    } else {
      const mine = [accounts[step.key] as Account, accounts[2]]
      for (const account of mine) roll(account, now)
      const before = mine.map(books)
      const tokens = {
        inputLikely: step.likely,
        inputMost: step.likely + step.more,
        outputLeast: 1,
        outputMost: step.most,
      }
      const verdict = decide(mine, { price: step.price, tokens, mode: step.mode })
      const least = worstCost(step.price, step.likely, step.mode === 'cap' ? 1 : step.most)
      const payable = mine.every((account, i) => account.limit - before[i]!.spent >= least)
      const free = mine.every((_, i) => before[i]!.held === 0)
      if (verdict.kind === 'refuse') {
        // Only what is spent may refuse, and it says so of the account where it is true.
        expect(payable).toBeFalse()
        expect(verdict.account.limit - books(verdict.account).spent).toBeLessThan(verdict.needed)
        expect(verdict.needed).toBe(least)
      } else if (verdict.kind === 'wait') {
        expect(books(verdict.account).held).toBeGreaterThan(0)
      } else {
        const worst = worstCost(step.price, tokens.inputMost, tokens.outputMost)
        if (worst > 0)
          for (const [i, account] of mine.entries())
            expect(before[i]!.spent + before[i]!.held + verdict.amount).toBeLessThanOrEqual(account.limit)
        const whole = verdict.amount >= worst
        open.push({
          hold: take(mine, verdict.amount),
          accounts: mine,
          starts: mine.map((account) => windowAt(account.period, now).start),
          amount: verdict.amount,
          price: step.price,
          inputMost: whole ? tokens.inputMost : tokens.inputLikely,
          outputMost: Math.min(tokens.outputMost, verdict.maxOutput ?? tokens.outputMost),
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

test('never overspends, never leaks, never refuses what spent money alone would allow', () => {
  fc.assert(fc.property(fc.tuple(money, money, money), steps, live), { numRuns: 400 })
})
