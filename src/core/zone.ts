/**
 * Wall-clock time in a time zone. A wall time is ms as if its reading were UTC, so that calendar arithmetic is plain
 * arithmetic; `Intl` knows the rules (ECMA-402), and nothing here asks what time it is.
 */

const DAY_MS = 86_400_000

const formats = new Map<string, Intl.DateTimeFormat>()

/** Whether the runtime knows this zone (`Europe/Berlin`, `UTC`). */
export function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: zone })
    return true
  } catch {
    return false
  }
}

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone)
  if (!format) {
    const number = 'numeric' as const
    const fields = { year: number, month: number, day: number, hour: number, minute: number, second: number }
    format = new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', era: 'short', ...fields })
    // Zones come from the configuration and from reports: a handful. A caller of reports shall not fill the memory.
    if (formats.size > 64) formats.clear()
    formats.set(zone, format)
  }
  return format
}

/** What a clock on the wall shows in `zone` at this moment, in ms as if it were UTC. */
export function wallAt(zone: string, at: number): number {
  if (zone === 'UTC') return at
  const parts = Object.fromEntries(
    formatOf(zone)
      .formatToParts(at)
      .map((p) => [p.type, p.value]),
  )
  const { year, month, day, hour, minute, second } = parts as Record<string, string>
  const wall = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second))
  // Formats have no milliseconds; every offset is a whole number of seconds.
  return wall + (((at % 1000) + 1000) % 1000)
}

/**
 * The moment at which the wall shows `wall`. Where a clock jumps over it, the moment after the jump; where it is shown
 * twice, the first of the two.
 */
export function momentOf(zone: string, wall: number): number {
  if (zone === 'UTC') return wall
  const offsets = [wall - DAY_MS, wall + DAY_MS].map((at) => wallAt(zone, at) - at)
  const moments = offsets.map((offset) => wall - offset).sort((a, b) => a - b)
  return moments.find((at) => wallAt(zone, at) >= wall) ?? (moments[1] as number)
}

/**
 * Days from 1970-01-01 to the date that `zone` has at this moment. A day that has begun goes on where the clock is put
 * back to the one before (St. John's changed at 00:01 until 2011): days lie side by side.
 */
export function dayAt(zone: string, at: number): number {
  const day = Math.floor(wallAt(zone, at) / DAY_MS)
  return at < startOfDay(zone, day + 1) ? day : day + 1
}

/** The first moment of a day of {@link dayAt}, ms since the epoch. */
export const startOfDay = (zone: string, day: number): number => momentOf(zone, day * DAY_MS)

/** `2026-11-21` of a day of {@link dayAt}. */
export const dateOfDay = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, 10)
