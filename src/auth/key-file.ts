/** A file with keys of the operator's own: `sk-… name user=ada team=red role=write models=a,b`, one in a line. */
import { readRole } from '../core/role.ts'
import type { Identity } from './badges.ts'

export interface KeyFile {
  /** By their digests: the keys themselves are not kept. */
  keys: ReadonlyMap<string, Identity>
  /** Lines that count for nothing. From 1. */
  strange: readonly { line: number; why: string }[]
}

const SHORTEST = 16
const WORDS = ['user', 'team', 'organization', 'project', 'role', 'models', 'tags'] as const

export function parseKeyFile(text: string, digestOf: (secret: string) => string): KeyFile {
  const keys = new Map<string, Identity>()
  const strange: { line: number; why: string }[] = []
  for (const [i, raw] of text.split('\n').entries()) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    const [secret = '', ...words] = line.split(/\s+/)
    const digest = digestOf(secret)
    const identity = identityOf(words, digest)
    const why =
      secret.length < SHORTEST
        ? `a key has ${SHORTEST} characters at least`
        : keys.has(digest)
          ? 'the key stands above already'
          : typeof identity === 'string'
            ? identity
            : undefined
    // A line that is half understood would let somebody in as somebody else.
    if (why !== undefined || typeof identity === 'string') strange.push({ line: i + 1, why: why ?? '' })
    else keys.set(digest, identity)
  }
  return { keys, strange }
}

/** @returns what is wrong, where something is */
function identityOf(words: readonly string[], digest: string): Identity | string {
  const identity: Identity = { way: 'key', name: `file:${digest.slice(0, 12)}` }
  for (const word of words) {
    const at = word.indexOf('=')
    if (at < 0) {
      identity.name = `file:${word}`
      continue
    }
    const [name, value] = [word.slice(0, at), word.slice(at + 1)]
    if (!WORDS.includes(name as 'user') || value === '') return `'${name.slice(0, 20)}=' is none of ${WORDS.join(', ')}`
    if (name === 'models' || name === 'tags') identity[name] = value.split(',')
    else if (name === 'role') {
      const role = readRole(value)
      if (role === undefined) return `the role is none of those in docs/access.md`
      identity.role = role
    } else identity[name as 'user'] = value
  }
  return identity
}
