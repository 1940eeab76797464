/** A month of one scope on one page: what a team or project is sent. */
import { toDollars } from '../core/money.ts'
import { Refusal } from '../core/refusal.ts'
import { spokenScope } from '../core/scope.ts'
import { dateOfDay } from '../core/zone.ts'
import type { Answer, Dimension, Question } from '../store/reports.ts'
import { groupBy, NO_FIGURES, plus, showMetrics } from './figures.ts'
import { monthAsked } from './report-query.ts'

/** Whose statements there are, and the parameter that names one. */
const OF: readonly (readonly [param: string, kind: Exclude<Dimension, 'day'>])[] = [
  ['project_id', 'project'],
  ['team_id', 'team'],
  ['organization_id', 'organization'],
  ['user_id', 'user'],
  ['customer_id', 'customer'],
  ['tag', 'tag'],
]

export interface StatementAsked {
  scope: string
  month: string
  question: Question
}

/** @throws Refusal invalid_request */
export function statementQuestion(query: URLSearchParams): StatementAsked {
  const named = OF.filter(([param]) => query.get(param))
  const [first] = named
  if (!first || named.length > 1)
    throw new Refusal('invalid_request', `A statement is of one: name it by ${OF.map(([p]) => p).join(', ')}.`, {
      param: 'project_id',
    })
  const [param, kind] = first
  const id = query.get(param) as string
  const { from, to } = monthAsked(query.get('month'))
  return {
    scope: `${kind}:${id}`,
    month: query.get('month') as string,
    question: { from, to, by: ['day', 'key', 'alias', 'provider', 'model'], where: { [kind]: [id] } },
  }
}

/**
 * @param zone whose calendar the days are of
 * @param until the last day that is over, so that a statement of the running month says so
 */
export function showStatement(
  { scope, month, question }: StatementAsked,
  rows: readonly Answer[],
  names: (keyId: string) => string | undefined,
  zone: string,
  until: number,
): Record<string, unknown> {
  const total = rows.reduce(plus, NO_FIGURES)
  const lines = (nameOf: (row: Answer) => string, field: string) =>
    [...groupBy(rows, nameOf)]
      .sort(([, a], [, b]) => b.sum.cost - a.sum.cost)
      .map(([name, { sum }]) => ({ [field]: name, ...showMetrics(sum) }))
  return {
    object: 'statement',
    scope,
    of: spokenScope(scope),
    month,
    timezone: zone,
    from: dateOfDay(question.from),
    to: dateOfDay(question.to),
    is_final: until >= question.to,
    currency: 'USD',
    total_spend: toDollars(total.cost),
    total: showMetrics(total),
    by_model: lines((row) => `${row.alias} (${row.provider}/${row.model})`, 'model'),
    by_key: lines((row) => row.key ?? 'master', 'api_key').map((line) => ({
      ...line,
      key_alias: names(String(line.api_key)) ?? null,
    })),
    by_day: [...groupBy(rows, (row) => String(row.day))]
      .sort(([a], [b]) => Number(a) - Number(b))
      .map(([day, { sum }]) => ({ date: dateOfDay(Number(day)), ...showMetrics(sum) })),
  }
}
