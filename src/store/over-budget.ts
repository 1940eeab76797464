/** How a request that money stands in the way of is told so: which account, what is spent, what is held, until when. */
import type { Account } from '../core/ledger.ts'
import { showDollars } from '../core/money.ts'
import { periodName } from '../core/period.ts'
import { Refusal } from '../core/refusal.ts'
import { readScope, spokenScope } from '../core/scope.ts'

/** What a refusal has to know of the request. */
interface Refused {
  /** HTTP status of the refusal. */
  status: number
}

/** `budget of team 'red' for 'gpt-*'`: what stands in the way, in words. */
function spokenBudget({ scope, budget }: Account): string {
  const period = budget.period ? ` (${periodName(budget.period)})` : ''
  const model = budget.model === undefined ? '' : ` for '${budget.model}'`
  return `budget of ${spokenScope(scope)}${model}${period}`
}

const resetOf = ({ window }: Account): string | null =>
  Number.isFinite(window.end) ? new Date(window.end).toISOString() : null

const factsOf = (account: Account): Record<string, string | number | null> => ({
  scope: account.scope,
  entity_type: readScope(account.scope).kind,
  entity_id: readScope(account.scope).id,
  budget_duration: account.budget.period ? periodName(account.budget.period) : null,
  model: account.budget.model ?? null,
  max_budget: account.limit / 1e9,
  spent: account.spent / 1e9,
  held: account.held / 1e9,
  reset_at: resetOf(account),
})

/** What is spent leaves too little. */
export function overBudget(account: Account, needed: number, request: Refused, now: number): Refusal {
  const left = account.limit - account.spent
  const reset = resetOf(account)
  return new Refusal(
    'budget_exceeded',
    `Budget has been exceeded! The ${spokenBudget(account)} is ${showDollars(account.limit)}; ${showDollars(account.spent)} is spent, ` +
      `${showDollars(account.held)} is held, ${showDollars(Math.max(0, left))} is left, and this request needs at least ${showDollars(needed)}.` +
      (reset ? ` It resets at ${reset}.` : ''),
    {
      status: request.status,
      facts: { ...factsOf(account), needed: needed / 1e9 },
      ...(reset ? { retryAfterMs: account.window.end - now } : {}),
    },
  )
}

/** The time to wait for what others hold is over. */
export function heldByOthers(account: Account, request: Refused): Refusal {
  return new Refusal(
    'budget_exceeded',
    `The rest of the ${spokenBudget(account)} is held by requests that are under way: ${showDollars(account.spent)} of ` +
      `${showDollars(account.limit)} is spent, ${showDollars(account.held)} is held. Try again when they have ended.`,
    { status: request.status, retryAfterMs: 5_000, facts: factsOf(account) },
  )
}
