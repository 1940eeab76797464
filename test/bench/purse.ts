/** The budget check by itself, as the pipeline asks for it: five scopes with a budget each, hold and settle. */
import { Payers } from '../../src/admin/payers.ts'
import { Register } from '../../src/admin/register.ts'
import { Experience, estimate } from '../../src/core/estimate.ts'
import { parsePeriod } from '../../src/core/period.ts'
import { usage } from '../../src/core/usage.ts'
import type { Call } from '../../src/pipeline/call.ts'
import type { Io } from '../../src/pipeline/io.ts'
import { setAside } from '../../src/pipeline/set-aside.ts'
import { Holders } from '../../src/store/holders.ts'
import { Ledger } from '../../src/store/ledger.ts'
import { openStore, type Store } from '../../src/store/open.ts'
import { systemTiming } from '../../src/store/timing.ts'
import { key, policy, priced, snapshot, target } from '../core/make.ts'

/** Requests that arrive in one turn of the loop: as many as at 64 connections. */
const AT_ONCE = 64
const BUDGET = { maxBudget: 1e15, period: parsePeriod('1mo') }
const KEYS = 50

export interface Cost {
  /** µs of CPU, of all threads of this process, a request. */
  cpu: number
  /** µs of time a request. */
  wall: number
}

export interface Purse {
  /** Holds and settles so many. */
  run(requests: number): Promise<Cost>
  /** Writes the log into the file: in a gateway a thread of its own does. */
  checkpoint(): void
  close(): void
}

/** A ledger on a data folder, and who pays from it: key, user, team, organisation and the gateway have a budget. */
export function openPurse(dataDir: string): Purse {
  const store = openStore(dataDir)
  const now = () => Date.now()
  const settings = { zone: 'UTC', mode: 'cap' as const, warnAt: [0.8, 1] }
  const ledger = new Ledger(store, systemTiming(now), settings, {
    onError: (cause) => {
      throw cause
    },
    onCrossed: () => {},
  })
  const keys = Array.from({ length: KEYS }, (_, i) =>
    key({ id: `key-${i}`, teamId: `team-${i % 5}`, userId: `user-${i % 20}`, organizationId: 'org', ...BUDGET }),
  )
  const names = ['gateway', 'organization:org', ...keys.flatMap((k) => [`team:${k.teamId}`, `user:${k.userId}`])]
  const scopes = Object.fromEntries(names.map((name) => [name, BUDGET]))
  const register = new Register(new Holders(store), { scopes, others: {} }, () => true)
  const payers = new Payers(
    register,
    new Map(),
    (id) => keys.find((k) => k.id === id),
    () => {},
  )
  const state = { inFlight: 0 }
  const io = { ledger, payers, now, state: () => state } as unknown as Io
  const targets = Array.from({ length: 4 }, (_, i) =>
    target({ id: `t${i}`, alias: `m${i}`, price: priced(150_000_000, 600_000_000), maxOutputTokens: 16_384 }),
  )
  const experience = new Experience()
  for (let i = 0; i < 16; i++) experience.observe(600, 140 + i, 80 + i)
  const shared = {
    snapshot: snapshot([], { policy: policy() }),
    ...{ request: new Request('http://x/'), door: { call: 'acompletion', dialect: { op: 'chat' } }, attempts: 0 },
  }
  let serial = 0

  const one = () => {
    const key = keys[serial % KEYS]
    const it = targets[serial++ % targets.length] as (typeof targets)[number]
    const asked = { payer: payers.of(key), who: { role: 'caller', key }, operation: ledger.nextOperation() }
    const call = { ...shared, ...asked } as unknown as Call
    return setAside(call, io, it, (price) => ({ price, tokens: estimate(experience, 600, 500, 1, it) }))
  }
  const ending = { outcome: 'ok', status: 200, source: 'provider' as const, firstMs: 120 }
  return {
    async run(requests) {
      const before = process.cpuUsage()
      const began = performance.now()
      for (let n = 0; n < requests; n += AT_ONCE) {
        const held = await Promise.all(Array.from({ length: AT_ONCE }, one))
        for (const hold of held)
          ledger.settle(hold, { ...ending, usage: usage({ input: 140, output: 80 }), now: now() })
      }
      ledger.flush()
      const { user, system } = process.cpuUsage(before)
      return { cpu: (user + system) / requests, wall: ((performance.now() - began) * 1_000) / requests }
    },
    checkpoint: () => checkpoint(store),
    close() {
      ledger.flush()
      store.close()
    },
  }
}

const checkpoint = ({ sqlite }: Store): void => void sqlite.pragma('wal_checkpoint(TRUNCATE)')
