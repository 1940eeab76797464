/** A budget as LiteLLM's users write it down, in routes and in files: dollars, durations, null for "no longer". Pure. */
import type { BudgetMode, BudgetTerms, BudgetWindow } from './budget.ts'
import { fromDollars, toDollars } from './money.ts'
import { expiryAfter, parsePeriod, periodName } from './period.ts'
import { Refusal } from './refusal.ts'

/** One window: LiteLLM says `budget_limit` and `time_period` in some places, `max_budget` and `budget_duration` in others. */
export interface WrittenWindow {
  max_budget?: number | null | undefined
  budget_limit?: number | null | undefined
  budget_duration?: string | null | undefined
  time_period?: string | null | undefined
}

/** Shapes and ranges are checked before; null clears, what is not there is left alone. */
export interface WrittenTerms {
  max_budget?: number | null | undefined
  soft_budget?: number | null | undefined
  budget_duration?: string | null | undefined
  budget_id?: string | null | undefined
  budget_limits?: readonly WrittenWindow[] | null | undefined
  model_max_budget?: Readonly<Record<string, WrittenWindow | number>> | null | undefined
  budget_mode?: BudgetMode | null | undefined
  temp_budget_increase?: number | null | undefined
  /** A moment, or a duration from now on. */
  temp_budget_expiry?: string | null | undefined
}

const wrong = (param: string, sentence: string): Refusal =>
  new Refusal('invalid_request', `${param}: ${sentence}`, { param })

/**
 * The terms as they are after what was said. @param before as they were
 * @throws Refusal invalid_request where what was said bounds nothing, or says two things
 */
export function termsOf(said: WrittenTerms, before: BudgetTerms, now: number): BudgetTerms {
  const { maxBudget, softBudget, period, budgetDuration, mode, windows, perModel, budgetId } = before
  const after: BudgetTerms = { maxBudget, softBudget, period, budgetDuration, mode, windows, perModel, budgetId }
  if (said.max_budget !== undefined) after.maxBudget = dollars(said.max_budget)
  if (said.soft_budget !== undefined) after.softBudget = dollars(said.soft_budget)
  if (said.budget_duration !== undefined) {
    after.budgetDuration = said.budget_duration ?? undefined
    after.period = said.budget_duration ? parsePeriod(said.budget_duration) : undefined
  }
  if (said.budget_id !== undefined) after.budgetId = said.budget_id || undefined
  if (said.budget_mode !== undefined) after.mode = said.budget_mode ?? undefined
  if (said.budget_limits !== undefined)
    after.windows = said.budget_limits?.length ? readWindows(said.budget_limits) : undefined
  if (said.model_max_budget !== undefined) {
    const models = Object.entries(said.model_max_budget ?? {})
    after.perModel = models.length > 0 ? Object.fromEntries(models.map(readModel)) : undefined
  }
  after.raise = raiseOf(said, before, now)
  if (said.budget_duration && after.maxBudget === undefined && after.softBudget === undefined)
    throw wrong('budget_duration', 'has no max_budget beside it, so nothing would be bounded. Add max_budget.')
  return after
}

const dollars = (said: number | null): number | undefined => (said === null ? undefined : fromDollars(said))

function readWindows(said: readonly WrittenWindow[]): BudgetWindow[] {
  const seen = new Set<string>()
  return said.map((window, i) => {
    const read = readWindow(window, `budget_limits.${i}`)
    const name = read.period ? periodName(read.period) : ''
    if (seen.has(name))
      throw wrong('budget_limits', `two budgets for ${read.duration ?? 'all time'}. Keep one of them.`)
    seen.add(name)
    return read
  })
}

const readModel = ([model, said]: [string, WrittenWindow | number]): [string, BudgetWindow] => [
  model,
  readWindow(typeof said === 'number' ? { max_budget: said } : said, `model_max_budget.${model}`),
]

/** @param at where it stands, for what is told @throws Refusal invalid_request where it has no amount, or two */
export function readWindow(said: WrittenWindow, at: string): BudgetWindow {
  const [limit, other] = [said.max_budget ?? said.budget_limit, said.budget_limit ?? said.max_budget]
  const [duration, otherDuration] = [said.budget_duration ?? said.time_period, said.time_period ?? said.budget_duration]
  if (limit === null || limit === undefined) throw wrong(at, 'has no max_budget (in US dollars).')
  if (limit !== other) throw wrong(at, 'max_budget and budget_limit say two amounts. Keep one of them.')
  if (duration !== otherDuration)
    throw wrong(at, 'budget_duration and time_period say two durations. Keep one of them.')
  const period = duration ? parsePeriod(duration) : undefined
  return { limit: fromDollars(limit), ...(period ? { period, duration: duration ?? undefined } : {}) }
}

/** A raise needs both its amount and its end; what was said before stands in for one of them. */
function raiseOf(said: WrittenTerms, before: BudgetTerms, now: number): BudgetTerms['raise'] {
  const { temp_budget_increase: more, temp_budget_expiry: end } = said
  // What is raised is gone.
  if (more === undefined && end === undefined) return said.max_budget === null ? undefined : before.raise
  if (more === null || end === null) return undefined
  const amount = more === undefined ? before.raise?.amount : fromDollars(more)
  const until = end === undefined ? before.raise?.until : momentOf(end, now)
  if (amount === undefined) throw wrong('temp_budget_expiry', 'has no temp_budget_increase beside it.')
  if (until === undefined)
    throw wrong('temp_budget_increase', 'needs temp_budget_expiry: a date, or a duration such as 7d.')
  if (end !== undefined && until <= now) throw wrong('temp_budget_expiry', 'is in the past.')
  return { amount, until }
}

function momentOf(said: string, now: number): number {
  const period = parsePeriod(said)
  const at = period ? expiryAfter(period, now) : Date.parse(said)
  if (Number.isNaN(at))
    throw wrong(
      'temp_budget_expiry',
      `'${said.slice(0, 50)}' is neither a date (2026-12-01T00:00:00Z) nor a duration (7d).`,
    )
  return at
}

const iso = (ms: number): string => new Date(ms).toISOString()

/** The terms in LiteLLM's words, everything that is not said as null. */
export function showTerms(terms: BudgetTerms): Record<string, unknown> {
  const { maxBudget, softBudget, budgetDuration, budgetId, windows, perModel, mode, raise } = terms
  const show = ({ limit, duration }: BudgetWindow) => ({
    max_budget: toDollars(limit),
    budget_duration: duration ?? null,
  })
  return {
    max_budget: maxBudget === undefined ? null : toDollars(maxBudget),
    soft_budget: softBudget === undefined ? null : toDollars(softBudget),
    budget_duration: budgetDuration ?? null,
    budget_id: budgetId ?? null,
    budget_limits: windows?.map(show) ?? null,
    model_max_budget: perModel
      ? Object.fromEntries(Object.entries(perModel).map(([model, window]) => [model, show(window)]))
      : {},
    budget_mode: mode ?? null,
    temp_budget_increase: raise ? toDollars(raise.amount) : null,
    temp_budget_expiry: raise ? iso(raise.until) : null,
  }
}
