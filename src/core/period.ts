/**
 * Durations and budget windows as LiteLLM writes them (`30s`, `15m`, `1h`, `1d`, `7d`, `1w`, `1mo`). A window is a
 * function of time, never a job that resets: litellm#8364, #16057, #25495 are jobs that came late or not at all.
 */
import { momentOf, wallAt } from './zone.ts'

const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const

const WORDS: Readonly<Record<string, string>> = {
  hourly: '1h',
  daily: '1d',
  weekly: '1w',
  monthly: '1mo',
  yearly: '12mo',
}

export interface Period {
  count: number
  unit: keyof typeof UNIT_MS | 'mo'
}

/** `'1mo'` → {count: 1, unit: 'mo'}; undefined where it is not a duration. */
export function parsePeriod(text: string): Period | undefined {
  const match = /^(\d{1,6})(s|m|h|d|w|mo)$/.exec(WORDS[text] ?? text)
  if (!match) return undefined
  const count = Number(match[1])
  return count > 0 ? { count, unit: match[2] as Period['unit'] } : undefined
}

/** A key's life: `now` plus the duration, in ms. A month is a calendar month. */
export function expiryAfter(period: Period, now: number): number {
  if (period.unit !== 'mo') return now + period.count * UNIT_MS[period.unit]
  const date = new Date(now)
  const day = date.getUTCDate()
  date.setUTCDate(1)
  date.setUTCMonth(date.getUTCMonth() + period.count)
  date.setUTCDate(Math.min(day, new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate()))
  return date.getTime()
}

export interface Window {
  /** ms since the epoch; also the window's name. */
  start: number
  /** ms since the epoch, exclusive; Infinity where the budget never resets. */
  end: number
}

/** Whether a period is made of whole days: its windows begin at midnight of the zone, and days can be added up to it. */
export const isOfDays = ({ unit }: Period): boolean => unit === 'd' || unit === 'w' || unit === 'mo'

/** `1mo`, as it is written. */
export const periodName = ({ count, unit }: Period): string => `${count}${unit}`

/**
 * The window that `now` lies in, aligned to the calendar of `zone`: `1d` from midnight, `7d` and `1w` from Monday,
 * `30d` and `1mo` from the first of the month (LiteLLM's alignment, litellm/behaviour 8), other days in whole periods
 * since 1970. Hours and less are counted in whole periods since the epoch, whatever the zone: a clock that is put back
 * would otherwise have an hour twice. Without a period there is one window for ever.
 */
export function windowAt(period: Period | undefined, now: number, zone = 'UTC'): Window {
  if (!period) return { start: 0, end: Number.POSITIVE_INFINITY }
  if (!isOfDays(period)) return wholePeriods(period.count * UNIT_MS[period.unit as 's'], now)
  const wall = wallWindow(period, wallAt(zone, now))
  const end = momentOf(zone, wall.end)
  if (now < end) return { start: momentOf(zone, wall.start), end }
  // A window that has begun goes on where the clock is put back to the one before (see dayAt).
  return { start: end, end: momentOf(zone, wallWindow(period, wall.end).end) }
}

/** The window in wall time. */
function wallWindow({ count, unit }: Period, wall: number): Window {
  if (unit === 'mo' || (unit === 'd' && count === 30)) return monthWindow(unit === 'mo' ? count : 1, wall)
  if (unit === 'w' || (unit === 'd' && count === 7)) return weekWindow(unit === 'w' ? count : 1, wall)
  return wholePeriods(count * UNIT_MS[unit], wall)
}

function wholePeriods(length: number, at: number): Window {
  const start = Math.floor(at / length) * length
  return { start, end: start + length }
}

function monthWindow(months: number, wall: number): Window {
  const date = new Date(wall)
  const index = Math.floor((date.getUTCFullYear() * 12 + date.getUTCMonth()) / months) * months
  return { start: monthStart(index), end: monthStart(index + months) }
}

/** Months since year 0 → ms. `Date.UTC` reads years below 100 as 19xx, so the year is always given whole. */
const monthStart = (index: number): number => Date.UTC(Math.floor(index / 12), index % 12)

/** 1970-01-05 was the first Monday of the epoch. */
const FIRST_MONDAY = 4 * UNIT_MS.d

function weekWindow(weeks: number, wall: number): Window {
  const length = weeks * UNIT_MS.w
  const start = Math.floor((wall - FIRST_MONDAY) / length) * length + FIRST_MONDAY
  return { start, end: start + length }
}
