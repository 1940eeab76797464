/** `GET /key/refused`: keys that are still used and no longer let in. */
import type { RefusedKeys } from '../auth/refused-keys.ts'

const iso = (ms: number): string => new Date(ms).toISOString()

export function showRefused(refused: RefusedKeys): Record<string, unknown> {
  return {
    since: iso(refused.since),
    keys: refused.list().map(({ key, reason, count, first, last, addresses, elsewhere }) => ({
      ...{ token: key.keyId, key_name: `sk-...${key.hint}`, key_alias: key.alias },
      ...{ team_id: key.teamId, user_id: key.userId, reason, count, first_seen: iso(first), last_seen: iso(last) },
      addresses: [...addresses]
        .map(([address, seen]) => ({
          address,
          count: seen.count,
          first_seen: iso(seen.first),
          last_seen: iso(seen.last),
        }))
        .sort((a, b) => b.count - a.count),
      elsewhere,
    })),
    unknown: refused.unknown,
  }
}
