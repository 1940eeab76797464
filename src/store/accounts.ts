/** The accounts that are in use, one for each budget of a scope: opened when they are first asked for, and let go when long idle. */
import { type Budget, type BudgetMode, budgetName } from '../core/budget.ts'
import { type Account, changeBudget, type Hold, join, openAccount, roll } from '../core/ledger.ts'
import { unwritable } from './outbox.ts'
import type { Spent } from './spent.ts'

export interface AccountSettings {
  /** In which budgets begin anew. */
  zone: string
  /** Of budgets that name none. */
  mode: BudgetMode
}

/** What the accounts have to know of what is under way. */
interface UnderWay {
  /** Writes all charges. Returns whether that was possible. */
  flush(): boolean
  /** Holds that are open and belong to the scope, with the alias of their target. */
  holdsOf(scope: string): Iterable<{ hold: Hold; alias: string }>
}

const NONE: readonly Account[] = []

interface Entry {
  budgets: readonly Budget[]
  accounts: readonly Account[]
  /** ms since the epoch. */
  usedAt: number
}

/** Whoever was not asked for so long is let go when there are too many: what he spent is read again when he comes back. */
const IDLE_MS = 60_000

export class Accounts {
  readonly #entries = new Map<string, Entry>()
  readonly #spent: Spent
  readonly #settings: AccountSettings
  readonly #underWay: UnderWay
  readonly #most: number
  #sweepAt: number

  /** @param most scopes that are kept though nobody asks for them */
  constructor(spent: Spent, settings: AccountSettings, most: number, underWay: UnderWay) {
    this.#most = most
    this.#sweepAt = most
    this.#spent = spent
    this.#settings = settings
    this.#underWay = underWay
  }

  /**
   * The accounts of a scope in their windows of now, in the order of its budgets. A changed budget takes effect on the account that is in use:
   * what is held in it stays held.
   * @param budgets the same array until they change
   */
  of(scope: string, budgets: readonly Budget[], now: number): readonly Account[] {
    const entry = this.#entries.get(scope)
    if (budgets.length === 0) {
      if (entry) this.#close(scope, entry)
      return NONE
    }
    if (entry && entry.budgets === budgets) {
      entry.usedAt = now
      for (const account of entry.accounts) roll(account, now)
      return entry.accounts
    }
    return this.#open(scope, budgets, entry, now)
  }

  #open(scope: string, budgets: readonly Budget[], before: Entry | undefined, now: number): readonly Account[] {
    const known = new Map(before?.accounts.map((account) => [budgetName(account.budget), account]))
    const isNew = budgets.some((budget) => !known.has(budgetName(budget)))
    if (isNew && !this.#underWay.flush()) throw unwritable('a budget is new, and not all charges are written')
    const accounts = budgets.map((budget) => {
      const account = known.get(budgetName(budget))
      if (account) {
        roll(account, now)
        changeBudget(account, budget, this.#settings.mode, now)
        return account
      }
      const opened = openAccount(scope, budget, this.#spent.in(scope, budget, now), this.#settings, now)
      for (const { hold, alias } of this.#underWay.holdsOf(scope)) join(hold, opened, alias)
      return opened
    })
    for (const account of before?.accounts ?? []) account.closed = !accounts.includes(account)
    this.#entries.set(scope, { budgets, accounts, usedAt: now })
    if (this.#entries.size > this.#sweepAt) this.#sweep(now)
    return accounts
  }

  /** What was spent under this name stands under another one now. */
  forget(scope: string): void {
    const entry = this.#entries.get(scope)
    if (entry?.accounts.every((account) => account.held === 0)) this.#close(scope, entry)
  }

  #close(scope: string, { accounts }: Entry): void {
    for (const account of accounts) account.closed = true
    this.#entries.delete(scope)
  }

  /** Lets go of scopes that nobody asks for; callers can name any number of customers. */
  #sweep(now: number): void {
    if (!this.#underWay.flush()) return
    for (const [scope, entry] of this.#entries)
      if (now - entry.usedAt > IDLE_MS && entry.accounts.every((account) => account.held === 0))
        this.#close(scope, entry)
    // Where all of them are in use there is nothing to let go: look again when there are half as many more.
    this.#sweepAt = Math.max(this.#most, Math.ceil(this.#entries.size * 1.5))
  }
}
