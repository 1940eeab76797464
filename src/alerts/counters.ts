/** Numbers that add up, by whom: those that rules ask for and no others. Bounded: who was not heard of for longest goes first. */
import type { Condition } from '../core/alert/condition.ts'
import type { SubjectKind } from '../core/alert/metric.ts'
import { Sliding } from '../core/alert/sliding.ts'
import type { Sample } from './sample.ts'

const MOST_SUBJECTS = 5_000
/** A share of fewer requests than this says nothing. */
const LEAST_REQUESTS = 10

export interface Counter {
  metric: string
  windowMs: number
  per: SubjectKind
  /** In the order of their last use; `of` is what it is a share of. */
  subjects: Map<string, { count: Sliding; of: Sliding | undefined }>
}

export class Counters {
  readonly #all: Counter[] = []
  /** ms from which an answer is slow. */
  readonly #slowMs: number

  constructor(slowMs: number) {
    this.#slowMs = slowMs
  }

  /** The counter of a condition; shared with others that count the same. */
  of({ metric, windowMs }: Condition, per: SubjectKind): Counter {
    const known = this.#all.find((one) => one.metric === metric && one.windowMs === windowMs && one.per === per)
    if (known) return known
    const made: Counter = { metric, windowMs, per, subjects: new Map() }
    this.#all.push(made)
    return made
  }

  add(sample: Sample): void {
    for (const counter of this.#all) {
      const amount = amountOf(counter.metric, sample, this.#slowMs)
      if (counter.metric === 'guardrail_blocks' && counter.per === 'guardrail') {
        for (const name of sample.blockedBy) note(counter, `guardrail:${name}`, sample.at, 1)
        continue
      }
      if (amount === 0 && counter.metric !== 'error_rate') continue
      const subject = subjectOf(counter.per, sample)
      if (subject !== undefined) note(counter, subject, sample.at, amount)
    }
  }

  /** Something that is no request: `failed_auth` of an address, an event. */
  note(metric: string, per: SubjectKind, subject: string, at: number): void {
    for (const counter of this.#all)
      if (counter.metric === metric && (counter.per === per || counter.per === 'gateway'))
        note(counter, counter.per === 'gateway' ? 'gateway' : subject, at, 1)
  }
}

function note(counter: Counter, subject: string, at: number, amount: number): void {
  const { subjects, windowMs, metric } = counter
  let known = subjects.get(subject)
  if (known) subjects.delete(subject)
  else known = { count: new Sliding(windowMs), of: metric === 'error_rate' ? new Sliding(windowMs) : undefined }
  subjects.set(subject, known)
  known.count.add(at, amount)
  known.of?.add(at, 1)
  if (subjects.size <= MOST_SUBJECTS) return
  const [oldest] = subjects.keys()
  subjects.delete(oldest as string)
}

/** Who has a value now; who has none any more is let go. */
export function* valuesOf(counter: Counter, now: number): Generator<[subject: string, value: number]> {
  for (const [subject, { count, of }] of counter.subjects) {
    const sum = count.sum(now)
    if (!of) {
      if (sum === 0) counter.subjects.delete(subject)
      else yield [subject, sum]
      continue
    }
    const all = of.sum(now)
    if (all === 0) counter.subjects.delete(subject)
    else if (all >= LEAST_REQUESTS) yield [subject, sum / all]
  }
}

export function subjectOf(per: SubjectKind, sample: Sample): string | undefined {
  if (per === 'gateway') return 'gateway'
  const id = sample[per as 'key' | 'user' | 'team' | 'project' | 'address' | 'model']
  return id === undefined ? undefined : `${per}:${id}`
}

function amountOf(metric: string, { tokens, cost, ended, totalMs, blockedBy }: Sample, slowMs: number): number {
  switch (metric) {
    case 'requests_per_hour':
      return 1
    case 'tokens_per_hour':
      return tokens
    case 'hourly_cost':
      return cost / 1e9
    case 'errors':
    case 'error_rate':
      return ended === 'failed' ? 1 : 0
    case 'slow_answers':
      return totalMs >= slowMs ? 1 : 0
    case 'guardrail_blocks':
      return blockedBy.length > 0 ? 1 : 0
    default:
      return 0
  }
}
