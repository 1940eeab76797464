/** From the configuration to what the deciders see. */
import type { Config } from '../config/config.ts'
import type { Snapshot } from '../core/snapshot.ts'
import { LONGEST_OPERATION_MS } from '../store/spent.ts'
import type { Catalog } from '../upstream/catalog.ts'

/** All of a request: its waiting for money and for its turn, and its answer. ms */
export const longestOperation = ({ timeouts, models, budgetWait }: Config): number =>
  Math.max(LONGEST_OPERATION_MS, 2 * budgetWait + Math.max(timeouts.total, ...models.map((m) => m.timeouts.total ?? 0)))

/** Of one request over all targets: four, or as many as one target may have by what the operator says. */
function mostAttempts({ retries, retriesOf, aliasRetriesOf }: Config): number {
  const said = [retriesOf ?? {}, ...Object.values(aliasRetriesOf)].flatMap(
    (numbers) => Object.values(numbers) as number[],
  )
  return Math.max(4, retries + 1, ...said.map((n) => n + 1))
}

/** Group → the aliases that say they are in it. */
export function groupsOf({ models }: Config): Map<string, string[]> {
  const groups = new Map<string, string[]>()
  for (const { alias, info } of models)
    for (const group of info.access_groups ?? []) groups.set(group, [...(groups.get(group) ?? []), alias])
  return groups
}

export function snapshotOf(config: Config, catalog: Catalog): Snapshot {
  const { aliases, wildcards } = catalog
  return {
    version: 1,
    aliases,
    wildcards,
    otherNames: new Map(Object.entries(config.aliases).map(([name, { model }]) => [name, model])),
    hiddenNames: new Set(Object.entries(config.aliases).flatMap(([name, { hidden }]) => (hidden ? [name] : []))),
    fallbacks: new Map(Object.entries(config.fallbacks)),
    contextFallbacks: new Map(Object.entries(config.contextFallbacks)),
    contentFallbacks: new Map(Object.entries(config.contentFallbacks)),
    mirrors: new Map(config.models.flatMap(({ alias, mirror }) => (mirror ? [[alias, mirror] as const] : []))),
    policy: {
      strategy: config.strategy,
      retries: config.retries,
      maxAttempts: mostAttempts(config),
      retriesOf: config.retriesOf,
      aliasRetriesOf: new Map(Object.entries(config.aliasRetriesOf)),
      retryAfterMs: config.retryAfter,
      maxFallbacks: config.maxFallbacks,
      allowedFails: config.allowedFails,
      allowedOf: config.allowedOf,
      cooldownMs: config.cooldown,
      totalMs: config.timeouts.total,
      budgetWaitMs: config.budgetWait,
      unpriced: config.unpriced,
      dropParams: config.dropParams,
      midstream: config.midstream,
      watchWhole: config.watchWhole,
      leastTokensPerS: config.leastTokensPerS,
      hedge: config.hedge,
      aliasHedge: new Map(config.models.flatMap(({ alias, hedge }) => (hedge ? [[alias, hedge.rules] as const] : []))),
      budgetStatus: config.budgetExceededStatus,
      overflow: config.overflow,
      strictLimits: config.strictLimits,
    },
    limits: config.limits,
    route: { tags: config.tagFilter, zone: config.timezone, localTags: config.localTags },
  }
}
