import { describe, expect, test } from 'bun:test'
import * as fc from 'fast-check'
import { type Access, EVERYTHING } from '../../src/core/access.ts'
import type { Grant } from '../../src/core/grant.ts'
import { allows, starMatch } from '../../src/core/key.ts'
import { namesFor, plan } from '../../src/core/plan.ts'
import { UNKNOWN } from '../../src/core/price.ts'
import type { Refusal } from '../../src/core/refusal.ts'
import { findAlias } from '../../src/core/snapshot.ts'
import { priced, snapshot, target } from './make.ts'

const admin = EVERYTHING
const NOW = 1_800_000_000_000
const caller = (models: string[], more: Partial<Access> = {}): Access => ({
  lists: models.length > 0 ? [{ scope: 'key:k', models }] : [],
  renames: [],
  grants: new Map(),
  now: NOW,
  ...more,
})
const given = (alias: string, more: Partial<Grant> = {}): Grant => ({
  ...{ id: 'g', keyId: 'k', alias, state: 'given', reason: 'why', duration: undefined, askedAt: NOW - 1_000 },
  ...{ decidedAt: NOW - 500, decidedBy: 'master', expiresAt: NOW + 1 },
  ...more,
})
const shown = (stages: ReturnType<typeof plan>) => stages.map((s) => s.targets.map((t) => t.id).join('+'))
const refused = (act: () => unknown): Refusal => {
  try {
    act()
  } catch (cause) {
    return cause as Refusal
  }
  throw new Error('it was not refused')
}

describe('patterns of a key', () => {
  test('names, patterns, all', () => {
    expect(allows([], 'anything')).toBeTrue()
    expect(allows(['all-proxy-models'], 'anything')).toBeTrue()
    expect(allows(['openai/*'], 'openai/gpt-4o')).toBeTrue()
    expect(allows(['openai/*'], 'openai')).toBeFalse()
    expect(allows(['gpt-*-mini'], 'gpt-4o-mini')).toBeTrue()
    expect(allows(['a'], 'ab')).toBeFalse()
    expect(allows(['A'], 'a')).toBeFalse()
    // The head and the tail must not share characters.
    expect(starMatch('ab*ba', 'aba')).toBeUndefined()
    // Nothing of a pattern but its star is special.
    expect(allows(['gpt.4'], 'gpt-4')).toBeFalse()
    expect(allows(['gpt-?'], 'gpt-4')).toBeFalse()
  })

  test('a star stands for any characters, and what it stood for is told', () => {
    const text = fc.string({ maxLength: 8 }).filter((s) => !s.includes('*'))
    fc.assert(
      fc.property(text, text, text, (head, middle, tail) => {
        expect(starMatch(`${head}*${tail}`, head + middle + tail)).toBe(middle)
        expect(allows([`${head}*${tail}`], head + middle + tail)).toBeTrue()
      }),
    )
  })

  test('the same as a regular expression says', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 6 })
    fc.assert(
      fc.property(text, text, text, (head, tail, name) => {
        const wanted = new RegExp(`^${head}.*${tail}$`, 's').test(name)
        expect(allows([`${head}*${tail}`], name)).toBe(wanted)
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('plan', () => {
  const a1 = target({ id: 'a1', alias: 'a' })
  const a2 = target({ id: 'a2', alias: 'a' })
  const backup = target({ id: 'a3', alias: 'a', order: 1 })
  const b = target({ id: 'b1', alias: 'b' })
  const c = target({ id: 'c1', alias: 'c' })
  const all = [a1, backup, a2, b, c]

  test('its own targets by their order, then its fallbacks', () => {
    const s = snapshot(all, { fallbacks: new Map([['a', ['b', 'c']]]) })
    expect(shown(plan(s, 'a', admin))).toEqual(['a1+a2', 'a3', 'b1', 'c1'])
    expect(shown(plan(s, 'b', admin))).toEqual(['b1'])
  })

  test('fallbacks of fallbacks, each alias once, though they point at each other', () => {
    const fallbacks = new Map([
      ['a', ['b']],
      ['b', ['c', 'a']],
      ['c', ['a']],
    ])
    expect(shown(plan(snapshot([a1, b, c], { fallbacks }), 'a', admin))).toEqual(['a1', 'b1', 'c1'])
  })

  test('a star stands for every alias without a line of its own', () => {
    const fallbacks = new Map([
      ['*', ['c']],
      ['b', []],
    ])
    const s = snapshot([a1, b, c], { fallbacks })
    expect(shown(plan(s, 'a', admin))).toEqual(['a1', 'c1'])
    expect(shown(plan(s, 'b', admin))).toEqual(['b1'])
  })

  test('a fallback that the caller may not use is left out, without a word of it', () => {
    const s = snapshot(all, { fallbacks: new Map([['a', ['b', 'c']]]) })
    expect(shown(plan(s, 'a', caller(['a', 'c'])))).toEqual(['a1+a2', 'a3', 'c1'])
    const refusal = refused(() => plan(s, 'b', caller(['a'])))
    expect([refusal.code, refusal.status]).toEqual(['model_access_denied', 403])
    expect(refusal.message).toContain('It may use: a.')
  })

  test('an unknown model is told what there is, and only what this caller may use', () => {
    const refusal = refused(() => plan(snapshot(all), 'nonsense', caller(['b'])))
    expect([refusal.code, refusal.status, refusal.detail.param]).toEqual(['model_not_found', 404, 'model'])
    expect(refusal.message).toContain('nonsense')
    expect(refusal.message).toContain('There is: b.')
    expect(refused(() => plan(snapshot(all), 'x'.repeat(100_000), admin)).message.length).toBeLessThan(1_000)
  })

  test('what has no price stays in the plan: whether it may be used is seen when its money is held', () => {
    const unknown = target({ id: 'unknown', alias: 'a', price: UNKNOWN })
    const s = snapshot([target({ id: 'dear', alias: 'a', price: priced(1, 1) }), unknown])
    expect(shown(plan(s, 'a', caller([])))).toEqual(['dear+unknown'])
    expect(shown(plan(s, 'a', admin))).toEqual(['dear+unknown'])
  })

  test('asked twice, and by others, it answers each by what he may use', () => {
    const s = snapshot([a1, target({ id: 'u', alias: 'a', price: UNKNOWN }), b])
    for (let i = 0; i < 2; i++) {
      expect(shown(plan(s, 'a', admin))).toEqual(['a1+u'])
      expect(shown(plan(s, 'a', caller(['a'])))).toEqual(['a1+u'])
      expect(refused(() => plan(s, 'a', caller(['b']))).code).toBe('model_access_denied')
    }
    expect(shown(plan(snapshot([a2]), 'a', admin))).toEqual(['a2'])
  })
})

describe('lists of all that a key belongs to', () => {
  const s = snapshot([target({ id: 'a', alias: 'a' }), target({ id: 'b', alias: 'b' })])
  const of = (...lists: [string, string[]][]) =>
    caller([], { lists: lists.map(([scope, models]) => ({ scope, models })) })

  test('all have to allow a model, and who does not is told', () => {
    expect(shown(plan(s, 'a', of(['key:k', ['a', 'b']], ['team:red', ['a']])))).toEqual(['a'])
    const refusal = refused(() => plan(s, 'b', of(['key:k', ['a', 'b']], ['team:red', ['a']])))
    expect(refusal.code).toBe('model_access_denied')
    expect(refusal.message).toStartWith("Team 'red' may not use the model 'b'. It may use: a.")
    expect(refused(() => plan(s, 'b', of(['key:k', ['a']], ['team:red', ['b']]))).message).toContain('nothing')
  })
})

describe('models that need leave', () => {
  const targets = [target({ id: 'c', alias: 'cheap' }), target({ id: 'd', alias: 'dear' })]
  const wild = target({ id: 'w', alias: 'big/*', model: '*' })
  const s = snapshot(
    [...targets, wild],
    { fallbacks: new Map([['cheap', ['dear']]]), otherNames: new Map([['other', 'dear']]) },
    ['dear', 'big/*'],
  )
  const having = (...grants: Grant[]) => caller([], { grants: new Map(grants.map((g) => [g.alias, g])) })

  test('without it they are refused, by every name, and neither listed nor fallen back to', () => {
    for (const name of ['dear', 'other', 'big/one']) {
      const refusal = refused(() => plan(s, name, having()))
      expect([refusal.code, refusal.status]).toEqual(['grant_required', 403])
      expect(refusal.message).toContain(`POST /grant/ask {"model": "${name}"`)
    }
    expect(shown(plan(s, 'cheap', having()))).toEqual(['c'])
    expect(namesFor(s, having())).toEqual(['cheap'])
  })

  test('with it they are open until it is over; the master key needs none', () => {
    expect(shown(plan(s, 'dear', having(given('dear'))))).toEqual(['d'])
    expect(shown(plan(s, 'cheap', having(given('dear'))))).toEqual(['c', 'd'])
    expect(shown(plan(s, 'big/one', having(given('big/*'))))).toEqual(['w'])
    expect(refused(() => plan(s, 'big/one', having(given('dear')))).code).toBe('grant_required')
    expect(namesFor(s, having(given('dear'), given('big/*')))).toEqual(['cheap', 'dear', 'big/*', 'other'])
    expect(shown(plan(s, 'dear', admin))).toEqual(['d'])
    const over = refused(() => plan(s, 'dear', having(given('dear', { expiresAt: NOW }))))
    expect(over.message).toContain(`The last one was over at ${new Date(NOW).toISOString()}.`)
  })

  test.each([
    ['asked', 'is not decided yet'],
    ['refused', 'It was refused at'],
    ['ended', 'It was taken back at'],
  ] as const)('%s is no leave, and is told', (state, sentence) => {
    const refusal = refused(() => plan(s, 'dear', having(given('dear', { state }))))
    expect(refusal.message).toContain(sentence)
    expect(refusal.detail.facts).toEqual({ grant: 'dear', grant_id: 'g', grant_state: state })
  })

  test('a list that does not allow it comes first', () => {
    const refusal = refused(() => plan(s, 'dear', caller(['cheap'], { grants: new Map([['dear', given('dear')]]) })))
    expect(refusal.code).toBe('model_access_denied')
  })
})

describe('names', () => {
  const some = target({ id: 'o', alias: 'openai/*', model: '*', provider: 'openai' })
  const mini = target({ id: 'm', alias: 'openai/gpt-*', model: 'gpt-*' })
  const plain = target({ id: 'p', alias: 'plain' })
  const s = snapshot([some, mini, plain], {
    otherNames: new Map([
      ['other', 'plain'],
      ['secret', 'plain'],
    ]),
    hiddenNames: new Set(['secret']),
  })

  test('a pattern fills its star in, the more specific one first', () => {
    expect(findAlias(s, 'openai/o3')?.targets.map((t) => [t.id, t.model, t.alias])).toEqual([['o', 'o3', 'openai/o3']])
    expect(findAlias(s, 'openai/gpt-5')?.targets.map((t) => [t.id, t.model])).toEqual([['m', 'gpt-5']])
    expect(findAlias(s, 'anthropic/x')).toBeUndefined()
  })

  test('what a star stands for is put in as it is, dollars and all', () => {
    expect(findAlias(s, "openai/a$&b$'c")?.targets[0]?.model).toBe("a$&b$'c")
  })

  test("other names work, hidden ones are not listed, and Ollama's tag is understood", () => {
    for (const name of ['other', 'secret', 'plain:latest', 'other:latest'])
      expect(findAlias(s, name)?.targets[0]?.id).toBe('p')
    expect(namesFor(s, admin)).toEqual(['plain', 'openai/gpt-*', 'openai/*', 'other'])
    expect(namesFor(s, caller(['openai/*']))).toEqual(['openai/gpt-*', 'openai/*'])
  })
})
