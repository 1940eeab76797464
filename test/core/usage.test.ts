import { expect, test } from 'bun:test'
import * as fc from 'fast-check'
import { NO_USAGE, type Usage, usage } from '../../src/core/usage.ts'

const FIELDS = Object.keys(NO_USAGE) as (keyof Usage)[]

test('whatever a provider says, parts stay within their whole and nothing is negative', () => {
  const said = fc.oneof(fc.integer(), fc.double(), fc.constant(null), fc.string(), fc.constant(undefined), fc.nat(1e6))
  const anything = fc.record(
    Object.fromEntries(FIELDS.map((field) => [field, said])) as Record<keyof Usage, typeof said>,
  )
  fc.assert(
    fc.property(anything, (given) => {
      const u = usage(given)
      for (const field of FIELDS) {
        expect(Number.isInteger(u[field])).toBeTrue()
        expect(u[field]).toBeGreaterThanOrEqual(0)
      }
      expect(u.cacheRead + u.cacheWrite + u.cacheWriteHour + u.audioInput).toBeLessThanOrEqual(u.input)
      expect(u.reasoning + u.audioOutput).toBeLessThanOrEqual(u.output)
    }),
    { numRuns: 1_000 },
  )
})

test('what makes sense is left as it was said', () => {
  const whole: Usage = {
    ...{ input: 100, cacheRead: 40, cacheWrite: 20, cacheWriteHour: 10, audioInput: 5 },
    ...{ imageInput: 6, audioRead: 8, imageRead: 9, imageOutput: 3 },
    ...{ output: 50, reasoning: 30, audioOutput: 7 },
    ...{ images: 1, mediaMs: 2, gpuMs: 3, characters: 4, searches: 5 },
  }
  expect(usage(whole)).toEqual(whole)
  expect(usage({})).toEqual(NO_USAGE)
})

test('caches that are counted beside the prompt and not within it make the prompt longer, not negative', () => {
  expect(usage({ input: 10, cacheRead: 90 }).input).toBe(90)
  expect(usage({ input: 10, cacheRead: 90, audioInput: 20 }).input).toBe(110)
  expect(usage({ output: 5, reasoning: 9 }).output).toBe(9)
})
