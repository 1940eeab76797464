/**
 * What goes with a team, user, project or organisation that is deleted, as in LiteLLM: its keys, its projects and teams,
 * and who was a member of it. Without it they would lose a budget or a list of models, and reach farther than before.
 * What was spent stays in the books.
 */
import type { Holder, HolderKind } from '../core/holder.ts'
import type { Key } from '../core/key.ts'
import type { Payer } from '../core/scope.ts'
import type { Register } from './register.ts'

interface House {
  register: Register
  keys(): readonly Key[]
  /** Who pays for a key: all that it belongs to. */
  payerOf(key: Key): Payer
}

export interface Fall {
  keys: readonly Key[]
  /** Innermost first. */
  holders: readonly Holder[]
  /** Users who stay, and belong to it no longer. */
  freed: readonly Holder[]
}

/** Of several of one kind; itself not included. */
export function fallOf(kind: HolderKind, ids: readonly string[], { register, keys, payerOf }: House): Fall {
  if (kind !== 'team' && kind !== 'user' && kind !== 'project' && kind !== 'organization')
    return { keys: [], holders: [], freed: [] }
  const isIn = (id: string | undefined) => id !== undefined && ids.includes(id)
  const teams = kind === 'organization' ? register.holders('team').filter((one) => isIn(one.organizationId)) : []
  const teamIds = kind === 'team' ? ids : teams.map(({ id }) => id)
  const projects = register
    .holders('project')
    .filter(
      ({ teamId, organizationId }) =>
        (kind === 'organization' && isIn(organizationId)) || (teamId !== undefined && teamIds.includes(teamId)),
    )
  const freed = kind === 'organization' ? register.holders('user').filter((one) => isIn(one.organizationId)) : []
  return { keys: keys().filter((key) => isIn(payerOf(key)[kind])), holders: [...projects, ...teams], freed }
}
