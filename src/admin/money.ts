/** What a scope has spent and may spend, as answers tell it. All in nano-dollars. */
import type { Account } from '../core/ledger.ts'
import { toDollars } from '../core/money.ts'
import { periodName } from '../core/period.ts'

export interface Money {
  /** In the window of its first budget for all models; altogether where it has none. */
  spent: number
  held: number
  /** Since the beginning. */
  total: number
  /** ms since the epoch, when that window ends. */
  resetAt: number | undefined
  accounts: readonly Account[]
}

/** @param accounts in their windows of now @param total since the beginning */
export function moneyOf(accounts: readonly Account[], total: number): Money {
  const first = accounts.find(({ budget }) => budget.model === undefined)
  const end = first?.window.end
  return {
    spent: first ? first.spent : total,
    held: first?.held ?? 0,
    total,
    resetAt: end !== undefined && Number.isFinite(end) ? end : undefined,
    accounts,
  }
}

const iso = (ms: number | undefined): string | null =>
  ms === undefined || !Number.isFinite(ms) ? null : new Date(ms).toISOString()

/** In LiteLLM's words, with what it does not tell: what is held, and each budget by itself. */
export function showMoney({ spent, total, held, resetAt, accounts }: Money): Record<string, unknown> {
  return {
    spend: toDollars(spent),
    total_spend: toDollars(total),
    held: toDollars(held),
    budget_reset_at: iso(resetAt),
    budgets: accounts.filter(isBounded).map(showAccount),
  }
}

const isBounded = ({ limit, budget }: Account): boolean =>
  limit !== Number.POSITIVE_INFINITY || budget.soft !== undefined

function showAccount({ budget, mode, limit, spent, held, window }: Account): Record<string, unknown> {
  const isHard = limit !== Number.POSITIVE_INFINITY
  return {
    model: budget.model ?? null,
    budget_duration: budget.period ? periodName(budget.period) : null,
    max_budget: isHard ? toDollars(limit) : null,
    soft_budget: budget.soft === undefined ? null : toDollars(budget.soft),
    budget_mode: mode,
    spend: toDollars(spent),
    held: toDollars(held),
    remaining: isHard ? toDollars(Math.max(0, limit - spent)) : null,
    budget_reset_at: iso(window.end),
  }
}
