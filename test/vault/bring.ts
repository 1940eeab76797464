/** Brings a real Vault: `bun test/vault/bring.ts`. Nothing to do where one is there; else minutes of building, once. */
import { cpSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../support/run-child.ts'
import { findVault, HOME, MODULE } from './binary.ts'

const found = findVault()
if (found) {
  console.log(`Vault is there: ${found}`)
  process.exit(0)
}
const go = Bun.which('go', { PATH: `${process.env.PATH}:/usr/local/go/bin` })
if (!go) {
  console.error('A real Vault is built from source, which needs go: install that, or set VAULT_BIN.')
  process.exit(1)
}
console.log(`building Vault into ${HOME}: some minutes, once`)
mkdirSync(HOME, { recursive: true })
const source = join(HOME, 'source')
rmSync(source, { recursive: true, force: true })
const step = async (name: string, cwd: string, ...command: string[]): Promise<string> => {
  const { code, output } = await run(command, { name, cwd, limit: 45 * 60_000, quiet: name === 'fetching' })
  if (code !== 0) {
    console.error(`Vault could not be built (${name}, exit ${code}):\n${output.slice(-2000)}`)
    process.exit(1)
  }
  return output
}
const told = await step('fetching', HOME, go, 'mod', 'download', '-json', MODULE)
const { Dir: kept } = JSON.parse(told.slice(told.indexOf('{'))) as { Dir: string }
// Go keeps modules read-only, and this one's parts beside it are other modules: the published ones are taken.
cpSync(kept, source, { recursive: true })
await step('unlocking', HOME, 'chmod', '-R', 'u+w', source)
const parts = ['api', 'api/auth/approle', 'api/auth/kubernetes', 'api/auth/userpass', 'sdk']
const drops = parts.map((part) => `-dropreplace=github.com/hashicorp/vault/${part}`)
await step('unlocking', source, go, 'mod', 'edit', ...drops)
const made = join(HOME, 'made')
// Tests may run beside it.
await step(
  'building Vault',
  source,
  go,
  'build',
  '-p',
  '1',
  '-mod=mod',
  '-tags',
  'minimal',
  '-ldflags',
  '-s -w',
  '-o',
  made,
  '.',
)
renameSync(made, join(HOME, 'vault'))
rmSync(source, { recursive: true, force: true })
process.exit(0)
