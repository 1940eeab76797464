/** A rule: its condition, how grave it is, and what is done. Pure. */
import { type Condition, parseCondition } from './condition.ts'
import type { SubjectKind } from './metric.ts'
import { metricOf } from './metric.ts'

export const SEVERITIES = ['info', 'warning', 'error', 'critical'] as const
export type Severity = (typeof SEVERITIES)[number]

/** What an alert does beside telling, until somebody looks. */
export type Action = { kind: 'block_key' } | { kind: 'lower_limit'; rpm: number }

export interface Rule {
  name: string
  condition: Condition
  severity: Severity
  per: SubjectKind
  actions: readonly Action[]
  /** Where it is told; undefined: where its severity is. */
  channels: readonly string[] | undefined
  /** ms that it has to hold before anybody is told. */
  forMs: number
}

const usual = (name: string, text: string, severity: Severity): Rule => {
  const condition = parseCondition(text)
  return { name, condition, severity, per: metricOf(condition.metric).per, actions: [], channels: undefined, forMs: 0 }
}

/** Watched unless switched off: `rules: { target_down: false }`. The first four are those that were asked for. */
export const USUAL_RULES: readonly Rule[] = [
  usual('unusual_traffic', 'requests_per_hour > 10 * baseline', 'warning'),
  usual('failed_auth', 'failed_auth > 10 in 5 minutes', 'warning'),
  usual('cost_spike', 'hourly_cost > 3 * average', 'warning'),
  usual('new_model', 'new_model_accessed', 'info'),
  usual('budget', 'budget_used >= 80%', 'warning'),
  usual('budget_spent', 'budget_used >= 100%', 'error'),
  { ...usual('target_down', 'target_down', 'error'), forMs: 30_000 },
  usual('slow_target', 'target_first_ms > 30000', 'warning'),
  usual('errors', 'error_rate > 20% in 5 minutes', 'error'),
  usual('guardrails', 'guardrail_blocks > 20 in 5 minutes', 'warning'),
  usual('certificate', 'certificate_days < 14', 'warning'),
  usual('key_expiry', 'key_days < 7', 'info'),
  usual('hold_leak', 'hold_leaks', 'error'),
  usual('disk', 'disk_free < 10%', 'error'),
  { ...usual('gpu_spilled', 'gpu_spilled', 'warning'), forMs: 60_000 },
  usual('price_unknown', 'price_unknown', 'warning'),
  usual('hanging', 'requests_hanging > 0', 'warning'),
  usual('ledger', 'write_failed', 'critical'),
  usual('audit', 'audit_gap', 'critical'),
]
