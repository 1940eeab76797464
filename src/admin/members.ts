/** Users in teams and organisations, in LiteLLM's words: who is in, and who administers. */
import { z } from 'zod'
import type { Holder, Member } from '../core/holder.ts'
import type { Key } from '../core/key.ts'
import { Refusal } from '../core/refusal.ts'
import { ORGANIZATION_ROLES, TEAM_ROLES } from '../core/role.ts'
import { name, readBody } from './fields.ts'
import { guardName } from './holder-guard.ts'
import type { Reach } from './reach.ts'
import type { Register } from './register.ts'

type Json = Record<string, unknown>

export type MemberKind = Member['kind']

/** What a member is called there, from the least. */
const ROLES_IN = { team: TEAM_ROLES, organization: ORGANIZATION_ROLES } as const
const USUAL = { team: 'user', organization: 'internal_user' } as const
const MOST_AT_ONCE = 500
/** Of one team or organisation. */
const MOST = 10_000

const person = { user_id: name(256).nullish(), user_email: z.string().max(256).nullish() }

const memberOf = (kind: MemberKind) => z.strictObject({ ...person, role: z.enum(ROLES_IN[kind]).nullish() })

/** A list in `/new`. */
export const memberList = (kind: MemberKind) => z.array(memberOf(kind)).max(MOST_AT_ONCE)

/** What the routes of members take. */
export function memberBodies(kind: MemberKind): Record<'add' | 'update' | 'remove', z.ZodObject> {
  const one = memberOf(kind)
  const holder = { [`${kind}_id`]: z.string() }
  return {
    add: z.object({ ...holder, member: z.union([one, z.array(one).min(1)]) }),
    update: z.object({ ...holder, ...person, role: z.enum(ROLES_IN[kind]) }),
    remove: z.object({ ...holder, ...person }),
  }
}

type Said = { user_id?: string | null; user_email?: string | null; role?: string | null }

interface House {
  register: Register
  keys(): readonly Key[]
  /** Of a scope. */
  money(scope: string): { total: number }
  /** Takes keys away, for ever. */
  removeKeys(ids: readonly string[]): void
  /** ms since the epoch. */
  now(): number
}

export class Members {
  readonly #house: House
  readonly #kind: MemberKind
  readonly #id: string

  constructor(kind: MemberKind, house: House) {
    this.#kind = kind
    this.#id = `${kind}_id`
    this.#house = house
  }

  /** `{team_id, member: {user_id, role}}`, or a list of them: all or none. */
  add(reach: Reach, body: Json): { holder: Holder; added: Member[] } {
    const said = readBody(memberBodies(this.#kind).add, body)
    const { member } = said as { member: Said | Said[] }
    const holder = this.#need(reach, (said as Json)[this.#id] as string)
    return { holder, added: this.put(reach, holder, [member].flat()) }
  }

  /** @throws Refusal where one of them can't be, before anybody is put */
  put(reach: Reach, holder: Holder, wanted: readonly Said[]): Member[] {
    const { register, now } = this.#house
    if (register.membersOf(this.#kind, holder.id).length + wanted.length > MOST)
      throw new Refusal('invalid_request', `A ${this.#kind} may have ${MOST} members.`, { param: 'member' })
    const members = wanted.map((said): Member => {
      const userId = this.#userOf(said)
      this.#checkUser(reach, holder, userId)
      const before = register.member(this.#kind, holder.id, userId)
      const role = said.role ?? before?.role ?? USUAL[this.#kind]
      return { kind: this.#kind, id: holder.id, userId, role, createdAt: before?.createdAt ?? now() }
    })
    for (const member of members) {
      this.#makeUser(holder, member.userId)
      register.putMember(member)
    }
    return members
  }

  update(reach: Reach, body: Json): Member {
    const said = readBody(memberBodies(this.#kind).update, body) as Said & Json
    const holder = this.#need(reach, said[this.#id] as string)
    const member = { ...this.#member(holder, said), role: said.role as string }
    this.#house.register.putMember(member)
    return member
  }

  /** Whoever leaves a team leaves his keys of it behind: they are gone. @returns the ids of the keys that went with him */
  remove(reach: Reach, body: Json): { holder: Holder; member: Member; keys: string[] } {
    const said = readBody(memberBodies(this.#kind).remove, body) as Said & Json
    const holder = this.#need(reach, said[this.#id] as string)
    const member = this.#member(holder, said)
    const isHis = ({ userId, teamId }: Key) => userId === member.userId && teamId === holder.id
    const keys = this.#kind === 'team' ? this.#house.keys().filter(isHis) : []
    const ids = keys.map(({ id }) => id)
    this.#house.removeKeys(ids)
    this.#house.register.removeMember(member)
    return { holder, member, keys: ids }
  }

  #need(reach: Reach, id: string): Holder {
    const mayChange = this.#kind === 'team' ? reach.rulesTeam(id) : reach.rulesOrganization(id)
    reach.need(mayChange, `The ${this.#kind} '${id.slice(0, 100)}'`, this.#id)
    return this.#house.register.need(this.#kind, id, this.#id)
  }

  #member(holder: Holder, said: Said): Member {
    const userId = this.#userOf(said)
    const member = this.#house.register.member(this.#kind, holder.id, userId)
    if (member) return member
    throw new Refusal('not_found', `The user '${userId}' is no member of the ${this.#kind} '${holder.id}'.`, {
      param: 'user_id',
    })
  }

  #userOf({ user_id, user_email }: Said): string {
    if (user_id) return user_id
    if (!user_email)
      throw new Refusal('invalid_request', 'Name the member by user_id or user_email.', { param: 'user_id' })
    const found = this.#house.register.holders('user').filter(({ metadata }) => metadata.user_email === user_email)
    if (found.length === 1) return (found[0] as Holder).id
    throw new Refusal(
      'not_found',
      found.length === 0
        ? `There is no user with the address '${user_email}'. Make him first: POST /user/new.`
        : `Several users have the address '${user_email}': name the one by user_id.`,
      { param: 'user_email' },
    )
  }

  /** Nobody is drawn into a team from another organisation, where he would become its administrators' to charge. */
  #checkUser(reach: Reach, holder: Holder, userId: string): void {
    if (reach.isAll) return
    const user = this.#house.register.holder('user', userId)
    if (!user) guardName(reach, 'user', userId, this.#house)
    const organization = this.#kind === 'team' ? holder.organizationId : holder.id
    if (user && user.organizationId !== organization && !reach.rulesUser(userId))
      throw new Refusal(
        'forbidden',
        `The user '${userId}' does not belong to ${organization === undefined ? 'those without an organisation' : `the organisation '${organization}'`}: only the operator can put him into this ${this.#kind}.`,
        { param: 'user_id' },
      )
  }

  /** LiteLLM makes whoever is added. He may look at what is his; more is said by `user_role`. */
  #makeUser(holder: Holder, id: string): void {
    const { register, now } = this.#house
    if (register.holder('user', id)) return
    const organizationId = this.#kind === 'team' ? holder.organizationId : holder.id
    const at = now()
    register.put({
      ...{ kind: 'user', id, organizationId, models: [], limits: {}, blocked: false, metadata: {} },
      ...{ createdAt: at, updatedAt: at },
    })
  }
}

/** As LiteLLM lists them. */
export function showMember(member: Member, register: Register): Json {
  const email = register.holder('user', member.userId)?.metadata.user_email ?? null
  const at = new Date(member.createdAt).toISOString()
  if (member.kind === 'team') return { user_id: member.userId, user_email: email, role: member.role }
  return {
    ...{ user_id: member.userId, user_email: email, organization_id: member.id, user_role: member.role },
    created_at: at,
  }
}
