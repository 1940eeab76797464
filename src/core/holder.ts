/** Whoever has a budget and is no key: organisations, teams, projects, users, customers, tags, models, providers. */
import type { BudgetTerms } from './budget.ts'
import type { Limits } from './limits.ts'
import type { Role } from './role.ts'

export type HolderKind = 'organization' | 'team' | 'project' | 'user' | 'customer' | 'tag' | 'model' | 'provider'

export interface Holder extends BudgetTerms {
  kind: HolderKind
  id: string
  /** For people. */
  name?: string | undefined
  /** Of a team or a user. */
  organizationId?: string | undefined
  /** Of a project. */
  teamId?: string | undefined
  /** Of a user: `user_role`. */
  role?: Role | undefined
  /** Aliases that its keys may call; empty = all. */
  models: readonly string[]
  limits: Limits
  blocked: boolean
  metadata: Readonly<Record<string, unknown>>
  createdAt: number
  updatedAt: number
}

/** A user in a team or an organisation. */
export interface Member {
  kind: 'team' | 'organization'
  /** Of the team or organisation. */
  id: string
  userId: string
  /** `admin` or `user` of a team; `org_admin`, `internal_user` or `internal_user_viewer` of an organisation. */
  role: string
  createdAt: number
}

/** A budget that many may share (`/budget/new`). */
export interface Template extends BudgetTerms {
  id: string
  limits: Limits
  createdAt: number
  updatedAt: number
}
