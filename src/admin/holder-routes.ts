/** The routes of all kinds of holders, with LiteLLM's answers: what is around a holder there differs by its kind. */
import { z } from 'zod'
import type { Holder, HolderKind } from '../core/holder.ts'
import type { Key } from '../core/key.ts'
import { Refusal } from '../core/refusal.ts'
import { readBody } from './fields.ts'
import { HOLDER_FORMS, type HolderForm } from './holder-kinds.ts'
import { type HolderHouse, Holders } from './holders.ts'
import { type KeyRoutes, whole } from './keys.ts'

type Json = Record<string, unknown>

export interface HolderRoute {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  path: string
  handle(asked: { query: URLSearchParams; body: Json }): Answer
}

/** What is told, and how many more there are to a list. */
export interface Answer {
  body: unknown
  total?: number
  /** Number of the next page of a list that has one. */
  next?: number | undefined
}

interface House extends HolderHouse {
  /** Makes keys, and shows them. */
  keyRoutes: KeyRoutes
}

const LARGEST_PAGE = 1_000

export function holderRoutes(house: House): HolderRoute[] {
  const kinds = new Map(HOLDER_FORMS.map((form) => [form.kind, new Holders(form, house)]))
  return [...kinds.values()].flatMap((holders) => routesOf(holders, kinds, house))
}

function routesOf(holders: Holders, kinds: ReadonlyMap<HolderKind, Holders>, house: House): HolderRoute[] {
  const { form } = holders
  const around = new Around(holders, kinds, house)
  const many = z.object({ [form.many]: form.many === 'name' ? z.string() : z.array(z.string()).min(1) })
  const idsIn = (body: Json): string[] => [(readBody(many, body) as Json)[form.many]].flat() as string[]
  const listing = z.object({ names: z.array(z.string()).min(1) })

  const route = (
    method: HolderRoute['method'],
    path: string,
    handle: (body: Json, query: URLSearchParams) => unknown,
  ) =>
    form.bases.map(
      (base): HolderRoute => ({
        method,
        path: base + path,
        handle: ({ query, body }) => ({ body: handle(body, query) }),
      }),
    )
  const info = (query: URLSearchParams) => {
    const asked = form.asked ?? ''
    const id = query.get(asked)
    if (!id)
      throw new Refusal('invalid_request', `Name the ${form.kind}: ${form.bases[0]}/info?${asked}=….`, { param: asked })
    return around.info(holders.get(id))
  }
  return [
    ...route('POST', '/new', (body) => around.made(holders.make(body))),
    ...route(form.update, '/update', (body) => around.changed(holders.change(body))),
    ...route(form.remove, '/delete', (body) => around.removed(holders.remove(idsIn(body)))),
    ...(form.asked
      ? route('GET', '/info', (_, query) => info(query))
      : route('POST', '/info', (body) => named(holders, readBody(listing, body).names))),
    ...form.bases.map(
      (base): HolderRoute => ({ method: 'GET', path: `${base}/list`, handle: ({ query }) => around.list(query) }),
    ),
    ...(form.kind === 'team' || form.kind === 'customer' ? [true, false] : []).flatMap((blocked) =>
      route('POST', blocked ? '/block' : '/unblock', (body) => around.blocked(body, blocked)),
    ),
    ...(form.kind === 'provider'
      ? [{ method: 'GET', path: '/provider/budgets', handle: () => providers(holders) } as const]
      : []),
  ]
}

const named = (holders: Holders, names: readonly string[]): Json =>
  Object.fromEntries(names.map((name) => [name, holders.show(holders.get(name))]))

/** LiteLLM's state of each provider's budget. */
function providers(holders: Holders): Answer {
  const shown = holders.all().map((holder): [string, Json] => {
    const { max_budget, budget_duration, spend, budget_reset_at } = holders.show(holder)
    return [holder.id, { budget_limit: max_budget, time_period: budget_duration, spend, budget_reset_at }]
  })
  return { body: { providers: Object.fromEntries(shown) } }
}

/** What LiteLLM tells around a holder of each kind. */
class Around {
  readonly #holders: Holders
  readonly #kinds: ReadonlyMap<HolderKind, Holders>
  readonly #house: House
  readonly #form: HolderForm

  constructor(holders: Holders, kinds: ReadonlyMap<HolderKind, Holders>, house: House) {
    this.#holders = holders
    this.#kinds = kinds
    this.#house = house
    this.#form = holders.form
  }

  made({ holder, said }: { holder: Holder; said: Json }): unknown {
    const shown = this.#holders.show(holder)
    const { kind } = this.#form
    if (kind === 'tag') return { message: `Tag ${holder.id} created successfully`, tag: shown }
    if (kind !== 'user' || said.auto_create_key === false) return shown
    const { key_alias, duration, team_id } = said
    const { key, token } = this.#house.keyRoutes.generate({ user_id: holder.id, key_alias, duration, team_id })
    return { ...shown, key, token }
  }

  changed(holder: Holder): unknown {
    const shown = this.#holders.show(holder)
    const { kind, id } = this.#form
    if (kind === 'tag') return { message: `Tag ${holder.id} updated successfully`, tag: shown }
    return kind === 'team' || kind === 'user' ? { [id]: holder.id, data: shown } : shown
  }

  removed(holders: readonly Holder[]): unknown {
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
        return { [`deleted_${kind}s`]: ids }
    }
  }

  info(holder: Holder): unknown {
    const shown = this.#holders.show(holder)
    const { id } = holder
    switch (this.#form.kind) {
      case 'team':
        return { team_id: id, team_info: shown, keys: this.#keys((key) => key.teamId === id), team_memberships: [] }
      case 'user': {
        const own = (key: Key) => key.userId === id
        const teams = new Set(this.#house.keys().flatMap((key) => (own(key) && key.teamId ? [key.teamId] : [])))
        return {
          user_id: id,
          user_info: shown,
          keys: this.#keys(own),
          teams: this.#teams((team) => teams.has(team.id)),
        }
      }
      case 'organization':
        return { ...shown, teams: this.#teams((team) => team.organizationId === id) }
      default:
        return shown
    }
  }

  #keys(which: (key: Key) => boolean): Json[] {
    const found = this.#house.keys().filter(which)
    return found.slice(0, LARGEST_PAGE).map((key) => this.#house.keyRoutes.show(key))
  }

  #teams(which: (team: Holder) => boolean): Json[] {
    const teams = this.#kinds.get('team') as Holders
    const found = teams.all().filter(which)
    return found.slice(0, LARGEST_PAGE).map((team) => teams.show(team))
  }

  list(query: URLSearchParams): Answer {
    const size = whole(query, query.has('page_size') ? 'page_size' : 'size', LARGEST_PAGE, LARGEST_PAGE)
    const page = whole(query, 'page', 1, 1_000_000)
    const isOf = (field: 'organizationId' | 'teamId', asked: string | null) => (holder: Holder) =>
      asked === null || holder[field] === asked
    const found = this.#holders
      .all()
      .filter(isOf('organizationId', query.get('organization_id')))
      .filter(isOf('teamId', query.get('team_id')))
    const shown = found.slice((page - 1) * size, page * size).map((holder) => this.#holders.show(holder))
    const pages = Math.ceil(found.length / size)
    const total = found.length
    const body = this.#form.kind === 'user' ? { users: shown, total, page, page_size: size, total_pages: pages } : shown
    return { body, total, next: page < pages ? page + 1 : undefined }
  }

  blocked(body: Json, blocked: boolean): unknown {
    const { kind, id, many } = this.#form
    if (kind === 'team') {
      const { team_id } = readBody(z.object({ [id]: z.string() }), body) as { team_id: string }
      return this.#holders.show(this.#holders.setBlocked([team_id], blocked)[0] as Holder)
    }
    const ids = (readBody(z.object({ [many]: z.array(z.string().min(1).max(256)).min(1) }), body) as Json)[many]
    const changed = this.#holders.setBlocked(ids as string[], blocked)
    return { blocked_users: changed.map((holder) => this.#holders.show(holder)) }
  }
}
