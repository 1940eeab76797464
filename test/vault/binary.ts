/** Where a real Vault is found: VAULT_BIN, the checkout's own, or the PATH, in this order. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'

export const HOME = join(import.meta.dir, '../../.vault')
/** The version that is built. */
export const MODULE = 'github.com/hashicorp/vault@v1.21.1'

const OWN = join(HOME, 'vault')

/** Its path, or undefined where there is none. @throws Error where VAULT_BIN names a file that is not there */
export function findVault(): string | undefined {
  const named = process.env.VAULT_BIN
  if (named) {
    if (!existsSync(named)) throw new Error(`VAULT_BIN is set to ${named}, which is not there: correct or unset it.`)
    return named
  }
  return existsSync(OWN) ? OWN : (Bun.which('vault') ?? undefined)
}
