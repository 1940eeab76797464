/** Which answers are kept for whom, and for how long: the rules, and what a request wishes of them. Pure. */
import type { Payer } from './scope.ts'

/** Who shares answers: everybody below shares with nobody above. */
export const TENANTS = ['customer', 'key', 'user', 'team', 'organization', 'gateway'] as const
export type TenantKind = (typeof TENANTS)[number]

export interface CacheRules {
  tenant: TenantKind
  /** Requests are kept unless they say otherwise, or only those that ask for it (`use-cache`). */
  defaultOn: boolean
  ttlMs: number
  /** Stands in every key; '' for none. */
  namespace: string
  /** LiteLLM's call types whose answers are kept. */
  calls: ReadonlySet<string>
  /** A chat with more messages is not kept. */
  mostMessages: number
  /** Whether requests that ask the same at the same time are asked once. */
  joins: boolean
  semantic: SemanticRules | undefined
}

export interface SemanticRules {
  /** The alias that makes vectors. */
  model: string
  /** (0, 1]: the least cosine of two texts that are taken for the same. */
  threshold: number
  /** ms to wait for a vector. */
  timeoutMs: number
}

/** What a request says of the cache, in LiteLLM's words. */
export interface CacheControls {
  /** How long its answer is kept. */
  ttlMs?: number
  /** The oldest answer that it takes. */
  maxAgeMs?: number
  /** It wants a new answer. */
  noCache?: boolean
  /** Its answer is not to be kept. */
  noStore?: boolean
  namespace?: string
  useCache?: boolean
}

/**
 * The tenant of a payer. What belongs to a project is the project's own, and what belongs to nobody is its key's.
 * @param payer undefined scopes are passed over to the next narrower one
 */
export function tenantOf(kind: TenantKind, payer: Payer): string {
  const key = payer.key === undefined ? 'master' : `key:${payer.key}`
  const named = (scope: 'user' | 'project' | 'team' | 'organization') =>
    payer[scope] === undefined ? undefined : `${scope}:${payer[scope]}`
  switch (kind) {
    case 'gateway':
      return 'gateway'
    case 'organization':
      return named('organization') ?? named('project') ?? named('team') ?? named('user') ?? key
    case 'team':
      return named('project') ?? named('team') ?? named('user') ?? key
    case 'user':
      return named('user') ?? key
    case 'key':
      return key
    case 'customer':
      return payer.customer === undefined ? key : `${key} customer:${payer.customer}`
  }
}

/** Whether an answer may be looked for, and whether it may be kept. */
export function mayUse(rules: CacheRules, controls: CacheControls): { read: boolean; write: boolean } {
  if (!rules.defaultOn && controls.useCache !== true) return { read: false, write: false }
  return { read: controls.noCache !== true, write: controls.noStore !== true }
}
