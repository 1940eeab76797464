/** One price over another, and which of them holds. */
import { describe, expect, test } from 'bun:test'
import * as fc from 'fast-check'
import { batchPrice } from '../../src/core/batch-price.ts'
import { costOf, FREE, type Price, type Priced, UNKNOWN, worstCost } from '../../src/core/price.ts'
import { nextPriceAt, offered, priceAt, served } from '../../src/core/price-at.ts'
import { adjustPrice, layPrice, overridePrice } from '../../src/core/price-lay.ts'
import { usage } from '../../src/core/usage.ts'
import { anyPrice, anyUsage, NOON, priced } from './make.ts'

const DAY = 86_400_000
const rateAt = (price: Price, now: number) => {
  const at = priceAt(price, now)
  return at.kind === 'priced' ? at.rates.input : at.kind
}

describe('in time', () => {
  const price: Priced = {
    ...priced(1, 0),
    times: [
      { from: NOON - DAY, price: priced(2, 0) },
      { from: NOON + DAY, price: priced(3, 0) },
    ],
  }

  test('the price of the moment holds, to the millisecond', () => {
    expect(rateAt(price, NOON - DAY - 1)).toBe(1)
    expect(rateAt(price, NOON - DAY)).toBe(2)
    expect(rateAt(price, NOON + DAY - 1)).toBe(2)
    expect(rateAt(price, NOON + DAY)).toBe(3)
    expect(nextPriceAt(price, NOON)).toBe(NOON + DAY)
    expect(nextPriceAt(price, NOON + DAY)).toBeUndefined()
  })

  test('and is the same object each time, so that the ledger knows it', () => {
    expect(priceAt(price, NOON)).toBe(priceAt(price, NOON + 1))
    expect(priceAt(price, 0)).toBe(priceAt(price, 1))
    const plain = priced(1, 1)
    expect(priceAt(plain, NOON)).toBe(plain)
  })

  test('hours of the day, over midnight too', () => {
    const hour = 3_600_000
    const night: Priced = {
      ...priced(10, 0),
      times: [{ hours: { from: 22 * hour, to: 4 * hour }, price: priced(5, 0) }],
    }
    const midnight = NOON - 12 * hour
    expect([21, 22, 23, 24, 27, 28].map((h) => rateAt(night, midnight + h * hour))).toEqual([10, 5, 5, 5, 5, 10])
    const noon: Priced = {
      ...priced(10, 0),
      times: [{ hours: { from: 8 * hour, to: 16 * hour }, price: priced(5, 0) }],
    }
    expect([7, 8, 15, 16].map((h) => rateAt(noon, midnight + h * hour))).toEqual([10, 5, 5, 10])
    // Before 1970 days have hours as well.
    expect(rateAt(noon, -12 * hour)).toBe(5)
  })

  test('what is said from a day on lies over what is listed then', () => {
    const listing = {
      rates: { input: 10, output: 20 },
      version: 'list',
      times: [{ from: NOON + 2 * DAY, price: { rates: { input: 100, output: 200 }, version: 'list 2' } }],
    }
    const own = { rates: { output: 7 }, later: [{ from: NOON + DAY, price: { rates: { output: 8 } } }] }
    const laid = layPrice(own, listing) as Price
    const at = (now: number) => {
      const one = priceAt(laid, now)
      return one.kind === 'priced' ? [one.rates.input, one.rates.output, one.version] : []
    }
    expect(at(NOON)).toEqual([10, 7, 'config over list'])
    expect(at(NOON + DAY)).toEqual([10, 8, 'config over list, from 2026-11-22'])
    expect(at(NOON + 3 * DAY)).toEqual([100, 8, 'config over list 2, from 2026-11-22'])
  })
})

describe('by service', () => {
  const price: Priced = { ...priced(10, 0), services: { priority: priced(20, 0), flex: priced(5, 0) } }
  const kinds = (p: Price) => (p.kind === 'priced' ? Object.keys(p.services ?? {}) : [])

  test('what was served is charged; what has no price of its own costs the standard one', () => {
    expect(served(price, 'priority')).toMatchObject({ rates: { input: 20 } })
    expect(served(price, 'flex')).toMatchObject({ rates: { input: 5 } })
    expect(served(price, 'standard')).toMatchObject({ rates: { input: 10 } })
    expect(served(price, 'batch')).toMatchObject({ rates: { input: 10 } })
    expect(served(price, undefined)).toMatchObject({ rates: { input: 10 } })
    expect(served(price, undefined)).toBe(served(price, 'standard'))
    expect(kinds(served(price, undefined))).toEqual([])
    expect(served(FREE, 'priority')).toBe(FREE)
  })

  test('the hold takes the dearest that may come', () => {
    const worst = (asked: unknown) => worstCost(offered(price, asked), 1_000_000, 0)
    expect(worst(undefined)).toBe(20)
    expect(worst('auto')).toBe(20)
    expect(worst('priority')).toBe(20)
    expect(worst('default')).toBe(10)
    expect(worst('standard_only')).toBe(10)
    // Whoever asks for flex may be served as everybody.
    expect(worst('flex')).toBe(10)
    expect(worst(5)).toBe(20)
    expect(offered(price, 'auto')).toBe(offered(price, undefined))
    expect(offered(priced(1, 1), 'flex')).toEqual(priced(1, 1))
  })

  test('no service that may come costs more than what is held for it', () => {
    fc.assert(
      fc.property(anyPrice, anyPrice, anyPrice, anyUsage(100_000), (base, priority, flex, used) => {
        const all: Priced = { ...base, services: { priority, flex } }
        const text = usage({ input: used.input, output: used.output })
        for (const [asked, service] of [
          ['auto', 'priority'],
          ['auto', 'standard'],
          ['flex', 'flex'],
          ['flex', 'standard'],
          ['default', 'standard'],
        ] as const)
          expect(costOf(served(all, service), text)).toBeLessThanOrEqual(
            worstCost(offered(all, asked), text.input, text.output),
          )
      }),
    )
  })

  test('a batch costs what is said of batches, else half', () => {
    expect(batchPrice({ ...price, services: { batch: priced(3, 0) } })).toMatchObject({ rates: { input: 3 } })
    expect(batchPrice(price)).toMatchObject({ rates: { input: 5 }, version: 'test, batch' })
    expect(kinds(batchPrice(price))).toEqual([])
    expect(batchPrice(UNKNOWN)).toBe(UNKNOWN)
  })
})

describe("a key's own price", () => {
  test('lies over the model, in every service, at every time, and leaves the rest', () => {
    const price: Priced = {
      ...priced(10, 100),
      services: { flex: priced(5, 50) },
      times: [{ from: NOON, price: priced(20, 200) }],
    }
    const own = overridePrice(price, { rates: { input: 1 } }) as Priced
    expect(own).toMatchObject({ rates: { input: 1, cacheRead: 1, output: 100 }, version: 'key over test' })
    expect(own.services?.flex).toMatchObject({ rates: { input: 1, output: 50 } })
    expect(priceAt(own, NOON)).toMatchObject({ rates: { input: 1, output: 200 } })
  })

  test('prices what nobody else does, and can make a model free', () => {
    expect(overridePrice(UNKNOWN, { rates: { input: 1 } })).toMatchObject({ kind: 'priced', rates: { input: 1 } })
    expect(overridePrice(priced(1, 1), { rates: { input: 0, output: 0 } }).kind).toBe('free')
    expect(overridePrice(FREE, { rates: { request: 5 } })).toMatchObject({ kind: 'priced', rates: { request: 5 } })
  })

  test('that says nothing changes nothing', () => {
    const price = priced(1, 1)
    expect(overridePrice(price, { rates: {} })).toBe(price)
  })
})

describe('discount and margin', () => {
  const none = { discount: 0, margin: 0, fee: 0 }

  test("LiteLLM's own example: 5 % off and 10 % on make $1.045 of $1", () => {
    const price = adjustPrice(priced(1_000_000_000, 0), { discount: 0.05, margin: 0.1, fee: 0 })
    expect(costOf(price, usage({ input: 1_000_000 }))).toBe(1_045_000_000)
    expect(price).toMatchObject({ version: 'test, -5 %, +10 %' })
  })

  test('a fee is added once a request, and makes even what is free cost it', () => {
    const fee = { ...none, fee: 1_000_000 }
    expect(costOf(adjustPrice(priced(1_000_000, 0), fee), usage({ input: 10 }))).toBe(1_000_010)
    expect(costOf(adjustPrice(FREE, fee), usage({}))).toBe(1_000_000)
    expect(adjustPrice(FREE, { ...none, margin: 1 })).toBe(FREE)
    expect(adjustPrice(UNKNOWN, fee)).toBe(UNKNOWN)
    expect(adjustPrice(priced(1, 1), none)).toEqual(priced(1, 1))
  })

  test('reaches tiers, services and times', () => {
    const all: Priced = {
      ...priced(100, 0, [{ above: 1, rates: priced(200, 0).rates }]),
      services: { flex: priced(50, 0) },
      times: [{ from: NOON, price: priced(300, 0) }],
    }
    const twice = adjustPrice(all, { ...none, margin: 1 }) as Priced
    expect(twice.tiers[0]?.rates.input).toBe(400)
    expect(twice.services?.flex?.rates.input).toBe(100)
    expect(priceAt(twice, NOON)).toMatchObject({ rates: { input: 600 } })
  })
})
