import { expect, test } from 'bun:test'
import { priceWith } from '../../src/config/price.ts'
import { FREE, type Price, UNKNOWN } from '../../src/core/price.ts'

const rates = { input: 10, output: 40, cacheRead: 1, cacheWrite: 12, cacheWriteHour: 20, reasoning: 50, request: 0 }
const listed: Price = { kind: 'priced', rates, tiers: [{ above: 5, rates: { ...rates, input: 20 } }], version: 'list' }

test('a file that says nothing changes nothing', () => {
  for (const price of [listed, FREE, UNKNOWN]) expect(priceWith(price, {})).toBe(price)
})

test('a rate for the prompt takes its parts along, and the tiers end', () => {
  expect(priceWith(listed, { input: 7 })).toEqual({
    kind: 'priced',
    rates: { ...rates, input: 7, cacheRead: 7, cacheWrite: 7, cacheWriteHour: 7 },
    tiers: [],
    version: 'config',
  })
})

test('a rate for a part lies over the list and its tiers', () => {
  expect(priceWith(listed, { cacheRead: 2 })).toEqual({
    kind: 'priced',
    rates: { ...rates, cacheRead: 2 },
    tiers: [{ above: 5, rates: { ...rates, input: 20, cacheRead: 2 } }],
    version: 'config',
  })
})

test('what nobody has priced gets a price by prompt or answer only; a part leaves it unknown', () => {
  expect(priceWith(UNKNOWN, { cacheRead: 2, request: 5 })).toBe(UNKNOWN)
  expect(priceWith(UNKNOWN, { input: 3, output: 9 })).toMatchObject({
    kind: 'priced',
    rates: { input: 3, output: 9, cacheRead: 3, cacheWrite: 3, cacheWriteHour: 3, reasoning: 9, request: 0 },
  })
})

test('zero for both is free', () => {
  expect(priceWith(listed, { input: 0, output: 0 })).toBe(FREE)
  expect(priceWith(UNKNOWN, { input: 0, output: 0 })).toBe(FREE)
})
