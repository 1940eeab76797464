/** Answers on a shelf: their facts and their bytes as one. What can't be read is not there, what can't be written is not kept. */
import type { AnswerShelf, KeptAnswer } from '../pipeline/cache/kept.ts'
import type { Shelf } from './shelf.ts'

/** ms between two lines about a shelf that fails. */
const TOLD_EVERY_MS = 60_000

interface Surroundings {
  now(): number
  warn(message: string, facts: Readonly<Record<string, unknown>>): void
}

export class Answers implements AnswerShelf {
  readonly #shelf: Shelf
  readonly #around: Surroundings
  readonly #largest: number
  #toldAt = Number.NEGATIVE_INFINITY

  /** @param largest bytes of an answer that is kept */
  constructor(shelf: Shelf, largest: number, around: Surroundings) {
    this.#shelf = shelf
    this.#around = around
    this.#largest = largest
  }

  get(key: string): Promise<KeptAnswer | undefined> | KeptAnswer | undefined {
    try {
      const found = this.#shelf.get(key)
      if (!(found instanceof Promise)) return found && unpack(found)
      return found.then(
        (bytes) => bytes && unpack(bytes),
        (cause) => this.#tell(cause),
      )
    } catch (cause) {
      return this.#tell(cause)
    }
  }

  put(key: string, answer: KeptAnswer, ttlMs: number): void {
    if (answer.body.byteLength > this.#largest) return
    try {
      const kept = this.#shelf.set(key, pack(answer), ttlMs)
      if (kept instanceof Promise) kept.catch((cause) => this.#tell(cause))
    } catch (cause) {
      this.#tell(cause)
    }
  }

  #tell(cause: unknown): undefined {
    const now = this.#around.now()
    if (now - this.#toldAt < TOLD_EVERY_MS) return undefined
    this.#toldAt = now
    this.#around.warn('The cache can not be reached: requests go on without it.', { told: String(cause) })
    return undefined
  }
}

/** Four bytes with the length of the facts, the facts as JSON, the body. */
function pack({ body, ...facts }: KeptAnswer): Uint8Array {
  const head = Buffer.from(JSON.stringify(facts))
  const length = Buffer.alloc(4)
  length.writeUInt32BE(head.byteLength)
  return Buffer.concat([length, head, body])
}

function unpack(bytes: Uint8Array): KeptAnswer {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const end = 4 + all.readUInt32BE(0)
  return { ...(JSON.parse(all.toString('utf8', 4, end)) as Omit<KeptAnswer, 'body'>), body: all.subarray(end) }
}
