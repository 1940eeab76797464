/**
 * A real SQLite that fails when it is told to. In memory where nothing else is asked for: a transaction costs half of
 * what it costs in a file, and a crash is the same (the process forgets, the database stays).
 */
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import { migrate } from 'drizzle-orm/better-sqlite3/migrator'
import * as schema from '../../drizzle/sqlite/schema.ts'
import { openStore, type Store } from '../../src/store/open.ts'
import { makeTemp, removeTemp } from '../support/temp.ts'

/** How writing fails: not at all, at the next statement of a kind, or by saying so though it was done. */
export type Fault = 'none' | 'begin' | 'insert' | 'commit' | 'lie'

const MIGRATIONS = join(import.meta.dir, '../../drizzle/sqlite/migrations')

/** An empty database with all tables, made once. */
let template: Buffer | undefined

function empty(): Database.Database {
  if (!template) {
    const sqlite = new Database(':memory:')
    migrate(drizzle({ client: sqlite, schema }), { migrationsFolder: MIGRATIONS })
    template = sqlite.serialize()
    sqlite.close()
  }
  return new Database(template)
}

export class Disk {
  fault: Fault = 'none'
  /** Transactions that are there for good. */
  commits = 0
  /** It has said that something is not there which is. */
  lied = false
  /** It has done so since the process began. */
  hasLied = false
  store: Store
  readonly #dir: string | undefined
  #memory: Database.Database | undefined

  /** @param kind a file is slower, and is closed and opened again by a crash */
  constructor(kind: 'memory' | 'file') {
    this.#dir = kind === 'file' ? makeTemp('sim') : undefined
    this.store = this.#open()
  }

  /** Opened as it is, without faults: for looking. */
  get sqlite(): Database.Database {
    return this.store.sqlite
  }

  #open(): Store {
    let store: Store
    if (this.#dir === undefined) {
      this.#memory ??= empty()
      const sqlite = this.#memory
      store = { sqlite, db: drizzle({ client: sqlite, schema }), path: ':memory:', close: () => {} }
    } else store = openStore(this.#dir)
    return store
  }

  /** What a new process finds. */
  reopen(): void {
    this.hasLied = false
    if (this.#dir === undefined) return
    this.store.close()
    this.store = this.#open()
  }

  /** The database as the ledger gets it. */
  faulty(): Store {
    const { sqlite } = this.store
    const prepare = (sql: string) => {
      const statement = sqlite.prepare(sql)
      const kind = kindOf(sql)
      if (kind === undefined) return statement
      const run = statement.run.bind(statement)
      const get = statement.get.bind(statement)
      statement.run = (...values: unknown[]) => this.#write(kind, () => run(...values))
      statement.get = (...values: unknown[]) => this.#write(kind, () => get(...values))
      return statement
    }
    const faulty = new Proxy(sqlite, {
      get(db, name) {
        if (name === 'prepare') return prepare
        const value: unknown = Reflect.get(db, name, db)
        return typeof value === 'function' ? value.bind(db) : value
      },
    })
    return { ...this.store, sqlite: faulty }
  }

  #write<T>(kind: 'begin' | 'insert' | 'commit', act: () => T): T {
    const { fault } = this
    if (fault === 'lie' && kind === 'commit') {
      act()
      this.commits++
      this.lied = true
      this.hasLied = true
      throw new Error('disk I/O error, though it was written')
    }
    if (fault === kind) throw new Error(`disk I/O error at ${kind}`)
    const done = act()
    if (kind === 'commit') this.commits++
    return done
  }

  end(): void {
    if (this.#dir === undefined) this.#memory?.close()
    else {
      this.store.close()
      removeTemp(this.#dir)
    }
  }
}

function kindOf(sql: string): 'begin' | 'insert' | 'commit' | undefined {
  if (sql.startsWith('BEGIN')) return 'begin'
  if (sql.startsWith('COMMIT')) return 'commit'
  return /^(INSERT|REPLACE|DELETE|UPDATE)\b/.test(sql.trim()) ? 'insert' : undefined
}
