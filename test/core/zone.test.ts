import { describe, expect, test } from 'bun:test'
import * as fc from 'fast-check'
import { dateOfDay, dayAt, isZone, momentOf, startOfDay, wallAt } from '../../src/core/zone.ts'

const at = (text: string): number => Date.parse(text)
const iso = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z')
/** A wall's reading, as if it were UTC. */
const wall = (text: string): number => at(`${text}Z`)

/** Clocks that change by an hour, by half an hour, at midnight, and not at all. */
const ZONES = [
  ...[
    'UTC',
    'Europe/Berlin',
    'America/New_York',
    'Australia/Lord_Howe',
    'America/Santiago',
    'Asia/Beirut',
    'Africa/Cairo',
  ],
  ...['America/Havana', 'Atlantic/Azores', 'Asia/Kolkata', 'Pacific/Apia', 'Asia/Kathmandu', 'America/St_Johns'],
]
const anyZone = fc.constantFrom(...ZONES)
/** 2015 to 2040. */
const anyTime = fc.integer({ min: Date.UTC(2015, 0, 1), max: Date.UTC(2040, 0, 1) })

test('zones are known by their names', () => {
  for (const zone of ZONES) expect(isZone(zone)).toBeTrue()
  for (const zone of ['Europe/Atlantis', '', 'Berlin', 'UTC+25']) expect(isZone(zone)).toBeFalse()
})

describe('wallAt', () => {
  test('summer and winter, east and west', () => {
    for (const [zone, moment, shows] of [
      ['Europe/Berlin', '2026-07-01T12:00:00Z', '2026-07-01T14:00:00'],
      ['Europe/Berlin', '2026-12-31T23:30:00Z', '2027-01-01T00:30:00'],
      ['America/New_York', '2026-07-01T03:59:59Z', '2026-06-30T23:59:59'],
      ['America/New_York', '2026-01-01T04:59:59Z', '2025-12-31T23:59:59'],
      ['Australia/Lord_Howe', '2026-07-01T12:00:00Z', '2026-07-01T22:30:00'],
      ['Australia/Lord_Howe', '2026-12-01T12:00:00Z', '2026-12-01T23:00:00'],
      ['Asia/Kathmandu', '2026-07-01T12:00:00Z', '2026-07-01T17:45:00'],
    ] as const)
      expect([zone, iso(wallAt(zone, at(moment)))]).toEqual([zone, `${shows}Z`])
  })

  test('keeps milliseconds, before 1970 too', () => {
    expect(wallAt('Europe/Berlin', at('2026-07-01T12:00:00.123Z'))).toBe(wall('2026-07-01T14:00:00.123'))
    expect(wallAt('Europe/Berlin', -1)).toBe(wall('1970-01-01T00:59:59.999'))
  })
})

describe('momentOf', () => {
  test('an hour that is skipped is the moment after the jump', () => {
    // 2026-03-29 02:00 → 03:00, 2026-03-08 02:00 → 03:00, 2026-10-04 02:00 → 02:30.
    expect(iso(momentOf('Europe/Berlin', wall('2026-03-29T02:30:00')))).toBe('2026-03-29T01:30:00Z')
    expect(iso(momentOf('Europe/Berlin', wall('2026-03-29T02:00:00')))).toBe('2026-03-29T01:00:00Z')
    expect(iso(momentOf('America/New_York', wall('2026-03-08T02:00:00')))).toBe('2026-03-08T07:00:00Z')
    expect(iso(momentOf('Australia/Lord_Howe', wall('2026-10-04T02:00:00')))).toBe('2026-10-03T15:30:00Z')
  })

  test('an hour that is shown twice is the first of the two', () => {
    expect(iso(momentOf('Europe/Berlin', wall('2026-10-25T02:30:00')))).toBe('2026-10-25T00:30:00Z')
    expect(iso(momentOf('America/New_York', wall('2026-11-01T01:30:00')))).toBe('2026-11-01T05:30:00Z')
    // 02:00 → 01:30.
    expect(iso(momentOf('Australia/Lord_Howe', wall('2026-04-05T01:45:00')))).toBe('2026-04-04T14:45:00Z')
  })

  test('a day whose midnight is skipped begins when the clock has jumped, one that has two with the first', () => {
    // Beirut and Santiago jump from 24:00 to 01:00, Havana and the Azores fall back from 01:00 to 00:00.
    expect(iso(momentOf('Asia/Beirut', wall('2026-03-29T00:00:00')))).toBe('2026-03-28T22:00:00Z')
    expect(iso(momentOf('America/Santiago', wall('2026-09-06T00:00:00')))).toBe('2026-09-06T04:00:00Z')
    expect(iso(momentOf('America/Havana', wall('2026-11-01T00:00:00')))).toBe('2026-11-01T04:00:00Z')
    expect(iso(momentOf('Atlantic/Azores', wall('2026-10-25T00:00:00')))).toBe('2026-10-25T00:00:00Z')
  })

  test('the wall shows what was asked for, wherever it shows it at all', () => {
    fc.assert(
      fc.property(anyZone, anyTime, (zone, moment) => {
        const shown = wallAt(zone, moment)
        const first = momentOf(zone, shown)
        expect(wallAt(zone, first)).toBe(shown)
        expect(first).toBeLessThanOrEqual(moment)
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('days', () => {
  test('have their local dates and their own lengths', () => {
    const hours = (zone: string, date: string): number => {
      const day = dayAt('UTC', at(date))
      return (startOfDay(zone, day + 1) - startOfDay(zone, day)) / 3_600_000
    }
    expect(hours('Europe/Berlin', '2026-03-29')).toBe(23)
    expect(hours('Europe/Berlin', '2026-10-25')).toBe(25)
    expect(hours('America/New_York', '2026-03-08')).toBe(23)
    expect(hours('America/New_York', '2026-11-01')).toBe(25)
    expect(hours('Australia/Lord_Howe', '2026-10-04')).toBe(23.5)
    expect(hours('Australia/Lord_Howe', '2026-04-05')).toBe(24.5)
    expect(hours('Asia/Kolkata', '2026-03-29')).toBe(24)
    expect(dateOfDay(dayAt('Europe/Berlin', at('2026-12-31T23:30:00Z')))).toBe('2027-01-01')
    expect(dateOfDay(dayAt('America/New_York', at('2026-01-01T04:59:59Z')))).toBe('2025-12-31')
  })

  test('a day that has begun goes on though the clock is put back to the one before', () => {
    // St. John's, 2010-11-07 00:01 → 2010-11-06 23:01.
    const [first, again] = [at('2010-11-07T02:30:30Z'), at('2010-11-07T03:20:00Z')]
    expect(iso(wallAt('America/St_Johns', again))).toBe('2010-11-06T23:50:00Z')
    for (const moment of [first, again]) expect(dateOfDay(dayAt('America/St_Johns', moment))).toBe('2010-11-07')
  })

  test('a moment lies in the day that it is said to be', () => {
    fc.assert(
      fc.property(anyZone, anyTime, (zone, moment) => {
        const day = dayAt(zone, moment)
        expect(startOfDay(zone, day)).toBeLessThanOrEqual(moment)
        expect(startOfDay(zone, day + 1)).toBeGreaterThan(moment)
        expect(dayAt(zone, startOfDay(zone, day))).toBe(day)
      }),
      { numRuns: 2_000 },
    )
  })
})
