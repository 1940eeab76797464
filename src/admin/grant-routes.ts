/** The routes of /grant: a key asks and sees its own, the operator decides and sees all. */
import { z } from 'zod'
import { type Access, mayAsk, mayName, meantBy } from '../core/access.ts'
import { type Grant, isOpen, stateAt } from '../core/grant.ts'
import type { Key } from '../core/key.ts'
import { plan } from '../core/plan.ts'
import type { Principal } from '../core/principal.ts'
import { Refusal } from '../core/refusal.ts'
import { findAlias, type Snapshot } from '../core/snapshot.ts'
import type { GrantEvent } from '../store/grants.ts'
import { duration, readBody } from './fields.ts'
import type { Actor, Grants } from './grants.ts'
import { whole } from './keys.ts'
import type { Reach } from './reach.ts'

type Json = Record<string, unknown>

export interface GrantRoutes {
  ask(who: Principal, body: Json): Json
  list(reach: Reach, query: URLSearchParams): Json
  approve(body: Json, actor: Actor): Json
  refuse(body: Json, actor: Actor): Json
  revoke(body: Json, actor: Actor): Json
  events(query: URLSearchParams): Json
}

const reason = z.string().min(1).max(1_000)
export const asking = z.object({ model: z.string().min(1).max(256), reason, duration: duration.nullish() })
export const approval = z.object({ id: z.string(), expires_in: duration.nullish() })
export const decision = z.object({ id: z.string(), reason: reason.nullish() })

const PAGE = 100
const LARGEST_PAGE = 1_000

interface House {
  snapshot(): Snapshot
  /** What a caller may call now. */
  access(who: Principal): Access
  keyOf(id: string): Key | undefined
  /** ms since the epoch. */
  now(): number
}

export function grantRoutes(grants: Grants, house: House): GrantRoutes {
  const show = (grant: Grant) => shown(grant, house.keyOf(grant.keyId), house.now())
  return {
    ask(who, body) {
      const { model, reason, duration } = readBody(asking, body)
      if (!who.key)
        throw new Refusal('invalid_request', 'The master key needs no leave. Ask with the key that is to have it.')
      const access = house.access(who)
      const grant = findAlias(house.snapshot(), meantBy(access, model))?.grant
      // A model that is unknown, or closed to this key anyway, is refused as it would be when it is called.
      if (grant === undefined || !mayAsk(access, model)) {
        plan(house.snapshot(), model, access)
        throw new Refusal('invalid_request', `The model '${model}' needs no leave: this key may call it.`, {
          param: 'model',
        })
      }
      return show(grants.ask(who.key.id, grant, reason, duration ?? undefined))
    },
    list(reach, query) {
      const { who } = reach
      const limit = whole(query, 'size', PAGE, LARGEST_PAGE)
      const page = whole(query, 'page', 1, 1_000_000)
      const keyId = reach.isAll ? (query.get('key') ?? undefined) : (who.key?.id ?? '')
      const listed = grants.list({ keyId, state: stateIn(query), limit, offset: (page - 1) * limit }).map(show)
      if (reach.isAll) return { grants: listed }
      return { grants: listed, needs_grant: closed(house.snapshot(), house.access(who)) }
    },
    approve(body, actor) {
      const { id, expires_in } = readBody(approval, body)
      return show(grants.approve(id, expires_in ?? undefined, actor))
    },
    refuse(body, actor) {
      const { id, reason } = readBody(decision, body)
      return show(grants.refuse(id, reason ?? undefined, actor))
    },
    revoke(body, actor) {
      const { id, reason } = readBody(decision, body)
      return show(grants.revoke(id, reason ?? undefined, actor))
    },
    events(query) {
      const limit = whole(query, 'limit', PAGE, LARGEST_PAGE)
      const before = query.has('before') ? whole(query, 'before', 1, Number.MAX_SAFE_INTEGER) : undefined
      const events = grants.events({ grantId: query.get('id') ?? undefined, before, limit })
      return { events: events.map(shownEvent), next: events.length === limit ? events.at(-1)?.id : null }
    },
  }
}

const STATES = ['asked', 'given', 'refused', 'ended', 'expired'] as const

function stateIn(query: URLSearchParams): (typeof STATES)[number] | undefined {
  const said = query.get('state')
  const state = STATES.find((one) => one === said)
  if (said !== null && !state)
    throw new Refusal('invalid_request', `state: one of ${STATES.join(', ')}.`, { param: 'state' })
  return state
}

/** The models that this key could ask for. */
function closed(snapshot: Snapshot, access: Access): string[] {
  const { grants } = access
  if (grants === 'all') return []
  return [...snapshot.aliases.values(), ...snapshot.wildcards]
    .filter(({ name, grant }) => grant !== undefined && mayName(access, name) && !isOpen(grants.get(grant), access.now))
    .map(({ name }) => name)
}

const iso = (ms: number | undefined): string | null => (ms === undefined ? null : new Date(ms).toISOString())

const shown = (grant: Grant, key: Key | undefined, now: number): Json => ({
  id: grant.id,
  key: grant.keyId,
  key_alias: key?.name ?? null,
  model: grant.alias,
  state: stateAt(grant, now),
  reason: grant.reason ?? null,
  duration: grant.duration ?? null,
  asked_at: iso(grant.askedAt),
  decided_at: iso(grant.decidedAt),
  decided_by: grant.decidedBy ?? null,
  expires_at: iso(grant.expiresAt),
})

const shownEvent = ({ id, grantId, at, actor, action, facts }: GrantEvent): Json => ({
  ...{ id, grant: grantId, at: iso(at), actor, action },
  ...facts,
})
