import { expect, test } from 'bun:test'
import { GATEWAY, NOBODY, readScope, scopesOfPayer, scopesOfTarget, spokenScope } from '../../src/core/scope.ts'

const everybody = {
  ...{ key: 'k', customer: 'c', user: 'u', project: 'p', team: 't', organization: 'o' },
  tags: ['a', 'b'],
}

test('a payer has a scope for everything it belongs to, the narrowest first', () => {
  expect(scopesOfPayer(everybody)).toEqual([
    ...['key:k', 'customer:c', 'user:u', 'project:p', 'team:t', 'organization:o', 'tag:a', 'tag:b'],
  ])
  expect(scopesOfPayer({ ...NOBODY, team: 't' })).toEqual(['team:t'])
  expect(scopesOfPayer(NOBODY)).toEqual([])
  expect(scopesOfTarget({ alias: 'gpt-*', provider: 'openai' })).toEqual(['model:gpt-*', 'provider:openai'])
})

test('names are read back, colons and all', () => {
  for (const [kind, id] of [
    ['team', 'red'],
    ['customer', 'https://example.org/a:b'],
    ['model', 'llama3.1:8b'],
    ['tag', ':'],
    ['key', ''],
  ] as const)
    expect(readScope(`${kind}:${id}`)).toEqual({ kind, id })
  expect(readScope(GATEWAY)).toEqual({ kind: 'gateway', id: '' })
})

test('in a sentence a key is not called by its number', () => {
  expect(spokenScope('team:red')).toBe("team 'red'")
  expect(spokenScope('model:llama3.1:8b')).toBe("model 'llama3.1:8b'")
  expect(spokenScope('key:123')).toBe('this key')
  expect(spokenScope(GATEWAY)).toBe('the whole gateway')
})
