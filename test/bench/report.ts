/** The bench's tables, in Markdown. */
import type { Measured } from './order.ts'

type Row = Measured & { rss: number }
/** Scenario → contestant → one row a round. */
export type Table = Map<string, Map<string, Row[]>>

const BASE = 'bare relay'
const DIRECT = 'upstream itself'

export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  if (sorted.length === 0) return Number.NaN
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

const perRequest = (row: Row): number => (row.cpuMs * 1000) / row.counted
const perSecond = (row: Row): number => (row.counted * 1000) / row.ms
const show = (value: number, digits = 0): string => (Number.isFinite(value) ? value.toFixed(digits) : '–')

/** The median of the ratios within each round. */
function ratio(rows: Map<string, Row[]>, name: string, of: (row: Row) => number): number {
  const base = rows.get(BASE) ?? []
  return median((rows.get(name) ?? []).map((row, i) => (base[i] ? of(row) / of(base[i]) : Number.NaN)))
}

/** What it adds to the upstream's own latency, µs. */
function added(rows: Map<string, Row[]>, name: string, of: (row: Row) => number): number {
  const direct = rows.get(DIRECT) ?? []
  return median((rows.get(name) ?? []).map((row, i) => (direct[i] ? (of(row) - of(direct[i])) * 1000 : Number.NaN)))
}

type Column = [title: string, cell: (name: string) => string]

function table(title: string, names: readonly string[], columns: Column[]): string {
  const lines = [
    `### ${title}`,
    '',
    `| | ${columns.map(([head]) => head).join(' | ')} |`,
    `|---|${columns.map(() => '---:').join('|')}|`,
    ...names.map((name) => `| ${name} | ${columns.map(([, cell]) => cell(name)).join(' | ')} |`),
  ]
  return lines.join('\n')
}

export function tables(results: Table): string {
  const at = (scenario: string): Map<string, Row[]> => results.get(scenario) ?? new Map()
  const names = [...at('small@1').keys()]
  const value =
    (scenario: string, of: (row: Row) => number, digits = 0) =>
    (name: string): string =>
      show(median((at(scenario).get(name) ?? []).map(of)), digits)
  const against =
    (scenario: string, of: (row: Row) => number) =>
    (name: string): string =>
      `${show(ratio(at(scenario), name, of), 2)}×`
  const more =
    (scenario: string, of: (row: Row) => number) =>
    (name: string): string =>
      show(added(at(scenario), name, of))
  const cpu = (scenario: string): Column[] => [
    [`CPU µs, ${scenario}`, value(scenario, perRequest)],
    ['to relay', against(scenario, perRequest)],
  ]
  return [
    table('A small request, answered whole', names, [
      ...cpu('small@64'),
      ...[1, 8, 64, 256].map((n): Column => [`req/s @${n}`, value(`small@${n}`, perSecond)]),
      ['to relay @64', against('small@64', perSecond)],
      ['adds µs p50 @1', more('small@1', (row) => row.p50)],
      ['p99 @1', more('small@1', (row) => row.p99)],
      ['adds µs p50 @8', more('small@8', (row) => row.p50)],
      ['p99 @8', more('small@8', (row) => row.p99)],
      ['RSS MB', value('small@256', (row) => row.rss)],
    ]),
    table('A request of 100 kB, 8 connections', names, (['string', 'messages', 'code'] as const).flatMap(cpu)),
    table('Streams of 64 chunks', names, [
      ...cpu('stream'),
      ['streams/s @32', value('stream', perSecond)],
      ['to relay', against('stream', perSecond)],
      ['600 held: whole', value('held', (row) => row.counted)],
      ['CPU µs a held stream', value('held', perRequest)],
      ['to relay', against('held', perRequest)],
      ['RSS MB', value('held', (row) => row.rss)],
    ]),
  ].join('\n\n')
}
