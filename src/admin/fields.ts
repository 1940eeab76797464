/** Fields that routes of the management have in common, in LiteLLM's words, and how a body is read. */
import { z } from 'zod'
import { type Limits, parseSpacing, writeSpacing } from '../core/limits.ts'
import { parsePeriod } from '../core/period.ts'
import { Refusal } from '../core/refusal.ts'

export const duration = z
  .string()
  .refine((text) => parsePeriod(text) !== undefined, 'must be a duration such as 30s, 15m, 1h, 7d, 1w or 1mo')

/** US dollars: an account counts exactly up to 9 million. */
const dollars = z.number().min(0).max(9_000_000)
const count = z.number().int().min(0)

const CONTROL = /[\x00-\x1f\x7f]/
/** An id of the operator's own making: it stands in scopes, in refusals and in the database. */
export const name = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .refine((text) => !CONTROL.test(text), 'must not hold control characters')

const window = z.strictObject({
  max_budget: dollars.nullish(),
  budget_limit: dollars.nullish(),
  budget_duration: duration.nullish(),
  time_period: duration.nullish(),
})

/** A budget that may be shared: everything but what belongs to one scope alone. */
export const sharedTerms = {
  max_budget: dollars.nullish(),
  soft_budget: dollars.nullish(),
  budget_duration: duration.nullish(),
  budget_limits: z.array(window).max(20).nullish(),
  model_max_budget: z.record(name(256), z.union([dollars, window])).nullish(),
  budget_mode: z.enum(['strict', 'cap', 'soft']).nullish(),
}

export const terms = {
  ...sharedTerms,
  budget_id: z.string().max(256).nullish(),
  temp_budget_increase: dollars.nullish(),
  temp_budget_expiry: z.string().nullish(),
}

const spacing = z
  .string()
  .refine(
    (text) => parseSpacing(text) !== undefined,
    "must be a rate such as '10r/m', '10r/m burst 5' or '2r/s burst 4 nodelay'",
  )
const byModel = z.record(name(256), count)

export const limits = {
  rpm_limit: count.nullish(),
  tpm_limit: count.nullish(),
  max_parallel_requests: count.nullish(),
  rpd_limit: count.nullish(),
  rate_limit: spacing.nullish(),
  model_rpm_limit: byModel.nullish(),
  model_tpm_limit: byModel.nullish(),
}

/** What is said of guardrails (docs/guardrails.md): which look at its requests, and whether those for everybody do not. */
export const guards = {
  guardrails: z.array(z.string().min(1).max(100)).max(100).nullish(),
  disable_global_guardrails: z.boolean().nullish(),
}
export const GUARD_WORDS = ['guardrails', 'disable_global_guardrails'] as const

export const metadata = z.record(z.string(), z.unknown()).nullish()
export const models = z.array(name(256)).max(1_000).nullish()
/** As long as a tag of a request, and few enough that a request can bring its own. */
export const tags = z.array(name(128)).max(10).nullish()

const MOST_ALIASES = 200
/** Names for models: asked → meant. */
export const aliases = z
  .record(name(256), name(256))
  .refine((said) => Object.keys(said).length <= MOST_ALIASES, `may have ${MOST_ALIASES} names at most`)
  .nullish()

type SaidLimits = { [field in keyof typeof limits]?: z.infer<(typeof limits)[field]> }

/** Limits as they are after what was said: null clears one. */
export function limitsOf(said: SaidLimits, before: Limits): Limits {
  const after = <T>(value: T | null | undefined, old: T | undefined): T | undefined =>
    value === undefined ? old : (value ?? undefined)
  return {
    rpm: after(said.rpm_limit, before.rpm),
    tpm: after(said.tpm_limit, before.tpm),
    parallel: after(said.max_parallel_requests, before.parallel),
    rpd: after(said.rpd_limit, before.rpd),
    spacing: after(
      said.rate_limit ? parseSpacing(said.rate_limit) : (said.rate_limit as null | undefined),
      before.spacing,
    ),
    rpmOf: after(said.model_rpm_limit, before.rpmOf),
    tpmOf: after(said.model_tpm_limit, before.tpmOf),
  }
}

export const showLimits = ({ rpm, tpm, parallel, rpd, spacing, rpmOf, tpmOf }: Limits): Record<string, unknown> => ({
  rpm_limit: rpm ?? null,
  tpm_limit: tpm ?? null,
  max_parallel_requests: parallel ?? null,
  rpd_limit: rpd ?? null,
  rate_limit: spacing ? writeSpacing(spacing) : null,
  model_rpm_limit: rpmOf ?? null,
  model_tpm_limit: tpmOf ?? null,
})

/** A body's fields: each wrong one is named, and none that nobody honours. @throws Refusal invalid_request */
export function readBody<S extends z.ZodObject>(schema: S, body: Readonly<Record<string, unknown>>): z.infer<S> {
  const parsed = schema.safeParse(body)
  if (!parsed.success) {
    const told = parsed.error.issues.map((i) => `${i.path.join('.') || 'body'}: ${i.message}`)
    throw new Refusal('invalid_request', `${told.join('; ')}.`, {
      param: String(parsed.error.issues[0]?.path[0] ?? 'body'),
    })
  }
  // A field that is not honoured must not seem to be: an `allowed_routes` that does nothing is an open door.
  const known = Object.keys(schema.shape)
  for (const [field, value] of Object.entries(body))
    if (!known.includes(field) && !asksNothing(field, value))
      throw new Refusal(
        'invalid_request',
        `'${field}' has no effect here (yet), so it is refused rather than dropped. Known are: ${known.join(', ')}.`,
        { param: field },
      )
  return parsed.data
}

/** LiteLLM's clients send every field they know, most of them empty, or as they are anyway. */
const asksNothing = (field: string, value: unknown): boolean =>
  isEmpty(value) || value === false || (field === 'spend' && value === 0)

export const isEmpty = (value: unknown): boolean =>
  value === null ||
  value === undefined ||
  value === '' ||
  (typeof value === 'object' && Object.keys(value as object).length === 0)
