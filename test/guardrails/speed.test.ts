/** What guards of the process cost: linear in the text whatever it is, and little. Ratios within one run, not times. */
import { describe, expect, test } from 'bun:test'
import { GUARDS, HARD, micros, repeated, shownTo, typical, USUAL } from './loads.ts'
import { guard, look } from './support.ts'

const SMALL = 65_536
const LARGE = 1_048_576
const MOST = 2.5

/**
 * How much more a character of a large text costs than one of a small one. Both are measured by their least, in turns, again
 * and again while it looks too much: what disturbs a machine only adds, and it comes in waves.
 */
function ratio(run: (text: string) => unknown, make: (size: number) => string): number {
  const [small, large] = [make(SMALL), make(LARGE)]
  run(small)
  let [few, many] = [Infinity, Infinity]
  for (let again = 0; again < 12; again++) {
    few = Math.min(
      few,
      micros(() => run(small), 5, 1),
    )
    many = Math.min(
      many,
      micros(() => run(large), 1, 1),
    )
    if (many / few <= (MOST * LARGE) / SMALL) break
  }
  return many / few / (LARGE / SMALL)
}

describe.each(Object.keys(GUARDS))('%s', (name) => {
  const one = (GUARDS[name] as () => ReturnType<(typeof GUARDS)[string]>)()
  const run = (text: string) => look(one, text, shownTo(name))

  test('a megabyte costs sixteen times what 64 kB do', () => {
    expect(ratio(run, typical)).toBeLessThanOrEqual(MOST)
  })

  test('so it does where a text is made to be hard', () => {
    for (const [hard, unit] of Object.entries(HARD)) {
      const more = ratio(run, (size) => repeated(unit, size))
      expect(`${hard}: ${more <= MOST ? 'linear' : more.toFixed(1)}`).toBe(`${hard}: linear`)
    }
  }, 60_000)

  test('4 kB cost ten times 50 µs at most, however busy the machine is', () => {
    for (const unit of Object.values(USUAL)) {
      const text = repeated(unit, 4_096)
      micros(() => run(text), 3, 200)
      expect(micros(() => run(text), 10, 50)).toBeLessThan(500)
    }
  })
})

test('the number of words does not count', () => {
  const text = typical(SMALL)
  const few = guard('words', { words: ['falcon'] })
  const many = (GUARDS.words as () => ReturnType<(typeof GUARDS)[string]>)()
  const run = (one: typeof few) => micros(() => look(one, text), 5, 3)
  run(few)
  expect(run(many) / run(few)).toBeLessThan(4)
})

test('patterns that go back for ever elsewhere do not here', () => {
  const one = (GUARDS.patterns as () => ReturnType<(typeof GUARDS)[string]>)()
  const [attack, plain] = [`${'a'.repeat(LARGE)}!`, typical(LARGE)]
  look(one, plain)
  expect(micros(() => look(one, attack), 1, 1)).toBeLessThan(20 * micros(() => look(one, plain), 1, 1))
})
