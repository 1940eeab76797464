/** What OpenAI's Responses keep for their callers: the response and the input it answered, for as long as is set. */
import type { Store } from './open.ts'

export interface KeptResponse {
  /** The response as the caller got it. */
  response: Record<string, unknown>
  /** All input items, those of earlier responses included. */
  input: unknown[]
}

/** Seals and opens text; secrets/seal.ts. */
export interface Seal {
  seal(text: string, context: string): Buffer
  open(sealed: Buffer, context: string): string
  /** What everything begins with that is under the newest key. */
  readonly beginning: Buffer
}

/** Expired rows are swept away once in so many that are kept. */
const SWEEP_EVERY = 256

export class Responses {
  readonly #seal: Seal
  readonly #keepMs: number
  readonly #clock: () => number
  readonly #put
  readonly #get
  readonly #delete
  readonly #sweep
  readonly #older
  readonly #renew
  #kept = 0

  /** @param keepMs how long a response is kept; 0 = not at all */
  constructor({ sqlite }: Store, seal: Seal, keepMs: number, clock: () => number) {
    this.#seal = seal
    this.#keepMs = keepMs
    this.#clock = clock
    this.#put = sqlite.prepare('INSERT OR REPLACE INTO responses VALUES (?, ?, ?, ?)')
    this.#get = sqlite
      .prepare<[string, string, number], Buffer>(
        'SELECT sealed FROM responses WHERE id = ? AND owner = ? AND expires_at > ?',
      )
      .pluck()
    this.#delete = sqlite.prepare('DELETE FROM responses WHERE id = ? AND owner = ?')
    this.#sweep = sqlite.prepare('DELETE FROM responses WHERE expires_at <= ?')
    this.#older = sqlite.prepare<[Buffer], { id: string; owner: string; sealed: Buffer }>(
      'SELECT id, owner, sealed FROM responses WHERE substr(sealed, 1, 5) <> ? LIMIT 100',
    )
    this.#renew = sqlite.prepare('UPDATE responses SET sealed = ? WHERE id = ? AND owner = ?')
  }

  get keeps(): boolean {
    return this.#keepMs > 0
  }

  put(owner: string, id: string, kept: KeptResponse): void {
    if (!this.keeps) return
    const now = this.#clock()
    if (this.#kept++ % SWEEP_EVERY === 0) this.#sweep.run(now)
    this.#put.run(id, owner, now + this.#keepMs, this.#seal.seal(JSON.stringify(kept), `${owner} ${id}`))
  }

  /** Undefined where there is none, where it has expired, and where it is somebody else's: the three look alike. */
  get(owner: string, id: string): KeptResponse | undefined {
    const sealed = this.#get.get(id, owner, this.#clock()) as Buffer | undefined
    return sealed && (JSON.parse(this.#seal.open(sealed, `${owner} ${id}`)) as KeptResponse)
  }

  /** Seals a portion anew that is under an older key. @returns how many @throws Error where that key is not here */
  reseal(): number {
    const rows = this.#older.all(this.#seal.beginning)
    for (const { id, owner, sealed } of rows) {
      const context = `${owner} ${id}`
      this.#renew.run(this.#seal.seal(this.#seal.open(sealed, context), context), id, owner)
    }
    return rows.length
  }

  /** Whether there was one. */
  delete(owner: string, id: string): boolean {
    return this.#delete.run(id, owner).changes > 0
  }
}
