/** Each source of secrets: what it is asked, what it gives, and what is told where it gives nothing. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SecretStore } from '../../src/secrets/store.ts'
import { makeTemp } from '../support/temp.ts'
import { startClouds } from './clouds.ts'

const clouds = startClouds()
const folder = makeTemp('sources')
const NAMES = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'GOOGLE_APPLICATION_CREDENTIALS'] as const
const before = NAMES.map((name) => [name, process.env[name]] as const)
beforeAll(() => {
  writeFileSync(join(folder, 'subject'), 'a-token-of-the-pod')
  // Google's own library reads this file; it is Google's format for workloads elsewhere.
  writeFileSync(
    join(folder, 'google.json'),
    JSON.stringify({
      type: 'external_account',
      audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      token_url: `${clouds.url}/google/token`,
      credential_source: { file: join(folder, 'subject') },
    }),
  )
  process.env.AWS_ACCESS_KEY_ID = 'AKIATEST'
  process.env.AWS_SECRET_ACCESS_KEY = 'aws-secret'
  process.env.GOOGLE_APPLICATION_CREDENTIALS = join(folder, 'google.json')
})
beforeEach(() => {
  clouds.secrets.clear()
  clouds.seen.length = 0
  clouds.down = undefined
})
afterAll(async () => {
  for (const [name, value] of before) {
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
  await clouds.stop()
})

const env = () => ({
  AWS_REGION: 'eu-central-1',
  AWS_ENDPOINT_URL_SECRETS_MANAGER: `${clouds.url}/`,
  AZURE_TENANT_ID: 'tenant-1',
  AZURE_CLIENT_ID: 'client-1',
  AZURE_CLIENT_SECRET: 'azure-secret',
  AZURE_AUTHORITY_HOST: clouds.url,
  CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER: `${clouds.url}/`,
})
// Key Vault is asked by HTTPS only: the test's own is at plain HTTP, through the option that tests have.
const store = (more: Record<string, string | undefined> = {}) =>
  new SecretStore({ env: { ...env(), ...more } }, Date.now)
const read = async (reference: string, from = store()) => (await from.readAll([reference])).get(reference)

test('a file, without the line break at its end; one that is empty or not there is told', async () => {
  const path = join(folder, 'key')
  writeFileSync(path, 'sk-from-file\n')
  expect(await read(`file:${path}`)).toEqual({ text: 'sk-from-file' })
  writeFileSync(path, '\n')
  expect(await read(`file:${path}`)).toEqual({ fault: `${path} is empty.` })
  expect(await read('file:/nowhere/key')).toEqual({ fault: "/nowhere/key can't be read (ENOENT)." })
})

test('AWS Secrets Manager, signed; a field of its JSON; by ARN', async () => {
  clouds.secrets.set('prod/tollgate', '{"openai":"sk-aws"}')
  clouds.secrets.set('plain', 'sk-plain')
  expect(await read('aws-sm:prod/tollgate#openai')).toEqual({ text: 'sk-aws' })
  expect(await read('aws-sm:plain')).toEqual({ text: 'sk-plain' })
  const arn = 'arn:aws:secretsmanager:eu-central-1:1:secret:plain'
  clouds.secrets.set(arn, 'sk-arn')
  expect(await read(`aws-sm:${arn}`, store({ AWS_REGION: undefined }))).toEqual({ text: 'sk-arn' })
  expect(await read('aws-sm:prod/tollgate#other')).toEqual({
    fault: 'prod/tollgate in AWS Secrets Manager has no field `other`. It has: openai.',
  })
  expect(await read('aws-sm:plain#x')).toEqual({
    fault: 'plain in AWS Secrets Manager is no JSON, so that it has no field `x`.',
  })
  expect(await read('aws-sm:none')).toMatchObject({ fault: expect.stringContaining('does not give none (400)') })
  expect(await read('aws-sm:plain', store({ AWS_REGION: undefined }))).toMatchObject({
    fault: expect.stringContaining('AWS_REGION'),
  })
})

test('Google Secret Manager, with what Google’s own library finds', async () => {
  clouds.secrets.set('openai', 'sk-google')
  expect(await read('gcp-sm:my-project/openai')).toEqual({ text: 'sk-google' })
  expect(clouds.seen.at(-1)).toStartWith('GET /v1/projects/my-project/secrets/openai/versions/latest:access')
  expect(await read('gcp-sm:my-project/none')).toEqual({ fault: 'Google Secret Manager has no none in my-project.' })
})

test('what a source says of a secret is never repeated in a fault', async () => {
  clouds.secrets.set('map', '{"a":"sk-very-secret","b":{"c":"sk-very-secret"}}')
  for (const field of ['x', 'b', 'toString', '__proto__']) {
    const found = await read(`aws-sm:map#${field}`)
    expect(found).toHaveProperty('fault')
    expect(JSON.stringify(found)).not.toContain('sk-very-secret')
  }
})

test('a source that is down is told, and what it gave before stays', async () => {
  clouds.secrets.set('openai', 'sk-first')
  const from = store()
  const reference = 'gcp-sm:p/openai'
  expect(await read(reference, from)).toEqual({ text: 'sk-first' })
  clouds.down = 503
  expect(await read(reference, from)).toEqual({ text: 'sk-first' })
  expect(from.faults).toEqual([`${reference}: Google Secret Manager answers 503.`])
  expect(await read('gcp-sm:p/other', from)).toEqual({ fault: 'Google Secret Manager answers 503.' })
  clouds.down = undefined
  clouds.secrets.set('openai', 'sk-second')
  expect(await read(reference, from)).toEqual({ text: 'sk-second' })
  expect(from.faults).toEqual([])
})

test('each is asked once, however often it stands in the file', async () => {
  clouds.secrets.set('openai', 'sk')
  await store().readAll(['gcp-sm:p/openai', 'gcp-sm:p/openai', 'sk-plain'])
  expect(clouds.seen.filter((line) => line.includes(':access'))).toHaveLength(1)
})

test('nobody there: it is told within seconds, and nothing is thrown', async () => {
  const gone = { CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER: 'http://127.0.0.1:1/' }
  expect(await read('gcp-sm:p/x', store(gone))).toMatchObject({ fault: expect.stringContaining("can't be reached") })
  expect(await read('vault:secret/x#y')).toMatchObject({ fault: expect.stringContaining('VAULT_ADDR') })
  expect(await read('vault:secret/x#y', store({ VAULT_ADDR: 'http://127.0.0.1:1' }))).toMatchObject({
    fault: expect.stringContaining('VAULT_TOKEN'),
  })
  expect(await read('vault:secret/x#y', store({ VAULT_ADDR: 'http://127.0.0.1:1', VAULT_TOKEN: 't' }))).toMatchObject({
    fault: expect.stringContaining("the Vault can't be reached"),
  })
})
