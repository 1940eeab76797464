import { describe, expect, test } from 'bun:test'
import * as fc from 'fast-check'
import { expiryAfter, isOfDays, type Period, parsePeriod, periodName, windowAt } from '../../src/core/period.ts'

const at = (text: string): number => Date.parse(text)
const period = (text: string): Period => parsePeriod(text) as Period
/** A window as two dates, or `always`. */
function shown(text: string | undefined, now: string): string {
  const { start, end } = windowAt(text === undefined ? undefined : period(text), at(now))
  return Number.isFinite(end) ? `${new Date(start).toISOString()} ${new Date(end).toISOString()}` : 'always'
}
const day = (date: string): string => `${date}T00:00:00.000Z`

const anyPeriod = fc.record({
  count: fc.integer({ min: 1, max: 400 }),
  unit: fc.constantFrom('s', 'm', 'h', 'd', 'w', 'mo'),
}) as fc.Arbitrary<Period>
/** 1971 to 2100. */
const anyTime = fc.integer({ min: 31_536_000_000, max: 4_102_444_800_000 })

describe('parsePeriod', () => {
  test("LiteLLM's words and no others", () => {
    expect(period('30s')).toEqual({ count: 30, unit: 's' })
    expect(period('1mo')).toEqual({ count: 1, unit: 'mo' })
    expect(period('15m')).toEqual({ count: 15, unit: 'm' })
    expect(period('monthly')).toEqual({ count: 1, unit: 'mo' })
    for (const wrong of ['', '0d', '1', 'd', '1.5h', '-1d', '1y', ' 1d', '1d ', '1 d', '9999999d', '1D'])
      expect(parsePeriod(wrong)).toBeUndefined()
  })
})

describe('windowAt', () => {
  test('a day begins at midnight, a week on Monday, a month on its first, all in UTC', () => {
    expect(shown('1d', '2026-11-21T23:59:59.999Z')).toBe(`${day('2026-11-21')} ${day('2026-11-22')}`)
    for (const week of ['7d', '1w'])
      expect(shown(week, '2026-11-22T23:59:59.999Z')).toBe(`${day('2026-11-16')} ${day('2026-11-23')}`)
    expect(shown('1w', '2026-11-23T00:00:00Z')).toBe(`${day('2026-11-23')} ${day('2026-11-30')}`)
    for (const month of ['30d', '1mo'])
      expect(shown(month, '2026-11-21T12:00:00Z')).toBe(`${day('2026-11-01')} ${day('2026-12-01')}`)
    expect(shown('1h', '2026-11-21T12:34:56Z')).toBe('2026-11-21T12:00:00.000Z 2026-11-21T13:00:00.000Z')
  })

  test('months have their own lengths, leap years too', () => {
    expect(shown('1mo', '2026-02-28T23:59:59Z')).toBe(`${day('2026-02-01')} ${day('2026-03-01')}`)
    expect(shown('1mo', '2028-02-29T12:00:00Z')).toBe(`${day('2028-02-01')} ${day('2028-03-01')}`)
    expect(shown('1mo', '2026-12-31T23:59:59.999Z')).toBe(`${day('2026-12-01')} ${day('2027-01-01')}`)
    expect(shown('3mo', '2026-11-21T00:00:00Z')).toBe(`${day('2026-10-01')} ${day('2027-01-01')}`)
    expect(shown('12mo', '2026-11-21T00:00:00Z')).toBe(`${day('2026-01-01')} ${day('2027-01-01')}`)
  })

  test('without a period there is one window for ever', () => {
    expect(windowAt(undefined, at('2026-11-21'))).toEqual({ start: 0, end: Number.POSITIVE_INFINITY })
  })

  test('windows lie side by side: now is in its own, and the next begins where it ends', () => {
    fc.assert(
      fc.property(anyPeriod, anyTime, (p, now) => {
        const window = windowAt(p, now)
        expect(window.start).toBeLessThanOrEqual(now)
        expect(window.end).toBeGreaterThan(now)
        expect(windowAt(p, window.start)).toEqual(window)
        expect(windowAt(p, window.end - 1)).toEqual(window)
        expect(windowAt(p, window.end).start).toBe(window.end)
      }),
      { numRuns: 1_000 },
    )
  })

  test('a window depends on the time alone, not on when anybody first asked', () => {
    fc.assert(
      fc.property(anyPeriod, anyTime, fc.nat(100_000_000), (p, now, later) => {
        const a = windowAt(p, now)
        const b = windowAt(p, now + later)
        expect(a.start === b.start ? a.end === b.end : b.start >= a.end).toBeTrue()
      }),
    )
  })
})

describe('windowAt in a time zone', () => {
  const window = (text: string, zone: string, now: string) => {
    const { start, end } = windowAt(period(text), at(now), zone)
    return [new Date(start).toISOString().slice(0, 16), new Date(end).toISOString().slice(0, 16)]
  }

  test('a day, a week and a month begin at the midnight of the zone', () => {
    expect(window('1d', 'Europe/Berlin', '2026-11-21T23:30:00Z')).toEqual(['2026-11-21T23:00', '2026-11-22T23:00'])
    expect(window('1w', 'America/New_York', '2026-11-23T04:59:59Z')).toEqual(['2026-11-16T05:00', '2026-11-23T05:00'])
    expect(window('1mo', 'Europe/Berlin', '2026-11-30T23:00:00Z')).toEqual(['2026-11-30T23:00', '2026-12-31T23:00'])
    expect(window('1mo', 'Australia/Lord_Howe', '2026-11-30T12:59:59Z')).toEqual([
      '2026-10-31T13:00',
      '2026-11-30T13:00',
    ])
  })

  test('days on which the clock changes are as long as they are', () => {
    expect(window('1d', 'Europe/Berlin', '2026-03-29T12:00:00Z')).toEqual(['2026-03-28T23:00', '2026-03-29T22:00'])
    expect(window('1d', 'Europe/Berlin', '2026-10-25T12:00:00Z')).toEqual(['2026-10-24T22:00', '2026-10-25T23:00'])
    expect(window('1d', 'America/New_York', '2026-03-08T12:00:00Z')).toEqual(['2026-03-08T05:00', '2026-03-09T04:00'])
    expect(window('1d', 'America/New_York', '2026-11-01T12:00:00Z')).toEqual(['2026-11-01T04:00', '2026-11-02T05:00'])
    expect(window('1d', 'Australia/Lord_Howe', '2026-10-04T12:00:00Z')).toEqual([
      '2026-10-03T13:30',
      '2026-10-04T13:00',
    ])
    expect(window('1d', 'Australia/Lord_Howe', '2026-04-05T12:00:00Z')).toEqual([
      '2026-04-04T13:00',
      '2026-04-05T13:30',
    ])
    // St. John's put the clock back at 00:01: the day goes on.
    for (const now of ['2010-11-07T02:30:30Z', '2010-11-07T03:20:00Z'])
      expect(window('1d', 'America/St_Johns', now)).toEqual(['2010-11-07T02:30', '2010-11-08T03:30'])
    // Both of the hours that the clock shows as 02 are of the same day, week and month.
    for (const now of ['2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z'])
      expect(window('1mo', 'Europe/Berlin', now)).toEqual(['2026-09-30T22:00', '2026-10-31T23:00'])
  })

  test('hours are the same everywhere: an hour that a clock shows twice is two windows, and none is empty', () => {
    for (const zone of ['UTC', 'Europe/Berlin', 'Asia/Kolkata'])
      expect(window('1h', zone, '2026-10-25T00:30:00Z')).toEqual(['2026-10-25T00:00', '2026-10-25T01:00'])
    expect(window('12h', 'Europe/Berlin', '2026-10-25T13:00:00Z')).toEqual(['2026-10-25T12:00', '2026-10-26T00:00'])
  })

  test('in every zone that there is windows lie side by side, for ever', () => {
    const zones = Intl.supportedValuesOf('timeZone')
    expect(zones.length).toBeGreaterThan(300)
    fc.assert(
      fc.property(fc.constantFrom(...zones), anyPeriod, anyTime, (zone, p, now) => {
        const found = windowAt(p, now, zone)
        expect(found.start).toBeLessThanOrEqual(now)
        expect(found.end).toBeGreaterThan(now)
        expect(windowAt(p, found.start, zone)).toEqual(found)
        expect(windowAt(p, found.end - 1, zone)).toEqual(found)
        expect(windowAt(p, found.end, zone).start).toBe(found.end)
      }),
      { numRuns: 3_000 },
    )
  })
})

test('a period has the name that it is written with, and is of days or of hours', () => {
  for (const text of ['30s', '15m', '1h', '1d', '7d', '1w', '1mo']) expect(periodName(period(text))).toBe(text)
  expect(['30s', '15m', '24h', '1d', '1w', '1mo'].map((text) => isOfDays(period(text)))).toEqual([
    ...[false, false, false, true, true, true],
  ])
})

describe('expiryAfter', () => {
  test('a month is a calendar month, and the 31st becomes the last day there is', () => {
    const after = (text: string, now: string) => new Date(expiryAfter(period(text), at(now))).toISOString()
    expect(after('1mo', '2026-01-31T10:00:00Z')).toBe('2026-02-28T10:00:00.000Z')
    expect(after('1mo', '2028-01-31T10:00:00Z')).toBe('2028-02-29T10:00:00.000Z')
    expect(after('12mo', '2028-02-29T10:00:00Z')).toBe('2029-02-28T10:00:00.000Z')
    expect(after('1mo', '2026-12-15T10:00:00Z')).toBe('2027-01-15T10:00:00.000Z')
    expect(after('30d', '2026-01-31T10:00:00Z')).toBe('2026-03-02T10:00:00.000Z')
    expect(after('30s', '2026-01-31T10:00:00Z')).toBe('2026-01-31T10:00:30.000Z')
  })

  test('is always later, and later for more', () => {
    fc.assert(
      fc.property(anyPeriod, anyTime, (p, now) => {
        expect(expiryAfter(p, now)).toBeGreaterThan(now)
        expect(expiryAfter({ ...p, count: p.count + 1 }, now)).toBeGreaterThan(expiryAfter(p, now))
      }),
    )
  })
})
