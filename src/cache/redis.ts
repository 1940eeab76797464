/**
 * A shelf in Redis, or in what speaks its protocol. A cache that is slow or gone must never be what a request fails of:
 * each command has little time, and after a failure nothing is asked of it for a while.
 */
import { RedisClient } from 'bun'
import type { Secret } from '../secrets/secret.ts'
import type { Shelf } from './shelf.ts'

/** ms for one command, and for making a connection. */
const COMMAND_MS = 250
const CONNECT_MS = 2_000
/** ms after a failure in which it is not asked. */
const PAUSE_MS = 1_000
/** Keys that one SCAN looks at, and the most of these steps. */
const STEP = 1_000
const MOST_STEPS = 100_000

export class RedisShelf implements Shelf {
  readonly #client: RedisClient
  readonly #prefix: string
  readonly #now: () => number
  #pausedUntil = 0

  /** @param url `redis://…` or `rediss://…`, with its password @param prefix of every key: others may use the same Redis */
  constructor(url: Secret, prefix: string, now: () => number) {
    this.#client = new RedisClient(url.reveal(), {
      connectionTimeout: CONNECT_MS,
      // What waits for a connection would wait longer than a request may.
      enableOfflineQueue: false,
      autoReconnect: true,
      maxRetries: 1_000_000,
    })
    this.#prefix = prefix
    this.#now = now
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return (await this.#ask(() => this.#client.getBuffer(this.#prefix + key))) ?? undefined
  }

  async set(key: string, value: Uint8Array, ttlMs: number): Promise<void> {
    const ms = Math.max(1, Math.round(ttlMs))
    await this.#ask(() => this.#client.set(this.#prefix + key, value, 'PX', ms))
  }

  async delete(keys: readonly string[]): Promise<number> {
    if (keys.length === 0) return 0
    return this.#ask(() => this.#client.unlink(...keys.map((key) => this.#prefix + key)))
  }

  async flush(prefix: string): Promise<number> {
    const pattern = `${literal(this.#prefix + prefix)}*`
    let [cursor, count] = ['0', 0]
    for (let step = 0; step < MOST_STEPS; step++) {
      const at = cursor
      const [next, keys] = await this.#ask(() => this.#client.scan(at, 'MATCH', pattern, 'COUNT', STEP))
      if (keys.length > 0) count += await this.#ask(() => this.#client.unlink(...keys))
      cursor = String(next)
      if (cursor === '0') break
    }
    return count
  }

  async ping(): Promise<void> {
    this.#pausedUntil = 0
    await this.#ask(() => this.#client.send('PING', []))
  }

  close(): void {
    this.#client.close()
  }

  async #ask<T>(command: () => Promise<T>): Promise<T> {
    if (this.#now() < this.#pausedUntil) throw new Error('Redis is not asked for a moment: it failed just now.')
    let timer: ReturnType<typeof setTimeout> | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`Redis did not answer within ${COMMAND_MS} ms.`)), this.#limit())
    })
    try {
      return await Promise.race([this.#run(command), late])
    } catch (cause) {
      this.#pausedUntil = this.#now() + PAUSE_MS
      throw cause
    } finally {
      clearTimeout(timer)
    }
  }

  #limit(): number {
    return this.#client.connected ? COMMAND_MS : CONNECT_MS + COMMAND_MS
  }

  async #run<T>(command: () => Promise<T>): Promise<T> {
    if (!this.#client.connected) await this.#client.connect()
    return command()
  }
}

/** A text in which nothing is a pattern (Redis' glob). */
const literal = (text: string): string => text.replace(/[\\*?[\]]/g, '\\$&')
