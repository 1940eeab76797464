/** What conditions can speak of: numbers that are counted, states that are looked at, and things that happen. Pure. */

/** Whom a number is of. A rule may ask for another one where requests are counted: `per: team`. */
export type SubjectKind =
  | 'key'
  | 'user'
  | 'team'
  | 'project'
  | 'address'
  | 'model'
  | 'target'
  | 'guardrail'
  | 'gateway'
  | 'scope'
  | 'certificate'
  | 'machine'

interface Metric {
  /** `count`: adds up over a window. `state`: is looked at. `event`: happens. */
  kind: 'count' | 'state' | 'event'
  per: SubjectKind
  /** Of a count: its window where the condition names none, ms. */
  windowMs?: number
  /** What it is compared with may be learnt. */
  learnt?: boolean
  unit: string
  about: string
}

export const HOUR_MS = 3_600_000
const FIVE_MINUTES_MS = 300_000

export const METRICS = {
  requests_per_hour: {
    kind: 'count',
    per: 'key',
    windowMs: HOUR_MS,
    learnt: true,
    unit: '',
    about: 'requests of the last hour',
  },
  tokens_per_hour: {
    kind: 'count',
    per: 'key',
    windowMs: HOUR_MS,
    learnt: true,
    unit: '',
    about: 'tokens of the last hour',
  },
  hourly_cost: {
    kind: 'count',
    per: 'key',
    windowMs: HOUR_MS,
    learnt: true,
    unit: '$',
    about: 'what the last hour cost, in US dollars',
  },
  failed_auth: {
    kind: 'count',
    per: 'address',
    windowMs: FIVE_MINUTES_MS,
    unit: '',
    about: 'requests without a valid key or login',
  },
  guardrail_blocks: {
    kind: 'count',
    per: 'guardrail',
    windowMs: FIVE_MINUTES_MS,
    unit: '',
    about: 'requests that a guardrail blocked',
  },
  errors: {
    kind: 'count',
    per: 'model',
    windowMs: FIVE_MINUTES_MS,
    unit: '',
    about: 'requests that failed, not by their caller',
  },
  error_rate: {
    kind: 'count',
    per: 'model',
    windowMs: FIVE_MINUTES_MS,
    unit: '',
    about: 'the share of requests that failed, not by their caller, of at least 10',
  },
  slow_answers: {
    kind: 'count',
    per: 'model',
    windowMs: FIVE_MINUTES_MS,
    unit: '',
    about: 'answers that took longer than general_settings.alerting_threshold',
  },
  new_model_accessed: {
    kind: 'event',
    per: 'key',
    unit: '',
    about: 'a key that is known for a day has asked a model for the first time',
  },
  target_down: { kind: 'state', per: 'target', unit: '', about: 'a target that cools down, or whose machine is gone' },
  target_first_ms: {
    kind: 'state',
    per: 'target',
    unit: 'ms',
    about: 'how long a target takes to its first content, lately',
  },
  budget_used: { kind: 'state', per: 'scope', unit: '', about: 'the share of a budget that is spent' },
  certificate_days: { kind: 'state', per: 'certificate', unit: 'days', about: 'days until a certificate ends' },
  key_days: { kind: 'state', per: 'key', unit: 'days', about: 'days until a key ends' },
  hold_leaks: { kind: 'event', per: 'gateway', unit: '', about: 'a hold that was forgotten' },
  disk_free: {
    kind: 'state',
    per: 'gateway',
    unit: '',
    about: 'the share of the disk that is free where the data lie',
  },
  gpu_spilled: { kind: 'state', per: 'target', unit: '', about: 'a model does not lie on the GPU as a whole' },
  price_unknown: {
    kind: 'state',
    per: 'model',
    unit: '',
    about: 'a model that is asked, and whose price nobody knows',
  },
  requests_hanging: {
    kind: 'state',
    per: 'gateway',
    unit: '',
    about: 'requests under way for longer than general_settings.alerting_threshold',
  },
  audit_gap: {
    kind: 'event',
    per: 'gateway',
    unit: '',
    about: 'entries of the audit are missing, or the key that signs it',
  },
  write_failed: { kind: 'event', per: 'gateway', unit: '', about: 'the ledger could not be written' },
} as const satisfies Record<string, Metric>

export type MetricName = keyof typeof METRICS

export const metricOf = (name: MetricName): Metric => METRICS[name]

/** Subjects that a request has, by which its numbers can be counted. */
export const REQUEST_SUBJECTS: readonly SubjectKind[] = [
  'key',
  'user',
  'team',
  'project',
  'address',
  'model',
  'gateway',
]
