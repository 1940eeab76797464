/** The key under which digests are made: beside the database, not in it, readable by its owner only. */
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** @throws Error where the file is there and is not one of ours */
export function pepper(dataDir: string): Buffer {
  const path = join(dataDir, 'pepper')
  if (!existsSync(path)) writeFileSync(path, randomBytes(32).toString('hex'), { mode: 0o600, flag: 'wx' })
  const hex = readFileSync(path, 'utf8').trim()
  if (!/^[0-9a-f]{64}$/.test(hex))
    throw new Error(
      `${path} is not what Tollgate wrote there. Without it no stored key can be checked: bring it back from a backup.`,
    )
  return Buffer.from(hex, 'hex')
}
