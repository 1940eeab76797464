/** Which of the targets that may be asked is asked. Pure: randomness and time are arguments. */
import { score } from './affinity.ts'
import { roughCost } from './price.ts'
import type { TargetState } from './state.ts'
import type { Target } from './target.ts'

/** What choosing has to know of a request. */
export interface Wanted {
  /** Likely tokens of prompt and answer. */
  input: number
  output: number
  /** What its answers are best given by the same target for: a session, or how its prompt begins. */
  affinity?: string | undefined
  /** ms of expected wait from which on a machine of the house is passed over for whoever is behind it. */
  spillAfterMs?: number | undefined
  /** The limits of targets are kept, whatever comes of it; else they only say who is asked first. */
  strict?: boolean | undefined
}

type StateOf = (target: Target) => TargetState
type Choose = (
  candidates: readonly Target[],
  stateOf: StateOf,
  wanted: Wanted,
  random: () => number,
  now: number,
) => Target

/** Chooses among `candidates`, which are not empty. @param random in [0, 1) @param now ms since the epoch */
export function choose(
  strategy: StrategyName,
  candidates: readonly Target[],
  stateOf: StateOf,
  wanted: Wanted,
  random: () => number,
  now: number,
): Target {
  if (candidates.length === 1) return candidates[0] as Target
  return CHOOSE[strategy](candidates, stateOf, wanted, random, now)
}

/** Weights by the first of weight, rpm, tpm that anybody in the group has; else all alike (LiteLLM's rule). */
const shuffle: Choose = (candidates, _, __, random) => {
  const by = (['weight', 'rpm', 'tpm'] as const).find((field) => candidates.some((t) => t[field] > 0))
  if (!by) return candidates[Math.floor(random() * candidates.length)] as Target
  let at = random() * candidates.reduce((sum, t) => sum + t[by], 0)
  for (const target of candidates) {
    at -= target[by]
    if (at < 0) return target
  }
  return candidates.findLast((t) => t[by] > 0) as Target
}

/** The lowest of a measure; ties by lot, so that equals share alike. One pass, nothing made. */
function lowest(candidates: readonly Target[], measure: (target: Target) => number, random: () => number): Target {
  let best = candidates[0] as Target
  let least = Number.POSITIVE_INFINITY
  let ties = 0
  for (const target of candidates) {
    const value = measure(target)
    if (value < least) {
      least = value
      best = target
      ties = 1
    } else if (value === least && random() * ++ties < 1) best = target
  }
  return best
}

/** All that share the lowest of a measure. */
function lowestOf(candidates: readonly Target[], measure: (target: Target) => number): Target[] {
  let least = Number.POSITIVE_INFINITY
  let found: Target[] = []
  for (const target of candidates) {
    const value = measure(target)
    if (value < least) {
      least = value
      found = [target]
    } else if (value === least) found.push(target)
  }
  return found
}

/** The lowest share of its TPM or RPM, whichever is fuller; targets without limits count by what they did. */
const leastUsed: Choose = (candidates, stateOf, _, random, now) =>
  lowest(candidates, (t) => shareOf(t, stateOf(t), now), random)

/** Fewest attempts under way; a target of twice the weight may have twice as many. */
const leastBusy: Choose = (candidates, stateOf, _, random) =>
  lowest(candidates, (t) => stateOf(t).inFlight / (t.weight || 1), random)

/** How much slower than the fastest still counts as fast: measurements are never exact. */
const ABOUT_AS_FAST = 1.1
/** One request in so many asks somebody else than the fastest, so that whoever was slow once is not slow for ever. */
const EXPLORE = 0.02

/** Soonest done: first content and pace, decayed. Whoever was not measured lately is asked by one request at a time. */
const fastest: Choose = (candidates, stateOf, { output }, random, now) => {
  const unknown = candidates.filter((t) => stateOf(t).inFlight === 0 && !stateOf(t).pace.isKnown(now))
  if (unknown.length > 0) return unknown[Math.floor(random() * unknown.length)] as Target
  if (random() < EXPLORE) return candidates[Math.floor(random() * candidates.length)] as Target
  const expected = (t: Target): number => {
    const { pace } = stateOf(t)
    return pace.isKnown(now) ? pace.expected(output) : Number.MAX_VALUE
  }
  let least = Number.POSITIVE_INFINITY
  for (const target of candidates) least = Math.min(least, expected(target))
  const fast = candidates.filter((t) => expected(t) <= least * ABOUT_AS_FAST)
  return leastBusy(fast, stateOf, { input: 0, output: 0 }, random, now)
}

/** The cheapest for what is likely to be used; what has no known price comes last. Equals share by use. */
const cheapest: Choose = (candidates, stateOf, { input, output }, random, now) => {
  const cheap = lowestOf(candidates, ({ price }) =>
    price.kind === 'unknown' ? Number.MAX_VALUE : roughCost(price, input, output),
  )
  return leastUsed(cheap, stateOf, { input, output }, random, now)
}

/** The shortest wait for a slot; among those without a wait, the fewest under way. */
const lowestQueue: Choose = (candidates, stateOf, wanted, random, now) => {
  const soonest = lowestOf(candidates, (t) => stateOf(t).waitMs)
  return leastBusy(soonest, stateOf, wanted, random, now)
}

/** A target that its share of sessions has made so much fuller than the others takes no more of them for now. */
const TOO_FULL = 1.25

/**
 * The same target for the same session, whoever else comes and goes (rendezvous hashing), unless it has too much to do:
 * then that session's second choice (bounded loads). Whoever has no session goes where least is under way.
 */
const sticky: Choose = (candidates, stateOf, wanted, random, now) => {
  const { affinity } = wanted
  if (affinity === undefined) return leastBusy(candidates, stateOf, wanted, random, now)
  let inFlight = 0
  let weights = 0
  for (const target of candidates) {
    inFlight += stateOf(target).inFlight
    weights += target.weight || 1
  }
  let best: Target | undefined
  let highest = Number.NEGATIVE_INFINITY
  for (const target of candidates) {
    const weight = target.weight || 1
    const most = Math.ceil(((inFlight + 1) * weight * TOO_FULL) / weights)
    if (stateOf(target).inFlight >= most) continue
    const value = score(affinity, target.id, weight)
    if (value > highest) {
      highest = value
      best = target
    }
  }
  return best ?? leastBusy(candidates, stateOf, wanted, random, now)
}

const CHOOSE = {
  'simple-shuffle': shuffle,
  'usage-based-routing': leastUsed,
  'least-busy': leastBusy,
  'latency-based-routing': fastest,
  'cost-based-routing': cheapest,
  'lowest-queue': lowestQueue,
  sticky,
} as const satisfies Record<string, Choose>

export type StrategyName = keyof typeof CHOOSE

/** How full a target is; above 1 it is over. Without a limit, load is weighed as if 1 M tokens a minute were full. */
export function shareOf(target: Target, { requests, tokens }: TargetState, now: number): number {
  const byTokens = tokens.used(now) / (target.tpm || 1_000_000)
  const byRequests = target.rpm ? requests.used(now) / target.rpm : requests.used(now) / 10_000
  return Math.max(byTokens, byRequests)
}

/** Whether a target with declared limits has room for one more request of so many tokens. */
export function hasRoom(target: Target, { requests, tokens }: TargetState, wanted: number, now: number): boolean {
  return (
    (!target.rpm || requests.fits(now, target.rpm, 1)) &&
    (!target.tpm || tokens.fits(now, target.tpm, Math.min(wanted, target.tpm)))
  )
}
