/** What /key/generate and /key/update take, in LiteLLM's words, and what they answer. */
import { z } from 'zod'
import type { Key } from '../core/key.ts'
import { fromDollars, toDollars } from '../core/money.ts'
import { expiryAfter, parsePeriod } from '../core/period.ts'
import { Refusal } from '../core/refusal.ts'
import type { NewKey } from './keyring.ts'
import type { Money } from './money.ts'

const period = z
  .string()
  .refine((text) => parsePeriod(text) !== undefined, 'must be a duration such as 30s, 15m, 1h, 7d, 1w or 1mo')
const count = z.number().int().min(0)

const fields = {
  key_alias: z.string().min(1).max(200).nullish(),
  models: z.array(z.string()).nullish(),
  max_budget: z.number().min(0).max(9_000_000).nullish(),
  budget_duration: period.nullish(),
  rpm_limit: count.nullish(),
  tpm_limit: count.nullish(),
  max_parallel_requests: count.nullish(),
  duration: z.union([period, z.literal('-1')]).nullish(),
  metadata: z.record(z.string(), z.unknown()).nullish(),
  allowed_passthrough_routes: z.array(z.string().regex(/^(\*|\/.*)$/, "must be '*' or begin with '/'")).nullish(),
  team_id: z.string().nullish(),
  user_id: z.string().nullish(),
  blocked: z.boolean().nullish(),
}
const generate = z.object({
  ...fields,
  key: z
    .string()
    .regex(/^sk-[\x21-\x7e]{8,200}$/, "must start with 'sk-' and have at least 8 more characters")
    .nullish(),
})
const update = z.object({ ...fields, key: z.string() })

/** A body's fields, each wrong one named at once. @throws Refusal invalid_request */
function read<T>(schema: z.ZodObject & z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body)
  if (!parsed.success) {
    const told = parsed.error.issues.map((i) => `${i.path.join('.') || 'body'}: ${i.message}`)
    throw new Refusal('invalid_request', `${told.join('; ')}.`, {
      param: String(parsed.error.issues[0]?.path[0] ?? 'body'),
    })
  }
  // A field that is not honoured must not seem to be: an `allowed_routes` that does nothing is an open door.
  for (const [name, value] of Object.entries(body as object))
    if (!(name in schema.shape) && !isEmpty(value))
      throw new Refusal(
        'invalid_request',
        `'${name}' has no effect here (yet), so it is refused rather than dropped. Known are: ${Object.keys(schema.shape).join(', ')}.`,
        { param: name },
      )
  return parsed.data
}

/** LiteLLM's clients send every field they know, most of them empty. */
const isEmpty = (value: unknown): boolean =>
  value === null ||
  value === undefined ||
  value === '' ||
  (typeof value === 'object' && Object.keys(value as object).length === 0)

export function readGenerate(body: unknown, now: number): { wanted: NewKey; secret: string | undefined } {
  const asked = read(generate, body)
  const none: NewKey = { models: [], tags: [], limits: {}, blocked: false, metadata: {} }
  return { wanted: { ...none, ...changesOf(asked, none, now) }, secret: asked.key ?? undefined }
}

export function readUpdate(
  body: unknown,
  find: (reference: string) => Key,
  now: number,
): { key: Key; changes: Partial<NewKey> } {
  const asked = read(update, body)
  const key = find(asked.key)
  return { key, changes: changesOf(asked, key, now) }
}

type Asked = z.infer<z.ZodObject<typeof fields>>

/** null clears a field; a field that is not there is left alone. */
function changesOf(asked: Asked, before: NewKey, now: number): Partial<NewKey> {
  const changes: Partial<NewKey> = {}
  if (asked.key_alias !== undefined) changes.name = asked.key_alias ?? undefined
  if (asked.models !== undefined) changes.models = asked.models ?? []
  if (asked.max_budget !== undefined)
    changes.maxBudget = asked.max_budget === null ? undefined : fromDollars(asked.max_budget)
  if (asked.budget_duration !== undefined) {
    changes.budgetDuration = asked.budget_duration ?? undefined
    changes.period = asked.budget_duration ? parsePeriod(asked.budget_duration) : undefined
  }
  const { rpm_limit: rpm, tpm_limit: tpm, max_parallel_requests: parallel } = asked
  changes.limits = {
    rpm: rpm === undefined ? before.limits.rpm : (rpm ?? undefined),
    tpm: tpm === undefined ? before.limits.tpm : (tpm ?? undefined),
    parallel: parallel === undefined ? before.limits.parallel : (parallel ?? undefined),
  }
  if (asked.duration !== undefined) {
    const life = asked.duration === null || asked.duration === '-1' ? undefined : parsePeriod(asked.duration)
    changes.expiresAt = life ? expiryAfter(life, now) : undefined
  }
  if (asked.metadata !== undefined) changes.metadata = asked.metadata ?? {}
  // Where LiteLLM keeps it, too.
  const { allowed_passthrough_routes: routes } = asked
  if (routes !== undefined)
    changes.metadata = { ...(changes.metadata ?? before.metadata), allowed_passthrough_routes: routes ?? [] }
  if (asked.team_id !== undefined) changes.teamId = asked.team_id ?? undefined
  if (asked.user_id !== undefined) changes.userId = asked.user_id ?? undefined
  if (asked.blocked !== undefined) changes.blocked = asked.blocked ?? false
  return changes
}

/** A key as LiteLLM shows one: `spend` is that of the current window. Never the key itself. */
export function showKey(key: Key, money: Money): Record<string, unknown> {
  const iso = (ms: number | undefined) => (ms === undefined ? null : new Date(ms).toISOString())
  return {
    token: key.id,
    key_name: `sk-...${key.hint}`,
    key_alias: key.name ?? null,
    models: key.models,
    spend: toDollars(money.spent),
    total_spend: toDollars(money.total),
    held: toDollars(money.held),
    max_budget: key.maxBudget === undefined ? null : toDollars(key.maxBudget),
    budget_duration: key.budgetDuration ?? null,
    budget_reset_at: iso(money.resetAt),
    rpm_limit: key.limits.rpm ?? null,
    tpm_limit: key.limits.tpm ?? null,
    max_parallel_requests: key.limits.parallel ?? null,
    expires: iso(key.expiresAt),
    blocked: key.blocked,
    team_id: key.teamId ?? null,
    user_id: key.userId ?? null,
    metadata: key.metadata,
    created_at: iso(key.createdAt),
    updated_at: iso(key.updatedAt),
  }
}
