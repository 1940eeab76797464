/**
 * Things that are kept for a while in the database, each on a shelf of its own: answers, and what guards said of texts.
 * Written many at a time, so that no request waits for the disk; whoever kept them has sealed them.
 */
import type { Shelf } from '../cache/shelf.ts'
import type { Store } from './open.ts'

/** What waits to be written is written after this long, ms, or as soon as it is more than so many bytes. */
const LINGER_MS = 50
const BUFFER = 8 * 1024 * 1024
/** Expired rows go after each so many writes. */
const SWEEP_EVERY = 64

export class StoredShelf implements Shelf {
  readonly #name: string
  readonly #now: () => number
  readonly #mostBytes: number
  readonly #onError: (cause: unknown) => void
  readonly #statements
  readonly #transaction: (work: () => void) => void
  /** Not written yet. */
  #waiting = new Map<string, { value: Uint8Array; expiresAt: number }>()
  #waitingBytes = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #writes = 0

  /** @param name of the shelf @param mostBytes of all values: beyond it, those that expire first go */
  constructor(
    { sqlite }: Store,
    name: string,
    mostBytes: number,
    now: () => number,
    onError: (cause: unknown) => void,
  ) {
    this.#name = name
    this.#now = now
    this.#mostBytes = mostBytes
    this.#onError = onError
    this.#statements = {
      get: sqlite
        .prepare<[string, string, number], Buffer>(
          'SELECT sealed FROM kept_things WHERE shelf = ? AND key = ? AND expires_at > ?',
        )
        .pluck(),
      put: sqlite.prepare('INSERT OR REPLACE INTO kept_things VALUES (?, ?, ?, ?)'),
      remove: sqlite.prepare('DELETE FROM kept_things WHERE shelf = ? AND key = ?'),
      flush: sqlite.prepare('DELETE FROM kept_things WHERE shelf = ? AND key >= ? AND key < ?'),
      sweep: sqlite.prepare('DELETE FROM kept_things WHERE shelf = ? AND expires_at <= ?'),
      size: sqlite
        .prepare<[string], number>('SELECT coalesce(sum(length(sealed)), 0) FROM kept_things WHERE shelf = ?')
        .pluck(),
      shrink: sqlite.prepare(
        'DELETE FROM kept_things WHERE rowid IN (SELECT rowid FROM kept_things WHERE shelf = ? ORDER BY expires_at LIMIT max(1, (SELECT count(*) FROM kept_things WHERE shelf = ?) / 10))',
      ),
    }
    this.#transaction = (work) => sqlite.transaction(work)()
  }

  get(key: string): Uint8Array | undefined {
    const waiting = this.#waiting.get(key)
    if (waiting) return waiting.expiresAt > this.#now() ? waiting.value : undefined
    return this.#statements.get.get(this.#name, key, this.#now()) as Buffer | undefined
  }

  set(key: string, value: Uint8Array, ttlMs: number): void {
    if (value.byteLength > this.#mostBytes) return
    this.#waitingBytes += value.byteLength - (this.#waiting.get(key)?.value.byteLength ?? 0)
    this.#waiting.set(key, { value, expiresAt: Math.round(this.#now() + ttlMs) })
    if (this.#waitingBytes > BUFFER) {
      this.#write()
      return
    }
    this.#timer ??= setTimeout(() => this.#write(), LINGER_MS)
    this.#timer.unref()
  }

  delete(keys: readonly string[]): number {
    this.#write()
    return keys.reduce((count, key) => count + this.#statements.remove.run(this.#name, key).changes, 0)
  }

  flush(prefix: string): number {
    this.#write()
    return this.#statements.flush.run(this.#name, prefix, `${prefix}\u{10ffff}`).changes
  }

  ping(): void {
    this.#statements.get.get(this.#name, '', 0)
  }

  close(): void {
    this.#write()
  }

  #write(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const waiting = this.#waiting
    if (waiting.size === 0) return
    this.#waiting = new Map()
    this.#waitingBytes = 0
    try {
      this.#transaction(() => {
        for (const [key, { value, expiresAt }] of waiting)
          this.#statements.put.run(this.#name, key, Buffer.from(value), expiresAt)
        if (this.#writes++ % SWEEP_EVERY === 0) this.#makeRoom()
      })
    } catch (cause) {
      // A cache that loses something has lost nothing.
      this.#onError(cause)
    }
  }

  #makeRoom(): void {
    this.#statements.sweep.run(this.#name, this.#now())
    for (let i = 0; i < 100 && (this.#statements.size.get(this.#name) as number) > this.#mostBytes; i++)
      this.#statements.shrink.run(this.#name, this.#name)
  }
}
