/** Sessions and tickets by a clock of the test's own. */
import { expect, test } from 'bun:test'
import { randomBytes } from 'node:crypto'
import { type Session, Sessions } from '../../src/auth/login/sessions.ts'
import { Tickets } from '../../src/auth/login/tickets.ts'
import { stepOf } from '../../src/auth/login/totp.ts'
import { Sealer, SealKeys } from '../../src/secrets/seal.ts'
import { Logins } from '../../src/store/logins.ts'
import { openStore } from '../../src/store/open.ts'
import { makeTemp } from '../support/temp.ts'

function house() {
  const kept = new Map<string, Session>()
  const clock = { now: 1_000_000 }
  const shelf = {
    all: () => [...kept.values()].map((one) => ({ ...one })),
    put: (session: Session) => void kept.set(session.digest, { ...session }),
    delete: (digest: string) => void kept.delete(digest),
  }
  const rules = {
    ...{ idleMs: 1_800_000, longestMs: 43_200_000, now: () => clock.now },
    digestOf: (text: string) => new Bun.CryptoHasher('sha256').update(text).digest('hex'),
  }
  return { kept, clock, make: () => new Sessions(shelf, rules) }
}
const ada = { userId: 'ada', way: 'password', mfa: 0, address: '10.0.0.1', agent: 'x'.repeat(5_000) }

test('a session ends when it is not used, and at its longest however much it is', () => {
  const { kept, clock, make } = house()
  const sessions = make()
  const idle = sessions.start(ada)
  clock.now += 1_799_999
  expect(sessions.find(idle)?.userId).toBe('ada')
  clock.now += 1_800_000
  expect(sessions.find(idle)).toBeUndefined()
  expect(kept.size).toBe(0)
  const busy = sessions.start(ada)
  const began = clock.now
  while (clock.now < began + 43_200_000 - 600_000) {
    clock.now += 600_000
    if (clock.now < began + 43_200_000) expect(sessions.find(busy)).toBeDefined()
  }
  // Another process, after a restart, has it with its times.
  expect(make().find(busy)?.createdAt).toBe(began)
  clock.now = began + 43_200_000
  expect(sessions.find(busy)).toBeUndefined()
})

test('of one user there are so many, the one that was unused longest goes, and what is kept is bounded', () => {
  const { kept, clock, make } = house()
  const sessions = make()
  const all = Array.from({ length: 30 }, () => {
    clock.now += 1_000
    return sessions.start(ada)
  })
  expect(sessions.of('ada').length).toBe(20)
  expect(all.map((secret) => sessions.find(secret) !== undefined)).toEqual(all.map((_, n) => n >= 10))
  expect([...kept.values()].every(({ agent }) => agent?.length === 200)).toBe(true)
  expect(JSON.stringify([...kept.values()])).not.toContain(all.at(-1) as string)
  clock.now += 1_000
  sessions.find(all.at(-1) as string)
  const [first] = sessions.of('ada')
  const next = sessions.rotate(first as Session, 1)
  expect(sessions.find(next)?.mfa).toBe(1)
  expect(sessions.find(all.at(-1) as string)).toBeUndefined()
  expect(sessions.end('ada')).toBe(20)
  expect(kept.size).toBe(0)
})

test('a ticket opens once, for its purpose, in its time, and not when it was touched', () => {
  const clock = { now: 5_000 }
  const root = randomBytes(32)
  const make = () => new Tickets(new Sealer(new SealKeys([root]), 'tickets'), () => clock.now)
  const tickets = make()
  const issue = () => tickets.issue('totp', { secret: 's' }, 1_000)
  const one = issue()
  expect(tickets.take('passkey', one)).toBeUndefined()
  expect(tickets.take<{ secret: string }>('totp', one)).toEqual({ secret: 's' })
  expect(tickets.take('totp', one)).toBeUndefined()
  const two = issue()
  const touched = two.slice(0, 20) + (two[20] === 'A' ? 'B' : 'A') + two.slice(21)
  for (const wrong of [touched, '', 'x', two.slice(1), 'x'.repeat(100_000)])
    expect(tickets.take('totp', wrong)).toBeUndefined()
  clock.now += 1_000
  expect(tickets.take('totp', two)).toBeUndefined()
})

test('secrets of apps are sealed anew under a newer key, and those of the newest are left', () => {
  const store = openStore(makeTemp('logins'))
  const [first, second] = [randomBytes(32), randomBytes(32)]
  const keys = new SealKeys([first])
  const seal = new Sealer(keys, 'logins')
  const logins = new Logins(store)
  const row = (userId: string, totp: Buffer | null) =>
    logins.put({ ...{ userId, password: null, totp, totpStep: 0, recovery: '[]', handle: 'h' }, updatedAt: 0 })
  row('ada', seal.seal('of ada', 'ada'))
  row('bob', null)
  expect(logins.reseal(seal)).toBe(0)
  keys.take(second)
  expect([logins.reseal(seal), logins.reseal(seal)]).toEqual([1, 0])
  expect(new Sealer(new SealKeys([second]), 'logins').open(logins.get('ada')?.totp as Buffer, 'ada')).toBe('of ada')
  store.close()
})

test('codes are those of RFC 6238, appendix B, in their last six digits', () => {
  // "12345678901234567890" in base32.
  const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
  for (const [seconds, code] of [
    [59, '287082'],
    [1111111109, '081804'],
    [1234567890, '005924'],
    [20000000000, '353130'],
  ] as const) {
    const step = Math.floor(seconds / 30)
    expect(stepOf(code, secret, seconds * 1000)).toBe(step)
    expect(stepOf(code, secret, (seconds + 30) * 1000)).toBe(step)
    expect(stepOf(code, secret, (seconds + 90) * 1000)).toBeUndefined()
  }
  for (const wrong of ['', '28708', '2870822', 'abcdef', '٢٨٧٠٨٢'])
    expect(stepOf(wrong, secret, 59_000)).toBeUndefined()
})
