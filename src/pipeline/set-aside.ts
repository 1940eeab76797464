import type { Ending } from '../core/ending.ts'
import type { Ask } from '../core/ledger.ts'
import type { Price } from '../core/price.ts'
import type { Payer } from '../core/scope.ts'
import type { Target } from '../core/target.ts'
import type { OpenHold } from '../store/ledger.ts'
import { accountsAt, mustBePriced } from './accounts.ts'
import type { Call } from './call.ts'
import type { Io } from './io.ts'
import { priceFor } from './price.ts'

/** What is held, where it is not the usual. */
export interface Special {
  /** Its number within the call; else the next one. */
  attempt?: number
  /** What the ledger calls it; else as its route is called. */
  name?: string
  /** What it is charged by; else what the target asks of this caller now. */
  price?: Price
  /** ms; else the gateway's. */
  waitMs?: number
  /** Who pays; else whoever pays for the call. */
  payer?: Payer
  /** Ends the waiting; else the caller's leaving. */
  signal?: Ending
}

/**
 * Sets the money for one attempt aside, on this very target: a free local model that fails over is checked against the
 * paid one's price. The only place where holds are opened; what ends them is in
 * conclude.ts.
 * @throws Refusal budget_exceeded, unpriced_model, overloaded, client_closed
 */
export async function setAside(
  call: Call,
  io: Io,
  target: Target,
  ask: (price: Price) => Ask,
  { attempt, name, waitMs, signal, payer = call.payer, price = priceFor(call, target, io.now()) }: Special = {},
): Promise<OpenHold> {
  const { policy } = call.snapshot
  const accounts = () => accountsAt(call, io, target, payer)
  if (ask !== nothing && price.kind === 'unknown') mustBePriced(call, { alias: target.alias, price }, accounts())
  const hold = await io.ledger.hold({
    operation: call.operation,
    attempt: attempt ?? call.attempts + 1,
    payer,
    target,
    call: name ?? call.door.call,
    price,
    accounts,
    ask: () => ask(price),
    waitMs: waitMs ?? policy.budgetWaitMs,
    status: policy.budgetStatus,
    signal: signal ?? call.leaving,
  })
  io.state(target).inFlight++
  return hold
}

/** What has been spent already is booked whatever is left: it holds nothing, and no budget stands in its way. */
export const nothing = (): Ask => ({ price: { kind: 'free', version: '' }, tokens: NOTHING })

const NOTHING = { inputMost: 0, inputLikely: 0, outputMost: 0, outputLeast: 0 }
