/** The routes of /key: LiteLLM's fields and answers. */
import { z } from 'zod'
import type { Key } from '../core/key.ts'
import { Refusal } from '../core/refusal.ts'
import { type KeyHouse, readGenerate, readUpdate, showKey } from './key-fields.ts'
import type { Keyring } from './keyring.ts'
import type { Money } from './money.ts'
import type { Reach } from './reach.ts'

export interface KeyRoutes {
  generate(body: Record<string, unknown>, reach: Reach): Record<string, unknown>
  update(body: Record<string, unknown>, reach: Reach): Record<string, unknown>
  info(reach: Reach, reference: string | null): Record<string, unknown>
  list(reach: Reach, query: URLSearchParams): Record<string, unknown>
  remove(body: unknown, reach: Reach): Record<string, unknown>
  /** By their ids, whoever it is that takes them away. */
  removeAll(ids: readonly string[]): void
  setBlocked(body: unknown, blocked: boolean, reach: Reach): Record<string, unknown>
  show(key: Key): Record<string, unknown>
}

export const removal = z.object({ keys: z.array(z.string()).nullish(), key_aliases: z.array(z.string()).nullish() })
export const named = z.object({ key: z.string() })
const PAGE = 50
const LARGEST_PAGE = 500

interface House extends KeyHouse {
  /** Of a scope. */
  money(scope: string): Money
  /** A key is gone. */
  removed(key: Key): void
}

export function keyRoutes(ring: Keyring, house: House): KeyRoutes {
  const { money } = house
  const show = (key: Key) => showKey(key, money(`key:${key.id}`))
  /** One within reach. What is not there looks the same as what is not his. */
  const find = (reach: Reach, reference: string, mayTouch: (key: Key) => boolean): Key => {
    if (reach.isAll) return ring.find(reference)
    const key = ring.lookUp(reference)
    if (!key || !mayTouch(key)) throw reach.refusal('This key', 'key')
    return key
  }
  const take = (key: Key) => {
    ring.delete(key)
    house.removed(key)
  }
  return {
    show,
    generate(body, reach) {
      const { wanted, secret } = readGenerate(body, house, reach)
      const made = ring.create(wanted, secret)
      return { key: made.secret, ...show(made.key) }
    },
    update(body, reach) {
      const rules = (key: Key) => reach.rulesKey(key)
      const { key, changes } = readUpdate(body, (r) => find(reach, r, rules), house, reach)
      return { key: `sk-...${key.hint}`, ...show(ring.update(key, changes)) }
    },
    info(reach, reference) {
      const own = reach.who.key
      if (!reference) {
        if (own) return { key: own.id, info: show(own) }
        throw new Refusal('invalid_request', 'Name a key: /key/info?key=… (the key itself, its token or its alias).', {
          param: 'key',
        })
      }
      const key = find(reach, reference, (one) => reach.seesKey(one))
      return { key: reference.startsWith('sk-') ? `sk-...${key.hint}` : reference, info: show(key) }
    },
    list(reach, query) {
      const page = whole(query, 'page', 1, Number.MAX_SAFE_INTEGER)
      const size = whole(query, 'size', PAGE, LARGEST_PAGE)
      const wanted = (field: string, of: (key: Key) => string | undefined) => {
        const asked = query.get(field)
        return (key: Key) => asked === null || of(key) === asked
      }
      const filters = [
        wanted('key_alias', (k) => k.name),
        wanted('team_id', (k) => k.teamId),
        wanted('user_id', (k) => k.userId),
        wanted('organization_id', (k) => k.organizationId),
        wanted('project_id', (k) => k.projectId),
        wanted('key_hash', (k) => k.id),
      ]
      const found = ring
        .all()
        .filter((key) => filters.every((f) => f(key)) && reach.seesKey(key))
        .sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? -1 : 1))
      const shown = found.slice((page - 1) * size, page * size)
      const full = query.get('return_full_object') === 'true'
      return {
        keys: shown.map((key) => (full ? show(key) : key.id)),
        total_count: found.length,
        current_page: page,
        total_pages: Math.ceil(found.length / size),
      }
    },
    removeAll(ids) {
      for (const id of ids) {
        const key = ring.get(id)
        if (key) take(key)
      }
    },
    remove(body, reach) {
      const asked = parse(removal, body)
      const references = [...(asked.keys ?? []), ...(asked.key_aliases ?? [])]
      if (references.length === 0)
        throw new Refusal('invalid_request', "Name the keys to delete in 'keys' or 'key_aliases'.", { param: 'keys' })
      // All or none: a wrong name must not leave half of the list deleted.
      const found = references.map((r) => find(reach, r, (key) => reach.endsKey(key)))
      for (const key of found) take(key)
      return { deleted_keys: references.map((r, i) => (r.startsWith('sk-') ? `sk-...${found[i]?.hint}` : r)) }
    },
    setBlocked(body, blocked, reach) {
      const key = find(reach, parse(named, body).key, (one) => reach.endsKey(one))
      return show(ring.update(key, { blocked }))
    },
  }
}

function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new Refusal('invalid_request', `${issue?.path.join('.') || 'body'}: ${issue?.message}.`, {
    param: String(issue?.path[0] ?? 'body'),
  })
}

/** A positive whole number of the query string. */
export function whole(query: URLSearchParams, name: string, otherwise: number, most: number): number {
  const asked = query.get(name)
  if (asked === null) return otherwise
  const value = Number(asked)
  if (!Number.isInteger(value) || value < 1 || value > most)
    throw new Refusal('invalid_request', `'${name}' must be a whole number from 1 to ${most}.`, { param: name })
  return value
}
