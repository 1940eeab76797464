/** What somebody is here: his role, and the teams and organisations that he administers. */
import type { Key } from '../core/key.ts'
import type { Principal } from '../core/principal.ts'
import { isAbove, type Role } from '../core/role.ts'
import type { Register } from './register.ts'

export interface Standing {
  role: Role
  /** That he administers. */
  teams: readonly string[]
  organizations: readonly string[]
  /** Whether he may make keys for himself. */
  ownKeys: boolean
}

const NOTHING: Standing = { role: 'customer', teams: [], organizations: [], ownKeys: false }

export class Standings {
  readonly #register: Register
  /** Of keys as they are now: whoever changes one makes another object of it. */
  #ofKeys = new WeakMap<Key, Principal>()

  constructor(register: Register) {
    this.#register = register
    register.onChange(() => {
      this.#ofKeys = new WeakMap()
    })
  }

  /** Who comes in with a key: its user, or where it has none, nobody but a customer. The same object until something changes. */
  of(key: Key): Principal {
    let principal = this.#ofKeys.get(key)
    if (!principal) {
      const { userId } = key
      principal = { ...this.ofUser(userId), name: `key:${key.id}`, way: 'key', key, userId }
      this.#ofKeys.set(key, principal)
    }
    return principal
  }

  /**
   * A user by his id. One whom nobody has made is a mere name: his keys see themselves.
   * What he administers makes him more than his `user_role` says, if that is less.
   */
  ofUser(userId: string | undefined): Standing {
    const user = userId === undefined ? undefined : this.#register.holder('user', userId)
    if (!user) return NOTHING
    const memberships = this.#register.membershipsOf(user.id)
    const teams = memberships.filter(({ kind, role }) => kind === 'team' && role === 'admin').map(({ id }) => id)
    const organizations = memberships.filter(({ role }) => role === 'org_admin').map(({ id }) => id)
    const roles: Role[] = [user.role ?? 'internal_user_viewer']
    if (teams.length > 0) roles.push('team_admin')
    if (organizations.length > 0) roles.push('org_admin')
    // An organisation's own word for a member who has no role of his own.
    if (user.role === undefined && memberships.some(({ role }) => role === 'internal_user')) roles.push('internal_user')
    const ownKeys = roles.includes('internal_user') || roles.includes('proxy_admin')
    return { role: roles.reduce((a, b) => (isAbove(b, a) ? b : a)), teams, organizations, ownKeys }
  }
}
