/**
 * Where things are kept for a while: the contract of every place (memory, SQLite, Redis). What is kept is bytes; whoever
 * keeps them outside of memory seals them first. Keys begin with the tenant, so that one tenant's can be deleted together.
 */
export interface Shelf {
  /** `undefined` where it is not there, or no longer. @throws Error where the place can't be reached */
  get(key: string): Promise<Uint8Array | undefined> | Uint8Array | undefined
  /** @param ttlMs more than 0 @throws Error where the place can't be reached */
  set(key: string, value: Uint8Array, ttlMs: number): Promise<void> | void
  /** @returns how many there were */
  delete(keys: readonly string[]): Promise<number> | number
  /** All whose key begins so; '' is everything. @returns how many there were */
  flush(prefix: string): Promise<number> | number
  /** Whether the place answers. @throws Error with a sentence for the operator */
  ping(): Promise<void> | void
  close(): Promise<void> | void
}
