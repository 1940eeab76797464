/** The table of faults, row by row. All scenes play at once: most of them wait. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { callers } from './callers.ts'
import { clocks } from './clocks.ts'
import { joins } from './joins.ts'
import { kill } from './kill.ts'
import { largeBodies, largeEvents } from './large.ts'
import { outages } from './outages.ts'
import { begin, type Case, type Scene } from './scene.ts'
import { slowReaders } from './slow-readers.ts'
import { FAULTS_OF_ALL_SIDES, ROWS, type RowName } from './table.ts'
import { upstreams } from './upstreams.ts'

const scenes: readonly Scene[] = [
  upstreams(),
  outages(),
  clocks(),
  joins(),
  callers(),
  largeBodies(),
  largeEvents(),
  slowReaders(),
]
/** Measures how soon it is up again, and so plays alone. */
const last = kill()
const all = [...scenes, last]
const casesOf = (row: RowName): Case[] => all.flatMap(({ cases }) => cases.filter(({ rows }) => rows.includes(row)))
const names = Object.keys(ROWS) as RowName[]
let played: Map<Case, Promise<void>>
let stopped = false

beforeAll(() => {
  const first = scenes.flatMap((scene) => [...begin(scene)])
  const others = Promise.allSettled(first.map(([, result]) => result))
  played = new Map([...first, ...begin({ ...last, start: () => others.then(last.start) })])
})
afterAll(async () => {
  if (!stopped) await Promise.allSettled(all.map((scene) => scene.stop()))
})

test('the table is complete: 73 faults and more, each in both dialects, streamed and whole', () => {
  expect(Object.keys(FAULTS_OF_ALL_SIDES)).toHaveLength(73)
  for (const row of names) {
    const cases = casesOf(row)
    const { only } = ROWS[row]!
    const tongues = [...new Set(cases.flatMap((one) => one.tongues))].sort()
    const forms = [...new Set(cases.flatMap((one) => one.forms))].sort()
    const wanted = only ? [only] : ['streamed', 'whole']
    expect([row, tongues, forms]).toEqual([row, ['ollama', 'openai'], expect.arrayContaining(wanted)])
  }
})

test.each(names)(
  '%s',
  async (row) => {
    for (const one of casesOf(row))
      await played.get(one)!.catch((cause: unknown) => {
        throw new Error(`${row} (${one.name}): ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
      })
  },
  90_000,
)

test('nothing is held, no key was logged, and the books add up', async () => {
  await Promise.allSettled(played.values())
  stopped = true
  await Promise.all(all.map((scene) => scene.stop()))
}, 90_000)
