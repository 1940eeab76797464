import type { Key } from '../core/key.ts'
import { MASTER, type Principal } from '../core/principal.ts'
import { Refusal } from '../core/refusal.ts'
import type { Io } from './io.ts'

/** Headers that carry a key in one of the dialects we speak. */
const KEY_HEADERS = ['x-api-key', 'api-key', 'x-goog-api-key', 'x-litellm-api-key']

type Gate = Pick<Io, 'recognise' | 'principalOf' | 'settings' | 'now'>

/** Who sent these headers. Used by every route that is not open to all. @throws Refusal 401 */
export function authenticate(headers: Headers, io: Gate): Principal {
  const secret = keyIn(headers, io.settings.keyHeader)
  if (secret === undefined)
    throw new Refusal(
      'missing_api_key',
      'No API key was sent. Send one as `Authorization: Bearer sk-…` or in `x-api-key`.',
    )
  const found = io.recognise(secret)
  if (found === 'master') return MASTER
  if (!found)
    throw new Refusal(
      'invalid_api_key',
      'This API key is not known here. Check it, or ask the operator of this gateway for one.',
    )
  checkKey(found, io.now())
  return io.principalOf(found)
}

/** @throws Refusal 401 where a key is blocked or has expired */
export function checkKey({ blocked, expiresAt }: Key, now: number): void {
  if (blocked)
    throw new Refusal('blocked_api_key', 'This API key is blocked. The operator can open it again with /key/unblock.')
  if (expiresAt !== undefined && expiresAt <= now)
    throw new Refusal(
      'expired_api_key',
      `This API key expired at ${new Date(expiresAt).toISOString()}. Ask the operator for a new one.`,
    )
}

function keyIn(headers: Headers, own: string | undefined): string | undefined {
  const bearer = headers.get('authorization')
  if (bearer !== null && /^bearer /i.test(bearer)) return bearer.slice('bearer '.length).trim()
  for (const name of own ? [own, ...KEY_HEADERS] : KEY_HEADERS) {
    const value = headers.get(name)
    if (value) return value.replace(/^bearer /i, '').trim()
  }
  return undefined
}
