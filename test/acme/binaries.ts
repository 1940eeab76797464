/** Where Let's Encrypt's own test server is found: the checkout's, or the PATH. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'

export const HOME = join(import.meta.dir, '../../.pebble')
/** The version that is built. */
export const PEBBLE = 'github.com/letsencrypt/pebble/v2/cmd'
export const VERSION = 'v2.10.1'

const find = (name: string): string | undefined => {
  const own = join(HOME, name)
  return existsSync(own) ? own : (Bun.which(name) ?? undefined)
}

/** The authority, and the name server that its challenges go by; undefined where one of them is not there. */
export function findPebble(): { pebble: string; names: string } | undefined {
  const pebble = find('pebble')
  const names = find('pebble-challtestsrv')
  return pebble && names ? { pebble, names } : undefined
}
