/** An operator changes budgets while requests wait and answers come. */
import type { Budget, BudgetMode } from '../../src/core/budget.ts'
import type { Random } from './random.ts'
import { makeBudgets } from './scene.ts'
import type { World } from './world.ts'

const MINUTE = 60_000

/** Other budgets for a scope, higher or lower ones, other modes, a raise for a while, the same ones, none. */
export function change(w: World, random: Random): void {
  const scope = random.pick(w.scene.scopes)
  const before = w.scene.budgets.get(scope) ?? []
  const alter = random.weighted<() => readonly Budget[]>([
    [() => makeBudgets(random, scope), 2],
    [() => before.map((budget) => ({ ...budget, ...otherLimit(w, random, scope, budget) })), 6],
    [() => before.map((budget) => ({ ...budget, raise: makeRaise(w, random) })), 2],
    [() => before.map((budget) => ({ ...budget })), 1],
    [() => [], 1],
  ])
  set(w, random, scope, alter())
}

function otherLimit(w: World, random: Random, scope: string, budget: Budget): Partial<Budget> {
  const { spent } = w.bar(scope, budget)
  const more = random.chance(0.15) ? -random.int(0, spent) : random.int(0, 3_000_000)
  const mode = random.chance(0.2) ? random.pick<BudgetMode>(['cap', 'strict', 'soft']) : budget.mode
  return { limit: spent + more, mode }
}

const makeRaise = (w: World, random: Random): Budget['raise'] => ({
  amount: random.int(1, 3_000) * 1_000,
  until: w.now + random.int(1, 5 * 60) * MINUTE,
})

/** Takes the budgets of a scope away while its requests are under way, or puts back what was taken away. */
export function flap(w: World, random: Random): void {
  const back = [...w.away]
  if (back.length > 0 && random.chance(0.6)) {
    const [scope, budgets] = random.pick(back)
    w.away.delete(scope)
    set(
      w,
      random,
      scope,
      budgets.map((budget) => ({ ...budget })),
    )
    return
  }
  const busy = [...w.asked].filter((it) => it.open).flatMap((it) => it.scopes)
  const scope = random.pick(busy.length > 0 ? busy : w.scene.scopes)
  const budgets = w.scene.budgets.get(scope) ?? []
  if (budgets.length === 0) return
  w.away.set(scope, budgets)
  set(w, random, scope, [])
}

function set(w: World, random: Random, scope: string, budgets: readonly Budget[]): void {
  w.scene.budgets.set(scope, budgets)
  for (const budget of budgets) {
    const bar = w.bar(scope, budget)
    if (bar.spent + bar.held > bar.limit) w.excuse(bar)
  }
  w.ledger.reconsider()
  // The answer to the operator says what is spent; where it does not, the next request finds it.
  if (random.chance(0.8)) w.look(scope)
}
