import type { Principal } from '../core/key.ts'
import type { Account } from '../core/ledger.ts'
import { plan as decide } from '../core/plan.ts'
import { Refusal } from '../core/refusal.ts'
import type { Call } from './call.ts'
import type { Io } from './io.ts'

/** The alias's targets that this caller may use and whose price is known, and the accounts that have to pay. */
export function plan(call: Call, io: Io): void {
  const { peek, snapshot } = call
  const who = call.who as Principal
  if (peek.model === undefined)
    throw new Refusal('invalid_request', "The request names no model: add a 'model'.", { param: 'model' })
  call.stages = decide(snapshot, peek.model, who)
  call.accounts = accountsOf(call, io)
}

/** The accounts that have to pay for a call: its key's and the gateway's. */
export function accountsOf(call: Call, io: Io): readonly Account[] {
  const { snapshot } = call
  const who = call.who as Principal
  const gateway = io.ledger.account('gateway', snapshot.gateway)
  if (who.role === 'admin') return [gateway]
  const { key } = who
  const budget = key.maxBudget === undefined ? undefined : { limit: key.maxBudget, period: key.period }
  return [io.ledger.account(`key:${key.id}`, budget), gateway]
}
