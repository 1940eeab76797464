/** Limits of every kind: a day's, evenly spaced ones, shared ones; none burned by another, never over, hardly under. */
import { describe, expect, test } from 'bun:test'
import { type Checked, Counters, leftOf, releaseLimits, type Taken, takeLimits } from '../../src/core/limit.ts'
import { type Limits, parseSpacing, writeSpacing } from '../../src/core/limits.ts'
import { seeded } from '../support/seeded.ts'
import { NOON } from './make.ts'

const TODAY = { day: 1, end: NOON + 3_600_000 }
const one = (limits: Limits, counters = new Counters(), sharing?: Checked['sharing']): Checked => ({
  scope: 's',
  limits,
  counters,
  sharing,
})
const took = (checked: readonly Checked[], at: number, tokens = 1, today = TODAY) =>
  takeLimits(checked, tokens, at, today)
const isTaken = (result: ReturnType<typeof takeLimits>): result is Taken => 'released' in result

test('rates as nginx writes them, there and back', () => {
  for (const [text, spacing] of [
    ['10r/m burst 5', { everyMs: 6_000, burst: 5, isAtOnce: false }],
    ['2r/s burst=4 nodelay', { everyMs: 500, burst: 4, isAtOnce: true }],
    ['1r/h', { everyMs: 3_600_000, burst: 0, isAtOnce: false }],
  ] as const) {
    expect(parseSpacing(text)).toEqual(spacing)
    expect(parseSpacing(writeSpacing(spacing))).toEqual(spacing)
  }
  for (const wrong of ['', '10', '0r/m', '10r/y', 'r/s', '10r/m nodelay burst 3'])
    expect(parseSpacing(wrong)).toBeUndefined()
})

describe('evenly spaced', () => {
  test('a burst at once, then one every interval; each with its turn where there are turns', () => {
    const limits = { spacing: parseSpacing('10r/m burst 5 nodelay') }
    const counters = new Counters()
    const passed = Array.from({ length: 20 }, () => took([one(limits, counters)], NOON)).filter(isTaken)
    expect(passed.map((t) => t.waitMs)).toEqual(Array(6).fill(0))
    expect(took([one(limits, counters)], NOON + 5_999)).toMatchObject({ what: 'requests in a row', retryAfterMs: 1 })
    expect(isTaken(took([one(limits, counters)], NOON + 6_000))).toBeTrue()

    const queued = new Counters()
    const turns = { spacing: parseSpacing('10r/m burst 2') }
    const waits = Array.from({ length: 4 }, () => took([one(turns, queued)], NOON))
    expect(waits.slice(0, 3).map((t) => isTaken(t) && t.waitMs)).toEqual([0, 6_000, 12_000])
    expect(isTaken(waits[3] as Taken)).toBeFalse()
  })

  test('never more than the rate and its burst in any time', () => {
    const spacing = parseSpacing('60r/m burst 10 nodelay')
    const counters = new Counters()
    const random = seeded(4)
    const passed: number[] = []
    for (let at = NOON; at < NOON + 120_000; at += random() * 300)
      if (isTaken(took([one({ spacing }, counters)], at))) passed.push(at)
    for (const from of passed) {
      const within = passed.filter((at) => at >= from && at < from + 30_000).length
      expect(within).toBeLessThanOrEqual(30 + 11)
    }
    expect(passed.length).toBeGreaterThan(119)
  })
})

test('a day has its own count, which a new day begins anew', () => {
  const counters = new Counters()
  const checked = [one({ rpd: 3 }, counters)]
  for (let i = 0; i < 3; i++) expect(isTaken(took(checked, NOON))).toBeTrue()
  expect(took(checked, NOON)).toMatchObject({ what: 'requests a day', used: 3, max: 3, retryAfterMs: 3_600_000 })
  expect(isTaken(took(checked, NOON, 1, { day: 2, end: NOON + 90_000_000 }))).toBeTrue()
})

test('a request that one limit refuses burns none of the others', () => {
  const counters = new Counters()
  const all: Checked[] = [
    one({ rpm: 10, rpd: 10, spacing: parseSpacing('10r/s burst 10 nodelay') }, counters),
    { scope: 'x', limits: { rpm: 0 }, counters: new Counters() },
  ]
  for (let i = 0; i < 50; i++) expect(took(all, NOON)).toMatchObject({ scope: 'x' })
  expect([counters.requests.used(NOON), counters.ofDay, counters.nextAt, counters.parallel]).toEqual([0, 0, 0, 0])
})

test('never over, never more than 1 % under, at 1,000 requests a second', () => {
  const counters = new Counters()
  const checked = [one({ rpm: 6_000, tpm: 600_000 }, counters)]
  const random = seeded(9)
  const passed: number[] = []
  for (let at = NOON; at < NOON + 620_000; at += 1) {
    const taken = took(checked, at, 100)
    if (!isTaken(taken)) continue
    passed.push(at)
    if (random() < 0.5) releaseLimits(taken, 100, at + 1)
  }
  let from = 0
  for (const [i, at] of passed.entries()) {
    while ((passed[from] as number) <= at - 60_000) from++
    expect(i - from + 1).toBeLessThanOrEqual(6_000)
  }
  // Nine whole minutes after the first, whose beginning is a burst.
  const later = passed.filter((at) => at >= NOON + 60_500 && at < NOON + 60_500 + 9 * 60_000).length
  expect(later / 9).toBeGreaterThan(6_000 * 0.99)
})

describe('a shared limit', () => {
  const parts = { interactive: 0.7, batch: 0.3 }
  const world = () => {
    const counters = new Counters()
    return (priority: string, at: number) => isTaken(took([one({ rpm: 100 }, counters, { priority, parts })], at))
  }

  test('what one leaves another uses, but for a tenth of its part', () => {
    const ask = world()
    let passed = 0
    for (let i = 0; i < 200; i++) if (ask('batch', NOON)) passed++
    expect(passed).toBe(93)
    for (let i = 0; i < 7; i++) expect(ask('interactive', NOON + 1)).toBeTrue()
    expect(ask('interactive', NOON + 1)).toBeFalse()
  })

  test('each has its part within a minute of asking for it, and no more is lent than is there', () => {
    const ask = world()
    const got: { at: number; priority: string }[] = []
    const random = seeded(2)
    for (let second = 0; second < 240; second++)
      for (let i = 0; i < 6; i++) {
        const at = NOON + second * 1_000 + i
        // Batch always asks for all of it; the others come after a minute.
        const priority = second >= 60 && random() < 0.5 ? 'interactive' : 'batch'
        if (ask(priority, at)) got.push({ at, priority })
      }
    const last = got.filter(({ at }) => at >= NOON + 179_000 && at < NOON + 239_000)
    const interactive = last.filter((one) => one.priority === 'interactive').length
    expect(last.length).toBeLessThanOrEqual(100)
    expect(last.length).toBeGreaterThanOrEqual(98)
    expect(interactive).toBeGreaterThanOrEqual(68)
    for (let from = NOON; from < NOON + 180_000; from += 1_000)
      expect(got.filter(({ at }) => at >= from && at < from + 60_000).length).toBeLessThanOrEqual(100)
  })

  test('whoever has no part borrows only', () => {
    const ask = world()
    let passed = 0
    for (let i = 0; i < 200; i++) if (ask('stranger', NOON)) passed++
    expect(passed).toBe(90)
  })
})

test('what is left is that of the tightest limit', () => {
  const [wide, tight] = [one({ rpm: 100, tpm: 1_000 }), { ...one({ rpm: 5 }), scope: 'tight' }]
  took([wide, tight], NOON, 10)
  expect(leftOf([wide, tight], 'requests', NOON)).toMatchObject({
    scope: 'tight',
    max: 5,
    remaining: 4,
    resetMs: 60_500,
  })
  expect(leftOf([wide, tight], 'tokens', NOON)).toMatchObject({ scope: 's', max: 1_000, remaining: 990 })
  expect(leftOf([tight], 'tokens', NOON)).toBeUndefined()
})
