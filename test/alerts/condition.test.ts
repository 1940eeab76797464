/** The language of conditions, as it stands in configurations. */
import { describe, expect, test } from 'bun:test'
import { holds, parseCondition } from '../../src/core/alert/condition.ts'
import { USUAL_RULES } from '../../src/core/alert/rule.ts'

const says = (text: string) => {
  const { text: _, ...said } = parseCondition(text)
  return said
}
const HOUR = 3_600_000

test('the four that were asked for', () => {
  expect(says('requests_per_hour > 10 * baseline')).toEqual({
    ...{ metric: 'requests_per_hour', windowMs: HOUR },
    than: { operator: '>', value: 10, times: 'baseline' },
  })
  expect(says('failed_auth > 10 in 5 minutes')).toEqual({
    ...{ metric: 'failed_auth', windowMs: 300_000 },
    than: { operator: '>', value: 10, times: undefined },
  })
  expect(says('hourly_cost > 3 * average')).toEqual({
    ...{ metric: 'hourly_cost', windowMs: HOUR },
    than: { operator: '>', value: 3, times: 'average' },
  })
  expect(says('new_model_accessed')).toEqual({ metric: 'new_model_accessed', windowMs: 0, than: undefined })
})

test.each([
  ['  Failed_Auth>10 in 300 s ', { operator: '>', value: 10 }, 300_000],
  ['failed_auth >= 3 in the last minute', { operator: '>=', value: 3 }, 60_000],
  ['hourly_cost > $2.50', { operator: '>', value: 2.5 }, HOUR],
  ['budget_used >= 80%', { operator: '>=', value: 0.8 }, 0],
  ['disk_free < 5 %', { operator: '<', value: 0.05 }, 0],
  ['requests_per_hour > 2 x average', { operator: '>', value: 2, times: 'average' }, HOUR],
  ['hold_leaks > 2 in 1 hour', { operator: '>', value: 2 }, HOUR],
])('%s', (text, than, windowMs) => {
  const said = says(text)
  expect(said.than).toEqual({ times: undefined, ...than } as never)
  expect(said.windowMs).toBe(windowMs)
})

test.each([
  ['', 'is no condition'],
  ['requests_per_hour', 'is a number'],
  ['disk_free', 'is a number'],
  ['requests_per_hours > 3', "nobody counts 'requests_per_hours'"],
  ['failed_auth > 3 * baseline', 'has no baseline'],
  ['failed_auth > ten', 'is no condition'],
  ['failed_auth > 3 in 5 fortnights', "'fortnights' is no unit"],
  ['failed_auth > 3 in 1 second', '10 seconds to 7 days'],
  ['disk_free < 3% in 5 minutes', 'does not add up'],
  ['hourly_cost > 3 * average in 2 hours', 'is of an hour'],
  ['failed_auth > 3; drop table', 'is no condition'],
])('%p is told what is wrong', (text, told) => {
  expect(() => parseCondition(text)).toThrow(told)
})

describe('holds', () => {
  const baseline = parseCondition('requests_per_hour > 10 * baseline')
  test.each([
    [121, 12, true],
    [120, 12, false],
    [1_000_000, undefined, false],
    [undefined, 12, false],
  ])('%p against a baseline of %p: %p', (value, learnt, expected) => {
    expect(holds(baseline, value, learnt)).toBe(expected)
  })
  test('the other way round', () => {
    expect(holds(parseCondition('certificate_days < 14'), 13.9, undefined)).toBe(true)
    expect(holds(parseCondition('certificate_days < 14'), 14, undefined)).toBe(false)
  })
})

test('every usual rule reads', () => {
  expect(USUAL_RULES.length).toBe(19)
  expect(new Set(USUAL_RULES.map(({ name }) => name)).size).toBe(19)
})
