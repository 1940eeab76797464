/** LiteLLM's words for prices, there and back. */
import { describe, expect, test } from 'bun:test'
import * as fc from 'fast-check'
import { costOf, FREE, type Priced, UNKNOWN } from '../../src/core/price.ts'
import { layPrice } from '../../src/core/price-lay.ts'
import { priceText, readPrice } from '../../src/core/price-text.ts'
import { meaningOf, readPriceWords, writePriceWords } from '../../src/core/price-words.ts'
import { wholeRates } from '../../src/core/rates.ts'
import { usage } from '../../src/core/usage.ts'
import { anyPrice, anyUsage, priced } from './make.ts'

describe('a word', () => {
  test('is taken apart into what it prices, the length of the prompt and the service', () => {
    expect(meaningOf('input_cost_per_token')).toEqual({ word: 'input_cost_per_token' })
    expect(meaningOf('input_cost_per_token_above_200k_tokens_priority')).toEqual({
      word: 'input_cost_per_token',
      above: 200_000,
      service: 'priority',
    })
    expect(meaningOf('output_cost_per_token_batches')).toEqual({ word: 'output_cost_per_token', service: 'batch' })
    expect(meaningOf('cache_creation_input_token_cost_above_1hr_above_100k_tokens')).toEqual({
      word: 'cache_creation_input_token_cost_above_1hr',
      above: 100_000,
    })
  })

  test('that prices something else, or nothing, is none', () => {
    for (const key of ['toString', 'constructor', 'input_cost_per_pixel', 'input_cost_per_query_priority', 'mode', ''])
      expect([key, meaningOf(key)]).toEqual([key, undefined])
  })
})

describe('what a map says', () => {
  test('every unit in nano-dollars', () => {
    const { rates } = readPriceWords({
      ...{ input_cost_per_token: 2.5e-6, output_cost_per_token: 1e-5, cache_read_input_token_cost: 1.25e-6 },
      ...{ cache_creation_input_token_cost: 3.75e-6, cache_creation_input_token_cost_above_1hr: 6e-6 },
      ...{ input_cost_per_audio_token: 4e-5, output_cost_per_audio_token: 8e-5, output_cost_per_reasoning_token: 3e-6 },
      ...{ input_cost_per_second: 1e-4, input_cost_per_character: 1.5e-5, output_cost_per_image: 0.04 },
      ...{ input_cost_per_query: 0.002, input_cost_per_request: 0.005, mode: 'chat', max_tokens: 5 },
    })
    expect(rates).toEqual({
      ...{ input: 2_500_000_000, output: 10_000_000_000, cacheRead: 1_250_000_000 },
      ...{ cacheWrite: 3_750_000_000, cacheWriteHour: 6_000_000_000 },
      ...{ audioInput: 40_000_000_000, audioOutput: 80_000_000_000, reasoning: 3_000_000_000 },
      // A second costs the same of media and of the machine's time; a charge has one of them.
      ...{ media: 100_000_000, gpu: 100_000_000, character: 15_000_000_000, image: 40_000_000 },
      ...{ search: 2_000_000, request: 5_000_000 },
    })
  })

  test('whisper-1 has two words for one second, and is billed once', () => {
    const price = layPrice(readPriceWords({ input_cost_per_second: 1e-4, output_cost_per_second: 1e-4 }), undefined)
    expect(costOf(price ?? UNKNOWN, usage({ mediaMs: 60_000 }))).toBe(6_000_000)
  })

  test("tiers by LiteLLM's endings and by ranges", () => {
    const long = readPriceWords({ input_cost_per_token: 1e-6, input_cost_per_token_above_200k_tokens: 2e-6 })
    expect(long).toEqual({ rates: { input: 1e9 }, tiers: [{ above: 200_000, rates: { input: 2e9 } }] })
    const ranges = readPriceWords({
      tiered_pricing: [
        { range: [0, 32_000], input_cost_per_token: 1e-6, output_cost_per_token: 4e-6 },
        { range: [32_000, 128_000], input_cost_per_token: 2e-6, output_cost_per_token: 8e-6 },
      ],
    })
    expect(ranges).toEqual({
      rates: { input: 1e9, output: 4e9 },
      tiers: [{ above: 32_000, rates: { input: 2e9, output: 8e9 } }],
    })
    const price = layPrice(ranges, undefined) ?? UNKNOWN
    expect(costOf(price, usage({ input: 32_000, output: 1 }))).toBe(32_000_000 + 4_000)
    expect(costOf(price, usage({ input: 32_001, output: 1 }))).toBe(64_002_000 + 8_000)
  })

  test('services: what one leaves out is as in the standard one, a tier of it too', () => {
    const price = layPrice(
      readPriceWords({
        ...{ input_cost_per_token: 1e-6, output_cost_per_token: 4e-6, input_cost_per_token_above_200k_tokens: 2e-6 },
        ...{ input_cost_per_token_priority: 3e-6, input_cost_per_token_above_200k_tokens_priority: 5e-6 },
        ...{ input_cost_per_token_flex: 5e-7 },
      }),
      undefined,
    ) as Priced
    const { priority, flex } = price.services as Record<string, Priced>
    expect([priority?.rates.input, priority?.rates.output]).toEqual([3e9, 4e9])
    expect(priority?.tiers.map((t) => [t.above, t.rates.input, t.rates.output])).toEqual([[200_000, 5e9, 4e9]])
    expect(flex?.tiers.map((t) => t.rates.input)).toEqual([2e9])
    expect(priority?.version).toBe('config, priority')
  })

  test('searches: the dearest of the sizes', () => {
    expect(
      readPriceWords({
        search_context_cost_per_query: { search_context_size_low: 0.03, search_context_size_high: 0.05 },
      }),
    ).toEqual({ rates: { search: 50_000_000 } })
  })

  test('nonsense is passed over', () => {
    expect(
      readPriceWords({ tiered_pricing: 'x', search_context_cost_per_query: null, input_cost_per_token: '1' }),
    ).toEqual({ rates: {} })
    expect(readPriceWords({ tiered_pricing: [null, { range: ['a'] }, {}] })).toEqual({ rates: {} })
  })
})

describe('a price in words', () => {
  test('says what it says, and no more', () => {
    expect(writePriceWords(priced(2_500_000_000, 10_000_000_000))).toEqual({
      input_cost_per_token: 2.5e-6,
      output_cost_per_token: 1e-5,
    })
    expect(writePriceWords(FREE)).toEqual({ input_cost_per_token: 0, output_cost_per_token: 0 })
    expect(writePriceWords(UNKNOWN)).toEqual({ input_cost_per_token: null, output_cost_per_token: null })
    const whisper: Priced = { kind: 'priced', rates: wholeRates({ media: 1e8 }), tiers: [], version: '' }
    expect(writePriceWords(whisper)).toEqual({
      ...{ input_cost_per_token: 0, output_cost_per_token: 0, input_cost_per_audio_per_second: 1e-4 },
    })
  })

  test('and read again it costs the same', () => {
    // Tiers in words come in whole thousands of tokens; dollars are doubles of fifteen digits.
    const cents = anyPrice.map((price) => {
      const round = (rates: Priced['rates']) =>
        wholeRates(Object.fromEntries(Object.entries(rates).map(([n, r]) => [n, Math.round(r / 1e6) * 1e6])))
      const marks = new Map(price.tiers.map((t) => [Math.ceil(t.above / 1000) * 1000, { rates: round(t.rates) }]))
      return {
        ...price,
        rates: round(price.rates),
        tiers: [...marks].map(([above, { rates: r }]) => ({
          above,
          rates: { ...r, media: 0, gpu: 0, character: 0, image: 0, search: 0, request: 0 },
        })),
      }
    })
    fc.assert(
      fc.property(cents, anyUsage(1_000_000), (price, used) => {
        const only = { ...used, mediaMs: 0, gpuMs: 0, characters: 0, images: 0, searches: 0 }
        const again = layPrice(
          readPriceWords(writePriceWords({ ...price, rates: { ...price.rates, request: 0 } })),
          undefined,
        )
        expect(costOf(again ?? FREE, only)).toBe(costOf({ ...price, rates: { ...price.rates, request: 0 } }, only))
      }),
      { numRuns: 300 },
    )
  })
})

describe('a price as text', () => {
  test('is read again as it was, whatever it is', () => {
    fc.assert(
      fc.property(anyPrice, (price) => {
        expect(readPrice(priceText(price))).toEqual(price)
      }),
      { numRuns: 500 },
    )
    expect(readPrice(priceText(FREE))).toEqual(FREE)
    expect(readPrice(priceText(UNKNOWN))).toEqual(UNKNOWN)
  })

  test('says only what does not follow from the rest', () => {
    expect(priceText(priced(1, 2))).toBe('{"kind":"priced","version":"test","rates":{"input":1,"output":2}}')
  })

  test('leaves out the other services and times: it is what one charge was made with', () => {
    const price: Priced = { ...priced(1, 2), services: { flex: priced(3, 4) }, times: [{ price: priced(5, 6) }] }
    expect(priceText(price)).toBe(priceText(priced(1, 2)))
  })

  test('of before there were audio, images and time is read as what it meant', () => {
    const old =
      '{"kind":"priced","rates":{"input":3,"cacheRead":1,"cacheWrite":4,"cacheWriteHour":6,"output":9,"reasoning":9,"request":7},"tiers":[{"above":5,"rates":{"input":8,"cacheRead":8,"cacheWrite":8,"cacheWriteHour":8,"output":8,"reasoning":8,"request":7}}],"version":"genai-prices:gpt-4o"}'
    const price = readPrice(old) as Priced
    expect(price.rates).toMatchObject({
      input: 3,
      cacheRead: 1,
      cacheWriteHour: 6,
      audioInput: 3,
      media: 0,
      request: 7,
    })
    expect(price.tiers[0]?.rates).toMatchObject({ input: 8, imageOutput: 8, image: 0 })
    const used = usage({ input: 1_000_000, cacheRead: 400_000, output: 1_000_000 })
    expect(costOf(price, used)).toBe(8 + 8 + 7)
    expect(readPrice('{"kind":"unknown"}')).toEqual(UNKNOWN)
    expect(readPrice('{}')).toEqual(UNKNOWN)
  })
})
