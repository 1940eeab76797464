/** The minute's meter and the limits that are taken by it, against a plain list of what happened when. */
import { describe, expect, test } from 'bun:test'
import * as fc from 'fast-check'
import { Counters, type Exceeded, releaseLimits, type Taken, takeLimits } from '../../src/core/limit.ts'
import { Meter } from '../../src/core/rate.ts'
import { NOON } from './make.ts'

const TODAY = { day: 0, end: Number.POSITIVE_INFINITY }

const MINUTE = 60_000
const isTaken = (it: Taken | Exceeded): it is Taken => 'released' in it

interface Event {
  at: number
  amount: number
}

/** The most that any span of 60 s held. */
function fullest(events: readonly Event[]): number {
  let most = 0
  for (const { at } of events) {
    const inside = events.filter((e) => e.at >= at && e.at < at + MINUTE)
    most = Math.max(
      most,
      inside.reduce((sum, e) => sum + e.amount, 0),
    )
  }
  return most
}

const gaps = fc.array(fc.tuple(fc.oneof(fc.nat(3_000), fc.nat(70_000)), fc.integer({ min: 1, max: 40 })), {
  minLength: 1,
  maxLength: 150,
})

describe('Meter', () => {
  test('no span of a minute is ever over its limit, and nobody waits a millisecond in vain', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), gaps, (limit, arrivals) => {
        const meter = new Meter()
        const passed: Event[] = []
        let now = NOON
        for (const [gap, amount] of arrivals) {
          now += gap
          const wait = meter.waitFor(now, limit, amount)
          if (amount > limit) {
            expect(wait).toBe(Number.POSITIVE_INFINITY)
            continue
          }
          if (wait > 0) {
            expect(wait).toBeLessThanOrEqual(61_000)
            // It is true to the millisecond: one before, it does not fit; then, it does.
            expect(meter.waitFor(now + wait - 1, limit, amount)).toBeGreaterThan(0)
            now += wait
            expect(meter.waitFor(now, limit, amount)).toBe(0)
          }
          meter.add(now, amount)
          passed.push({ at: now, amount })
        }
        expect(fullest(passed)).toBeLessThanOrEqual(limit)
      }),
      { numRuns: 200 },
    )
  })

  test('forgets what is older than a minute and no sooner, at most a second later', () => {
    fc.assert(
      fc.property(gaps, fc.nat(200_000), (arrivals, later) => {
        const meter = new Meter()
        const events: Event[] = []
        let now = NOON
        for (const [gap, amount] of arrivals) {
          now += gap
          meter.add(now, amount)
          events.push({ at: now, amount })
        }
        now += later
        const since = (ms: number) => events.filter((e) => e.at > now - ms).reduce((sum, e) => sum + e.amount, 0)
        expect(meter.used(now)).toBeGreaterThanOrEqual(since(MINUTE))
        expect(meter.used(now)).toBeLessThanOrEqual(since(MINUTE + 1_000))
      }),
    )
  })

  test('a correction stands where the first count stood, and leaves with it', () => {
    const meter = new Meter()
    meter.add(NOON, 100)
    meter.correct(NOON, NOON + 30_000, -60)
    expect(meter.used(NOON + 30_000)).toBe(40)
    expect(meter.used(NOON + 61_000)).toBe(0)
    meter.correct(NOON, NOON + 62_000, -40)
    expect(meter.used(NOON + 62_000)).toBe(0)
  })

  test('a clock that falls back loses nothing', () => {
    const meter = new Meter()
    meter.add(NOON, 5)
    meter.add(NOON - 30_000, 5)
    expect(meter.used(NOON - 30_000)).toBe(10)
  })
})

describe('takeLimits', () => {
  const scopes = (limits: { rpm?: number; tpm?: number; parallel?: number }[]) =>
    limits.map((given, i) => ({ scope: `s${i}`, limits: given, counters: new Counters() }))
  const counted = (all: ReturnType<typeof scopes>, now: number) =>
    all.map(({ counters: c }) => [c.requests.used(now), c.tokens.used(now), c.parallel])

  test('a refused request burns none of its limits (litellm#39309)', () => {
    const all = scopes([{ rpm: 10, tpm: 1_000, parallel: 5 }, { rpm: 10 }, { parallel: 0 }])
    const before = counted(all, NOON)
    expect(takeLimits(all, 100, NOON, TODAY)).toMatchObject({ scope: 's2', what: 'parallel requests', max: 0 })
    expect(counted(all, NOON)).toEqual(before)
  })

  test('says which limit, how full it is and when to come back', () => {
    const all = scopes([{ rpm: 2 }])
    takeLimits(all, 1, NOON, TODAY)
    takeLimits(all, 1, NOON + 10_000, TODAY)
    const refused = takeLimits(all, 1, NOON + 20_000, TODAY) as Exceeded
    expect(refused).toMatchObject({ scope: 's0', what: 'requests', used: 2, max: 2 })
    expect(refused.retryAfterMs).toBe(40_500)
    expect(isTaken(takeLimits(all, 1, NOON + 20_000 + refused.retryAfterMs, TODAY))).toBeTrue()
  })

  test('a prompt larger than the whole limit passes when the minute is empty, and only then', () => {
    const all = scopes([{ tpm: 100 }])
    const big = takeLimits(all, 5_000, NOON, TODAY)
    expect(isTaken(big)).toBeTrue()
    expect(takeLimits(all, 1, NOON + 1_000, TODAY)).toMatchObject({ what: 'tokens' })
    releaseLimits(big as Taken, 40, NOON + 2_000)
    expect(isTaken(takeLimits(all, 60, NOON + 2_000, TODAY))).toBeTrue()
  })

  test('random traffic: never more at once or in a minute than allowed, nothing left at rest', () => {
    const traffic = fc.array(
      fc.tuple(fc.nat(8_000), fc.integer({ min: 1, max: 300 }), fc.boolean(), fc.integer({ min: 0, max: 300 })),
      { minLength: 1, maxLength: 120 },
    )
    const limits = fc.record({
      rpm: fc.integer({ min: 1, max: 20 }),
      tpm: fc.integer({ min: 300, max: 3_000 }),
      parallel: fc.integer({ min: 1, max: 6 }),
    })
    fc.assert(
      fc.property(limits, limits, traffic, (a, b, arrivals) => {
        const all = scopes([a, b])
        const passed: Event[] = []
        const running: Taken[] = []
        let now = NOON
        for (const [gap, tokens, ends, used] of arrivals) {
          now += gap
          const first = ends ? running.shift() : undefined
          if (first) {
            releaseLimits(first, used, now)
            releaseLimits(first, 1e9, now)
          }
          const before = counted(all, now)
          const taken = takeLimits(all, tokens, now, TODAY)
          if (isTaken(taken)) {
            running.push(taken)
            passed.push({ at: now, amount: 1 })
          } else expect(counted(all, now)).toEqual(before)
          expect(running.length).toBeLessThanOrEqual(Math.min(a.parallel, b.parallel))
          for (const { counters } of all) expect(counters.parallel).toBe(running.length)
        }
        expect(fullest(passed)).toBeLessThanOrEqual(Math.min(a.rpm, b.rpm))
        for (const taken of running) releaseLimits(taken, 0, now)
        expect(counted(all, now + 2 * MINUTE)).toEqual([
          [0, 0, 0],
          [0, 0, 0],
        ])
      }),
      { numRuns: 200 },
    )
  })

  test('tokens that were taken as they came are never over the limit in any minute', () => {
    fc.assert(
      fc.property(fc.integer({ min: 50, max: 500 }), gaps, (tpm, arrivals) => {
        const all = scopes([{ tpm }])
        const passed: Event[] = []
        let now = NOON
        for (const [gap, tokens] of arrivals) {
          now += gap
          if (isTaken(takeLimits(all, tokens, now, TODAY))) passed.push({ at: now, amount: tokens })
        }
        expect(fullest(passed)).toBeLessThanOrEqual(tpm)
      }),
    )
  })
})
