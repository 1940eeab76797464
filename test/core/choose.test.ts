/** Who is asked: the strategies, and the choice among stages with their breakers. */
import { describe, expect, test } from 'bun:test'
import * as fc from 'fast-check'
import { type Breaker, closed } from '../../src/core/breaker.ts'
import { left, pick, type View } from '../../src/core/pick.ts'
import type { Stage } from '../../src/core/stage.ts'
import type { TargetState } from '../../src/core/state.ts'
import {
  choose as chooseOf,
  hasRoom as hasRoomOf,
  type StrategyName,
  shareOf as shareIn,
} from '../../src/core/strategy.ts'
import type { Target } from '../../src/core/target.ts'
import { NOON, stateWith, target } from './make.ts'

/** A sequence in [0, 1) that is the same each time and even: the golden ratio's multiples. */
function even(): () => number {
  let n = 0
  return () => (n++ * 0.618_033_988_749_895) % 1
}
interface Load {
  requests: number
  tokens: number
}
const idle = (): Load => ({ requests: 0, tokens: 0 })
const WANTED = { input: 1, output: 0 }
const choose = (strategy: StrategyName, all: readonly Target[], loadOf: (t: Target) => Load, random: () => number) =>
  chooseOf(strategy, all, (t) => stateWith(loadOf(t)), WANTED, random, NOON)
const shareOf = (t: Target, load: Load) => shareIn(t, stateWith(load), NOON)
const hasRoom = (t: Target, load: Load, tokens: number) => hasRoomOf(t, stateWith(load), tokens, NOON)

describe('simple-shuffle', () => {
  test('shares come to the weights, whoever has none is left out', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(9), { minLength: 2, maxLength: 6 }),
        fc.constantFrom('weight', 'rpm', 'tpm'),
        (weights, by) => {
          const sum = weights.reduce((a, b) => a + b, 0)
          fc.pre(sum > 0)
          const all = weights.map((w, i) => target({ id: `t${i}`, [by]: w }))
          const times = new Map<string, number>()
          const random = even()
          for (let i = 0; i < 3_000; i++) {
            const { id } = choose('simple-shuffle', all, idle, random)
            times.set(id, (times.get(id) ?? 0) + 1)
          }
          for (const [i, w] of weights.entries()) {
            const share = (times.get(`t${i}`) ?? 0) / 3_000
            if (w === 0) expect(share).toBe(0)
            expect(Math.abs(share - w / sum)).toBeLessThan(0.02)
          }
        },
      ),
      { numRuns: 30 },
    )
  })

  test('without any, all alike; the largest random number still finds somebody', () => {
    const all = ['a', 'b', 'c', 'd'].map((id) => target({ id }))
    const random = even()
    const seen = Array.from({ length: 400 }, () => choose('simple-shuffle', all, idle, random).id)
    for (const { id } of all) expect(seen.filter((s) => s === id).length).toBeGreaterThan(90)
    const weighted = [target({ id: 'a', weight: 0.1 }), target({ id: 'b', weight: 0.2 }), target({ id: 'c' })]
    expect(choose('simple-shuffle', weighted, idle, () => 1 - Number.EPSILON / 2).id).toBe('b')
  })
})

describe('usage-based-routing', () => {
  const load = fc.record({ requests: fc.nat(200), tokens: fc.nat(200_000) })
  const limits = fc.record({ rpm: fc.nat(100), tpm: fc.nat(100_000) })

  test('picks the lowest share of its limits, ties by lot', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(limits, load), { minLength: 1, maxLength: 8 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (given, r) => {
          const all = given.map(([l], i) => target({ id: `t${i}`, ...l }))
          const loadOf = (t: Target) => (given[all.indexOf(t)] as (typeof given)[number])[1]
          const chosen = choose('usage-based-routing', all, loadOf, () => r)
          const lowest = Math.min(...all.map((t) => shareOf(t, loadOf(t))))
          expect(shareOf(chosen, loadOf(chosen))).toBe(lowest)
        },
      ),
    )
  })

  test('a share is the fuller of the two, so that a target is full by either', () => {
    const t = target({ rpm: 10, tpm: 1_000 })
    expect(shareOf(t, { requests: 5, tokens: 900 })).toBe(0.9)
    expect(shareOf(t, { requests: 9, tokens: 100 })).toBe(0.9)
    expect(hasRoom(t, { requests: 9, tokens: 900 }, 100)).toBeTrue()
    expect(hasRoom(t, { requests: 10, tokens: 0 }, 1)).toBeFalse()
    expect(hasRoom(t, { requests: 0, tokens: 901 }, 100)).toBeFalse()
    // A prompt larger than all it can take in a minute still has its turn, in an empty one.
    expect(hasRoom(t, idle(), 5_000)).toBeTrue()
  })

  test('evens out: in the long run each gets its part of the limits', () => {
    const all = [target({ id: 'small', rpm: 10 }), target({ id: 'large', rpm: 30 })]
    const done = new Map(all.map((t) => [t, 0]))
    const random = even()
    for (let i = 0; i < 40; i++) {
      const t = choose('usage-based-routing', all, (x) => ({ requests: done.get(x) as number, tokens: 0 }), random)
      done.set(t, (done.get(t) as number) + 1)
    }
    expect([...done.values()]).toEqual([10, 30])
  })
})

describe('pick', () => {
  const world = fc.record({
    stages: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 }),
    until: fc.array(fc.integer({ min: -10_000, max: 10_000 }), { minLength: 9, maxLength: 9 }),
    probing: fc.array(fc.boolean(), { minLength: 9, maxLength: 9 }),
    tried: fc.array(fc.nat(8)),
  })
  const build = (w: { stages: number[]; until: number[]; probing: boolean[]; tried: number[] }) => {
    let n = 0
    const stages: Stage[] = w.stages.map((size, i) => ({
      alias: `s${i}`,
      targets: Array.from({ length: size }, () => target({ id: `t${n++}` })),
    }))
    const all = stages.flatMap((s) => s.targets)
    const breakers = new Map<Target, Breaker>(
      all.map((t, i) => {
        const until = w.until[i] as number
        return [t, { ...closed(), until: until === 0 ? 0 : NOON + until, probing: w.probing[i] as boolean }]
      }),
    )
    const states = new Map<Target, TargetState>(all.map((t) => [t, stateWith({ breaker: breakers.get(t) as Breaker })]))
    const view: View = { stateOf: (t) => states.get(t) as TargetState }
    return { stages, all, view, tried: new Set(w.tried.map((i) => `t${i}`)), breakers }
  }

  test('nobody twice, the well before the ill, the first stage before the next, and never a refusal while one is left', () => {
    fc.assert(
      fc.property(world, fc.double({ min: 0, max: 0.999, noNaN: true }), (w, r) => {
        const { stages, all, view, tried, breakers } = build(w)
        const found = pick(stages, tried, view, 'simple-shuffle', WANTED, () => r, NOON)
        const untried = all.filter((t) => !tried.has(t.id))
        if (untried.length === 0) {
          expect(found).toBeUndefined()
          expect(left(stages, tried, view, NOON)).toBe(0)
          return
        }
        expect(untried).toContain(found as Target)
        const isWell = (t: Target) => {
          const { until, probing } = breakers.get(t) as Breaker
          return until <= NOON && !(until > 0 && probing)
        }
        const well = untried.filter(isWell)
        expect(left(stages, tried, view, NOON)).toBe(well.length || untried.length)
        if (well.length > 0) {
          expect(isWell(found as Target)).toBeTrue()
          const stage = stages.find((s) => s.targets.some((t) => well.includes(t))) as Stage
          expect(stage.targets).toContain(found as Target)
        } else {
          const soonest = Math.min(...untried.map((t) => (breakers.get(t) as Breaker).until))
          expect((breakers.get(found as Target) as Breaker).until).toBe(soonest)
        }
      }),
      { numRuns: 1_000 },
    )
  })

  test('a full target is passed over for one with room, and asked all the same where nobody has any', () => {
    const [full, free] = [target({ id: 'full', rpm: 1 }), target({ id: 'free', rpm: 1 })]
    const stages = [{ alias: 's', targets: [full, free] }]
    const states = new Map([full, free].map((t) => [t, stateWith({ requests: t === full ? 1 : 0 })]))
    const view: View = { stateOf: (t) => states.get(t) as TargetState }
    const next = (tried: string[]) =>
      pick(stages, new Set(tried), view, 'usage-based-routing', WANTED, () => 0, NOON)?.id
    expect(next([])).toBe('free')
    expect(next(['free'])).toBe('full')
    expect(next(['free', 'full'])).toBeUndefined()
  })
})
