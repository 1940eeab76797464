/** Worlds, one after the other, until there were as many operations as were asked for. */
import { check, prove } from './check.ts'
import { EVENTS } from './events.ts'
import { observe, type Tally } from './observe.ts'
import { Violation } from './violation.ts'
import { World } from './world.ts'

/** A world ends after so many operations: what is looked at after each of them must not grow with its age. */
const OPERATIONS_OF_A_WORLD = 1_500
/** After so many operations every charge is looked at. */
const PROOF_EVERY = 150

export interface Outcome extends Tally {
  operations: number
  worlds: number
  charges: number
  events: Record<string, number>
}

/** What broke, and where. */
export class Broken extends Error {
  constructor(
    override readonly cause: unknown,
    readonly world: number,
    readonly operation: number,
    readonly event: string,
  ) {
    super(`operation ${operation}, in world ${world}, at '${event}': ${cause instanceof Error ? cause.message : cause}`)
    this.name = 'Broken'
  }

  get invariant(): string | undefined {
    return this.cause instanceof Violation ? this.cause.invariant : undefined
  }
}

/**
 * @param tell called after each world
 * @throws Broken where an invariant does not hold
 */
export function simulate(seed: number, operations: number, tell: (so: Outcome) => void = () => {}): Outcome {
  const so: Outcome = {
    ...{ operations: 0, worlds: 0, charges: 0, events: {} },
    ...{ holds: 0, refused: 0, gaveUp: 0, overspend: 0 },
  }
  while (so.operations < operations) {
    so.worlds++
    // Worlds of neighbouring seeds have nothing in common.
    live(seed * 1_000_003 + so.worlds, Math.min(OPERATIONS_OF_A_WORLD, operations - so.operations), so)
    tell(so)
  }
  return so
}

function live(seed: number, most: number, so: Outcome): void {
  const w = new World(seed)
  const choices = EVENTS.map((event) => [event, event[2]] as const)
  let event = 'start'
  let seen = -1
  w.noteHalf = () => observe(w, so, false)
  w.note = () => {
    w.drain()
    observe(w, so, true)
  }
  const after = () => {
    w.note()
    check(w, so, seen)
    seen = w.disk.commits
  }
  try {
    for (let n = 0; n < most; n++) {
      so.operations++
      w.crossed = []
      w.waitedBefore = [...w.asked].filter((it) => !it.entry).length
      if (w.until !== undefined) {
        event = 'pass'
        if (w.time.hasSoon) w.time.turn()
        else if (!w.time.step(w.until)) w.until = undefined
      } else {
        const [name, act] = w.random.weighted(choices)
        event = name
        so.events[name] = (so.events[name] ?? 0) + 1
        act(w, w.random)
      }
      after()
      if (so.operations % PROOF_EVERY === 0 && !w.disk.lied) prove(w)
    }
    event = 'the end'
    EVENTS.find(([name]) => name === 'rest')?.[1](w, w.random)
    after()
    so.charges += w.books.charges.length
  } catch (cause) {
    throw new Broken(cause, so.worlds, so.operations, event)
  } finally {
    w.disk.end()
  }
}
