/** What this is made of: pinned, from one registry, with a reason for each; and the list of it. */
import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import pkg from '../../package.json'
import { sbomOf } from '../../src/cli/sbom.ts'
import { runTollgate } from '../support/tollgate.ts'

const ROOT = join(import.meta.dir, '../..')
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
const lock = read('bun.lock')
const direct = Object.entries({ ...pkg.dependencies, ...pkg.devDependencies })

interface Component {
  'bom-ref': string
  name: string
  version: string
  purl: string
  scope: string
  hashes: { alg: string; content: string }[]
}
interface Bom {
  bomFormat: string
  specVersion: string
  components: Component[]
  dependencies: { ref: string; dependsOn: string[] }[]
}

test('each direct dependency has its reason in docs/dependencies.md, and each reason its dependency', () => {
  const [, ...rows] = read('docs/dependencies.md').split('\n| ')
  const named = rows.flatMap((row) =>
    [...(row.split(' | ')[0] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name as string),
  )
  expect(named.sort()).toEqual(direct.map(([name]) => name).sort())
})

test('versions are exact, and every package has a digest and comes from the one registry', () => {
  expect(direct.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([])
  const { packages } = parse(lock) as { packages: Record<string, unknown[]> }
  for (const [name, [id, registry, , integrity]] of Object.entries(packages))
    expect([name, id, registry, integrity]).toEqual([name, expect.any(String), '', expect.stringMatching(/^sha512-/)])
})

test('the SBOM lists all that is installed with it, each with its digest and what needs it', async () => {
  const { code, out } = await runTollgate(['sbom'], {})
  const bom = JSON.parse(out) as Bom
  expect([code, bom.bomFormat, bom.specVersion]).toEqual([0, 'CycloneDX', '1.6'])
  // A package may be there in two versions: its own, and one that another needs.
  const there = new Map(bom.components.map((one) => [`${one.name}@${one.version}`, one.scope]))
  for (const [name, version] of Object.entries(pkg.dependencies))
    expect([name, there.get(`${name}@${version}`)]).toEqual([name, 'required'])
  expect([...there.values()].every((scope) => scope === 'required')).toBe(true)
  expect([...there.keys()].some((id) => id.startsWith('fast-check@'))).toBe(false)
  const refs = new Set(bom.components.map((one) => one['bom-ref']))
  expect(refs.size).toBe(bom.components.length)
  for (const { hashes, purl } of bom.components) {
    expect(hashes[0]).toEqual({ alg: 'SHA-512', content: expect.stringMatching(/^[0-9a-f]{128}$/) })
    expect(purl).toMatch(/^pkg:npm\/(%40[^/@]+\/)?[^/@]+@[^@]+$/)
  }
  // Every package but the root is needed by somebody, and nobody needs what is not listed.
  const needed = new Set(bom.dependencies.flatMap(({ dependsOn }) => dependsOn))
  expect([...needed].filter((ref) => !refs.has(ref))).toEqual([])
  expect([...refs].filter((ref) => !needed.has(ref))).toEqual([])
  expect(JSON.stringify(JSON.parse((await runTollgate(['sbom'], {})).out))).toBe(JSON.stringify(bom))
})

test('with what tests need it is all of the lock file', () => {
  const bom = sbomOf(lock, true) as unknown as Bom
  const { packages } = parse(lock) as { packages: Record<string, [string]> }
  expect(new Set(bom.components.map(({ name, version }) => `${name}@${version}`))).toEqual(
    new Set(Object.values(packages).map(([id]) => id)),
  )
  expect(bom.components.find(({ name }) => name === 'fast-check')?.scope).toBe('excluded')
})

test('docs/security.md names only tests that are there', () => {
  const page = read('docs/security.md')
  const named = [...page.matchAll(/`(test\/[\w./-]+\.test\.ts)`(?:: ([^;|]+))?/g)]
  expect(named.length).toBeGreaterThan(40)
  for (const [, file = '', name] of named) {
    const source = read(file).replaceAll("\\'", "'")
    expect([file, name, name === undefined || source.includes(name.trim())]).toEqual([file, name, true])
  }
})
