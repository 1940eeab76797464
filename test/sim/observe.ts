/** What an event did to those who asked: whose money was taken, who was refused; and whether that was right. */
import { budgetName } from '../../src/core/budget.ts'
import { worstCost } from '../../src/core/price.ts'
import type { OpenHold } from '../../src/store/ledger.ts'
import type { Entry } from './books.ts'
import { hold } from './violation.ts'
import { type Asked, type Bar, BOUNDS, type World } from './world.ts'

export interface Tally {
  holds: number
  refused: number
  gaveUp: number
  overspend: number
}

/** Notes everything new. @param isWhole all that follows of it by itself has happened, too */
export function observe(w: World, tally: Tally, isWhole: boolean): void {
  const open = new Map(
    [...w.ledger.underWay].map((held) => [`${held.attempt.operation} ${held.attempt.attempt}`, held]),
  )
  for (const it of w.asked)
    if (it.entry && open.get(it.entry.name) === undefined) {
      // Its hold could not be written: it was never told that it may send.
      hold(
        'nothing lost, nothing twice',
        it.refusal?.code === 'overloaded' && !it.open,
        () => `${it.entry?.name} is gone`,
      )
      // A disk that lies has written what it said it had not.
      w.books.release(it.entry, w.disk.fault === 'lie' ? Number.POSITIVE_INFINITY : -1)
      w.asked.delete(it)
    }
  for (const held of open.values()) {
    const it = [...w.asked].find((a) => a.operation === held.attempt.operation && a.attempt === held.attempt.attempt)
    hold('held at rest is nothing', it !== undefined, () => `nobody asked for ${held.attempt.operation}`)
    if (!it || it.entry) continue
    tally.holds++
    if (isWhole)
      hold('bounded', w.ledger.unwritten < BOUNDS.unwritten, () => `${w.ledger.unwritten} settlements are not written`)
    taken(w, it, held, isWhole)
  }
  for (const it of w.asked) {
    if (it.open && it.entry) it.entry.acknowledged = true
    if (!it.refusal) continue
    // Taken and refused within one event.
    if (it.refusal.code === 'overloaded' && w.disk.fault === 'lie')
      w.books.release(entryOf(w, it, 0), Number.POSITIVE_INFINITY)
    refused(w, it, tally)
    w.asked.delete(it)
  }
}

/** Money was taken: from all, within all limits, enough, and not in front of somebody who needs no more of it. */
function taken(w: World, it: Asked, held: OpenHold, isWhole: boolean): void {
  const { amount } = held.hold
  const bars = w.bars(it)
  const names = (all: { scope: string; name: string }[]) => all.map(({ scope, name }) => `${scope} ${name}`).sort()
  const expected = names(bars.map(({ scope, budget }) => ({ scope, name: budgetName(budget) })))
  const found = names(
    held.hold.takenIn.map(({ account }) => ({ scope: account.scope, name: budgetName(account.budget) })),
  )
  hold('all or none', expected.join() === found.join(), () => `taken of ${found}, not of ${expected}`)
  for (const bar of bars)
    if (bar.mode !== 'soft' && amount > 0)
      hold('no overspend', bar.spent + bar.held + amount <= bar.limit, () => `${amount} more than ${shown(bar)}`)
  it.entry = entryOf(w, it, amount)
  if (!it.late) covered(w, it, held, bars)
  w.books.take(it.entry)
  // A refusal that nobody has heard of yet looks like waiting.
  for (const other of isWhole ? w.asked : [])
    if (other.seq < it.seq && !other.entry && !other.refusal && needsNoMore(w, other, it, bars))
      hold('first come, first served', false, () => `${it.entry?.name} passed ${other.operation}, which needs no more`)
}

const entryOf = (w: World, it: Asked, amount: number): Entry => ({
  ...{ name: `${it.operation} ${it.attempt}`, scopes: it.scopes, alias: it.target.alias, at: w.now, amount },
  ...{ likely: w.likelyOf(it), acknowledged: false, releasedAt: undefined },
})

function covered(w: World, it: Asked, { covers, maxOutput, hold: { amount } }: OpenHold, bars: readonly Bar[]): void {
  const { tokens } = it
  const costOf = (output: number) => worstCost(it.target.price, covers.input, output)
  const isCut = maxOutput !== undefined
  hold(
    'what is covered is paid for',
    covers.output === (maxOutput ?? tokens.outputMost) &&
      covers.output >= tokens.outputLeast &&
      costOf(covers.output) <= amount,
    () => `${maxOutput ?? tokens.outputMost} tokens of answer, ${amount} is held for ${JSON.stringify(covers)}`,
  )
  const hard = bars.filter((b) => b.mode !== 'soft')
  const isTight = amount >= w.worstOf(it) || hard.some((b) => b.limit - b.spent < w.worstOf(it))
  // One below what is left pays for, where rounding asks for it.
  const isShort = (b: Bar) => b.mode === 'cap' && b.limit - b.spent < costOf(covers.output + 2)
  hold(
    'cut only by a cap that is short',
    isTight && (!isCut || hard.some(isShort)),
    () => `${amount} for ${maxOutput} tokens: ${bars.map(shown).join('; ')}`,
  )
}

/** Whether whoever came before could have had what another one took. */
function needsNoMore(w: World, first: Asked, other: Asked, bars: readonly Bar[]): boolean {
  const isIn = (bar: Bar) => bars.some((b) => b.scope === bar.scope && b.budget === bar.budget)
  const hard = w.bars(first).filter((bar) => bar.mode !== 'soft')
  return (
    hard.every(isIn) &&
    w.worstOf(first) <= w.worstOf(other) &&
    hard.every(({ mode }) => w.leastOf(first, mode) <= w.leastOf(other, mode))
  )
}

function refused(w: World, it: Asked, tally: Tally): void {
  const { refusal } = it
  if (!refusal || refusal.code === 'client_closed') return
  if (refusal.code === 'overloaded') {
    const broken = w.disk.fault !== 'none' || w.ledger.unwritten >= BOUNDS.unwritten
    hold('no false refusal', broken, () => `refused by a disk that works: ${refusal.detail.private}`)
    return
  }
  hold('no false refusal', refusal.code === 'budget_exceeded', () => `${refusal.code}: ${refusal.message}`)
  const bars = w.bars(it)
  if (refusal.detail.facts?.needed !== undefined) {
    tally.refused++
    const isShort = bars.some((b) => b.mode !== 'soft' && b.limit - b.spent < w.leastOf(it, b.mode))
    hold('no false refusal', isShort, () => `${refusal.message}\nthe books say ${bars.map(shown).join('; ')}`)
    return
  }
  tally.gaveUp++
  const queue = Math.max(w.waitedBefore, [...w.asked].filter((other) => other !== it && !other.entry).length)
  hold(
    'waiting has an end',
    w.now >= it.askedAt + it.waitMs || queue >= BOUNDS.waiting,
    () => `refused after ${w.now - it.askedAt} of ${it.waitMs} ms: ${refusal.message}`,
  )
}

export const shown = ({ scope, budget, mode, limit, spent, held }: Bar): string =>
  `${scope} '${budgetName(budget)}' ${mode}: ${spent} spent and ${held} held of ${limit}`
