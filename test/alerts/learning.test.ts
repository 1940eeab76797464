/** What is usual of a key: quiet until enough is known, by hour of the week, and not to be fooled by silence. */
import { describe, expect, test } from 'bun:test'
import { average, baseline, learn, noMemory } from '../../src/core/alert/baseline.ts'
import { Sliding } from '../../src/core/alert/sliding.ts'

const of = (requests: number, cost = 0) => ({ requests_per_hour: requests, tokens_per_hour: 0, hourly_cost: cost })
const START = 490_000
/** Busy from nine to five on five days of seven. */
const isBusy = (hour: number) => hour % 24 >= 9 && hour % 24 < 17 && Math.floor(hour / 24) % 7 < 5

const weeks = (n: number) => {
  const memory = noMemory(START)
  for (let hour = START; hour < START + n * 168; hour++) if (isBusy(hour)) learn(memory, hour, of(100, 2))
  // The hour that is under way has not been learnt.
  learn(memory, START + n * 168 - 1, of(isBusy(START + n * 168 - 1) ? 100 : 0))
  return memory
}

test('it says nothing until it knows enough', () => {
  const memory = noMemory(START)
  for (let hour = START; hour < START + 71; hour++) learn(memory, hour, of(50))
  expect(baseline(memory, 'requests_per_hour', START + 71)).toBeUndefined()
  expect(average(memory, 'requests_per_hour')).toBeUndefined()
  learn(memory, START + 71, of(50))
  expect(baseline(memory, 'requests_per_hour', START + 72)).toBeCloseTo(50, 6)
  expect(baseline(undefined, 'requests_per_hour', START)).toBeUndefined()
})

test('after two weeks each hour of the week has its own', () => {
  const memory = weeks(2)
  const hours = Array.from({ length: 168 }, (_, i) => START + 2 * 168 + i)
  const busy = hours.filter(isBusy).map((hour) => baseline(memory, 'requests_per_hour', hour) as number)
  const quiet = hours
    .filter((hour) => !isBusy(hour))
    .map((hour) => baseline(memory, 'requests_per_hour', hour) as number)
  expect(Math.min(...busy)).toBeCloseTo(100, 6)
  // Never less than the least that is worth a word.
  expect(Math.max(...quiet)).toBe(6)
})

test('hours without a request count as what they were', () => {
  const memory = weeks(1)
  expect(average(memory, 'requests_per_hour')).toBeCloseTo((100 * 40) / 168, 0)
  expect(average(memory, 'hourly_cost')).toBeCloseTo((2 * 40) / 168, 1)
})

test('habits change: four weeks of another one are the new one', () => {
  const memory = noMemory(START)
  for (let hour = START; hour < START + 6 * 168; hour++) learn(memory, hour, of(10))
  for (let hour = START + 6 * 168; hour < START + 16 * 168; hour++) learn(memory, hour, of(1_000))
  expect(baseline(memory, 'requests_per_hour', START + 16 * 168)).toBeGreaterThan(900)
})

test('a year of silence is gone through at once, and what is learnt twice counts once', () => {
  const memory = noMemory(START)
  learn(memory, START, of(100))
  const began = performance.now()
  learn(memory, START + 365 * 24, of(100))
  expect(performance.now() - began).toBeLessThan(1_000)
  const before = JSON.stringify(memory)
  learn(memory, START + 365 * 24, of(1_000_000))
  expect(JSON.stringify(memory)).toBe(before)
})

describe('a window that moves', () => {
  test('what is older than it has gone', () => {
    const window = new Sliding(60_000)
    const t = 1_700_000_000_000
    for (let i = 0; i < 10; i++) window.add(t + i * 1_000, 1)
    expect(window.sum(t + 10_000)).toBe(10)
    expect(window.sum(t + 64_000)).toBe(5)
    expect(window.sum(t + 70_001)).toBe(0)
    window.add(t + 10_000_000, 3)
    expect(window.sum(t + 10_000_000)).toBe(3)
  })
  test('against every sum that was counted by hand', () => {
    const window = new Sliding(6_000)
    const seen: [number, number][] = []
    let at = 1_700_000_000_000
    for (let i = 0; i < 5_000; i++) {
      at += (i * 7_919) % 350
      window.add(at, i % 5)
      seen.push([at, i % 5])
      const low = seen.filter(([when]) => when > at - 5_900).reduce((sum, [, n]) => sum + n, 0)
      const high = seen.filter(([when]) => when > at - 6_100).reduce((sum, [, n]) => sum + n, 0)
      const sum = window.sum(at)
      if (sum < low || sum > high) throw new Error(`${i}: ${sum} is not between ${low} and ${high}`)
      while (seen.length > 200) seen.shift()
    }
  })
})
