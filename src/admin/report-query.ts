/** What a report is asked for in a query string: days, a time zone, names. */
import { Refusal } from '../core/refusal.ts'
import { dayAt, isZone } from '../core/zone.ts'

const DAY_MS = 86_400_000
/** Two years of days are a table that somebody can still read. */
const MOST_DAYS = 731

export interface Asked {
  /** Days from 1970-01-01, both included. */
  from: number
  to: number
  zone: string
}

/**
 * `start_date` and `end_date` (2026-11-21), by default the last 30 days; `timezone` as a name (Europe/Berlin) or, as
 * LiteLLM's pages send it, as the minutes that UTC is ahead (-60 in Berlin's winter).
 * @param zone the ledger's @throws Refusal invalid_request
 */
export function daysAsked(query: URLSearchParams, zone: string, now: number): Asked {
  const asked = zoneOf(query.get('timezone')) ?? zone
  const today = dayAt(asked, now)
  const to = dayOf(query, 'end_date') ?? today
  const from = dayOf(query, 'start_date') ?? to - 29
  if (from > to) throw wrong('start_date', 'lies after end_date.')
  if (to - from >= MOST_DAYS)
    throw wrong('start_date', `lies more than ${MOST_DAYS} days before end_date. Ask for less.`)
  return { from, to, zone: asked }
}

const wrong = (param: string, what: string): Refusal => new Refusal('invalid_request', `'${param}' ${what}`, { param })

function dayOf(query: URLSearchParams, name: string): number | undefined {
  const said = query.get(name)
  if (said === null || said === '') return undefined
  const match = /^(\d{4}-\d\d-\d\d)(?:[T ].*)?$/.exec(said)
  const at = match ? Date.parse(`${match[1]}T00:00:00Z`) : Number.NaN
  if (Number.isNaN(at)) throw wrong(name, 'is no date: write 2026-11-21.')
  return at / DAY_MS
}

function zoneOf(said: string | null): string | undefined {
  if (said === null || said === '') return undefined
  if (/^-?\d{1,4}$/.test(said)) {
    const hours = Number(said) / 60
    // POSIX signs: Etc/GMT+8 is behind UTC, as JavaScript's offsets are.
    if (Number.isInteger(hours) && Math.abs(hours) <= 12)
      return hours === 0 ? 'UTC' : `Etc/GMT${hours > 0 ? '+' : ''}${hours}`
  } else if (isZone(said)) return said
  throw wrong('timezone', 'is no time zone: write Europe/Berlin, UTC, or an offset of whole hours in minutes.')
}

/** A month (`2026-10`) as its days. @throws Refusal invalid_request */
export function monthAsked(said: string | null): { from: number; to: number } {
  const match = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(said ?? '')
  if (!match) throw wrong('month', 'must be a month: 2026-10.')
  const [year, month] = [Number(match[1]), Number(match[2])]
  return { from: Date.UTC(year, month - 1) / DAY_MS, to: Date.UTC(year, month) / DAY_MS - 1 }
}

/** A list with commas between, of one of these names; undefined where none is given. */
export function namesAsked(query: URLSearchParams, ...params: readonly string[]): readonly string[] | undefined {
  const said = params.flatMap((param) => query.getAll(param)).flatMap((text) => text.split(','))
  const names = said.map((name) => name.trim()).filter((name) => name !== '')
  return names.length > 0 ? names : undefined
}
