/** The data folder: settings that are believed only when read back, one process at a time, no lost database. */
import { afterEach, expect, test } from 'bun:test'
import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { getTableName } from 'drizzle-orm'
import * as schema from '../../drizzle/sqlite/schema.ts'
import { openStore, type Store } from '../../src/store/open.ts'
import { pepper } from '../../src/store/pepper.ts'
import { bury, collect, makeTemp, removeTemp } from '../support/temp.ts'

const ROOT = join(import.meta.dir, '../..')
const left: (() => void)[] = []
afterEach(() => {
  for (const undo of left.splice(0).reverse()) undo()
})

function folder(): string {
  const dir = makeTemp('open')
  left.push(() => removeTemp(dir))
  return dir
}

function open(dir: string): Store {
  const store = openStore(dir)
  let closed = false
  const close = () => {
    if (!closed) store.close()
    closed = true
  }
  left.push(close)
  return { ...store, close }
}

test('the database says of itself what the ledger relies on', () => {
  const { sqlite, path } = open(folder())
  const said = (name: string) => sqlite.pragma(name, { simple: true })
  expect(said('journal_mode')).toBe('wal')
  expect(said('synchronous')).toBe(1)
  expect(said('wal_autocheckpoint')).toBe(0)
  expect(said('busy_timeout')).toBe(5_000)
  expect(said('foreign_keys')).toBe(1)
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('a folder that is missing is made, for its owner only', () => {
  const dir = join(folder(), 'not/yet')
  open(dir)
  expect(statSync(dir).mode & 0o777).toBe(0o700)
})

test('the tables are there, and opening again changes nothing and keeps no copies', () => {
  const dir = folder()
  const first = open(dir)
  first.sqlite.prepare('INSERT INTO facts VALUES (?, ?)').run('a', 'b')
  first.close()
  const again = open(dir)
  expect(again.sqlite.prepare('SELECT value FROM facts').get()).toEqual({ value: 'b' })
  const tables = again.sqlite.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").all()
  const names = (tables as { name: string }[]).map((t) => t.name).filter((n) => !n.startsWith('_'))
  expect(names).toEqual(Object.values(schema).map(getTableName).sort())
  expect(readdirSync(dir).filter((f) => f.startsWith('before-migration'))).toEqual([])
})

test('a second one on the same folder is told so, and gets in when the first is gone', () => {
  const dir = folder()
  const first = open(dir)
  expect(() => openStore(dir)).toThrow(/Another Tollgate is using the data folder .*--data/)
  first.close()
  expect(() => open(dir)).not.toThrow()
})

/** A process that opens the folder, says so, and waits to be killed. */
async function holder(dir: string): Promise<Bun.Subprocess<'ignore', 'pipe', 'pipe'>> {
  const script = `const { openStore } = await import('${ROOT}/src/store/open.ts')
    openStore(${JSON.stringify(dir)}); console.log('open'); setInterval(() => {}, 1000)`
  const child = Bun.spawn([process.execPath, '-e', script], { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
  bury(child)
  const said = collect(child)
  for (let i = 0; i < 1_000 && !said().includes('open'); i++) await Bun.sleep(10)
  expect(said()).toContain('open')
  return child
}

test('another process keeps it too, and the lock dies with it, however it dies', async () => {
  const dir = folder()
  const child = await holder(dir)
  expect(() => openStore(dir)).toThrow(/Another Tollgate/)
  child.kill('SIGKILL')
  await child.exited
  expect(() => open(dir)).not.toThrow()
})

test('an older database is copied before it is changed', () => {
  const dir = folder()
  const old = new Database(join(dir, 'tollgate.sqlite'))
  old.exec('CREATE TABLE relic (x); INSERT INTO relic VALUES (42)')
  old.close()
  const { sqlite } = open(dir)
  expect(sqlite.prepare('SELECT count(*) AS n FROM charges').get()).toEqual({ n: 0 })
  const copies = readdirSync(dir).filter((f) => f.startsWith('before-migration'))
  expect(copies).toHaveLength(1)
  const copy = new Database(join(dir, copies[0] as string), { readonly: true })
  expect(copy.prepare('SELECT x FROM relic').get()).toEqual({ x: 42 })
  expect(copy.prepare("SELECT count(*) AS n FROM sqlite_master WHERE name = 'charges'").get()).toEqual({ n: 0 })
  copy.close()
})

test('a migration that fails is an error, changes nothing, and lets the folder go', () => {
  const dir = folder()
  const path = join(dir, 'tollgate.sqlite')
  const old = new Database(path)
  old.exec('CREATE TABLE charges (mine TEXT); INSERT INTO charges VALUES (1)')
  old.close()
  expect(() => openStore(dir)).toThrow()
  // The second try fails for the same reason, not because the first one still has the folder.
  expect(() => openStore(dir)).not.toThrow(/Another Tollgate/)
  const after = new Database(path, { readonly: true })
  expect(after.prepare('SELECT mine FROM charges').get()).toEqual({ mine: '1' })
  const tables = after.prepare(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_\\_%' ESCAPE '\\'",
  )
  expect(tables.all()).toEqual([{ name: 'charges' }])
  after.close()
})

test('a file that is no database is said to be none, and stays as it is', () => {
  const dir = folder()
  writeFileSync(join(dir, 'tollgate.sqlite'), 'this is a diary, not a database, and it is long enough to be read')
  expect(() => openStore(dir)).toThrow(/tollgate.sqlite is not a Tollgate database.*--data/)
  expect(() => openStore(dir)).not.toThrow(/Another Tollgate/)
})

test('the pepper is made once, for its owner only, and a damaged one is not replaced', () => {
  const dir = folder()
  const made = pepper(dir)
  expect(made).toHaveLength(32)
  expect(pepper(dir).equals(made)).toBeTrue()
  expect(statSync(join(dir, 'pepper')).mode & 0o777).toBe(0o600)
  writeFileSync(join(dir, 'pepper'), 'short')
  expect(() => pepper(dir)).toThrow(/backup/)
})
