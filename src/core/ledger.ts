/**
 * Who may spend what: the accounts that a hold has to pass, and the decision. State in, time as an argument, a verdict
 * out. The shell (store/ledger.ts) writes down what was decided before anything is sent.
 *
 * Two promises. No overspend: what is held counts as spent until it is settled. No false refusal: money that is only
 * *held* never refuses anybody, it makes him wait (litellm#27639, #36926, #40050 are refusals by leaked or oversized
 * reservations); a refusal says that what is really *spent* leaves too little.
 */
import { type Budget, type BudgetMode, limitAt } from './budget.ts'
import type { Estimate } from './estimate.ts'
import { allows } from './key.ts'
import type { Load } from './load.ts'
import { type Window, windowAt } from './period.ts'
import { outputAffordable, type Price, worstCost } from './price.ts'

/** One budget of one scope in its current window. All amounts in nano-dollars. */
export interface Account {
  /** `key:<id>`, `team:<id>`, …, `gateway`. */
  readonly scope: string
  budget: Budget
  mode: BudgetMode
  /** What holds now; until `limitUntil` (ms since the epoch), when a raise ends. */
  limit: number
  limitUntil: number
  readonly zone: string
  /** Replaced when it is over. */
  window: Window
  spent: number
  held: number
  /** Nano-dollars that were spent when its warnings were last looked at. */
  warned: number
  /** Its budget is gone, or it was let go: it stands in nobody's way, and another one may have its place. */
  closed: boolean
}

/** Less than any mark. */
const NOTHING_TOLD = -1

/** @param spent in the window of `now`, from the database @param mode of budgets that name none */
export function openAccount(
  scope: string,
  budget: Budget,
  spent: number,
  settings: { zone: string; mode: BudgetMode },
  now: number,
): Account {
  return {
    scope,
    budget,
    mode: budget.mode ?? settings.mode,
    ...limits(budget, now),
    zone: settings.zone,
    window: windowAt(budget.period, now, settings.zone),
    spent,
    held: 0,
    warned: NOTHING_TOLD,
    closed: false,
  }
}

const limits = (budget: Budget, now: number): { limit: number; limitUntil: number } => {
  const { limit, until } = limitAt(budget, now)
  return { limit, limitUntil: until }
}

/** Other terms for the same window: what is spent and held in it stays. */
export function changeBudget(account: Account, budget: Budget, mode: BudgetMode, now: number): void {
  const { soft = Number.POSITIVE_INFINITY } = account.budget
  account.budget = budget
  account.mode = budget.mode ?? mode
  setLimit(account, now)
  if ((budget.soft ?? Number.POSITIVE_INFINITY) < soft) account.warned = NOTHING_TOLD
}

function setLimit(account: Account, now: number): void {
  const before = account.limit
  Object.assign(account, limits(account.budget, now))
  // Its marks lie lower now: what is spent may be past some that nobody was told of.
  if (account.limit < before) account.warned = NOTHING_TOLD
}

/**
 * Moves an account into the window of `now`, and ends a raise whose time is over. What was held belongs to the window
 * it was taken in, and goes with it.
 */
export function roll(account: Account, now: number): void {
  if (now >= account.limitUntil) setLimit(account, now)
  if (now < account.window.end) return
  account.window = windowAt(account.budget.period, now, account.zone)
  account.spent = 0
  account.held = 0
  account.warned = NOTHING_TOLD
}

/** What a hold pays for: tokens, and what was to be expected beside them. */
export interface Covered {
  input: number
  output: number
  load?: Load | undefined
}

/** What a request needs of an account that it waits for, nano-dollars. */
export interface Needs {
  /** With so much that is neither spent nor held it goes on beside the others. */
  most: number
  /** With less than this that is not spent it is refused. */
  least: number
}

export interface Ask {
  price: Price
  tokens: Estimate
}

export type Verdict =
  /**
   * Take `amount` from each account. `maxOutput` is what the answer must be cut to, where money asks for it; `covers`
   * the tokens that the amount pays for.
   */
  | { kind: 'hold'; amount: number; maxOutput: number | undefined; covers: Covered }
  /** Others hold what this needs: ask again when {@link mayPass} says so. */
  | { kind: 'wait'; account: Account; needs: Needs }
  | { kind: 'refuse'; account: Account; needed: number }

/** Decides on one attempt at one target for all its accounts, or none. Changes nothing. */
export function decide(accounts: readonly Account[], ask: Ask): Verdict {
  const { price, tokens } = ask
  const worst = worstCost(price, tokens.inputMost, tokens.outputMost, tokens.loadMost)
  const tight = worst === 0 ? [] : accounts.filter((a) => a.mode !== 'soft' && a.limit - a.spent - a.held < worst)
  if (tight.length === 0) {
    const covers = { input: tokens.inputMost, output: tokens.outputMost, load: tokens.loadMost }
    return { kind: 'hold', amount: worst, maxOutput: undefined, covers }
  }

  // The worst case does not fit: from here on the likely one counts, and the request runs alone on what is left.
  const cut = worstCost(price, tokens.inputLikely, tokens.outputLeast, tokens.loadLikely)
  const uncut = worstCost(price, tokens.inputLikely, tokens.outputMost, tokens.loadLikely)
  const leastOf = (account: Account): number => (account.mode === 'cap' ? cut : uncut)
  const short = tight.find((a) => a.limit - a.spent < leastOf(a))
  if (short) return { kind: 'refuse', account: short, needed: leastOf(short) }
  const busy = tight.find((a) => a.held > 0)
  if (busy) return { kind: 'wait', account: busy, needs: { most: worst, least: leastOf(busy) } }
  const amount = Math.min(...tight.map((a) => a.limit - a.spent))
  // Whoever does not cut has been seen to pay for all of it: where all of it is not there, a cap is the tightest.
  const needed = amount < uncut ? tokens.outputLeast : tokens.outputMost
  // Prompt and answer are rounded up one by one there; that both together fit was seen above.
  const affordable = Math.max(needed, outputAffordable(price, tokens.inputLikely, amount, tokens.loadLikely))
  return {
    kind: 'hold',
    amount,
    maxOutput: affordable < tokens.outputMost ? affordable : undefined,
    covers: {
      input: tokens.inputLikely,
      output: Math.min(affordable, tokens.outputMost),
      load: tokens.loadLikely,
    },
  }
}

/** Whether an account no longer makes wait: there is room beside the others, or there are none, or there never will be. */
export function mayPass({ mode, limit, spent, held, closed }: Account, { most, least }: Needs): boolean {
  return closed || mode === 'soft' || held === 0 || limit - spent - held >= most || limit - spent < least
}

/** A hold that was taken: which window of each account it counts in. */
export interface Hold {
  amount: number
  /** ms since the epoch. */
  takenAt: number
  takenIn: { readonly account: Account; readonly window: Window }[]
  settled: boolean
}

/** Takes `amount` from every account. Call only with a `hold` verdict made at the same moment. */
export function take(accounts: readonly Account[], amount: number, now: number): Hold {
  for (const account of accounts) account.held += amount
  const takenIn = accounts.map((account) => ({ account, window: account.window }))
  return { amount, takenAt: now, takenIn, settled: false }
}

/** Lets a hold that is under way count in an account that was opened after it, as if it had been there. */
export function join(hold: Hold, account: Account, alias: string): void {
  const { model } = account.budget
  if (hold.settled || hold.takenAt < account.window.start || (model !== undefined && !allows([model], alias))) return
  account.held += hold.amount
  hold.takenIn.push({ account, window: account.window })
}

/**
 * Takes money for an answer that grows past its hold: for `wanted` tokens more, for fewer where less is left, but for
 * `least` of them; from every account or none.
 * @returns how many tokens, or the account that has too little even for the least, and what that is in nano-dollars
 */
export function extend(
  hold: Hold,
  price: Price,
  { input, output, load }: Covered,
  least: number,
  wanted: number,
): { tokens: number } | { short: Account; needed: number } {
  // A window that is over has no limit any more: what the answer still costs was begun in it.
  const current = hold.takenIn.filter((t) => t.window === t.account.window).map((t) => t.account)
  let left = Number.POSITIVE_INFINITY
  let tightest: Account | undefined
  for (const account of current) {
    const free = account.limit - account.spent - account.held
    if (account.mode === 'soft' || account.closed || free >= left) continue
    left = free
    tightest = account
  }
  // By the difference, since tiers depend on the prompt and a request's own fee is paid once.
  const paid = worstCost(price, input, output, load)
  const costOf = (tokens: number): number => worstCost(price, input, output + tokens, load) - paid
  let tokens = wanted
  if (costOf(tokens) > Math.max(0, left) && tightest) {
    tokens = Math.max(least, Math.min(wanted, outputAffordable(price, input, paid + left, load) - output))
    if (costOf(tokens) > left) return { short: tightest, needed: costOf(least) }
  }
  const more = costOf(tokens)
  for (const account of current) account.held += more
  hold.amount += more
  return { tokens }
}

/** Gives the hold back and books what it really cost. The second call does nothing: settling is idempotent. */
export function settle(hold: Hold, cost: number): boolean {
  if (hold.settled) return false
  hold.settled = true
  for (const { account, window } of hold.takenIn) {
    if (window !== account.window) continue
    account.held -= hold.amount
    account.spent += cost
  }
  return true
}

/**
 * The warning that an account has just come to, once in each window: the highest of `shares` of its limit, or its soft
 * budget, that is spent now and was not before. Notes it on the account.
 * @returns the amount that was passed, in nano-dollars
 */
export function crossing(account: Account, shares: readonly number[]): number | undefined {
  const { limit, budget, spent } = account
  if (limit === Number.POSITIVE_INFINITY && budget.soft === undefined) return undefined
  const marks = limit === Number.POSITIVE_INFINITY ? [] : shares.map((share) => Math.ceil(limit * share))
  if (budget.soft !== undefined) marks.push(budget.soft)
  const passed = marks.filter((mark) => mark > account.warned && mark <= spent)
  account.warned = spent
  return passed.length > 0 ? Math.max(...passed) : undefined
}
