/** Opens the data folder: one process at a time, migrated, with the settings that the ledger relies on. */
import { chmodSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { type BetterSQLite3Database, drizzle } from 'drizzle-orm/better-sqlite3'
import { migrate } from 'drizzle-orm/better-sqlite3/migrator'
import * as schema from '../../drizzle/sqlite/schema.ts'

export interface Store {
  sqlite: Database.Database
  db: BetterSQLite3Database<typeof schema>
  path: string
  close(): void
}

const MIGRATIONS = join(import.meta.dir, '../../drizzle/sqlite/migrations')

/**
 * @param dataDir made with mode 0700 where it is missing
 * @throws Error with a sentence for the operator: another process has it, or a migration failed (nothing is served then)
 */
export function openStore(dataDir: string): Store {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const unlock = lockFolder(dataDir)
  const path = join(dataDir, 'tollgate.sqlite')
  const fresh = !existsSync(path)
  const sqlite = new Database(path)
  const close = () => {
    sqlite.close()
    unlock()
  }
  try {
    const db = prepare(sqlite, path, fresh ? undefined : dataDir)
    return {
      sqlite,
      db,
      path,
      close: () => {
        sqlite.pragma('wal_checkpoint(TRUNCATE)')
        close()
      },
    }
  } catch (cause) {
    close()
    if ((cause as { code?: string }).code !== 'SQLITE_NOTADB') throw cause
    throw new Error(`${path} is not a Tollgate database. Move it away, or choose another folder with --data.`, {
      cause,
    })
  }
}

/**
 * The settings, read back, and the migrations.
 * @param keepIn where a copy is kept before anything is migrated; undefined for a new file
 */
function prepare(sqlite: Database.Database, path: string, keepIn: string | undefined): Store['db'] {
  chmodSync(path, 0o600)
  sqlite.pragma('journal_mode = WAL')
  // A crash of the process loses nothing in WAL; a power cut may lose the last milliseconds, never consistency.
  sqlite.pragma('synchronous = NORMAL')
  // A checkpoint on this connection blocks the loop for 7–25 ms: checkpointer.ts does it from elsewhere.
  sqlite.pragma('wal_autocheckpoint = 0')
  sqlite.pragma('busy_timeout = 5000')
  sqlite.pragma('foreign_keys = ON')
  // Else INSERT OR REPLACE would delete what no trigger lets go (the audit).
  sqlite.pragma('recursive_triggers = ON')
  // An old file keeps what an asked-for pragma did not change: believe only what is read back.
  const mode = sqlite.pragma('journal_mode', { simple: true })
  if (mode !== 'wal')
    throw new Error(
      `The database ${path} can't be put into WAL mode (it says '${mode}'). Is the folder on a network file system? Choose a local one with --data.`,
    )
  const db = drizzle({ client: sqlite, schema })
  if (keepIn !== undefined && pending(sqlite))
    sqlite.exec(`VACUUM INTO '${join(keepIn, `before-migration-${Date.now()}.sqlite`).replaceAll("'", "''")}'`)
  migrate(db, { migrationsFolder: MIGRATIONS })
  return db
}

/** Whether migrations are waiting: then a copy is kept first (litellm#9558: an upgrade that wiped the database). */
function pending(sqlite: Database.Database): boolean {
  const journal: { entries: { when: number }[] } = require(join(MIGRATIONS, 'meta/_journal.json'))
  const newest = Math.max(...journal.entries.map((e) => e.when))
  const known = sqlite.prepare("SELECT 1 FROM sqlite_master WHERE name = '__drizzle_migrations'").get()
  if (!known) return true
  const last = sqlite.prepare('SELECT max(created_at) AS at FROM __drizzle_migrations').get() as { at: number | null }
  return (last.at ?? 0) < newest
}

/**
 * Two gateways on one database would each keep their own counters and overspend together. The lock is a transaction
 * that is never ended on a database of its own: the system lets go of it when the process dies, however it dies.
 */
function lockFolder(dataDir: string): () => void {
  const lock = new Database(join(dataDir, 'lock.sqlite'), { timeout: 0 })
  try {
    lock.pragma('journal_mode = DELETE')
    lock.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    lock.close()
    if ((cause as { code?: string }).code !== 'SQLITE_BUSY') throw cause
    throw new Error(
      `Another Tollgate is using the data folder ${dataDir}. Stop it, or give this one its own folder with --data.`,
    )
  }
  return () => lock.close()
}
