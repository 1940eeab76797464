/** All configured models as the deciders and the sender see them: aliases of targets, and the links behind them. */
import type { ModelConfig } from '../config/config.ts'
import type { Alias, Target, Timeouts } from '../core/target.ts'
import type { Link } from './link.ts'
import { findProvider, linkFor } from './registry.ts'
import type { Ways } from './way-out.ts'

/** Links of wildcards are made as callers name models; no more than this many are kept. */
const REMEMBERED = 1_000

export class Catalog {
  readonly aliases: ReadonlyMap<string, Alias>
  /** Longest first, so that the more specific pattern wins. */
  readonly wildcards: readonly Alias[]
  readonly links: readonly Link[]
  readonly #byId: ReadonlyMap<string, Link>
  readonly #filled = new Map<string, Link>()

  /** @throws Error where a model's settings are wrong, with the model's name */
  constructor(
    models: readonly ModelConfig[],
    timeoutsOf: (model: ModelConfig, local: boolean) => Timeouts,
    env: Readonly<Record<string, string | undefined>>,
    ways: Ways,
  ) {
    this.links = models.map((m) => linkFor(m, timeoutsOf(m, findProvider(m.provider)?.local ?? false), env, ways))
    this.#byId = new Map(this.links.map((link) => [link.target.id, link]))
    const names = [...new Set(models.map((m) => m.alias))]
    const aliases = names.map(
      (name): Alias => ({
        name,
        // One target that is dear makes the alias so: which of them answers is not the caller's choice.
        grant: models.some((m) => m.alias === name && m.info.needs_grant) ? name : undefined,
        targets: this.links.map((l) => l.target).filter((t) => t.alias === name),
      }),
    )
    this.aliases = new Map(aliases.filter((a) => !a.name.includes('*')).map((a) => [a.name, a]))
    this.wildcards = aliases.filter((a) => a.name.includes('*')).sort((a, b) => b.name.length - a.name.length)
  }

  /** The link of a target; of a wildcard's, the same way to the model that was named. */
  link(target: Target): Link {
    const link = this.#byId.get(target.id)
    if (!link) throw new Error(`There is no link for the target ${target.id}.`)
    if (link.target === target || link.target.model === target.model) return link
    const name = `${target.id} ${target.model}`
    let filled = this.#filled.get(name)
    if (!filled) {
      filled = link.forTarget(target)
      if (this.#filled.size >= REMEMBERED) this.#filled.clear()
      this.#filled.set(name, filled)
    }
    return filled
  }
}
