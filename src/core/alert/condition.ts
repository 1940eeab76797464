/**
 * The language of conditions: `requests_per_hour > 10 * baseline`, `failed_auth > 10 in 5 minutes`, `new_model_accessed`.
 * A number and what it is compared with, or the name of something that is so or happens. Pure.
 */
import { METRICS, type MetricName, metricOf } from './metric.ts'

export type Learnt = 'baseline' | 'average'

export interface Condition {
  text: string
  metric: MetricName
  /** Undefined: that it is so, or happens, is enough. */
  than: Comparison | undefined
  /** Of a count: ms over which it adds up. */
  windowMs: number
}

interface Comparison {
  operator: '>' | '>=' | '<' | '<='
  value: number
  /** What the value is to be multiplied with. */
  times: Learnt | undefined
}

const UNITS: Readonly<Record<string, number>> = {
  ...{ s: 1_000, second: 1_000, seconds: 1_000, m: 60_000, min: 60_000, minute: 60_000, minutes: 60_000 },
  ...{ h: 3_600_000, hour: 3_600_000, hours: 3_600_000, d: 86_400_000, day: 86_400_000, days: 86_400_000 },
}
const LONGEST_MS = 7 * 86_400_000
const SHORTEST_MS = 10_000

const FORM =
  /^(\w+)(?:\s*(>=|<=|>|<)\s*\$?\s*(\d+(?:\.\d+)?)\s*(%)?(?:\s*(?:\*|x|times)\s*(baseline|average))?(?:\s+in\s+(?:the\s+last\s+)?(\d+(?:\.\d+)?)?\s*([a-z]+))?)?$/i

/** @throws Error with what is wrong and what could be meant */
export function parseCondition(text: string): Condition {
  const found = FORM.exec(text.trim())
  if (!found)
    throw new Error(
      `'${text}' is no condition. Write one such as 'requests_per_hour > 10 * baseline', 'failed_auth > 10 in 5 minutes' or 'new_model_accessed'.`,
    )
  const [, name = '', operator, number, percent, learnt, length, unit] = found
  const metric = name.toLowerCase()
  if (!Object.hasOwn(METRICS, metric))
    throw new Error(`nobody counts '${name}' here. There are ${Object.keys(METRICS).join(', ')}.`)
  const known = metricOf(metric as MetricName)
  if (operator === undefined) {
    if (known.kind === 'count' || known.unit !== '' || isShare(metric))
      throw new Error(`'${metric}' is a number: say what it is compared with, such as '${metric} > 10'.`)
    return { text: text.trim(), metric: metric as MetricName, than: undefined, windowMs: 0 }
  }
  if (learnt !== undefined && !known.learnt) throw new Error(`'${metric}' has no ${learnt}: compare it with a number.`)
  return {
    text: text.trim(),
    metric: metric as MetricName,
    than: {
      operator: operator as Comparison['operator'],
      value: Number(number) / (percent ? 100 : 1),
      times: learnt?.toLowerCase() as Learnt | undefined,
    },
    windowMs: windowOf(known, metric, length, unit, learnt),
  }
}

const isShare = (metric: string): boolean => metric === 'budget_used' || metric === 'disk_free'

function windowOf(
  known: { kind: string; windowMs?: number },
  metric: string,
  length: string | undefined,
  unit: string | undefined,
  learnt: string | undefined,
): number {
  if (unit === undefined) return known.windowMs ?? 0
  if (known.kind === 'state') throw new Error(`'${metric}' is looked at, and does not add up: leave 'in …' out.`)
  if (learnt !== undefined) throw new Error(`a ${learnt} is of an hour: leave 'in …' out.`)
  const ms = UNITS[unit.toLowerCase()]
  if (ms === undefined) throw new Error(`'${unit}' is no unit of time: write seconds, minutes, hours or days.`)
  const all = Number(length ?? 1) * ms
  if (all < SHORTEST_MS || all > LONGEST_MS) throw new Error("'in' goes from 10 seconds to 7 days.")
  return all
}

/**
 * Whether it holds.
 * @param value undefined: nobody knows it @param learnt what has been learnt; undefined: not enough
 */
export function holds({ than }: Condition, value: number | undefined, learnt: number | undefined): boolean {
  if (value === undefined) return false
  if (!than) return value > 0
  const limit = limitOf(than, learnt)
  if (limit === undefined) return false
  switch (than.operator) {
    case '>':
      return value > limit
    case '>=':
      return value >= limit
    case '<':
      return value < limit
    case '<=':
      return value <= limit
  }
}

/** What a value is compared with; undefined while not enough has been learnt. */
export function limitOf(than: Comparison, learnt: number | undefined): number | undefined {
  if (than.times === undefined) return than.value
  return learnt === undefined ? undefined : than.value * learnt
}
