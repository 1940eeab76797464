/** What the audit keeps, as its store has it (store/audit.ts). */
import type { ChainRow, Checkpoint } from '../core/audit-chain.ts'

export interface Details {
  seq: number
  nonce: Uint8Array
  text: string
}

export interface AuditShelf {
  /** The last entry of a chain. */
  last(chain: number): ChainRow | undefined
  /** The newest of a chain. */
  checkpoint(chain: number): Checkpoint | undefined
  /** All or nothing. @throws Error where it cannot be written */
  append(
    rows: readonly ChainRow[],
    details: readonly Details[],
    salts: readonly [string, Uint8Array][],
    checkpoints: readonly Checkpoint[],
  ): void
  salt(person: string): Uint8Array | undefined
}
