/** Prices against the same sums in BigInt, which is never wrong. */
import { describe, expect, test } from 'bun:test'
import * as fc from 'fast-check'
import { ANYTHING, type Load, loadOf, TEXT } from '../../src/core/load.ts'
import {
  costOf,
  FREE,
  outputAffordable,
  type Priced,
  type Rates,
  ratesFor,
  UNKNOWN,
  worstCost,
} from '../../src/core/price.ts'
import { COUNTS, type NO_USAGE, type Service, type Usage, usage } from '../../src/core/usage.ts'
import { anyPrice, anyUsage, priced, rates } from './make.ts'

/** A charge in nano-dollars, half up, by integers without end. */
function exactly(r: Rates, u: Usage): bigint {
  const uncached = u.input - u.cacheRead - u.cacheWrite - u.cacheWriteHour - u.audioInput - u.imageInput
  const lines: [number, number][] = [
    [uncached, r.input],
    [u.cacheRead - u.audioRead - u.imageRead, r.cacheRead],
    [u.cacheWrite, r.cacheWrite],
    [u.cacheWriteHour, r.cacheWriteHour],
    [u.audioInput, r.audioInput],
    [u.imageInput, r.imageInput],
    [u.audioRead, r.audioRead],
    [u.imageRead, r.imageRead],
    [u.output - u.reasoning - u.audioOutput - u.imageOutput, r.output],
    [u.reasoning, r.reasoning],
    [u.audioOutput, r.audioOutput],
    [u.imageOutput, r.imageOutput],
    [u.mediaMs, r.media],
    [u.gpuMs, r.gpu],
    [u.characters, r.character],
  ]
  const millionths = lines.reduce((sum, [n, rate]) => sum + BigInt(n) * BigInt(rate), 0n)
  const pieces = BigInt(u.images) * BigInt(r.image) + BigInt(u.searches) * BigInt(r.search)
  return (millionths + 500_000n) / 1_000_000n + pieces + BigInt(r.request)
}

/** The load that a usage was, and some more. */
const loadAround = (u: Usage, more: number): Load =>
  loadOf(ANYTHING.kinds, {
    images: u.images + more,
    mediaMs: u.mediaMs + more,
    gpuMs: u.gpuMs + more,
    characters: u.characters + more,
    searches: u.searches + more,
  })

describe('costOf', () => {
  test('agrees with BigInt to the nano-dollar: every kind of token, tiers, caches, time and pieces', () => {
    fc.assert(
      fc.property(anyPrice, anyUsage(1_000_000), (price, used) => {
        const tier = price.tiers.findLast((t) => used.input > t.above)
        expect(BigInt(costOf(price, used))).toBe(exactly(tier?.rates ?? price.rates, used))
      }),
      { numRuns: 3_000 },
    )
  })

  test('is exact up to the most that any provider can claim', () => {
    const most = usage({ input: 1e12, output: 1e12, reasoning: 1, cacheRead: 1, mediaMs: 1e12, gpuMs: 1e12 })
    const price: Priced = {
      kind: 'priced',
      rates: rates({ input: 1_999_999, output: 1_999_999 }),
      tiers: [],
      version: '',
    }
    expect(BigInt(costOf(price, most))).toBe(exactly(price.rates, most))
    expect(Number.isSafeInteger(costOf(price, most))).toBe(true)
  })

  test('is never negative and never falls when anything of a usage grows', () => {
    fc.assert(
      fc.property(
        anyPrice,
        anyUsage(100_000),
        fc.constantFrom(...COUNTS),
        fc.nat(10_000),
        (price, used, name, more) => {
          // Without tiers: above the mark of one the whole request may be cheaper.
          const flat = { ...price, tiers: [] }
          // A part that grows makes its whole grow with it.
          const wholes: Partial<Record<string, keyof typeof NO_USAGE>> = {
            ...{
              cacheRead: 'input',
              cacheWrite: 'input',
              cacheWriteHour: 'input',
              audioInput: 'input',
              imageInput: 'input',
            },
            ...{ reasoning: 'output', audioOutput: 'output', imageOutput: 'output' },
          }
          const grown = { ...used, [name]: used[name] + more }
          const whole = wholes[name] as 'input' | 'output' | undefined
          if (whole) grown[whole] = used[whole] + more
          if (name === 'audioRead' || name === 'imageRead') {
            grown.cacheRead = used.cacheRead + more
            grown.input = used.input + more
          }
          const before = costOf(flat, used)
          expect(before).toBeGreaterThanOrEqual(0)
          expect(costOf(flat, grown)).toBeGreaterThanOrEqual(before)
        },
      ),
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

  test('figures of the providers: a minute of whisper-1, an image, a thousand searches, a voice', () => {
    const one = (given: Partial<Rates>): Priced => ({ kind: 'priced', rates: rates(given), tiers: [], version: '' })
    // $0.006 a minute.
    expect(costOf(one({ media: 100_000_000 }), usage({ mediaMs: 60_000 }))).toBe(6_000_000)
    expect(costOf(one({ image: 40_000_000 }), usage({ images: 3 }))).toBe(120_000_000)
    expect(costOf(one({ search: 2_000_000 }), usage({ searches: 1_000 }))).toBe(2_000_000_000)
    // $15 a million characters (tts-1).
    expect(costOf(one({ character: 15_000_000_000 }), usage({ characters: 11 }))).toBe(165_000)
    // $2 an hour of a GPU.
    expect(costOf(one({ gpu: 555_555_556 }), usage({ gpuMs: 1_800 }))).toBe(1_000_000)
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
        fc.nat(1_000),
        (price, used, moreIn, moreOut, more) => {
          const worst = worstCost(price, used.input + moreIn, used.output + moreOut, loadAround(used, more))
          expect(costOf(price, used)).toBeLessThanOrEqual(worst)
        },
      ),
      { numRuns: 2_000 },
    )
  })

  test('nor in any service that it may be served in', () => {
    const service = fc.constantFrom<Service>('priority', 'flex')
    fc.assert(
      fc.property(anyPrice, anyPrice, service, anyUsage(500_000), (base, other, name, used) => {
        const price = { ...base, services: { [name]: other } }
        const worst = worstCost(price, used.input, used.output, loadAround(used, 0))
        expect(Math.max(costOf(base, used), costOf(other, used))).toBeLessThanOrEqual(worst)
      }),
    )
  })

  test('what a request cannot have is not held for', () => {
    const dear = { ...priced(1_000_000, 1_000_000) }
    dear.rates = { ...dear.rates, audioInput: 9_000_000, cacheWriteHour: 2_000_000, audioOutput: 8_000_000 }
    expect(worstCost(dear, 100, 10, TEXT)).toBe(110)
    expect(worstCost(dear, 100, 10, loadOf({ ...TEXT.kinds, hourCache: true }, {}))).toBe(210)
    expect(worstCost(dear, 100, 10, loadOf({ ...TEXT.kinds, audioInput: true }, {}))).toBe(910)
    expect(worstCost(dear, 100, 10, loadOf({ ...TEXT.kinds, audioOutput: true }, {}))).toBe(180)
    expect(worstCost(dear, 100, 10)).toBe(980)
  })

  test('a usage of text alone never costs more than is held for text alone', () => {
    const text = anyUsage(500_000).map((u) => usage({ input: u.input, output: u.output, cacheRead: u.cacheRead }))
    fc.assert(
      fc.property(anyPrice, text, (price, used) => {
        expect(costOf(price, used)).toBeLessThanOrEqual(worstCost(price, used.input, used.output, TEXT))
      }),
      { numRuns: 1_000 },
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
    const four = fc.tuple(fc.nat(1e6), fc.nat(1e6), fc.nat(1e6), fc.nat(1e6))
    fc.assert(
      fc.property(anyPrice, four, anyUsage(10), fc.nat(1e4), (price, [a, b, moreA, moreB], beside, more) => {
        const least = worstCost(price, a, b, loadAround(beside, 0))
        expect(worstCost(price, a + moreA, b + moreB, loadAround(beside, more))).toBeGreaterThanOrEqual(least)
      }),
    )
  })
})

describe('outputAffordable', () => {
  test('what it says can be paid, and a token more cannot', () => {
    fc.assert(
      fc.property(
        anyPrice,
        fc.option(anyPrice, { nil: undefined }),
        fc.nat(1_000_000),
        fc.nat(2_000_000_000_000),
        anyUsage(1),
        (base, flex, input, nano, beside) => {
          const price: Priced = flex ? { ...base, services: { flex } } : base
          const load = loadAround(beside, 0)
          const tokens = outputAffordable(price, input, nano, load)
          if (tokens === Number.POSITIVE_INFINITY) return
          if (tokens < 0) {
            expect(worstCost(price, input, 0, load)).toBeGreaterThan(nano)
            return
          }
          expect(worstCost(price, input, tokens, load)).toBeLessThanOrEqual(nano)
          // Tiers and services are taken at their dearest: less is allowed for them, never more.
          if (price.tiers.length === 0 && !flex && tokens < 1_000_000_000)
            expect(worstCost(price, input, tokens + 1, load)).toBeGreaterThanOrEqual(nano)
        },
      ),
      { numRuns: 2_000 },
    )
  })

  test('without a price for the answer there is no end to it', () => {
    expect(outputAffordable(priced(1_000_000, 0), 10, 10)).toBe(Number.POSITIVE_INFINITY)
    expect(outputAffordable(FREE, 10, 0)).toBe(Number.POSITIVE_INFINITY)
  })
})
