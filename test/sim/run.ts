/** `bun run sim`: see docs/ledger.md. */
import { Broken, simulate } from './simulate.ts'

const seed = 1
console.time('sim')
try {
  const so = simulate(seed, Number(process.argv[2] ?? 10_000))
  console.log(so)
} catch (cause) {
  console.log(cause instanceof Broken ? cause.message : cause)
  if (cause instanceof Broken && !cause.invariant) console.log((cause.cause as Error).stack)
}
console.timeEnd('sim')
