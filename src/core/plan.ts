/** From the name a caller asked for to the targets that may answer, in the order in which they are asked. Pure. */
import { type Access, isFree, isGranted, mayAsk, mayName, meantBy, needsGrant, whoForbids } from './access.ts'
import { Refusal } from './refusal.ts'
import { findAlias, type Snapshot } from './snapshot.ts'
import type { Stage } from './stage.ts'
import type { Alias } from './target.ts'

/** Plans as they would be for somebody whom nothing restricts, while a snapshot stands. */
const plans = new WeakMap<Snapshot, Map<string, readonly Stage[]>>()
/** Names can be made up through patterns. */
const REMEMBERED = 1_000

/**
 * The stages for `model`: its own targets by their `order`, then its fallbacks', each only if this caller may use it.
 * @throws Refusal model_not_found, model_access_denied, grant_required
 */
export function plan(snapshot: Snapshot, model: string, access: Access): readonly Stage[] {
  const meant = meantBy(access, model)
  const stages = wholePlan(snapshot, meant)
  const [first] = stages
  if (!first) throw unknownModel(snapshot, model, access)
  if (isFree(access)) return stages
  if (!mayAsk(access, model))
    throw new Refusal(
      'model_access_denied',
      `${whoForbids(access, model)} may not use the model '${model}'. It may use: ${usable(snapshot, access)}.`,
      { param: 'model' },
    )
  if (!isGranted(access, first.grant)) throw needsGrant(access, model, first.grant ?? meant)
  const own = first.alias
  const barred = (stage: Stage) =>
    stage.alias !== own && !(mayName(access, stage.alias) && isGranted(access, stage.grant))
  return stages.some(barred) ? stages.filter((stage) => !barred(stage)) : stages
}

/**
 * The stages of other aliases for a request that its own could not answer: those that this caller may use.
 * @param names each with its own targets, and none of its fallbacks
 */
export function planFor(snapshot: Snapshot, names: readonly string[], access: Access): Stage[] {
  return names.flatMap((name) => {
    const alias = findAlias(snapshot, name)
    return alias && mayName(access, name) && isGranted(access, alias.grant) ? stagesOf(alias.name, alias) : []
  })
}

/** A plan without a caller; empty where there is no such model, which is not remembered. */
function wholePlan(snapshot: Snapshot, model: string): readonly Stage[] {
  let known = plans.get(snapshot)
  if (!known) {
    known = new Map()
    plans.set(snapshot, known)
  }
  let stages = known.get(model)
  if (!stages) {
    stages = makePlan(snapshot, model)
    if (stages.length === 0) return stages
    if (known.size >= REMEMBERED) known.clear()
    known.set(model, stages)
  }
  return stages
}

function makePlan(snapshot: Snapshot, model: string): Stage[] {
  const alias = findAlias(snapshot, model)
  if (!alias) return []
  const stages: Stage[] = []
  for (const name of chain(snapshot, alias.name)) {
    const named = name === alias.name ? alias : findAlias(snapshot, name)
    if (named) stages.push(...stagesOf(name, named))
  }
  return stages
}

/** An alias's targets, those of the lowest `order` first. */
function stagesOf(alias: string, { targets, grant }: Pick<Alias, 'targets' | 'grant'>): Stage[] {
  const orders = [...new Set(targets.map((t) => t.order))].sort((a, b) => a - b)
  return orders.map((order) => ({ alias, grant, targets: targets.filter((t) => t.order === order) }))
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
    if (names.includes(at) || names.length > snapshot.policy.maxFallbacks) return
    names.push(at)
    for (const next of snapshot.fallbacks.get(at) ?? snapshot.fallbacks.get('*') ?? []) walk(next)
  }
  walk(name)
  return names
}

/** The names this caller may ask for now, patterns as they stand. */
export function namesFor(snapshot: Snapshot, access: Access): string[] {
  const others = [...snapshot.otherNames.keys()].filter((name) => !snapshot.hiddenNames.has(name))
  const patterns = new Map(snapshot.wildcards.map((w) => [w.name, w.grant]))
  const grantOf = (name: string) => (patterns.has(name) ? patterns.get(name) : findAlias(snapshot, name)?.grant)
  const own = access.renames.flatMap(({ names }) => Object.keys(names))
  const all = [...snapshot.aliases.keys(), ...patterns.keys(), ...others]
  const led = own.filter((name) => findAlias(snapshot, meantBy(access, name)) !== undefined)
  return [...new Set([...all, ...led])].filter(
    (name) => mayAsk(access, name) && isGranted(access, grantOf(meantBy(access, name))),
  )
}

const SHOWN = 20

function usable(snapshot: Snapshot, access: Access): string {
  const names = namesFor(snapshot, access)
  if (names.length === 0) return 'nothing'
  return names.length > SHOWN
    ? `${names.slice(0, SHOWN).join(', ')} and ${names.length - SHOWN} more (GET /v1/models)`
    : names.join(', ')
}

function unknownModel(snapshot: Snapshot, model: string, access: Access): Refusal {
  const shown = model.length > 200 ? `${model.slice(0, 200)}…` : model
  return new Refusal(
    'model_not_found',
    `The model '${shown}' does not exist here or is not found. There is: ${usable(snapshot, access)}.`,
    { param: 'model' },
  )
}
