/** `/user/daily/activity` and its kin: what was spent day by day, parted by model, provider and key. LiteLLM's answers. */
import { dateOfDay } from '../core/zone.ts'
import type { Answer, Dimension, Question } from '../store/reports.ts'
import { groupBy, NO_FIGURES, plus, showMetrics } from './figures.ts'
import { whole } from './keys.ts'
import { type Reach, within } from './reach.ts'
import { type Asked, namesAsked } from './report-query.ts'

export type ActivityKind = 'user' | 'team' | 'organization' | 'project' | 'customer' | 'tag'

/** LiteLLM's names of the filter of each kind. */
const FILTERS: Readonly<Record<ActivityKind, readonly string[]>> = {
  user: ['user_id', 'user_ids'],
  team: ['team_ids', 'team_id'],
  organization: ['organization_ids', 'organization_id'],
  project: ['project_ids', 'project_id'],
  customer: ['end_user_ids', 'customer_ids', 'customer_id'],
  tag: ['tags'],
}

/** The question behind a query, as far as the one who asks may see. */
export function activityQuestion(kind: ActivityKind, reach: Reach, query: URLSearchParams, asked: Asked): Question {
  const entities = namesAsked(query, ...FILTERS[kind])
  const aliases = namesAsked(query, 'model', 'model_group')
  const keys = namesAsked(query, 'api_key')
  const bounds = reach.bounds({ [kind]: entities })
  // Everybody's, where no user is named: LiteLLM's admin sees all under /user.
  const parted: Dimension[] = kind === 'user' && !entities ? [] : [kind]
  return {
    ...asked,
    by: ['day', ...parted, 'key', 'alias', 'provider', 'model'],
    where: {
      ...(entities ? { [kind]: entities } : {}),
      ...(aliases ? { alias: aliases } : {}),
      ...(keys ? { key: keys } : {}),
      ...within(bounds, { [kind]: entities, key: keys }),
    },
  }
}

/** Days on a page by default, and at most: LiteLLM's. */
const PAGE = 50
const LARGEST_PAGE = 1_000

/** @param names of keys by their ids */
export function showActivity(
  kind: ActivityKind,
  rows: readonly Answer[],
  query: URLSearchParams,
  names: (keyId: string) => string | undefined,
): Record<string, unknown> {
  const page = whole(query, 'page', 1, Number.MAX_SAFE_INTEGER)
  const size = whole(query, 'page_size', PAGE, LARGEST_PAGE)
  const days = [...groupBy(rows, (row) => String(row.day))].sort(([a], [b]) => Number(b) - Number(a))
  const shown = days.slice((page - 1) * size, page * size)
  const total = rows.reduce(plus, NO_FIGURES)
  const pages = Math.ceil(days.length / size)
  return {
    results: shown.map(([day, { sum, rows: ofDay }]) => ({
      date: dateOfDay(Number(day)),
      metrics: showMetrics(sum),
      breakdown: {
        models: breakdown(ofDay, (row) => row.model),
        model_groups: breakdown(ofDay, (row) => row.alias),
        providers: breakdown(ofDay, (row) => row.provider),
        api_keys: breakdown(
          ofDay,
          (row) => row.key ?? 'master',
          (id) => ({ key_alias: names(id) ?? null }),
        ),
        entities: breakdown(ofDay, (row) => row[kind]),
        mcp_servers: {},
      },
    })),
    metadata: {
      ...Object.fromEntries(
        Object.entries(showMetrics(total)).map(([name, value]) => [`total_${name.replace(/^total_/, '')}`, value]),
      ),
      page,
      total_pages: pages,
      has_more: page < pages,
    },
  }
}

function breakdown(
  rows: readonly Answer[],
  nameOf: (row: Answer) => string | null | undefined,
  about: (name: string) => Record<string, unknown> = () => ({}),
): Record<string, unknown> {
  const named = rows.filter((row) => nameOf(row) !== null && nameOf(row) !== undefined)
  const groups = groupBy(named, (row) => nameOf(row) as string)
  return Object.fromEntries(
    [...groups].map(([name, { sum }]) => [name, { metrics: showMetrics(sum), metadata: about(name) }]),
  )
}

/** The columns of the same as a table. */
export const activityFields = (kind: ActivityKind): string[] => [
  ...['date', kind, 'api_key', 'key_alias', 'model_group', 'custom_llm_provider', 'model'],
  ...Object.keys(showMetrics(NO_FIGURES)),
]

export const activityRows = (
  kind: ActivityKind,
  rows: readonly Answer[],
  names: (keyId: string) => string | undefined,
): Record<string, unknown>[] =>
  [...rows]
    .sort((a, b) => (a.day as number) - (b.day as number))
    .map((row) => ({
      date: dateOfDay(row.day as number),
      [kind]: row[kind],
      api_key: row.key ?? 'master',
      key_alias: row.key ? names(row.key) : undefined,
      model_group: row.alias,
      custom_llm_provider: row.provider,
      model: row.model,
      ...showMetrics(row),
    }))
