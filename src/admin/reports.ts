/** The routes of reports: read, never written; the same numbers as JSON and as CSV. */
import { toDollars } from '../core/money.ts'
import { Refusal } from '../core/refusal.ts'
import { dateOfDay, dayAt } from '../core/zone.ts'
import type { Store } from '../store/open.ts'
import { type Answer, ask, askIn, MOST_CHARGES, type Question } from '../store/reports.ts'
import { type ActivityKind, activityFields, activityQuestion, activityRows, showActivity } from './activity.ts'
import { toCsv } from './csv.ts'
import { showMetrics } from './figures.ts'
import type { Keyring } from './keyring.ts'
import { whole } from './keys.ts'
import { type Reach, within } from './reach.ts'
import { type Asked, daysAsked } from './report-query.ts'
import { reportFields, reportQuestion, reportRows, showReport } from './spend-report.ts'
import { showStatement, statementQuestion } from './statement.ts'

export interface ReportRoutes {
  report(query: URLSearchParams): unknown
  activity(kind: ActivityKind, reach: Reach, query: URLSearchParams): unknown
  statement(reach: Reach, query: URLSearchParams): unknown
  keys(query: URLSearchParams): unknown
  users(query: URLSearchParams): unknown
  tags(query: URLSearchParams): unknown
}

/** What a list of spenders shows, where no `limit` is asked for. */
const PAGE = 1_000
const LARGEST_PAGE = 10_000

/** @param zone the ledger's @param flush writes what is settled */
export function reportRoutes(
  store: Store,
  ring: Keyring,
  zone: string,
  now: () => number,
  flush: () => void,
): ReportRoutes {
  const answers = (asked: Asked | { zone: string }, question: Question): Answer[] => {
    flush()
    if (asked.zone === zone) return ask(store, question)
    const found = askIn(store, asked.zone, question)
    if (!found)
      throw new Refusal(
        'invalid_request',
        `By the calendar of ${asked.zone} this would add up more than ${MOST_CHARGES} charges one by one. Ask for fewer days, or by ${zone}, whose days are kept.`,
        { param: 'timezone' },
      )
    return found
  }
  const nameOf = (keyId: string) => ring.get(keyId)?.name
  /** Everything of a kind of scope over the days, the dearest first. */
  const spenders = (query: URLSearchParams, by: 'key' | 'user' | 'tag'): Answer[] => {
    const asked = query.has('start_date') || query.has('end_date') ? daysAsked(query, zone, now()) : always(zone)
    const rows = answers(asked, { ...asked, by: [by], where: {} })
    return rows
      .sort((a, b) => b.cost - a.cost || b.requests - a.requests)
      .slice(0, whole(query, 'limit', PAGE, LARGEST_PAGE))
  }
  return {
    report(query) {
      const asked = daysAsked(query, zone, now())
      const asTable = wantsCsv(query)
      const report = reportQuestion(query, asked, asTable)
      const rows = answers(asked, report.question)
      if (asTable) return csv('spend', asked, reportFields(report), reportRows(report, rows))
      return showReport(report, rows)
    },
    activity(kind, reach, query) {
      const asked = daysAsked(query, zone, now())
      const rows = answers(asked, activityQuestion(kind, reach, query, asked))
      if (wantsCsv(query)) return csv(kind, asked, activityFields(kind), activityRows(kind, rows, nameOf))
      return showActivity(kind, rows, query, nameOf)
    },
    statement(reach, query) {
      const asked = statementQuestion(query)
      const { where } = asked.question
      Object.assign(where, within(reach.bounds(where), where))
      const rows = answers({ zone }, asked.question)
      if (!wantsCsv(query)) return showStatement(asked, rows, nameOf, zone, dayAt(zone, now()) - 1)
      return csv('statement', asked.question, activityFields('project'), activityRows('project', rows, nameOf))
    },
    keys: (query) =>
      spenders(query, 'key').map((row) => ({
        token: row.key ?? 'master',
        key_alias: row.key ? (nameOf(row.key) ?? null) : null,
        ...showMetrics(row),
      })),
    users: (query) => spenders(query, 'user').map((row) => ({ user_id: row.user, ...showMetrics(row) })),
    tags: (query) =>
      spenders(query, 'tag').map((row) => ({
        individual_request_tag: row.tag,
        log_count: row.requests,
        total_spend: toDollars(row.cost),
        ...showMetrics(row),
      })),
  }
}

const always = (zone: string): Asked => ({ from: 0, to: Number.MAX_SAFE_INTEGER, zone })

/** @throws Refusal invalid_request for a format that is neither */
function wantsCsv(query: URLSearchParams): boolean {
  const format = query.get('format') ?? 'json'
  if (format !== 'json' && format !== 'csv')
    throw new Refusal('invalid_request', "'format' must be json or csv.", { param: 'format' })
  return format === 'csv'
}

function csv(
  name: string,
  { from, to }: { from: number; to: number },
  fields: readonly string[],
  rows: readonly Record<string, unknown>[],
): Response {
  return new Response(toCsv(fields, rows), {
    headers: {
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': `attachment; filename="${name}-${dateOfDay(from)}-${dateOfDay(to)}.csv"`,
    },
  })
}
