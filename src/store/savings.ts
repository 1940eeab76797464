/** What did not have to be paid, since an answer was there already: by day, payer and alias. Never mixed with what was. */
import type { Payer } from '../core/scope.ts'
import { GATEWAY, scopesOfPayer } from '../core/scope.ts'
import { dayAt } from '../core/zone.ts'
import type { Store } from './open.ts'

const LINGER_MS = 500

interface Sum {
  day: number
  scope: string
  alias: string
  hits: number
  /** nano-dollars */
  saved: number
}

export interface SavedRow {
  alias: string
  hits: number
  saved: number
}

export class Savings {
  readonly #zone: string
  readonly #onError: (cause: unknown) => void
  readonly #add
  readonly #of
  readonly #transaction: (work: () => void) => void
  #waiting = new Map<string, Sum>()
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor({ sqlite }: Store, zone: string, onError: (cause: unknown) => void) {
    this.#zone = zone
    this.#onError = onError
    this.#add = sqlite.prepare(
      'INSERT INTO savings VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET hits = hits + excluded.hits, saved = saved + excluded.saved',
    )
    this.#of = sqlite.prepare<[string, number, number], SavedRow>(
      'SELECT alias, sum(hits) AS hits, sum(saved) AS saved FROM savings WHERE scope = ? AND day >= ? AND day <= ? GROUP BY alias ORDER BY saved DESC, alias',
    )
    this.#transaction = (work) => sqlite.transaction(work)()
  }

  /** @param cost what the first answer cost, nano-dollars @param now ms since the epoch */
  add(payer: Payer, alias: string, cost: number, now: number): void {
    const day = dayAt(this.#zone, now)
    for (const scope of [GATEWAY, ...scopesOfPayer(payer)]) {
      const name = `${day} ${scope} ${alias}`
      const sum = this.#waiting.get(name) ?? { day, scope, alias, hits: 0, saved: 0 }
      sum.hits++
      sum.saved += cost
      this.#waiting.set(name, sum)
    }
    this.#timer ??= setTimeout(() => this.flush(), LINGER_MS)
    this.#timer.unref()
  }

  /** By alias, from day to day (core/zone.ts), both included. */
  of(scope: string, from: number, to: number): SavedRow[] {
    this.flush()
    return this.#of.all(scope, from, to)
  }

  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const waiting = this.#waiting
    if (waiting.size === 0) return
    this.#waiting = new Map()
    try {
      this.#transaction(() => {
        for (const { day, scope, alias, hits, saved } of waiting.values()) this.#add.run(day, scope, alias, hits, saved)
      })
    } catch (cause) {
      this.#onError(cause)
    }
  }
}
