/** How a request that money stands in the way of is told so: which account, what is spent, what is held, until when. */
import type { Account } from '../core/ledger.ts'
import { showDollars } from '../core/money.ts'
import { Refusal } from '../core/refusal.ts'

/** What a refusal has to know of the request. */
interface Refused {
  /** HTTP status of the refusal. */
  status: number
}

/** What is spent leaves too little. */
export function overBudget(account: Account, needed: number, request: Refused, now: number): Refusal {
  const left = account.limit - account.spent
  const whose = account.scope === 'gateway' ? 'the whole gateway' : 'this key'
  const until = Number.isFinite(account.window.end)
    ? ` It resets at ${new Date(account.window.end).toISOString()}.`
    : ''
  return new Refusal(
    'budget_exceeded',
    `Budget has been exceeded! The budget of ${whose} is ${showDollars(account.limit)}; ${showDollars(account.spent)} is spent, ` +
      `${showDollars(Math.max(0, left))} is left, and this request needs at least ${showDollars(needed)}.${until}`,
    {
      status: request.status,
      facts: {
        scope: account.scope,
        max_budget: account.limit / 1e9,
        spent: account.spent / 1e9,
        held: account.held / 1e9,
        needed: needed / 1e9,
        reset_at: Number.isFinite(account.window.end) ? new Date(account.window.end).toISOString() : null,
      },
      ...(Number.isFinite(account.window.end) ? { retryAfterMs: account.window.end - now } : {}),
    },
  )
}

/** The time to wait for what others hold is over. */
export function heldByOthers(account: Account, request: Refused): Refusal {
  return new Refusal(
    'budget_exceeded',
    `The rest of the budget of ${account.scope === 'gateway' ? 'the whole gateway' : 'this key'} is held by requests that are ` +
      `under way: ${showDollars(account.spent)} of ${showDollars(account.limit)} is spent, ${showDollars(account.held)} is held. Try again when they have ended.`,
    {
      status: request.status,
      retryAfterMs: 5_000,
      facts: {
        scope: account.scope,
        max_budget: account.limit / 1e9,
        spent: account.spent / 1e9,
        held: account.held / 1e9,
      },
    },
  )
}
