/** Who is asked beside a slow target, and the money for it: only where all of it is there, and nobody has to wait. */
import { decide } from '../core/ledger.ts'
import { pickReady } from '../core/pick.ts'
import { Refusal } from '../core/refusal.ts'
import type { Payer } from '../core/scope.ts'
import { hasRoom } from '../core/strategy.ts'
import type { Target } from '../core/target.ts'
import type { OpenHold } from '../store/ledger.ts'
import { accountsAt } from './accounts.ts'
import type { Call } from './call.ts'
import type { Choosing } from './choosing.ts'
import { asking } from './claim.ts'
import { drop } from './conclude.ts'
import type { Io } from './io.ts'
import { attachLease } from './leases.ts'
import { overflowPayer } from './overflow.ts'
import { priceFor } from './price.ts'
import { freeSlot } from './queue.ts'
import { takeRoom } from './room.ts'
import { setAside } from './set-aside.ts'

/**
 * The hold of a second attempt beside `first`; undefined where there is nobody to ask, or no money for all of it.
 * @param loser who pays for the one that loses
 */
export async function rival(
  call: Call,
  io: Io,
  way: Choosing,
  first: OpenHold,
  loser: Payer,
): Promise<OpenHold | undefined> {
  // A budget that cannot hold one answer cannot hold two.
  if (first.maxOutput !== undefined) return undefined
  const target = choose(call, io, way, first.attempt.target)
  if (!target || !canPay(call, io, target, loser)) return undefined
  const lease = target.local ? freeSlot(call, io, target) : undefined
  if (target.local && !lease) return undefined
  let hold: OpenHold
  try {
    const payer = overflowPayer(call, io, target, way.tried)
    hold = await setAside(call, io, target, asking(call, io, target), { waitMs: 0, ...(payer ? { payer } : {}) })
  } catch (cause) {
    lease?.place.backend.end(lease, io.now())
    if (!(cause instanceof Refusal)) io.warn('A second attempt could not be made.', { told: String(cause) })
    return undefined
  }
  if (lease) attachLease(hold, lease)
  if (hold.maxOutput === undefined && takeRoom(io, way.wanted, hold)) return hold
  drop(io, hold)
  return undefined
}

/**
 * Another target of the same alias, well and with room. Work in the house stays there, and goes only where it need not
 * wait: not for a slot, and not for a model to be loaded.
 */
function choose(call: Call, io: Io, way: Choosing, first: Target): Target | undefined {
  const now = io.now()
  const { wanted } = way
  const may = (target: Target): boolean => {
    if (way.tried.has(target.id) || !hasRoom(target, io.state(target), wanted.input + wanted.output, now)) return false
    if (!target.local) return !first.local
    const backend = io.backends.of(target)
    return backend?.isFree(now) === true && backend.loadMs(target.model) === 0
  }
  const stages = call.stages
    .filter(({ alias }) => alias === first.alias)
    .map((stage) => ({ ...stage, targets: stage.targets.filter(may) }))
  return pickReady(stages, way.tried, io.view, call.snapshot.policy.strategy, wanted, io.random, now)
}

/** Whether the budgets of whoever pays for the loser have something left for it. */
function canPay(call: Call, io: Io, target: Target, loser: Payer): boolean {
  try {
    const ask = asking(call, io, target)(priceFor(call, target, io.now()))
    return decide(accountsAt(call, io, target, loser), ask).kind !== 'refuse'
  } catch (cause) {
    if (cause instanceof Refusal) return false
    throw cause
  }
}
