/**
 * An attempt at a machine of the house takes one of its slots, or waits for one: at all machines that could answer as
 * well, so that none is idle while somebody waits. First the slot, then the money: what waits for a slot holds no money,
 * and what waits for money has no slot (docs/decisions/2026-11-21-first-the-slot-then-the-money.md).
 */
import { type Backend, enter, type Lease, leave, type Place, type Ticket } from '../core/backend.ts'
import { isOpen } from '../core/breaker.ts'
import { Refusal } from '../core/refusal.ts'
import type { Target } from '../core/target.ts'
import type { OpenHold } from '../store/ledger.ts'
import type { Call } from './call.ts'
import { drop } from './conclude.ts'
import type { Io } from './io.ts'
import { attachLease } from './leases.ts'
import { operationEnd } from './patience.ts'
import type { Special } from './set-aside.ts'

interface Seat extends Place {
  target: Target
}

/** What is told of a request's waiting. */
export interface Queued {
  /** ms */
  waited: number
  /** From 1, when it came. */
  place: number
  /** While it waits: its place now, and ms that it is likely to wait still. */
  now: (() => { place: number; waitMs: number }) | undefined
}

/**
 * The hold of an attempt, in a slot.
 * @param chosen what the strategy says; another one of equal standing may answer instead, where that one is free sooner
 * @param spillMs ms of waiting after which somebody else is asked, where somebody could be
 * @throws Refusal overloaded: its queue is full, or it waited too long; and whatever `holdFor` throws
 */
export async function inTurn(
  call: Call,
  io: Io,
  chosen: Target,
  peers: readonly Target[],
  spillMs: number,
  holdFor: (target: Target, special?: Special) => Promise<OpenHold>,
): Promise<OpenHold> {
  const seats = seatsOf(io, chosen, peers)
  if (seats.length === 0) return await holdFor(chosen)
  const { budgetWaitMs } = call.snapshot.policy
  let waitedMs = 0
  for (;;) {
    const lease = await slotOf(call, io, seats, spillMs)
    const { target } = lease.place as Seat
    const { backend } = lease.place
    if (call.queued && hasFallen(call, io, target, seats)) {
      backend.end(lease, io.now())
      throw new Refusal('overloaded', `The server of the model '${call.peek.model}' failed while this request waited.`)
    }
    let hold: OpenHold
    try {
      hold = await holdFor(target, { waitMs: 0 })
    } catch (cause) {
      backend.end(lease, io.now())
      // Money that others hold is waited for as long as any request waits for it; what is spent refuses at once.
      const mayWait = cause instanceof Refusal && cause.code === 'budget_exceeded' && waitedMs < budgetWaitMs
      if (!mayWait) throw cause
      const began = io.now()
      hold = await holdFor(target, { waitMs: budgetWaitMs - waitedMs })
      waitedMs += io.now() - began
      // A slot that is free just now is taken along: whoever lets his money go again has lost his turn for it.
      const free = freeSlot(call, io, target)
      if (!free) {
        drop(io, hold)
        continue
      }
      attachLease(hold, free)
      return hold
    }
    attachLease(hold, lease)
    return hold
  }
}

/** A slot that is free just now. */
export function freeSlot(call: Call, io: Io, target: Target): Lease | undefined {
  const backend = io.backends.of(target)
  if (!backend?.isFree(io.now())) return undefined
  const lease = slotOf(call, io, [{ backend, model: target.model, target }], Number.POSITIVE_INFINITY)
  return lease instanceof Promise ? undefined : lease
}

/** Whether it failed for others meanwhile, and somebody else is well. */
function hasFallen(call: Call, io: Io, target: Target, seats: readonly Seat[]): boolean {
  const { breaker } = io.state(target)
  const now = io.now()
  if (!isOpen(breaker, now)) return false
  const others = call.stages.some(({ targets }) =>
    targets.some((t) => !seats.some((seat) => seat.target === t) && !isOpen(io.state(t).breaker, now)),
  )
  if (others) call.leftQueues.push(`${target.provider}/${target.model}: cooling down (${breaker.reason})`)
  return others
}

/** The machines that could answer, the chosen one first: others only where they need no longer than it. */
function seatsOf(io: Io, chosen: Target, peers: readonly Target[]): Seat[] {
  const backend = io.backends.of(chosen)
  if (!backend) return []
  const now = io.now()
  const seats: Seat[] = [{ backend, model: chosen.model, target: chosen }]
  if (peers.length === 0 || backend.isFree(now)) return seats
  const wait = backend.expectedWait(now)
  const spilled = backend.isSpilled(chosen.model)
  for (const target of peers) {
    const other = io.backends.of(target)
    if (!other || seats.some((seat) => seat.backend === other) || isOpen(io.state(target).breaker, now)) continue
    if (other.isSpilled(target.model) && !spilled) continue
    if (other.loadMs(target.model) <= wait) seats.push({ backend: other, model: target.model, target })
  }
  return seats
}

function slotOf(call: Call, io: Io, seats: readonly Seat[], spillMs: number): Lease | Promise<Lease> {
  const signal = call.leaving
  const now = io.now()
  let lease: Lease | undefined
  let begin = (given: Lease) => {
    lease = given
  }
  let pushOut = () => {}
  const ticket: Ticket = {
    key: call.keyId ?? 'master',
    priority: call.wishes.priority ?? 'interactive',
    rank: call.wishes.rank ?? 0,
    queues: seats.length,
    places: seats,
    begin: (given) => begin(given),
    pushOut: () => pushOut(),
  }
  const how = enter(ticket, now)
  if (lease) return lease
  const backends = seats.map((seat) => seat.backend)
  for (const backend of backends) io.backends.noteSaturated(backend)
  if (how === 'full') throw full(call, backends, now)
  const where = () => {
    const at = backends.map((backend) => ({
      place: backend.queue.before(ticket).count + 1,
      waitMs: backend.expectedWait(io.now(), ticket),
    }))
    return at.reduce((a, b) => (b.waitMs < a.waitMs ? b : a))
  }
  call.queued = { waited: 0, place: where().place, now: where }
  const { queued } = call
  return new Promise((resolve, reject) => {
    const mostMs = Math.min(Math.max(...backends.map((b) => b.rules.waitMs)), spillMs)
    const end = Math.min(now + mostMs, operationEnd(call, 0))
    const done = () => {
      io.deadlines.disarm(deadline)
      signal.removeEventListener('abort', onLeave)
      queued.waited += io.now() - now
      queued.now = undefined
    }
    const onLeave = () => {
      leave(ticket)
      done()
      reject(new Refusal('client_closed', 'The caller left while waiting for a slot.'))
    }
    const deadline = io.deadlines.arm(end, () => {
      const { place, waitMs } = where()
      leave(ticket)
      done()
      const waited = Math.round((io.now() - now) / 1000)
      for (const { target } of seats)
        call.leftQueues.push(`${target.provider}/${target.model}: saturated (waited ${waited} s)`)
      reject(
        new Refusal(
          'overloaded',
          `No slot of the model '${call.peek.model}' was free within ${waited} s; ${place - 1} are still before this request.`,
          { retryAfterMs: Math.max(1_000, waitMs) },
        ),
      )
    })
    begin = (given) => {
      done()
      resolve(given)
    }
    pushOut = () => {
      done()
      reject(full(call, backends, io.now()))
    }
    signal.addEventListener('abort', onLeave, { once: true })
    if (signal.aborted) onLeave()
  })
}

function full(call: Call, backends: readonly Backend[], now: number): Refusal {
  const waitMs = Math.max(1_000, Math.min(...backends.map((backend) => backend.expectedWait(now))))
  const waiting = Math.max(...backends.map((backend) => backend.queue.size))
  return new Refusal(
    'overloaded',
    `All slots of the model '${call.peek.model}' are taken, and its queue is full: ${waiting} requests wait. ` +
      `Try again in about ${Math.ceil(waitMs / 1000)} s.`,
    { retryAfterMs: waitMs, facts: { waiting, expected_wait_ms: Math.round(waitMs) } },
  )
}
