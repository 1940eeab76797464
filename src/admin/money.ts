/** What a scope has spent and may spend, as answers tell it. All in nano-dollars. */
import type { Account } from '../core/ledger.ts'

export interface Money {
  /** In the window of its first budget; altogether where it has none. */
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
  const [first] = accounts
  const end = first?.window.end
  return {
    spent: first ? first.spent : total,
    held: first?.held ?? 0,
    total,
    resetAt: end !== undefined && Number.isFinite(end) ? end : undefined,
    accounts,
  }
}
