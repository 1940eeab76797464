import { describe, expect, test } from 'bun:test'
import * as fc from 'fast-check'
import type { Failure, FailureKind } from '../../src/core/failure.ts'
import { next, type Situation } from '../../src/core/retry.ts'

const KINDS: FailureKind[] = [
  'rate_limited',
  'overloaded',
  'server',
  'timeout',
  'unreachable',
  'bad_reply',
  'context',
  'content_filter',
  'caller',
  'auth',
  'not_found',
  'cancelled',
]
const failure = (kind: FailureKind, retryAfterMs?: number): Failure => ({ kind, status: 0, message: '', retryAfterMs })
const situation = (given: Partial<Situation> & { failure: Failure }): Situation => ({
  here: 1,
  all: 1,
  others: 0,
  retries: 2,
  maxAttempts: 4,
  leastWaitMs: 0,
  leftMs: 600_000,
  random: () => 0.5,
  ...given,
})

const anyKind = fc.constantFrom(...KINDS)
const anyFailure = fc
  .tuple(anyKind, fc.option(fc.nat(200_000), { nil: undefined }))
  .map(([kind, ms]) => failure(kind, ms))

/** A whole operation: what each attempt fails with is given, and the clock stands still but for the waits. */
function operate(targets: number, retries: number, maxAttempts: number, totalMs: number, failures: readonly Failure[]) {
  const made: { target: number; failure: Failure }[] = []
  let [target, here, waited] = [0, 0, 0]
  for (;;) {
    const failed = failures[made.length % failures.length] as Failure
    made.push({ target, failure: failed })
    here++
    const verdict = next({
      failure: failed,
      here,
      all: made.length,
      others: targets - target - 1,
      leastWaitMs: 0,
      retries,
      maxAttempts,
      leftMs: totalMs - waited,
      random: () => 0.5,
    })
    if (verdict.kind === 'stop' || made.length > 1_000) return { made, waited }
    if (verdict.kind === 'again') waited += verdict.waitMs
    else {
      target++
      here = 0
    }
  }
}

test('one budget for the whole operation: never more attempts or time than it has (litellm#25285)', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 6 }),
      fc.nat(10),
      fc.integer({ min: 1, max: 8 }),
      fc.nat(120_000),
      fc.array(anyFailure, { minLength: 1, maxLength: 12 }),
      (targets, retries, maxAttempts, totalMs, failures) => {
        const { made, waited } = operate(targets, retries, maxAttempts, totalMs, failures)
        expect(made.length).toBeLessThanOrEqual(maxAttempts)
        expect(waited).toBeLessThanOrEqual(totalMs)
        for (let target = 0; target < targets; target++)
          expect(made.filter((m) => m.target === target).length).toBeLessThanOrEqual(retries + 1)
      },
    ),
    { numRuns: 1_000 },
  )
})

test("a caller's mistake, a refusal for what it says, a caller who left: the end, whoever else is there", () => {
  for (const kind of ['caller', 'content_filter', 'cancelled'] as const)
    fc.assert(
      fc.property(fc.nat(5), fc.nat(5), (others, retries) => {
        expect(next(situation({ failure: failure(kind), others, retries }))).toEqual({ kind: 'stop' })
      }),
    )
})

test('what asking again cannot change is never asked again there', () => {
  fc.assert(
    fc.property(fc.constantFrom('context', 'auth', 'not_found', 'timeout'), fc.nat(3), (kind, others) => {
      expect(next(situation({ failure: failure(kind), others, retries: 9 })).kind).toBe(others > 0 ? 'next' : 'stop')
    }),
  )
})

test('a prompt too long is passed on to whoever is left', () => {
  expect(next(situation({ failure: failure('context'), others: 1 }))).toEqual({ kind: 'next' })
  expect(next(situation({ failure: failure('context') }))).toEqual({ kind: 'stop' })
})

describe('waiting', () => {
  test('never shorter than Retry-After, and never long: somebody else, or the end', () => {
    fc.assert(
      fc.property(
        anyFailure,
        fc.integer({ min: 1, max: 5 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (f, here, r) => {
          const verdict = next(situation({ failure: f, here, retries: 9, maxAttempts: 99, random: () => r }))
          if (verdict.kind !== 'again') return
          expect(verdict.waitMs).toBeGreaterThanOrEqual(f.retryAfterMs ?? 0)
          expect(verdict.waitMs).toBeLessThanOrEqual(15_000)
          expect(verdict.waitMs).toBeGreaterThan(0)
        },
      ),
      { numRuns: 1_000 },
    )
  })

  test('Retry-After: 0 still backs off', () => {
    expect(next(situation({ failure: failure('rate_limited', 0) }))).toEqual({ kind: 'again', waitMs: 200 })
  })

  test('doubles from a fifth of a second to four', () => {
    const waits = [1, 2, 3, 4, 5, 6, 7].map((here) =>
      next(situation({ failure: failure('server'), here, retries: 9, maxAttempts: 99 })),
    )
    expect(waits.map((w) => (w.kind === 'again' ? w.waitMs : w.kind))).toEqual([200, 400, 800, 1600, 3200, 4000, 4000])
  })

  test('two minutes are not waited for: the next target, or the end', () => {
    const long = failure('rate_limited', 120_000)
    expect(next(situation({ failure: long, others: 1 }))).toEqual({ kind: 'next' })
    expect(next(situation({ failure: long }))).toEqual({ kind: 'stop' })
  })
})

test('a blip is tried once more where it happened, then elsewhere', () => {
  expect(next(situation({ failure: failure('server'), others: 1 })).kind).toBe('again')
  expect(next(situation({ failure: failure('server'), others: 1, here: 2, all: 2 })).kind).toBe('next')
  // Where the attempts would not reach everybody, they are not spent on one.
  expect(next(situation({ failure: failure('server'), others: 3 })).kind).toBe('next')
})

test('who is away or full is not waited for where another can answer', () => {
  for (const kind of ['unreachable', 'rate_limited'] as const) {
    expect(next(situation({ failure: failure(kind), others: 1 })).kind).toBe('next')
    expect(next(situation({ failure: failure(kind) })).kind).toBe('again')
  }
})

test('what the operator says of a class goes before everything else, within the budget of the operation', () => {
  for (const kind of KINDS.filter((k) => k !== 'cancelled')) {
    const again = next(situation({ failure: failure(kind), ofClass: 2, here: 2, all: 2 }))
    expect([kind, again.kind]).toEqual([kind, 'again'])
    const over = next(situation({ failure: failure(kind), ofClass: 2, here: 3, all: 3, others: 1 }))
    // What is wrong for everybody is not asked elsewhere.
    expect([kind, over.kind]).toEqual([kind, kind === 'caller' || kind === 'content_filter' ? 'stop' : 'next'])
    expect(next(situation({ failure: failure(kind), ofClass: 9, all: 4 })).kind).toBe('stop')
    expect(next(situation({ failure: failure(kind), ofClass: 0, others: 0 })).kind).toBe('stop')
  }
  expect(next(situation({ failure: failure('cancelled'), ofClass: 5 })).kind).toBe('stop')
})

test('another attempt at the same target waits as long as the operator says', () => {
  const verdict = next(situation({ failure: failure('server'), leastWaitMs: 3_000 }))
  expect(verdict).toEqual({ kind: 'again', waitMs: 3_000 })
})
