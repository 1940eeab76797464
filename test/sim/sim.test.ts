/** A short run of the simulation, and the proof that each of its invariants can fail. The long one: `bun run sim`. */
import { expect, test } from 'bun:test'
import { fates } from './fates.ts'
import { MUTATIONS } from './mutations.ts'
import { simulate } from './simulate.ts'
import { INVARIANTS } from './violation.ts'

const OPERATIONS = 20_000

test('twenty thousand operations of another world each time: no overspend, no false refusal, nothing held at rest', () => {
  const seed = Math.floor(Math.random() * 1_000_000)
  console.log(`again: bun run sim --seed ${seed} --operations ${OPERATIONS}`)
  const so = simulate(seed, OPERATIONS)
  expect(so).toMatchObject({ operations: OPERATIONS, overspend: 0 })
  // It was no empty world.
  expect(so.holds).toBeGreaterThan(OPERATIONS / 10)
  expect(so.refused).toBeGreaterThan(OPERATIONS / 50)
  expect(so.gaveUp).toBeGreaterThan(10)
  expect(so.events.crash).toBeGreaterThan(10)
}, 60_000)

test('the same seed is the same run', () => {
  expect(simulate(7, 5_000)).toEqual(simulate(7, 5_000))
  expect(simulate(7, 5_000)).not.toEqual(simulate(8, 5_000))
}, 60_000)

test('each way to break the ledger is noticed, and each invariant notices one', async () => {
  const all = await fates(MUTATIONS, 1, 150_000)
  expect(all.filter(({ isNoticed }) => !isNoticed)).toEqual([])
  const noticing = new Set<string>(all.map(({ caught }) => caught))
  expect(INVARIANTS.filter((invariant) => !noticing.has(invariant))).toEqual([])
}, 300_000)
