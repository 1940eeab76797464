/** What somebody who is not the operator may make of a team, a user or a project that is within his reach. */
import type { Holder } from '../core/holder.ts'
import type { Key } from '../core/key.ts'
import { Refusal } from '../core/refusal.ts'
import { isAbove } from '../core/role.ts'
import { isEmpty } from './fields.ts'
import type { Reach } from './reach.ts'

type Json = Record<string, unknown>

/** The budget of a team is not its own administrators' to raise. */
const OF_TEAM_ADMINS = ['team_id', 'team_alias']

/** What is named has to be his, before anything is said about whether it is there. @throws Refusal forbidden */
export function guardParents(
  reach: Reach,
  { organization_id: organization, team_id: team }: Json,
  kind: Holder['kind'],
): void {
  if (reach.isAll) return
  if (typeof organization === 'string' && kind !== 'organization')
    reach.need(reach.rulesOrganization(organization), `The organisation '${organization}'`, 'organization_id')
  if (typeof team === 'string' && kind !== 'team') reach.need(reach.rulesTeam(team), `The team '${team}'`, 'team_id')
}

interface Uses {
  keys(): readonly Key[]
  /** Of a scope. */
  money(scope: string): { total: number }
}

/**
 * A team or user may be a mere name on keys and charges before anybody makes it: whoever made it would have these.
 * @throws Refusal conflict
 */
export function guardName(reach: Reach, kind: Holder['kind'], id: string, { keys, money }: Uses): void {
  if (reach.isAll || (kind !== 'team' && kind !== 'user')) return
  const isOnKey = keys().some(({ teamId, userId }) => (kind === 'team' ? teamId : userId) === id)
  if (isOnKey || money(`${kind}:${id}`).total > 0)
    throw new Refusal(
      'conflict',
      `The name '${id}' is used by keys or charges already: only the operator can make a ${kind} of it.`,
      { status: 400, param: idField(kind) },
    )
}

/** @param before undefined: it is made now @throws Refusal forbidden */
export function guardHolder(reach: Reach, said: Json, after: Holder, before: Holder | undefined): void {
  if (reach.isAll) return
  const { kind, id } = after
  if (before) reach.need(reach.rulesHolder(before), `The ${kind} '${id}'`, idField(kind))
  switch (kind) {
    case 'team': {
      if (reach.rulesOrganization(after.organizationId)) return
      const others = Object.keys(said).filter((field) => !OF_TEAM_ADMINS.includes(field) && !isEmpty(said[field]))
      if (before && others.length === 0 && after.organizationId === before.organizationId) return
      throw new Refusal(
        'forbidden',
        before
          ? `As ${reach.who.role} you may change a team's ${OF_TEAM_ADMINS[1]} and its members, and not: ${others.join(', ')}.`
          : 'A team has to be in an organisation that you administer: say organization_id.',
        { param: before ? (others[0] ?? 'organization_id') : 'organization_id' },
      )
    }
    case 'user': {
      const isIn = reach.rulesOrganization(after.organizationId)
      reach.need(isIn, 'A user outside of your organisations', 'organization_id')
      if (after.role !== undefined && isAbove(after.role, 'internal_user'))
        throw new Refusal('forbidden', `user_role: only the operator may make somebody ${after.role}.`, {
          param: 'user_role',
        })
      return
    }
    case 'project':
      reach.need(
        reach.rulesTeam(after.teamId),
        'A project of no team, or of a team of others: say team_id. It',
        'team_id',
      )
      return
    default:
      throw reach.refusal(`The ${kind} '${id}'`, idField(kind))
  }
}

const idField = (kind: Holder['kind']): string => (kind === 'customer' ? 'user_id' : `${kind}_id`)
