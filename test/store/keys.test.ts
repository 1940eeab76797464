import { afterEach, beforeEach, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { parsePeriod } from '../../src/core/period.ts'
import { Digests, fact, Keys, newSecret, setFact } from '../../src/store/keys.ts'
import { pepper } from '../../src/store/pepper.ts'
import { key } from '../core/make.ts'
import { makeWorld, type World } from './make.ts'

let w: World
beforeEach(() => {
  w = makeWorld()
})
afterEach(() => w.end())

const whole = key({
  id: 'id1',
  name: 'billing',
  models: ['a', 'openai/*'],
  maxBudget: 12_500_000_000,
  period: parsePeriod('1mo'),
  budgetDuration: '1mo',
  limits: { rpm: 10, tpm: 20_000, parallel: 3 },
  expiresAt: 1_800_000_000_000,
  blocked: true,
  teamId: 't',
  userId: 'u',
  metadata: { nested: { deep: ['€'] } },
  createdAt: 5,
  updatedAt: 6,
})

test('a key comes back as it was put in, over a restart', () => {
  new Keys(w.store).insert(whole, 'd1')
  new Keys(w.store).insert(key({ id: 'id2' }), 'd2')
  w.restart()
  const all = new Keys(w.store).all()
  expect(all.map((k) => k.digest)).toEqual(['d1', 'd2'])
  expect(all[0]?.key).toEqual(whole)
  expect(all[1]?.key).toMatchObject({ id: 'id2', models: [], limits: {}, blocked: false, metadata: {} })
})

test('two keys share neither an alias nor a secret; a key may keep its own', () => {
  const keys = new Keys(w.store)
  keys.insert(whole, 'd1')
  expect(() => keys.insert(key({ id: 'id2', name: 'billing' }), 'd2')).toThrow(/'billing' exists already/)
  expect(() => keys.insert(key({ id: 'id2' }), 'd1')).toThrow(/exists already/)
  keys.insert(key({ id: 'id2', name: 'other' }), 'd2')
  expect(() => keys.update(key({ id: 'id2', name: 'billing' }), 'd2')).toThrow(/'billing' exists already/)
  keys.update({ ...whole, blocked: false }, 'd1')
  expect(keys.all().find((k) => k.key.id === 'id1')?.key.blocked).toBeFalse()
  keys.delete('id1')
  expect(keys.all().map((k) => k.key.id)).toEqual(['id2'])
})

test('what is kept of a secret is a digest that nobody without the pepper can make', () => {
  const secret = newSecret()
  expect(secret).toMatch(/^sk-[\w-]{22}$/)
  expect(newSecret()).not.toBe(secret)
  const mine = new Digests(pepper(w.dir))
  const others = new Digests(Buffer.alloc(32, 7))
  const digest = mine.of(secret)
  expect(digest).toMatch(/^[0-9a-f]{64}$/)
  expect(others.of(secret)).not.toBe(digest)
  expect([
    mine.same(digest, mine.of(secret)),
    mine.same(digest, mine.of(`${secret}x`)),
    mine.same(digest, 'a'),
  ]).toEqual([true, false, false])
  new Keys(w.store).insert(whole, digest)
  w.ledger.flush()
  w.store.sqlite.pragma('wal_checkpoint(TRUNCATE)')
  const file = readFileSync(w.store.path).toString('latin1')
  expect(file).toContain(digest)
  expect(file).not.toContain(secret)
  expect(file).not.toContain(pepper(w.dir).toString('hex'))
})

test('facts are kept and replaced', () => {
  expect(fact(w.store, 'x')).toBeUndefined()
  setFact(w.store, 'x', '1')
  setFact(w.store, 'x', '2')
  w.restart()
  expect(fact(w.store, 'x')).toBe('2')
})
