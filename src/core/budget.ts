/** What a scope may spend: one limit in one kind of window. A scope may have several, and all of them hold. */
import { type Period, periodName } from './period.ts'

/**
 * `strict`: what does not fit is refused. `cap`: the answer is cut to what is left. `soft`: it is let through and told.
 */
export type BudgetMode = 'strict' | 'cap' | 'soft'

export interface Budget {
  /** Nano-dollars; Infinity where there is only a warning. */
  limit: number
  /** Nano-dollars from which on it is warned of. */
  soft?: number | undefined
  period?: Period | undefined
  /** Only for requests to aliases of this name or pattern. */
  model?: string | undefined
  /** Undefined: the gateway's. */
  mode?: BudgetMode | undefined
  /** The limit is higher by `amount` nano-dollars until `until`, ms since the epoch. */
  raise?: { amount: number; until: number } | undefined
}

/** The limit that holds now, and until when it does. */
export function limitAt(budget: Budget, now: number): { limit: number; until: number } {
  const { limit, raise } = budget
  if (!raise || now >= raise.until) return { limit, until: Number.POSITIVE_INFINITY }
  return { limit: limit + raise.amount, until: raise.until }
}

/** What tells one budget of a scope from its others: its model and its period. Of two with the same name the lower holds. */
export const budgetName = ({ model, period }: Budget): string => `${model ?? ''} ${period ? periodName(period) : ''}`

/** A budget as people write it down, of a key, a team, a template and all others that carry one. */
export interface BudgetTerms {
  /** Nano-dollars in a window of `period`. */
  maxBudget?: number | undefined
  softBudget?: number | undefined
  period?: Period | undefined
  /** As it was written (`1mo`), for answers. */
  budgetDuration?: string | undefined
  mode?: BudgetMode | undefined
  /** Further windows beside the first: an hour's and a month's. */
  windows?: readonly BudgetWindow[] | undefined
  /** Of each alias or pattern. */
  perModel?: Readonly<Record<string, BudgetWindow>> | undefined
  /** A raise of `maxBudget` that ends by itself. */
  raise?: { amount: number; until: number } | undefined
  /** Id of the template that stands in for whatever is not said here. */
  budgetId?: string | undefined
}

export interface BudgetWindow {
  limit: number
  period?: Period | undefined
  /** As it was written. */
  duration?: string | undefined
}

/**
 * The budgets that terms amount to. What they do not say comes from their template, field by field; a limit and its
 * period go together.
 */
export function budgetsOf(own: BudgetTerms, template: BudgetTerms | undefined): Budget[] {
  const bounds = own.maxBudget === undefined && template ? { ...template, raise: own.raise } : own
  const soft = own.softBudget ?? template?.softBudget
  const mode = own.mode ?? template?.mode
  const found: Budget[] = []
  if (bounds.maxBudget !== undefined || soft !== undefined)
    found.push({
      limit: bounds.maxBudget ?? Number.POSITIVE_INFINITY,
      soft,
      period: bounds.maxBudget === undefined ? (own.period ?? template?.period) : bounds.period,
      mode,
      raise: bounds.raise,
    })
  for (const { limit, period } of own.windows ?? template?.windows ?? []) found.push({ limit, period, mode })
  for (const [model, { limit, period }] of Object.entries(own.perModel ?? template?.perModel ?? {}))
    found.push({ limit, period, model, mode })
  return lowest(found)
}

/** Two budgets in the same window are one: the lower. */
function lowest(budgets: readonly Budget[]): Budget[] {
  const byName = new Map<string, Budget>()
  for (const budget of budgets) {
    const name = budgetName(budget)
    const other = byName.get(name)
    if (!other || budget.limit < other.limit) byName.set(name, { ...other, ...budget })
  }
  return [...byName.values()]
}
