/** A shelf in memory: the least recently used goes first, bounded by bytes and by number. */
import type { Shelf } from './shelf.ts'

interface Kept {
  value: Uint8Array
  /** ms since the epoch */
  until: number
}

export interface MemoryBounds {
  /** Bytes of all values and keys together. */
  bytes: number
  entries: number
  /** Bytes of one value: a larger one is not kept. */
  largest: number
}

export class MemoryShelf implements Shelf {
  readonly #now: () => number
  readonly #bounds: MemoryBounds
  /** In the order of their last use: a Map keeps the order of insertion. */
  readonly #kept = new Map<string, Kept>()
  #bytes = 0

  constructor(now: () => number, bounds: MemoryBounds) {
    this.#now = now
    this.#bounds = bounds
  }

  get(key: string): Uint8Array | undefined {
    const found = this.#kept.get(key)
    if (!found) return undefined
    this.#kept.delete(key)
    if (found.until <= this.#now()) {
      this.#bytes -= weigh(key, found)
      return undefined
    }
    this.#kept.set(key, found)
    return found.value
  }

  set(key: string, value: Uint8Array, ttlMs: number): void {
    this.#drop(key)
    if (value.byteLength > this.#bounds.largest) return
    const kept = { value, until: this.#now() + ttlMs }
    this.#kept.set(key, kept)
    this.#bytes += weigh(key, kept)
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= this.#bounds.bytes && this.#kept.size <= this.#bounds.entries) break
      this.#drop(oldest)
    }
  }

  delete(keys: readonly string[]): number {
    return keys.filter((key) => this.#drop(key)).length
  }

  flush(prefix: string): number {
    return this.delete([...this.#kept.keys()].filter((key) => key.startsWith(prefix)))
  }

  ping(): void {}

  close(): void {
    this.#kept.clear()
    this.#bytes = 0
  }

  get size(): number {
    return this.#kept.size
  }

  #drop(key: string): boolean {
    const found = this.#kept.get(key)
    if (!found) return false
    this.#kept.delete(key)
    this.#bytes -= weigh(key, found)
    return true
  }
}

const weigh = (key: string, { value }: Kept): number => key.length * 2 + value.byteLength
