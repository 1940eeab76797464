/** The audit at rest: two chains, their checkpoints, and beside them what may be taken out again. */
import type Database from 'better-sqlite3'
import type { ChainRow, Checkpoint } from '../core/audit-chain.ts'
import { CHAINS } from '../core/audit-entry.ts'
import type { Store } from './open.ts'

interface Details {
  seq: number
  nonce: Uint8Array
  text: string
}

const TABLES: ReadonlyMap<number, string> = new Map([
  [CHAINS.requests, 'audit_requests'],
  [CHAINS.admin, 'audit_admin'],
])

/** The table of a chain. */
export const tableOf = (chain: number): string => TABLES.get(chain) as string

/** So many entries go at once: some ms, in which nothing else is served. */
const PORTION = 2_000

export class AuditStore {
  readonly #sqlite: Database.Database
  readonly #insert: ReadonlyMap<number, Database.Statement<unknown[]>>
  readonly #insertDetails
  readonly #insertCheckpoint
  readonly #insertSalt
  readonly #salt
  readonly #append

  constructor({ sqlite }: Pick<Store, 'sqlite'>) {
    this.#sqlite = sqlite
    this.#insert = new Map(
      [...TABLES].map(([chain, table]) => [chain, sqlite.prepare(`INSERT INTO ${table} VALUES (?, ?, ?, ?)`)]),
    )
    this.#insertDetails = sqlite.prepare('INSERT INTO audit_details VALUES (?, ?, ?)')
    this.#insertCheckpoint = sqlite.prepare(
      'INSERT INTO audit_checkpoints VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
    )
    this.#insertSalt = sqlite.prepare('INSERT INTO audit_salts VALUES (?, ?) ON CONFLICT DO NOTHING')
    this.#salt = sqlite.prepare<[string], Buffer>('SELECT salt FROM audit_salts WHERE person = ?').pluck()
    this.#append = sqlite.transaction(
      (
        rows: readonly ChainRow[],
        details: readonly Details[],
        salts: readonly [string, Uint8Array][],
        checkpoints: readonly Checkpoint[],
      ) => {
        for (const [person, salt] of salts) this.#insertSalt.run(person, salt)
        for (const { chain, seq, at, mac, body } of rows) this.#insert.get(chain)?.run(seq, at, mac, body)
        for (const { seq, nonce, text } of details) this.#insertDetails.run(seq, nonce, text)
        for (const { chain, seq, kind, mac, at, signature } of checkpoints)
          this.#insertCheckpoint.run(chain, seq, kind, mac, at, signature)
      },
    )
  }

  append(
    rows: readonly ChainRow[],
    details: readonly Details[],
    salts: readonly [string, Uint8Array][],
    checkpoints: readonly Checkpoint[],
  ): void {
    this.#append.immediate(rows, details, salts, checkpoints)
  }

  last(chain: number): ChainRow | undefined {
    return this.upTo(chain, Number.MAX_SAFE_INTEGER, 1)[0]
  }

  checkpoint(chain: number): Checkpoint | undefined {
    return this.#sqlite
      .prepare('SELECT * FROM audit_checkpoints WHERE chain = ? ORDER BY seq DESC, kind LIMIT 1')
      .get(chain) as Checkpoint | undefined
  }

  salt(person: string): Uint8Array | undefined {
    return this.#salt.get(person)
  }

  /** The last entry before a time. Entries are in the order of their times, so that halving finds it. */
  lastBefore(chain: number, at: number): ChainRow | undefined {
    const ends = this.#sqlite.prepare(`SELECT min(seq) AS low, max(seq) AS high FROM ${tableOf(chain)}`).get() as {
      low: number | null
      high: number | null
    }
    let [low, high] = [Math.max((ends.low ?? 1) - 1, this.tombstone(chain)), ends.high ?? 0]
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      const [found] = this.upTo(chain, middle + 1, 1)
      if (found && found.at < at) low = middle
      else high = middle - 1
    }
    const [found] = this.upTo(chain, low + 1, 1)
    return found && found.at < at ? found : undefined
  }

  tombstone(chain: number): number {
    const found = this.#sqlite
      .prepare<[number], number | null>("SELECT max(seq) FROM audit_checkpoints WHERE chain = ? AND kind = 'tombstone'")
      .pluck()
      .get(chain)
    return found ?? 0
  }

  /** Deletes a portion of what a tombstone covers. @returns how many; 0 where nothing is left to do */
  letGo(chain: number): number {
    const upTo = this.tombstone(chain)
    if (upTo === 0) return 0
    const { changes } = this.#sqlite
      .prepare(
        `DELETE FROM ${tableOf(chain)} WHERE seq IN (SELECT seq FROM ${tableOf(chain)} WHERE seq <= ? ORDER BY seq LIMIT ?)`,
      )
      .run(upTo, PORTION)
    if (changes > 0) return changes
    this.#sqlite.prepare('DELETE FROM audit_checkpoints WHERE chain = ? AND seq < ?').run(chain, upTo)
    if (chain === 2) this.#sqlite.prepare('DELETE FROM audit_details WHERE seq <= ?').run(upTo)
    return 0
  }

  /** Entries behind `after`, oldest first. What was let go is none any more, be it there or not. */
  from(chain: number, after: number, limit: number): ChainRow[] {
    const rows = this.#sqlite
      .prepare(`SELECT * FROM ${tableOf(chain)} WHERE seq > ? ORDER BY seq LIMIT ?`)
      .all(Math.max(after, this.tombstone(chain)), limit)
    return (rows as Omit<ChainRow, 'chain'>[]).map((row) => ({ chain, ...row }))
  }

  /** Entries in front of `before`, newest first. */
  upTo(chain: number, before: number, limit: number): ChainRow[] {
    const rows = this.#sqlite
      .prepare(`SELECT * FROM ${tableOf(chain)} WHERE seq < ? AND seq > ? ORDER BY seq DESC LIMIT ?`)
      .all(before, this.tombstone(chain), limit)
    return (rows as Omit<ChainRow, 'chain'>[]).map((row) => ({ chain, ...row }))
  }

  details(seq: number): string | undefined {
    return this.#sqlite.prepare<[number], string>('SELECT text FROM audit_details WHERE seq = ?').pluck().get(seq)
  }

  /** What stands beside entries and has one of these texts in it. */
  detailsWith(texts: readonly string[]): Details[] {
    const found = this.#sqlite.prepare<[string], Details>(
      'SELECT * FROM audit_details WHERE EXISTS (SELECT 1 FROM json_each(?) WHERE instr(audit_details.text, value) > 0) ORDER BY seq',
    )
    // As they stand in JSON: a name may hold what is escaped there.
    return found.all(JSON.stringify(texts.map((text) => JSON.stringify(text).slice(1, -1))))
  }

  putDetails(changed: readonly Details[]): void {
    const put = this.#sqlite.prepare('UPDATE audit_details SET nonce = ?, text = ? WHERE seq = ?')
    this.#sqlite.transaction(() => {
      for (const { seq, nonce, text } of changed) put.run(nonce, text, seq)
    })()
  }
}
