/** `/global/spend/report`: what was spent by day and by one kind of scope, parted by model and key. LiteLLM's answers. */
import { toDollars } from '../core/money.ts'
import { Refusal } from '../core/refusal.ts'
import { dateOfDay } from '../core/zone.ts'
import type { Answer, Dimension, Question } from '../store/reports.ts'
import { groupBy, NO_FIGURES, showMetrics } from './figures.ts'
import { type Asked, namesAsked } from './report-query.ts'

/** What `group_by` may be: LiteLLM has team, customer and api_key. `model` is the alias that callers ask for. */
const GROUPS: Readonly<Record<string, { by: Dimension; many: string; one: string }>> = {
  team: { by: 'team', many: 'teams', one: 'team_name' },
  customer: { by: 'customer', many: 'customers', one: 'customer' },
  api_key: { by: 'key', many: 'api_keys', one: 'api_key' },
  user: { by: 'user', many: 'users', one: 'user_id' },
  organization: { by: 'organization', many: 'organizations', one: 'organization_id' },
  project: { by: 'project', many: 'projects', one: 'project_id' },
  tag: { by: 'tag', many: 'tags', one: 'tag' },
  model: { by: 'alias', many: 'models', one: 'model_group' },
  provider: { by: 'provider', many: 'providers', one: 'custom_llm_provider' },
}

export interface SpendReport {
  group: string
  question: Question
}

/** @param asTable with all columns, a line for each @throws Refusal invalid_request */
export function reportQuestion(query: URLSearchParams, asked: Asked, asTable: boolean): SpendReport {
  const group = query.get('group_by') ?? 'team'
  // `constructor` is in every object.
  const known = Object.hasOwn(GROUPS, group) ? GROUPS[group] : undefined
  if (!known)
    throw new Refusal('invalid_request', `'group_by' must be one of ${Object.keys(GROUPS).join(', ')}.`, {
      param: 'group_by',
    })
  const only = {
    key: namesAsked(query, 'api_key'),
    team: namesAsked(query, 'team_id'),
    user: namesAsked(query, 'internal_user_id', 'user_id'),
    customer: namesAsked(query, 'customer_id', 'end_user'),
    organization: namesAsked(query, 'organization_id'),
    project: namesAsked(query, 'project_id'),
    tag: namesAsked(query, 'tag'),
    alias: namesAsked(query, 'model_group', 'model'),
    provider: namesAsked(query, 'provider'),
  }
  const where = Object.fromEntries(Object.entries(only).filter(([, names]) => names !== undefined))
  // Keys part every line: LiteLLM tells them. Where scopes alone are asked for, they need not be looked through.
  const parts: Dimension[] = query.get('summarize') === 'true' ? ['alias'] : ['alias', 'provider', 'model', 'key']
  // LiteLLM's answer for keys has no days: then they need not be told apart.
  const by: Dimension[] = group === 'api_key' && !asTable ? ['key', 'alias'] : ['day', known.by, ...parts]
  return { group, question: { ...asked, by: [...new Set(by)], where } }
}

export function showReport({ group }: SpendReport, rows: readonly Answer[]): unknown[] {
  const { by, many, one } = GROUPS[group] as (typeof GROUPS)[string]
  const named = (row: Answer) => String(row[by as 'team'] ?? 'master')
  if (group === 'api_key') return byKey(rows)
  const days = [...groupBy(rows, (row) => String(row.day))].sort(([a], [b]) => Number(a) - Number(b))
  return days.map(([day, { rows: ofDay }]) => ({
    group_by_day: `${dateOfDay(Number(day))}T00:00:00+00:00`,
    [many]: [...groupBy(ofDay, named)]
      .sort(([, a], [, b]) => b.sum.cost - a.sum.cost)
      .map(([name, { sum, rows: own }]) => ({
        [one]: name,
        total_spend: toDollars(sum.cost),
        total_spend_nano: sum.cost,
        metadata: own.map((row) => ({
          model: row.alias,
          api_key: row.key ?? undefined,
          custom_llm_provider: row.provider,
          upstream_model: row.model,
          ...showMetrics(row),
        })),
      })),
  }))
}

/** LiteLLM's other shape, for keys: the whole time at once. */
const byKey = (rows: readonly Answer[]): unknown[] =>
  [...groupBy(rows, (row) => row.key ?? 'master')]
    .sort(([, a], [, b]) => b.sum.cost - a.sum.cost)
    .map(([key, { sum, rows: own }]) => ({
      api_key: key,
      total_cost: toDollars(sum.cost),
      total_cost_nano: sum.cost,
      total_input_tokens: sum.input,
      total_output_tokens: sum.output,
      model_details: [...groupBy(own, (row) => row.alias as string)].map(([model, { sum: s }]) => ({
        model,
        total_cost: toDollars(s.cost),
        total_input_tokens: s.input,
        total_output_tokens: s.output,
      })),
    }))

export const reportFields = ({ group }: SpendReport): string[] => [
  ...new Set([
    'date',
    (GROUPS[group] as { one: string }).one,
    'model_group',
    'custom_llm_provider',
    'model',
    'api_key',
  ]),
  ...Object.keys(showMetrics(NO_FIGURES)),
]

export function reportRows({ group }: SpendReport, rows: readonly Answer[]): Record<string, unknown>[] {
  const { by, one } = GROUPS[group] as (typeof GROUPS)[string]
  return [...rows]
    .sort((a, b) => (a.day as number) - (b.day as number))
    .map((row) => ({
      date: dateOfDay(row.day as number),
      model_group: row.alias,
      custom_llm_provider: row.provider,
      model: row.model,
      api_key: row.key ?? 'master',
      [one]: row[by as 'team'] ?? 'master',
      ...showMetrics(row),
    }))
}
