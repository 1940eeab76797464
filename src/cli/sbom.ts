/**
 * `tollgate sbom`: what this is made of, as CycloneDX 1.6 (cyclonedx.org/docs/1.6/json): every package that is installed
 * with it, by the lock file, with its digest and what needs it.
 */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineCommand } from 'citty'
import { parse } from 'yaml'
import pkg from '../../package.json'
import { type ExitCode, type Terminal, Trouble } from './terminal.ts'

const LOCK = join(import.meta.dir, '../../bun.lock')

interface Wants {
  dependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
  devDependencies?: Record<string, string>
}
type Locked = [id: string, registry: string, wants: Wants, integrity: string]

interface Lock {
  workspaces: Record<string, Wants>
  packages: Record<string, Locked>
}

/** @param lock text of a `bun.lock` @param all with what only tests and checks need, marked as excluded */
export function sbomOf(lock: string, all: boolean): Record<string, unknown> {
  // JSON with commas at the ends, which YAML takes.
  const { packages, workspaces } = parse(lock) as Lock
  const own = workspaces[''] ?? {}
  const needed = reachable(packages, own.dependencies ?? {})
  const keys = Object.keys(packages).filter((key) => all || needed.has(key))
  const root = `pkg:npm/${pkg.name}@${pkg.version}`
  const refOf = (key: string): string => purl((packages[key] as Locked)[0])
  const components = new Map(keys.map((key) => [refOf(key), component(packages[key] as Locked, needed.has(key))]))
  const edges = new Map<string, Set<string>>()
  for (const key of keys) {
    const to = edges.get(refOf(key)) ?? new Set()
    edges.set(refOf(key), to)
    for (const name of wanted((packages[key] as Locked)[2])) {
      const found = resolve(packages, key, name)
      if (found !== undefined) to.add(refOf(found))
    }
  }
  const direct = Object.keys({ ...own.dependencies, ...(all ? own.devDependencies : {}) })
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    // The same for the same lock file: two of them can be compared.
    serialNumber: `urn:uuid:${uuidOf(lock)}`,
    version: 1,
    metadata: {
      component: {
        ...{ type: 'application', 'bom-ref': root, name: pkg.name, version: pkg.version, purl: root },
        licenses: [{ license: { id: pkg.license } }],
      },
    },
    components: [...components.values()],
    dependencies: [
      { ref: root, dependsOn: direct.filter((name) => packages[name]).map(refOf) },
      ...[...edges].map(([ref, to]) => ({ ref, dependsOn: [...to] })),
    ],
  }
}

/** `@scope/name@1.2.3` → `pkg:npm/%40scope/name@1.2.3`. */
function purl(id: string): string {
  const at = id.lastIndexOf('@')
  return `pkg:npm/${id.slice(0, at).replace('@', '%40')}@${encodeURIComponent(id.slice(at + 1))}`
}

function component([id, , , integrity]: Locked, isNeeded: boolean): Record<string, unknown> {
  const at = id.lastIndexOf('@')
  const [, algorithm, digest = ''] = /^(sha\d+)-(.+)$/.exec(integrity ?? '') ?? []
  return {
    ...{ type: 'library', 'bom-ref': purl(id), name: id.slice(0, at), version: id.slice(at + 1), purl: purl(id) },
    scope: isNeeded ? 'required' : 'excluded',
    ...(algorithm
      ? { hashes: [{ alg: algorithm.replace('sha', 'SHA-'), content: Buffer.from(digest, 'base64').toString('hex') }] }
      : {}),
  }
}

const wanted = ({ dependencies, optionalDependencies }: Wants = {}): string[] =>
  Object.keys({ ...dependencies, ...optionalDependencies })

/** The nearest one: a package may have another version of its own below it (`a/b`). */
function resolve(packages: Lock['packages'], from: string, name: string): string | undefined {
  for (let base = from; base !== ''; base = base.slice(0, Math.max(0, base.lastIndexOf('/'))))
    if (packages[`${base}/${name}`]) return `${base}/${name}`
  return packages[name] ? name : undefined
}

function reachable(packages: Lock['packages'], roots: Record<string, string>): Set<string> {
  const seen = new Set<string>()
  const queue = Object.keys(roots).filter((name) => packages[name])
  for (let key = queue.pop(); key !== undefined; key = queue.pop()) {
    if (seen.has(key)) continue
    seen.add(key)
    for (const name of wanted(packages[key]?.[2])) {
      const found = resolve(packages, key, name)
      if (found !== undefined) queue.push(found)
    }
  }
  return seen
}

function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

export const sbomCommand = defineCommand({
  meta: { name: 'sbom', description: 'Print what this is made of (CycloneDX, JSON)' },
  args: { all: { type: 'boolean', description: 'With what only tests and checks need' } },
  run({ args, data }): ExitCode {
    if (!existsSync(LOCK)) throw new Trouble('the lock file is not here: run it from a checkout.')
    ;(data as Terminal).out(JSON.stringify(sbomOf(readFileSync(LOCK, 'utf8'), args.all === true), null, 2))
    return 0
  },
})
