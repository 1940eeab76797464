/** How long a target may be silent, before anybody waits for it. */
import { expect, test } from 'bun:test'
import type { Call } from '../../src/pipeline/call.ts'
import { firstLimit, type Patience } from '../../src/pipeline/patience.ts'
import { policy, snapshot, target } from '../core/make.ts'

const S = 1_000
const timeouts = { connect: 5 * S, firstByte: 60 * S, idle: 600 * S, total: 600 * S }
const cloud = target({ timeouts })
const house = target({ timeouts: { ...timeouts, firstByte: 300 * S }, local: true })

function limit(at: number, given: Partial<Patience>, silent = 0, maxTokens?: number, of = cloud): number {
  const call = {
    startedAt: 0,
    snapshot: snapshot([], { policy: policy({ totalMs: 600 * S }) }),
    wishes: {},
    peek: { maxTokens },
    door: { dialect: { op: 'chat' } },
    failures: Array.from({ length: silent }, () => ({ failure: { kind: 'timeout' } })),
  } as unknown as Call
  return firstLimit(call, of, at, { impatient: false, streams: true, loadMs: 0, ...given }) / S
}

test('a stream has 14 s where somebody else can answer, and else its own time', () => {
  expect(limit(0, { impatient: true })).toBe(14)
  expect(limit(0, { impatient: true }, 0, undefined, house)).toBe(14)
  expect(limit(0, {})).toBe(60)
  expect(limit(0, {}, 0, undefined, house)).toBe(300)
})

test('what is known to load for longer is waited for', () => {
  expect(limit(0, { impatient: true, loadMs: 20 * S }, 0, undefined, house)).toBe(40)
  expect(limit(0, { impatient: true, loadMs: 2 * S }, 0, undefined, house)).toBe(14)
})

test('all targets that are silent have a minute together', () => {
  expect(limit(14 * S, {}, 1)).toBe(46)
  expect(limit(42 * S, {}, 3)).toBe(18)
  expect(limit(14 * S, {}, 1, undefined, house)).toBe(46)
  // A model that has to be loaded first is silent for a good reason.
  expect(limit(14 * S, { loadMs: 5 * S }, 1, undefined, house)).toBe(300)
})

test('a whole answer has half of what is left, or what its tokens can take', () => {
  const whole = { impatient: true, streams: false }
  expect(limit(0, whole)).toBe(300)
  expect(limit(100 * S, whole)).toBe(250)
  expect(limit(0, whole, 0, 100)).toBe(24)
  expect(limit(0, whole, 0, 100_000)).toBe(300)
  expect(limit(100 * S, { streams: false }, 0, 100)).toBe(500)
})
