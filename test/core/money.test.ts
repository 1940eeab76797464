import { expect, test } from 'bun:test'
import * as fc from 'fast-check'
import { fromDollars, ratePerMillion, showDollars, toDollars } from '../../src/core/money.ts'

test('dollars become nano-dollars and come back', () => {
  expect(fromDollars(0.1) + fromDollars(0.2)).toBe(fromDollars(0.3))
  expect(fromDollars(1e-9)).toBe(1)
  expect(toDollars(7_650)).toBe(0.00000765)
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1_000_000_000_000_000 }), (nano) => fromDollars(toDollars(nano)) === nano),
  )
})

test("LiteLLM's dollars per token become whole rates, though no double holds them", () => {
  expect(ratePerMillion(1.5e-7)).toBe(150_000_000)
  expect(ratePerMillion(0.0000006)).toBe(600_000_000)
  expect(ratePerMillion(0.000075)).toBe(75_000_000_000)
  // A hundredth of a cent a million is the finest that anybody lists.
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 100_000_000 }),
      (hundredths) => ratePerMillion(hundredths / 1e4 / 1e6) === hundredths * 100_000,
    ),
  )
})

test('an amount is shown with all its places, so that it can be added up again', () => {
  expect(showDollars(7_650)).toBe('$0.000007650')
  expect(showDollars(12_000_000_001)).toBe('$12.000000001')
  expect(showDollars(-5)).toBe('-$0.000000005')
  fc.assert(
    fc.property(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), (nano) => {
      const [, whole, part] = /^\$(\d+)\.(\d{9})$/.exec(showDollars(nano)) ?? []
      return BigInt(whole as string) * 1_000_000_000n + BigInt(part as string) === BigInt(nano)
    }),
  )
})
