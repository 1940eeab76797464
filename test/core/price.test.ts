/** Prices against the same sums in BigInt, which is never wrong. */
import { describe, expect, test } from 'bun:test'
import * as fc from 'fast-check'
import { costOf, FREE, outputAffordable, type Rates, ratesFor, UNKNOWN, worstCost } from '../../src/core/price.ts'
import { type Usage, usage } from '../../src/core/usage.ts'
import { anyPrice, anyUsage, priced, rates } from './make.ts'

/** A charge in nano-dollars, half up, by integers without end. */
function exactly(r: Rates, u: Usage): bigint {
  const uncached = u.input - u.cacheRead - u.cacheWrite - u.cacheWriteHour
  const lines: [number, number][] = [
    [uncached, r.input],
    [u.cacheRead, r.cacheRead],
    [u.cacheWrite, r.cacheWrite],
    [u.cacheWriteHour, r.cacheWriteHour],
    [u.output - u.reasoning, r.output],
    [u.reasoning, r.reasoning],
  ]
  const millionths = lines.reduce((sum, [n, rate]) => sum + BigInt(n) * BigInt(rate), 0n)
  return (millionths + 500_000n) / 1_000_000n + BigInt(r.request)
}

describe('costOf', () => {
  test('agrees with BigInt to the nano-dollar, tiers and caches and all', () => {
    fc.assert(
      fc.property(anyPrice, anyUsage(1_000_000), (price, used) => {
        const tier = price.tiers.findLast((t) => used.input > t.above)
        expect(BigInt(costOf(price, used))).toBe(exactly(tier?.rates ?? price.rates, used))
      }),
      { numRuns: 2_000 },
    )
  })

  test('rounds once, at its end: two halves make one', () => {
    const price = priced(500_000, 500_000)
    expect(costOf(price, usage({ input: 1 }))).toBe(1)
    expect(costOf(price, usage({ input: 1, output: 1 }))).toBe(1)
    expect(costOf(price, usage({ input: 1, output: 2 }))).toBe(2)
  })

  test('a tier holds for the whole request, and only above its mark', () => {
    const price = priced(1_000_000, 0, [{ above: 200_000, rates: rates({ input: 2_000_000 }) }])
    expect(costOf(price, usage({ input: 200_000 }))).toBe(200_000)
    expect(costOf(price, usage({ input: 200_001 }))).toBe(400_002)
    expect(ratesFor(price, 200_001).input).toBe(2_000_000)
  })

  test('what is free or unknown costs nothing', () => {
    expect(costOf(FREE, usage({ input: 1e6, output: 1e6 }))).toBe(0)
    expect(costOf(UNKNOWN, usage({ input: 1e6, output: 1e6 }))).toBe(0)
  })
})

describe('worstCost', () => {
  test('no usage within the estimate ever costs more', () => {
    fc.assert(
      fc.property(
        anyPrice,
        anyUsage(1_000_000),
        fc.nat(1_000_000),
        fc.nat(1_000_000),
        (price, used, moreIn, moreOut) => {
          const worst = worstCost(price, used.input + moreIn, used.output + moreOut)
          expect(costOf(price, used)).toBeLessThanOrEqual(worst)
        },
      ),
      { numRuns: 2_000 },
    )
  })

  test('nor by the rounding of a fraction: a token at a third of a nano-dollar costs a whole one', () => {
    const small = fc.integer({ min: 1, max: 2_000_000 })
    fc.assert(
      fc.property(small, small, fc.nat(9), fc.nat(9), (a, b, input, output) => {
        const price = priced(a, b)
        expect(costOf(price, usage({ input, output }))).toBeLessThanOrEqual(worstCost(price, input, output))
      }),
      { numRuns: 1_000 },
    )
    expect(worstCost(priced(333_333, 0), 1, 0)).toBe(1)
  })

  test('never falls when the estimate grows', () => {
    fc.assert(
      fc.property(anyPrice, fc.nat(1e6), fc.nat(1e6), fc.nat(1e6), fc.nat(1e6), (price, a, b, moreA, moreB) => {
        expect(worstCost(price, a + moreA, b + moreB)).toBeGreaterThanOrEqual(worstCost(price, a, b))
      }),
    )
  })
})

describe('outputAffordable', () => {
  test('what it says can be paid, and a token more cannot', () => {
    fc.assert(
      fc.property(anyPrice, fc.nat(1_000_000), fc.nat(2_000_000_000_000), (price, input, nano) => {
        const tokens = outputAffordable(price, input, nano)
        if (tokens === Number.POSITIVE_INFINITY) return
        if (tokens < 0) {
          expect(worstCost(price, input, 0)).toBeGreaterThan(nano)
          return
        }
        expect(worstCost(price, input, tokens)).toBeLessThanOrEqual(nano)
        // Tiers are taken at their dearest: less is allowed for them, never more. Above a billion nobody counts.
        if (price.tiers.length === 0 && tokens < 1_000_000_000)
          expect(worstCost(price, input, tokens + 1)).toBeGreaterThanOrEqual(nano)
      }),
      { numRuns: 2_000 },
    )
  })

  test('without a price for the answer there is no end to it', () => {
    expect(outputAffordable(priced(1_000_000, 0), 10, 10)).toBe(Number.POSITIVE_INFINITY)
    expect(outputAffordable(FREE, 10, 0)).toBe(Number.POSITIVE_INFINITY)
  })
})
