/**
 * What a scope has spent in the window of a budget, from the database: asked once, when its account is opened. Since the
 * beginning it is one row; whole days are sums of rollups; a window of hours is a row that moves with its charges, and is
 * counted anew where it has missed any (a budget that was taken away and came back, a crash).
 */
import type { Budget } from '../core/budget.ts'
import { budgetName } from '../core/budget.ts'
import { allows } from '../core/key.ts'
import { isOfDays, windowAt } from '../core/period.ts'
import { readScope, type ScopeKind } from '../core/scope.ts'
import { dayAt, startOfDay } from '../core/zone.ts'
import { fact } from './keys.ts'
import { CHARGES_FROM } from './ledger-facts.ts'
import type { Names } from './names.ts'
import type { Store } from './open.ts'
import { operationAt } from './operation.ts'

interface Total {
  cost: number
  requests: number
  tokens: number
}

/** An operation may have begun so long before the attempt that is charged in a window, unless the settings say longer. */
export const LONGEST_OPERATION_MS = 3 * 3_600_000

export class Spent {
  readonly #names: Names
  readonly #zone: string
  readonly #longestMs: number
  readonly #total
  readonly #window
  readonly #rollups
  readonly #rollupsByAlias
  readonly #setWindow
  readonly #store: Store

  constructor(store: Store, names: Names, zone: string, longestMs = LONGEST_OPERATION_MS) {
    const { sqlite } = store
    this.#store = store
    this.#names = names
    this.#zone = zone
    this.#longestMs = longestMs
    this.#total = sqlite.prepare<[number], Total>(
      'SELECT cost, requests, tokens FROM spend WHERE scope = ? AND budget = 0',
    )
    this.#window = sqlite.prepare<[number, number], { start: number; cost: number; seen: number }>(
      'SELECT window_start AS start, cost, seen FROM spend WHERE scope = ? AND budget = ?',
    )
    this.#rollups = sqlite.prepare<[number, number, number], { cost: number }>(
      'SELECT coalesce(sum(cost), 0) AS cost FROM rollups WHERE scope = ? AND day >= ? AND day < ?',
    )
    this.#rollupsByAlias = sqlite.prepare<[number, number, number], { alias: string; cost: number }>(
      `SELECT t.alias, sum(r.cost) AS cost FROM rollups r JOIN targets t ON t.id = r.target
       WHERE r.scope = ? AND r.day >= ? AND r.day < ? GROUP BY t.alias`,
    )
    this.#setWindow = sqlite.prepare<number[]>('REPLACE INTO spend VALUES (?, ?, ?, ?, ?, ?, ?)')
  }

  /** All that a scope has ever spent. */
  total(scope: string): Total {
    return this.#total.get(this.#names.word(scope)) ?? { cost: 0, requests: 0, tokens: 0 }
  }

  /** Nano-dollars that a scope has spent in the window of `now`. All charges must be written. */
  in(scope: string, budget: Budget, now: number): number {
    const { period, model } = budget
    const total = this.total(scope)
    if (total.requests === 0 && (!period || isOfDays(period))) return 0
    if (!period && model === undefined) return total.cost
    const { start } = windowAt(period, now, this.#zone)
    if (!period || isOfDays(period)) return this.#days(scope, period ? dayAt(this.#zone, start) : 0, model)
    const number = this.#names.word(scope)
    const name = this.#names.word(budgetName(budget))
    const row = this.#window.get(number, name)
    if (row && row.seen === total.requests) return row.start === start ? row.cost : 0
    const sum = total.requests === 0 ? total : this.#recount(scope, start, model)
    this.#setWindow.run(number, name, start, sum.cost, sum.requests, sum.tokens, total.requests)
    return sum.cost
  }

  /** Nano-dollars of whole days, those before `end`. */
  #days(scope: string, from: number, model: string | undefined, end = Number.MAX_SAFE_INTEGER): number {
    const number = this.#names.word(scope)
    if (model === undefined) return this.#rollups.get(number, from, end)?.cost ?? 0
    let cost = 0
    for (const row of this.#rollupsByAlias.all(number, from, end)) if (allows([model], row.alias)) cost += row.cost
    return cost
  }

  #recount(scope: string, start: number, model: string | undefined): Total {
    const { kind, id } = readScope(scope)
    // A window of more hours than charges are kept: of days whose charges are gone all is counted, the first one's too.
    const kept = Number(fact(this.#store, CHARGES_FROM) ?? 0)
    const gone = this.#days(scope, dayAt(this.#zone, start), model, kept)
    const first = Math.max(start, startOfDay(this.#zone, kept))
    const rows = this.#store.sqlite
      .prepare<[number, number, ...string[]], Total & { alias: string }>(
        `SELECT t.alias, sum(c.cost) AS cost, count(*) AS requests, sum(c.input + c.output) AS tokens
         FROM charges c JOIN targets t ON t.id = c.target JOIN payers p ON p.id = c.payer
         WHERE c.operation >= ? AND c.started_at >= ? AND ${CONDITIONS[kind]} GROUP BY t.alias`,
      )
      .all(operationAt(first - this.#longestMs), first, ...(kind === 'gateway' ? [] : [id]))
    const sum = { cost: gone, requests: 0, tokens: 0 }
    for (const row of rows) {
      if (model !== undefined && !allows([model], row.alias)) continue
      sum.cost += row.cost
      sum.requests += row.requests
      sum.tokens += row.tokens
    }
    return sum
  }
}

/** Which charges belong to a scope of each kind: the same as core/scope.ts. */
const CONDITIONS: Readonly<Record<ScopeKind, string>> = {
  key: 'p.key = ?',
  user: 'p.user = ?',
  team: 'p.team = ?',
  organization: 'p.organization = ?',
  project: 'p.project = ?',
  customer: 'p.customer = ?',
  tag: 'EXISTS (SELECT 1 FROM json_each(p.tags) WHERE value = ?)',
  model: 't.alias = ?',
  provider: 't.provider = ?',
  gateway: 'true',
}
