/** How the audit is written: bounded, in order, with its gaps told and its beginning let go in an orderly way. */
import { expect, test } from 'bun:test'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { AuditKeys, Signer } from '../../src/audit/keys.ts'
import { AuditLog, MOST_WAITING } from '../../src/audit/log.ts'
import type { AuditShelf } from '../../src/audit/shelf.ts'
import { truncated } from '../../src/core/audit-entry.ts'
import { AuditStore } from '../../src/store/audit.ts'
import { setFact } from '../../src/store/keys.ts'
import { openStore, type Store } from '../../src/store/open.ts'
import { pepper } from '../../src/store/pepper.ts'
import { makeTemp } from '../support/temp.ts'
import { verify } from './make.ts'

let pem: string | undefined
const signerOf = () => new Signer({ read: () => pem, write: (text) => (pem = text) })

interface World {
  dir: string
  store: Store
  shelf: AuditStore
  log: AuditLog
  clock: { now: number }
  errors: string[]
  missing: string[]
  /** Makes the database fail. */
  fault: { is: boolean }
}

function open(dir = makeTemp('audit')): World {
  const store = openStore(dir)
  const signer = signerOf()
  setFact(store, 'audit_public_key', signer.publicKey)
  const shelf = new AuditStore(store)
  const clock = { now: Date.UTC(2026, 0, 1) }
  const errors: string[] = []
  const missing: string[] = []
  const fault = { is: false }
  const faulty: AuditShelf = {
    last: (chain) => shelf.last(chain),
    checkpoint: (chain) => shelf.checkpoint(chain),
    append: (...given) => {
      if (fault.is) throw new Error('disk full')
      shelf.append(...given)
    },
    salt: (person) => shelf.salt(person),
  }
  const log = new AuditLog(
    faulty,
    new AuditKeys(pepper(dir)),
    signer,
    { checkpointEntries: 1_000, checkpointMs: 3_600_000, version: '0' },
    {
      now: () => clock.now,
      anchored: () => {},
      wrote: () => {},
      missing: (told) => missing.push(told),
      warn: () => {},
      error: (message) => errors.push(message),
    },
  )
  return { dir, store, shelf, log, clock, errors, missing, fault }
}

const add = ({ log, clock }: World, id: string, chain = 1) =>
  log.add({ chain, at: clock.now, body: () => JSON.stringify({ kind: 'request', id }) })

const bodies = ({ shelf }: World, chain = 1) => shelf.from(chain, 0, 100_000).map((row) => JSON.parse(row.body))

test('while nothing can be written entries wait, up to a bound; what is more is counted, and the chain says so', async () => {
  const world = open()
  world.log.start()
  world.fault.is = true
  for (let i = 0; i < MOST_WAITING + 250; i++) add(world, `req_${i}`)
  expect([world.log.waiting, world.log.isFull]).toEqual([MOST_WAITING, true])
  expect(world.log.flush()).toBe(false)
  expect(world.missing).toEqual([expect.stringContaining('takes no more entries')])
  world.fault.is = false
  expect(world.log.flush()).toBe(true)
  expect(world.log.isFull).toBe(false)
  const said = bodies(world)
  expect(said).toHaveLength(1 + MOST_WAITING + 1)
  expect(said.at(-2)).toMatchObject({ id: `req_${MOST_WAITING - 1}` })
  expect(said.at(-1)).toMatchObject({ kind: 'gap', count: 250 })
  expect(world.errors.some((one) => one.includes('takes no more'))).toBe(true)
  world.log.stop()
  world.store.close()
  expect(world.missing[1]).toStartWith('250 entries of the audit of requests are missing')
  const { code, out } = await verify(world)
  expect(out).toContain('1 gap that the gateway itself tells of')
  expect(code).toBe(0)
})

test('a run that did not come to its end is told of by the next one', () => {
  const first = open()
  first.log.start()
  add(first, 'req_1')
  first.log.flush()
  first.store.close()
  const second = open(first.dir)
  second.log.start()
  expect(bodies(second).at(-1)).toMatchObject({ kind: 'start', unclean: true })
  second.log.stop()
  second.store.close()
  const third = open(first.dir)
  third.log.start()
  expect(bodies(third).at(-1)).toEqual({
    ...{ kind: 'start', time: expect.any(String), version: '0', signed_each: 1_000 },
  })
  third.store.close()
})

test('where somebody has taken the key that signs, the next start says so', () => {
  const first = open()
  first.log.start()
  expect(bodies(first)[0].new_key).toBeUndefined()
  first.log.stop()
  first.store.close()
  pem = undefined
  const second = open(first.dir)
  second.log.start()
  expect(bodies(second).at(-1)).toMatchObject({ kind: 'start', new_key: true })
  expect(second.errors[0]).toContain('The key that signs the audit is gone')
  second.store.close()
})

test('where the end was cut off it is told at the start, and the chain goes on behind it', async () => {
  const first = open()
  first.log.start()
  for (let i = 0; i < 10; i++) add(first, `req_${i}`)
  first.log.stop()
  first.store.close()
  const sqlite = new Database(join(first.dir, 'tollgate.sqlite'))
  sqlite.exec('DROP TRIGGER audit_requests_no_deletion; DELETE FROM audit_requests WHERE seq > 8')
  sqlite.close()
  const second = open(first.dir)
  expect(second.errors[0]).toContain('The end of the audit is gone')
  second.log.start()
  second.log.stop()
  second.store.close()
  const { code, err } = await verify(second)
  expect(err).toContain('requests 9: the entries up to 12 are missing: removed.')
  expect(code).toBe(1)
})

test('a clock that falls back does not put entries out of their order', () => {
  const world = open()
  world.log.start()
  const times: number[] = []
  for (const now of [5_000, 3_000, 9_000]) {
    world.clock.now = Date.UTC(2026, 0, 1) + now
    add(world, 'x')
  }
  world.log.flush()
  for (const { at } of world.shelf.from(1, 1, 10)) times.push(at - Date.UTC(2026, 0, 1))
  expect(times).toEqual([5_000, 5_000, 9_000])
  world.store.close()
})

test('the beginning is let go behind a signed tombstone, and what is left is whole', async () => {
  const world = open()
  world.log.start()
  for (let i = 0; i < 5_000; i++) {
    world.clock.now += 1_000
    add(world, `req_${i}`)
    if (i % 500 === 0) world.log.flush()
  }
  world.log.flush()
  const old = world.shelf.lastBefore(1, Date.UTC(2026, 0, 1) + 3_000_500)
  expect(old).toMatchObject({ seq: 3_001, at: Date.UTC(2026, 0, 1) + 3_000_000 })
  expect(() => world.store.sqlite.exec('DELETE FROM audit_requests WHERE seq = 1')).toThrow('retention alone')
  world.log.bury('requests', old as NonNullable<typeof old>)
  expect(world.shelf.letGo(1)).toBe(2_000)
  // Half of it is still there: it hangs together, and is shown to nobody any more.
  expect((await verify(world)).code).toBe(0)
  expect(world.shelf.from(1, 0, 1)[0]?.seq).toBe(3_002)
  expect([world.shelf.letGo(1), world.shelf.letGo(1)]).toEqual([1_001, 0])
  expect(() => world.store.sqlite.exec('DELETE FROM audit_requests WHERE seq = 3002')).toThrow('retention alone')
  world.log.stop()
  world.store.close()
  const { code, out } = await verify(world)
  expect(out).toContain('2001 entries, 3002 to 5002; those up to 3001 were let go by the retention')
  expect(code).toBe(0)
  const again = open(world.dir)
  again.log.start()
  expect(again.errors).toEqual([])
  // What somebody puts in where everything is gone is nobody's entry, and is told.
  again.store.sqlite.exec("INSERT INTO audit_requests VALUES (12, 0, x'00', '{}')")
  expect(again.shelf.upTo(1, 100, 10)).toEqual([])
  const told = await verify(again)
  expect(told.err).toContain('requests 12: this entry was put in')
  expect(told.code).toBe(1)
  again.store.close()
})

test('everything may be let go: the chain goes on behind its tombstone', async () => {
  const world = open()
  world.log.start()
  add(world, 'req_1')
  world.log.flush()
  const last = world.shelf.last(1) as NonNullable<ReturnType<AuditStore['last']>>
  world.log.bury('requests', last)
  world.shelf.letGo(1)
  world.store.close()
  const again = open(world.dir)
  again.log.start()
  expect(again.shelf.last(1)?.seq).toBe(3)
  again.log.stop()
  again.store.close()
  expect((await verify(again)).code).toBe(0)
})

test('a person has a number of his own, the same after a restart, and another one once he is forgotten', () => {
  const world = open()
  world.log.start()
  const [ada, bob] = [world.log.person('user', 'ada'), world.log.person('user', 'bob')]
  expect([world.log.person('user', 'ada') === ada, ada === bob, world.log.person('customer', 'ada') === ada]).toEqual([
    true,
    false,
    false,
  ])
  add(world, 'x')
  world.log.stop()
  world.store.close()
  const again = open(world.dir)
  expect(again.log.person('user', 'ada')).toBe(ada)
  again.log.forget('user', 'ada')
  again.store.sqlite.exec("DELETE FROM audit_salts WHERE person = 'user:ada'")
  expect(again.log.person('user', 'ada')).not.toBe(ada)
  again.store.close()
})

test('addresses without their ends', () => {
  expect(truncated('192.168.7.55')).toBe('192.168.7.0')
  expect(truncated('::ffff:10.1.2.3')).toBe('10.1.2.0')
  expect(truncated('2001:db8:aaaa:bbbb::1')).toBe('2001:db8:aaaa::')
  expect(truncated('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1::')
  expect(truncated('::1')).toBe('0:0:0::')
  expect(truncated('2001:db8::1')).toBe('2001:db8:0::')
})
