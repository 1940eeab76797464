/** Makes, shows, changes and removes whoever has a budget and is no key. One way for all kinds; holder-kinds.ts says how they differ. */
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { Holder } from '../core/holder.ts'
import type { Key } from '../core/key.ts'
import { Refusal } from '../core/refusal.ts'
import { readRole } from '../core/role.ts'
import type { Payer } from '../core/scope.ts'
import { termsOf, type WrittenTerms } from '../core/terms.ts'
import { fallOf } from './cascade.ts'
import { limitsOf, readBody } from './fields.ts'
import { guardHolder, guardName, guardParents } from './holder-guard.ts'
import { DETAILS, type HolderForm, idOf } from './holder-kinds.ts'
import { showHolder } from './holder-show.ts'
import { memberList } from './members.ts'
import type { Money } from './money.ts'
import type { Reach } from './reach.ts'
import type { Register } from './register.ts'

type Json = Record<string, unknown>

export interface HolderHouse {
  register: Register
  keys(): readonly Key[]
  /** Of a scope. */
  money(scope: string): Money
  hasModel(name: string): boolean
  hasProvider(id: string): boolean
  /** Who pays for a key: all that it belongs to. */
  payerOf(key: Key): Payer
  /** Takes keys away, for ever. */
  removeKeys(ids: readonly string[]): void
  /** ms since the epoch. */
  now(): number
}

/** What the routes of a kind of holder take. */
export function holderBodies(form: HolderForm): Record<'make' | 'update' | 'remove', z.ZodObject> {
  const id = idOf(form.kind)
  const members =
    form.members && (form.kind === 'team' || form.kind === 'organization')
      ? { [form.members]: memberList(form.kind).nullish() }
      : {}
  return {
    make: z.object({ [form.id]: form.makesIds ? id.nullish() : id, ...form.fields, ...form.ofKey, ...members }),
    update: z.object({ [form.id]: id, ...form.fields }),
    remove: z.object({ [form.many]: form.many === 'name' ? z.string() : z.array(z.string()).min(1) }),
  }
}

export class Holders {
  readonly form: HolderForm
  readonly #house: HolderHouse
  readonly #new: z.ZodObject
  readonly #update: z.ZodObject

  constructor(form: HolderForm, house: HolderHouse) {
    this.form = form
    this.#house = house
    const { make, update } = holderBodies(form)
    this.#new = make
    this.#update = update
  }

  /** @returns the holder, and what was said, for whoever makes a key along with it @throws Refusal */
  make(body: Json, reach: Reach): { holder: Holder; said: Json } {
    const { kind, id: field } = this.form
    const { register, now } = this.#house
    const said: Json = readBody(this.#new, body)
    const id = (said[field] as string | null | undefined) ?? randomUUID()
    if (register.holder(kind, id))
      throw new Refusal(
        'conflict',
        `The ${kind} '${id}' exists already. Change it with /update, or choose another ${field}.`,
        {
          status: 400,
          param: field,
        },
      )
    if ((kind === 'model' && !this.#house.hasModel(id)) || (kind === 'provider' && !this.#house.hasProvider(id)))
      throw new Refusal('not_found', `There is no ${kind} '${id}' here: name one of the configuration.`, {
        param: field,
      })
    const at = now()
    const before: Holder = {
      ...{ kind, id, models: [], limits: {}, blocked: false, metadata: {}, createdAt: at, updatedAt: at },
    }
    guardParents(reach, said, kind)
    const holder = this.#changed(before, said)
    guardHolder(reach, said, holder, undefined)
    guardName(reach, kind, id, this.#house)
    register.put(holder)
    return { holder, said }
  }

  /** @throws Refusal not_found, invalid_request */
  change(body: Json, reach: Reach): Holder {
    const said: Json = readBody(this.#update, body)
    const before = this.#made(said[this.form.id] as string, reach)
    guardParents(reach, said, this.form.kind)
    const holder = this.#changed(before, said)
    guardHolder(reach, said, holder, before)
    this.#house.register.put(holder)
    return holder
  }

  #changed(before: Holder, said: Json): Holder {
    const { alias, fields } = this.form
    const { register, now } = this.#house
    const words = said as {
      organization_id?: string | null
      team_id?: string | null
      models?: string[] | null
      blocked?: boolean | null
      user_role?: string | null
    }
    const after: Holder = {
      ...before,
      ...termsOf(said as WrittenTerms, before, now()),
      limits: limitsOf(said, before.limits),
      metadata: metadataOf(before, said),
      updatedAt: now(),
    }
    if (alias !== undefined && said[alias] !== undefined) after.name = (said[alias] as string) || undefined
    if (fields.organization_id && words.organization_id !== undefined)
      after.organizationId = words.organization_id || undefined
    if (fields.team_id && words.team_id !== undefined) after.teamId = words.team_id || undefined
    if (fields.user_role && words.user_role !== undefined) after.role = readRole(words.user_role ?? '')
    if (words.models !== undefined) after.models = words.models ?? []
    if (words.blocked !== undefined) after.blocked = words.blocked ?? false
    register.checkTerms(after, said as WrittenTerms)
    if (fields.model_aliases) register.checkAliases(said.model_aliases as Record<string, string>, 'model_aliases')
    if (fields.organization_id && words.organization_id)
      register.need('organization', words.organization_id, 'organization_id')
    if (fields.team_id && words.team_id) register.need('team', words.team_id, 'team_id')
    return after
  }

  /** By its id; of whom nobody has made and who has spent something, what is known. @throws Refusal not_found */
  get(id: string, reach: Reach): Holder {
    const { kind } = this.form
    const holder = this.#house.register.known(kind, id)
    if (holder) reach.need(reach.seesHolder(holder), `The ${kind} '${id.slice(0, 100)}'`, this.form.id)
    else reach.need(reach.isAll, `The ${kind} '${id.slice(0, 100)}'`, this.form.id)
    if (holder) return holder
    if (this.#house.money(`${kind}:${id}`).total === 0) return this.#made(id, reach)
    return { kind, id, models: [], limits: {}, blocked: false, metadata: {}, createdAt: 0, updatedAt: 0 }
  }

  /** One that is there and that may be changed; to whom it is not his, what is not there looks the same. */
  #made(id: string, reach: Reach): Holder {
    const { kind, id: field } = this.form
    const holder = this.#house.register.holder(kind, id)
    if (!reach.isAll)
      reach.need(holder !== undefined && reach.rulesHolder(holder), `The ${kind} '${id.slice(0, 100)}'`, field)
    return this.#house.register.need(kind, id, field)
  }

  /** All that were made or configured and that may be seen, by their ids. */
  all(reach: Reach): Holder[] {
    const all = this.#house.register.allOf(this.form.kind)
    return (reach.isAll ? all : all.filter((holder) => reach.seesHolder(holder))).sort((a, b) => (a.id < b.id ? -1 : 1))
  }

  /** All or none, with all that goes with them. @throws Refusal not_found, forbidden @returns them, and the ids of keys that went */
  remove(ids: readonly string[], reach: Reach): { holders: Holder[]; keys: string[] } {
    const { kind } = this.form
    const { register, removeKeys, now } = this.#house
    const holders = ids.map((id) => this.#made(id, reach))
    const fall = fallOf(kind, ids, this.#house)
    const keys = fall.keys.map(({ id }) => id)
    // Keys first: where this is cut short, nobody reaches farther than before, and doing it again does the rest.
    removeKeys(keys)
    for (const user of fall.freed) register.put({ ...user, organizationId: undefined, updatedAt: now() })
    for (const holder of [...fall.holders, ...holders]) register.remove(holder.kind, holder.id)
    return { holders, keys }
  }

  /** Opens or closes; of customers also those whom nobody has made. @throws Refusal not_found */
  setBlocked(ids: readonly string[], blocked: boolean, reach: Reach): Holder[] {
    const { kind } = this.form
    const at = this.#house.now()
    const fresh = { kind, models: [], limits: {}, metadata: {}, createdAt: at }
    const changed = ids.map((id): Holder => {
      const before =
        kind === 'customer' ? (this.#house.register.holder(kind, id) ?? { ...fresh, id }) : this.#made(id, reach)
      return { ...before, blocked, updatedAt: at }
    })
    for (const holder of changed) this.#house.register.put(holder)
    return changed
  }

  show(holder: Holder): Json {
    return showHolder(holder, this.form, this.#house.money(`${holder.kind}:${holder.id}`), this.#house.register)
  }
}

/** The operator's own, with the details that stand there. */
function metadataOf(before: Holder, said: Json): Json {
  const metadata: Json = { ...before.metadata }
  if (said.metadata !== undefined) {
    for (const field of Object.keys(metadata)) if (!isDetail(field)) delete metadata[field]
    Object.assign(metadata, said.metadata)
  }
  for (const field of DETAILS) {
    if (said[field] === undefined) continue
    if (said[field] === null) delete metadata[field]
    else metadata[field] = said[field]
  }
  return metadata
}

const isDetail = (field: string): boolean => (DETAILS as readonly string[]).includes(field)
