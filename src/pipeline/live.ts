/**
 * Calls that are under way, and whether those who made them may still be here: a key that is blocked, deleted, replaced or
 * expired ends its streams, its waiting and its conversations, and so does a block of its team, user, project or
 * organisation. Looked at when something changes, and four times a second for what ends by the clock.
 */
import type { Principal } from '../core/principal.ts'
import { Refusal } from '../core/refusal.ts'
import type { Call } from './call.ts'
import type { LiveDoor, PayersDoor } from './io.ts'

const EVERY_MS = 250

interface House {
  /** The same somebody as he is now. @throws Refusal where he may no longer be here */
  still(who: Principal): Principal
  payers: Pick<PayersDoor, 'of' | 'check'>
}

export class Live implements LiveDoor {
  readonly #house: House
  readonly #calls = new Set<Call>()
  #timer: ReturnType<typeof setInterval> | undefined
  #soon = false

  constructor(house: House) {
    this.#house = house
  }

  enter(call: Call): void {
    this.#calls.add(call)
    if (this.#timer) return
    this.#timer = setInterval(() => this.look(), EVERY_MS)
    this.#timer.unref()
  }

  leave(call: Call): void {
    this.#calls.delete(call)
  }

  get size(): number {
    return this.#calls.size
  }

  /** How many have had no answer for longer than `ms`. */
  hanging(ms: number, now: number): number {
    let count = 0
    for (const call of this.#calls) if (!call.answer && now - call.startedAt > ms) count++
    return count
  }

  /** Keys, or whoever they belong to, have changed: many changes at once are looked at once. */
  changed(): void {
    if (this.#soon || this.#calls.size === 0) return
    this.#soon = true
    queueMicrotask(() => {
      this.#soon = false
      this.look()
    })
  }

  /** Ends the calls of those who may no longer be here. */
  look(): void {
    for (const call of this.#calls) {
      const told = this.#refusalFor(call)
      if (!told) continue
      this.#calls.delete(call)
      call.leaving.revoke(told)
    }
    if (this.#calls.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #refusalFor({ who, payer }: Call): Refusal | undefined {
    if (!who) return undefined
    const { still, payers } = this.#house
    try {
      const { key } = still(who)
      // Those whom he belongs to now, and those whom he belonged to when he came.
      if (key) payers.check(payers.of(key))
      payers.check(payer)
      return undefined
    } catch (cause) {
      return cause instanceof Refusal ? cause : undefined
    }
  }
}
