/** What secrets are, by a data folder alone, with or without a gateway that runs on it. Changes nothing there. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { Digests } from './keys.ts'
import { pepper } from './pepper.ts'

export interface KnownSecret {
  /** `live`, `replaced` (and still works), `blocked`, `expired`, `deleted`, `master`, `unknown`. */
  state: string
  token?: string
  key_alias?: string | null
}

interface KeyRow {
  id: string
  alias: string | null
  blocked: number
  expires_at: number | null
}

interface OldRow {
  key_id: string
  alias: string | null
  reason: string
}

/** @param now ms since the epoch @throws Error where it is no data folder of ours */
export function lookUpKeys(dataDir: string, now: number): (secret: string) => KnownSecret {
  if (!existsSync(join(dataDir, 'pepper')))
    throw new Error(`${dataDir} has no pepper: without it no stored key can be recognised.`)
  const digests = new Digests(pepper(dataDir))
  const file = new Database(join(dataDir, 'tollgate.sqlite'), { readonly: true })
  const keys = file.prepare('SELECT id, alias, blocked, expires_at FROM keys WHERE digest = ?')
  const master = file.prepare("SELECT 1 FROM facts WHERE name = 'master_key_digest' AND value = ?")
  const hasOld = file.prepare("SELECT 1 FROM sqlite_master WHERE name = 'old_secrets'").get() !== undefined
  const old = hasOld ? file.prepare('SELECT key_id, alias, reason FROM old_secrets WHERE digest = ?') : undefined
  return (secret) => {
    const digest = digests.of(secret)
    const key = keys.get(digest) as KeyRow | undefined
    if (key) {
      const expired = key.expires_at !== null && key.expires_at <= now
      return { state: key.blocked ? 'blocked' : expired ? 'expired' : 'live', token: key.id, key_alias: key.alias }
    }
    if (master.get(digest)) return { state: 'master' }
    const former = old?.get(digest) as OldRow | undefined
    return former ? { state: former.reason, token: former.key_id, key_alias: former.alias } : { state: 'unknown' }
  }
}
