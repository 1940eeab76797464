import { plan as decide, type Stage } from '../core/plan.ts'
import { Refusal } from '../core/refusal.ts'
import { accessOf } from './access.ts'
import { charge } from './accounts.ts'
import type { Call } from './call.ts'
import type { Io } from './io.ts'
import { narrow } from './narrow.ts'

/** Who pays, with which accounts, and the alias's targets that this caller may use. */
export function plan(call: Call, io: Io): void {
  if (call.peek.model === '')
    throw new Refusal('invalid_request', "The request names no model: add a 'model'.", { param: 'model' })
  charge(call, io)
  call.stages = mayUse(call, io)
  narrow(call, io)
}

/** @throws Refusal where this caller may not use the model that he names, or may no longer */
export const mayUse = (call: Call, io: Io): readonly Stage[] =>
  decide(call.snapshot, call.peek.model, accessOf(call, io))
