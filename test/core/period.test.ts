import { describe, expect, test } from 'bun:test'
import * as fc from 'fast-check'
import { expiryAfter, type Period, parsePeriod, windowAt } from '../../src/core/period.ts'

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
