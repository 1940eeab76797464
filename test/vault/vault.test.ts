/** Secrets in a real Vault: by token, by AppRole, by the token of a pod; and a gateway whose keys change while it runs. */
import { afterAll, expect, test } from 'bun:test'
import { generateKeyPairSync, sign } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SecretStore } from '../../src/secrets/store.ts'
import { startMock } from '../mock/upstream.ts'
import { startGateway } from '../support/gateway.ts'
import { makeTemp } from '../support/temp.ts'
import { startVault } from './vault.ts'

const vault = await startVault()
afterAll(() => vault.stop())
const folder = makeTemp('vault-test')

const READ = 'path "secret/data/tollgate" { capabilities = ["read"] }'
await vault.call('PUT', 'sys/policies/acl/tollgate', { policy: READ })
await vault.put('tollgate', { openai: 'sk-from-vault', other: 'x' })

const read = async (reference: string, env: Record<string, string>) =>
  (await new SecretStore({ env: { VAULT_ADDR: vault.address, ...env } }, Date.now).readAll([reference])).get(reference)
const HERE = 'vault:secret/tollgate#openai'

test('by a token; what is not there is told by name, and never by value', async () => {
  const env = { VAULT_TOKEN: vault.root }
  expect(await read(HERE, env)).toEqual({ text: 'sk-from-vault' })
  expect(await read('vault:secret/data/tollgate#openai', env)).toEqual({ text: 'sk-from-vault' })
  expect(await read('vault:secret/tollgate#none', env)).toEqual({
    fault: 'secret/tollgate in the Vault has no field `none`. It has: openai, other.',
  })
  expect(await read('vault:secret/none#x', env)).toEqual({ fault: 'the Vault has no secret/none (KV version 2).' })
  expect(await read(HERE, { VAULT_TOKEN: 'wrong' })).toEqual({
    fault: 'the Vault does not let us read secret/tollgate (403).',
  })
})

test('by AppRole, with a token that ends: another is asked for', async () => {
  await vault.call('POST', 'sys/auth/approle', { type: 'approle' })
  await vault.call('POST', 'auth/approle/role/gateway', {
    token_policies: ['tollgate'],
    token_ttl: '1s',
    token_max_ttl: '1s',
  })
  const { data: role } = (await vault.call('GET', 'auth/approle/role/gateway/role-id')) as { data: { role_id: string } }
  const { data: secret } = (await vault.call('POST', 'auth/approle/role/gateway/secret-id', {})) as {
    data: { secret_id: string }
  }
  const env = { VAULT_ADDR: vault.address, VAULT_ROLE_ID: role.role_id, VAULT_SECRET_ID: secret.secret_id }
  const store = new SecretStore({ env }, Date.now)
  const once = async () => (await store.readAll([HERE])).get(HERE)
  expect(await once()).toEqual({ text: 'sk-from-vault' })
  await Bun.sleep(2_500)
  expect(await once()).toEqual({ text: 'sk-from-vault' })
  expect(store.faults).toEqual([])
  // What the policy does not allow stays closed, and is said.
  await vault.put('closed', { a: 'b' })
  expect(await read('vault:secret/closed#a', env)).toEqual({
    fault: 'the Vault does not let us read secret/closed (403).',
  })
  expect(await read(HERE, { ...env, VAULT_SECRET_ID: 'wrong' })).toEqual({
    fault: 'the Vault does not let us in at auth/approle (400).',
  })
}, 30_000)

test('by the token of a pod', async () => {
  // Vault's Kubernetes method asks a cluster about the token, and there is none here; its JWT method takes the same login and
  // checks the token itself.
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  await vault.call('POST', 'sys/auth/kubernetes', { type: 'jwt' })
  await vault.call('POST', 'auth/kubernetes/config', {
    jwt_validation_pubkeys: [publicKey.export({ type: 'spki', format: 'pem' })],
  })
  await vault.call('POST', 'auth/kubernetes/role/gateway', {
    ...{ role_type: 'jwt', user_claim: 'sub', bound_audiences: ['vault'], token_policies: ['tollgate'] },
    bound_subject: 'system:serviceaccount:llm:tollgate',
  })
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const now = Math.floor(Date.now() / 1000)
  const claims = { iat: now - 5, nbf: now - 5, aud: 'vault', exp: now + 600, sub: 'system:serviceaccount:llm:tollgate' }
  const signed = `${encode({ alg: 'ES256', typ: 'JWT' })}.${encode(claims)}`
  const signature = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString(
    'base64url',
  )
  const file = join(folder, 'token')
  writeFileSync(file, `${signed}.${signature}\n`)
  const options = { kubernetes_role: 'gateway', kubernetes_token_file: file }
  const store = new SecretStore({ env: { VAULT_ADDR: vault.address }, vault: options }, Date.now)
  expect((await store.readAll([HERE])).get(HERE)).toEqual({ text: 'sk-from-vault' })
  writeFileSync(file, 'forged')
  const other = new SecretStore({ env: { VAULT_ADDR: vault.address }, vault: options }, Date.now)
  expect((await other.readAll([HERE])).get(HERE)).toMatchObject({
    fault: expect.stringContaining('let us in at auth/kubernetes'),
  })
})

test('a gateway uses a new key without a restart, goes on while the Vault is silent, and prints neither', async () => {
  const mock = await startMock({ words: 5, models: ['m'] })
  await vault.put('gateway', { upstream: 'sk-upstream-first', master: 'sk-master-first-0001', header: 'first' })
  const gateway = await startGateway({
    env: { VAULT_ADDR: vault.address, VAULT_TOKEN: vault.root },
    yaml: {
      model_list: [
        {
          model_name: 'm',
          litellm_params: {
            ...{ model: 'openai/m', api_base: `${mock.url}/v1`, api_key: 'vault:secret/gateway#upstream' },
            extra_headers: { 'x-team': 'vault:secret/gateway#header' },
          },
        },
      ],
      general_settings: { master_key: 'vault:secret/gateway#master' },
      tollgate: { secrets: { refresh: 0.2 } },
    },
  })
  const ask = async (key: string) => {
    const response = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hi' }] }),
    })
    await response.text()
    const sent = mock.requests.at(-1)?.headers
    return [response.status, sent?.authorization, sent?.['x-team']]
  }
  expect(await ask('sk-master-first-0001')).toEqual([200, 'Bearer sk-upstream-first', 'first'])

  vault.pause()
  await Bun.sleep(500)
  expect(await ask('sk-master-first-0001')).toEqual([200, 'Bearer sk-upstream-first', 'first'])
  vault.resume()

  await vault.put('gateway', { upstream: 'sk-upstream-second', master: 'sk-master-second-0002', header: 'second' })
  for (let n = 0; n < 400 && !gateway.logs().includes('Secrets have changed'); n++) await Bun.sleep(50)
  expect(await ask('sk-master-second-0002')).toEqual([200, 'Bearer sk-upstream-second', 'second'])
  expect((await ask('sk-master-first-0001'))[0]).toBe(401)
  expect(gateway.logs()).toContain('models.0.apiKey')
  for (const secret of ['sk-upstream-first', 'sk-upstream-second', 'sk-master-first-0001', 'sk-master-second-0002'])
    expect(gateway.logs()).not.toContain(secret)
  await gateway.stop()
  await mock.stop()
}, 60_000)

test('a secret that is not there stops the start, with its place in the file', async () => {
  const yaml = {
    model_list: [{ model_name: 'm', litellm_params: { model: 'openai/m', api_key: 'vault:secret/none#x' } }],
  }
  const env = { VAULT_ADDR: vault.address, VAULT_TOKEN: vault.root }
  await expect(startGateway({ yaml, env })).rejects.toThrow(
    /model_list\[0\]\.litellm_params\.api_key.*has no secret\/none/s,
  )
}, 30_000)
