/** Among equals in the house, who has the model ready is asked; whatever the strategy. */
import { expect, test } from 'bun:test'
import { pick } from '../../src/core/pick.ts'
import type { TargetState } from '../../src/core/state.ts'
import type { StrategyName } from '../../src/core/strategy.ts'
import type { Target } from '../../src/core/target.ts'
import { seeded } from '../support/seeded.ts'
import { NOON, stateWith, target } from './make.ts'

const STRATEGIES: readonly StrategyName[] = [
  'simple-shuffle',
  'usage-based-routing',
  'least-busy',
  'latency-based-routing',
  'cost-based-routing',
  'lowest-queue',
  'sticky',
]

interface Given {
  local?: boolean
  waitMs?: number
  loadMs?: number
  spilled?: boolean
  stage?: number
}

/** Who is asked in 60 choices. */
function asked(strategy: StrategyName, given: Record<string, Given>, spillAfterMs?: number): string[] {
  const states = new Map<string, TargetState>()
  const all = Object.entries(given).map(([id, { local = true, stage = 0, ...state }]) => {
    states.set(id, Object.assign(stateWith(), state, { queues: local }))
    return { stage, target: target({ id, local }) }
  })
  const stages = [0, 1].flatMap((stage) => {
    const targets: Target[] = all.filter((one) => one.stage === stage).map((one) => one.target)
    return targets.length > 0 ? [{ alias: 'm', targets }] : []
  })
  const view = { stateOf: (t: Target) => states.get(t.id) as TargetState }
  const random = seeded(7)
  const found = new Set<string>()
  for (let i = 0; i < 60; i++) {
    const wanted = { input: 10, output: 10, affinity: `s${i}`, spillAfterMs }
    found.add(pick(stages, new Set(), view, strategy, wanted, random, NOON)?.id ?? 'nobody')
  }
  return [...found].sort()
}

test.each(STRATEGIES)('%s: a warm one before a cold one, unless the wait is longer than loading', (strategy) => {
  expect(asked(strategy, { warm: {}, cold: { loadMs: 5_000 } })).toEqual(['warm'])
  expect(asked(strategy, { warm: { waitMs: 4_000 }, cold: { loadMs: 5_000 } })).toEqual(['warm'])
  expect(asked(strategy, { warm: { waitMs: 6_000 }, cold: { loadMs: 5_000 } })).toContain('cold')
  expect(asked(strategy, { a: {}, b: {} })).toEqual(['a', 'b'])
  expect(asked(strategy, { a: { loadMs: 1 }, b: { loadMs: 1 } })).toEqual(['a', 'b'])
})

test.each(STRATEGIES)('%s: one that spilled its model is asked last, and alone all the same', (strategy) => {
  expect(asked(strategy, { whole: {}, half: { spilled: true } })).toEqual(['whole'])
  expect(asked(strategy, { cold: { loadMs: 5_000 }, half: { spilled: true } })).toEqual(['cold'])
  expect(asked(strategy, { half: { spilled: true }, other: { spilled: true } })).toEqual(['half', 'other'])
})

test('what is not in the house is not left out for being neither', () => {
  expect(asked('simple-shuffle', { warm: {}, cold: { loadMs: 9 }, cloud: { local: false } })).toEqual(['cloud', 'warm'])
})

test('a machine whose queue is too long is passed over for the next stage, and asked where there is none', () => {
  const full = { waitMs: 11_000 }
  const cloud = { local: false, stage: 1 }
  expect(asked('simple-shuffle', { full, cloud }, 10_000)).toEqual(['cloud'])
  expect(asked('simple-shuffle', { full: { waitMs: 9_000 }, cloud }, 10_000)).toEqual(['full'])
  expect(asked('simple-shuffle', { full, cloud })).toEqual(['full'])
  expect(asked('simple-shuffle', { full, other: full }, 10_000)).toEqual(['full'])
})
