/** Runs the simulation on a broken ledger, once for each way to break it, in a process of its own. */
import { join } from 'node:path'
import type { Mutation } from './mutations.ts'
import { INVARIANTS } from './violation.ts'

/** At one time; the machine has other work. */
const AT_ONCE = 2

/** What became of a mutation. */
export interface Fate {
  name: string
  /** The invariant that noticed it; or what else became of it. */
  caught: string
  /** Of the simulation. */
  operation: number
  /** By an invariant, and not by chance. */
  isNoticed: boolean
}

/**
 * @param operations after so many a mutation that was not noticed has survived
 * @param tell called with each as it ends
 */
export async function fates(
  mutations: readonly Mutation[],
  seed: number,
  operations: number,
  tell: (fate: Fate) => void = () => {},
): Promise<Fate[]> {
  const all: Fate[] = []
  const queue = [...mutations]
  const lane = async (): Promise<void> => {
    for (let mutation = queue.shift(); mutation; mutation = queue.shift()) {
      const { name } = mutation
      const { caught, operation } = await outcomeOf(mutation, seed, operations)
      const isNoticed = INVARIANTS.some((invariant) => invariant === caught)
      const fate = { name, caught: caught ?? 'nobody noticed', operation, isNoticed }
      all.push(fate)
      tell(fate)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
  return all
}

async function outcomeOf(
  { name }: Mutation,
  seed: number,
  operations: number,
): Promise<{ caught: string | null; operation: number }> {
  const command = [
    join(import.meta.dir, 'run.ts'),
    '--mutate',
    name,
    '--seed',
    String(seed),
    '--operations',
    String(operations),
  ]
  const child = Bun.spawn([process.execPath, ...command], { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  await child.exited
  try {
    return JSON.parse(out.trim().split('\n').at(-1) as string)
  } catch {
    return { caught: `it did not run: ${err.slice(0, 500)}`, operation: 0 }
  }
}
