/** Brings the Python clients: `bun test/python/bring.ts`. Nothing to do where they are; else a minute or two, once. */
import { copyFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../support/run-child.ts'
import { findClients, HOME, REQUIREMENTS, STAMP } from './venv.ts'

if (findClients()) {
  console.log('The Python clients are there.')
  process.exit(0)
}
const python = Bun.which('python3') ?? Bun.which('python')
if (!python) {
  console.error('The Python clients need Python 3.10 or later with its venv module: install that.')
  process.exit(1)
}
const options = { cwd: join(import.meta.dir, '../..'), limit: 10 * 60_000 }
rmSync(HOME, { recursive: true, force: true })
console.log(`installing the Python clients into ${HOME}: a minute or two, once`)
const made = await run([python, '-m', 'venv', HOME], { ...options, name: 'python -m venv' })
const bin = join(HOME, process.platform === 'win32' ? 'Scripts' : 'bin')
const install = [join(bin, 'python'), '-m', 'pip', 'install', '--disable-pip-version-check', '-q', '-r', REQUIREMENTS]
const code = made.code === 0 ? (await run(install, { ...options, name: 'pip install' })).code : made.code
if (code === 0) copyFileSync(REQUIREMENTS, STAMP)
else console.error(`The Python clients could not be installed (exit ${code}); what went wrong stands above.`)
process.exit(code)
