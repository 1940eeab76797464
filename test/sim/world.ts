/** The ledger under test, everything around it that is not real (time, chance, callers, a disk that fails), and the books. */
import { drainMicrotasks } from 'bun:jsc'
import { type Budget, type BudgetMode, budgetName, limitAt } from '../../src/core/budget.ts'
import type { Estimate } from '../../src/core/estimate.ts'
import { allows } from '../../src/core/key.ts'
import type { Account, Ask } from '../../src/core/ledger.ts'
import { costOf, worstCost } from '../../src/core/price.ts'
import { Refusal } from '../../src/core/refusal.ts'
import type { Payer } from '../../src/core/scope.ts'
import type { Target } from '../../src/core/target.ts'
import { usage } from '../../src/core/usage.ts'
import { accountsAt } from '../../src/pipeline/accounts.ts'
import type { Call } from '../../src/pipeline/call.ts'
import type { Io } from '../../src/pipeline/io.ts'
import { nothing } from '../../src/pipeline/set-aside.ts'
import { Ledger, type OpenHold, type Outcome } from '../../src/store/ledger.ts'
import { recoverHolds } from '../../src/store/recover.ts'
import { rezone } from '../../src/store/rezone.ts'
import { Books, type Entry } from './books.ts'
import { Disk } from './disk.ts'
import { Random } from './random.ts'
import { makeScene, type Scene, scopesOf } from './scene.ts'
import { FakeTime } from './time.ts'
import { hold } from './violation.ts'

/** Small, so that they are met. */
export const BOUNDS = { scopes: 8, waiting: 6, unwritten: 12, sweep: 10 }
export const WARN_AT = [0.5, 0.8, 1]
const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe']
/** 2026-10-23: days before the clocks of two of them change. */
const BEGIN = Date.UTC(2026, 9, 23, 20)

/** One attempt, from its asking to its end. */
export interface Asked {
  /** Older ones have lower numbers. */
  readonly seq: number
  readonly operation: number
  readonly attempt: number
  readonly payer: Payer
  readonly target: Target
  readonly scopes: readonly string[]
  readonly tokens: Estimate
  /** It books what has been spent already, whatever is left. */
  readonly late: boolean
  /** When its operation began. */
  readonly begunAt: number
  readonly askedAt: number
  readonly waitMs: number
  readonly gone: AbortController
  /** Set once its money is taken. */
  entry: Entry | undefined
  /** Set once it may send. */
  open: OpenHold | undefined
  refusal: Refusal | undefined
  /** Tokens of answer that have come. */
  come: number
}

/** One budget that stands in the way of an attempt. */
export interface Bar {
  scope: string
  budget: Budget
  mode: BudgetMode
  limit: number
  spent: number
  held: number
}

export class World {
  readonly random: Random
  readonly time: FakeTime
  readonly disk: Disk
  readonly scene: Scene
  readonly zone: string
  readonly mode: BudgetMode
  books: Books
  ledger: Ledger
  /** Asked for and not over. */
  readonly asked = new Set<Asked>()
  /** Some that are over: nothing that is done to them again may count. */
  readonly over: Asked[] = []
  /** Warnings of this event. */
  crossed: { account: Account; mark: number }[] = []
  /** The budgets that the ledger knows of each scope, and the accounts that it gave for them. */
  readonly told = new Map<string, { budgets: readonly Budget[]; accounts: readonly Account[] }>()
  /** Budgets that are beyond their limit for a reason (a lower limit, a provider that lies), in their windows. */
  readonly excused = new Set<string>()
  /** How many waited before this event. */
  waitedBefore = 0
  /** Budgets that were taken away and may come back. */
  readonly away = new Map<string, readonly Budget[]>()
  /** ms since the epoch: charges that began before may be gone. */
  keptFrom = 0
  lastOperation = 0
  /** Time goes on until then, one timer after the other. */
  until: number | undefined
  /** Notes what has happened, and all that follows of it by itself. */
  note: () => void = () => {}
  /** Notes what has happened in the middle of it: promises are kept, and nobody knows it yet. */
  noteHalf: () => void = () => {}
  seq = 0
  /** A process that has died says nothing any more. */
  #life = 0

  constructor(seed: number) {
    this.random = new Random(seed)
    this.time = new FakeTime(BEGIN + this.random.int(0, 3 * 86_400_000))
    this.disk = new Disk(this.random.chance(0.02) ? 'file' : 'memory')
    this.zone = this.random.pick(ZONES)
    this.mode = this.random.pick(['cap', 'cap', 'strict'] as const)
    this.scene = makeScene(this.random)
    this.books = new Books(this.zone)
    this.ledger = this.#start()
  }

  get now(): number {
    return this.time.now()
  }

  #start(): Ledger {
    rezone(this.disk.store, this.zone)
    recoverHolds(this.disk.store, this.now, this.zone)
    this.told.clear()
    return new Ledger(
      this.disk.faulty(),
      this.time.ofProcess(),
      { zone: this.zone, mode: this.mode, warnAt: WARN_AT, bounds: BOUNDS },
      { onError: () => {}, onCrossed: (account, mark) => this.crossed.push({ account, mark }) },
    )
  }

  /** The process dies, and another one begins on what is on the disk. */
  crash(): void {
    this.#life++
    this.time.crash()
    // Nobody starts in no time: what is numbered by the millisecond relies on it.
    this.time.step(this.now + this.random.int(1, 3_000))
    this.disk.fault = 'none'
    this.disk.reopen()
    this.ledger = this.#start()
  }

  /** The accounts of a scope, as the pipeline asks for them. */
  accounts(scope: string): readonly Account[] {
    const budgets = this.scene.budgets.get(scope) ?? []
    const accounts = this.ledger.accounts(scope, budgets)
    this.told.set(scope, { budgets, accounts })
    return accounts
  }

  /** What the pipeline needs of the rest of the gateway. */
  readonly #io = {
    ledger: { accounts: (scope: string) => this.accounts(scope) },
    payers: { budgets: (scope: string) => this.scene.budgets.get(scope) ?? [] },
  } as unknown as Io

  /** Asks for the money of an attempt. */
  ask(given: Pick<Asked, 'payer' | 'target' | 'tokens'> & Partial<Asked>): Asked {
    const { payer, target, tokens } = given
    const operation = given.operation ?? this.nextOperation()
    const it: Asked = {
      ...{ seq: this.seq++, operation, attempt: 1, payer, target, tokens, late: false },
      ...{
        scopes: scopesOf(payer, target),
        begunAt: this.now,
        askedAt: this.now,
        waitMs: 60_000,
        gone: new AbortController(),
      },
      ...{ entry: undefined, open: undefined, refusal: undefined, come: 0 },
      ...given,
    }
    this.asked.add(it)
    const ask: Ask = { price: target.price, tokens }
    const call = { payer } as Call
    const life = this.#life
    const request = {
      ...{ operation, attempt: it.attempt, target, call: 'acompletion', payer, waitMs: it.waitMs, status: 422 },
      // A process that has died may still be in the middle of something: it has no accounts in the new one.
      accounts: () => (life === this.#life ? accountsAt(call, this.#io, target) : []),
      ask: it.late ? nothing : () => ask,
      signal: it.gone.signal,
    }
    this.ledger.hold(request).then(
      (open) => {
        if (life === this.#life) it.open = open
      },
      (cause) => {
        if (life === this.#life) it.refusal = Refusal.from(cause)
      },
    )
    return it
  }

  nextOperation(): number {
    const operation = this.ledger.nextOperation()
    hold('numbers rise', operation > this.lastOperation, () => `${operation} after ${this.lastOperation}`)
    this.lastOperation = operation
    return operation
  }

  /** Everything that follows of itself, before anything else happens. */
  drain(): void {
    drainMicrotasks()
  }

  /** The budgets that an attempt has to pass, as the books see them. */
  bars(it: Asked): Bar[] {
    const bars: Bar[] = []
    for (const scope of it.scopes)
      for (const budget of this.scene.budgets.get(scope) ?? [])
        if (budget.model === undefined || allows([budget.model], it.target.alias)) bars.push(this.bar(scope, budget))
    return bars
  }

  bar(scope: string, budget: Budget): Bar {
    const { limit } = limitAt(budget, this.now)
    return { scope, budget, mode: budget.mode ?? this.mode, limit, ...this.books.standing(scope, budget, this.now) }
  }

  /** Says that a budget may be beyond its limit until its window is over. */
  excuse({ scope, budget }: Bar): void {
    this.excused.add(this.windowName(scope, budget))
  }

  windowName(scope: string, budget: Budget): string {
    return `${scope} ${budgetName(budget)} ${this.books.windowOf(budget, this.now).start}`
  }

  /** Books what an attempt used, in the books first. @param lies it was more than was covered */
  settle(it: Asked, input: number, output: number, outcome = 'ok'): void {
    const { open, entry } = it
    if (!open || !entry) throw new Error('what has not begun cannot end')
    const used = usage({ input, output })
    const cost = costOf(it.target.price, used)
    const covered = input <= open.covers.input && output <= open.covers.output && !it.late
    hold(
      'what is covered is paid for',
      !covered || cost <= entry.amount,
      () => `${input} + ${output} tokens cost ${cost}, ${entry.amount} was held for ${JSON.stringify(open.covers)}`,
    )
    const before = this.bars(it)
    this.books.charge(entry, cost, input + output)
    if (!covered) for (const bar of before) this.excuse(bar)
    this.asked.delete(it)
    this.#remember(it)
    const told = this.ledger.settle(open, this.endingOf(input, output, outcome))
    hold('settled once', told === cost, () => `it cost ${cost}, the ledger says ${told}`)
    if (cost > 0) this.#mustWarn(it, before)
  }

  /** Nobody saw its end, and nobody will: it is charged as after a crash. */
  forget(it: Asked): void {
    if (!it.entry) throw new Error('what has not begun is not forgotten')
    this.books.charge(it.entry, it.entry.likely.cost, it.entry.likely.tokens)
    this.asked.delete(it)
    this.#remember(it)
  }

  endingOf(input: number, output: number, outcome: string): Outcome {
    const used = usage({ input, output })
    return { outcome, status: 200, usage: used, source: 'provider', firstMs: 5, now: this.now }
  }

  /** Asks for more of an answer. @returns whether it has to end here */
  extend(it: Asked, least: number, wanted: number): boolean {
    const { open, entry } = it
    if (!open || !entry) throw new Error('what has not begun does not go on')
    const costOf = (tokens: number) => worstCost(it.target.price, open.covers.input, open.covers.output + tokens)
    const step = costOf(least) - costOf(0)
    // A window that is over does not stand in the way, and with a disk that fails nothing that is new.
    const hard = this.bars(it).filter(
      ({ scope, budget, mode }) =>
        mode !== 'soft' &&
        entry.at >= this.books.windowOf(budget, this.now).start &&
        (this.disk.fault === 'none' || this.told.get(scope)?.budgets === this.scene.budgets.get(scope)),
    )
    const refusal = this.ledger.extend(open, least, wanted, 422)
    const more = open.hold.amount - entry.amount
    entry.amount = open.hold.amount
    const paid = refusal ? more === 0 : more >= step
    hold('what is covered is paid for', paid, () => `${more} more for ${JSON.stringify(open.covers)}`)
    for (const { scope, limit, spent, held } of more > 0 ? hard : [])
      hold('no overspend', spent + held + more <= limit, () => `a stream took ${more} more of ${scope}`)
    if (!refusal) return false
    // What it was told of a budget last holds as long as nothing can be written.
    const isShort = this.disk.fault !== 'none' || hard.some((b) => b.limit - b.spent - b.held < step)
    hold('no false refusal', isShort, () => `a stream was cut: ${refusal.message}`)
    return true
  }

  /** An operator looks at a scope, as after each change of its budgets. */
  look(scope: string): void {
    try {
      this.accounts(scope)
    } catch (cause) {
      if (this.disk.fault === 'none') throw cause
    }
  }

  release(it: Asked): void {
    if (!it.open || !it.entry) throw new Error('what has not begun cannot end')
    this.books.release(it.entry, this.disk.commits)
    this.asked.delete(it)
    this.#remember(it)
    this.ledger.release(it.open)
  }

  #remember(it: Asked): void {
    this.over.push(it)
    if (this.over.length > 8) this.over.shift()
  }

  /** What is spent has come to a mark, or gone past some: the highest of them is told. */
  #mustWarn(it: Asked, before: readonly Bar[]): void {
    const entry = it.entry as Entry
    for (const { scope, budget, limit, spent } of before) {
      const after = this.books.standing(scope, budget, this.now).spent
      const inWindow = entry.at >= this.books.windowOf(budget, this.now).start
      const marks = Number.isFinite(limit) ? WARN_AT.map((share) => Math.ceil(limit * share)) : []
      const passed = Math.max(...[...marks, budget.soft ?? Number.POSITIVE_INFINITY].filter((mark) => mark <= after))
      if (!inWindow || passed <= spent || after === spent) continue
      const name = budgetName(budget)
      const told = this.crossed.some(
        ({ account, mark }) => account.scope === scope && budgetName(account.budget) === name && mark === passed,
      )
      // Who has not asked since a budget changed has accounts of the old one.
      const isTold = this.told.get(scope)?.budgets === this.scene.budgets.get(scope)
      if (isTold)
        hold('warned at each mark', told, () => `${scope} ${name} went from ${spent} to ${after}, past ${passed}`)
    }
  }

  /** What an attempt is charged whose end nobody saw. */
  likelyOf(it: Asked): Entry['likely'] {
    const tokens = it.late ? 0 : it.tokens.inputLikely
    return { cost: costOf(it.target.price, usage({ input: tokens })), tokens }
  }

  /** The most that an attempt can cost, nano-dollars. */
  worstOf({ target, tokens, late }: Asked): number {
    return late ? 0 : worstCost(target.price, tokens.inputMost, tokens.outputMost)
  }

  /** Less than this, and a budget of this mode refuses it. Nano-dollars. */
  leastOf({ target, tokens, late }: Asked, mode: BudgetMode): number {
    if (late) return 0
    return worstCost(target.price, tokens.inputLikely, mode === 'cap' ? tokens.outputLeast : tokens.outputMost)
  }
}
