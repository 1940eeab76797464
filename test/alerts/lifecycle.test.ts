/** The life of an alert, and what channels are told of it. */
import { describe, expect, test } from 'bun:test'
import { type Past, replay } from '../../src/alerts/replay.ts'
import type { Sample } from '../../src/alerts/sample.ts'
import { Watch } from '../../src/alerts/watch.ts'
import { type Alert, type Finding, isSilenced, type Pending, turn } from '../../src/core/alert/lifecycle.ts'
import { type Rule, USUAL_RULES } from '../../src/core/alert/rule.ts'

const TIMES = { overMs: 100, repeatMs: 1_000 }
const rule = (name: string): Rule => USUAL_RULES.find((one) => one.name === name) as Rule
const finding = (name: string, subject: string, more: Partial<Rule> = {}): Finding => ({
  rule: { ...rule(name), ...more },
  ...{ subject, value: 1, limit: 0, text: 'x' },
})

function world() {
  const open = new Map<string, Alert>()
  const pending: Pending = new Map()
  let n = 0
  const at = (now: number, ...findings: Finding[]) => {
    const { begun, again, over } = turn(open, pending, findings, now, TIMES, () => String(++n))
    for (const alert of [...begun, ...again]) alert.toldAt = now
    const names = (alerts: Alert[]) => alerts.map(({ rule: name, subject }) => `${name} ${subject}`)
    return { begun: names(begun), again: names(again), over: names(over) }
  }
  return { at, open }
}
const NOTHING = { begun: [], again: [], over: [] }

describe('an alert', () => {
  test('begins once, is told again after a while, and is over when its condition has been for a while', () => {
    const { at } = world()
    const holds = finding('disk', 'gateway')
    expect(at(0, holds)).toEqual({ ...NOTHING, begun: ['disk gateway'] })
    expect(at(50, holds)).toEqual(NOTHING)
    expect(at(1_000, holds)).toEqual({ ...NOTHING, again: ['disk gateway'] })
    expect(at(1_050)).toEqual(NOTHING)
    expect(at(1_100)).toEqual({ ...NOTHING, over: ['disk gateway'] })
    expect(at(1_200, holds)).toEqual({ ...NOTHING, begun: ['disk gateway'] })
  })

  test('with `for` waits until its condition has held so long', () => {
    const { at } = world()
    const holds = finding('target_down', 'target:a', { forMs: 30 })
    expect(at(0, holds)).toEqual(NOTHING)
    expect(at(20)).toEqual(NOTHING)
    expect(at(40, holds)).toEqual(NOTHING)
    expect(at(70, holds)).toEqual({ ...NOTHING, begun: ['target_down target:a'] })
  })

  test('that has acted stands until somebody looks', () => {
    const { at, open } = world()
    at(0, finding('unusual_traffic', 'key:a'))
    const [alert] = open.values()
    ;(alert as Alert).done = [{ action: { kind: 'block_key' }, before: {} }]
    expect(at(5_000)).toEqual(NOTHING)
    ;(alert as Alert).looked = { by: 'ada', at: 5_000 }
    expect(at(6_000)).toEqual({ ...NOTHING, over: ['unusual_traffic key:a'] })
  })

  test('that somebody has looked at is not told again', () => {
    const { at, open } = world()
    const holds = finding('disk', 'gateway')
    at(0, holds)
    const [alert] = open.values()
    ;(alert as Alert).looked = { by: 'ada', at: 1 }
    expect(at(5_000, holds)).toEqual(NOTHING)
  })

  test('of a flood there are no more than a thousand', () => {
    const { at, open } = world()
    at(0, ...Array.from({ length: 5_000 }, (_, i) => finding('failed_auth', `address:${i}`)))
    expect(open.size).toBe(1_000)
  })
})

test('a silence is of a rule, of a subject, or of a part of one, until its end', () => {
  const silence = { id: 's', until: 100, by: 'ada', comment: '' }
  const alert = { rule: 'disk', subject: 'target:ollama/llama' }
  expect(isSilenced(alert, [{ ...silence, rule: 'disk', subject: '*' }], 50)).toBe(true)
  expect(isSilenced(alert, [{ ...silence, rule: 'disk', subject: '*' }], 100)).toBe(false)
  expect(isSilenced(alert, [{ ...silence, rule: '*', subject: 'target:ollama/*' }], 50)).toBe(true)
  expect(isSilenced(alert, [{ ...silence, rule: '*', subject: 'target:openai/*' }], 50)).toBe(false)
  expect(isSilenced(alert, [{ ...silence, rule: 'dis', subject: '*' }], 50)).toBe(false)
})

const HOUR = 3_600_000
const T = 1_700_000_000_000 - (1_700_000_000_000 % (168 * HOUR))
const sample = (at: number, more: Partial<Sample> = {}): Sample => ({
  ...{ at, key: 'k', user: undefined, team: undefined, project: undefined, address: '10.0.0.1', model: 'm' },
  ...{ tokens: 10, cost: 1_000_000, totalMs: 5, ended: 'ok', blockedBy: [] },
  ...more,
})
const found = (watch: Watch, now: number) =>
  watch.look([], now).map(({ rule: { name }, subject }) => `${name} ${subject}`)

describe('the watch', () => {
  test('ten failures of one address are none too many, the eleventh is', () => {
    const watch = new Watch(USUAL_RULES, 1_000)
    for (let i = 0; i < 10; i++) watch.failedAuth('10.0.0.7', T + i)
    expect(found(watch, T + 20)).toEqual([])
    watch.failedAuth('10.0.0.7', T + 21)
    watch.failedAuth('10.0.0.8', T + 21)
    expect(found(watch, T + 22)).toEqual(['failed_auth address:10.0.0.7'])
    expect(found(watch, T + 310_000)).toEqual([])
  })

  test('a new model of a key that is known for a day is told once; of a new key it is not', () => {
    const watch = new Watch(USUAL_RULES, 1_000)
    watch.request(sample(T))
    watch.request(sample(T + 1, { model: 'second' }))
    expect(found(watch, T + 2)).toEqual([])
    watch.request(sample(T + 25 * HOUR))
    expect(found(watch, T + 25 * HOUR)).toEqual([])
    watch.request(sample(T + 26 * HOUR, { model: 'refused', ended: 'caller' }))
    watch.request(sample(T + 26 * HOUR, { model: 'third' }))
    expect(found(watch, T + 26 * HOUR)).toEqual(['new_model key:k'])
    watch.request(sample(T + 27 * HOUR, { model: 'third' }))
    expect(found(watch, T + 27 * HOUR)).toEqual([])
  })

  test('traffic is unusual where it is ten times the baseline, and what it costs where it is three times the average', () => {
    const watch = new Watch(USUAL_RULES, 1_000)
    // Four days of 20 requests an hour, at a dollar an hour.
    for (let hour = 0; hour < 96; hour++)
      for (let i = 0; i < 20; i++) watch.request(sample(T + hour * HOUR + i * 60_000, { cost: 50_000_000 }))
    const now = T + 96 * HOUR
    expect(found(watch, now + 1_000)).toEqual([])
    for (let i = 0; i < 185; i++) watch.request(sample(now + i * 1_000, { cost: 10_000_000 }))
    expect(found(watch, now + 600_000)).toEqual([])
    for (let i = 0; i < 30; i++) watch.request(sample(now + 600_000 + i * 1_000, { cost: 100_000_000 }))
    expect(found(watch, now + 1_700_000).sort()).toEqual(['cost_spike key:k', 'unusual_traffic key:k'])
  })

  test('a key that nobody knows yet is never unusual', () => {
    const watch = new Watch(USUAL_RULES, 1_000)
    for (let i = 0; i < 10_000; i++) watch.request(sample(T + i, { cost: 1e9 }))
    expect(found(watch, T + 10_001)).toEqual([])
  })

  test('errors are those of others, and a share of a few says nothing', () => {
    const watch = new Watch(USUAL_RULES, 1_000)
    for (let i = 0; i < 9; i++) watch.request(sample(T + i, { ended: 'failed' }))
    expect(found(watch, T + 10)).toEqual([])
    for (let i = 0; i < 30; i++) watch.request(sample(T + 10 + i, { ended: 'caller' }))
    expect(found(watch, T + 50)).toEqual(['errors model:m'])
    for (let i = 0; i < 30; i++) watch.request(sample(T + 60 + i))
    expect(found(watch, T + 100)).toEqual([])
  })

  test('habits outlive a restart', () => {
    const watch = new Watch(USUAL_RULES, 1_000)
    for (let hour = 0; hour < 96; hour++) for (let i = 0; i < 20; i++) watch.request(sample(T + hour * HOUR + i))
    watch.look([], T + 96 * HOUR)
    const kept = JSON.parse(JSON.stringify(watch.habits.changed()))
    const next = new Watch(USUAL_RULES, 1_000)
    for (const habit of kept) next.habits.take(habit, T + 96 * HOUR)
    for (let i = 0; i < 250; i++) next.request(sample(T + 96 * HOUR + 1_000 + i))
    expect(found(next, T + 96 * HOUR + 2_000)).toContain('unusual_traffic key:k')
  })

  test('rules of other people: by team, in other windows', () => {
    const own: Rule = {
      ...rule('errors'),
      name: 'own',
      per: 'team',
      condition: { text: '', metric: 'errors', windowMs: 60_000, than: { operator: '>', value: 2, times: undefined } },
    }
    const watch = new Watch([own], 1_000)
    for (let i = 0; i < 3; i++) watch.request(sample(T + i, { ended: 'failed', team: 'red' }))
    watch.request(sample(T + 4, { ended: 'failed', team: 'blue' }))
    expect(found(watch, T + 5)).toEqual(['own team:red'])
  })

  test('subjects are bounded: a million addresses are a few thousand', () => {
    const watch = new Watch(USUAL_RULES, 1_000)
    for (let i = 0; i < 100_000; i++) watch.failedAuth(`10.${i}`, T)
    for (let i = 0; i < 11; i++) watch.failedAuth('last', T)
    expect(found(watch, T + 1)).toEqual(['failed_auth address:last'])
  })
})

test('a replay finds what a watch would have found then, and learns from before', () => {
  const past: Past[] = []
  for (let hour = 0; hour < 100; hour++)
    for (let i = 0; i < 20; i++) past.push({ sample: sample(T + hour * HOUR + i * 1_000) })
  for (let i = 0; i < 300; i++) past.push({ sample: sample(T + 100 * HOUR + i * 1_000, { cost: 1 }) })
  past.push({ failedAuth: { address: 'x', at: T + 101 * HOUR, count: 11 } })
  past.push({ sample: sample(T + 102 * HOUR, { model: 'new' }) })
  const from = T + 99 * HOUR
  const { alerts, seen } = replay(new Watch(USUAL_RULES, 1_000), past, from, T + 103 * HOUR, 5_000, {
    ...{ overMs: 300_000, repeatMs: 14_400_000 },
  })
  expect(seen).toBe(past.length)
  expect(alerts.map(({ rule: name, subject }) => `${name} ${subject}`)).toEqual([
    'unusual_traffic key:k',
    'failed_auth address:x',
    'new_model key:k',
  ])
  const [traffic] = alerts
  expect(traffic?.since).toBeGreaterThanOrEqual(T + 100 * HOUR + 180_000)
  expect(traffic?.since).toBeLessThanOrEqual(T + 100 * HOUR + 240_000)
  expect(traffic?.text).toMatch(
    /^2\d\d \(requests of the last hour\): more than 2\d\d \(10 × the usual 2\d(\.\d+)?\)\.$/,
  )
})
