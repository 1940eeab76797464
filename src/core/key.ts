/** A virtual key as the deciders see it. The key itself is never kept, only its digest (store/keys.ts). */
import type { BudgetTerms } from './budget.ts'
import type { Limits } from './limits.ts'
import type { SaidPrice } from './rates.ts'
import type { Rotation } from './rotation.ts'

/** What a gateway may be, and a key may be for. */
export const ENVIRONMENTS = ['dev', 'staging', 'prod'] as const

export interface Key extends BudgetTerms {
  id: string
  /** `key_alias` in LiteLLM's words; unique where given. */
  name?: string | undefined
  /** The last four characters, to tell keys apart on a screen. */
  hint: string
  /** Aliases it may call; `openai/*` patterns too. Empty = all. */
  models: readonly string[]
  limits: Limits
  /** ms since the epoch. */
  expiresAt?: number | undefined
  blocked: boolean
  teamId?: string | undefined
  userId?: string | undefined
  organizationId?: string | undefined
  projectId?: string | undefined
  /** Of a badge, whose claims name one. */
  customerId?: string | undefined
  /** Put on every request of it. */
  tags: readonly string[]
  metadata: Readonly<Record<string, unknown>>
  /** What it pays for an alias in place of what the alias costs others. */
  pricing?: Readonly<Record<string, SaidPrice>> | undefined
  /** Names that lead to models for this key alone: asked → meant. */
  aliases?: Readonly<Record<string, string>> | undefined
  /** Paths and groups of routes that it may call; undefined: all that its role may (core/key-routes.ts). */
  allowedRoutes?: readonly string[] | undefined
  /** Addresses and ranges that its requests have to come from; undefined: any. */
  allowedIps?: readonly string[] | undefined
  /** Of gateways that are the same alone (`tollgate.environment`). */
  environment?: string | undefined
  /** When its secret is replaced (core/rotation.ts). */
  rotation?: Rotation | undefined
  /** How many secrets it had before this one, and when it got this one, ms since the epoch. */
  serial?: number | undefined
  replacedAt?: number | undefined
  /** He came with an old secret of it, which works until then, ms since the epoch. */
  secretUntil?: number | undefined
  createdAt: number
  updatedAt: number
}

/** Whether one of `patterns` names `model`; `*` stands for any run of characters. Empty allows everything. */
export function allows(patterns: readonly string[], model: string): boolean {
  return patterns.length === 0 || patterns.some((p) => p === model || p === 'all-proxy-models' || matches(p, model))
}

/** `openai/*` against `openai/gpt-4o`: what the star stood for, or undefined. Linear: one star, no backtracking. */
export function starMatch(pattern: string, model: string): string | undefined {
  const star = pattern.indexOf('*')
  if (star < 0) return undefined
  const head = pattern.slice(0, star)
  const tail = pattern.slice(star + 1)
  if (model.length < head.length + tail.length || !model.startsWith(head) || !model.endsWith(tail)) return undefined
  return model.slice(head.length, model.length - tail.length)
}

const matches = (pattern: string, model: string): boolean => starMatch(pattern, model) !== undefined
