import { describe, expect, test } from 'bun:test'
import * as fc from 'fast-check'
import type { Estimate } from '../../src/core/estimate.ts'
import { type Account, type Ask, decide, openAccount, roll, settle, take } from '../../src/core/ledger.ts'
import { parsePeriod } from '../../src/core/period.ts'
import { FREE, worstCost } from '../../src/core/price.ts'
import { anyPrice, NOON, priced } from './make.ts'

/** $1 a million both ways: a token is 1,000 nano-dollars. */
const PRICE = priced(1_000_000_000, 1_000_000_000)
const THOUSAND = 1_000

const tokens = (given: Partial<Estimate> = {}): Estimate => ({
  inputMost: 100,
  inputLikely: 20,
  outputMost: 50,
  outputLeast: 5,
  ...given,
})
const ask = (given: Partial<Ask> = {}): Ask => ({ price: PRICE, tokens: tokens(), mode: 'cap', ...given })
const account = (limit: number, scope = 'key:a', spent = 0): Account =>
  openAccount(scope, { limit, period: parsePeriod('1d') }, spent, spent, NOON)

describe('decide', () => {
  test('holds the worst case where it fits', () => {
    expect(decide([account(150 * THOUSAND)], ask())).toEqual({
      kind: 'hold',
      amount: 150 * THOUSAND,
      maxOutput: undefined,
    })
  })

  test('cuts the answer to what is left, in cap mode only', () => {
    const tight = account(60 * THOUSAND)
    expect(decide([tight], ask())).toEqual({ kind: 'hold', amount: 60 * THOUSAND, maxOutput: 40 })
    expect(decide([tight], ask({ mode: 'strict' }))).toMatchObject({ kind: 'refuse', needed: 70 * THOUSAND })
    // 70 tokens are paid for in full, though not the 150 of the worst case.
    expect(decide([account(70 * THOUSAND)], ask({ mode: 'strict' }))).toEqual({
      kind: 'hold',
      amount: 70 * THOUSAND,
      maxOutput: undefined,
    })
  })

  test('money that is only held makes wait, money that is spent refuses', () => {
    const held = account(150 * THOUSAND)
    take([held], 100 * THOUSAND)
    expect(decide([held], ask())).toEqual({ kind: 'wait', account: held })
    const spent = account(150 * THOUSAND, 'key:a', 126 * THOUSAND)
    expect(decide([spent], ask())).toEqual({ kind: 'refuse', account: spent, needed: 25 * THOUSAND })
  })

  test('every account has to pass, and a refusal names the one that stands in the way', () => {
    const rich = account(1e12)
    const poor = account(10 * THOUSAND, 'gateway')
    expect(decide([rich, poor], ask())).toMatchObject({ kind: 'refuse', account: poor })
    expect(rich.held + poor.held).toBe(0)
  })

  test('what is free needs no money, not even where none is left', () => {
    expect(decide([account(0)], ask({ price: FREE }))).toEqual({ kind: 'hold', amount: 0, maxOutput: undefined })
  })

  test('an answer that is cut has at least the tokens that let it in', () => {
    const count = fc.nat(10_000)
    fc.assert(
      fc.property(anyPrice, count, count, count, count, fc.nat(1_000), (price, likely, more, least, longer, spare) => {
        const t = tokens({
          inputLikely: likely,
          inputMost: likely + more,
          outputLeast: least + 1,
          outputMost: least + 1 + longer,
        })
        const enough = worstCost(price, t.inputLikely, t.outputLeast) + spare
        const verdict = decide([account(enough)], ask({ price, tokens: t }))
        if (verdict.kind !== 'hold') throw new Error(`${verdict.kind}, though the money is there`)
        if (verdict.maxOutput !== undefined) expect(verdict.maxOutput).toBeGreaterThanOrEqual(t.outputLeast)
      }),
      { numRuns: 1_000 },
    )
  })

  test('strict never cuts an answer', () => {
    const count = fc.nat(10_000)
    fc.assert(
      fc.property(anyPrice, count, count, count, fc.nat(1_000_000), (price, likely, more, most, spare) => {
        const t = tokens({ inputLikely: likely, inputMost: likely + more, outputMost: most })
        const enough = worstCost(price, likely, most) + spare
        expect(decide([account(enough)], ask({ price, tokens: t, mode: 'strict' }))).toMatchObject({
          kind: 'hold',
          maxOutput: undefined,
        })
      }),
    )
  })
})

describe('take and settle', () => {
  test('a hold counts until it is settled, and then only its cost', () => {
    const [a, b] = [account(1e6), account(1e6, 'gateway')]
    const hold = take([a, b], 500)
    expect([a.held, b.held]).toEqual([500, 500])
    expect(settle(hold, 120)).toBeTrue()
    for (const each of [a, b]) expect(each).toMatchObject({ held: 0, spent: 120, total: 120 })
  })

  test('settling again does nothing', () => {
    const a = account(1e6)
    const hold = take([a], 500)
    settle(hold, 120)
    expect(settle(hold, 999)).toBeFalse()
    expect(a).toMatchObject({ held: 0, spent: 120, total: 120 })
  })

  test('a hold from yesterday does not touch the money of today', () => {
    const a = account(1e6)
    const hold = take([a], 500)
    roll(a, NOON + 86_400_000)
    expect(a).toMatchObject({ held: 0, spent: 0 })
    const today = take([a], 300)
    settle(hold, 120)
    expect(a).toMatchObject({ held: 300, spent: 0, total: 120 })
    settle(today, 10)
    expect(a).toMatchObject({ held: 0, spent: 10, total: 130 })
  })
})
