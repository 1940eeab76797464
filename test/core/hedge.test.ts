/** When a second target is asked: quantiles of what was measured, and what hedging does to a tail, in simulation. */
import { describe, expect, test } from 'bun:test'
import { type HedgeRules, Hedging } from '../../src/core/hedge.ts'
import { Tail } from '../../src/core/tail.ts'
import { seeded } from '../support/seeded.ts'
import { NOON } from './make.ts'

describe('a tail', () => {
  test('says nothing of what it has hardly seen', () => {
    const tail = new Tail()
    for (let i = 0; i < 9; i++) tail.observe(NOON, 100)
    expect(tail.quantile(NOON, 0.95)).toBeUndefined()
    for (let i = 0; i < 3; i++) tail.observe(NOON, 100)
    expect(tail.quantile(NOON, 0.95)).toBeDefined()
  })

  test.each([0.5, 0.9, 0.95, 0.99])(
    'says of its quantile %p at most a tenth too much, from 1 ms to minutes',
    (share) => {
      const random = seeded(7)
      const tail = new Tail()
      const all: number[] = []
      for (let i = 0; i < 5_000; i++) {
        const ms = Math.exp(random() * Math.log(300_000))
        all.push(ms)
        tail.observe(NOON + i, ms)
      }
      const exact = all.sort((a, b) => a - b)[Math.floor(share * all.length)] as number
      const said = tail.quantile(NOON + 5_000, share) as number
      expect(said).toBeGreaterThan(exact * 0.99)
      expect(said).toBeLessThan(exact * 1.11)
    },
  )

  test('forgets: what was slow half an hour ago is fast now', () => {
    const tail = new Tail()
    for (let i = 0; i < 100; i++) tail.observe(NOON, 10_000)
    expect(tail.quantile(NOON, 0.95)).toBeGreaterThan(9_000)
    const later = NOON + 1_800_000
    expect(tail.quantile(later, 0.95)).toBeUndefined()
    for (let i = 0; i < 100; i++) tail.observe(later, 100)
    expect(tail.quantile(later, 0.95)).toBeLessThan(112)
  })

  test('stays exact for months', () => {
    const tail = new Tail()
    for (let day = 0; day < 90; day++)
      for (let i = 0; i < 50; i++) tail.observe(NOON + day * 86_400_000 + i * 1_000, day + 100)
    expect(tail.quantile(NOON + 89 * 86_400_000 + 50_000, 0.5)).toBeGreaterThan(180)
  })
})

/** Requests one after another, 200 ms apart, at two targets that are slow now and then, each by itself. */
function simulate(rules: HedgeRules | undefined, slowShare: number, requests = 20_000) {
  const random = seeded(11)
  const drawn = (): number => (random() < slowShare ? 2_000 + random() * 4_000 : 100 + random() * 200)
  const hedging = new Hedging()
  const took: number[] = []
  let second = 0
  for (let i = 0; i < requests; i++) {
    const now = NOON + i * 200
    const first = drawn()
    const other = drawn()
    let ms = first
    if (rules) {
      hedging.earn(rules)
      const after = hedging.after(rules, true, now)
      if (after !== undefined && first > after && hedging.spend()) {
        second++
        ms = Math.min(first, after + other)
      }
      hedging.observe(now + ms, true, ms)
    }
    took.push(ms)
  }
  took.sort((a, b) => a - b)
  const at = (share: number) => took[Math.floor(share * requests)] as number
  return { p50: at(0.5), p99: at(0.99), share: second / requests }
}

describe('in simulation', () => {
  const rules: HedgeRules = { after: 'p95', most: 0.1 }

  test('one in thirty is slow: the slowest hundredth is five times as fast, and the others as ever', () => {
    const without = simulate(undefined, 0.033)
    const hedged = simulate(rules, 0.033)
    expect(hedged.p99).toBeLessThan(without.p99 / 5)
    expect(hedged.p50).toBeLessThan(without.p50 * 1.05)
    expect(hedged.share).toBeLessThan(0.07)
  })

  test('all are slow: no more than the share is asked twice', () => {
    for (const most of [0.02, 0.05, 0.2]) {
      const { share } = simulate({ after: 1_000, most }, 1)
      expect(share).toBeLessThanOrEqual(most)
      expect(share).toBeGreaterThan(most * 0.95)
    }
  })
})
