import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { distance, nearest } from '../../src/config/nearest.ts'

test('distance is a metric where it can be, and bounded by the longer word', () => {
  const word = fc.string({ maxLength: 12 })
  fc.assert(
    fc.property(word, word, (a, b) => {
      expect(distance(a, b)).toBe(distance(b, a))
      expect(distance(a, b) === 0).toBe(a === b)
      expect(distance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length))
      expect(distance(a, b)).toBeGreaterThanOrEqual(Math.abs(a.length - b.length))
    }),
  )
})

test('slips that people make', () => {
  const words = ['model', 'api_base', 'api_key', 'temperature', 'routing_strategy']
  for (const [said, meant] of [
    ['modle', 'model'],
    ['apiBase', 'api_base'],
    ['API-KEY', 'api_key'],
    ['temp', 'temperature'],
    ['routing', 'routing_strategy'],
  ] as const)
    expect(nearest(said, words)).toBe(meant)
})

test('what is far is not proposed', () => {
  for (const said of ['', 'x', 'banana', 'a'.repeat(10_000)])
    expect(nearest(said, ['model', 'api_base'])).toBeUndefined()
})
