/** Finds and reads the configuration file. The only file of this room that touches the disk. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SecretStore } from '../secrets/store.ts'
import type { KnownProvider } from './config.ts'
import type { KnownKind } from './guard-terms.ts'
import type { Env } from './interpolate.ts'
import { type Loaded, load } from './load.ts'
import { ConfigError } from './problem.ts'
import { referencesIn, sourceSettings } from './secrets.ts'

/** Looked for in the working directory where no file is named. */
export const USUAL_NAMES = ['tollgate.yaml', 'tollgate.yml'] as const

/** A file larger than this is no configuration. Bytes. */
const LARGEST = 8 * 1024 * 1024

/** The file to read: the one that was named, else the usual one; undefined where there is none. */
export function findConfig(named: string | undefined, env: Env, directory = '.'): string | undefined {
  const said = named ?? (env.TOLLGATE_CONFIG || undefined)
  if (said !== undefined) return said
  return USUAL_NAMES.map((name) => (directory === '.' ? name : join(directory, name))).find((path) => existsSync(path))
}

/** A file that was loaded, with the secrets that lie elsewhere. */
export interface OpenedFile {
  loaded: Loaded
  /** Undefined where none lie elsewhere, or they are read at the start only. */
  renewal: Renewal | undefined
}

export interface Renewal {
  everyMs: number
  /** The same text with the secrets as they are now; one whose source is silent stays as it was, and is named in `faults`. */
  again(): Promise<{ loaded: Loaded; faults: readonly string[] }>
}

/** Reads and loads a file. @throws ConfigError where it can't be read. */
export async function openFile(
  path: string,
  env: Env,
  providers: readonly KnownProvider[],
  kinds: readonly KnownKind[],
): Promise<OpenedFile> {
  const text = await readText(path)
  const references = referencesIn(text)
  if (references.length === 0) return { loaded: load(text, env, providers, undefined, kinds), renewal: undefined }
  const { refreshMs, vault } = sourceSettings(text, env)
  const store = new SecretStore({ env, vault }, () => Date.now())
  const loaded = load(text, env, providers, await store.readAll(references), kinds)
  if (refreshMs === 0) return { loaded, renewal: undefined }
  const again: Renewal['again'] = async () => {
    const stored = await store.readAll(references)
    return { loaded: load(text, env, providers, stored, kinds), faults: store.faults }
  }
  return { loaded, renewal: { everyMs: refreshMs, again } }
}

/** The same where it is read once. */
export const loadFile = async (
  path: string,
  env: Env,
  providers: readonly KnownProvider[],
  kinds: readonly KnownKind[],
): Promise<Loaded> => (await openFile(path, env, providers, kinds)).loaded

async function readText(path: string): Promise<string> {
  const fail = (message: string) => new ConfigError(path, [{ line: 0, column: 0, path: '', message }])
  let bytes: Buffer
  try {
    bytes = await readFile(path)
  } catch (cause) {
    const code = (cause as { code?: string }).code
    if (code === 'ENOENT') throw fail('there is no such file. `tollgate init` writes one.')
    if (code === 'EISDIR') throw fail('is a folder. Name a YAML file.')
    if (code === 'EACCES') throw fail('may not be read by this user.')
    throw fail(`can't be read (${code ?? String(cause)}).`)
  }
  if (bytes.length > LARGEST) throw fail(`is larger than ${LARGEST / 1024 / 1024} MB.`)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw fail('is not UTF-8 text.')
  }
}
