/** What is told of a change: what differs, and nothing that opens anything. */
import { expect, test } from 'bun:test'
import { actionOf, changedFields, withoutSecrets } from '../../src/core/change.ts'
import { Secret } from '../../src/secrets/secret.ts'

test('secrets go by their type, by their field and by how they look', () => {
  const told = withoutSecrets({
    ...{ a: new Secret('typed'), api_key: 'plain-looking', nested: { client_secret: 'x', password: 'y', note: 'z' } },
    ...{ text: 'use sk-abcdefghijkl, please', token: 'opaque', max_tokens: 5, tokens_per_minute: 7, digest: 'd' },
    ...{
      list: ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2ln', 'fine'],
      bytes: new Uint8Array(3),
      much: Number.POSITIVE_INFINITY,
    },
  })
  expect(told).toEqual({
    ...{ a: '***', api_key: '***', nested: { client_secret: '***', password: '***', note: 'z' } },
    ...{ text: 'use ***, please', token: '***', max_tokens: 5, tokens_per_minute: 7, digest: '***' },
    ...{ list: ['***', 'fine'], bytes: '***', much: 'Infinity' },
  })
})

test('of an object that was changed only what differs is told; of a secret, that it does', () => {
  const before = { name: 'a', limit: 1, password: 'old', updatedAt: 1, gone: true }
  const after = { name: 'a', limit: 2, password: 'new', updatedAt: 2, fresh: 'x' }
  expect(changedFields({ before, after })).toEqual({
    before: { limit: 1, password: '***', gone: true, fresh: null },
    after: { limit: 2, password: '***', gone: null, fresh: 'x' },
  })
  expect(changedFields({ after: { a: 1 } })).toEqual({ after: { a: 1 } })
})

test('what is too long or too deep is cut', () => {
  expect((withoutSecrets('x'.repeat(5_000)) as string).length).toBe(2_001)
  let deep: object = {}
  for (let i = 0; i < 20; i++) deep = { deep }
  expect(JSON.stringify(withoutSecrets(deep))).toContain('…')
})

test('what happened to it', () => {
  expect([
    actionOf(undefined, {}),
    actionOf({}, {}),
    actionOf({}, { blocked: true }),
    actionOf({ blocked: true }, {}),
  ]).toEqual([...(['created', 'updated', 'blocked', 'unblocked'] as const)])
})

test('what opens something is left out of texts, wherever it stands', () => {
  const said = {
    db: 'postgres://tollgate:hunter22@db.example.com/x',
    auth: 'Bearer abcdef0123456789',
    slack: 'https://hooks.slack.com/services/T000/B000/abcdef',
    discord: 'https://discord.com/api/webhooks/1/abcdef',
    url: 'https://example.com/a?model=m&api_key=abcdef&x=1',
    mail: 'write to ada@example.com',
  }
  expect(withoutSecrets(said)).toEqual({
    db: 'postgres://***@db.example.com/x',
    auth: 'Bearer ***',
    slack: 'https://hooks.slack.com/***',
    discord: 'https://discord.com/api/webhooks/***',
    url: 'https://example.com/a?model=m&api_key=***&x=1',
    mail: 'write to ada@example.com',
  })
})
