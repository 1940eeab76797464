/** Which of the targets that may be asked is asked. Pure: randomness and time are arguments. */
import type { Target } from './target.ts'

export type StrategyName = 'simple-shuffle' | 'usage-based-routing'

/** What the last minute says of a target. */
export interface Load {
  /** Requests and tokens in the last 60 s. */
  requests: number
  tokens: number
}

/**
 * @param candidates not empty
 * @param loadOf read only by strategies that need it
 * @param random in [0, 1)
 */
export function choose(
  strategy: StrategyName,
  candidates: readonly Target[],
  loadOf: (t: Target) => Load,
  random: () => number,
): Target {
  if (candidates.length === 1) return candidates[0] as Target
  return strategy === 'simple-shuffle' ? shuffle(candidates, random) : leastUsed(candidates, loadOf, random)
}

/** Weights by the first of weight, rpm, tpm that anybody in the group has; else all alike (LiteLLM's rule). */
function shuffle(candidates: readonly Target[], random: () => number): Target {
  const by = (['weight', 'rpm', 'tpm'] as const).find((field) => candidates.some((t) => t[field] > 0))
  if (!by) return candidates[Math.floor(random() * candidates.length)] as Target
  let at = random() * candidates.reduce((sum, t) => sum + t[by], 0)
  for (const target of candidates) {
    at -= target[by]
    if (at < 0) return target
  }
  return candidates.findLast((t) => t[by] > 0) as Target
}

/** The lowest share of its TPM or RPM, whichever is fuller; targets without limits count by what they did. Ties by lot. */
function leastUsed(candidates: readonly Target[], loadOf: (t: Target) => Load, random: () => number): Target {
  let best: Target[] = []
  let lowest = Number.POSITIVE_INFINITY
  for (const target of candidates) {
    const share = shareOf(target, loadOf(target))
    if (share < lowest) {
      lowest = share
      best = [target]
    } else if (share === lowest) best.push(target)
  }
  return best[Math.floor(random() * best.length)] as Target
}

/** How full a target is; above 1 it is over. Without a limit, load is weighed as if 1 M tokens a minute were full. */
export function shareOf(target: Target, load: Load): number {
  const byTokens = load.tokens / (target.tpm || 1_000_000)
  const byRequests = target.rpm ? load.requests / target.rpm : load.requests / 10_000
  return Math.max(byTokens, byRequests)
}

/** Whether a target with declared limits has room for one more request (`usage-based-routing` refuses a full one). */
export function hasRoom(target: Target, load: Load, tokens: number): boolean {
  return (
    (!target.rpm || load.requests + 1 <= target.rpm) &&
    (!target.tpm || load.tokens + Math.min(tokens, target.tpm) <= target.tpm)
  )
}
