/** The sums that charges move: by day for who paid and for each scope, and each scope's total. */
import type { Statement } from 'better-sqlite3'
import type { Names } from './names.ts'
import type { Store } from './open.ts'
import { add, addTo, type Sum, type Sums } from './sums.ts'

export class Rollups {
  readonly #scopesOf: Names['scopes']
  readonly #moveTotal: Statement<unknown[]>
  readonly #moveWindow: Statement<unknown[]>
  readonly #moveScope: Statement<unknown[]>
  readonly #movePayer: Statement<unknown[]>

  constructor({ sqlite }: Store, names: Pick<Names, 'scopes'>) {
    this.#scopesOf = (payer, target) => names.scopes(payer, target)
    this.#moveTotal = sqlite.prepare(
      `INSERT INTO spend VALUES (?, 0, 0, ?, ?, ?, 0) ON CONFLICT DO UPDATE SET
        cost = cost + excluded.cost, requests = requests + excluded.requests, tokens = tokens + excluded.tokens`,
    )
    // One row a budget: a newer window takes the place of an older one, and what comes late for an older one is over.
    this.#moveWindow = sqlite.prepare(
      `INSERT INTO spend SELECT @scope, @budget, @start, @cost, @requests, @tokens, iif(@missed > 0, -1, requests) FROM spend
         WHERE scope = @scope AND budget = 0
       ON CONFLICT DO UPDATE SET
        cost = CASE WHEN excluded.window_start < window_start THEN cost ELSE excluded.cost + iif(excluded.window_start = window_start, cost, 0) END,
        requests = CASE WHEN excluded.window_start < window_start THEN requests ELSE excluded.requests + iif(excluded.window_start = window_start, requests, 0) END,
        tokens = CASE WHEN excluded.window_start < window_start THEN tokens ELSE excluded.tokens + iif(excluded.window_start = window_start, tokens, 0) END,
        window_start = max(window_start, excluded.window_start),
        seen = iif(excluded.seen >= 0 AND seen = excluded.seen - @all, excluded.seen, seen)`,
    )
    const adding = `VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
        cost = cost + excluded.cost, requests = requests + excluded.requests, failed = failed + excluded.failed,
        input = input + excluded.input, cache_read = cache_read + excluded.cache_read,
        cache_write = cache_write + excluded.cache_write, output = output + excluded.output,
        reasoning = reasoning + excluded.reasoning`
    this.#moveScope = sqlite.prepare(`INSERT INTO rollups ${adding}`)
    this.#movePayer = sqlite.prepare(`INSERT INTO payer_rollups ${adding}`)
  }

  /** Moves everything. Call within the transaction of the charges. */
  move(sums: Sums): void {
    const totals = this.moveDays(sums)
    for (const [scope, s] of totals) this.#moveTotal.run(scope, s.cost, s.requests, s.input + s.output)
    const moved = new Map<string, number>()
    for (const { move, sum } of sums.windows.values()) {
      const name = `${move.scope} ${move.budget}`
      moved.set(name, (moved.get(name) ?? 0) + sum.requests)
    }
    for (const { move, sum } of sums.windows.values()) {
      const { cost, requests } = sum
      const all = totals.get(move.scope)?.requests ?? 0
      // Begun while the budget was away: the window has missed them, and is counted anew when it is next asked for.
      const missed = all - (moved.get(`${move.scope} ${move.budget}`) ?? 0)
      this.#moveWindow.run({ ...move, cost, requests, tokens: sum.input + sum.output, all, missed })
    }
  }

  /** Moves the days only. Returns what that is for each scope. */
  moveDays(sums: Sums): Map<number, Sum> {
    const scopes = new Map<number, Sum>()
    const days = new Map<string, { scope: number; day: number; target: number; sum: Sum }>()
    for (const { payer, target, day, sum } of sums.groups.values()) {
      addUp(this.#movePayer, payer, day, target, sum)
      for (const scope of this.#scopesOf(payer, target)) {
        addTo(scopes, scope, sum)
        const name = `${scope} ${day} ${target}`
        const known = days.get(name)
        if (known) add(known.sum, sum)
        else days.set(name, { scope, day, target, sum: { ...sum } })
      }
    }
    for (const { scope, day, target, sum } of days.values()) addUp(this.#moveScope, scope, day, target, sum)
    return scopes
  }
}

function addUp(move: Statement<unknown[]>, of: number, day: number, target: number, s: Sum): void {
  const { cost, requests, failed, input, cacheRead, cacheWrite, output, reasoning } = s
  move.run(of, day, target, cost, requests, failed, input, cacheRead, cacheWrite, output, reasoning)
}
