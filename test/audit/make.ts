/** An audit on a real database in a folder of its own, and somebody who tampers with its file. */
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { AuditKeys, Signer } from '../../src/audit/keys.ts'
import { AuditLog } from '../../src/audit/log.ts'
import type { Checkpoint } from '../../src/core/audit-chain.ts'
import { CHAINS } from '../../src/core/audit-entry.ts'
import { AuditStore } from '../../src/store/audit.ts'
import { setFact } from '../../src/store/keys.ts'
import { openStore } from '../../src/store/open.ts'
import { pepper } from '../../src/store/pepper.ts'
import { tollgate } from '../cli/world.ts'
import { makeTemp } from '../support/temp.ts'

export interface Made {
  dir: string
  path: string
  anchors: Checkpoint[]
  privateKey: string
}

/** Writes `entries` of requests with a checkpoint after each ten, and stops as a gateway does. */
export function makeAudit(entries: number, checkpointEntries = 10): Made {
  const dir = makeTemp('audit')
  const store = openStore(dir)
  const anchors: Checkpoint[] = []
  let pem: string | undefined
  const signer = new Signer({ read: () => pem, write: (text) => (pem = text) })
  setFact(store, 'audit_public_key', signer.publicKey)
  let now = Date.UTC(2026, 0, 1)
  const log = new AuditLog(
    new AuditStore(store),
    new AuditKeys(pepper(dir)),
    signer,
    { checkpointEntries, checkpointMs: 3_600_000, version: '0.0.0' },
    {
      now: () => now,
      anchored: (one) => anchors.push(one),
      wrote: () => {},
      missing: () => {},
      warn: () => {},
      error: () => {},
    },
  )
  log.start()
  for (let n = 1; n <= entries; n++) {
    now += 1_000
    log.add({ chain: CHAINS.requests, at: now, body: () => JSON.stringify({ kind: 'request', id: `req_${n}` }) })
    if (n % 5 === 0) log.flush()
  }
  log.stop()
  store.close()
  return { dir, path: join(dir, 'tollgate.sqlite'), anchors, privateKey: pem ?? '' }
}

/** Does something to the file that the triggers would not allow, as somebody with the file can. */
export function tamper({ path }: Pick<Made, 'path'>, act: (sqlite: Database.Database) => void): void {
  const sqlite = new Database(path)
  const triggers = sqlite.prepare("SELECT name FROM sqlite_master WHERE type = 'trigger'").pluck().all() as string[]
  for (const name of triggers) sqlite.exec(`DROP TRIGGER ${name}`)
  act(sqlite)
  sqlite.close()
}

export const verify = ({ dir }: Pick<Made, 'dir'>, ...more: string[]) =>
  tollgate(['audit', 'verify', '--data', dir, ...more])

/** Something is done to the file; what the command says of it. */
export async function after(made: Made, act: (sqlite: Database.Database) => void, ...more: string[]) {
  tamper(made, act)
  const { code, out, err } = await verify(made, ...more)
  return { code, text: `${out}\n${err}` }
}
