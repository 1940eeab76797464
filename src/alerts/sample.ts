/** What alerts are told: of each request, what counts; of everything else, how it stands. */
import type { MetricName } from '../core/alert/metric.ts'

export interface Sample {
  /** ms since the epoch. */
  at: number
  /** Subjects by kind: ids without their kind. */
  key: string | undefined
  user: string | undefined
  team: string | undefined
  project: string | undefined
  address: string | undefined
  model: string | undefined
  tokens: number
  /** Nano-dollars. */
  cost: number
  totalMs: number
  /** `ok`: served. `caller`: refused, or failed, through its caller. `failed`: through anybody else. */
  ended: 'ok' | 'caller' | 'failed'
  /** Guardrails that blocked it. */
  blockedBy: readonly string[]
}

/** Failures that are their caller's: they say nothing about whoever answers. */
const OF_CALLERS: ReadonlySet<string> = new Set(['aborted', 'client_closed', 'revoked', 'content_policy_violation'])

/** How a request ended, for whoever watches over those who answer. @param outcome as the log and the audit have it */
export function endedAs(status: number, outcome: string): Sample['ended'] {
  if (outcome === 'ok') return 'ok'
  return status < 500 && (status !== 200 || OF_CALLERS.has(outcome)) ? 'caller' : 'failed'
}

/** The guardrails that blocked it. @param said `name=status; mode=…` of each */
export const blockedIn = (said: readonly string[] | undefined): string[] =>
  (said ?? []).flatMap((one) => /^(.+)=blocked(?:;|$)/.exec(one)?.[1] ?? [])

/** How something stands now. */
export interface State {
  metric: MetricName
  /** `target:ollama/llama3`, `scope:team:red`. */
  subject: string
  /** 0 and 1 for what is so or not. */
  value: number
  /** For people, where the numbers alone do not say it. */
  text: string
}
