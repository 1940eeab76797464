/** Shelves: bounded, forgetful in time, and of one tenant at a time. */
import { describe, expect, test } from 'bun:test'
import { Meanings } from '../../src/cache/meanings.ts'
import { MemoryShelf } from '../../src/cache/memory.ts'
import type { Shelf } from '../../src/cache/shelf.ts'
import { tenantOf } from '../../src/core/cache-rules.ts'
import { NOBODY } from '../../src/core/scope.ts'
import { stableText } from '../../src/core/stable-text.ts'
import { StoredShelf } from '../../src/store/kept-things.ts'
import { openStore } from '../../src/store/open.ts'
import { makeTemp, removeTemp } from '../support/temp.ts'

const bytes = (length: number) => new Uint8Array(length).fill(7)
let at = 1_000
const now = () => at

const memory = (most: number): { shelf: Shelf; end(): void } => ({
  shelf: new MemoryShelf(now, { bytes: most, entries: 1_000, largest: most }),
  end: () => {},
})
const disk = (most: number): { shelf: Shelf; end(): void } => {
  const home = makeTemp('shelf')
  const store = openStore(home)
  return {
    shelf: new StoredShelf(store, 'test', most, now, (cause) => {
      throw cause
    }),
    end: () => {
      store.close()
      removeTemp(home)
    },
  }
}

describe.each([
  ['memory', memory],
  ['disk', disk],
] as const)('in %s', (_, make) => {
  test('what was put is there until its time is over', async () => {
    const { shelf, end } = make(10_000)
    await shelf.set('a', bytes(3), 100)
    expect(Buffer.from((await shelf.get('a')) as Uint8Array)).toEqual(Buffer.from(bytes(3)))
    await Bun.sleep(80)
    expect((await shelf.get('a'))?.byteLength).toBe(3)
    at += 101
    expect(await shelf.get('a')).toBeUndefined()
    end()
  })

  test('one is deleted, those of a prefix, and all', async () => {
    const { shelf, end } = make(10_000)
    for (const key of ['team:red:1', 'team:red:2', 'team:redder:1', 'key:1']) await shelf.set(key, bytes(1), 1_000)
    expect(await shelf.delete(['key:1', 'key:2'])).toBe(1)
    expect(await shelf.flush('team:red:')).toBe(2)
    expect((await shelf.get('team:redder:1'))?.byteLength).toBe(1)
    expect(await shelf.flush('')).toBe(1)
    end()
  })

  test('it never holds more than it may', async () => {
    const { shelf, end } = make(100_000)
    for (let i = 0; i < 200; i++) {
      await shelf.set(`k${i}`, bytes(2_000), 1_000 + i)
      if (i % 2 === 0) await shelf.delete(['nothing'])
    }
    await shelf.delete(['nothing'])
    let held = 0
    for (let i = 0; i < 200; i++) held += (await shelf.get(`k${i}`))?.byteLength ?? 0
    expect(held).toBeGreaterThan(20_000)
    // The disk makes room now and then, not at each write.
    expect(held).toBeLessThan(260_000)
    expect((await shelf.get('k199'))?.byteLength).toBe(2_000)
    await shelf.set('huge', bytes(200_000), 1_000)
    expect(await shelf.get('huge')).toBeUndefined()
    end()
  })
})

test('what was used last stays longest', () => {
  const shelf = new MemoryShelf(now, { bytes: 10_000, entries: 3, largest: 1_000 })
  for (const key of ['a', 'b', 'c']) shelf.set(key, bytes(1), 1_000)
  shelf.get('a')
  shelf.set('d', bytes(1), 1_000)
  expect(['a', 'b', 'c', 'd'].filter((key) => shelf.get(key))).toEqual(['a', 'c', 'd'])
})

test('vectors: the nearest of the group, with the same numbers, and bounded', () => {
  const meanings = new Meanings({ ofGroup: 2, numbers: 8 })
  const vector = (...xs: number[]) => Float32Array.from(xs)
  meanings.learn('g', { vector: vector(1, 0), numbers: '', key: 'east' })
  meanings.learn('g', { vector: vector(0.6, 0.8), numbers: '', key: 'between' })
  expect(meanings.nearest('g', vector(0.8, 0.6), '', 0.5)?.key).toBe('between')
  expect(meanings.nearest('g', vector(0.8, 0.6), '', 0.99)).toBeUndefined()
  expect(meanings.nearest('g', vector(1, 0), '7', 0.5)).toBeUndefined()
  expect(meanings.nearest('h', vector(1, 0), '', 0.1)).toBeUndefined()
  meanings.learn('g', { vector: vector(0, 1), numbers: '', key: 'north' })
  expect(meanings.nearest('g', vector(1, 0), '', 0.99)).toBeUndefined()
  for (let i = 0; i < 4; i++) meanings.learn(`g${i}`, { vector: vector(1, 0), numbers: '', key: `k${i}` })
  expect(meanings.nearest('g', vector(0, 1), '', 0.5)).toBeUndefined()
  expect(meanings.nearest('g3', vector(1, 0), '', 0.5)?.key).toBe('k3')
})

test('the tenant is the narrowest that is asked for, and never nobody', () => {
  const all = { ...NOBODY, key: 'k', user: 'u', team: 't', organization: 'o', customer: 'c' }
  expect(
    ['customer', 'key', 'user', 'team', 'organization', 'gateway'].map((kind) => tenantOf(kind as 'key', all)),
  ).toEqual(['key:k customer:c', 'key:k', 'user:u', 'team:t', 'organization:o', 'gateway'])
  expect(tenantOf('team', { ...all, project: 'p' })).toBe('project:p')
  expect(tenantOf('organization', { ...NOBODY, key: 'k' })).toBe('key:k')
  expect(tenantOf('team', NOBODY)).toBe('master')
})

test('a text of JSON depends on what it says alone', () => {
  expect(stableText({ b: [1, { d: undefined, c: null }], a: 'x' })).toBe(stableText({ a: 'x', b: [1, { c: null }] }))
  expect(stableText({ a: 1 })).not.toBe(stableText({ a: '1' }))
  expect(stableText({ a: ['b', 'c'] })).not.toBe(stableText({ a: ['b,c'] }))
})
