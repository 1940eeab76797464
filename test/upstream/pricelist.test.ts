/** Our own sums against the price library's, which is too slow to be asked for each request. */
import { describe, expect, test } from 'bun:test'
import { calcPrice } from '@pydantic/genai-prices'
import * as fc from 'fast-check'
import { costOf, FREE, type Price, UNKNOWN } from '../../src/core/price.ts'
import { type Usage, usage } from '../../src/core/usage.ts'
import { listed, priceOf } from '../../src/upstream/pricelist.ts'
import { anyUsage, rates } from '../core/make.ts'

const DAY = new Date('2026-11-21T12:00:00Z')

/** The models people ask for most, of every provider we have a file for, tiers and caches among them. */
const MODELS: readonly (readonly [provider: string, model: string])[] = [
  ['openai', 'gpt-4o'],
  ['openai', 'gpt-4o-mini'],
  ['openai', 'gpt-4o-2024-08-06'],
  ['openai', 'gpt-4.1'],
  ['openai', 'gpt-4.1-nano'],
  ['openai', 'gpt-4-turbo'],
  ['openai', 'gpt-3.5-turbo'],
  ['openai', 'gpt-5'],
  ['openai', 'gpt-5-mini'],
  ['openai', 'gpt-5.1'],
  ['openai', 'o1'],
  ['openai', 'o3'],
  ['openai', 'o4-mini'],
  ['openai', 'text-embedding-3-small'],
  ['openai', 'text-embedding-3-large'],
  ['anthropic', 'claude-3-haiku-20240307'],
  ['anthropic', 'claude-3-5-sonnet-20241022'],
  ['anthropic', 'claude-3-7-sonnet-latest'],
  ['anthropic', 'claude-sonnet-4-0'],
  ['anthropic', 'claude-sonnet-4-5'],
  ['anthropic', 'claude-opus-4-1'],
  ['anthropic', 'claude-haiku-4-5'],
  ['google', 'gemini-1.5-flash'],
  ['google', 'gemini-1.5-pro'],
  ['google', 'gemini-2.0-flash'],
  ['google', 'gemini-2.5-flash'],
  ['google', 'gemini-2.5-pro'],
  ['google', 'gemini-3-pro-preview'],
  ['openrouter', 'openai/gpt-4o'],
  ['openrouter', 'anthropic/claude-sonnet-4'],
  ['openrouter', 'deepseek/deepseek-chat'],
  ['deepseek', 'deepseek-chat'],
  ['mistral', 'mistral-large-latest'],
  ['groq', 'llama-3.3-70b-versatile'],
  ['x-ai', 'grok-4'],
]

/** What the library makes of a usage, in nano-dollars. Undefined where it cannot price it. */
function theirs(provider: string, model: string, u: Usage): number | undefined {
  const said = {
    input_tokens: u.input,
    cache_read_tokens: u.cacheRead,
    cache_write_tokens: u.cacheWrite,
    output_tokens: u.output,
  }
  try {
    const found = calcPrice(said, model, { providerId: provider, timestamp: DAY })
    return found ? found.total_price * 1e9 : undefined
  } catch {
    return undefined
  }
}

describe('the list', () => {
  test('most of the models people ask for have a price', () => {
    const known = MODELS.filter(([provider, model]) => listed(provider, model, DAY).price.kind === 'priced')
    expect(known.length).toBeGreaterThanOrEqual(30)
  })

  test('tiers and cache prices are among them, so that the comparison means something', () => {
    const all = MODELS.map(([provider, model]) => listed(provider, model, DAY).price)
    const prices = all.filter((p): p is Price & { kind: 'priced' } => p.kind === 'priced')
    expect(prices.filter((p) => p.tiers.length > 0).length).toBeGreaterThanOrEqual(3)
    expect(prices.filter((p) => p.rates.cacheRead < p.rates.input).length).toBeGreaterThanOrEqual(10)
    expect(prices.filter((p) => p.rates.cacheWrite > p.rates.input).length).toBeGreaterThanOrEqual(4)
  })

  for (const [provider, model] of MODELS)
    test(`${provider}/${model}: both agree to the nano-dollar`, () => {
      const { price } = listed(provider, model, DAY)
      let compared = 0
      const edges = [0, 1, 127_999, 128_000, 128_001, 199_999, 200_000, 200_001, 272_000, 272_001, 1_000_000]
      const compare = (u: Usage) => {
        const wanted = theirs(provider, model, u)
        if (wanted === undefined) return
        compared++
        // Theirs are doubles; ours is rounded to whole nano-dollars.
        expect(Math.abs(costOf(price, u) - wanted)).toBeLessThanOrEqual(0.5 + wanted * 1e-9)
      }
      for (const input of edges)
        compare(usage({ input, cacheRead: Math.floor(input / 3), cacheWrite: Math.floor(input / 5), output: 1_000 }))
      fc.assert(
        fc.property(anyUsage(400_000), (u) => compare({ ...u, cacheWriteHour: 0, reasoning: 0 })),
        { numRuns: 30 },
      )
      expect(compared > 0).toBe(price.kind === 'priced')
    })

  test('a model nobody knows has no price, and none is made up', () => {
    expect(listed('openai', 'no-such-model-at-all', DAY).price).toEqual(UNKNOWN)
    expect(listed('no-such-provider', 'gpt-4o', DAY).price).toEqual(UNKNOWN)
    expect(listed('openai', '', DAY).price).toEqual(UNKNOWN)
  })

  test('the price is that of the day', () => {
    const { price } = listed('openai', 'gpt-4o', DAY)
    expect(price.kind === 'priced' && price.version).toBe('genai-prices:gpt-4o')
    expect(price.kind === 'priced' && price.rates.input).toBe(2_500_000_000)
    expect(listed('openai', 'gpt-4o', DAY).contextTokens).toBe(128_000)
  })
})

describe("the configuration's own prices", () => {
  const gpt = listed('openai', 'gpt-4o', DAY)
  const nothing = { price: UNKNOWN, contextTokens: undefined }
  const ratesOf = (price: Price) => (price.kind === 'priced' ? price.rates : undefined)

  test('none given: the list, and what runs in the house is free', () => {
    expect(priceOf({}, gpt, false)).toBe(gpt.price)
    expect(priceOf({}, nothing, false)).toEqual(UNKNOWN)
    expect(priceOf({}, gpt, true)).toEqual(FREE)
  })

  test('each one that is given wins, the others stay as listed', () => {
    const own = ratesOf(priceOf({ input: 1 }, gpt, false))
    expect(own).toEqual({ ...(ratesOf(gpt.price) as NonNullable<typeof own>), input: 1 })
  })

  test('where nothing is listed a cache costs as the prompt does and reasoning as the answer', () => {
    expect(ratesOf(priceOf({ input: 3, output: 7 }, nothing, false))).toEqual(
      rates({ input: 3, cacheRead: 3, cacheWrite: 3, cacheWriteHour: 3, output: 7, reasoning: 7 }),
    )
  })

  test('a local model with a price has that price and no cloud price of the same name', () => {
    expect(ratesOf(priceOf({ output: 7 }, gpt, true))).toMatchObject({ input: 0, output: 7 })
  })

  test('all zeros mean free', () => {
    expect(priceOf({ input: 0, output: 0 }, nothing, false)).toEqual(FREE)
  })

  test('zero for one of the two is no price for the other: the list still counts', () => {
    expect(ratesOf(priceOf({ input: 0 }, gpt, false))).toMatchObject({ input: 0, output: 10_000_000_000 })
  })

  test("tiers of the list do not creep in over one's own base price", () => {
    const tiered = listed('google', 'gemini-2.5-pro', DAY)
    const own = priceOf({ input: 1, output: 2 }, tiered, false)
    expect(tiered.price.kind === 'priced' && tiered.price.tiers.length).toBeGreaterThan(0)
    expect(own.kind === 'priced' && own.tiers).toEqual([])
  })
})
