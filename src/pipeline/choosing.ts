/** Who is asked next: what a request has behind it while it looks for a target, and the choice among those left. */
import { left, pick } from '../core/pick.ts'
import type { Refusal } from '../core/refusal.ts'
import { hasRoom, type Wanted } from '../core/strategy.ts'
import type { Target } from '../core/target.ts'
import type { Call } from './call.ts'
import type { Io } from './io.ts'
import { localsOf, peersOf } from './overflow.ts'
import { noRoom } from './room.ts'
import { wantedOf } from './wanted.ts'

const NOBODY: readonly Target[] = []

export class Choosing {
  readonly wanted: Wanted
  readonly tried = new Set<string>()
  /** Which attempt at the target in hand this is, from 1. */
  here = 0
  /** Why nobody could be paid or told, where that is so: it is what the caller can do something about. */
  refused: Refusal | undefined
  readonly #call: Call
  readonly #io: Io
  #chosen: Target | undefined
  /** Targets of the house of equal standing, which may answer in place of the chosen one. */
  #peers: readonly Target[] = NOBODY
  #again: Target | undefined
  /** Whose queue it left for a cloud. */
  readonly #spilled = new Set<string>()

  constructor(call: Call, io: Io) {
    this.#call = call
    this.#io = io
    this.wanted = wantedOf(call)
  }

  get peers(): readonly Target[] {
    return this.#peers
  }

  /** The next target to ask; undefined where all were. */
  next(): Target | undefined {
    const now = this.#io.now()
    const { stages, snapshot } = this.#call
    const again = this.#again && this.#mayAsk(this.#again) ? this.#again : undefined
    this.#again = undefined
    this.#io.backends.refresh(localsOf(stages), now)
    const { strategy } = snapshot.policy
    const chosen = again ?? pick(stages, this.tried, this.#io.view, strategy, this.wanted, this.#io.random, now)
    // The cloud could not do it either: whoever left the queue for it goes back.
    if (!chosen) return this.#goesBack() ? this.next() : undefined
    this.#chosen = chosen
    this.#peers = chosen.local && !again ? peersOf(stages, chosen, this.tried) : NOBODY
    this.here = again ? this.here + 1 : 1
    this.tried.add(chosen.id)
    return chosen
  }

  #goesBack(): boolean {
    if (this.#spilled.size === 0) return false
    this.wanted.spillAfterMs = undefined
    for (const id of this.#spilled) this.tried.delete(id)
    this.#spilled.clear()
    return true
  }

  /** The same one is asked once more. */
  again(target: Target): void {
    this.#again = target
  }

  /** A peer of the chosen one was free sooner. */
  taken(target: Target): void {
    if (!this.#chosen || target === this.#chosen) return
    this.tried.delete(this.#chosen.id)
    this.tried.add(target.id)
  }

  /** It has no room just now: whether it has later is looked at then. */
  comesBack(target: Target): void {
    this.tried.delete(target.id)
  }

  /** Its queue is full, or it waited there too long: the same goes for whoever it waited for beside it. */
  leavesQueue(): void {
    for (const { id } of this.#chosen ? [this.#chosen, ...this.#peers] : NOBODY) {
      this.tried.add(id)
      if (this.wanted.spillAfterMs !== undefined) this.#spilled.add(id)
    }
  }

  /** Whether a target may be asked as far as its limits go. */
  #mayAsk(target: Target): boolean {
    const { input, output, strict } = this.wanted
    return !strict || hasRoom(target, this.#io.state(target), input + output, this.#io.now())
  }

  /** What the caller is told where those who are left are at their limits. */
  full(): Refusal | undefined {
    const rest = this.#call.stages.flatMap(({ targets }) => targets.filter((t) => !this.tried.has(t.id)))
    return noRoom(this.#call, this.#io, this.wanted, rest)
  }

  /** How many are left to go to. */
  left(): number {
    let { stages } = this.#call
    if (this.wanted.strict)
      stages = stages.map((stage) => ({ ...stage, targets: stage.targets.filter((t) => this.#mayAsk(t)) }))
    return left(stages, this.tried, this.#io.view, this.#io.now())
  }
}
