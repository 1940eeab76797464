/** Where a real Ollama is found: OLLAMA_BIN, the checkout's own, or the PATH, in this order. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dir, '../..')
export const HOME = join(ROOT, '.ollama')
const OWN = join(HOME, 'bin/ollama')

/** Its path, or undefined where there is none. @throws Error where OLLAMA_BIN names a file that is not there */
export function findOllama(): string | undefined {
  const named = process.env.OLLAMA_BIN
  if (named !== undefined && named !== '') {
    if (!existsSync(named)) throw new Error(`OLLAMA_BIN is set to ${named}, which is not there: correct or unset it.`)
    return named
  }
  return existsSync(OWN) ? OWN : (Bun.which('ollama') ?? undefined)
}
