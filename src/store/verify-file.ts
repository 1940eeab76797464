import Database from 'better-sqlite3'
import { type Verified, verify } from './verify.ts'

/** Verifies the books in a file, which a gateway may be writing meanwhile. @param tell how many charges were read */
export function verifyFile(path: string, tell?: (charges: number) => void): Verified {
  const sqlite = new Database(path, { readonly: true })
  try {
    sqlite.pragma('busy_timeout = 5000')
    const known = sqlite.prepare("SELECT 1 FROM sqlite_master WHERE name = 'payer_rollups'").get()
    if (!known) throw new Error(`${path} is of an earlier version: start this one on it once, then verify it.`)
    return verify(sqlite, tell)
  } finally {
    sqlite.close()
  }
}
