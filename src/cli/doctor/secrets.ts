/** Secrets that stand in the configuration itself, and files that others may read. */
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isMap, isPair, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml'
import { isReference } from '../../secrets/reference.ts'
import { error, type Finding, ok, warn } from './finding.ts'

/** Settings whose value lets somebody in, by the end of their names: `api_key`, `vertex_credentials`, `client_secret`. */
const SECRET = /(^|_)(api_key|key|keys|secret|password|token|credentials|access_key|secret_key|master_key|seal_key)$/
/** They end like one and are none. */
const NONE =
  /^(key|key_header|upperbound_key_generate_params|default_key_generate_params|max_tokens|public_key|access_key_id|aws_access_key_id)$|_id$|header/

/** A value that says where the secret lies, or that is made of the environment. */
const isElsewhere = (text: string): boolean => isReference(text) || /^os\.environ\//.test(text) || /\$\{/.test(text)

/** Paths of plain secrets in a configuration's text, with their lines. Never a value. */
export function plainSecrets(text: string): { path: string; line: number }[] {
  const lines = new LineCounter()
  const found: { path: string; line: number }[] = []
  const walk = (node: unknown, path: readonly string[], isSecret: boolean): void => {
    if (isMap(node))
      for (const pair of node.items) {
        const name = isPair(pair) && isScalar(pair.key) ? String(pair.key.value) : ''
        walk(pair.value, [...path, name], SECRET.test(name) && !NONE.test(name))
      }
    else if (isSeq(node)) for (const [i, item] of node.items.entries()) walk(item, [...path, String(i)], isSecret)
    else if (
      isSecret &&
      isScalar(node) &&
      typeof node.value === 'string' &&
      node.value !== '' &&
      !isElsewhere(node.value)
    ) {
      // A path to a key (`tls.key`) is none.
      if (/^[./~]/.test(node.value) || /\.(pem|key|crt|json)$/.test(node.value)) return
      found.push({ path: path.join('.'), line: lines.linePos((node as Node).range?.[0] ?? 0).line })
    }
  }
  walk(parseDocument(text, { lineCounter: lines }).contents, [], false)
  return found
}

export function secretsIn(file: string, text: string): Finding[] {
  const plain = plainSecrets(text)
  if (plain.length === 0) return [ok('secrets.plain', `${file} holds no secret in the clear.`)]
  return plain.map(({ path, line }) =>
    warn(
      'secrets.plain',
      `${path} stands in the clear in ${file}, line ${line}.`,
      'Whoever reads the file, its backup or its repository has it.',
      `write \`os.environ/NAME\`, \`file:/run/secrets/NAME\` or \`vault:MOUNT/PATH#FIELD\` there (docs/secrets.md), then change the secret`,
    ),
  )
}

/** @param secret whether it holds secrets: then nobody else may read it either */
export function modeOf(id: string, path: string, secret: boolean): Finding[] {
  if (process.platform === 'win32' || !existsSync(path)) return []
  const mode = statSync(path).mode & 0o777
  const bad = mode & (secret ? 0o077 : 0o022)
  if (bad === 0) return [ok(id, `${path} is closed to others (${mode.toString(8)}).`)]
  return [
    error(
      id,
      `${path} is open to others on this machine (${mode.toString(8)}).`,
      secret
        ? 'What lies in it opens the gateway, or what it keeps.'
        : 'Whoever may write it says what this gateway does.',
      `chmod ${secret ? (statSync(path).isDirectory() ? '700' : '600') : 'go-w'} ${path}`,
    ),
  ]
}

/** The data folder and what lies in it. */
export const modesIn = (folder: string): Finding[] =>
  ['', 'pepper', 'tollgate.sqlite', 'self-signed.key'].flatMap((name) =>
    modeOf(name === '' ? 'files.data' : `files.${name}`, name === '' ? folder : join(folder, name), true),
  )
