import { afterEach, describe, expect, test } from 'bun:test'
import * as fc from 'fast-check'
import { type Deadline, Deadlines } from '../../src/pipeline/deadlines.ts'

/** Deadlines whose clock is turned by hand. */
function withClock(start = 1_000) {
  const clock = { now: start }
  const deadlines = new Deadlines(() => clock.now)
  const pass = (ms: number) => {
    clock.now += ms
    deadlines.tick()
  }
  return { clock, deadlines, pass }
}

const made: { deadlines: Deadlines; armed: Deadline[] }[] = []
afterEach(() => {
  for (const { deadlines, armed } of made.splice(0)) for (const d of armed) deadlines.disarm(d)
})

describe('Deadlines', () => {
  test('fires once when its time has passed, and not before', () => {
    const { deadlines, pass } = withClock()
    const fired: number[] = []
    const d = deadlines.arm(1_100, (now) => fired.push(now))
    pass(99)
    expect(fired).toEqual([])
    pass(1)
    expect(fired).toEqual([1_100])
    pass(1_000)
    expect(fired).toEqual([1_100])
    deadlines.disarm(d)
    expect(deadlines.size).toBe(0)
  })

  test('one that is moved fires at its new time, also one that moves itself', () => {
    const { deadlines, pass } = withClock()
    const fired: number[] = []
    const beat = deadlines.arm(1_100, (now) => {
      fired.push(now)
      beat.at = now + 100
    })
    beat.at = 1_200
    for (let i = 0; i < 4; i++) pass(100)
    expect(fired).toEqual([1_200, 1_300, 1_400])
    deadlines.disarm(beat)
  })

  test('one that is disarmed never fires, not even by a neighbour in the same tick', () => {
    const { deadlines, pass } = withClock()
    const fired: string[] = []
    let second: Deadline | undefined
    const first = deadlines.arm(1_050, () => {
      fired.push('first')
      deadlines.disarm(second)
    })
    second = deadlines.arm(1_050, () => fired.push('second'))
    pass(100)
    expect(fired).toEqual(['first'])
    deadlines.disarm(first)
    deadlines.disarm(first)
    deadlines.disarm(undefined)
    expect(deadlines.size).toBe(0)
  })

  test('Infinity rests', () => {
    const { deadlines, pass } = withClock()
    let fired = 0
    const d = deadlines.arm(Number.POSITIVE_INFINITY, () => fired++)
    pass(1e12)
    expect(fired).toBe(0)
    d.at = 5
    pass(1)
    expect(fired).toBe(1)
    deadlines.disarm(d)
  })

  test('any number of them, moved and disarmed at random: each fires when it is due and only then', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('arm' as const), ms: fc.nat(500) }),
      fc.record({ do: fc.constant('move' as const), which: fc.nat(), ms: fc.nat(500) }),
      fc.record({ do: fc.constant('disarm' as const), which: fc.nat() }),
      fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 200 }) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { clock, deadlines, pass } = withClock()
        const live: { d: Deadline; due: number; fired: number; wanted: number }[] = []
        for (const s of steps) {
          const one = 'which' in s ? live[s.which % Math.max(1, live.length)] : undefined
          if (s.do === 'arm') {
            const entry = { due: clock.now + s.ms, fired: 0, wanted: 0 } as (typeof live)[number]
            entry.d = deadlines.arm(entry.due, () => entry.fired++)
            live.push(entry)
          } else if (s.do === 'move' && one) {
            one.due = clock.now + s.ms
            one.d.at = one.due
          } else if (s.do === 'disarm' && one) {
            deadlines.disarm(one.d)
            live.splice(live.indexOf(one), 1)
          } else if (s.do === 'pass') {
            pass(s.ms)
            for (const entry of live) {
              if (entry.due > clock.now) continue
              entry.wanted++
              entry.due = Number.POSITIVE_INFINITY
            }
          }
          for (const entry of live) expect(entry.fired).toBe(entry.wanted)
          expect(deadlines.size).toBe(live.length)
        }
        for (const { d } of live) deadlines.disarm(d)
        expect(deadlines.size).toBe(0)
      }),
    )
  })

  test('on the real clock: at most a tick late, for a thousand at once', async () => {
    const deadlines = new Deadlines(Date.now)
    const late: number[] = []
    const armed = Array.from({ length: 1_000 }, (_, i) => {
      const at = Date.now() + 20 + (i % 150)
      return deadlines.arm(at, (now) => late.push(now - at))
    })
    made.push({ deadlines, armed })
    while (late.length < 1_000) await Bun.sleep(10)
    expect(Math.min(...late)).toBeGreaterThanOrEqual(0)
    // A tick is 50 ms; the rest is for a machine that is busy.
    expect(late.sort((a, b) => a - b)[500]).toBeLessThan(300)
  })
})
