/** Guards and guardrails of a test's own. */
import type { Guard, Subject } from '../../src/guardrails/guard.ts'
import { type Rail, railOf } from '../../src/guardrails/rail.ts'
import type { GuardTerms } from '../../src/guardrails/terms.ts'

export const SECRET = 'SECRET-4242'

/** Finds the word; `late`: says so after a while, as somebody over a network would. */
export function finder(more: Partial<Guard> & { late?: boolean; shown?: Subject[] } = {}): Guard {
  const { late = false, shown, ...rest } = more
  return {
    kind: 'finder',
    local: !late,
    needsWhole: false,
    window: SECRET.length,
    kinds: new Set(['text', 'thinking', 'refusal', 'tool_definition', 'tool_args', 'tool_result']),
    version: 'finder/1',
    look(subject) {
      shown?.push(structuredClone(subject))
      const findings = subject.pieces.flatMap(({ text }, piece) =>
        [...text.matchAll(new RegExp(SECRET, 'g'))].map(({ index: start }) => ({
          ...{ piece, start, end: start + SECRET.length, what: 'CODE', confidence: 1 },
        })),
      )
      const look = { flagged: findings.length > 0, categories: findings.length > 0 ? ['code'] : [], findings }
      return late ? Bun.sleep(0).then(() => look) : look
    },
    ...rest,
  }
}

export const terms = (more: Partial<GuardTerms> = {}): GuardTerms => ({
  ...{ name: 'g', kind: 'finder', settings: {}, modes: ['pre_call'], onFlagged: 'block', onError: 'fail_closed' },
  ...{ timeoutMs: 200, retries: 0, cache: undefined, sample: 1, pieces: undefined, roles: undefined, restore: false },
  ...{ inHouse: false, unseen: 'refuse', every: 50, info: {} },
  where: { everywhere: true, keys: [], teams: [], projects: [], models: [], tags: [] },
  ...more,
})

export const rail = (guard: Guard = finder(), more: Partial<GuardTerms> = {}): Rail => railOf(terms(more), guard)
