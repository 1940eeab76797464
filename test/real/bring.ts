/** Brings a real Ollama: `bun test/real/bring.ts`. Nothing to do where one is there; else minutes of building, once. */
import { join } from 'node:path'
import { findOllama, HOME } from './binary.ts'

const found = findOllama()
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
const began = Date.now()
const timer = setInterval(() => {
  console.log(`still building Ollama: ${Math.round((Date.now() - began) / 1000)} s`)
}, 15_000)
const child = Bun.spawn(['bash', join(import.meta.dir, 'ollama/install.sh'), HOME], {
  stdin: 'ignore',
  stdout: 'inherit',
  stderr: 'inherit',
})
const code = await child.exited
clearInterval(timer)
if (code !== 0) console.error(`Ollama could not be built (exit ${code}); what went wrong stands above.`)
process.exit(code)
