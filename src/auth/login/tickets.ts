/**
 * What was begun with somebody and is to be ended by him: a challenge, a login elsewhere. It is sealed and goes with him,
 * so that nobody fills our memory by beginning; it ends by its time, and counts once.
 */
import { randomBytes } from 'node:crypto'
import { Lru } from '../lru.ts'

/** Sealed text; secrets/seal.ts. */
export interface Seal {
  seal(text: string, context: string): Buffer
  open(sealed: Buffer, context: string): string
}

/** Tickets that were used and are not over yet. */
const MOST_USED = 20_000
const LONGEST = 8_192

export class Tickets {
  readonly #seal: Seal
  readonly #now: () => number
  readonly #used = new Lru<true>(MOST_USED)

  constructor(seal: Seal, now: () => number) {
    this.#seal = seal
    this.#now = now
  }

  /** @param purpose it opens for no other one */
  issue(purpose: string, facts: Readonly<Record<string, unknown>>, forMs: number): string {
    const text = JSON.stringify({ facts, id: randomBytes(12).toString('base64url'), until: this.#now() + forMs })
    return this.#seal.seal(text, purpose).toString('base64url')
  }

  /** What it was issued with: once. undefined: it is none of ours, or another's, or over, or was used. */
  take<T extends Record<string, unknown>>(purpose: string, ticket: string): T | undefined {
    if (ticket.length > LONGEST) return undefined
    let said: { facts: T; id: string; until: number }
    try {
      said = JSON.parse(this.#seal.open(Buffer.from(ticket, 'base64url'), purpose))
    } catch {
      return undefined
    }
    if (said.until <= this.#now() || this.#used.get(said.id)) return undefined
    this.#used.set(said.id, true)
    return said.facts
  }
}
