import type { Principal } from '../core/key.ts'
import { plan as decide } from '../core/plan.ts'
import { Refusal } from '../core/refusal.ts'
import { charge } from './accounts.ts'
import type { Call } from './call.ts'
import type { Io } from './io.ts'
import { narrow } from './narrow.ts'

/** The alias's targets that this caller may use, and the accounts that have to pay. */
export function plan(call: Call, io: Io): void {
  const { peek, snapshot } = call
  const who = call.who as Principal
  if (peek.model === '')
    throw new Refusal('invalid_request', "The request names no model: add a 'model'.", { param: 'model' })
  call.stages = decide(snapshot, peek.model, who)
  charge(call, io)
  narrow(call, io)
}
