/** The counters of all scopes: callers can name any number of customers, and memory stays bounded. */
import { expect, test } from 'bun:test'
import { AllCounters, releaseLimits, takeLimits } from '../../src/core/limit.ts'

const NOW = 1_800_000_000_000

test('what nobody asked for in more than a minute is let go, what is in use is not', () => {
  const all = new AllCounters()
  const limits = { rpm: 1, parallel: 1 }
  const take = (scope: string, now: number) =>
    takeLimits([{ scope, limits, counters: all.of(scope, now) }], 1, now, { day: 0, end: Number.POSITIVE_INFINITY })
  const busy = take('busy', NOW)
  for (let i = 0; i < 9_000; i++) all.of(`old-${i}`, NOW)
  const recent = NOW + 50_000
  take('recent', recent)
  for (let i = 0; i < 2_000; i++) all.of(`new-${i}`, NOW + 70_000 + i)
  expect(all.size).toBeLessThan(3_000)
  // It still counts.
  expect(take('recent', NOW + 71_000)).toMatchObject({ what: 'parallel requests' })
  expect(take('busy', NOW + 71_000)).toMatchObject({ what: 'parallel requests', used: 1 })
  if ('what' in busy) throw new Error('it was refused')
  releaseLimits(busy, 1, NOW + 72_000)
  expect('what' in take('busy', NOW + 73_000)).toBeFalse()
})

test('where all are in use there is nothing to let go, and it is not tried at every step', () => {
  const all = new AllCounters()
  for (let i = 0; i < 30_000; i++) all.of(`s-${i}`, NOW)
  expect(all.size).toBe(30_000)
})
