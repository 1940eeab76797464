/** Rules over what is counted, what is looked at and what happens: what of it holds now. Time is an argument, for replays. */
import type { LearntName } from '../core/alert/baseline.ts'
import { holds, limitOf } from '../core/alert/condition.ts'
import type { Finding } from '../core/alert/lifecycle.ts'
import { type METRICS, metricOf, type SubjectKind } from '../core/alert/metric.ts'
import type { Rule } from '../core/alert/rule.ts'
import { type Counter, Counters, subjectOf, valuesOf } from './counters.ts'
import { Habits } from './habits.ts'
import type { Sample, State } from './sample.ts'

/** Events between two looks; of more than this there are too many to tell apart. */
const MOST_EVENTS = 1_000

interface Happened {
  metric: string
  subject: string
  text: string
}

export class Watch {
  readonly rules: readonly Rule[]
  readonly habits = new Habits()
  readonly #counters: Counters
  readonly #counterOf = new Map<Rule, Counter>()
  /** Kinds of subjects whose habits rules ask for. */
  readonly #learnt: readonly SubjectKind[]
  #events: Happened[] = []

  /** @param slowMs from which an answer is slow */
  constructor(rules: readonly Rule[], slowMs: number) {
    this.rules = rules
    this.#counters = new Counters(slowMs)
    for (const rule of rules) {
      const { condition } = rule
      const { kind } = metricOf(condition.metric)
      if (condition.than && kind !== 'state') this.#counterOf.set(rule, this.#counters.of(condition, rule.per))
    }
    const learning = rules.filter(({ condition }) => condition.than?.times || condition.metric === 'new_model_accessed')
    this.#learnt = [...new Set(learning.map(({ per }) => per))]
  }

  request(sample: Sample): void {
    this.#counters.add(sample)
    const amounts = { requests_per_hour: 1, tokens_per_hour: sample.tokens, hourly_cost: sample.cost / 1e9 }
    for (const per of this.#learnt) {
      const subject = subjectOf(per, sample)
      // What was refused is no habit, but traffic it is.
      const model = sample.ended === 'ok' ? sample.model : undefined
      if (subject !== undefined && this.habits.note(subject, model, amounts, sample.at))
        this.event('new_model_accessed', subject, `It asked for ${sample.model} for the first time.`, sample.at)
    }
  }

  failedAuth(address: string | undefined, at: number): void {
    this.#counters.note('failed_auth', 'address', `address:${address ?? 'unknown'}`, at)
  }

  event(metric: keyof typeof METRICS, subject: string, text: string, at: number): void {
    this.#counters.note(metric, metricOf(metric).per, subject, at)
    if (this.#events.length < MOST_EVENTS) this.#events.push({ metric, subject, text })
  }

  /** What somebody usually does, and what he did just now that nobody has been told of. */
  forget(isHis: (subject: string) => boolean): void {
    this.habits.forget(isHis)
    this.#events = this.#events.filter(({ subject }) => !isHis(subject))
  }

  /** @param states how things stand @param now ms since the epoch */
  look(states: readonly State[], now: number): Finding[] {
    const events = this.#events
    this.#events = []
    return this.rules.flatMap((rule) => {
      const { condition } = rule
      const counter = this.#counterOf.get(rule)
      if (counter) return [...this.#counted(rule, counter, now)]
      const same = (one: { metric: string }) => one.metric === condition.metric
      if (metricOf(condition.metric).kind === 'event')
        return events
          .filter(same)
          .map(({ subject, text }) => ({ rule, subject, value: undefined, limit: undefined, text }))
      return states.filter(same).flatMap(({ subject, value, text }) => {
        if (!holds(condition, value, undefined)) return []
        return [{ rule, subject, value, limit: condition.than?.value, text }]
      })
    })
  }

  *#counted(rule: Rule, counter: Counter, now: number): Generator<Finding> {
    const { condition } = rule
    const than = condition.than as NonNullable<typeof condition.than>
    for (const [subject, value] of valuesOf(counter, now)) {
      const learnt = than.times && this.habits.usual(subject, condition.metric as LearntName, than.times, now)
      if (!holds(condition, value, learnt)) continue
      const limit = limitOf(than, learnt)
      yield { rule, subject, value, limit, text: textOf(rule, value, limit, learnt) }
    }
  }
}

/** `412 requests of the last hour: more than 120 (10 × the usual 12).` */
function textOf({ condition }: Rule, value: number, limit: number | undefined, learnt: number | undefined): string {
  const { unit, about } = metricOf(condition.metric)
  const isShare = condition.metric === 'error_rate'
  const say = (n: number | undefined): string => {
    if (n === undefined) return '?'
    if (isShare) return `${Math.round(n * 100)} %`
    const rounded = n >= 100 ? Math.round(n) : Math.round(n * 100) / 100
    return unit === '$' ? `$${rounded}` : `${rounded}`
  }
  const { operator, value: factor, times } = condition.than as NonNullable<typeof condition.than>
  const more = operator.startsWith('>') ? 'more than' : 'less than'
  const usual =
    times === undefined ? '' : ` (${factor} × the ${times === 'average' ? 'average' : 'usual'} ${say(learnt)})`
  const within = metricOf(condition.metric).windowMs === condition.windowMs && condition.windowMs === 3_600_000
  const window = within || isShare ? '' : ` in ${spoken(condition.windowMs)}`
  return `${say(value)} (${about})${window}: ${more} ${say(limit)}${usual}.`
}

function spoken(ms: number): string {
  const minutes = ms / 60_000
  return minutes < 1 ? `${ms / 1_000} s` : minutes < 120 ? `${minutes} min` : `${minutes / 60} h`
}
