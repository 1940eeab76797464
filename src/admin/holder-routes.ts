/** The routes of all kinds of holders, with LiteLLM's answers: what is around a holder there differs by its kind. */

import { z } from 'zod'
import type { Holder } from '../core/holder.ts'
import type { Key } from '../core/key.ts'
import { Refusal } from '../core/refusal.ts'
import { readBody } from './fields.ts'
import { HOLDER_FORMS, type HolderForm } from './holder-kinds.ts'
import type { Answer, HolderRoute } from './holder-route.ts'
import { type HolderHouse, Holders, holderBodies } from './holders.ts'
import { type KeyRoutes, whole } from './keys.ts'
import { organizationMembers, teamMembers } from './member-routes.ts'
import { Members } from './members.ts'
import type { Reach } from './reach.ts'

type Json = Record<string, unknown>

/** `POST /tag/info` takes names. */
export const listing = z.object({ names: z.array(z.string()).min(1) })

/** `/block` and `/unblock` of a team, and of customers. */
export const blocking = ({ kind, id, many }: HolderForm): z.ZodObject =>
  kind === 'team' ? z.object({ [id]: z.string() }) : z.object({ [many]: z.array(z.string().min(1).max(256)).min(1) })

interface House extends Omit<HolderHouse, 'removeKeys'> {
  /** Makes keys, and shows them. */
  keyRoutes: KeyRoutes
}

const LARGEST_PAGE = 1_000

export function holderRoutes(house: House): HolderRoute[] {
  const removeKeys = (ids: readonly string[]) => {
    if (ids.length > 0) house.keyRoutes.removeAll(ids)
  }
  const kinds = new Map(HOLDER_FORMS.map((form) => [form.kind, new Holders(form, { ...house, removeKeys })]))
  const members = {
    team: new Members('team', { ...house, removeKeys }),
    organization: new Members('organization', { ...house, removeKeys }),
  }
  const others: Others = {
    teams: kinds.get('team') as Holders,
    membersOf: ({ kind }) => (kind === 'team' || kind === 'organization' ? members[kind] : undefined),
  }
  return [
    ...[...kinds.values()].flatMap((holders) => routesOf(holders, others, house)),
    ...teamMembers(members.team, others.teams, house.register),
    ...organizationMembers(members.organization, kinds.get('organization') as Holders, house.register),
  ]
}

/** The kinds that another one tells of. */
interface Others {
  teams: Holders
  membersOf(holder: Holder): Members | undefined
}

function routesOf(holders: Holders, kinds: Others, house: House): HolderRoute[] {
  const { form } = holders
  const around = new Around(holders, kinds, house)
  const { remove } = holderBodies(form)
  const idsIn = (body: Json): string[] => [(readBody(remove, body) as Json)[form.many]].flat() as string[]

  const route = (
    method: HolderRoute['method'],
    path: string,
    handle: (body: Json, reach: Reach, query: URLSearchParams) => unknown,
  ) =>
    form.bases.map(
      (base): HolderRoute => ({
        method,
        path: base + path,
        handle: ({ query, body, reach }) => ({ body: handle(body, reach, query) }),
      }),
    )
  const info = (query: URLSearchParams, reach: Reach) => {
    const asked = form.asked ?? ''
    // Whoever asks about users without a name asks about himself.
    const id = query.get(asked) ?? (form.kind === 'user' ? reach.who.userId : undefined)
    if (!id)
      throw new Refusal('invalid_request', `Name the ${form.kind}: ${form.bases[0]}/info?${asked}=….`, { param: asked })
    return around.info(holders.get(id, reach), reach)
  }
  return [
    ...route('POST', '/new', (body, reach) => around.made(holders.make(body, reach), reach)),
    ...route(form.update, '/update', (body, reach) => around.changed(holders.change(body, reach))),
    ...route(form.remove, '/delete', (body, reach) => around.removed(holders.remove(idsIn(body), reach))),
    ...(form.asked
      ? route('GET', '/info', (_, reach, query) => info(query, reach))
      : route('POST', '/info', (body, reach) => named(holders, readBody(listing, body).names, reach))),
    ...form.bases.map(
      (base): HolderRoute => ({
        method: 'GET',
        path: `${base}/list`,
        handle: ({ query, reach }) => around.list(query, reach),
      }),
    ),
    ...(form.kind === 'team' || form.kind === 'customer' ? [true, false] : []).flatMap((blocked) =>
      route('POST', blocked ? '/block' : '/unblock', (body, reach) => around.blocked(body, blocked, reach)),
    ),
    ...(form.kind === 'provider'
      ? [
          {
            method: 'GET',
            path: '/provider/budgets',
            handle: ({ reach }: { reach: Reach }) => providers(holders, reach),
          } as const,
        ]
      : []),
  ]
}

const named = (holders: Holders, names: readonly string[], reach: Reach): Json =>
  Object.fromEntries(names.map((name) => [name, holders.show(holders.get(name, reach))]))

/** LiteLLM's state of each provider's budget. */
function providers(holders: Holders, reach: Reach): Answer {
  const shown = holders.all(reach).map((holder): [string, Json] => {
    const { max_budget, budget_duration, spend, budget_reset_at } = holders.show(holder)
    return [holder.id, { budget_limit: max_budget, time_period: budget_duration, spend, budget_reset_at }]
  })
  return { body: { providers: Object.fromEntries(shown) } }
}

/** What LiteLLM tells around a holder of each kind. */
class Around {
  readonly #holders: Holders
  readonly #kinds: Others
  readonly #house: House
  readonly #form: HolderForm

  constructor(holders: Holders, kinds: Others, house: House) {
    this.#holders = holders
    this.#kinds = kinds
    this.#house = house
    this.#form = holders.form
  }

  made({ holder, said }: { holder: Holder; said: Json }, reach: Reach): unknown {
    const { members } = this.#form
    if (members) {
      const wanted = (said[members] ?? []) as Json[]
      const { userId } = reach.who
      // Whoever makes a team administers it, as in LiteLLM.
      const maker = holder.kind === 'team' && userId !== undefined && !wanted.some((one) => one.user_id === userId)
      const own = maker && this.#house.register.holder('user', userId) ? [{ user_id: userId, role: 'admin' }] : []
      this.#kinds.membersOf(holder)?.put(reach, holder, [...own, ...wanted])
    }
    const shown = this.#holders.show(holder)
    const { kind } = this.#form
    if (kind === 'tag') return { message: `Tag ${holder.id} created successfully`, tag: shown }
    if (kind !== 'user' || said.auto_create_key === false) return shown
    const { key_alias, duration, team_id } = said
    const { key, token } = this.#house.keyRoutes.generate({ user_id: holder.id, key_alias, duration, team_id }, reach)
    return { ...shown, key, token }
  }

  changed(holder: Holder): unknown {
    const shown = this.#holders.show(holder)
    const { kind, id } = this.#form
    if (kind === 'tag') return { message: `Tag ${holder.id} updated successfully`, tag: shown }
    return kind === 'team' || kind === 'user' ? { [id]: holder.id, data: shown } : shown
  }

  removed({ holders, keys }: { holders: readonly Holder[]; keys: readonly string[] }): unknown {
    const ids = holders.map(({ id }) => id)
    const { kind } = this.#form
    switch (kind) {
      case 'tag':
        return { message: `Tag ${ids.join(', ')} deleted successfully` }
      case 'customer':
        return { deleted_customers: ids.length, message: `Successfully deleted customers with ids: ${ids.join(', ')}` }
      case 'organization':
      case 'project':
        return holders.map((holder) => this.#holders.show(holder))
      default:
        return { [`deleted_${kind}s`]: ids, ...(kind === 'team' || kind === 'user' ? { deleted_keys: keys } : {}) }
    }
  }

  info(holder: Holder, reach: Reach): unknown {
    const shown = this.#holders.show(holder)
    const { id } = holder
    switch (this.#form.kind) {
      case 'team':
        return {
          ...{ team_id: id, team_info: shown, keys: this.#keys((key) => key.teamId === id && reach.seesKey(key)) },
          team_memberships: this.#house.register
            .membersOf('team', id)
            .map(({ userId, role }) => ({ user_id: userId, team_id: id, role })),
        }
      case 'user': {
        const own = (key: Key) => key.userId === id && reach.seesKey(key)
        const memberships = this.#house.register.membershipsOf(id)
        const teams = new Set([
          ...memberships.flatMap((one) => (one.kind === 'team' ? [one.id] : [])),
          ...this.#house.keys().flatMap((key) => (own(key) && key.teamId ? [key.teamId] : [])),
        ])
        return {
          user_id: id,
          user_info: shown,
          keys: this.#keys(own),
          teams: this.#teams((team) => teams.has(team.id), reach),
        }
      }
      case 'organization':
        return { ...shown, teams: this.#teams((team) => team.organizationId === id, reach) }
      default:
        return shown
    }
  }

  #keys(which: (key: Key) => boolean): Json[] {
    const found = this.#house.keys().filter(which)
    return found.slice(0, LARGEST_PAGE).map((key) => this.#house.keyRoutes.show(key))
  }

  #teams(which: (team: Holder) => boolean, reach: Reach): Json[] {
    const { teams } = this.#kinds
    const found = teams.all(reach).filter(which)
    return found.slice(0, LARGEST_PAGE).map((team) => teams.show(team))
  }

  list(query: URLSearchParams, reach: Reach): Answer {
    const size = whole(query, query.has('page_size') ? 'page_size' : 'size', LARGEST_PAGE, LARGEST_PAGE)
    const page = whole(query, 'page', 1, 1_000_000)
    const isOf = (field: 'organizationId' | 'teamId', asked: string | null) => (holder: Holder) =>
      asked === null || holder[field] === asked
    const found = this.#holders
      .all(reach)
      .filter(isOf('organizationId', query.get('organization_id')))
      .filter(isOf('teamId', query.get('team_id')))
    const shown = found.slice((page - 1) * size, page * size).map((holder) => this.#holders.show(holder))
    const pages = Math.ceil(found.length / size)
    const total = found.length
    const body = this.#form.kind === 'user' ? { users: shown, total, page, page_size: size, total_pages: pages } : shown
    return { body, total, next: page < pages ? page + 1 : undefined }
  }

  blocked(body: Json, blocked: boolean, reach: Reach): unknown {
    const { kind, many } = this.#form
    const said = readBody(blocking(this.#form), body) as Json
    if (kind === 'team')
      return this.#holders.show(this.#holders.setBlocked([said.team_id as string], blocked, reach)[0] as Holder)
    const changed = this.#holders.setBlocked(said[many] as string[], blocked, reach)
    return { blocked_users: changed.map((holder) => this.#holders.show(holder)) }
  }
}
