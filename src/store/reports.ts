/**
 * What was spent, added up by whatever is asked. Read from the rollups, whose number does not grow with that of the
 * charges; in another time zone than the ledger's from the charges themselves.
 */
import type { ScopeKind } from '../core/scope.ts'
import { startOfDay } from '../core/zone.ts'
import type { Store } from './open.ts'
import { LONGEST_EVER_MS, operationAt } from './operation.ts'

/** What charges add up to. Costs in nano-dollars. */
export interface Figures {
  cost: number
  requests: number
  failed: number
  input: number
  cacheRead: number
  cacheWrite: number
  output: number
  reasoning: number
}

/** What a report can be parted by: a day, who paid, or what answered (the alias, the provider, its model). */
export type Dimension = 'day' | Exclude<ScopeKind, 'gateway' | 'model'> | 'alias' | 'model'

export interface Question {
  /** Days from 1970-01-01, both included. */
  from: number
  to: number
  by: readonly Dimension[]
  /** Only charges of one of these. */
  where: Partial<Record<Exclude<Dimension, 'day'>, readonly string[]>>
}

export type Answer = Figures & Partial<Record<Exclude<Dimension, 'day'>, string | null>> & { day?: number }

const FIGURES = `sum(r.cost) AS cost, sum(r.requests) AS requests, sum(r.failed) AS failed, sum(r.input) AS input,
  sum(r.cache_read) AS cacheRead, sum(r.cache_write) AS cacheWrite, sum(r.output) AS output, sum(r.reasoning) AS reasoning`

const OF_TARGET = ['alias', 'provider', 'model'] as const
type OfTarget = (typeof OF_TARGET)[number]
const isOfTarget = (d: Dimension): d is OfTarget => (OF_TARGET as readonly string[]).includes(d)

/** Rows in no order. Where charges have several tags, each of them has the whole charge. */
export function ask(store: Store, question: Question): Answer[] {
  const kinds = [...new Set([...question.by, ...(Object.keys(question.where) as Dimension[])])].filter(
    (d) => d !== 'day' && !isOfTarget(d),
  )
  // One kind of scope has rollups of its own.
  if (kinds.length === 0)
    return run(store, 'rollups r JOIN words w ON w.id = r.scope', question, ["w.word = 'gateway'"])
  const [kind] = kinds
  if (kinds.length === 1) {
    const own = ofOneKind(store, kind as string, question)
    // Only the master key's charges have no key.
    return kind === 'key' && !question.where.key ? [...own, ...ofNoKey(store, question)] : own
  }
  return run(store, PAYER_ROLLUPS, question, [])
}

const PAYER_ROLLUPS = 'payer_rollups r JOIN payers p ON p.id = r.payer'

/** The words first: a scope's rows stand together in the table, a day's do not. */
function ofOneKind(store: Store, kind: string, question: Question): Answer[] {
  const { [kind as 'team']: values, ...where } = question.where
  const words = values?.map((value) => `${kind}:${value}`)
  const which = words ? 'w.word IN (SELECT value FROM json_each(@words))' : 'w.word >= @first AND w.word < @behind'
  const values_ = words ? { words: JSON.stringify(words) } : { first: `${kind}:`, behind: `${kind};` }
  const column = { [kind]: `substr(w.word, ${kind.length + 2})` }
  return run(store, 'words w CROSS JOIN rollups r ON r.scope = w.id', { ...question, where }, [which], values_, column)
}

/** The master key's own. */
function ofNoKey(store: Store, question: Question): Answer[] {
  const masters = store.sqlite.prepare('SELECT id FROM payers WHERE key IS NULL').pluck().all() as number[]
  if (masters.length === 0) return []
  const which = 'r.payer IN (SELECT value FROM json_each(@masters))'
  return run(store, 'payer_rollups r', question, [which], { masters: JSON.stringify(masters) }, { key: 'NULL' })
}

/** What the dimensions of who paid are called in `payers`. */
const PAYER_COLUMNS: Readonly<Record<string, string>> = {
  ...{ key: 'p.key', user: 'p.user', team: 'p.team', organization: 'p.organization', project: 'p.project' },
  ...{
    customer: 'p.customer',
    tag: 'tag.value',
    day: 'r.day',
    alias: 't.alias',
    provider: 't.provider',
    model: 't.model',
  },
}

function run(
  { sqlite }: Store,
  from: string,
  { from: first, to: last, by, where }: Question,
  conditions: readonly string[],
  values: Readonly<Record<string, string>> = {},
  columns: Readonly<Record<string, string>> = {},
): Answer[] {
  const column = (d: string): string => columns[d] ?? (PAYER_COLUMNS[d] as string)
  const named = Object.entries(where) as [string, readonly string[]][]
  const all = [
    'r.day BETWEEN @from AND @to',
    ...conditions,
    ...named.map(([d]) => `${column(d)} IN (SELECT value FROM json_each(@in_${d}))`),
    // Whoever belongs to none of a kind has no line there; the master key has one.
    ...by.filter((d) => d !== 'day' && d !== 'key' && !isOfTarget(d)).map((d) => `${column(d)} IS NOT NULL`),
  ]
  const tags = [...by, ...Object.keys(where)].includes('tag') && !columns.tag ? ', json_each(p.tags) tag' : ''
  const targets = [...by, ...(Object.keys(where) as Dimension[])].some(isOfTarget)
  const selected = by.map((d) => `${column(d)} AS ${d}`)
  const grouped = by.length > 0 ? `GROUP BY ${by.map(column).join(', ')}` : 'HAVING count(*) > 0'
  return sqlite
    .prepare(
      `SELECT ${[...selected, FIGURES].join(', ')} FROM ${from}${targets ? ' JOIN targets t ON t.id = r.target' : ''}${tags}
       WHERE ${all.join(' AND ')} ${grouped}`,
    )
    .all({
      from: first,
      to: last,
      ...values,
      ...Object.fromEntries(named.map(([d, list]) => [`in_${d}`, JSON.stringify(list)])),
    }) as Answer[]
}

/** The most charges that are added up while somebody waits. */
export const MOST_CHARGES = 500_000

/**
 * The same by the calendar of another zone.
 * @returns undefined where there are more than {@link MOST_CHARGES} in that time
 */
export function askIn(store: Store, zone: string, question: Question): Answer[] | undefined {
  const { sqlite } = store
  const begin = startOfDay(zone, question.from)
  const end = startOfDay(zone, question.to + 1)
  const range = { first: operationAt(begin - LONGEST_EVER_MS), last: operationAt(end), begin, end }
  const counted = sqlite
    .prepare(
      `SELECT count(*) FROM (SELECT 1 FROM charges WHERE operation >= @first AND operation < @last LIMIT ${MOST_CHARGES + 1})`,
    )
    .pluck()
    .get({ first: range.first, last: range.last }) as number
  if (counted > MOST_CHARGES) return undefined
  const days = Array.from({ length: question.to - question.from + 1 }, (_, i) => question.from + i)
  const bounds = days.map((day) => `WHEN started_at < ${startOfDay(zone, day + 1)} THEN ${day}`)
  const from = `(SELECT payer, target, CASE ${bounds.join(' ')} END AS day, cost, 1 AS requests,
      outcome <> (SELECT id FROM words WHERE word = 'ok') AS failed, input, cache_read, cache_write + cache_write_hour AS cache_write,
      output, reasoning FROM charges WHERE operation >= ${range.first} AND operation < ${range.last}
      AND started_at >= ${begin} AND started_at < ${end}) r JOIN payers p ON p.id = r.payer`
  return run(store, from, question, [])
}

/** Attempts of a scope that were charged on a day. */
export function requestsOn({ sqlite }: Store, scope: string, day: number): number {
  const sum =
    'SELECT coalesce(sum(r.requests), 0) FROM rollups r JOIN words w ON w.id = r.scope WHERE w.word = ? AND r.day = ?'
  return sqlite.prepare(sum).pluck().get(scope, day) as number
}
