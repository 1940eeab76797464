/** A simulated house: machines, callers who come back as soon as they are answered, and a clock that jumps. */
import { Backend, enter, type Lease, leave, type Place, type Ticket } from '../../src/core/backend.ts'
import type { Priority } from '../../src/core/fair-queue.ts'
import { Slots } from '../../src/core/slots.ts'
import { seeded } from '../support/seeded.ts'

export interface Caller {
  key: string
  priority: Priority
  /** The first one comes then, ms. */
  from?: number
}

export interface Broken {
  /** One key for all: first come, first served. */
  fifo?: boolean
  /** Waits at one machine only. */
  oneQueue?: boolean
  /** A slot that is free is given only to whoever comes to an empty queue. */
  noDispatch?: boolean
  /** Nobody makes room, and the queue is as long as it gets. */
  unbounded?: boolean
  /** Nobody leaves when his time is over. */
  patient?: boolean
  /** Batch is as urgent as everything else. */
  flat?: boolean
}

export interface House {
  callers: readonly Caller[]
  slots: readonly number[]
  /** Slots are not said but learned. */
  learn?: boolean
  most?: number
  waitMs?: number
  /** ms of a request. */
  service(random: () => number, key: string): number
  forMs: number
  seed: number
  broken?: Broken
}

export interface Told {
  /** ms that each started request had waited, by key; since the warm-up. */
  waits: Map<string, number[]>
  /** ms of slots by key. */
  had: Map<string, number>
  /** ms in which a slot was free and somebody waited. */
  idle: number
  refused: number
  late: number
  /** The longest that anybody waited, and the longest queue. */
  longest: number
  mostWaiting: number
  done: number
  backends: Backend[]
}

const URGENT = 30_000

export function simulate(house: House): Told {
  const { broken = {}, waitMs = Number.POSITIVE_INFINITY, most = 256 } = house
  const random = seeded(house.seed)
  const backends = house.slots.map(
    (n, i) =>
      new Backend(`http://gpu${i}`, new Slots(house.learn ? undefined : n, 1), {
        most: broken.unbounded ? Number.POSITIVE_INFINITY : most,
        waitMs,
      }),
  )
  if (broken.noDispatch)
    for (const b of backends) {
      const dispatch = b.dispatch.bind(b)
      b.dispatch = (at) => (b.queue.size === 1 ? dispatch(at) : undefined)
    }
  const told: Told = {
    ...{ waits: new Map(), had: new Map(), idle: 0, refused: 0, late: 0, longest: 0, mostWaiting: 0, done: 0 },
    backends,
  }
  let now = 0
  const events: { at: number; run(): void }[] = []
  const at = (ms: number, run: () => void) => {
    events.push({ at: ms, run })
  }
  /** What the machine itself does with more than it has slots: it lets them wait. */
  const inside = new Map<Backend, { running: number; line: (() => void)[] }>(
    backends.map((b) => [b, { running: 0, line: [] }]),
  )
  const come = (caller: Caller) => {
    const since = now
    const key = broken.fifo ? 'all' : caller.key
    const first = Math.floor(random() * backends.length)
    const order = backends.map((_, i) => (i + first) % backends.length)
    const places: Place[] = order.map((i) => ({ backend: backends[i] as Backend, model: 'm' }))
    let open = true
    const ticket: Ticket = {
      ...{ key, priority: broken.flat ? 'interactive' : caller.priority, rank: 0 },
      places: broken.oneQueue ? places.slice(0, 1) : places,
      queues: broken.oneQueue ? 1 : places.length,
      begin: (lease) => {
        open = false
        begin(caller, lease, since)
      },
      pushOut: () => {
        open = false
        told.refused++
        at(now + 1_000, () => come(caller))
      },
    }
    if (enter(ticket, now) === 'full') {
      open = false
      told.refused++
      at(now + 1_000, () => come(caller))
    }
    if (open && Number.isFinite(waitMs) && !broken.patient)
      at(now + waitMs, () => {
        if (!open) return
        leave(ticket)
        open = false
        told.late++
        come(caller)
      })
  }
  const begin = (caller: Caller, lease: Lease, since: number) => {
    const { backend } = lease.place
    const waited = now - since
    if (now > URGENT) {
      told.longest = Math.max(told.longest, waited)
      told.waits.set(caller.key, [...(told.waits.get(caller.key) ?? []), waited])
    }
    const machine = inside.get(backend) as { running: number; line: (() => void)[] }
    const work = () => {
      machine.running++
      const ms = house.service(random, caller.key)
      at(now + Math.min(50, ms / 2), () => backend.answered(lease, now))
      at(now + ms, () => {
        machine.running--
        if (now > URGENT) told.had.set(caller.key, (told.had.get(caller.key) ?? 0) + ms)
        told.done++
        machine.line.shift()?.()
        backend.end(lease, now)
        come(caller)
      })
    }
    if (machine.running < (house.slots[backends.indexOf(backend)] as number)) work()
    else machine.line.push(work)
  }
  for (const caller of house.callers) at(caller.from ?? 0, () => come(caller))
  while (events.length > 0) {
    let next = 0
    for (let i = 1; i < events.length; i++) if ((events[i]?.at ?? 0) < (events[next]?.at ?? 0)) next = i
    const [event] = events.splice(next, 1)
    if (!event || event.at > house.forMs) break
    const passed = event.at - now
    if (passed > 0)
      for (const [i, backend] of backends.entries()) {
        const working = (inside.get(backend) as { running: number }).running
        if (backend.queue.size > 0 && working < (house.slots[i] as number)) told.idle += passed
        // At one queue each, somebody waits for a machine that is busy beside one that is not.
        else if (working < (house.slots[i] as number) && backends.some((b) => b.queue.size > 0)) told.idle += passed
      }
    now = event.at
    event.run()
    told.mostWaiting = Math.max(told.mostWaiting, ...backends.map((b) => b.queue.size))
  }
  return told
}

export const crowd = (key: string, count: number, priority: Priority = 'interactive'): Caller[] =>
  Array.from({ length: count }, () => ({ key, priority }))
