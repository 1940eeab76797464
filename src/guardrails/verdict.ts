/** What became of one guardrail's looking at one call. Metadata only: nothing of what was said. */
import type { Mode } from './terms.ts'

/** `not_run` (nothing to look at, or it was not its turn) is not `passed`. */
export const STATUSES = ['not_run', 'passed', 'warned', 'redacted', 'error', 'blocked'] as const
export type Status = (typeof STATUSES)[number]

export interface Verdict {
  name: string
  kind: string
  mode: Mode
  status: Status
  categories: readonly string[]
  /** [0, 1], where its guard says so. */
  confidence?: number | undefined
  /** ms that it took, all looks together. */
  ms: number
  /** Looks whose verdict was known already. */
  cached: number
  looks: number
  /** For the operator. */
  error?: string | undefined
}

/** Several looks of one guardrail at one call: the worst says how it stands. */
export function joined(before: Verdict | undefined, now: Verdict): Verdict {
  if (!before) return now
  const worse = STATUSES.indexOf(now.status) > STATUSES.indexOf(before.status) ? now : before
  return {
    ...worse,
    categories: [...new Set([...before.categories, ...now.categories])],
    ms: before.ms + now.ms,
    cached: before.cached + now.cached,
    looks: before.looks + now.looks,
  }
}
