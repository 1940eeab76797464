/** The next target to ask: pure, and the whole of the choice. */
import { type Breaker, isOpen } from './breaker.ts'
import type { Stage } from './plan.ts'
import { choose, hasRoom, type Load, type StrategyName } from './strategy.ts'
import type { Target } from './target.ts'

export interface View {
  breakerOf(target: Target): Breaker
  loadOf(target: Target): Load
}

/**
 * The first stage that has a target which is well and was not tried yet; among its targets, the strategy's choice.
 * Where none is well, the least bad: the one whose cooldown ends first. Undefined where all were tried.
 * @param tokens the estimate, for targets with a declared capacity
 */
export function pick(
  stages: readonly Stage[],
  tried: ReadonlySet<string>,
  view: View,
  strategy: StrategyName,
  tokens: number,
  random: () => number,
  now: number,
): Target | undefined {
  const lone = onlyTarget(stages)
  if (lone) return tried.has(lone.id) ? undefined : lone
  for (const { targets } of stages) {
    const well = targets.filter((t) => !tried.has(t.id) && !isOpen(view.breakerOf(t), now))
    const roomy = strategy === 'usage-based-routing' ? well.filter((t) => hasRoom(t, view.loadOf(t), tokens)) : well
    if (roomy.length > 0) return choose(strategy, roomy, (t) => view.loadOf(t), random)
  }
  let least: Target | undefined
  for (const { targets } of stages)
    for (const target of targets)
      if (!tried.has(target.id) && (!least || view.breakerOf(target).until < view.breakerOf(least).until))
        least = target
  return least
}

/** How many targets are left to go to: the well ones, or, where none is, all that were not tried. */
export function left(stages: readonly Stage[], tried: ReadonlySet<string>, view: View, now: number): number {
  const lone = onlyTarget(stages)
  if (lone) return tried.has(lone.id) ? 0 : 1
  const untried = stages.flatMap((s) => s.targets).filter((t) => !tried.has(t.id))
  return untried.filter((t) => !isOpen(view.breakerOf(t), now)).length || untried.length
}

/** Where there is one target, there is nothing to choose: it is asked, cooling or not. */
function onlyTarget(stages: readonly Stage[]): Target | undefined {
  const [stage] = stages
  return stages.length === 1 && stage?.targets.length === 1 ? stage.targets[0] : undefined
}
