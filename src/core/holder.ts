/** Whoever has a budget and is no key: organisations, teams, projects, users, customers, tags, models, providers. */
import type { BudgetTerms } from './budget.ts'
import type { Limits } from './limits.ts'

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
  /** Aliases that its keys may call; empty = all. */
  models: readonly string[]
  limits: Limits
  blocked: boolean
  metadata: Readonly<Record<string, unknown>>
  createdAt: number
  updatedAt: number
}

/** A budget that many may share (`/budget/new`). */
export interface Template extends BudgetTerms {
  id: string
  limits: Limits
  createdAt: number
  updatedAt: number
}
