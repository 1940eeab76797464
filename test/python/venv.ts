/** The Python clients: a virtual environment of the checkout's own, with the versions that requirements.txt pins. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const HOME = join(import.meta.dir, '../../.python')
export const REQUIREMENTS = join(import.meta.dir, 'requirements.txt')
/** A copy of the list that was installed, written when all of it was. */
export const STAMP = join(HOME, 'installed.txt')
const PYTHON = join(HOME, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python')

/** Its interpreter; undefined where it is not there, or not of this list. */
export function findClients(): string | undefined {
  if (!existsSync(PYTHON) || !existsSync(STAMP)) return undefined
  return readFileSync(STAMP, 'utf8') === readFileSync(REQUIREMENTS, 'utf8') ? PYTHON : undefined
}
