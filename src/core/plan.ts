/** From the name a caller asked for to the targets that may answer, in the order in which they are asked. Pure. */
import { allows, type Principal } from './key.ts'
import { Refusal } from './refusal.ts'
import { findAlias, type Snapshot } from './snapshot.ts'
import type { Target } from './target.ts'

/** Targets of equal standing: one of them is chosen by the strategy, the next stage is for when none of them can. */
export interface Stage {
  alias: string
  targets: readonly Target[]
}

/** How many aliases a chain of fallbacks may have. */
const LONGEST_CHAIN = 6

/** Plans of callers whom nothing restricts: the same for all of them while a snapshot stands. */
const plans = new WeakMap<Snapshot, Map<string, Stage[]>>()
/** Names can be made up through patterns. */
const REMEMBERED = 1_000

/** {@link makePlan}, remembered: a plan is a function of the snapshot, the name and what the caller may use. */
export function plan(snapshot: Snapshot, model: string, who: Principal): Stage[] {
  if (who.role === 'caller' && who.key.models.length > 0) return makePlan(snapshot, model, who)
  let known = plans.get(snapshot)
  if (!known) {
    known = new Map()
    plans.set(snapshot, known)
  }
  let stages = known.get(model)
  if (!stages) {
    stages = makePlan(snapshot, model, who)
    if (known.size >= REMEMBERED) known.clear()
    known.set(model, stages)
  }
  return stages
}

/**
 * The stages for `model`: its own targets by their `order`, then its fallbacks', each only if this caller may use it.
 * @throws Refusal model_not_found, model_access_denied
 */
function makePlan(snapshot: Snapshot, model: string, who: Principal): Stage[] {
  const alias = findAlias(snapshot, model)
  if (!alias) throw unknownModel(snapshot, model, who)
  if (!mayUse(who, model))
    throw new Refusal(
      'model_access_denied',
      `This API key may not use the model '${model}'. It may use: ${usable(snapshot, who)}.`,
      { param: 'model' },
    )
  const stages: Stage[] = []
  for (const name of chain(snapshot, alias.name)) {
    if (name !== alias.name && !mayUse(who, name)) continue
    const targets = name === alias.name ? alias.targets : (findAlias(snapshot, name)?.targets ?? [])
    for (const order of new Set(targets.map((t) => t.order).sort((a, b) => a - b)))
      stages.push({ alias: name, targets: targets.filter((t) => t.order === order) })
  }
  return stages
}

/** What a caller with a budget is told of a model whose price nobody knows. */
export const unpricedModel = (model: string): Refusal =>
  new Refusal(
    'unpriced_model',
    `The price of '${model}' is not known, so it cannot be held against a budget. The operator can set input_cost_per_token and ` +
      'output_cost_per_token for it (0 where it is free), or allow unpriced models with tollgate.unpriced: allow.',
    { param: 'model' },
  )

/** The alias and its fallbacks, depth first, each once. */
function chain(snapshot: Snapshot, name: string): string[] {
  const names: string[] = []
  const walk = (at: string) => {
    if (names.includes(at) || names.length >= LONGEST_CHAIN) return
    names.push(at)
    for (const next of snapshot.fallbacks.get(at) ?? snapshot.fallbacks.get('*') ?? []) walk(next)
  }
  walk(name)
  return names
}

const mayUse = (who: Principal, model: string): boolean => who.role === 'admin' || allows(who.key.models, model)

/** The names this caller may ask for, patterns as they stand. */
export function namesFor(snapshot: Snapshot, who: Principal): string[] {
  const others = [...snapshot.otherNames.keys()].filter((name) => !snapshot.hiddenNames.has(name))
  const all = [...snapshot.aliases.keys(), ...snapshot.wildcards.map((w) => w.name), ...others]
  return [...new Set(all)].filter((name) => mayUse(who, name))
}

const SHOWN = 20

function usable(snapshot: Snapshot, who: Principal): string {
  const names = namesFor(snapshot, who)
  if (names.length === 0) return 'nothing'
  return names.length > SHOWN
    ? `${names.slice(0, SHOWN).join(', ')} and ${names.length - SHOWN} more (GET /v1/models)`
    : names.join(', ')
}

function unknownModel(snapshot: Snapshot, model: string, who: Principal): Refusal {
  const shown = model.length > 200 ? `${model.slice(0, 200)}…` : model
  return new Refusal(
    'model_not_found',
    `The model '${shown}' does not exist here or is not found. There is: ${usable(snapshot, who)}.`,
    { param: 'model' },
  )
}
