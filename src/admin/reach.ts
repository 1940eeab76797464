/** How far somebody reaches on the route that he uses: made once for each visit, asked by whoever shows or changes something. */
import type { Holder } from '../core/holder.ts'
import type { Key } from '../core/key.ts'
import type { Principal } from '../core/principal.ts'
import { Refusal } from '../core/refusal.ts'
import { type Extent, isAbove } from '../core/role.ts'
import type { Payer } from '../core/scope.ts'
import type { Register } from './register.ts'
import type { Standings } from './standing.ts'

export interface ReachHouse {
  register: Register
  standings: Standings
  /** Who pays for a key: all that it belongs to. */
  payerOf(key: Key): Payer
}

/** The scopes by which what was spent can be narrowed down. */
type Asked = Partial<Record<'key' | 'user' | 'team' | 'organization', readonly string[] | undefined>>

const WIDTH: Readonly<Record<Extent, number>> = { all: 3, org: 2, team: 1, self: 0 }

export class Reach {
  readonly who: Principal
  readonly #extent: Extent
  readonly #house: ReachHouse

  constructor(who: Principal, extent: Extent, house: ReachHouse) {
    this.who = who
    this.#extent = extent
    this.#house = house
  }

  /** Everything: nothing has to be asked. */
  get isAll(): boolean {
    return this.#extent === 'all'
  }

  #is(extent: Extent): boolean {
    return WIDTH[this.#extent] >= WIDTH[extent]
  }

  /** Whether he administers it, or what it is in. */
  rulesTeam(id: string | undefined): boolean {
    if (this.isAll) return true
    if (id === undefined) return false
    if (this.#is('team') && this.who.teams.includes(id)) return true
    return this.rulesOrganization(this.#house.register.holder('team', id)?.organizationId)
  }

  rulesOrganization(id: string | undefined): boolean {
    return this.isAll || (id !== undefined && this.#is('org') && this.who.organizations.includes(id))
  }

  /** Whether somebody is himself, or belongs to what he rules. */
  rulesUser(id: string | undefined): boolean {
    if (this.isAll) return true
    if (id === undefined) return false
    if (this.#isSelf(id)) return true
    if (this.rulesOrganization(this.#house.register.holder('user', id)?.organizationId)) return true
    const memberships = this.#house.register.membershipsOf(id)
    return memberships.some((one) => (one.kind === 'team' ? this.rulesTeam(one.id) : this.rulesOrganization(one.id)))
  }

  /** Whether nobody is put into his hands who stands above him, or who administers what he does not. */
  outranks(userId: string | undefined): boolean {
    if (this.isAll || userId === undefined || userId === this.who.userId) return true
    const { role, teams, organizations } = this.#house.standings.ofUser(userId)
    return (
      !isAbove(role, this.who.role) &&
      teams.every((id) => this.rulesTeam(id)) &&
      organizations.every((id) => this.rulesOrganization(id))
    )
  }

  /** Whether he may look at a key: his own, and those of whom and what he rules. */
  seesKey(key: Key): boolean {
    if (this.isAll) return true
    const { team, organization, user } = this.#house.payerOf(key)
    return (
      key.id === this.who.key?.id || this.#isSelf(user) || this.rulesTeam(team) || this.rulesOrganization(organization)
    )
  }

  /** A user that nobody has made is a mere name, which is no proof of anything. */
  #isSelf(userId: string | undefined): boolean {
    return userId !== undefined && userId === this.who.userId && this.who.role !== 'customer'
  }

  /** Whether he may take it away. A key that belongs to nobody and to no team is the operator's. */
  endsKey(key: Key): boolean {
    if (this.isAll) return true
    const { team, organization, user } = this.#house.payerOf(key)
    return this.#isSelf(user) || this.rulesTeam(team) || this.rulesOrganization(organization)
  }

  /**
   * Whether he may change it: a key of a team is for its administrators to change, since they said what it may; and none
   * is changed that belongs to somebody above him.
   */
  rulesKey(key: Key): boolean {
    if (this.isAll) return true
    const { team, organization, user } = this.#house.payerOf(key)
    const isHis = team === undefined && this.#isSelf(user)
    return (isHis || this.rulesTeam(team) || this.rulesOrganization(organization)) && this.outranks(user)
  }

  /** Whether he may look at it: members see their team and organisation, users themselves. */
  seesHolder({ kind, id, teamId, organizationId }: Pick<Holder, 'kind' | 'id' | 'teamId' | 'organizationId'>): boolean {
    if (this.isAll) return true
    const isMember = (of: 'team' | 'organization') => this.#house.register.member(of, id, this.who.userId) !== undefined
    if (kind === 'team') return this.rulesTeam(id) || isMember('team')
    if (kind === 'organization') return this.rulesOrganization(id) || isMember('organization')
    if (kind === 'user') return this.rulesUser(id)
    if (kind === 'project') return this.rulesTeam(teamId) || this.rulesOrganization(organizationId)
    return false
  }

  /** Whether he may change it. */
  rulesHolder({
    kind,
    id,
    teamId,
    organizationId,
  }: Pick<Holder, 'kind' | 'id' | 'teamId' | 'organizationId'>): boolean {
    if (this.isAll) return true
    if (kind === 'team') return this.rulesTeam(id)
    if (kind === 'organization') return this.rulesOrganization(id)
    // A member of a team is not its administrator's to change: he may be in others as well.
    if (kind === 'user') return this.rulesOrganization(organizationId) && this.outranks(id)
    if (kind === 'project') return this.rulesTeam(teamId)
    return false
  }

  /** @throws Refusal forbidden: the same for what is not there, so that nobody learns what there is */
  need(isWithin: boolean, what: string, param: string): void {
    if (!isWithin) throw this.refusal(what, param)
  }

  refusal(what: string, param: string): Refusal {
    return new Refusal(
      'forbidden',
      `${what} is not within your reach: as ${this.who.role} you may touch ${this.#spoken()}. Ask the operator, or whoever administers it.`,
      { param },
    )
  }

  #spoken(): string {
    const { teams, organizations } = this.who
    const all = [
      ...(this.#is('org') && organizations.length > 0 ? [`the organisations ${list(organizations)}`] : []),
      ...(this.#is('team') && teams.length > 0 ? [`the teams ${list(teams)}`] : []),
      'what is your own',
    ]
    return all.join(', ')
  }

  /**
   * What a report is narrowed down to, beside what it asks for: the team or organisation that it names where it is his,
   * else the widest that he has. undefined: nothing.
   * @throws Refusal forbidden where it names a team, organisation or user of others
   */
  bounds(asked: Asked): { kind: 'key' | 'user' | 'team' | 'organization'; ids: readonly string[] } | undefined {
    if (this.isAll) return undefined
    const { team, organization, user } = asked
    for (const id of team ?? []) this.need(this.rulesTeam(id) || this.#isSelfOnly(), `The team '${id}'`, 'team_id')
    for (const id of organization ?? [])
      this.need(this.rulesOrganization(id) || this.#isSelfOnly(), `The organisation '${id}'`, 'organization_id')
    if (organization && !this.#isSelfOnly()) return { kind: 'organization', ids: organization }
    if (team && !this.#isSelfOnly()) return { kind: 'team', ids: team }
    for (const id of user ?? [])
      if (id !== this.who.userId && this.#isSelfOnly()) throw this.refusal(`The user '${id}'`, 'user_id')
    const { teams, organizations, userId, key } = this.who
    if (this.#is('org') && organizations.length > 0) return { kind: 'organization', ids: organizations }
    if (this.#is('team') && teams.length > 0) return { kind: 'team', ids: teams }
    return userId !== undefined && this.who.role !== 'customer'
      ? { kind: 'user', ids: [userId] }
      : { kind: 'key', ids: [key?.id ?? ''] }
  }

  /** He reaches nobody but himself, by whom all is narrowed down anyway. */
  #isSelfOnly(): boolean {
    return !(this.#is('org') && this.who.organizations.length > 0) && !(this.#is('team') && this.who.teams.length > 0)
  }
}

const list = (ids: readonly string[]): string =>
  `${ids
    .slice(0, 5)
    .map((id) => `'${id}'`)
    .join(', ')}${ids.length > 5 ? ', …' : ''}`

/** What is left of what was asked for, in the bounds. */
export function within(
  bounds: ReturnType<Reach['bounds']>,
  asked: Readonly<Record<string, readonly string[] | undefined>>,
): Record<string, readonly string[]> {
  if (!bounds) return {}
  const { kind, ids } = bounds
  return { [kind]: asked[kind]?.filter((id) => ids.includes(id)) ?? ids }
}
