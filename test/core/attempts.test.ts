import { expect, test } from 'bun:test'
import { type Attempts, afterFailure, waitLeft } from '../../src/core/attempts.ts'

const RULES = { free: 3, windowMs: 60_000, waitMs: 1_000, longestMs: 30_000 }

test('some are free, then each wait is twice the last one, and none is too long', () => {
  let attempts: Attempts | undefined
  const waits: number[] = []
  let now = 0
  for (let i = 0; i < 12; i++) {
    attempts = afterFailure(attempts, now, RULES)
    waits.push(waitLeft(attempts, now))
    now = attempts.until
  }
  expect(waits).toEqual([0, 0, 0, 1, 2, 4, 8, 16, 30, 30, 30, 30].map((s) => s * 1_000))
})

test('who waits has less to wait, and nothing in the end', () => {
  let attempts: Attempts | undefined
  for (let i = 0; i < 5; i++) attempts = afterFailure(attempts, 0, RULES)
  expect([0, 500, 1_999, 2_000, 9_000].map((now) => waitLeft(attempts, now))).toEqual([2_000, 1_500, 1, 0, 0])
  expect(waitLeft(undefined, 5)).toBe(0)
})

test('who fails no more is forgiven after the window', () => {
  let attempts: Attempts | undefined
  for (let i = 0; i < 10; i++) attempts = afterFailure(attempts, 0, RULES)
  // The wait itself does not count towards it.
  expect(afterFailure(attempts, 30_000 + 60_000, RULES).fails).toBe(11)
  expect(afterFailure(attempts, 30_000 + 60_001, RULES)).toEqual({ fails: 1, lastAt: 90_001, until: 90_001 })
})

test('millions of failures do not overflow', () => {
  const many = afterFailure({ fails: 5_000_000, lastAt: 0, until: 0 }, 1, RULES)
  expect([many.fails, many.until]).toEqual([5_000_001, 30_001])
})
