/** The routes of /key: LiteLLM's fields and answers. */
import { z } from 'zod'
import type { Key } from '../core/key.ts'
import type { Principal } from '../core/principal.ts'
import { Refusal } from '../core/refusal.ts'
import { after, dueOf, type Rotation } from '../core/rotation.ts'
import { type KeyHouse, readGenerate, readServiceAccount, readUpdate, regeneration, showKey } from './key-fields.ts'
import type { Keyring } from './keyring.ts'
import type { Money } from './money.ts'
import type { Reach } from './reach.ts'

export interface KeyRoutes {
  generate(body: Record<string, unknown>, reach: Reach): Record<string, unknown>
  update(body: Record<string, unknown>, reach: Reach): Record<string, unknown>
  info(reach: Reach, reference: string | null): Record<string, unknown>
  list(reach: Reach, query: URLSearchParams): Record<string, unknown>
  remove(body: unknown, reach: Reach): Record<string, unknown>
  /** A key of a team's, without a user. */
  serviceAccount(body: Record<string, unknown>, reach: Reach): Record<string, unknown>
  /** Another secret for a key. @param reference from the path; undefined: the body says it */
  regenerate(body: Record<string, unknown>, reach: Reach, reference?: string): Record<string, unknown>
  /** A key fetches its own new secret, where one is due. @param ip his address, for the log */
  rotateOwn(who: Principal, ip: string | undefined): Record<string, unknown>
  /** What secrets are that were found somewhere. */
  check(body: unknown): Record<string, unknown>
  /** By their ids, whoever it is that takes them away. */
  removeAll(ids: readonly string[]): void
  setBlocked(body: unknown, blocked: boolean, reach: Reach): Record<string, unknown>
  show(key: Key): Record<string, unknown>
}

export const removal = z.object({ keys: z.array(z.string()).nullish(), key_aliases: z.array(z.string()).nullish() })
export const named = z.object({ key: z.string() })
/** As many as a scan asks for at a time. */
export const checking = z.object({ keys: z.array(z.string().min(1).max(4_096)).min(1).max(1_000) })

const notByItself = (why: string): Refusal =>
  new Refusal('forbidden', `${why}. Whoever administers the key can replace it: POST /key/regenerate.`)
const PAGE = 50
const LARGEST_PAGE = 500

interface House extends KeyHouse {
  /** Of a scope. */
  money(scope: string): Money
  /** A key is gone. */
  removed(key: Key): void
  warn(message: string, facts: Readonly<Record<string, unknown>>): void
}

export function keyRoutes(ring: Keyring, house: House): KeyRoutes {
  const { money } = house
  const show = (key: Key) => showKey(key, money(`key:${key.id}`), ring.oldOf(key), house.now())
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
    serviceAccount(body, reach) {
      const { wanted, secret } = readServiceAccount(body, house, reach)
      const made = ring.create(wanted, secret)
      return { key: made.secret, ...show(made.key) }
    },
    regenerate({ new_key, grace_period, ...said }, reach, reference) {
      const asked = parse(regeneration, { key: reference ?? said.key, new_key, grace_period })
      if (!asked.key) throw new Refusal('invalid_request', "Name the key to replace in 'key'.", { param: 'key' })
      const body = { ...said, key: asked.key }
      const { key, changes } = readUpdate(body, (r) => find(reach, r, (one) => reach.rulesKey(one)), house, reach)
      const now = house.now()
      const { grace_period: grace, new_key: secret } = asked
      const until = !grace || grace === '0' ? now : after(grace, now)
      const made = ring.replace(key, until, changes, secret ?? undefined)
      return { key: made.secret, ...show(made.key) }
    },
    rotateOwn(who, ip) {
      const key = who.way === 'key' && who.key ? ring.get(who.key.id) : undefined
      const due = key && dueOf(key)
      const now = house.now()
      if (!key || !due) throw notByItself('This key has no schedule (auto_rotate)')
      if (who.key?.secretUntil !== undefined)
        throw notByItself(`Its new secret was fetched already, at ${new Date(key.replacedAt ?? now).toISOString()}`)
      if (due.at > now) throw notByItself(`A new secret is due at ${new Date(due.at).toISOString()}`)
      const made = ring.replace(key, after((key.rotation as Rotation).grace, now))
      house.warn('A key has fetched its new secret.', { key: key.id, key_alias: key.name, from: ip })
      return { key: made.secret, ...show(made.key) }
    },
    check(body) {
      return { keys: parse(checking, body).keys.map((secret) => ring.describe(secret, house.now())) }
    },
    update(body, reach) {
      const rules = (key: Key) => reach.rulesKey(key)
      const { key, changes } = readUpdate(body, (r) => find(reach, r, rules), house, reach)
      return { key: `sk-...${key.hint}`, ...show(ring.update(key, changes)) }
    },
    info(reach, reference) {
      const own = reach.who.key
      if (!reference) {
        // Who comes with an old secret sees the key as it is.
        if (own) return { key: own.id, info: show(ring.get(own.id) ?? own) }
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
