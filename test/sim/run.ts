/**
 * `bun run sim`: the real ledger under a million operations, in a time and on a disk of its own (docs/ledger.md).
 *   --seed N --operations N   the same again, or more of it
 *   --mutations               breaks the ledger in every way that is known: each must be noticed
 */
import { parseArgs } from 'node:util'
import { fates } from './fates.ts'
import { mutate } from './mutate.ts'
import { MUTATIONS } from './mutations.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    operations: { type: 'string' },
    mutations: { type: 'boolean' },
    mutate: { type: 'string' },
  },
})
const seed = values.seed === undefined ? Math.floor(Math.random() * 1_000_000) : Number(values.seed)
const whole = (n: number): string => Math.round(n).toLocaleString('en-US')

if (values.mutations) {
  const operations = Number(values.operations ?? 150_000)
  console.log(`seed ${seed}: ${MUTATIONS.length} mutations, up to ${whole(operations)} operations each`)
  const all = await fates(MUTATIONS, seed, operations, ({ isNoticed, name, caught, operation }) =>
    console.log(`${isNoticed ? 'noticed ' : 'SURVIVED'} ${name}: ${caught}, operation ${whole(operation)}`),
  )
  const left = all.filter(({ isNoticed }) => !isNoticed)
  console.log(left.length === 0 ? 'each of them was noticed' : `${left.length} were not noticed by any invariant`)
  process.exit(left.length === 0 ? 0 : 1)
}

const mutation = MUTATIONS.find(({ name }) => name === values.mutate)
if (mutation) mutate(mutation)
// Not before: what is imported is what is broken.
const { Broken, simulate } = await import('./simulate.ts')
const operations = Number(values.operations ?? 1_000_000)
const began = performance.now()
let told = began
if (!mutation) console.log(`seed ${seed}: ${whole(operations)} operations`)
try {
  const so = simulate(seed, operations, ({ operations: done }) => {
    if (performance.now() - told < 10_000 || mutation) return
    told = performance.now()
    console.log(`… ${whole(done)} operations, ${whole((told - began) / 1000)} s`)
  })
  if (mutation) console.log(JSON.stringify({ caught: null, operation: so.operations }))
  else {
    console.log(
      `${whole(so.operations)} operations in ${so.worlds} worlds, ${whole((performance.now() - began) / 1000)} s: ` +
        `overspend ${so.overspend} nano-dollars, false refusals 0, held at rest 0`,
    )
    console.log(
      `${whole(so.holds)} holds, ${whole(so.charges)} charges, ${whole(so.refused)} refused for what was spent, ` +
        `${whole(so.gaveUp)} whose time was over, ${whole(so.events.crash ?? 0)} crashes, ${whole(so.events.disk ?? 0)} times the disk failed or worked again`,
    )
  }
} catch (cause) {
  if (!(cause instanceof Broken)) throw cause
  if (mutation) {
    console.log(
      JSON.stringify({ caught: cause.invariant ?? `broken otherwise: ${cause.message}`, operation: cause.operation }),
    )
    process.exit(0)
  }
  console.log(cause.message)
  if (!cause.invariant) console.log(cause.cause)
  console.log(`again: bun run sim --seed ${seed} --operations ${cause.operation}`)
  process.exit(1)
}
