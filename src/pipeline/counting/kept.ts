/**
 * The beginning of an answer as it came, for the case that nobody reports its usage. Nothing is copied while it comes; what
 * is kept is bounded, for one answer and for all of them.
 */
import type { WireId } from '../../dialects/canonical.ts'

/** Bytes of one answer: what is behind them is counted by its share. */
const MOST_OF_ONE = 256 * 1024
/** Bytes of all answers that are under way. */
const MOST_OF_ALL = 64 * 1024 * 1024

let all = 0

/** The beginning of an answer, and how much of it that is. */
export interface Heard {
  dialect: WireId
  isStream: boolean
  body: Uint8Array
  /** Bytes that came, those that were not kept included. */
  length: number
}

export class Kept {
  readonly #dialect: WireId
  readonly #parts: Uint8Array[] = []
  #bytes = 0
  #length = 0
  #over = false

  /** @param dialect of the bytes that are pushed */
  constructor(dialect: WireId) {
    this.#dialect = dialect
  }

  push(part: Uint8Array): void {
    this.#length += part.byteLength
    const { byteLength } = part
    // A part of it in the middle would make no sense without the one before.
    if (this.#over || this.#bytes + byteLength > MOST_OF_ONE || all + byteLength > MOST_OF_ALL) {
      this.#over = true
      return
    }
    this.#parts.push(part)
    this.#bytes += byteLength
    all += byteLength
  }

  /** What was kept, in a copy; nothing is kept from here on. */
  take(): Heard | undefined {
    const body = this.#bytes > 0 ? new Uint8Array(Buffer.concat(this.#parts, this.#bytes)) : undefined
    this.drop()
    return body && { dialect: this.#dialect, isStream: true, body, length: this.#length }
  }

  /** Usage was reported, or nobody will ask. */
  drop(): void {
    all -= this.#bytes
    this.#bytes = 0
    this.#parts.length = 0
    this.#over = true
  }
}

/** Bytes that are kept now: none, at rest. */
export const keptBytes = (): number => all
