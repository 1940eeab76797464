/**
 * The ledger's shell: keeps the accounts in memory, lets requests wait for money that others hold, and writes down each
 * decision before it takes effect. The deciding itself is core/ledger.ts.
 */

import type { Budget } from '../core/budget.ts'
import { budgetName } from '../core/budget.ts'
import type { Ending } from '../core/ending.ts'
import {
  type Account,
  type Ask,
  type Covered,
  crossing,
  decide,
  extend,
  type Hold,
  roll,
  settle,
  take,
} from '../core/ledger.ts'
import { isOfDays } from '../core/period.ts'
import { costOf, type Price } from '../core/price.ts'
import { served } from '../core/price-at.ts'
import { Refusal } from '../core/refusal.ts'
import type { Payer } from '../core/scope.ts'
import type { Target } from '../core/target.ts'
import { NO_USAGE, type Usage, type UsageSource } from '../core/usage.ts'
import { type AccountSettings, Accounts } from './accounts.ts'
import { BOUNDS, type Bounds } from './bounds.ts'
import { Days } from './days.ts'
import type { HoldRow } from './hold-text.ts'
import { Names } from './names.ts'
import type { Store } from './open.ts'
import { Operations } from './operation.ts'
import { Outbox, unwritable } from './outbox.ts'
import { heldByOthers, overBudget } from './over-budget.ts'
import { Spent } from './spent.ts'
import type { Move } from './sums.ts'
import type { Timing } from './timing.ts'
import { type Busy, Waiting } from './waiting.ts'

/** What identifies an attempt, and what a charge says of it. */
export interface Attempt {
  operation: number
  attempt: number
  /** ms since the epoch, when its money was there. */
  startedAt: number
  target: Target
  /** `chat`, `completion`, `embedding`: the route's kind. */
  call: string
}

export interface HoldRequest {
  operation: number
  attempt: number
  target: Target
  call: string
  payer: Payer
  /** What it is charged by; the target's own where it is not given. */
  price?: Price
  /**
   * Of its payer and its target, as {@link Ledger.accounts} gives them. Asked for each time it is decided anew: budgets
   * may change while it waits.
   */
  accounts(): readonly Account[]
  /** Likewise: experience may grow. */
  ask(): Ask
  waitMs: number
  /** HTTP status of a refusal. */
  status: number
  signal: Ending
}

export interface OpenHold {
  attempt: Attempt
  hold: Hold
  price: Price
  /** What the answer must be cut to, in tokens. */
  maxOutput: number | undefined
  /** What the hold pays for. Its output grows with {@link Ledger.extend}. */
  readonly covers: Covered
  /** Likely tokens of the prompt: charged where nobody reports any. */
  inputLikely: number
  /** The hold as it is written. */
  row: HoldRow
  /** Of its request. */
  accounts(): readonly Account[]
}

export interface Outcome {
  outcome: string
  status: number
  usage: Usage
  source: UsageSource
  firstMs: number | undefined
  now: number
}

export interface LedgerSettings extends AccountSettings {
  /** Shares of a limit at which is warned. */
  warnAt: readonly number[]
  /** The longest that an operation may take, ms, where that is more than usual. */
  longestMs?: number
  /** Where they are not the usual. */
  bounds?: Partial<Bounds>
}

export interface LedgerHooks {
  /** Told of each failed write; must not throw. */
  onError(cause: unknown): void
  /** A budget has come to a mark, nano-dollars, of its warnings. */
  onCrossed(account: Account, mark: number): void
}

/** The longest that a hold is believed: conversations and generations end long before. */
const LEASE_MS = 24 * 3_600_000

export class Ledger {
  readonly #accounts: Accounts
  readonly #waiting: Waiting
  readonly #outbox: Outbox
  readonly #names: Names
  readonly #spent: Spent
  readonly #days: Days
  readonly #operations: Operations
  readonly #timing: Timing
  readonly #settings: LedgerSettings
  readonly #hooks: LedgerHooks
  readonly #open = new Set<OpenHold>()

  constructor(store: Store, timing: Timing, settings: LedgerSettings, hooks: LedgerHooks) {
    const bounds = { ...BOUNDS, ...settings.bounds }
    this.#timing = timing
    this.#settings = settings
    this.#hooks = hooks
    this.#names = new Names(store)
    this.#outbox = new Outbox(store, this.#names, timing, (cause) => hooks.onError(cause), bounds)
    this.#spent = new Spent(store, this.#names, settings.zone, settings.longestMs)
    this.#days = new Days(settings.zone)
    this.#waiting = new Waiting(timing, bounds.waiting)
    this.#accounts = new Accounts(this.#spent, settings, bounds.scopes, {
      flush: () => {
        this.#outbox.flush()
        return this.#outbox.unwritten === 0
      },
      holdsOf: (scope) => this.#holdsOf(scope),
    })
    // Written now, so that a disk that fails later cannot keep a charge from being made.
    for (const word of WORDS) this.#names.word(word)
    this.#names.price(UNSOLD)
    const last = store.sqlite.prepare('SELECT max(operation) AS o FROM charges').get() as { o: number | null }
    this.#operations = new Operations(last.o ?? 0, timing.now)
  }

  /** A number for a new operation. */
  nextOperation(): number {
    return this.#operations.next()
  }

  /**
   * The accounts of a scope as its budgets now stand.
   * @param budgets the same array until they change
   * @throws Refusal overloaded where one is new and the disk fails
   */
  accounts(scope: string, budgets: readonly Budget[]): readonly Account[] {
    return this.#writing(() => this.#accounts.of(scope, budgets, this.#timing.now()))
  }

  /** Budgets have changed: whoever waits may go on, or need not wait any more. */
  reconsider(): void {
    this.#waiting.pumpAll()
  }

  /** @throws Refusal overloaded where the disk fails */
  #writing<T>(act: () => T): T {
    try {
      return act()
    } catch (cause) {
      if (cause instanceof Refusal) throw cause
      this.#hooks.onError(cause)
      throw unwritable(String(cause))
    }
  }

  /** A scope has another name in the database from now on. */
  forget(scope: string): void {
    this.#names.forget()
    this.#accounts.forget(scope)
  }

  /** All that a scope has ever spent. */
  total(scope: string): { cost: number; requests: number; tokens: number } {
    this.#outbox.flush()
    return this.#spent.total(scope)
  }

  *#holdsOf(scope: string): Iterable<{ hold: Hold; alias: string }> {
    if (this.#open.size === 0) return
    const word = this.#names.word(scope)
    for (const { hold, row, attempt } of this.#open)
      if (this.#names.scopes(row.payer, row.target).includes(word)) yield { hold, alias: attempt.target.alias }
  }

  /**
   * Takes the money for one attempt and writes the hold. Waits while others hold what it needs.
   * @throws Refusal budget_exceeded, overloaded, client_closed
   */
  async hold(request: HoldRequest): Promise<OpenHold> {
    const now = this.#try(request)
    const open = 'taken' in now ? now.taken : await this.#wait(request, now)
    try {
      await this.#outbox.hold(open.row)
      return open
    } catch (cause) {
      this.#open.delete(open)
      this.#giveBack(open.hold, 0)
      throw cause
    }
  }

  /**
   * Takes money for more of an answer that comes to the end of its hold, from all accounts or none: for `wanted` tokens,
   * for fewer where less is left, but for `least` of them.
   * @returns what the caller is to be told where there is none
   */
  extend(open: OpenHold, least: number, wanted: number, status: number): Refusal | undefined {
    const { hold, price } = open
    if (hold.settled) return undefined
    const now = this.#timing.now()
    try {
      // Budgets may have changed: those that are new count it from here on, those that are gone let it pass.
      open.accounts()
    } catch {
      // A disk that fails is no reason to cut an answer.
    }
    for (const { account } of hold.takenIn) roll(account, now)
    const found = extend(hold, price, open.covers, least, wanted)
    if ('tokens' in found) {
      open.covers.output += found.tokens
      return undefined
    }
    const { short, needed } = found
    return short.limit - short.spent < needed
      ? overBudget(short, needed, { status }, now)
      : heldByOthers(short, { status })
  }

  /** Books what an attempt really used and lets go of its hold. Idempotent. Returns the cost in nano-dollars. */
  settle(open: OpenHold, outcome: Outcome): number {
    const price = isSold(outcome) ? served(open.price, outcome.usage.service) : UNSOLD
    const cost = costOf(price, outcome.usage)
    if (open.hold.settled) return cost
    const { attempt, row, hold } = open
    this.#open.delete(open)
    this.#outbox.charge(
      {
        ...outcome.usage,
        operation: attempt.operation,
        attempt: attempt.attempt,
        startedAt: attempt.startedAt,
        durationMs: Math.round(outcome.now - attempt.startedAt),
        firstMs: outcome.firstMs === undefined ? null : Math.round(outcome.firstMs),
        payer: row.payer,
        target: row.target,
        price: price === open.price ? row.price : this.#names.price(price),
        call: row.call,
        outcome: this.#names.word(outcome.outcome),
        failed: outcome.outcome !== 'ok',
        status: outcome.status,
        source: this.#names.word(outcome.source),
        cost,
        day: this.#days.of(attempt.startedAt),
      },
      this.#movesOf(hold),
      row,
    )
    this.#giveBack(hold, cost)
    return cost
  }

  /** Windows that are no sum of days are counted by themselves. */
  #movesOf(hold: Hold): readonly Move[] {
    let moves: Move[] | undefined
    for (const { account, window } of hold.takenIn) {
      const { budget } = account
      if (!budget.period || isOfDays(budget.period)) continue
      const [scope, name] = [this.#names.word(account.scope), this.#names.word(budgetName(budget))]
      moves ??= []
      // A budget that went away and came back has an account for each time, and one window.
      if (moves.some((m) => m.scope === scope && m.budget === name)) continue
      moves.push({ scope, budget: name, start: window.start })
    }
    return moves ?? NO_MOVES
  }

  /**
   * What an attempt costs is somebody else's from here on: its own accounts have their money back at once, and nothing is
   * held for what is left of it.
   * @throws Refusal overloaded where the disk fails
   */
  handOver(open: OpenHold, payer: Payer, accounts: () => readonly Account[]): void {
    const { hold, row, attempt, price } = open
    if (hold.settled) return
    const numbers = this.#numbersOf({ payer, target: attempt.target, call: attempt.call, price })
    open.hold = take(accounts(), 0, this.#timing.now())
    open.accounts = accounts
    Object.assign(row, { payer: numbers.payer, amount: 0 })
    this.#giveBack(hold, 0)
  }

  /** Lets a hold go whose attempt was never sent: it leaves no charge. */
  release(open: OpenHold): void {
    if (open.hold.settled) return
    this.#open.delete(open)
    this.#giveBack(open.hold, 0)
    this.#outbox.drop(open.row)
  }

  /**
   * Ends the holds that are older than any attempt can be: somebody forgot them, and they must not keep money from its
   * owners for ever. They are charged as after a crash: the prompt, as likely.
   * @returns what they were of
   */
  endLeases(): Attempt[] {
    const now = this.#timing.now()
    const leaked = [...this.#open].filter(({ hold }) => now - hold.takenAt > LEASE_MS)
    for (const open of leaked) {
      const usage = { ...NO_USAGE, input: open.inputLikely }
      this.settle(open, { outcome: 'interrupted', status: 0, usage, source: 'estimated', firstMs: undefined, now })
    }
    return leaked.map(({ attempt }) => attempt)
  }

  flush(): void {
    this.#outbox.flush()
  }

  /** What is set aside now: nothing, at rest. */
  open(): { holds: number; amount: number } {
    let amount = 0
    for (const { hold } of this.#open) amount += hold.amount
    return { holds: this.#open.size, amount }
  }

  get unwritten(): number {
    return this.#outbox.unwritten
  }

  /** Every hold whose attempt has not ended. */
  get underWay(): Iterable<OpenHold> {
    return this.#open
  }

  /** How many requests wait for the account that most wait for. */
  get longestQueue(): number {
    return this.#waiting.longest
  }

  #giveBack(hold: Hold, cost: number): void {
    const now = this.#timing.now()
    for (const { account } of hold.takenIn) roll(account, now)
    if (!settle(hold, cost)) return
    const accounts = hold.takenIn.map(({ account }) => account)
    for (const account of cost > 0 ? accounts : []) {
      const mark = crossing(account, this.#settings.warnAt)
      if (mark !== undefined) this.#hooks.onCrossed(account, mark)
    }
    this.#waiting.pump(accounts)
  }

  /** Decides for one request: takes, refuses (by throwing), or names the account it has to wait for. */
  #try(request: HoldRequest): { taken: OpenHold } | Busy {
    const accounts = request.accounts()
    const ask = request.ask()
    const verdict = decide(accounts, ask)
    if (verdict.kind === 'wait') {
      const { account, needs } = verdict
      return { wait: account, needs, until: Math.min(...accounts.map(({ window }) => window.end)) }
    }
    const now = this.#timing.now()
    if (verdict.kind === 'refuse') throw overBudget(verdict.account, verdict.needed, request, now)
    const numbers = this.#numbersOf(request)
    const { operation, attempt, target, call } = request
    const { amount, maxOutput, covers } = verdict
    const { inputLikely } = ask.tokens
    const hold = take(accounts, amount, now)
    const open: OpenHold = {
      attempt: { operation, attempt, startedAt: now, target, call },
      ...{ hold, price: request.price ?? target.price, maxOutput, covers, inputLikely },
      row: { operation, attempt, startedAt: now, ...numbers, amount, inputLikely },
      accounts: request.accounts,
    }
    // At once: an account that is opened from here on has to know of it.
    this.#open.add(open)
    return { taken: open }
  }

  /**
   * Everything that a charge names, written before money is taken for it. Its scopes too: a number that were given
   * within the transaction of the charge would be given again if that failed.
   */
  #numbersOf({
    payer,
    target,
    call,
    price = target.price,
  }: Pick<HoldRequest, 'payer' | 'target' | 'call' | 'price'>): Pick<HoldRow, 'payer' | 'target' | 'price' | 'call'> {
    return this.#writing(() => {
      const numbers = { payer: this.#names.payer(payer), target: this.#names.target(target) }
      this.#names.scopes(numbers.payer, numbers.target)
      // In whichever service it will be served.
      if (price.kind === 'priced') for (const other of Object.values(price.services ?? {})) this.#names.price(other)
      const standard = this.#names.price(served(price, undefined))
      return { ...numbers, price: standard, call: this.#names.word(call) }
    })
  }

  #wait(request: HoldRequest, busy: Busy): Promise<OpenHold> {
    return this.#waiting.wait(busy, {
      try: () => this.#try(request),
      tooLate: (account) => heldByOthers(account, request),
      waitMs: request.waitMs,
      signal: request.signal,
    })
  }
}

const NO_MOVES: readonly Move[] = []

/** Nobody bills what failed before it began: not even the fee that a request has. */
const UNSOLD: Price = { kind: 'free', version: 'nothing was sold' }
const isSold = ({ outcome, source }: Outcome): boolean => outcome === 'ok' || source !== 'none'

/** What charges say of their end and their source. */
const WORDS = [
  ...['ok', 'aborted', 'interrupted', 'internal', 'provider', 'estimated', 'none', 'gateway', ''],
  ...['rate_limited', 'overloaded', 'server', 'timeout', 'unreachable', 'bad_reply', 'context', 'content_filter'],
  ...['caller', 'auth', 'not_found', 'budget_exceeded', 'hedged', 'no_way', 'revoked', 'content_policy_violation'],
]
