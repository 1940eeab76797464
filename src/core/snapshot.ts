/**
 * Everything that memory decides by: immutable, replaced as a whole. A request takes the snapshot that stands when it
 * arrives and keeps it to its end, so that it never sees half of a change.
 */
import type { RouteRules } from './conditions.ts'
import type { ByClass } from './failing.ts'
import type { HedgeRules } from './hedge.ts'
import { starMatch } from './key.ts'
import type { Limits } from './limits.ts'
import type { StrategyName } from './strategy.ts'
import type { Alias } from './target.ts'

/** How attempts follow each other, for the whole gateway. Times in ms. */
export interface Policy {
  strategy: StrategyName
  /** Extra attempts at the same target. */
  retries: number
  /** Attempts of one request over all targets. */
  maxAttempts: number
  /** Further attempts at a target by the class of its failure, where it is said; for all, and of aliases. */
  retriesOf: ByClass | undefined
  aliasRetriesOf: ReadonlyMap<string, ByClass>
  /** The least wait before another attempt at the same target, ms. */
  retryAfterMs: number
  allowedFails: number
  allowedOf: ByClass | undefined
  /** 0: nobody cools down. */
  cooldownMs: number
  /** Aliases that a chain of fallbacks may have behind the first. */
  maxFallbacks: number
  /** The whole operation, all attempts together. */
  totalMs: number
  /** How long a request waits for money that others hold before it is refused. */
  budgetWaitMs: number
  /** Whether a caller with a budget may use a model whose price nobody knows. */
  unpriced: 'refuse' | 'allow'
  /** What the target cannot be told: dropped and named in a header, or refused. */
  dropParams: boolean
  /** What becomes of an answer that breaks off in the middle. */
  midstream: 'continue' | 'restart' | 'error'
  /** Whose whole answers are asked for as streams, where somebody else could answer. */
  watchWhole: 'local' | 'always' | 'never'
  /** A stream that is slower fails, where somebody else could answer; 0: none does. */
  leastTokensPerS: number
  /** When a second target is asked because the first one is slow, and for aliases that say so themselves. */
  hedge: HedgeRules | undefined
  aliasHedge: ReadonlyMap<string, HedgeRules | undefined>
  budgetStatus: number
  overflow: Overflow
  /** Targets are never asked beyond their `rpm` and `tpm`. */
  strictLimits: boolean
}

/** When requests for a machine of the house go to a cloud. */
export interface Overflow {
  /** Never; where the house fails; or where waiting for it takes too long, too. */
  to: 'never' | 'on_error' | 'on_saturation'
  /** ms of wait that are too long. */
  afterMs: number
}

/** Limits that belong to nobody who pays. */
export interface GatewayLimits {
  gateway: Limits | undefined
  /** Of each address. */
  ip: Limits | undefined
  routes: Readonly<Partial<Record<'generation' | 'other', Limits>>>
  /** Of aliases. */
  models: ReadonlyMap<string, Limits>
  /** Priority → the part of the gateway's and of each model's limits that it is sure of. */
  parts: Readonly<Record<string, number>> | undefined
}

export interface Snapshot {
  version: number
  aliases: ReadonlyMap<string, Alias>
  /** Names with a star, longest first. Their targets carry the star in `model`. */
  wildcards: readonly Alias[]
  /** Other names for aliases (`model_group_alias`). */
  otherNames: ReadonlyMap<string, string>
  /** Those of them that work and are not listed. */
  hiddenNames: ReadonlySet<string>
  /** Alias → aliases to try after it. `*` for all. */
  fallbacks: ReadonlyMap<string, readonly string[]>
  /** The same for prompts that do not fit, and for those that are refused for what they say. */
  contextFallbacks: ReadonlyMap<string, readonly string[]>
  contentFallbacks: ReadonlyMap<string, readonly string[]>
  /** Alias → the alias that gets a copy of a share of its requests. */
  mirrors: ReadonlyMap<string, { to: string; share: number }>
  limits: GatewayLimits
  policy: Policy
  route: RouteRules
}

/**
 * The alias that `name` means: itself, another name of one, or a wildcard (more specific ones first) with the star
 * filled in. Ollama's `name:latest` finds `name`. Undefined where there is none.
 */
export function findAlias(snapshot: Snapshot, name: string): Alias | undefined {
  const named = snapshot.aliases.get(snapshot.otherNames.get(name) ?? name)
  if (named) return named
  if (name.endsWith(':latest')) return findAlias(snapshot, name.slice(0, -':latest'.length))
  for (const wildcard of snapshot.wildcards) {
    const star = starMatch(wildcard.name, name)
    if (star === undefined) continue
    return {
      name,
      grant: wildcard.grant,
      targets: wildcard.targets.map((t) => {
        const model = t.model.replace('*', () => star)
        return { ...t, alias: name, model, ...t.known?.(model) }
      }),
    }
  }
  return undefined
}
