/** The audit in a file, as it was at one moment, while a gateway may be writing it. Nothing is changed. */
import Database from 'better-sqlite3'
import type { ChainRow, Checkpoint } from '../core/audit-chain.ts'
import { tableOf } from './audit.ts'

export interface AuditFile {
  /** All there are, also those that should not be. */
  rows(chain: number, after?: number): IterableIterator<ChainRow>
  checkpoints(chain: number): Checkpoint[]
  /** What stands beside an entry of the second chain. */
  details(seq: number): { nonce: Uint8Array; text: string } | undefined
  /** Entries that have something beside them. */
  detailed(): IterableIterator<number>
  /** Ids of all keys that there are, and were: entries name them by digests. */
  keyIds(): string[]
  /** PEM, as the gateway left it. */
  publicKey: string | undefined
  close(): void
}

const TABLES = ['audit_requests', 'audit_admin', 'audit_checkpoints', 'audit_details']

/** @throws Error with a sentence for the operator */
export function openAuditFile(path: string): AuditFile {
  const sqlite = new Database(path, { readonly: true })
  try {
    sqlite.pragma('busy_timeout = 5000')
    const there = sqlite.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").pluck().all()
    const missing = TABLES.filter((table) => !there.includes(table))
    if (missing.length === TABLES.length)
      throw new Error(`${path} is of an earlier version: start this one on it once, then look at its audit.`)
    if (missing.length > 0) throw new Error(`${path} has no table ${missing.join(', ')}: somebody has removed it.`)
    // One moment for all that is read: what is written meanwhile is not seen.
    sqlite.exec('BEGIN')
    sqlite.prepare('SELECT count(*) FROM audit_checkpoints').get()
  } catch (cause) {
    sqlite.close()
    throw cause
  }
  const details = sqlite.prepare<[number], { nonce: Buffer; text: string }>(
    'SELECT nonce, text FROM audit_details WHERE seq = ?',
  )
  return {
    rows: (chain, after = Number.MIN_SAFE_INTEGER) =>
      sqlite
        .prepare<[number, number], ChainRow>(
          `SELECT ? AS chain, seq, at, mac, body FROM ${tableOf(chain)} WHERE seq > ? ORDER BY seq`,
        )
        .iterate(chain, after),
    checkpoints: (chain) =>
      sqlite.prepare<[number], Checkpoint>('SELECT * FROM audit_checkpoints WHERE chain = ? ORDER BY seq').all(chain),
    details: (seq) => details.get(seq),
    detailed: () => sqlite.prepare<[], number>('SELECT seq FROM audit_details ORDER BY seq').pluck().iterate(),
    keyIds: () =>
      sqlite
        .prepare<[], string>('SELECT id FROM keys UNION SELECT key FROM payers WHERE key IS NOT NULL')
        .pluck()
        .all(),
    publicKey: sqlite
      .prepare<[string], string>('SELECT value FROM facts WHERE name = ?')
      .pluck()
      .get('audit_public_key'),
    close: () => sqlite.close(),
  }
}
