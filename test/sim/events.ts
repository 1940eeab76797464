/** What can happen, and how often. Each is one operation of the simulation. */
import { dayAt, startOfDay } from '../../src/core/zone.ts'
import { retain } from '../../src/store/retain.ts'
import { LONGEST_OPERATION_MS } from '../../src/store/spent.ts'
import { prove } from './check.ts'
import { crash } from './crash.ts'
import { change, flap } from './operator.ts'
import type { Random } from './random.ts'
import { makeEstimate } from './scene.ts'
import { hold } from './violation.ts'
import type { Asked, World } from './world.ts'

type Event = (w: World, random: Random) => void

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
/** More than so many at once, and some have to end first. */
const MOST_AT_ONCE = 40

const waiting = (w: World): Asked[] => [...w.asked].filter((it) => !it.entry)
const sent = (w: World): Asked[] => [...w.asked].filter((it) => it.open)

/** One of those that can be, or nothing happens. */
function one(random: Random, all: readonly Asked[], act: (it: Asked) => void): void {
  if (all.length > 0) act(random.pick(all))
}

const ask: Event = (w, random) => {
  if (w.asked.size > MOST_AT_ONCE) return settle(w, random)
  const { payers, targets } = w.scene
  const waitMs = random.weighted([
    [random.int(1, 60) * 1_000, 6],
    [random.int(0, 200), 2],
    [random.int(1, 90) * MINUTE, 1],
    [0, 1],
  ])
  const payer = random.pick(payers)
  // Now and then somebody nobody has heard of.
  const named = random.chance(0.05) ? { ...payer, customer: `new ${random.int(0, 300)}` } : payer
  w.ask({ payer: named, target: random.pick(targets), tokens: makeEstimate(random), waitMs })
}

/** What comes at once is written together. */
const askMany: Event = (w, random) => {
  for (let n = random.int(2, 6); n > 0; n--) {
    ask(w, random)
    w.note()
  }
}

/** What has been spent already (a batch): it is booked whatever is left. */
const askLate: Event = (w, random) => {
  const tokens = { inputMost: 0, inputLikely: 0, outputMost: 0, outputLeast: 0 }
  w.ask({ payer: random.pick(w.scene.payers), target: random.pick(w.scene.targets), tokens, late: true, waitMs: 0 })
}

const turn: Event = (w) => w.time.turn()

/** To the next timer, if it is near. */
const tick: Event = (w, random) => void w.time.step(w.now + random.int(0, 60))

/** An honest answer uses what is covered at most, a liar's and one that nothing was held for anything. */
function end(w: World, random: Random, it: Asked, outcome?: string): void {
  const { input, output } = it.open?.covers ?? { input: 0, output: 0 }
  if (it.late || random.chance(0.01)) {
    w.settle(it, random.int(0, 2 * input + 100), random.int(0, 2 * output + 100), outcome)
    return
  }
  // Most answers are shorter than they may be; some are as long.
  const share = random.chance(0.2) ? 1 : random.next() ** 2
  const more = Math.floor((output - Math.min(it.come, output)) * share)
  w.settle(it, random.chance(0.5) ? input : random.int(0, input), Math.min(it.come, output) + more, outcome)
}

const settle: Event = (w, random) => one(random, sent(w), (it) => end(w, random, it))

/** No operation goes on for ever (store/spent.ts). */
const isLong = (w: World, it: Asked): boolean => w.now > it.begunAt + LONGEST_OPERATION_MS - MINUTE

/** It fails, and is tried again at the same target or at another one. */
const fail: Event = (w, random) =>
  one(random, sent(w), (it) => {
    if (random.chance(0.7)) w.settle(it, 0, 0, 'server')
    else end(w, random, it, 'server')
    if (it.attempt > 4 || isLong(w, it)) return
    const { operation, payer, tokens } = it
    const again = {
      operation,
      payer,
      tokens,
      attempt: it.attempt + 1,
      waitMs: random.int(0, 5_000),
      begunAt: it.begunAt,
    }
    w.ask({ ...again, target: random.chance(0.5) ? it.target : random.pick(w.scene.targets) })
  })

/** It can't be said to this target: the hold goes, and another target may have its number. */
const release: Event = (w, random) =>
  one(
    random,
    sent(w).filter((it) => it.come === 0),
    (it) => {
      w.release(it)
      if (random.chance(0.3) || isLong(w, it)) return
      const { operation, attempt, payer, tokens, begunAt } = it
      w.ask({
        operation,
        attempt,
        payer,
        tokens,
        begunAt,
        target: random.pick(w.scene.targets),
        waitMs: random.int(0, 5_000),
      })
    },
  )

/** A stream goes on; where it comes to the end of what is covered it asks for more, or is cut. */
const stream: Event = (w, random) =>
  one(random, sent(w), (it) => {
    if (!it.open || it.late) return
    it.come = Math.min(it.open.covers.output, it.come + random.int(1, 40))
    if (it.come < it.open.covers.output || it.open.maxOutput !== undefined) return
    if (w.extend(it, 1, 64)) w.settle(it, random.int(0, it.open.covers.input), it.come, 'budget_exceeded')
  })

/** The caller leaves, while he waits or in the middle of his answer. */
const leave: Event = (w, random) => {
  if (random.chance(0.5))
    return one(random, sent(w), (it) => w.settle(it, it.open?.inputLikely ?? 0, it.come, 'aborted'))
  one(random, waiting(w), (it) => it.gone.abort())
}

/** What is over is ended again: nothing may come of it. */
const again: Event = (w, random) =>
  one(random, w.over, (it) => {
    if (!it.open) return
    w.ledger.settle(it.open, w.endingOf(random.int(0, 100), random.int(0, 100), 'ok'))
    w.ledger.release(it.open)
    hold('settled once', w.ledger.extend(it.open, 1, 10, 422) === undefined, () => 'an attempt that is over was cut')
  })

/** Minutes pass, or hours, or weeks; each timer on the way is an event of its own. */
const pass: Event = (w, random) => {
  // A disk that fails is tried twice a second: that is seen in seconds.
  if (w.disk.fault !== 'none') {
    w.until = w.now + random.int(0, 5_000)
    return
  }
  w.until =
    w.now +
    random.weighted([
      [random.int(1, 90) * 1_000, 20],
      [random.int(1, 90) * MINUTE, 10],
      [random.int(1, 30) * 60 * MINUTE, 3],
      [random.int(1, 40) * 24 * 60 * MINUTE, 4],
    ])
}

/** The disk begins to fail, and works again. */
const disk: Event = (w, random) => {
  const { disk: it } = w
  if (it.fault !== 'none') it.fault = 'none'
  else it.fault = random.pick(['begin', 'insert', 'commit', 'lie'])
}

/** Somebody forgot a hold: it ends by itself, as after a crash. */
const leases: Event = (w) => {
  const old = [...w.asked].filter((it) => it.open && it.entry && w.now - it.entry.at > DAY)
  for (const it of old) w.forget(it)
  const ended = w.ledger.endLeases().map(({ operation, attempt }) => `${operation} ${attempt}`)
  const expected = old.map((it) => it.entry?.name)
  const same = ended.sort().join() === expected.sort().join()
  hold('held at rest is nothing', same, () => `ended ${ended}, and these are older than a day: ${expected}`)
}

/** Charges that are old enough go, after the chores that come first. */
const keep: Event = (w, random) => {
  leases(w, random)
  w.ledger.flush()
  if (w.ledger.unwritten > 0 || w.disk.fault !== 'none') return
  const days = random.int(1, 3)
  retain(w.disk.store, days, w.zone, w.now)
  w.keptFrom = Math.max(w.keptFrom, startOfDay(w.zone, dayAt(w.zone, w.now) - days))
}

const flush: Event = (w) => w.ledger.flush()

const total: Event = (w, random) => {
  const scope = random.pick(w.scene.scopes)
  if (w.disk.fault === 'none') w.ledger.total(scope)
}

/** Somewhere in between: holds written and not answered, money given and not yet noted. */
const die: Event = (w, random) => {
  if (random.chance(0.5))
    for (let n = random.int(1, 3); n > 0; n--) {
      w.note()
      random.pick([settle, ask, turn, flush, release])(w, random)
    }
  if (random.chance(0.3)) w.time.turn()
  w.noteHalf()
  crash(w)
}

/** All comes to rest, and the process may be stopped in an orderly way. */
const rest: Event = (w, random) => {
  w.disk.fault = 'none'
  for (const it of waiting(w)) it.gone.abort()
  w.drain()
  w.time.turn()
  w.note()
  for (const it of sent(w)) end(w, random, it)
  w.note()
  w.ledger.flush()
  hold('held at rest is nothing', w.asked.size === 0, () => `${w.asked.size} have not ended`)
  const { holds, amount } = w.ledger.open()
  hold('held at rest is nothing', holds === 0 && amount === 0, () => `${amount} in ${holds} holds`)
  for (const { accounts } of w.told.values())
    for (const { scope, held, window } of accounts)
      if (w.now < window.end) hold('held at rest is nothing', held === 0, () => `${scope}: ${held}`)
  prove(w)
  if (random.chance(0.3)) crash(w)
}

/** With how often each comes. */
export const EVENTS: readonly (readonly [string, Event, number])[] = [
  ['ask', ask, 260],
  ['ask many', askMany, 20],
  ['ask late', askLate, 8],
  ['turn', turn, 240],
  ['tick', tick, 100],
  ['settle', settle, 150],
  ['fail', fail, 25],
  ['release', release, 25],
  ['stream', stream, 90],
  ['leave', leave, 25],
  ['again', again, 15],
  ['change', change, 25],
  ['flap', flap, 15],
  ['pass', pass, 12],
  ['disk', disk, 8],
  ['flush', flush, 10],
  ['leases', leases, 6],
  ['keep', keep, 12],
  ['total', total, 5],
  ['crash', die, 4],
  ['rest', rest, 4],
]
