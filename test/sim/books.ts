/**
 * What happened, written down by somebody who knows nothing of accounts: a list of holds, a list of charges, and sums
 * over them. The ledger has to say the same.
 */
import { type Budget, budgetName } from '../../src/core/budget.ts'
import { allows } from '../../src/core/key.ts'
import { windowAt } from '../../src/core/period.ts'

export interface Entry {
  /** `operation attempt` */
  readonly name: string
  readonly scopes: readonly string[]
  readonly alias: string
  /** ms since the epoch, when its money was taken. */
  readonly at: number
  /** Nano-dollars. */
  amount: number
  /** Nano-dollars, where its end is not seen. */
  readonly likely: { cost: number; tokens: number }
  /** Whoever asked was told that he may send. */
  acknowledged: boolean
  /** How many transactions there had been when it ended without a charge. */
  releasedAt: number | undefined
}

export interface Charge {
  readonly entry: Entry
  readonly cost: number
  readonly tokens: number
}

export interface Total {
  cost: number
  requests: number
  tokens: number
}

const counts = (budget: Budget, alias: string): boolean => budget.model === undefined || allows([budget.model], alias)

/** Which budget in which window: the sums of its charges are kept, and made anew when the window is over. */
interface Sum {
  budget: Budget
  start: number
  end: number
  spent: number
}

export class Books {
  readonly #zone: string
  /** Money is set aside for these. */
  readonly held = new Set<Entry>()
  /** In the order in which they were booked. */
  readonly charges: Charge[] = []
  /** Of holds that were let go or never written; for a crash. */
  readonly released = new Set<Entry>()
  readonly #ofScope = new Map<string, Charge[]>()
  readonly #sums = new Map<string, Map<string, Sum>>()
  readonly #totals = new Map<string, Total>()
  #totalled = 0

  constructor(zone: string) {
    this.#zone = zone
  }

  take(entry: Entry): void {
    this.held.add(entry)
  }

  charge(entry: Entry, cost: number, tokens: number): void {
    this.held.delete(entry)
    const charge = { entry, cost, tokens }
    this.charges.push(charge)
    for (const scope of entry.scopes) {
      const list = this.#ofScope.get(scope)
      if (list) list.push(charge)
      else this.#ofScope.set(scope, [charge])
      for (const sum of this.#sums.get(scope)?.values() ?? [])
        if (entry.at >= sum.start && entry.at < sum.end && counts(sum.budget, entry.alias)) sum.spent += cost
    }
  }

  release(entry: Entry, commits: number): void {
    this.held.delete(entry)
    entry.releasedAt = commits
    this.released.add(entry)
  }

  windowOf(budget: Budget, now: number): { start: number; end: number } {
    return windowAt(budget.period, now, this.#zone)
  }

  /** Nano-dollars that are charged and set aside in the window of now. */
  standing(scope: string, budget: Budget, now: number): { spent: number; held: number } {
    const { start, spent } = this.#sumOf(scope, budget, now)
    let held = 0
    for (const entry of this.held)
      if (entry.at >= start && counts(budget, entry.alias) && entry.scopes.includes(scope)) held += entry.amount
    return { spent, held }
  }

  #sumOf(scope: string, budget: Budget, now: number): Sum {
    let sums = this.#sums.get(scope)
    if (!sums) {
      sums = new Map()
      this.#sums.set(scope, sums)
    }
    const name = budgetName(budget)
    let sum = sums.get(name)
    if (!sum || now >= sum.end) {
      sum = { budget, ...this.windowOf(budget, now), spent: 0 }
      for (const { entry, cost } of this.#ofScope.get(scope) ?? [])
        if (entry.at >= sum.start && counts(budget, entry.alias)) sum.spent += cost
      sums.set(name, sum)
    }
    return sum
  }

  /** What each scope has spent since the beginning, by the first `written` charges. Never fewer than the last time. */
  totals(written: number): ReadonlyMap<string, Total> {
    for (; this.#totalled < written; this.#totalled++) {
      const { entry, cost, tokens } = this.charges[this.#totalled] as Charge
      for (const scope of entry.scopes) {
        const total = this.#totals.get(scope)
        if (total) {
          total.cost += cost
          total.requests++
          total.tokens += tokens
        } else this.#totals.set(scope, { cost, requests: 1, tokens })
      }
    }
    return this.#totals
  }

  /** What was booked and never written is gone: the last `lost` charges are taken back. */
  forget(lost: number): Charge[] {
    const gone = this.charges.splice(this.charges.length - lost, lost)
    for (const list of this.#ofScope.values()) while (gone.includes(list.at(-1) as Charge)) list.pop()
    this.#sums.clear()
    return gone
  }
}
