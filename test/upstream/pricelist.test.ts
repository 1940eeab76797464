/** Our own sums against the price library's, which is too slow to be asked for each request. */
import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { calcPrice } from '@pydantic/genai-prices'
import * as fc from 'fast-check'
import { costOf, FREE, type Price, type Rates, UNKNOWN } from '../../src/core/price.ts'
import { priceAt } from '../../src/core/price-at.ts'
import { type Listing, layPrice } from '../../src/core/price-lay.ts'
import type { SaidRates } from '../../src/core/rates.ts'
import { type Usage, usage } from '../../src/core/usage.ts'
import { LIST_VERSION, listed } from '../../src/upstream/pricelist.ts'
import { anyUsage } from '../core/make.ts'

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

/** Models that hear, speak, paint, search and rank. */
const OTHERS: readonly (readonly [provider: string, model: string])[] = [
  ['openai', 'gpt-audio'],
  ['openai', 'gpt-realtime'],
  ['openai', 'gpt-realtime-mini'],
  ['openai', 'gpt-image-1'],
  ['openai', 'gpt-image-1.5'],
  ['openai', 'gpt-4o-transcribe'],
  ['openai', 'whisper-1'],
  ['google', 'gemini-2.5-flash-image'],
  ['google', 'gemini-3-flash-preview'],
  ['anthropic', 'claude-opus-4-5'],
  ['perplexity', 'sonar-pro'],
  ['aws', 'amazon.nova-sonic-v1:0'],
]

/** The price of the day, as a target without a word of the configuration has it. */
const priceOn = (provider: string, model: string, day = DAY): Price =>
  priceAt(layPrice({ rates: {} }, listed(provider, model).listing) ?? UNKNOWN, day.getTime())

/** What the library makes of a usage, in nano-dollars. Undefined where it cannot price it. */
function theirs(provider: string, model: string, u: Usage, day = DAY): number | undefined {
  const found = calcPrice({}, model, { providerId: provider, timestamp: day })
  if (!found) return undefined
  const all: Record<string, number> = {
    ...{ input_tokens: u.input, cache_read_tokens: u.cacheRead, cache_write_tokens: u.cacheWrite + u.cacheWriteHour },
    ...{ cache_write_1h_tokens: u.cacheWriteHour, output_tokens: u.output, output_reasoning_tokens: u.reasoning },
    ...{ input_audio_tokens: u.audioInput + u.audioRead, cache_audio_read_tokens: u.audioRead },
    ...{ input_image_tokens: u.imageInput + u.imageRead, cache_image_read_tokens: u.imageRead },
    ...{ output_audio_tokens: u.audioOutput, output_image_tokens: u.imageOutput },
    ...{ input_audio_seconds: u.mediaMs / 1000, audio_seconds: u.mediaMs / 1000, web_searches: u.searches },
  }
  try {
    const result = calcPrice(all, model, { providerId: provider, timestamp: day })
    return result ? result.total_price * 1e9 : undefined
  } catch {
    return undefined
  }
}

describe('the list', () => {
  test('most of the models people ask for have a price', () => {
    const known = MODELS.filter(([provider, model]) => priceOn(provider, model).kind === 'priced')
    expect(known.length).toBeGreaterThanOrEqual(30)
  })

  test('tiers and cache prices are among them, so that the comparison means something', () => {
    const all = MODELS.map(([provider, model]) => priceOn(provider, model))
    const prices = all.filter((p) => p.kind === 'priced')
    expect(prices.filter((p) => p.tiers.length > 0).length).toBeGreaterThanOrEqual(3)
    expect(prices.filter((p) => p.rates.cacheRead < p.rates.input).length).toBeGreaterThanOrEqual(10)
    expect(prices.filter((p) => p.rates.cacheWrite > p.rates.input).length).toBeGreaterThanOrEqual(4)
    expect(prices.filter((p) => p.rates.cacheWriteHour > p.rates.cacheWrite).length).toBeGreaterThanOrEqual(4)
    expect(prices.filter((p) => p.rates.search > 0).length).toBeGreaterThanOrEqual(4)
    expect(prices.filter((p) => p.rates.audioInput > p.rates.input).length).toBeGreaterThanOrEqual(2)
  })

  for (const [provider, model] of [...MODELS, ...OTHERS])
    test(`${provider}/${model}: both agree to the nano-dollar`, () => {
      const price = priceOn(provider, model)
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
        fc.property(anyUsage(400_000), (u) => compare({ ...u, images: 0, gpuMs: 0, characters: 0 })),
        { numRuns: 50 },
      )
      expect(compared > 0).toBe(price.kind === 'priced')
    })

  test('other units: audio by the hour, images and audio by the token, searches by the thousand', () => {
    const at = (provider: string, model: string) => {
      const price = priceOn(provider, model)
      return price.kind === 'priced' ? price.rates : undefined
    }
    expect(at('openai', 'whisper-1')?.media).toBe(100_000_000)
    expect(at('openai', 'gpt-realtime-mini')).toMatchObject({
      ...{ input: 600_000_000, audioInput: 10_000_000_000, audioRead: 300_000_000, imageRead: 80_000_000 },
      ...{ output: 2_400_000_000, audioOutput: 20_000_000_000, imageOutput: 2_400_000_000 },
    })
    expect(at('google', 'gemini-2.5-flash-image')?.imageOutput).toBe(30_000_000_000)
    expect(at('anthropic', 'claude-sonnet-4-5')).toMatchObject({ search: 10_000_000, cacheWriteHour: 6_000_000_000 })
    expect(at('perplexity', 'sonar-pro')?.request).toBe(14_000_000)
  })

  test('a model nobody knows has no price, and none is made up', () => {
    expect(priceOn('openai', 'no-such-model-at-all')).toEqual(UNKNOWN)
    expect(priceOn('no-such-provider', 'gpt-4o')).toEqual(UNKNOWN)
    expect(priceOn('openai', '')).toEqual(UNKNOWN)
    // Pages and messages are not counted here: half a price would bill too little.
    expect(priceOn('mistral', 'mistral-ocr-latest')).toEqual(UNKNOWN)
    expect(priceOn('x-ai', 'grok-voice-latest')).toEqual(UNKNOWN)
    // It is listed with nothing beside it, and nobody says that it is free.
    expect(priceOn('openrouter', 'google/lyria-3-pro-preview')).toEqual(UNKNOWN)
  })

  test('what the list calls free is free', () => {
    expect(priceOn('openai', 'omni-moderation-latest').kind).toBe('free')
    expect(priceOn('openrouter', 'deepseek/deepseek-r1:free').kind).toBe('free')
  })

  test('the version names the data, the provider and the model', () => {
    const price = priceOn('openai', 'gpt-4o')
    expect(price.kind === 'priced' && price.version).toBe(`${LIST_VERSION}:openai/gpt-4o`)
    expect(price.kind === 'priced' && price.rates.input).toBe(2_500_000_000)
    expect(listed('openai', 'gpt-4o').contextTokens).toBe(128_000)
    const installed = JSON.parse(
      readFileSync(join(import.meta.dir, '../../node_modules/@pydantic/genai-prices/package.json'), 'utf8'),
    )
    expect(LIST_VERSION).toBe(`genai-prices@${installed.version}`)
  })

  test('the price is that of the day and of the hour: both agree on each side of every change', () => {
    const dated = [
      ['openai', 'o3', ['2025-06-09T23:59:59Z', '2025-06-10T00:00:00Z', '2026-01-01T12:00:00Z']],
      ['deepseek', 'deepseek-chat', ['2026-01-01T00:29:59Z', '2026-01-01T00:30:00Z', '2026-01-01T16:30:00Z']],
      ['deepseek', 'deepseek-v4-pro', ['2026-08-16T02:00:00Z', '2026-08-18T02:00:00Z', '2026-08-18T05:00:00Z']],
      ['google', 'gemini-3.6-flash', ['2026-12-31T23:00:00Z', '2027-01-01T00:00:00Z']],
    ] as const
    for (const [provider, model, days] of dated) {
      const costs = days.map((day) => {
        const at = new Date(day)
        const used = usage({ input: 100_000, cacheRead: 40_000, output: 10_000 })
        const ours = costOf(priceOn(provider, model, at), used)
        expect(Math.abs(ours - (theirs(provider, model, used, at) ?? -1))).toBeLessThanOrEqual(1)
        return ours
      })
      expect([model, new Set(costs).size > 1]).toEqual([model, true])
    }
  })
})

describe("the configuration's own prices", () => {
  const gpt = listed('openai', 'gpt-4o').listing
  const own = (rates: SaidRates, listing: Listing | undefined) => layPrice({ rates }, listing)
  const ratesOf = (price: Price | undefined) => (price?.kind === 'priced' ? price.rates : undefined)

  test('none given: the list, or nothing', () => {
    expect(ratesOf(own({}, gpt))).toMatchObject({ input: 2_500_000_000, output: 10_000_000_000 })
    expect(own({}, undefined)).toBeUndefined()
  })

  test('each one that is given wins, the others stay as listed', () => {
    const listedRates = ratesOf(own({}, gpt)) as Rates
    // What the list itself does not name follows from what is given: a written cache is plain prompt.
    const follow = { cacheWrite: 1, cacheWriteHour: 1, audioInput: 1, imageInput: 1 }
    expect(ratesOf(own({ input: 1 }, gpt))).toEqual({ ...listedRates, ...follow, input: 1 })
    expect(ratesOf(own({ cacheRead: 1 }, gpt))).toEqual({ ...listedRates, cacheRead: 1, audioRead: 1, imageRead: 1 })
  })

  test('where nothing is listed a cache costs as the prompt does and reasoning as the answer', () => {
    expect(ratesOf(own({ input: 3, output: 7 }, undefined))).toEqual({
      ...{ input: 3, cacheRead: 3, cacheWrite: 3, cacheWriteHour: 3 },
      ...{ audioInput: 3, imageInput: 3, audioRead: 3, imageRead: 3 },
      ...{ output: 7, reasoning: 7, audioOutput: 7, imageOutput: 7 },
      ...{ media: 0, gpu: 0, character: 0, image: 0, search: 0, request: 0 },
    })
  })

  test('all zeros mean free', () => {
    expect(own({ input: 0, output: 0 }, undefined)).toEqual(FREE)
  })

  test('zero for one of the two is no price for the other: the list still counts', () => {
    expect(ratesOf(own({ input: 0 }, gpt))).toMatchObject({ input: 0, output: 10_000_000_000 })
  })

  test("tiers of the list do not creep in over one's own base price, and stay under everything else", () => {
    const { listing } = listed('google', 'gemini-2.5-pro')
    const tiersOf = (price: Price | undefined) => (price?.kind === 'priced' ? price.tiers : undefined)
    expect(tiersOf(own({}, listing))?.length).toBeGreaterThan(0)
    expect(tiersOf(own({ input: 1, output: 2 }, listing))).toEqual([])
    expect(tiersOf(own({ cacheRead: 5 }, listing))?.map((t) => t.rates.cacheRead)).toEqual([5])
  })

  test('a charge names both sources', () => {
    expect(own({ input: 1 }, gpt)).toMatchObject({ version: `config over ${LIST_VERSION}:openai/gpt-4o` })
    expect(own({ input: 1 }, undefined)).toMatchObject({ version: 'config' })
  })
})
