/** Prices that are kept and compared. */
import { describe, expect, test } from 'bun:test'
import { FREE, type Price, UNKNOWN } from '../../src/core/price.ts'
import { keptPrices, type PriceBook, priceChanges, showChange, wholeWords } from '../../src/core/price-book.ts'
import { NOON, priced } from './make.ts'

const DAY = 86_400_000
const dollars = (n: number) => n * 1e9

const book = (prices: Record<string, Price>, library = 'list@1'): PriceBook => ({
  library,
  targets: Object.entries(prices).map(([alias, price], i) => ({
    ...{ alias, target: `openai/${alias}`, id: `${alias}#${i}`, byPattern: false, price },
  })),
  named: () => [],
  all: () => [],
})
const changes = (before: Record<string, Price>, after: Record<string, Price>, at = NOON) =>
  priceChanges(keptPrices(book(before), at), keptPrices(book(after, 'list@2'), NOON)).flatMap(showChange)

describe('what differs between two books', () => {
  test('is told word by word; another source of the same price is nothing', () => {
    const before = { gpt: priced(dollars(2.5), dollars(10)), same: priced(1, 1), old: FREE }
    const after = { gpt: priced(dollars(2), dollars(10)), same: { ...priced(1, 1), version: 'other' }, fresh: UNKNOWN }
    expect(changes(before, after)).toEqual([
      'gpt → openai/gpt: input_cost_per_token $2.5 per million tokens → $2 per million tokens',
      'old → openai/old: gone',
      'fresh → openai/fresh: new, without a price',
    ])
  })

  test('a price that comes, and one that is no more', () => {
    expect(changes({ a: UNKNOWN }, { a: priced(dollars(1), 0) })).toEqual([
      'a → openai/a: input_cost_per_token $1 per million tokens',
      'a → openai/a: output_cost_per_token $0 per million tokens',
    ])
    expect(changes({ a: FREE }, { a: UNKNOWN })).toEqual([
      'a → openai/a: input_cost_per_token $0 per million tokens → not said any more',
      'a → openai/a: output_cost_per_token $0 per million tokens → not said any more',
    ])
  })

  test('survives being written down', () => {
    const kept = keptPrices(book({ gpt: priced(dollars(2.5), 7) }), NOON)
    expect(priceChanges(JSON.parse(JSON.stringify(kept)), kept)).toEqual([])
  })

  test('an hour of the day changes nothing, a day that has come does', () => {
    const nights = {
      ...priced(dollars(2), dollars(2)),
      times: [{ hours: { from: 0, to: DAY / 2 - 1 }, price: priced(dollars(1), dollars(1)) }],
    }
    expect(changes({ a: nights }, { a: nights }, NOON - DAY / 4)).toEqual([])
    const raised = { ...priced(dollars(2), 0), times: [{ from: NOON, price: priced(dollars(3), 0) }] }
    expect(changes({ a: raised }, { a: raised }, NOON - DAY)).toContain(
      'a → openai/a: input_cost_per_token $2 per million tokens → $3 per million tokens',
    )
  })

  test('two targets that differ only by their keys are two lines', () => {
    const twice = book({ a: priced(1, 1) })
    const [one] = twice.targets
    const both = { ...twice, targets: [...twice.targets, { ...one, id: 'b#2', price: priced(2, 2) }] } as PriceBook
    expect(Object.keys(keptPrices(both, NOON).prices)).toEqual(['a → openai/a', 'a → openai/a (b#2)'])
  })
})

test('words of days to come and of hours stand behind their times', () => {
  const price = {
    ...priced(dollars(2), dollars(4)),
    times: [
      { from: NOON - DAY, price: priced(dollars(3), dollars(5)) },
      { from: NOON + DAY / 2, price: priced(dollars(4), dollars(6)) },
      { hours: { from: 3_600_000, to: 5_400_000 }, price: priced(dollars(1), dollars(2)) },
    ],
  }
  const words = wholeWords(price, NOON)
  expect([words.input_cost_per_token, words.output_cost_per_token]).toEqual([3e-6, 5e-6])
  expect(words['input_cost_per_token from 2026-11-22']).toBe(4e-6)
  expect(words['output_cost_per_token 01:00 to 01:30 UTC']).toBe(2e-6)
  expect(Object.keys(words).some((word) => word.includes('2026-11-20'))).toBe(false)
})
