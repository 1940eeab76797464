import { describe, expect, test } from 'bun:test'
import * as fc from 'fast-check'
import { Experience, estimate } from '../../src/core/estimate.ts'

describe('Experience', () => {
  test('knows nothing at first: four bytes a token, one token of answer', () => {
    const e = new Experience()
    expect(e.likelyInput(400)).toBe(100)
    expect(e.likelyInput(1)).toBe(1)
    expect(e.leastOutput()).toBe(1)
  })

  test('goes by the densest of the last sixteen prompts and the shortest answer', () => {
    const e = new Experience()
    e.observe(1_000, 500, 40)
    for (let i = 0; i < 14; i++) e.observe(1_000, 100, 60)
    expect(e.likelyInput(2_000)).toBe(1_000)
    expect(e.leastOutput()).toBe(40)
    e.observe(1_000, 100, 60)
    e.observe(1_000, 100, 60)
    expect(e.likelyInput(2_000)).toBe(200)
    expect(e.leastOutput()).toBe(60)
  })

  test('the same request again is expected to be exactly what it was', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100_000_000 }),
        fc.double({ min: 0.001, max: 1, noNaN: true }),
        (bytes, f) => {
          const input = Math.max(1, Math.floor(bytes * f))
          const e = new Experience()
          e.observe(bytes, input, 10)
          expect(e.likelyInput(bytes)).toBe(input)
        },
      ),
      { numRuns: 1_000 },
    )
  })

  test('an answer without usage teaches nothing', () => {
    const e = new Experience()
    e.observe(0, 10, 10)
    e.observe(10, 0, 10)
    expect(e.likelyInput(400)).toBe(100)
  })
})

describe('estimate', () => {
  const count = fc.integer({ min: 1, max: 1_000_000 })
  const maybe = fc.option(count, { nil: undefined })

  test('the likely is within the most, and every answer that is asked for has a token at least', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(count, count, count), { maxLength: 20 }),
        count,
        maybe,
        fc.integer({ min: 1, max: 8 }),
        fc.record({ contextTokens: maybe, maxOutputTokens: maybe }),
        (seen, bytes, asked, n, sizes) => {
          const e = new Experience()
          for (const [b, input, output] of seen) e.observe(b, input, output)
          const { inputMost, inputLikely, outputMost, outputLeast } = estimate(e, bytes, asked, n, sizes)
          expect(inputLikely).toBeLessThanOrEqual(inputMost)
          expect(inputMost).toBeLessThanOrEqual(Math.min(bytes, sizes.contextTokens ?? bytes))
          expect(outputLeast).toBeLessThanOrEqual(outputMost)
          // Cut to less, an answer of n would be asked for with a limit of 0 tokens each.
          expect(outputLeast).toBeGreaterThanOrEqual(n)
          if (asked !== undefined) expect(outputMost).toBeLessThanOrEqual(asked * n)
        },
      ),
    )
  })

  test('embeddings have no answer to pay for', () => {
    expect(estimate(new Experience(), 100, 0, 1, {})).toMatchObject({ outputMost: 0, outputLeast: 0 })
  })

  test('a model that nobody describes is expected to write at length', () => {
    expect(estimate(new Experience(), 100, undefined, 2, {}).outputMost).toBe(65_536)
    expect(estimate(new Experience(), 100, undefined, 1, { contextTokens: 4_096 }).outputMost).toBe(4_096)
  })
})
