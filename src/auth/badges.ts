/** Badges: whoever comes in without a key of this gateway's gets something like one, so that limits, budgets and access hold. */
import type { Key } from '../core/key.ts'
import type { Limits } from '../core/limits.ts'
import type { Principal, Way } from '../core/principal.ts'
import type { Role } from '../core/role.ts'
import { Lru } from './lru.ts'

/** Who somebody is, by his claims, his certificate or the configuration. */
export interface Identity {
  way: Exclude<Way, 'master'>
  /** Unique with the way: `ada@idp.example.com`. */
  name: string
  user?: string | undefined
  team?: string | undefined
  organization?: string | undefined
  project?: string | undefined
  customer?: string | undefined
  role?: Role | undefined
  models?: readonly string[] | undefined
  tags?: readonly string[] | undefined
  limits?: Limits | undefined
}

export interface Standing {
  role: Role
  teams: readonly string[]
  organizations: readonly string[]
  ownKeys: boolean
}

/** Those who came lately; one more is made anew. */
const MOST = 10_000
const LONGEST = 200

export class Badges {
  readonly #standingOf: (userId: string | undefined) => Standing
  readonly #badges = new Lru<{ facts: string; principal: Principal & { key: Key } }>(MOST)

  /** @param standingOf what a user is here */
  constructor(standingOf: (userId: string | undefined) => Standing) {
    this.#standingOf = standingOf
  }

  /** @param until when he has to show himself anew, ms since the epoch */
  of(identity: Identity, until?: number): Principal {
    const id = `${identity.way}:${identity.name.slice(0, LONGEST)}`
    const facts = JSON.stringify(identity)
    const known = this.#badges.get(id)
    if (known?.facts === facts && known.principal.until === until) return known.principal
    const key = known?.facts === facts ? known.principal.key : keyOf(id, identity)
    const principal = { ...this.#rankOf(identity), name: id, way: identity.way, key, userId: identity.user, until }
    this.#badges.set(id, { facts, principal })
    return principal
  }

  #rankOf({ role, user, team, organization }: Identity): Standing {
    if (role === undefined) return this.#standingOf(user)
    return {
      role,
      teams: role === 'team_admin' && team !== undefined ? [team] : [],
      organizations: role === 'org_admin' && organization !== undefined ? [organization] : [],
      ownKeys: user !== undefined && (role === 'internal_user' || role === 'proxy_admin'),
    }
  }

  /** A badge by its id, as keys are found by theirs. */
  get(id: string): Key | undefined {
    return this.#badges.get(id)?.principal.key
  }

  /** What somebody is may have changed. */
  forget(): void {
    this.#badges.clear()
  }
}

const keyOf = (id: string, identity: Identity): Key => ({
  id,
  // No alias of a key has a colon's worth of trust: conditions on key aliases do not fit by accident.
  name: id,
  hint: '',
  models: identity.models ?? [],
  limits: identity.limits ?? {},
  blocked: false,
  teamId: identity.team,
  userId: identity.user,
  organizationId: identity.organization,
  projectId: identity.project,
  customerId: identity.customer,
  tags: identity.tags ?? [],
  metadata: {},
  createdAt: 0,
  updatedAt: 0,
})
