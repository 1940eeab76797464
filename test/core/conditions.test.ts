/** Which targets may take a request: conditions, tags, needs, and what must stay in the house. */
import { describe, expect, test } from 'bun:test'
import { type Asked, isConditional, narrow, type RouteRules } from '../../src/core/conditions.ts'
import { NOBODY } from '../../src/core/scope.ts'
import type { Conditions, Target } from '../../src/core/target.ts'
import { target } from './make.ts'

/** A Saturday. */
const at = (hour: number, minute = 0) => Date.UTC(2026, 10, 21, hour, minute)
const RULES: RouteRules = { tags: { enabled: false, matchAny: true }, zone: 'UTC', localTags: [] }
const NO_NEEDS = { images: false, audio: false, files: false, tools: false, schema: false }
const asked = (given: Partial<Asked> = {}): Asked => ({
  ...{
    payer: NOBODY,
    keyName: undefined,
    tags: [],
    metadata: {},
    prompt: () => 100,
    needs: NO_NEEDS,
    localOnly: false,
  },
  ...given,
})
const stage = (...targets: Target[]) => [{ alias: 'm', targets }]
const ids = (targets: Target[], given: Partial<Asked> = {}, rules: Partial<RouteRules> = {}, now = at(12)) =>
  narrow(stage(...targets), asked(given), { ...RULES, ...rules }, now).stages.flatMap((s) => s.targets.map((t) => t.id))
const may = (when: Conditions, given: Partial<Asked> = {}, now = at(12), zone = 'UTC') =>
  ids([target({ id: 'x', when })], given, { zone }, now).length === 1

test('keys, teams, users and projects', () => {
  const payer = { ...NOBODY, key: 'k1', team: 'red', user: 'rita', project: 'web' }
  for (const [when, expected] of [
    [{ keys: ['k1'] }, true],
    [{ keys: ['by-name'] }, true],
    [{ keys: ['k2'] }, false],
    [{ teams: ['red', 'blue'] }, true],
    [{ teams: ['blue'] }, false],
    [{ users: ['rita'] }, true],
    [{ projects: ['api'] }, false],
    [{ teams: ['red'], projects: ['web'] }, true],
    [{ teams: ['red'], projects: ['api'] }, false],
  ] as const)
    expect([when, may(when, { payer, keyName: 'by-name' })]).toEqual([when, expected])
  expect(may({ teams: ['red'] })).toBeFalse()
})

test('metadata has to say all of it', () => {
  const metadata = { tier: 'gold', n: 3 }
  expect(may({ metadata: { tier: 'gold' } }, { metadata })).toBeTrue()
  expect(may({ metadata: { tier: 'gold', n: '3' } }, { metadata })).toBeTrue()
  expect(may({ metadata: { tier: 'gold', m: '3' } }, { metadata })).toBeFalse()
})

test('the size of the prompt, both ends included', () => {
  for (const [tokens, expected] of [
    [99, false],
    [100, true],
    [200, true],
    [201, false],
  ] as const)
    expect([tokens, may({ minPrompt: 100, maxPrompt: 200 }, { prompt: () => tokens })]).toEqual([tokens, expected])
})

describe('times of day', () => {
  const day = { hours: { from: 9 * 60, to: 17 * 60 } }
  const night = { hours: { from: 22 * 60, to: 6 * 60 } }

  test('from inclusive, to exclusive, over midnight too', () => {
    for (const [when, hour, minute, expected] of [
      [day, 8, 59, false],
      [day, 9, 0, true],
      [day, 16, 59, true],
      [day, 17, 0, false],
      [night, 21, 59, false],
      [night, 22, 0, true],
      [night, 3, 0, true],
      [night, 6, 0, false],
    ] as const)
      expect([hour, minute, may(when, {}, at(hour, minute))]).toEqual([hour, minute, expected])
  })

  test('days of the week; a night belongs to the day it began on; in the zone of the gateway', () => {
    const saturdays = { days: [6] }
    expect(may(saturdays, {}, at(12))).toBeTrue()
    expect(may({ days: [5] }, {}, at(12))).toBeFalse()
    const fridayNight = { ...night, days: [5] }
    expect(may(fridayNight, {}, at(3))).toBeTrue()
    expect(may(fridayNight, {}, at(23))).toBeFalse()
    // 23:30 UTC on Saturday is Sunday in Tokyo.
    expect(may(saturdays, {}, at(23, 30), 'Asia/Tokyo')).toBeFalse()
  })
})

describe('tags (LiteLLM’s filter)', () => {
  const all = [
    target({ id: 'free', tags: ['free'] }),
    target({ id: 'paid', tags: ['paid', 'eu'] }),
    target({ id: 'default', tags: ['default'] }),
    target({ id: 'none' }),
  ]
  const on = (tags: string[], matchAny = true, targets = all) =>
    ids(targets, { tags }, { tags: { enabled: true, matchAny } })

  test('a shared tag; none or an unknown one goes to the default, else to those without', () => {
    expect(on(['free'])).toEqual(['free'])
    expect(on(['free', 'eu'])).toEqual(['free', 'paid'])
    expect(on([])).toEqual(['default'])
    expect(on(['nobody'])).toEqual(['default'])
    expect(on(['nobody'], true, [all[0], all[3]] as Target[])).toEqual(['none'])
  })

  test('all of them where one is not enough; kept out and kept to', () => {
    expect(on(['paid', 'eu'], false)).toEqual(['paid'])
    expect(on(['paid', 'free'], false)).toEqual(['default'])
    expect(on(['free', 'eu', '!paid'])).toEqual(['free'])
    expect(on(['&eu'])).toEqual(['paid'])
    expect(on(['&eu', 'free'])).toEqual(['paid'])
  })

  test('off unless asked for', () => {
    expect(ids(all, { tags: ['free'] })).toHaveLength(4)
  })
})

describe('what a request needs', () => {
  const blind = target({ id: 'blind', abilities: { images: false }, contextTokens: 1_000 })
  const seeing = target({ id: 'seeing', abilities: { images: true }, contextTokens: 8_000 })

  test('who cannot is left out where another can, and named', () => {
    const needs = { ...NO_NEEDS, images: true }
    const { stages, leftOut } = narrow(stage(blind, seeing), asked({ needs }), RULES, at(12))
    expect(stages[0]?.targets).toEqual([seeing])
    expect(leftOut).toEqual([{ target: blind, reason: 'it cannot take images' }])
    expect(ids([blind], { needs })).toEqual(['blind'])
    expect(ids([blind, seeing])).toEqual(['blind', 'seeing'])
  })

  test('a prompt that is too long for one goes to one that it fits, and is tried where it fits nowhere', () => {
    const long = { prompt: () => 5_000 }
    expect(ids([blind, seeing], long)).toEqual(['seeing'])
    expect(ids([blind], long)).toEqual(['blind'])
    expect(ids([blind, target({ id: 'who knows' })], long)).toEqual(['who knows'])
  })

  test('whoever is left may stand in a later stage', () => {
    const stages = [
      { alias: 'm', targets: [blind] },
      { alias: 'n', targets: [seeing] },
    ]
    expect(narrow(stages, asked({ prompt: () => 5_000 }), RULES, at(12)).stages).toEqual([
      { alias: 'n', targets: [seeing] },
    ])
  })
})

test('what must stay in the house never goes to a cloud, even where nothing else is left', () => {
  const [local, cloud] = [target({ id: 'local', local: true }), target({ id: 'cloud' })]
  expect(ids([local, cloud], { localOnly: true })).toEqual(['local'])
  const { stages, leftOut } = narrow(stage(cloud), asked({ localOnly: true }), RULES, at(12))
  expect(stages).toEqual([])
  expect(leftOut[0]?.reason).toBe('the request must stay in the house')
  // Not for want of an ability either.
  const needs = { ...NO_NEEDS, images: true }
  const blind = target({ id: 'blind', local: true, abilities: { images: false } })
  expect(ids([blind, cloud], { localOnly: true, needs })).toEqual(['blind'])
})

test('a plan without conditions is not looked through', () => {
  expect(isConditional(stage(target()), RULES)).toBeFalse()
  expect(isConditional(stage(target(), target({ when: { days: [1] } })), RULES)).toBeTrue()
  expect(isConditional(stage(target({ tags: ['x'] })), RULES)).toBeTrue()
})
