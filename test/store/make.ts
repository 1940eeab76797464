/** A ledger on a real database in a folder of its own, with a clock that the test turns. */

import type { Estimate } from '../../src/core/estimate.ts'
import { type Account, type Ask, roll } from '../../src/core/ledger.ts'
import type { Price } from '../../src/core/price.ts'
import { NOBODY, type Payer, readScope } from '../../src/core/scope.ts'
import { usage } from '../../src/core/usage.ts'
import { readHolds } from '../../src/store/hold-text.ts'
import { type HoldRequest, Ledger, type LedgerSettings, type OpenHold } from '../../src/store/ledger.ts'
import { openStore, type Store } from '../../src/store/open.ts'
import { recoverHolds } from '../../src/store/recover.ts'
import { systemTiming } from '../../src/store/timing.ts'
import { NOON, priced, target } from '../core/make.ts'
import { makeTemp, removeTemp } from '../support/temp.ts'

/** $1 a million tokens both ways: a token is 1,000 nano-dollars. */
export const PRICE = priced(1_000_000_000, 1_000_000_000)
export const TOKEN = 1_000

export interface World {
  dir: string
  store: Store
  ledger: Ledger
  clock: { now: number }
  /** What failed to be written. */
  errors: unknown[]
  /** Warnings that were given: a scope and the mark. */
  crossed: [scope: string, mark: number][]
  /** The payer is made of the accounts' scopes. */
  hold(
    accounts: readonly Account[],
    tokens: number | Partial<Estimate>,
    given?: Partial<HoldRequest>,
  ): Promise<OpenHold>
  /** Settles with `tokens` of prompt. Returns the cost. */
  settle(open: OpenHold, tokens: number): number
  /** A number of the database. */
  count(sql: string): number
  /** Holds in the database whose attempt has no charge yet, and their nano-dollars: what a crash would leave. */
  left(): { holds: number; amount: number }
  /** How many attempts the last start found open. */
  recovered: number
  /** Ends the process in an orderly way or as a power cut would; begins a new one on the same data, as app.ts does. */
  restart(how?: 'flush' | 'crash'): void
  end(): void
}

/** Who has these accounts. */
export function payerOf(accounts: readonly Account[]): Payer {
  const payer = { ...NOBODY, tags: [] as string[] }
  for (const { kind, id } of accounts.map((account) => readScope(account.scope)))
    if (kind === 'tag') payer.tags.push(id)
    else if (kind !== 'gateway' && kind !== 'model' && kind !== 'provider') payer[kind] = id
  return payer
}

/** @param wrap put between the ledger and the database, to count or to break what is written */
export function makeWorld(
  wrap: (store: Store) => Store = (store) => store,
  given: Partial<LedgerSettings> = {},
): World {
  const dir = makeTemp('store')
  const clock = { now: NOON }
  const errors: unknown[] = []
  const crossed: World['crossed'] = []
  const settings: LedgerSettings = { zone: 'UTC', mode: 'cap', warnAt: [0.8, 1], ...given }
  const open = () => {
    const store = openStore(dir)
    const recovered = recoverHolds(store, clock.now, settings.zone)
    return {
      store,
      recovered,
      ledger: new Ledger(
        wrap(store),
        systemTiming(() => clock.now),
        settings,
        {
          onError: (cause) => errors.push(cause),
          onCrossed: ({ scope }, mark) => crossed.push([scope, mark]),
        },
      ),
    }
  }
  const world: World = {
    dir,
    clock,
    errors,
    crossed,
    ...open(),
    hold(accounts, tokens, given = {}) {
      const whole = { inputMost: 0, inputLikely: 0, outputMost: 0, outputLeast: 0 }
      const estimate = typeof tokens === 'number' ? { inputMost: tokens, inputLikely: tokens } : tokens
      const price: Price = given.target?.price ?? PRICE
      const ask: Ask = { price, tokens: { ...whole, ...estimate } }
      return world.ledger.hold({
        operation: world.ledger.nextOperation(),
        attempt: 1,
        payer: payerOf(accounts),
        target: target({ price: PRICE }),
        call: 'acompletion',
        accounts() {
          for (const account of accounts) roll(account, clock.now)
          return accounts
        },
        ask: () => ask,
        waitMs: 10_000,
        status: 422,
        signal: new AbortController().signal,
        ...given,
      })
    },
    settle: (held, tokens) =>
      world.ledger.settle(held, {
        outcome: 'ok',
        status: 200,
        usage: usage({ input: tokens }),
        source: 'provider',
        firstMs: 5,
        now: clock.now + 10,
      }),
    count: (sql) => Object.values(world.store.sqlite.prepare(sql).get() as Record<string, number>)[0] as number,
    left() {
      const rows = world.store.sqlite.prepare('SELECT facts FROM holds ORDER BY id').pluck().all() as string[]
      const charged = world.store.sqlite.prepare('SELECT 1 FROM charges WHERE operation = ? AND attempt = ?')
      const open = readHolds(rows).filter((hold) => !charged.get(hold.operation, hold.attempt))
      return { holds: open.length, amount: open.reduce((sum, hold) => sum + hold.amount, 0) }
    },
    restart(how = 'flush') {
      if (how === 'flush') {
        world.ledger.flush()
        world.store.close()
      } else {
        // What is in the outbox is lost, as it is with the process.
        world.store.close()
      }
      Object.assign(world, open())
    },
    end() {
      world.ledger.flush()
      world.store.close()
      removeTemp(dir)
    },
  }
  return world
}

/** The outcome of a promise that may never come within this turn of the loop. */
export async function soon<T>(promise: Promise<T>): Promise<T | 'pending'> {
  const later = Bun.sleep(30).then(() => 'pending' as const)
  return Promise.race([promise, later])
}

/** What a promise was rejected with. */
export const refusal = async (promise: Promise<unknown>): Promise<Error & { code?: string; status?: number }> =>
  promise.then(
    () => {
      throw new Error('it was not refused')
    },
    (cause) => cause,
  )
