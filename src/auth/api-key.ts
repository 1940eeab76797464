/** Keys: the master key, virtual keys, and keys of the operator's own from a file. At once, and with nothing made on the way. */
import type { KeySettings } from '../config/auth.ts'
import type { Key } from '../core/key.ts'
import { MASTER, type Principal } from '../core/principal.ts'
import { Refusal } from '../core/refusal.ts'
import type { Badges, Identity } from './badges.ts'
import { parseKeyFile } from './key-file.ts'
import { WatchedFile } from './watched-file.ts'
import { ABSENT, type Way } from './way.ts'

/** Headers that carry a key in one of the dialects we speak. */
const KEY_HEADERS = ['x-api-key', 'api-key', 'x-goog-api-key', 'x-litellm-api-key']
/** No key is longer; what is would only be hashed for nothing. */
const LONGEST = 4_096

export interface KeyHouse {
  /** The key that this secret is, `'master'`, or undefined. */
  recognise(secret: string): Key | 'master' | undefined
  principalOf(key: Key): Principal
  /** What a secret is kept and found by. */
  digestOf(secret: string): string
  badges: Badges
  now(): number
  warn(message: string, facts: Readonly<Record<string, unknown>>): void
}

/** @param own further headers, in lower case */
export function keyWay({ file: path, header }: KeySettings, own: readonly string[], house: KeyHouse): Way {
  const { recognise, principalOf, digestOf, badges, now, warn } = house
  const headers = [...(header ? [header.toLowerCase()] : []), ...own, ...KEY_HEADERS]
  const read = (text: string): ReadonlyMap<string, Identity> => {
    const { keys, strange } = parseKeyFile(text, digestOf)
    for (const { line, why } of strange.slice(0, 20))
      warn('A line of a file of keys counts for nothing.', { file: path, line, why })
    return keys
  }
  const file = path === undefined ? undefined : new WatchedFile(path, read, now, warn)
  return {
    told: `an API key (\`Authorization: Bearer sk-…\` or \`${header ?? 'x-api-key'}\`)`,
    try(asking) {
      const secret = keyIn(asking.headers, headers)
      if (secret === undefined) return ABSENT
      const found = secret.length > LONGEST ? undefined : recognise(secret)
      if (found === 'master') return MASTER
      if (found) return faultOf(found, now()) ?? principalOf(found)
      const listed = file?.value.get(digestOf(secret))
      if (listed) return badges.of(listed)
      return new Refusal(
        'invalid_api_key',
        'This API key is not known here. Check it, or ask the operator of this gateway for one.',
      )
    },
  }
}

/** What is wrong with a key: it is blocked or has expired. */
export function faultOf({ blocked, expiresAt }: Key, now: number): Refusal | undefined {
  if (blocked)
    return new Refusal('blocked_api_key', 'This API key is blocked. The operator can open it again with /key/unblock.')
  if (expiresAt !== undefined && expiresAt <= now)
    return new Refusal(
      'expired_api_key',
      `This API key expired at ${new Date(expiresAt).toISOString()}. Ask the operator for a new one.`,
    )
  return undefined
}

/** One alone is ever looked at, `Authorization` before all others: two keys in a request are not tried one by one. */
function keyIn(headers: Headers, names: readonly string[]): string | undefined {
  const bearer = headers.get('authorization')
  if (bearer !== null && /^bearer /i.test(bearer)) return bearer.slice('bearer '.length).trim()
  for (const name of names) {
    const value = headers.get(name)
    if (value) return value.replace(/^bearer /i, '').trim()
  }
  return undefined
}
