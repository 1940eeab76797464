/** Keys: the master key, virtual keys, and keys of the operator's own from a file. At once, and with nothing made on the way. */
import type { KeySettings } from '../config/auth.ts'
import type { Key } from '../core/key.ts'
import { MASTER, type Principal } from '../core/principal.ts'
import { Refusal } from '../core/refusal.ts'
import { dueOf } from '../core/rotation.ts'
import type { Badges, Identity } from './badges.ts'
import { parseKeyFile } from './key-file.ts'
import type { RefusedKey, RefusedKeys } from './refused-keys.ts'
import { WatchedFile } from './watched-file.ts'
import { ABSENT, type Way } from './way.ts'

/** Headers that carry a key in one of the dialects we speak. */
const KEY_HEADERS = ['x-api-key', 'api-key', 'x-goog-api-key', 'x-litellm-api-key']
/** No key is longer; what is would only be hashed for nothing. */
const LONGEST = 4_096

/** A secret that was taken away. */
export interface FormerKey extends RefusedKey {
  reason: 'deleted' | 'replaced'
  /** ms since the epoch. */
  until: number
}

export interface KeyHouse {
  /** The key that this secret is, `'master'`, or undefined. */
  recognise(secret: string): Key | 'master' | undefined
  principalOf(key: Key): Principal
  /** What a secret is kept and found by. */
  digestOf(secret: string): string
  badges: Badges
  /** A secret that once was one, and is no longer. */
  formerOf(digest: string): FormerKey | undefined
  refused: RefusedKeys
  now(): number
  warn(message: string, facts: Readonly<Record<string, unknown>>): void
}

/** @param own further headers, in lower case */
export function keyWay({ file: path, header }: KeySettings, own: readonly string[], house: KeyHouse): Way {
  const { recognise, principalOf, digestOf, badges, formerOf, refused, now, warn } = house
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
      if (found) {
        const fault = faultOf(found, now())
        if (!fault) return principalOf(found)
        refused.note(whose(found), found.blocked ? 'blocked' : 'expired', asking.ip)
        return fault
      }
      const digest = secret.length > LONGEST ? undefined : digestOf(secret)
      const listed = digest === undefined ? undefined : file?.value.get(digest)
      if (listed) return badges.of(listed)
      const former = digest === undefined ? undefined : formerOf(digest)
      if (former) {
        refused.note(former, former.reason, asking.ip)
        return taken(former)
      }
      refused.unknown++
      return new Refusal(
        'invalid_api_key',
        'This API key is not known here. Check it, or ask the operator of this gateway for one.',
      )
    },
  }
}

export const whose = ({ id: keyId, name, hint, teamId, userId }: Key): RefusedKey => ({
  ...{ keyId, alias: name ?? null, hint, teamId: teamId ?? null, userId: userId ?? null },
})

/** Only who has the secret learns what became of it; who guesses is told what everybody is told. */
const taken = ({ reason, until }: FormerKey): Refusal =>
  new Refusal(
    'revoked_api_key',
    reason === 'deleted'
      ? 'This API key was deleted. Ask the operator of this gateway for another one.'
      : `This API key was replaced, and ended at ${new Date(until).toISOString()}. Use the new one.`,
  )

/** What is wrong with a key: it is blocked, has expired, or had to be replaced. */
export function faultOf(key: Key, now: number): Refusal | undefined {
  const { blocked, expiresAt } = key
  if (blocked)
    return new Refusal('blocked_api_key', 'This API key is blocked. The operator can open it again with /key/unblock.')
  if (expiresAt !== undefined && expiresAt <= now)
    return new Refusal(
      'expired_api_key',
      `This API key expired at ${new Date(expiresAt).toISOString()}. Ask the operator for a new one.`,
    )
  const due = dueOf(key)
  if (due && due.endsAt <= now)
    return new Refusal(
      'expired_api_key',
      `This API key had to be replaced until ${new Date(due.endsAt).toISOString()} (rotation_interval). Ask the operator for a new one: POST /key/regenerate.`,
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
