/** What guardrails have done since the start, for whoever watches over them. */
import type { Looked } from './rail.ts'
import type { Status, Verdict } from './verdict.ts'

/** Times that are remembered for the percentiles: the last so many. */
const REMEMBERED = 1_024

interface Counts {
  kind: string
  calls: number
  by: Record<Status, number>
  looks: number
  cacheHits: number
  /** ms added to calls, as a ring. */
  times: number[]
  next: number
}

/** One line of the report; times in ms. */
export interface GuardLine {
  guardrail_name: string
  kind: string
  calls: number
  passed: number
  blocked: number
  redacted: number
  warned: number
  errors: number
  not_run: number
  looks: number
  cache_hits: number
  added_ms: { p50: number | null; p95: number | null }
}

export class Report {
  readonly #counts = new Map<string, Counts>()

  constructor(names: readonly { name: string; kind: string }[]) {
    for (const { name, kind } of names)
      this.#counts.set(name, {
        ...{ kind, calls: 0, looks: 0, cacheHits: 0, times: [], next: 0 },
        by: { not_run: 0, passed: 0, warned: 0, redacted: 0, error: 0, blocked: 0 },
      })
  }

  looked({ rail, cached, look, error }: Looked): void {
    const counts = this.#counts.get(rail.terms.name)
    if (!counts || (!look && !error)) return
    counts.looks++
    if (cached) counts.cacheHits++
  }

  /** At the end of a call. */
  concluded(verdicts: readonly Verdict[]): void {
    for (const { name, status, ms } of verdicts) {
      const counts = this.#counts.get(name)
      if (!counts) continue
      counts.calls++
      counts.by[status]++
      if (status === 'not_run') continue
      counts.times[counts.next] = ms
      counts.next = (counts.next + 1) % REMEMBERED
    }
  }

  get lines(): GuardLine[] {
    return [...this.#counts].map(([guardrail_name, { kind, calls, by, looks, cacheHits, times }]) => {
      const sorted = times.toSorted((a, b) => a - b)
      const at = (share: number) => {
        const ms = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
        return ms === undefined ? null : Math.round(ms * 1_000) / 1_000
      }
      const { passed, blocked, redacted, warned, error: errors, not_run } = by
      return {
        ...{ guardrail_name, kind, calls, passed, blocked, redacted, warned, errors, not_run, looks },
        cache_hits: cacheHits,
        added_ms: { p50: at(0.5), p95: at(0.95) },
      }
    })
  }
}
