/** One guardrail's look: timeouts, retries, what is kept, what waits its turn. */
import { describe, expect, test } from 'bun:test'
import { MemoryShelf } from '../../src/cache/memory.ts'
import { GuardError, type Look, type Subject } from '../../src/guardrails/guard.ts'
import { type Looked, lookWith, type Rail } from '../../src/guardrails/rail.ts'
import { finder, rail, SECRET } from './rails.ts'

const subject = (text: string, more: Partial<Subject> = {}): Subject => ({
  ...{ direction: 'input', model: 'm', whole: true, pieces: [{ kind: 'text', role: 'user', text, choice: 0 }] },
  ...more,
})
const CLEAN: Look = { flagged: false, categories: [], findings: [] }
const random = () => 0.5
const NEVER = new AbortController().signal

function shelfOf(at = { now: 0 }) {
  const shelf = new MemoryShelf(() => at.now, { bytes: 1e6, entries: 1_000, largest: 1e5 })
  return { shelf: () => shelf, random, now: () => performance.now() }
}
const plain = { shelf: undefined, random, now: () => performance.now() }
const look = async (one: Rail, said: Subject, tools = plain as Parameters<typeof lookWith>[4], tenant = 't') =>
  (await lookWith(one, said, tenant, NEVER, tools)) as Looked

describe('tries', () => {
  /** Fails so often, then is well. */
  function failing(times: number, error: () => unknown) {
    let asked = 0
    const guard = finder({
      local: false,
      look: async () => {
        if (asked++ < times) throw error()
        return CLEAN
      },
    })
    return { guard, asked: () => asked }
  }

  test('as many as are said, of what may help', async () => {
    const down = () => new GuardError('unreachable', 'down', true)
    const twice = failing(2, down)
    expect((await look(rail(twice.guard, { retries: 2 }), subject('a'))).look).toEqual(CLEAN)
    const thrice = failing(3, down)
    expect((await look(rail(thrice.guard, { retries: 2 }), subject('a'))).error?.why).toBe('unreachable')
    expect(thrice.asked()).toBe(3)
    const refuses = failing(9, () => new GuardError('refused', '401', false))
    expect((await look(rail(refuses.guard, { retries: 2 }), subject('a'))).error?.why).toBe('refused')
    expect(refuses.asked()).toBe(1)
    const breaks = failing(9, () => new TypeError('x is undefined'))
    expect((await look(rail(breaks.guard, { retries: 2 }), subject('a'))).error?.why).toBe('bad_reply')
  })

  test('each ends in time, whether its guard listens or not, and is told to end', async () => {
    const signals: AbortSignal[] = []
    const guard = finder({
      local: false,
      look: (_, signal) => {
        signals.push(signal)
        return new Promise(() => {})
      },
    })
    const said = await look(rail(guard, { timeoutMs: 30, retries: 1 }), subject('a'))
    expect([said.error?.why, signals.length, signals.every(({ aborted }) => aborted)]).toEqual(['timeout', 2, true])
  })

  test('a caller who leaves ends them', async () => {
    const gone = new AbortController()
    const guard = finder({ local: false, look: () => new Promise(() => {}) })
    const said = lookWith(rail(guard, { timeoutMs: 60_000, retries: 9 }), subject('a'), 't', gone.signal, plain)
    gone.abort()
    expect((await said).error).toBeInstanceOf(GuardError)
  })

  test('no more than 64 at once; the others wait for their turn, and not for ever', async () => {
    let [now, peak] = [0, 0]
    const guard = finder({
      local: false,
      look: async () => {
        peak = Math.max(peak, ++now)
        await Bun.sleep(5)
        now--
        return CLEAN
      },
    })
    const one = rail(guard, { timeoutMs: 5_000 })
    const all = await Promise.all(Array.from({ length: 300 }, () => look(one, subject('a'))))
    expect([peak, all.every((said) => said.look !== undefined)]).toEqual([64, true])
  })
})

test('one of the process answers at once, and what it throws is an error', async () => {
  expect(lookWith(rail(), subject(SECRET), 't', NEVER, plain)).not.toBeInstanceOf(Promise)
  const breaks = finder({
    look: () => {
      throw new Error('oh')
    },
  })
  expect((await look(rail(breaks), subject('a'))).error?.message).toContain('oh')
})

test('it sees what it looks at alone, and finds it where it stands', async () => {
  const shown: Subject[] = []
  const one = rail(finder({ shown }), { roles: ['user'], pieces: ['text'] })
  const pieces = [
    { kind: 'text', role: 'system', text: SECRET, choice: 0 },
    { kind: 'tool_args', role: 'user', text: SECRET, choice: 0 },
    { kind: 'text', role: 'user', text: `so ${SECRET}`, choice: 0 },
  ] as const
  const said = await look(one, { ...subject(''), pieces })
  expect(shown[0]?.pieces.length).toBe(1)
  expect(said.look?.findings.map(({ piece, start }) => [piece, start])).toEqual([[2, 3]])
  const nothing = await look(one, { ...subject(''), pieces: pieces.slice(0, 2) })
  expect([nothing.look, nothing.error]).toEqual([undefined, undefined])
})

describe('kept verdicts', () => {
  const counted = () => {
    const shown: Subject[] = []
    return { one: rail(finder({ late: true, shown }), { cache: { ttlMs: 1_000, in: 'memory' } }), shown }
  }

  test('the same words of the same tenant are looked at once, findings and all', async () => {
    const { one, shown } = counted()
    const tools = shelfOf()
    const first = await look(one, subject(`so ${SECRET}`), tools)
    const second = await look(one, subject(`so ${SECRET}`), tools)
    expect([first.cached, second.cached, shown.length]).toEqual([false, true, 1])
    expect(second.look).toEqual(first.look)
    expect((await look(one, subject(`so ${SECRET}`), tools, 'other')).cached).toBeFalse()
  })

  test('what could change it changes its place', async () => {
    const { one, shown } = counted()
    const tools = shelfOf()
    const piece = { kind: 'text', role: 'user', text: 'ab', choice: 0 } as const
    const others: Subject[] = [
      subject('ab'),
      subject('ab', { direction: 'output' }),
      subject('ab', { whole: false }),
      subject('ab', { model: 'n' }),
      subject('', { pieces: [{ ...piece, role: 'system' }] }),
      subject('', { pieces: [{ ...piece, kind: 'tool_result' }] }),
      subject('', {
        pieces: [
          { ...piece, text: 'a' },
          { ...piece, text: 'b' },
        ],
      }),
      subject('', { pieces: [{ ...piece, text: 'a\ntext user 0 1\nb' }] }),
    ]
    for (const one_ of [...others, ...others]) await look(one, one_, tools)
    expect(shown.length).toBe(others.length)
    const newer = rail(finder({ late: true, shown, version: 'finder/2' }), { cache: { ttlMs: 1_000, in: 'memory' } })
    expect((await look(newer, subject('ab'), tools)).cached).toBeFalse()
  })

  test('for a time; and what is no verdict is not kept', async () => {
    const { one, shown } = counted()
    const at = { now: 0 }
    const tools = shelfOf(at)
    await look(one, subject('a'), tools)
    at.now = 2_000
    await look(one, subject('a'), tools)
    expect(shown.length).toBe(2)
    let asked = 0
    const down = finder({
      local: false,
      look: async () => {
        asked++
        throw new GuardError('unreachable', 'down', false)
      },
    })
    const closed = rail(down, { cache: { ttlMs: 1_000, in: 'memory' } })
    await look(closed, subject('b'), tools)
    await look(closed, subject('b'), tools)
    expect(asked).toBe(2)
  })

  test('a place that is down keeps nothing and stops nobody', async () => {
    const { one } = counted()
    const broken = {
      get: () => Promise.reject(new Error('down')),
      set: () => Promise.reject(new Error('down')),
    } as never
    const said = await look(one, subject(SECRET), { shelf: () => broken, random, now: () => 0 })
    expect(said.look?.flagged).toBeTrue()
  })
})
