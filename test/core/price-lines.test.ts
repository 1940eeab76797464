/** A bill that is taken apart comes to what is charged. */
import { describe, expect, test } from 'bun:test'
import * as fc from 'fast-check'
import { costOf, FREE, UNKNOWN } from '../../src/core/price.ts'
import { priceLines, showRate } from '../../src/core/price-lines.ts'
import { usage } from '../../src/core/usage.ts'
import { anyPrice, anyUsage, priced, rates } from './make.ts'

describe('parts of a cost', () => {
  test('come to it, rounded once', () => {
    fc.assert(
      fc.property(anyPrice, anyUsage(10_000_000), (price, used) => {
        const sum = priceLines(price, used).reduce((all, line) => all + line.micros, 0n)
        expect(Number((sum + 500_000n) / 1_000_000n)).toBe(costOf(price, used))
      }),
    )
  })

  test('are told by what was used, exactly', () => {
    const price = {
      ...priced(2_500_000_000, 10_000_000_000),
      rates: rates({ input: 2_500_000_001, image: 40_000_000 }),
    }
    const lines = priceLines(price, usage({ input: 7, images: 2 }))
    expect(lines.map(({ what, count, rate, cost }) => [what, count, rate, cost])).toEqual([
      ['prompt', 7, '$2.500000001 per million tokens', '$0.000017500000007'],
      ['images made', 2, '$0.04 each', '$0.08'],
    ])
  })

  test('of what is free or unknown there are none', () => {
    expect(priceLines(FREE, usage({ input: 7 }))).toEqual([])
    expect(priceLines(UNKNOWN, usage({ input: 7 }))).toEqual([])
  })
})

test('a rate is told in the unit that people know', () => {
  expect(showRate('media', 100_000_000)).toBe('$0.0001 a second')
  expect(showRate('character', 15_000_000_000)).toBe('$15 per million characters')
  expect(showRate('search', 10_000_000)).toBe('$0.01 each')
  expect(showRate('request', 0)).toBe('$0 each')
})
