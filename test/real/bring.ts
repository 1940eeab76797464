/** Brings a real Ollama: `bun test/real/bring.ts`. Nothing to do where one is there; else minutes of building, once. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../support/run-child.ts'
import { findOllama, HOME } from './binary.ts'

let found: string | undefined
try {
  found = findOllama()
} catch (cause) {
  console.error(cause instanceof Error ? cause.message : cause)
  process.exit(1)
}
if (found) {
  console.log(`Ollama is there: ${found}`)
  process.exit(0)
}
const needs = ['go', 'g++', 'bash', 'apt-get'].filter(
  (tool) => !Bun.which(tool, { PATH: `${process.env.PATH}:/usr/local/go/bin` }),
)
if (needs.length > 0) {
  console.error(`A real Ollama is built from source, which needs ${needs.join(', ')}: install that, or set OLLAMA_BIN.`)
  process.exit(1)
}
console.log(`building Ollama into ${HOME}: some minutes, once`)
mkdirSync(HOME, { recursive: true })
const install = ['bash', join(import.meta.dir, 'ollama/install.sh'), HOME]
const { code } = await run(install, { name: 'building Ollama', cwd: HOME, limit: 60 * 60_000 })
if (code !== 0) console.error(`Ollama could not be built (exit ${code}); what went wrong stands above.`)
process.exit(code)
