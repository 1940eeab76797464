/** A shelf outside of this process's memory: what lies there is sealed with AES-256-GCM, and opens only under its own key. */
import type { Sealer } from '../secrets/seal.ts'
import type { Shelf } from './shelf.ts'

export class SealedShelf implements Shelf {
  readonly #shelf: Shelf
  readonly #sealer: Pick<Sealer, 'sealBytes' | 'openBytes'>

  constructor(shelf: Shelf, sealer: Pick<Sealer, 'sealBytes' | 'openBytes'>) {
    this.#shelf = shelf
    this.#sealer = sealer
  }

  /** What does not open (changed, moved, sealed under a key that is gone) is not there. */
  async get(key: string): Promise<Uint8Array | undefined> {
    const sealed = await this.#shelf.get(key)
    if (!sealed) return undefined
    try {
      return this.#sealer.openBytes(Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength), key)
    } catch {
      await this.#shelf.delete([key])
      return undefined
    }
  }

  set(key: string, value: Uint8Array, ttlMs: number): Promise<void> | void {
    return this.#shelf.set(key, this.#sealer.sealBytes(value, key), ttlMs)
  }

  delete(keys: readonly string[]): Promise<number> | number {
    return this.#shelf.delete(keys)
  }

  flush(prefix: string): Promise<number> | number {
    return this.#shelf.flush(prefix)
  }

  ping(): Promise<void> | void {
    return this.#shelf.ping()
  }

  close(): Promise<void> | void {
    return this.#shelf.close()
  }
}
