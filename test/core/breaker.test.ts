import { describe, expect, test } from 'bun:test'
import * as fc from 'fast-check'
import {
  type Breaker,
  closed,
  isOpen,
  onDown,
  onFailure,
  onNeutral,
  onSend,
  onSuccess,
  onWell,
} from '../../src/core/breaker.ts'
import type { FailureKind } from '../../src/core/failure.ts'
import { NOON } from './make.ts'

const RULES = { allowedFails: 3, cooldownMs: 5_000 }

/** A request that fails at `now`. */
function fail(breaker: Breaker, kind: FailureKind, now: number, retryAfterMs?: number, others = true): void {
  onSend(breaker)
  onFailure(breaker, { kind, status: 0, message: '', retryAfterMs }, RULES, others, now)
}

describe('opening', () => {
  test('after more failures in a minute than are allowed', () => {
    const b = closed()
    for (let i = 0; i < 3; i++) fail(b, 'server', NOON + i)
    expect(isOpen(b, NOON + 3)).toBeFalse()
    fail(b, 'server', NOON + 4)
    expect(isOpen(b, NOON + 5)).toBeTrue()
    expect(isOpen(b, NOON + 4 + 5_000)).toBeFalse()
  })

  test('not when the failures lie apart, or a success between them', () => {
    const b = closed()
    for (let i = 0; i < 20; i++) fail(b, 'server', NOON + i * 61_000)
    expect(isOpen(b, NOON + 20 * 61_000)).toBeFalse()
    for (let i = 0; i < 20; i++) {
      fail(b, 'server', NOON + 2_000_000 + i)
      onSend(b)
      onSuccess(b)
    }
    expect(isOpen(b, NOON + 2_000_020)).toBeFalse()
  })

  test('at once for a target that is silent or not there, or that is ours to mend', () => {
    for (const kind of ['timeout', 'unreachable', 'auth', 'not_found'] as const) {
      const b = closed()
      fail(b, kind, NOON)
      expect(isOpen(b, NOON + 1)).toBeTrue()
      expect(b.reason).toBe(kind)
    }
  })

  test("never for a caller's mistake, a prompt too long, a refusal or a caller who left", () => {
    const kinds: FailureKind[] = ['caller', 'context', 'content_filter', 'cancelled']
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...kinds), fc.nat(1_000)), { maxLength: 50 }), (all) => {
        const b = closed()
        let now = NOON
        for (const [kind, ms] of all) {
          now += ms
          fail(b, kind, now)
          expect(isOpen(b, now)).toBeFalse()
        }
      }),
    )
  })

  test('for as long as a 429 says, up to a minute; alone and without a date, not at all', () => {
    const b = closed()
    fail(b, 'rate_limited', NOON, 30_000)
    expect([isOpen(b, NOON + 29_999), isOpen(b, NOON + 30_000)]).toEqual([true, false])
    const long = closed()
    fail(long, 'rate_limited', NOON, 3_600_000)
    expect([isOpen(long, NOON + 59_999), isOpen(long, NOON + 60_000)]).toEqual([true, false])
    const alone = closed()
    fail(alone, 'rate_limited', NOON, undefined, false)
    expect(isOpen(alone, NOON)).toBeFalse()
  })
})

describe('healing', () => {
  test('half open: one request tries, the others go elsewhere until it is back', () => {
    const b = closed()
    fail(b, 'unreachable', NOON)
    const later = NOON + 5_000
    expect(isOpen(b, later)).toBeFalse()
    onSend(b)
    expect(isOpen(b, later)).toBeTrue()
    onSuccess(b)
    expect(isOpen(b, later)).toBeFalse()
    expect(b).toEqual({ ...closed(), since: b.since })
  })

  test('a try that says nothing of the target lets the next one try', () => {
    const b = closed()
    fail(b, 'unreachable', NOON)
    onSend(b)
    onNeutral(b)
    expect(isOpen(b, NOON + 5_000)).toBeFalse()
    onSend(b)
    onFailure(b, { kind: 'caller', status: 400, message: '' }, RULES, true, NOON + 5_000)
    expect(isOpen(b, NOON + 5_000)).toBeFalse()
  })

  test('one failure of a try is enough to shut it again', () => {
    const b = closed()
    for (let i = 0; i < 4; i++) fail(b, 'server', NOON)
    fail(b, 'server', NOON + 5_000)
    expect(isOpen(b, NOON + 5_000 + 9_999)).toBeTrue()
    expect(isOpen(b, NOON + 5_000 + 10_000)).toBeFalse()
  })

  test('a try that fails shuts it longer, but whoever is well again is asked within 30 s', () => {
    const b = closed()
    let now = NOON
    const rests: number[] = []
    for (let i = 0; i < 10; i++) {
      fail(b, 'server', now)
      fail(b, 'unreachable', now)
      rests.push(b.until - now)
      now = b.until
    }
    expect(rests[0]).toBe(5_000)
    for (const [i, rest] of rests.entries()) {
      expect(rest).toBeLessThanOrEqual(30_000)
      if (i > 0) expect(rest).toBeGreaterThanOrEqual(rests[i - 1] as number)
    }
  })

  test('whatever happened, it is closed a minute later at the latest, unless somebody is trying', () => {
    const kinds: FailureKind[] = ['server', 'timeout', 'rate_limited', 'auth', 'caller', 'overloaded', 'bad_reply']
    const life = fc.array(
      fc.tuple(fc.constantFrom(...kinds, 'ok' as const), fc.nat(20_000), fc.option(fc.nat(7_200_000)), fc.boolean()),
      { maxLength: 60 },
    )
    fc.assert(
      fc.property(life, (all) => {
        const b = closed()
        let now = NOON
        for (const [what, ms, retryAfter, others] of all) {
          now += ms
          if (what === 'ok') {
            onSend(b)
            onSuccess(b)
          } else fail(b, what, now, retryAfter ?? undefined, others)
          expect(b.probing).toBeFalse()
        }
        expect(isOpen(b, now + 60_000)).toBeFalse()
      }),
    )
  })
})

test('what the operator allows of a class goes before everything else; no cooldown, no open breaker', () => {
  const failed = (kind: FailureKind) => ({ kind, status: 0, message: '', retryAfterMs: undefined })
  const rules = { ...RULES, allowedOf: { Timeout: 2, Default: 0 } }
  const slow = closed()
  for (let i = 0; i < 2; i++) onFailure(slow, failed('timeout'), rules, true, NOON + i)
  expect(isOpen(slow, NOON + 3)).toBeFalse()
  onFailure(slow, failed('timeout'), rules, true, NOON + 4)
  expect(isOpen(slow, NOON + 5)).toBeTrue()
  const broken = closed()
  onFailure(broken, failed('server'), rules, true, NOON)
  expect(isOpen(broken, NOON + 1)).toBeTrue()
  const left = closed()
  onFailure(left, failed('cancelled'), rules, true, NOON)
  expect(isOpen(left, NOON + 1)).toBeFalse()
  const never = closed()
  for (let i = 0; i < 50; i++) onFailure(never, failed('unreachable'), { ...rules, cooldownMs: 0 }, true, NOON + i)
  expect(isOpen(never, NOON + 50)).toBeFalse()
})

describe('found by a check', () => {
  test('down: nobody is sent there until the next one should have been; well: at once', () => {
    const b = closed()
    expect(onDown(b, NOON + 30_000)).toBeTrue()
    expect(onDown(b, NOON + 20_000)).toBeFalse()
    expect([isOpen(b, NOON + 29_999), isOpen(b, NOON + 30_000)]).toEqual([true, false])
    expect(onWell(b)).toBeTrue()
    expect(isOpen(b, NOON)).toBeFalse()
    expect(onWell(b)).toBeFalse()
  })

  test('well: lets in who could not be reached or had a bad key, and nobody who fails his requests', () => {
    for (const [kind, back] of [
      ['unreachable', true],
      ['auth', true],
      ['server', false],
      ['timeout', false],
      ['rate_limited', false],
    ] as const) {
      const b = closed()
      for (let i = 0; i < 4; i++) fail(b, kind, NOON + i)
      expect([kind, isOpen(b, NOON + 5)]).toEqual([kind, true])
      expect([kind, onWell(b), isOpen(b, NOON + 5)]).toEqual([kind, back, !back])
    }
  })
})
