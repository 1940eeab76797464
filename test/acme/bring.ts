/** Brings a real ACME authority, Pebble: `bun test/acme/bring.ts`. Nothing to do where it is there; else a minute of building. */
import { mkdirSync } from 'node:fs'
import { run } from '../support/run-child.ts'
import { findPebble, HOME, PEBBLE, VERSION } from './binaries.ts'

if (findPebble()) {
  console.log('Pebble is there.')
  process.exit(0)
}
const path = `${process.env.PATH}:/usr/local/go/bin`
const go = Bun.which('go', { PATH: path })
if (!go) {
  console.error(
    'Pebble is built from source, which needs go: install that, or put pebble and pebble-challtestsrv on the PATH.',
  )
  process.exit(1)
}
console.log(`building Pebble into ${HOME}: a minute, once`)
mkdirSync(HOME, { recursive: true })
process.env.GOBIN = HOME
const wanted = ['pebble', 'pebble-challtestsrv'].map((name) => `${PEBBLE}/${name}@${VERSION}`)
const { code } = await run([go, 'install', ...wanted], { name: 'building Pebble', cwd: HOME, limit: 20 * 60_000 })
process.exit(code)
