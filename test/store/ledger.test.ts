import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import Database from 'better-sqlite3'
import type { Budget } from '../../src/core/budget.ts'
import type { Account } from '../../src/core/ledger.ts'
import { parsePeriod } from '../../src/core/period.ts'
import { FREE } from '../../src/core/price.ts'
import { NOBODY } from '../../src/core/scope.ts'
import type { OpenHold } from '../../src/store/ledger.ts'
import type { Store } from '../../src/store/open.ts'
import { retain } from '../../src/store/retain.ts'
import { type SpendFilter, spendRows } from '../../src/store/spend.ts'
import { verify } from '../../src/store/verify.ts'
import { target } from '../core/make.ts'
import { makeWorld, PRICE, payerOf, refusal, soon, TOKEN, type World } from './make.ts'

const budget = (tokens: number, period?: string): Budget => ({
  limit: tokens * TOKEN,
  period: period === undefined ? undefined : parsePeriod(period),
})
const HOUR = 3_600_000
const NO_LIMIT: Budget = { limit: Number.POSITIVE_INFINITY }

let w: World
beforeEach(() => {
  w = makeWorld()
})
afterEach(() => w.end())
/** The account of a scope with one budget. */
const account = (scope: string, it: Budget): Account => w.ledger.accounts(scope, [it])[0] as Account
const rows = (filter: SpendFilter) => spendRows(w.store, filter, 'UTC')
const totalOf = (scope: string) => w.ledger.total(scope).cost

describe('handing over', () => {
  test('the caller has his money back at once, and what it costs is on the other account', async () => {
    const mine = account('key:a', budget(100))
    const other = account('tag:hedge', budget(100))
    const open = await w.hold([mine], 60)
    w.ledger.handOver(open, { ...NOBODY, tags: ['hedge'] }, () => [other])
    expect([mine.held, mine.spent, other.held]).toEqual([0, 0, 0])
    // Nobody waits for it any more.
    const next = await w.hold([mine], 100, { operation: 2 })
    expect(w.settle(open, 7)).toBe(7 * TOKEN)
    expect([mine.spent, other.spent]).toEqual([0, 7 * TOKEN])
    w.settle(next, 1)
    w.ledger.flush()
    expect([totalOf('key:a'), totalOf('tag:hedge')]).toEqual([TOKEN, 7 * TOKEN])
    expect(verify(w.store.sqlite).differences).toEqual([])
    // Once it is over, there is nothing to hand over.
    w.ledger.handOver(open, NOBODY, () => [mine])
    expect(mine.spent).toBe(TOKEN)
  })
})

describe('writing', () => {
  test('a hold is in the database before anybody may send, for other connections too', async () => {
    const a = account('key:a', budget(100))
    const held = await w.hold([a], 10)
    const other = new Database(w.store.path, { readonly: true })
    expect(other.prepare('SELECT count(*) AS n FROM holds').get()).toEqual({ n: 1 })
    other.close()
    expect(w.ledger.open()).toEqual({ holds: 1, amount: 10 * TOKEN })
    expect(w.left()).toEqual({ holds: 1, amount: 10 * TOKEN })
    w.settle(held, 4)
    w.ledger.flush()
    expect(w.left()).toEqual({ holds: 0, amount: 0 })
  })

  test('what arrives together is written together', async () => {
    let commits = 0
    w.end()
    w = makeWorld((store) => watched(store, (sql) => sql === 'COMMIT' && commits++))
    const a = account('key:a', NO_LIMIT)
    const held = await Promise.all(Array.from({ length: 100 }, () => w.hold([a], 1)))
    expect(commits).toBe(1)
    for (const one of held) w.settle(one, 1)
    await Bun.sleep(100)
    expect(commits).toBe(2)
    expect(w.count('SELECT count(*) FROM charges')).toBe(100)
  })

  test('one row a charge, and every counter moves with it', async () => {
    const key = account('key:a', budget(1_000, '1h'))
    const gateway = account('gateway', NO_LIMIT)
    for (const tokens of [3, 5]) w.settle(await w.hold([key, gateway], 10), tokens)
    w.ledger.flush()
    for (const scope of ['key:a', 'model:m', 'provider:openai', 'gateway'])
      expect(w.ledger.total(scope)).toEqual({ cost: 8 * TOKEN, requests: 2, tokens: 8 })
    expect(w.count(`SELECT cost FROM spend WHERE budget > 0 AND window_start = ${w.clock.now}`)).toBe(8 * TOKEN)
    expect(w.count('SELECT count(*) FROM spend WHERE budget > 0')).toBe(1)
    expect(w.count('SELECT count(*) FROM rollups')).toBe(4)
    const sums = 'cost, requests, failed, input, cache_read, cache_write, output, reasoning'
    for (const table of ['rollups', 'payer_rollups'])
      expect(w.store.sqlite.prepare(`SELECT DISTINCT ${sums} FROM ${table}`).raw().all()).toEqual([
        [8 * TOKEN, 2, 0, 8, 0, 0, 0, 0],
      ])
    expect(verify(w.store.sqlite)).toMatchObject({ differences: [], total: 8 * TOKEN })
    const [last, first] = rows({ key: 'a', limit: 10 })
    expect(last).toMatchObject({ cost: 5 * TOKEN, input: 5, outcome: 'ok', source: 'provider', keyId: 'a', model: 'm' })
    expect(JSON.parse(first?.price as string).version).toBe('test')
    expect(rows({ key: 'b', limit: 10 })).toEqual([])
    expect(rows({ beforeOperation: last?.operation, limit: 10 })).toHaveLength(1)
  })

  test('settling twice books once', async () => {
    const a = account('key:a', budget(100))
    const held = await w.hold([a], 10)
    expect([w.settle(held, 4), w.settle(held, 9)]).toEqual([4 * TOKEN, 9 * TOKEN])
    w.ledger.release(held)
    w.ledger.flush()
    expect([a.spent, a.held, totalOf('key:a')]).toEqual([4 * TOKEN, 0, 4 * TOKEN])
    expect(w.count('SELECT count(*) FROM charges')).toBe(1)
  })

  test('a hold that came to nothing leaves no row', async () => {
    const a = account('key:a', budget(100))
    w.ledger.release(await w.hold([a], 10))
    w.ledger.flush()
    expect(w.count('SELECT count(*) FROM charges')).toBe(0)
    expect(w.left()).toEqual({ holds: 0, amount: 0 })
    expect(w.ledger.open()).toEqual({ holds: 0, amount: 0 })
    expect(a.held).toBe(0)
  })

  test('holds that are over are swept away, those that are open stay', async () => {
    const a = account('key:a', NO_LIMIT)
    const open = await Promise.all([w.hold([a], 1), w.hold([a], 2)])
    for (let i = 0; i < 17; i++) {
      const held = await Promise.all(Array.from({ length: 1_000 }, () => w.hold([a], 1)))
      for (const one of held) w.settle(one, 1)
      w.ledger.flush()
    }
    expect(w.left()).toEqual({ holds: 2, amount: 3 * TOKEN })
    // Seventeen batches were written, and all but those since the sweep are gone.
    expect(w.count('SELECT count(*) FROM holds')).toBeLessThan(5)
    expect(w.count('SELECT count(*) FROM charges')).toBe(17_000)
    for (const one of open) w.settle(one, 1)
  }, 30_000)

  test('holds that come to nothing are swept away too', async () => {
    const a = account('key:a', NO_LIMIT)
    for (let i = 0; i < 17; i++) {
      const held = await Promise.all(Array.from({ length: 1_000 }, () => w.hold([a], 1)))
      for (const one of held) w.ledger.release(one)
      w.ledger.flush()
    }
    expect(w.left().holds).toBe(0)
    expect(w.count('SELECT count(*) FROM holds')).toBeLessThan(5)
  }, 30_000)

  test('a charge that is there already is told, counts once, and keeps no other from being written', async () => {
    const a = account('key:a', NO_LIMIT)
    const operation = w.ledger.nextOperation()
    const twice = await Promise.all([w.hold([a], 1, { operation }), w.hold([a], 1, { operation })])
    const other = await w.hold([a], 1)
    for (const one of [...twice, other]) w.settle(one, 3)
    w.ledger.flush()
    expect([w.ledger.unwritten, w.errors.length]).toEqual([0, 1])
    expect(w.ledger.total('key:a')).toEqual({ cost: 6 * TOKEN, requests: 2, tokens: 6 })
    expect(verify(w.store.sqlite).differences).toEqual([])
  })

  test('a scope that was first named in a transaction that failed does not share its number with another', async () => {
    let broken = false
    w.end()
    w = makeWorld((store) =>
      watched(store, (sql) => {
        if (broken && sql === 'COMMIT') throw new Error('disk full')
      }),
    )
    const a = account('key:a', NO_LIMIT)
    const payer = (team: string) => ({ ...payerOf([a]), team })
    const red = await w.hold([a], 10, { payer: payer('red') })
    broken = true
    w.settle(red, 4)
    w.ledger.flush()
    expect(w.ledger.unwritten).toBe(1)
    broken = false
    w.settle(await w.hold([a], 10, { payer: payer('blue') }), 7)
    w.ledger.flush()
    expect(['team:red', 'team:blue', 'key:a'].map(totalOf)).toEqual([4 * TOKEN, 7 * TOKEN, 11 * TOKEN])
    expect(verify(w.store.sqlite).differences).toEqual([])
  })

  test('a disk that fails refuses new holds, gives their money back and forgets no charge', async () => {
    let broken = false
    w.end()
    w = makeWorld((store) =>
      watched(store, (sql) => {
        if (broken && sql === 'COMMIT') throw Object.assign(new Error('disk full'), { code: 'SQLITE_FULL' })
      }),
    )
    const a = account('key:a', budget(100))
    const held = await w.hold([a], 10)
    broken = true
    w.settle(held, 4)
    const refused = await refusal(w.hold([a], 20))
    expect(refused.code).toBe('overloaded')
    expect([a.held, a.spent]).toEqual([0, 4 * TOKEN])
    expect(w.errors.length).toBeGreaterThan(0)
    expect(w.ledger.unwritten).toBe(1)
    w.ledger.flush()
    expect([w.ledger.unwritten, w.count('SELECT count(*) FROM charges')]).toEqual([1, 0])
    broken = false
    w.ledger.flush()
    expect(w.ledger.unwritten).toBe(0)
    expect(totalOf('key:a')).toBe(4 * TOKEN)
    expect(w.left().holds).toBe(0)
  })

  test('a target whose name cannot be written takes no money', async () => {
    let broken = false
    w.end()
    w = makeWorld((store) =>
      watched(store, (sql) => {
        if (broken && sql.startsWith('INSERT INTO targets')) throw new Error('disk full')
      }),
    )
    const a = account('key:a', budget(100))
    broken = true
    expect((await refusal(w.hold([a], 20, { target: target({ id: 'new', model: 'new' }) }))).code).toBe('overloaded')
    expect(a.held).toBe(0)
    expect([w.ledger.open().holds, w.errors.length]).toEqual([0, 1])
    broken = false
  })
})

describe('numbers of operations', () => {
  test('rise though the clock falls back, and over a restart', async () => {
    const first = w.ledger.nextOperation()
    w.clock.now -= HOUR
    const second = w.ledger.nextOperation()
    expect(second).toBeGreaterThan(first)
    const a = account('key:a', NO_LIMIT)
    const held = await w.hold([a], 1)
    w.settle(held, 1)
    w.restart()
    expect(w.ledger.nextOperation()).toBeGreaterThan(held.attempt.operation)
  })
})

describe('waiting', () => {
  test('for money that others hold, in order, until it comes back', async () => {
    const a = account('key:a', budget(100))
    const first = await w.hold([a], 100)
    const order: string[] = []
    const second = w.hold([a], 60).then((held) => [order.push('second'), held] as const)
    const third = w.hold([a], 60).then((held) => [order.push('third'), held] as const)
    expect(await soon(second)).toBe('pending')
    w.settle(first, 10)
    const [, held] = await second
    expect(await soon(third)).toBe('pending')
    w.settle(held, 20)
    w.settle((await third)[1], 60)
    expect(order).toEqual(['second', 'third'])
    expect([a.spent, a.held]).toEqual([90 * TOKEN, 0])
  })

  test('holds nobody up who needs less, and lets nobody pass who needs as much', async () => {
    const a = account('key:a', budget(100))
    const [first, second] = [await w.hold([a], 50), await w.hold([a], 40)]
    const order: string[] = []
    const wait = (name: string, tokens: number) =>
      w.hold([a], tokens).then((held) => {
        order.push(name)
        return held
      })
    const large = wait('large', 60)
    const [small, other] = [wait('small', 30), wait('other', 30)]
    expect(await soon(Promise.race([large, small, other]))).toBe('pending')
    w.settle(second, 0)
    const held = await small
    // Fifty were free: one of thirty fits beside the first, and not another.
    expect(await soon(Promise.race([large, other]))).toBe('pending')
    w.settle(first, 0)
    w.settle(await large, 10)
    w.settle(held, 10)
    w.settle(await other, 10)
    expect(order).toEqual(['small', 'large', 'other'])
    expect([a.spent, a.held]).toEqual([30 * TOKEN, 0])
  })

  test('is in order over several queues: who came first has what came back first', async () => {
    const [a, gateway] = [account('key:a', budget(100)), account('gateway', budget(100))]
    const first = await w.hold([a, gateway], 100)
    const order: string[] = []
    // The first one waits for the gateway, the second for the key, and both come back at once.
    const waiting = [w.hold([gateway], 80).then((held) => [order.push('first'), held] as const)]
    waiting.push(w.hold([a, gateway], 80).then((held) => [order.push('second'), held] as const))
    await Bun.sleep(5)
    w.settle(first, 0)
    for (const one of waiting) w.settle((await one)[1], 0)
    expect(order).toEqual(['first', 'second'])
  })

  test('ends with a refusal that says what is spent, when spending came in between', async () => {
    const a = account('key:a', budget(100))
    const first = await w.hold([a], 100)
    const second = refusal(w.hold([a], 60))
    w.settle(first, 50)
    const refused = await second
    expect([refused.code, refused.status]).toEqual(['budget_exceeded', 422])
    expect(refused.message).toContain(
      'this key is $0.000100000; $0.000050000 is spent, $0.000000000 is held, $0.000050000 is left',
    )
    expect(refused.message).toContain('needs at least $0.000060000')
    expect(a.held).toBe(0)
  })

  test('ends after its time with a refusal that says what is held', async () => {
    const a = account('key:a', budget(100))
    const first = await w.hold([a], 100)
    const real = setInterval(() => {
      w.clock.now += 20
    }, 5)
    const refused = await refusal(w.hold([a], 60, { waitMs: 40 }))
    clearInterval(real)
    expect(refused.code).toBe('budget_exceeded')
    expect(refused.message).toContain('held by requests that are under way')
    expect(refused.message).toContain('$0.000100000 is held')
    w.settle(first, 10)
    expect(a.held).toBe(0)
  })

  test('ends at once where the caller leaves, and takes nothing', async () => {
    const a = account('key:a', budget(100))
    const first = await w.hold([a], 100)
    const gone = new AbortController()
    const second = refusal(w.hold([a], 60, { signal: gone.signal }))
    await Bun.sleep(5)
    gone.abort()
    expect((await second).code).toBe('client_closed')
    w.settle(first, 10)
    expect([a.spent, a.held]).toEqual([10 * TOKEN, 0])
  })

  test('for one account lets those pass whom another one holds up', async () => {
    const [a, b] = [account('key:a', budget(100)), account('key:b', budget(100))]
    const gateway = account('gateway', budget(1_000))
    const first = await w.hold([a, gateway], 100)
    const stuck = w.hold([a, gateway], 100)
    const other = await w.hold([b, gateway], 100)
    expect(await soon(stuck)).toBe('pending')
    w.settle(other, 1)
    w.settle(first, 0)
    w.settle(await stuck, 1)
    expect([a.held, b.held, gateway.held]).toEqual([0, 0, 0])
  })

  test('ends when a new window begins, though nobody settles', async () => {
    const a = account('key:a', budget(100, '1h'))
    const first = await w.hold([a], 100)
    w.clock.now = a.window.end - 30
    const second = w.hold([a], 60)
    expect(await soon(second)).toBe('pending')
    w.clock.now = a.window.end
    const held = await second
    expect([a.spent, a.held]).toEqual([0, 60 * TOKEN])
    w.settle(first, 90)
    expect([a.spent, a.held]).toEqual([0, 60 * TOKEN])
    w.settle(held, 5)
    expect([a.spent, a.held, totalOf('key:a')]).toEqual([5 * TOKEN, 0, 95 * TOKEN])
  })

  test('is not for those who need no money', async () => {
    const a = account('key:a', budget(100))
    const first = await w.hold([a], 100)
    const free = await w.hold([a], 60, { target: target({ id: 'free', price: FREE }) })
    w.settle(free, 60)
    w.settle(first, 100)
    expect([a.spent, a.held]).toEqual([100 * TOKEN, 0])
  })

  test('two hundred at once with money for ten: the ten are served, the rest refused, not a nano-dollar too much', async () => {
    const a = account('key:a', budget(100))
    let served = 0
    const one = async () => {
      try {
        // The worst case is far dearer than what it will cost.
        const held = await w.hold([a], { inputMost: 50, inputLikely: 10 })
        await Bun.sleep(1)
        w.settle(held, 10)
        served++
      } catch (cause) {
        expect((cause as { code?: string }).code).toBe('budget_exceeded')
      }
    }
    await Promise.all(Array.from({ length: 200 }, one))
    expect(served).toBe(10)
    expect([a.spent, a.held]).toEqual([100 * TOKEN, 0])
  })
})

describe('a budget that changes while money is held', () => {
  const again = (b: Budget) => account('key:a', b)

  test('a raised limit lets those in who waited', async () => {
    const a = again(budget(100))
    const first = await w.hold([a], 100)
    const second = w.hold([a], 60)
    expect(await soon(second)).toBe('pending')
    const budgets = [budget(200)]
    expect(w.ledger.accounts('key:a', budgets)[0]).toBe(a)
    w.ledger.reconsider()
    const held = await second
    w.settle(first, 1)
    w.settle(held, 1)
    expect([a.spent, a.held]).toEqual([2 * TOKEN, 0])
  })

  test('whoever waits takes from the accounts that there are then, and takes once', async () => {
    const first = await w.hold([again(budget(100))], 100)
    let budgets = [budget(100)]
    const accounts = () => w.ledger.accounts('key:a', budgets)
    const waiting = [60, 30].map((tokens) => w.hold([], tokens, { payer: { ...NOBODY, key: 'a' }, accounts }))
    expect(await soon(Promise.race(waiting))).toBe('pending')
    // Two windows in place of one; nobody asks for them before those who wait do.
    budgets = [budget(100, '1d'), budget(1_000)]
    w.settle(first, 5)
    const held = await Promise.all(waiting)
    for (const account of accounts()) expect([account.held, account.spent]).toEqual([90 * TOKEN, 5 * TOKEN])
    expect(w.ledger.open()).toEqual({ holds: 2, amount: 90 * TOKEN })
    for (const one of held) w.settle(one, 10)
    for (const account of accounts()) expect([account.held, account.spent]).toEqual([0, 25 * TOKEN])
  })

  test('a window that went away and came back counts what is under way once, and what it missed too', async () => {
    const hour = [budget(1_000, '1h')]
    const accounts = (budgets: readonly Budget[]) => w.ledger.accounts('key:a', budgets)
    const given = { payer: { ...NOBODY, key: 'a' } }
    const before = await w.hold(accounts(hour), 10, given)
    const between = await w.hold(accounts([]), 20, given)
    const gone = await w.hold(accounts([]), 30, given)
    w.settle(gone, 30)
    accounts(hour)
    w.settle(before, 10)
    w.settle(between, 20)
    expect(accounts(hour)[0]?.spent).toBe(60 * TOKEN)
    for (let i = 0; i < 2; i++) {
      w.restart()
      expect(accounts(hour)[0]?.spent).toBe(60 * TOKEN)
    }
  })

  test('a lowered one refuses, and goes up again', async () => {
    const a = again(budget(100))
    const first = await w.hold([a], 100)
    w.settle(first, 50)
    expect((await refusal(w.hold([again(budget(40))], 1))).code).toBe('budget_exceeded')
    w.settle(await w.hold([again(budget(100))], 1), 1)
  })

  test('another period, twice over, and no period at all: nothing stays held, nothing is forgotten', async () => {
    for (const periods of [['1d'], ['1h', '1w'], ['1d', '1h', undefined], ['1h', '1d', '1h', '1mo', undefined]]) {
      const before = totalOf('key:a')
      const held = await w.hold([again(budget(1_000))], 100)
      const all = periods.map((period) => again(budget(1_000, period)))
      for (const each of all) expect(each.held).toBe(100 * TOKEN)
      w.settle(held, 7)
      for (const each of all) expect([each.held, each.spent]).toEqual([0, before + 7 * TOKEN])
      expect(totalOf('key:a')).toBe(before + 7 * TOKEN)
    }
  })

  test('the new window counts what was spent in it before, over a restart too', async () => {
    w.settle(await w.hold([again(budget(1_000, '1h'))], 100), 30)
    w.clock.now += 2 * HOUR
    const hour = again(budget(1_000, '1h'))
    w.settle(await w.hold([hour], 100), 5)
    expect(hour.spent).toBe(5 * TOKEN)
    const day = again(budget(1_000, '1d'))
    expect(day.spent).toBe(35 * TOKEN)
    w.settle(await w.hold([day], 100), 1)
    w.restart()
    const after = again(budget(1_000, '1d'))
    expect([after.spent, totalOf('key:a')]).toEqual([36 * TOKEN, 36 * TOKEN])
  })

  test('so it does where the period changed while nothing ran', async () => {
    w.settle(await w.hold([again(budget(1_000, '1h'))], 100), 30)
    w.clock.now += 2 * HOUR
    w.restart()
    expect(again(budget(1_000, '1h')).spent).toBe(0)
    w.restart()
    expect(again(budget(1_000, '1d')).spent).toBe(30 * TOKEN)
    w.settle(await w.hold([again(budget(1_000, '1d'))], 100), 2)
    w.restart()
    // Back and forth: what the hours saw meanwhile is in the day as well.
    expect(again(budget(1_000, '1h')).spent).toBe(2 * TOKEN)
    w.settle(await w.hold([again(budget(1_000, '1h'))], 100), 4)
    w.restart()
    expect(again(budget(1_000, '1d')).spent).toBe(36 * TOKEN)
  })

  test('a hold of yesterday that ends in a week that takes both in is part of what the week spent', async () => {
    w.clock.now = Date.UTC(2026, 10, 17, 23)
    const day = again(budget(1_000, '1d'))
    const held = await w.hold([day], 100)
    w.clock.now += 2 * HOUR
    again(budget(1_000, '1d'))
    expect(again(budget(1_000, '1d')).held).toBe(0)
    const week = again(budget(1_000, '1w'))
    expect(week.held).toBe(100 * TOKEN)
    w.settle(held, 7)
    expect([week.spent, week.held, day.spent]).toEqual([7 * TOKEN, 0, 0])
    w.restart()
    expect(again(budget(1_000, '1w')).spent).toBe(7 * TOKEN)
  })
})

describe('after a crash', () => {
  test('what was under way is charged its prompt, once, and nothing is held any more', async () => {
    const a = account('key:a', budget(1_000, '1d'))
    const held: OpenHold[] = await Promise.all([1, 2, 3].map(() => w.hold([a], { inputMost: 50, inputLikely: 10 })))
    w.settle(held[0] as OpenHold, 4)
    w.ledger.flush()
    expect(w.left().holds).toBe(2)
    w.restart('crash')
    expect(w.recovered).toBe(2)
    w.restart('crash')
    expect(w.recovered).toBe(0)
    expect(w.left()).toEqual({ holds: 0, amount: 0 })
    expect(rows({ limit: 10 }).map((r) => [r.outcome, r.input, r.cost, r.source])).toEqual([
      ['interrupted', 10, 10 * TOKEN, 'estimated'],
      ['interrupted', 10, 10 * TOKEN, 'estimated'],
      ['ok', 4, 4 * TOKEN, 'provider'],
    ])
    const after = account('key:a', budget(1_000, '1d'))
    expect([after.spent, after.held, totalOf('key:a')]).toEqual([24 * TOKEN, 0, 24 * TOKEN])
  })

  test('a hold whose budget changed its period meanwhile counts in the window that it is then', async () => {
    const a = account('key:a', budget(1_000))
    await w.hold([a], 10)
    account('key:a', budget(1_000, '1d'))
    w.restart('crash')
    expect(w.recovered).toBe(1)
    expect(account('key:a', budget(1_000, '1d')).spent).toBe(10 * TOKEN)
  })

  test('an attempt whose hold was let go and taken again for another target is charged', async () => {
    const a = account('key:a', budget(1_000))
    const operation = w.ledger.nextOperation()
    w.ledger.release(await w.hold([a], 10, { operation }))
    await w.hold([a], 25, { operation, target: target({ id: 'other', model: 'other', price: PRICE }) })
    w.restart('crash')
    expect(w.recovered).toBe(1)
    expect(rows({ limit: 10 }).map((r) => [r.model, r.cost])).toEqual([['other', 25 * TOKEN]])
  })

  test('an attempt whose charge was let go with its day is not charged again', async () => {
    const a = account('key:a', NO_LIMIT)
    w.settle(await w.hold([a], 10), 4)
    w.ledger.flush()
    w.clock.now += 40 * 24 * HOUR
    const last = await w.hold([account('key:a', NO_LIMIT)], 10)
    w.ledger.flush()
    expect(retain(w.store, 30, 'UTC', w.clock.now)).toBe(1)
    w.restart('crash')
    expect([w.recovered, w.count('SELECT operation FROM charges')]).toEqual([1, last.attempt.operation])
    expect(totalOf('key:a')).toBe(14 * TOKEN)
    expect(verify(w.store.sqlite).differences).toEqual([])
  })

  test('what was settled and not yet written is charged its prompt too: no row is lost, none is there twice', async () => {
    const a = account('key:a', budget(1_000))
    const held = await Promise.all([1, 2, 3].map(() => w.hold([a], 10)))
    for (const one of held) w.settle(one, 4)
    w.restart('crash')
    expect(w.recovered).toBe(3)
    expect(w.count('SELECT count(*) FROM charges')).toBe(3)
    expect(w.count('SELECT count(DISTINCT operation) FROM charges')).toBe(3)
    expect(w.ledger.total('key:a').requests).toBe(3)
  })
})

/** A store that tells of each statement before it runs. */
function watched(store: Store, tell: (sql: string) => unknown): Store {
  const sqlite = new Proxy(store.sqlite, {
    get(db, name) {
      const value: unknown = Reflect.get(db, name, db)
      if (name !== 'prepare') return typeof value === 'function' ? value.bind(db) : value
      return (sql: string) => {
        const statement = db.prepare(sql)
        return new Proxy(statement, {
          get(s, method) {
            const own: unknown = Reflect.get(s, method, s)
            if (typeof own !== 'function') return own
            return (...args: unknown[]) => {
              if (method === 'run' || method === 'get') tell(sql)
              return own.apply(s, args)
            }
          },
        })
      }
    },
  })
  return { ...store, sqlite }
}

test('a hold that somebody forgot is charged its prompt after a day, and its money is free again', async () => {
  const a = account('key:a', budget(100))
  const forgotten = await w.hold([a], 60)
  w.clock.now += 24 * 3_600_000
  expect(w.ledger.endLeases()).toEqual([])
  w.clock.now += 1
  const later = await w.hold([a], 40)
  expect(w.ledger.endLeases()).toMatchObject([{ operation: forgotten.attempt.operation }])
  expect([a.spent, a.held]).toEqual([60 * TOKEN, 40 * TOKEN])
  // Whoever remembers it after all books nothing twice.
  w.settle(forgotten, 5)
  w.settle(later, 1)
  w.ledger.flush()
  expect([a.spent, a.held, w.left().holds, w.count('SELECT count(*) FROM charges')]).toEqual([61 * TOKEN, 0, 0, 2])
})
