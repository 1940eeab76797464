/** Where a secret lies, as a configuration says it. */
import { expect, test } from 'bun:test'
import { isReference, readReference } from '../../src/secrets/reference.ts'

test.each([
  ['file:/run/secrets/key', { kind: 'file', path: '/run/secrets/key' }],
  ['vault:secret/tollgate#openai', { kind: 'vault', mount: 'secret', path: 'tollgate', field: 'openai' }],
  ['vault:kv/data/team/red#a', { kind: 'vault', mount: 'kv', path: 'team/red', field: 'a' }],
  ['aws-sm:prod/tollgate', { kind: 'aws-sm', id: 'prod/tollgate', field: undefined }],
  [
    'aws-sm:arn:aws:secretsmanager:eu-central-1:123456789012:secret:x-AbC#k',
    { kind: 'aws-sm', id: 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:x-AbC', field: 'k' },
  ],
  ['azure-kv:my-vault/openai', { kind: 'azure-kv', vault: 'my-vault', name: 'openai', version: undefined }],
  [
    'azure-kv:https://v.vault.azure.cn/a/12ab',
    { kind: 'azure-kv', vault: 'https://v.vault.azure.cn', name: 'a', version: '12ab' },
  ],
  ['gcp-sm:p/s', { kind: 'gcp-sm', project: 'p', name: 's', version: 'latest', field: undefined }],
  ['gcp-sm:projects/p/secrets/s/versions/3#k', { kind: 'gcp-sm', project: 'p', name: 's', version: '3', field: 'k' }],
])('%s', (text, reference) => {
  expect(isReference(text)).toBe(true)
  expect(readReference(text)).toEqual(reference as never)
})

test.each([
  'file:',
  'vault:secret',
  'vault:secret/tollgate',
  'vault:secret/../sys/raw#x',
  'vault:secret//x#y',
  'vault:secret/a#b#c',
  'aws-sm:',
  'aws-sm:name#',
  'azure-kv:vault',
  'azure-kv:http://plain.example/x',
  'azure-kv:vault/../x',
  'gcp-sm:project',
  'gcp-sm:a/../b',
])('%s is told how it is written', (text) => {
  expect(readReference(text)).toMatchObject({ fault: expect.stringMatching(/write|needs|more than one/) })
})

test.each(['sk-plain', 'os.environ/X', 'vaulted:x', 'https://x', 'profile:x'])('%s is none', (text) => {
  expect(isReference(text)).toBe(false)
})
