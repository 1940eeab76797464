/** A holder as LiteLLM shows one of its kind, with what it does not tell: what is held, and each budget by itself. */
import type { Holder, Template } from '../core/holder.ts'
import { showTerms } from '../core/terms.ts'
import { showLimits } from './fields.ts'
import { DETAILS, type HolderForm } from './holder-kinds.ts'
import { showMember } from './members.ts'
import { type Money, showMoney } from './money.ts'
import type { Register } from './register.ts'

type Json = Record<string, unknown>

/** Nobody knows when what only has spent began. */
const iso = (ms: number): string | null => (ms === 0 ? null : new Date(ms).toISOString())

const EMPTY: Readonly<Record<string, unknown>> = { tags: [], model_aliases: {} }

export function showHolder(holder: Holder, form: HolderForm, money: Money, register: Register): Json {
  const { fields } = form
  const shown: Json = { [form.id]: holder.id }
  if (form.alias) shown[form.alias] = holder.name ?? null
  if (fields.organization_id) shown.organization_id = holder.organizationId ?? null
  if (fields.team_id) shown.team_id = holder.teamId ?? null
  if (fields.user_role) shown.user_role = holder.role ?? null
  if (form.members && (holder.kind === 'team' || holder.kind === 'organization'))
    shown[form.members] = register.membersOf(holder.kind, holder.id).map((member) => showMember(member, register))
  if (fields.models) shown.models = holder.models
  Object.assign(shown, showMoney(money), showTerms(holder), fields.rpm_limit ? showLimits(holder.limits) : {})
  if (fields.blocked) shown.blocked = holder.blocked
  for (const field of DETAILS) if (fields[field]) shown[field] = holder.metadata[field] ?? EMPTY[field] ?? null
  if (fields.metadata) shown.metadata = holder.metadata
  shown.created_at = iso(holder.createdAt)
  shown.updated_at = iso(holder.updatedAt)
  if (form.hasTable)
    shown.litellm_budget_table = tableOf(holder, register.template(holder.budgetId ?? ''), shown.budget_reset_at)
  return shown
}

/** The terms that hold: its own, and where they say nothing its template's. */
function tableOf(holder: Holder, template: Template | undefined, resetAt: unknown): Json {
  const own = { ...showTerms(holder), ...showLimits(holder.limits) }
  const shared: Json = template ? { ...showTerms(template), ...showLimits(template.limits) } : {}
  const table: Json = { budget_reset_at: resetAt }
  for (const field of TABLE) table[field] = own[field as keyof typeof own] ?? shared[field] ?? null
  return table
}

const TABLE = [
  ...['budget_id', 'max_budget', 'soft_budget', 'budget_duration', 'model_max_budget'],
  ...['rpm_limit', 'tpm_limit', 'max_parallel_requests'],
]
