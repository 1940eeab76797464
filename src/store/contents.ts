/** What was said and answered, of those who have asked for it to be kept: sealed, for as long as is set. */
import type { Payer } from '../core/scope.ts'
import type { Store } from './open.ts'
import type { Seal } from './responses.ts'

export interface ContentRow {
  requestId: string
  payer: Pick<Payer, 'key' | 'user' | 'team' | 'project' | 'customer'>
  at: number
}

/** So many go at once. */
const PORTION = 500

export class Contents {
  readonly #seal: Seal
  readonly #put
  readonly #get
  readonly #old
  readonly #older
  readonly #renew

  constructor({ sqlite }: Pick<Store, 'sqlite'>, seal: Seal) {
    this.#seal = seal
    this.#put = sqlite.prepare('INSERT OR REPLACE INTO contents VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
    this.#get = sqlite.prepare<[string], { sealed: Buffer; at: number }>(
      'SELECT sealed, at FROM contents WHERE request_id = ?',
    )
    this.#old = sqlite.prepare(
      'DELETE FROM contents WHERE request_id IN (SELECT request_id FROM contents WHERE at < ? ORDER BY at LIMIT ?)',
    )
    this.#older = sqlite.prepare<[Buffer], { request_id: string; sealed: Buffer }>(
      'SELECT request_id, sealed FROM contents WHERE substr(sealed, 1, 5) <> ? LIMIT 100',
    )
    this.#renew = sqlite.prepare('UPDATE contents SET sealed = ? WHERE request_id = ?')
  }

  /** @param said JSON */
  put({ requestId, payer, at }: ContentRow, said: string): void {
    const { key, user, team, project, customer } = payer
    const whose = [key, user, team, project, customer].map((one) => one ?? null)
    this.#put.run(requestId, ...whose, at, this.#seal.seal(said, `content ${requestId}`))
  }

  /** @throws Error where it was changed, or sealed under a key that is not here */
  get(requestId: string): { at: number; said: string } | undefined {
    const found = this.#get.get(requestId)
    return found && { at: found.at, said: this.#seal.open(found.sealed, `content ${requestId}`) }
  }

  /** Deletes a portion of what is older. @param before ms since the epoch @returns how many */
  letGo(before: number): number {
    return this.#old.run(before, PORTION).changes
  }

  /** Seals a portion anew that is under an older key. @returns how many */
  reseal(): number {
    const rows = this.#older.all(this.#seal.beginning)
    for (const { request_id: id, sealed } of rows)
      this.#renew.run(this.#seal.seal(this.#seal.open(sealed, `content ${id}`), `content ${id}`), id)
    return rows.length
  }
}
