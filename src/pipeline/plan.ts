import { plan as decide, planFor } from '../core/plan.ts'
import { Refusal } from '../core/refusal.ts'
import type { Stage } from '../core/stage.ts'
import { accessOf } from './access.ts'
import { charge } from './accounts.ts'
import type { Call } from './call.ts'
import type { Io } from './io.ts'
import { narrow } from './narrow.ts'
import { localsOf, stayHome, withoutClouds } from './overflow.ts'

/** Who pays, with which accounts, and the alias's targets that this caller may use. */
export function plan(call: Call, io: Io): void {
  if (call.peek.model === '')
    throw new Refusal('invalid_request', "The request names no model: add a 'model'.", { param: 'model' })
  charge(call, io)
  call.stages = wished(call, io, mayUse(call, io))
  narrow(call, io)
  if (call.snapshot.policy.overflow.to === 'never') call.stages = stayHome(call.stages)
}

/** The caller's own fallbacks take the place of the configured ones. @throws Refusal model_access_denied, model_not_found */
function wished(call: Call, io: Io, stages: readonly Stage[]): readonly Stage[] {
  const { fallbacks } = call.wishes
  if (!fallbacks) return stages
  const own = stages.filter((stage) => stage.alias === stages[0]?.alias)
  const access = accessOf(call, io)
  // Each as if it were asked for itself: what a caller names he has to be allowed.
  const others = fallbacks.flatMap((name) => {
    const all = decide(call.snapshot, name, access)
    return all.filter((stage) => stage.alias === all[0]?.alias)
  })
  return [...own, ...others]
}

/** The stages of other aliases that are for this kind of failure. */
export function othersFor(call: Call, io: Io, kind: 'context' | 'content_filter'): readonly Stage[] {
  const { snapshot } = call
  const lists = kind === 'context' ? snapshot.contextFallbacks : snapshot.contentFallbacks
  const alias = call.stages[0]?.alias ?? call.peek.model
  const names = lists.get(alias) ?? lists.get('*') ?? []
  if (names.length === 0) return []
  const before = call.stages
  call.stages = planFor(snapshot, names, accessOf(call, io))
  try {
    narrow(call, io)
    const isHome = snapshot.policy.overflow.to === 'never' && localsOf(before).length > 0
    return isHome ? withoutClouds(call.stages) : call.stages
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause
    return []
  } finally {
    call.stages = before
  }
}

/** @throws Refusal where this caller may not use the model that he names, or may no longer */
export const mayUse = (call: Call, io: Io): readonly Stage[] =>
  decide(call.snapshot, call.peek.model, accessOf(call, io))
