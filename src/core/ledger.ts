/**
 * Who may spend what: the accounts that a hold has to pass, and the decision. State in, time as an argument, a verdict
 * out. The shell (store/ledger.ts) writes down what was decided before anything is sent.
 *
 * Two promises. No overspend: what is held counts as spent until it is settled. No false refusal: money that is only
 * *held* never refuses anybody, it makes him wait (litellm#27639, #36926, #40050 are refusals by leaked or oversized
 * reservations); a refusal says that what is really *spent* leaves too little.
 */
import type { Estimate } from './estimate.ts'
import { type Period, type Window, windowAt } from './period.ts'
import { outputAffordable, type Price, worstCost } from './price.ts'
import type { Budget } from './snapshot.ts'

/** One scope's money in its current window. All amounts in nano-dollars. */
export interface Account {
  /** `key:<id>` or `gateway`. */
  scope: string
  limit: number
  period: Period | undefined
  /** Replaced when it is over; changed in place when the budget's period is, so that what is held in it stays held. */
  window: Window
  spent: number
  held: number
  /** Everything since the beginning, for `x-litellm-key-spend` and reports. */
  total: number
}

/** A scope as it is at start: what it spent in the window of `now` comes from the database. */
export function openAccount(
  scope: string,
  budget: Budget | undefined,
  spent: number,
  total: number,
  now: number,
): Account {
  const period = budget?.period
  return {
    scope,
    limit: budget?.limit ?? Number.POSITIVE_INFINITY,
    period,
    window: windowAt(period, now),
    spent,
    held: 0,
    total,
  }
}

/** Moves an account into the window of `now`. What was held belongs to the window it was taken in, and goes with it. */
export function roll(account: Account, now: number): void {
  if (now < account.window.end) return
  account.window = windowAt(account.period, now)
  account.spent = 0
  account.held = 0
}

export interface Ask {
  price: Price
  tokens: Estimate
  mode: 'strict' | 'cap'
}

export type Verdict =
  /** Take `amount` from each account. `maxOutput` is what the answer must be cut to, where money asks for it. */
  | { kind: 'hold'; amount: number; maxOutput: number | undefined }
  /** Others hold what this needs: ask again when one of them settles. */
  | { kind: 'wait'; account: Account }
  | { kind: 'refuse'; account: Account; needed: number }

/** Decides on one attempt at one target for all its accounts, or none. Changes nothing. */
export function decide(accounts: readonly Account[], ask: Ask): Verdict {
  const { price, tokens, mode } = ask
  const worst = worstCost(price, tokens.inputMost, tokens.outputMost)
  const tight = worst === 0 ? [] : accounts.filter((a) => a.limit - a.spent - a.held < worst)
  if (tight.length === 0) return { kind: 'hold', amount: worst, maxOutput: undefined }

  // The worst case does not fit: from here on the likely one counts, and the request runs alone on what is left.
  const needed = mode === 'cap' ? tokens.outputLeast : tokens.outputMost
  const least = worstCost(price, tokens.inputLikely, needed)
  const short = tight.find((a) => a.limit - a.spent < least)
  if (short) return { kind: 'refuse', account: short, needed: least }
  const busy = tight.find((a) => a.held > 0)
  if (busy) return { kind: 'wait', account: busy }
  const amount = Math.min(...tight.map((a) => a.limit - a.spent))
  // Prompt and answer are rounded up one by one there; that both together fit was seen above.
  const affordable = Math.max(needed, outputAffordable(price, tokens.inputLikely, amount))
  return { kind: 'hold', amount, maxOutput: affordable < tokens.outputMost ? affordable : undefined }
}

/** A budget with another period counts from now on: `spent` is what its window has seen so far. Holds go on in it. */
export function changePeriod(account: Account, period: Period | undefined, spent: number, now: number): void {
  account.period = period
  account.spent = spent
  Object.assign(account.window, windowAt(period, now))
}

/** A hold that was taken: which window of each account it counts in. */
export interface Hold {
  amount: number
  takenIn: { readonly account: Account; window: Window }[]
  settled: boolean
}

/** Takes `amount` from every account. Call only with a `hold` verdict made at the same moment. */
export function take(accounts: readonly Account[], amount: number): Hold {
  for (const account of accounts) account.held += amount
  return { amount, takenIn: accounts.map((account) => ({ account, window: account.window })), settled: false }
}

/** Gives the hold back and books what it really cost. The second call does nothing: settling is idempotent. */
export function settle(hold: Hold, cost: number): boolean {
  if (hold.settled) return false
  hold.settled = true
  for (const taken of hold.takenIn) {
    const { account } = taken
    account.total += cost
    if (taken.window === account.window) account.held -= hold.amount
    else if (taken.window.start < account.window.start || taken.window.start >= account.window.end) continue
    // Its own window was over when the period grew to one that takes both in: what it cost counts in that.
    else taken.window = account.window
    account.spent += cost
  }
  return true
}
