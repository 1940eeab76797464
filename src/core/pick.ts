/** The next target to ask: pure, and the whole of the choice. */
import { isOpen } from './breaker.ts'
import type { Stage } from './stage.ts'
import type { TargetState } from './state.ts'
import { choose, hasRoom, type StrategyName, type Wanted } from './strategy.ts'
import type { Target } from './target.ts'

export interface View {
  stateOf(target: Target): TargetState
}

/**
 * {@link pickReady}; where nobody is, the least bad: the one whose cooldown ends first. Undefined where all were tried, or
 * are at limits that have to be kept.
 */
export function pick(
  stages: readonly Stage[],
  tried: ReadonlySet<string>,
  view: View,
  strategy: StrategyName,
  wanted: Wanted,
  random: () => number,
  now: number,
): Target | undefined {
  const may = (t: Target) => !tried.has(t.id) && (!wanted.strict || isRoomy(t, view.stateOf(t), wanted, now))
  const lone = onlyTarget(stages)
  if (lone) return may(lone) ? lone : undefined
  const ready = pickReady(stages, tried, view, strategy, wanted, random, now)
  if (ready) return ready
  let least: Target | undefined
  for (const { targets } of stages)
    for (const target of targets)
      if (may(target) && (!least || view.stateOf(target).breaker.until < view.stateOf(least).breaker.until))
        least = target
  return least
}

/**
 * The first stage that has a target which is well, has room and was not tried yet; among its targets, a canary by its
 * share, else the strategy's choice. Where all that are well of an alias are at their limits, they are asked before another
 * alias is, unless limits are strict or what the strategy goes by.
 */
export function pickReady(
  stages: readonly Stage[],
  tried: ReadonlySet<string>,
  view: View,
  strategy: StrategyName,
  wanted: Wanted,
  random: () => number,
  now: number,
): Target | undefined {
  const among = (targets: readonly Target[]): Target =>
    choose(strategy, warmOrAll(canariesOrRest(targets, random), view), (t) => view.stateOf(t), wanted, random, now)
  const passesOn = wanted.strict === true || strategy === 'usage-based-routing'
  let full: Stage | undefined
  for (const stage of stages) {
    if (full && full.alias !== stage.alias) break
    const ready: Target[] = []
    let someFull = false
    for (const target of stage.targets) {
      if (tried.has(target.id)) continue
      const state = view.stateOf(target)
      if (!isWell(target, state, wanted, now)) continue
      if (isRoomy(target, state, wanted, now)) ready.push(target)
      else someFull = true
    }
    if (ready.length > 0) return among(ready)
    if (!someFull || passesOn || full) continue
    const well = (t: Target) => !tried.has(t.id) && isWell(t, view.stateOf(t), wanted, now)
    full = { ...stage, targets: stage.targets.filter(well) }
  }
  return full && among(full.targets)
}

const isRoomy = (target: Target, state: TargetState, { input, output }: Wanted, now: number): boolean =>
  (target.rpm === 0 && target.tpm === 0) || hasRoom(target, state, input + output, now)

/** Well, with a free slot or a short queue. */
function isWell(target: Target, state: TargetState, wanted: Wanted, now: number): boolean {
  if (isOpen(state.breaker, now)) return false
  if (state.down || isSaturated(state, wanted)) return false
  return state.queues || target.maxParallel === 0 || state.inFlight < target.maxParallel
}

/** The wait for it is longer than what goes elsewhere. */
export const isSaturated = ({ waitMs }: TargetState, { spillAfterMs }: Wanted): boolean =>
  spillAfterMs !== undefined && waitMs > spillAfterMs

/**
 * Of machines in the house, those that have the model loaded before those that would load it first, unless waiting for
 * the former takes longer than loading; and those that have it on the GPU before those that spilled it. Whatever the
 * strategy says: it chooses among equals. Targets that are no such machines stay.
 */
function warmOrAll(targets: readonly Target[], view: View): readonly Target[] {
  if (targets.length === 1 || !targets.some((t) => t.local)) return targets
  const states = targets.map((t) => view.stateOf(t))
  const whole = targets.some((t, i) => t.local && !states[i]?.spilled)
  let warmWait = Number.POSITIVE_INFINITY
  for (const [i, { local }] of targets.entries()) {
    const { waitMs, loadMs, spilled } = states[i] as TargetState
    if (local && loadMs === 0 && !(whole && spilled)) warmWait = Math.min(warmWait, waitMs)
  }
  const kept = targets.filter((t, i) => {
    const { waitMs, loadMs, spilled } = states[i] as TargetState
    return !t.local || (!(whole && spilled) && (loadMs === 0 || waitMs + loadMs < warmWait))
  })
  return kept.length > 0 ? kept : targets
}

/** A canary gets its share of the requests and no more, whatever the strategy says of it. */
function canariesOrRest(targets: readonly Target[], random: () => number): readonly Target[] {
  if (!targets.some((t) => t.canary > 0)) return targets
  let at = random()
  for (const target of targets) {
    at -= target.canary
    if (target.canary > 0 && at < 0) return [target]
  }
  const rest = targets.filter((t) => t.canary === 0)
  return rest.length > 0 ? rest : targets
}

/** How many targets are left to go to: the well ones, or, where none is, all that were not tried. */
export function left(stages: readonly Stage[], tried: ReadonlySet<string>, view: View, now: number): number {
  const lone = onlyTarget(stages)
  if (lone) return tried.has(lone.id) ? 0 : 1
  const untried = stages.flatMap((s) => s.targets).filter((t) => !tried.has(t.id))
  return untried.filter((t) => !isOpen(view.stateOf(t).breaker, now)).length || untried.length
}

/** Where there is one target, there is nothing to choose: it is asked, cooling or not. */
function onlyTarget(stages: readonly Stage[]): Target | undefined {
  const [stage] = stages
  return stages.length === 1 && stage?.targets.length === 1 ? stage.targets[0] : undefined
}
