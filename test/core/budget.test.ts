import { describe, expect, test } from 'bun:test'
import { budgetName, budgetsOf, limitAt } from '../../src/core/budget.ts'
import { type Period, parsePeriod } from '../../src/core/period.ts'

const period = (text: string): Period => parsePeriod(text) as Period
const [HOUR, MONTH] = [period('1h'), period('1mo')]

test('a raise lifts the limit until its time, to the millisecond', () => {
  const budget = { limit: 100, raise: { amount: 50, until: 1_000 } }
  expect(limitAt(budget, 999)).toEqual({ limit: 150, until: 1_000 })
  expect(limitAt(budget, 1_000)).toEqual({ limit: 100, until: Number.POSITIVE_INFINITY })
  expect(limitAt({ limit: 100 }, 0)).toEqual({ limit: 100, until: Number.POSITIVE_INFINITY })
})

test('a name tells budgets of one scope apart by model and period, not by their limits', () => {
  const names = [
    { limit: 1 },
    { limit: 1, period: HOUR },
    { limit: 1, period: MONTH },
    { limit: 1, model: 'gpt-4o' },
    { limit: 1, model: 'gpt-4o', period: HOUR },
    { limit: 1, model: '1h' },
  ].map(budgetName)
  expect(new Set(names).size).toBe(names.length)
  expect(budgetName({ limit: 2, soft: 1, period: HOUR, mode: 'strict' })).toBe(budgetName({ limit: 1, period: HOUR }))
})

describe('budgetsOf', () => {
  test('nothing said is no budget', () => {
    expect(budgetsOf({}, undefined)).toEqual([])
    expect(budgetsOf({ mode: 'strict', budgetId: 'x' }, {})).toEqual([])
  })

  test('several windows and models of one scope, each a budget of its own', () => {
    const found = budgetsOf(
      {
        ...{ maxBudget: 1_000, softBudget: 800, period: MONTH, mode: 'strict' },
        windows: [{ limit: 10, period: HOUR }],
        perModel: { 'gpt-*': { limit: 5 }, claude: { limit: 6, period: HOUR } },
        raise: { amount: 7, until: 9 },
      },
      undefined,
    )
    expect(found).toEqual([
      { limit: 1_000, soft: 800, period: MONTH, mode: 'strict', raise: { amount: 7, until: 9 } },
      { limit: 10, period: HOUR, mode: 'strict' },
      { limit: 5, period: undefined, model: 'gpt-*', mode: 'strict' },
      { limit: 6, period: HOUR, model: 'claude', mode: 'strict' },
    ])
  })

  test('of two in the same window the lower holds, and a warning is not lost with the higher', () => {
    const found = budgetsOf(
      { maxBudget: 1_000, softBudget: 800, period: HOUR, windows: [{ limit: 10, period: HOUR }] },
      undefined,
    )
    expect(found).toMatchObject([{ limit: 10, soft: 800, period: HOUR }])
    expect(
      budgetsOf({ maxBudget: 10, period: HOUR, windows: [{ limit: 1_000, period: HOUR }] }, undefined),
    ).toMatchObject([{ limit: 10 }])
  })

  test('only a warning is a budget without a limit', () => {
    expect(budgetsOf({ softBudget: 800, period: MONTH }, undefined)).toMatchObject([
      { limit: Number.POSITIVE_INFINITY, soft: 800, period: MONTH },
    ])
  })

  test('a template stands in for what is not said, a limit together with its period', () => {
    const template = {
      maxBudget: 500,
      softBudget: 400,
      period: MONTH,
      mode: 'soft' as const,
      windows: [{ limit: 5, period: HOUR }],
    }
    expect(budgetsOf({ budgetId: 't' }, template)).toEqual(budgetsOf(template, undefined))
    expect(budgetsOf({ maxBudget: 9 }, template)).toMatchObject([
      { limit: 9, soft: 400, period: undefined, mode: 'soft' },
      { limit: 5, period: HOUR, mode: 'soft' },
    ])
    expect(budgetsOf({ mode: 'strict', windows: [] }, template)).toMatchObject([
      { limit: 500, period: MONTH, mode: 'strict' },
    ])
    expect(budgetsOf({ softBudget: 1, perModel: { m: { limit: 2 } } }, template)).toMatchObject([
      { limit: 500, soft: 1, period: MONTH },
      { limit: 5 },
      { limit: 2, model: 'm' },
    ])
  })

  test('a raise is its own: it lifts the limit of the template for whoever was given it', () => {
    const raise = { amount: 7, until: 9 }
    expect(budgetsOf({ budgetId: 't', raise }, { maxBudget: 500, period: MONTH })).toMatchObject([
      { limit: 500, raise },
    ])
    expect(budgetsOf({ budgetId: 't' }, { maxBudget: 500, raise })[0]?.raise).toBeUndefined()
  })
})
