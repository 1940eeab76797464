import { expect, test } from 'bun:test'
import * as fc from 'fast-check'
import { usage } from '../../src/core/usage.ts'

const FIELDS = ['input', 'cacheRead', 'cacheWrite', 'cacheWriteHour', 'output', 'reasoning'] as const

test('whatever a provider says, parts stay within their whole and nothing is negative', () => {
  const said = fc.oneof(fc.integer(), fc.double(), fc.constant(null), fc.string(), fc.constant(undefined), fc.nat(1e6))
  const anything = fc.record({
    input: said,
    cacheRead: said,
    cacheWrite: said,
    cacheWriteHour: said,
    output: said,
    reasoning: said,
  })
  fc.assert(
    fc.property(anything, (given) => {
      const u = usage(given)
      for (const field of FIELDS) {
        expect(Number.isInteger(u[field])).toBeTrue()
        expect(u[field]).toBeGreaterThanOrEqual(0)
      }
      expect(u.cacheRead + u.cacheWrite + u.cacheWriteHour).toBeLessThanOrEqual(u.input)
      expect(u.reasoning).toBeLessThanOrEqual(u.output)
    }),
    { numRuns: 1_000 },
  )
})

test('what makes sense is left as it was said', () => {
  const whole = { input: 100, cacheRead: 40, cacheWrite: 20, cacheWriteHour: 10, output: 50, reasoning: 30 }
  expect(usage(whole)).toEqual(whole)
  expect(usage({})).toEqual({ input: 0, cacheRead: 0, cacheWrite: 0, cacheWriteHour: 0, output: 0, reasoning: 0 })
})

test('caches that are counted beside the prompt and not within it make the prompt longer, not negative', () => {
  expect(usage({ input: 10, cacheRead: 90 }).input).toBe(90)
  expect(usage({ output: 5, reasoning: 9 }).output).toBe(9)
})
