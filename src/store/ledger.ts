/**
 * The ledger's shell: keeps the accounts in memory, lets requests wait for money that others hold, and writes down each
 * decision before it takes effect. The deciding itself is core/ledger.ts.
 */
import {
  type Account,
  type Ask,
  changePeriod,
  decide,
  type Hold,
  openAccount,
  roll,
  settle,
  take,
} from '../core/ledger.ts'
import { type Period, windowAt } from '../core/period.ts'
import { costOf, type Price } from '../core/price.ts'
import { Refusal } from '../core/refusal.ts'
import type { Budget } from '../core/snapshot.ts'
import type { Target } from '../core/target.ts'
import type { Usage, UsageSource } from '../core/usage.ts'
import type { HoldRow } from './hold-text.ts'
import { Names } from './names.ts'
import type { Store } from './open.ts'
import { type Moves, Outbox } from './outbox.ts'
import { heldByOthers, overBudget } from './over-budget.ts'
import type { ScopeSpend } from './spend.ts'

/** What identifies an attempt, and what a charge says of it. */
export interface Attempt {
  operation: number
  attempt: number
  startedAt: number
  keyId: string | undefined
  target: Target
  /** `chat`, `completion`, `embedding`: the route's kind. */
  call: string
}

export interface HoldRequest extends Attempt {
  accounts: readonly Account[]
  /** Read each time it is decided anew: experience may have grown while it waited. */
  ask(): Ask
  waitMs: number
  /** HTTP status of a refusal. */
  status: number
  signal: AbortSignal
}

export interface OpenHold {
  attempt: Attempt
  hold: Hold
  price: Price
  /** What the answer must be cut to, in tokens. */
  maxOutput: number | undefined
  /** Likely tokens of the prompt: charged where nobody reports any. */
  inputLikely: number
  /** The hold as it is written. */
  row: HoldRow
}

export interface Outcome {
  outcome: string
  status: number
  usage: Usage
  source: UsageSource
  firstMs: number | undefined
  now: number
}

interface Held {
  hold: Hold
  maxOutput: number | undefined
  inputLikely: number
}

interface Waiter {
  request: HoldRequest
  since: number
  resolve(held: Held): void
  reject(refusal: Refusal): void
}

/** More waiting requests than this for one account are told to come back. */
const MOST_WAITING = 10_000

export class Ledger {
  readonly #accounts = new Map<string, Account>()
  readonly #waiting = new Map<Account, Waiter[]>()
  readonly #outbox: Outbox
  readonly #names: Names
  readonly #clock: () => number
  readonly #spentIn
  readonly #charged
  readonly #setSpend
  readonly #periodOf
  readonly #setPeriod
  #lastOperation: number

  /** @param clock ms since the epoch @param onError told of each failed write */
  constructor(store: Store, clock: () => number, onError: (cause: unknown) => void) {
    const { sqlite } = store
    this.#clock = clock
    this.#outbox = new Outbox(store, onError)
    this.#names = new Names(store)
    // Written now, so that a disk that fails later cannot keep a charge from being made.
    for (const word of WORDS) this.#names.word(word)
    this.#spentIn = sqlite.prepare<[string, number], { cost: number }>(
      'SELECT cost FROM spend WHERE scope = ? AND window_start = ?',
    )
    this.#charged = sqlite.prepare<[number, number | null, number | null], ScopeSpend>(
      `SELECT coalesce(sum(cost), 0) AS cost, count(*) AS requests, coalesce(sum(input + output), 0) AS tokens
       FROM charges WHERE operation >= ? AND (? IS NULL OR key = ?)`,
    )
    this.#setSpend = sqlite.prepare<[string, number, number, number, number]>(
      'REPLACE INTO spend VALUES (?, ?, ?, ?, ?)',
    )
    this.#periodOf = sqlite.prepare<[string], { value: string }>('SELECT value FROM facts WHERE name = ?')
    this.#setPeriod = sqlite.prepare<[string, string]>('REPLACE INTO facts VALUES (?, ?)')
    const last = sqlite.prepare('SELECT max(operation) AS o FROM charges').get() as { o: number | null }
    this.#lastOperation = last.o ?? 0
  }

  /**
   * A number for a new operation: its millisecond since 2024 × 4096, plus a count. Rises even when the clock falls
   * back, and over restarts. Exact in a double until 2093.
   */
  nextOperation(): number {
    this.#lastOperation = Math.max(this.#lastOperation + 1, operationAt(this.#clock()))
    return this.#lastOperation
  }

  /** The account of a scope, read from the database when it is first asked for, with `budget` as it now stands. */
  account(scope: string, budget: Budget | undefined): Account {
    const now = this.#clock()
    const known = this.#accounts.get(scope)
    if (known && known.limit === (budget?.limit ?? Number.POSITIVE_INFINITY) && known.period === budget?.period) {
      const { window } = known
      roll(known, now)
      if (known.window !== window) this.#pump(known)
      return known
    }
    const total = known?.total ?? this.#spentIn.get(scope, 0)?.cost ?? 0
    if (known) return this.#rebudget(known, budget, now)
    const spent = total === 0 ? 0 : this.#spentBefore(scope, budget?.period, total, now)
    const account = openAccount(scope, budget, spent, total, now)
    this.#accounts.set(scope, account)
    return account
  }

  /** A changed budget takes effect on the account that is in use: what is held in it stays held. */
  #rebudget(account: Account, budget: Budget | undefined, now: number): Account {
    const samePeriod = account.period?.count === budget?.period?.count && account.period?.unit === budget?.period?.unit
    roll(account, now)
    account.limit = budget?.limit ?? Number.POSITIVE_INFINITY
    if (samePeriod) account.period = budget?.period
    else {
      this.#outbox.flush()
      changePeriod(account, budget?.period, this.#recount(account.scope, budget?.period, account.total, now), now)
    }
    this.#pump(account)
    return account
  }

  /** What the window of `now` has seen before this process, where it was counted by this period then; else counted anew. */
  #spentBefore(scope: string, period: Period | undefined, total: number, now: number): number {
    if (this.#periodOf.get(factOf(scope))?.value !== nameOf(period)) return this.#recount(scope, period, total, now)
    const { start } = windowAt(period, now)
    return start === 0 ? total : (this.#spentIn.get(scope, start)?.cost ?? 0)
  }

  /** Adds a window up from its charges, which was not counted as one until now, and remembers that it is from here on. */
  #recount(scope: string, period: Period | undefined, total: number, now: number): number {
    const { start } = windowAt(period, now)
    let spent = total
    if (start !== 0) {
      const key = scope.startsWith('key:') ? this.#names.word(scope) : null
      const sum = this.#charged.get(operationAt(start), key, key) as ScopeSpend
      this.#setSpend.run(scope, start, sum.cost, sum.requests, sum.tokens)
      spent = sum.cost
    }
    this.#setPeriod.run(factOf(scope), nameOf(period))
    return spent
  }

  /**
   * Takes the money for one attempt and writes the hold. Waits while others hold what it needs.
   * @throws Refusal budget_exceeded, overloaded, client_closed
   */
  async hold(request: HoldRequest): Promise<OpenHold> {
    const now = this.#try(request)
    const { hold, maxOutput, inputLikely } = 'hold' in now ? now : await this.#wait(request, now)
    try {
      const row = this.#rowOf(request, hold, inputLikely)
      await this.#outbox.hold(row)
      return { attempt: request, hold, price: request.target.price, maxOutput, inputLikely, row }
    } catch (cause) {
      this.#giveBack(hold, 0)
      throw cause
    }
  }

  #rowOf(request: HoldRequest, hold: Hold, inputLikely: number): HoldRow {
    const { operation, attempt, startedAt, keyId, target, call } = request
    return {
      operation,
      attempt,
      startedAt,
      key: this.#keyNumber(keyId),
      target: this.#names.target(target),
      price: this.#names.price(target.price),
      call: this.#names.word(call),
      amount: hold.amount,
      inputLikely,
      scopes: hold.takenIn.map((t) => [this.#names.word(t.account.scope), t.window.start] as const),
    }
  }

  #keyNumber = (keyId: string | undefined): number | null =>
    keyId === undefined ? null : this.#names.word(`key:${keyId}`)

  /** Books what an attempt really used and lets go of its hold. Idempotent. Returns the cost in nano-dollars. */
  settle(open: OpenHold, outcome: Outcome): number {
    const cost = costOf(open.price, outcome.usage)
    if (open.hold.settled) return cost
    this.#giveBack(open.hold, cost)
    const { attempt } = open
    const { usage } = outcome
    this.#outbox.charge(
      {
        operation: attempt.operation,
        attempt: attempt.attempt,
        startedAt: attempt.startedAt,
        durationMs: Math.round(outcome.now - attempt.startedAt),
        firstMs: outcome.firstMs === undefined ? null : Math.round(outcome.firstMs),
        key: open.row.key,
        target: open.row.target,
        price: open.row.price,
        call: open.row.call,
        outcome: this.#names.word(outcome.outcome),
        status: outcome.status,
        ...usage,
        source: this.#names.word(outcome.source),
        cost,
      },
      movesOf(open.hold.takenIn.map((t) => [t.account.scope, t.window.start])),
      open.row,
    )
    return cost
  }

  /** Lets a hold go whose attempt was never sent: it leaves no charge. */
  release(open: OpenHold): void {
    if (open.hold.settled) return
    this.#giveBack(open.hold, 0)
    this.#outbox.drop(open.row)
  }

  flush(): void {
    this.#outbox.flush()
  }

  /** What is set aside now: nothing, at rest. */
  open(): { holds: number; amount: number } {
    return this.#outbox.open()
  }

  get unwritten(): number {
    return this.#outbox.unwritten
  }

  #giveBack(hold: Hold, cost: number): void {
    if (!settle(hold, cost)) return
    for (const { account } of hold.takenIn) this.#pump(account)
  }

  /** Decides for one request: takes, refuses (by throwing), or names the account it has to wait for. */
  #try(request: HoldRequest): Held | Account {
    const now = this.#clock()
    for (const account of request.accounts) roll(account, now)
    const ask = request.ask()
    const verdict = decide(request.accounts, ask)
    if (verdict.kind === 'wait') return verdict.account
    if (verdict.kind === 'refuse') throw overBudget(verdict.account, verdict.needed, request, now)
    const hold = take(request.accounts, verdict.amount)
    return { hold, maxOutput: verdict.maxOutput, inputLikely: ask.tokens.inputLikely }
  }

  #wait(request: HoldRequest, on: Account): Promise<Held> {
    return new Promise((resolve, reject) => this.#enqueue({ request, since: this.#clock(), resolve, reject }, on))
  }

  #enqueue(waiter: Waiter, on: Account): void {
    const queue = this.#waiting.get(on) ?? []
    if (queue.length >= MOST_WAITING) {
      waiter.reject(heldByOthers(on, waiter.request))
      return
    }
    if (queue.length === 0) this.#waiting.set(on, queue)
    queue.push(waiter)
    const { request } = waiter
    const leave = () => {
      for (const [account, others] of this.#waiting) {
        const at = others.indexOf(waiter)
        if (at < 0) continue
        others.splice(at, 1)
        if (others.length === 0) this.#waiting.delete(account)
        return true
      }
      return false
    }
    // Asked once more when its time is over or a window ends: by then the money may be there though nobody settled.
    const wakeIn = () => {
      const now = this.#clock()
      return Math.max(0, Math.min(waiter.since + request.waitMs, ...request.accounts.map((a) => a.window.end)) - now)
    }
    const wake = () => {
      try {
        const held = this.#try(request)
        if ('hold' in held) leave() ? waiter.resolve(held) : this.#giveBack(held.hold, 0)
        else if (this.#clock() < waiter.since + request.waitMs) timer = setTimeout(wake, wakeIn())
        else if (leave()) waiter.reject(heldByOthers(held, request))
      } catch (cause) {
        if (leave()) waiter.reject(Refusal.from(cause))
      }
    }
    let timer = setTimeout(wake, wakeIn())
    const onAbort = () =>
      leave() && end(() => waiter.reject(new Refusal('client_closed', 'The caller left while waiting for budget.')))
    const end = (act: () => void) => {
      clearTimeout(timer)
      request.signal.removeEventListener('abort', onAbort)
      act()
    }
    request.signal.addEventListener('abort', onAbort, { once: true })
    const { resolve, reject } = waiter
    waiter.resolve = (held) => end(() => resolve(held))
    waiter.reject = (refusal) => end(() => reject(refusal))
  }

  /** Money came back: those who wait for it are asked again, in their order, until one has to go on waiting. */
  #pump(account: Account): void {
    const queue = this.#waiting.get(account)
    while (queue && queue.length > 0) {
      const waiter = queue[0] as Waiter
      try {
        const held = this.#try(waiter.request)
        if (held === account) return
        queue.shift()
        if ('hold' in held) waiter.resolve(held)
        else this.#moveTo(waiter, held)
      } catch (cause) {
        queue.shift()
        waiter.reject(Refusal.from(cause))
      }
    }
    this.#waiting.delete(account)
  }

  #moveTo(waiter: Waiter, account: Account): void {
    const queue = this.#waiting.get(account)
    if (queue) queue.push(waiter)
    else this.#waiting.set(account, [waiter])
  }
}

/** The fact that names the period by which a scope's windows are counted. Without it they are counted anew. */
export const factOf = (scope: string): string => `period of ${scope}`
const nameOf = (period: Period | undefined): string => (period ? `${period.count}${period.unit}` : '')

/** What charges say of their end and their source. */
const WORDS = [
  ...['ok', 'aborted', 'interrupted', 'internal', 'provider', 'estimated', 'none'],
  ...['rate_limited', 'overloaded', 'server', 'timeout', 'unreachable', 'bad_reply', 'context', 'content_filter'],
  ...['caller', 'auth', 'not_found'],
]

/** The first operation number of a millisecond. */
export const operationAt = (ms: number): number => (ms - Date.UTC(2024, 0, 1)) * 4096

/** The windows a charge counts in: the scope's own, and the one since the beginning. */
export function movesOf(scopes: Moves): Moves {
  return scopes.flatMap(([scope, start]) =>
    start === 0 ? [[scope, 0] as const] : [[scope, start] as const, [scope, 0] as const],
  )
}
