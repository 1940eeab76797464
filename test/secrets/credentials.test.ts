/** Credentials of providers under a name: entered, used at once, sealed at rest, shown to nobody; and keys of seals that change. */
import { afterAll, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { startMock } from '../mock/upstream.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { makeTemp } from '../support/temp.ts'

const mock = await startMock({ words: 5, models: ['m'] })
afterAll(() => mock.stop())

const model = (name: string, more: Record<string, unknown>) => ({
  model_name: name,
  litellm_params: { model: 'openai/m', api_base: `${mock.url}/v1`, ...more },
})
const SEAL = { first: 'a first long random text 0123456789', second: 'a second long random text 0123456789' }

async function sent(gateway: Gateway, alias: string): Promise<[number, string | undefined]> {
  mock.requests.length = 0
  const response = await gateway.call('POST', '/v1/chat/completions', {
    model: alias,
    messages: [{ role: 'user', content: 'Hi' }],
  })
  await response.text()
  return [response.status, mock.requests.at(-1)?.headers.authorization]
}

const yaml = (tollgate: Record<string, unknown> = {}) => ({
  credential_list: [{ credential_name: 'of-the-file', credential_values: { api_key: 'sk-of-the-file-1' } }],
  model_list: [
    model('file', { litellm_credential_name: 'of-the-file' }),
    model('entered', { litellm_credential_name: 'team-openai' }),
    model('own', { litellm_credential_name: 'of-the-file', api_key: 'sk-own-key-1' }),
  ],
  tollgate,
})

test('a key that is entered, changed and deleted holds from the next request on', async () => {
  // A key of the environment is none of a model's that names a credential.
  const gateway = await startGateway({ yaml: yaml(), env: { OPENAI_API_KEY: 'sk-of-the-environment' } })
  expect(await sent(gateway, 'file')).toEqual([200, 'Bearer sk-of-the-file-1'])
  expect(await sent(gateway, 'own')).toEqual([200, 'Bearer sk-own-key-1'])
  expect((await sent(gateway, 'entered'))[1]).not.toContain('sk-')
  await Bun.sleep(200)
  expect(gateway.logs()).toContain('names a credential that nobody has entered yet')

  const made = await gateway.call('POST', '/credentials', {
    credential_name: 'team-openai',
    credential_values: { api_key: 'sk-entered-first' },
    credential_info: { owner: 'red' },
  })
  expect(made.status).toBe(200)
  expect(await sent(gateway, 'entered')).toEqual([200, 'Bearer sk-entered-first'])
  const changed = await gateway.call('PATCH', '/credentials/team-openai', {
    credential_values: { api_key: 'sk-entered-second', api_base: 'https://other.example' },
  })
  expect(await changed.json()).toMatchObject({ holds_from_next_start: ['api_base'] })
  expect(await sent(gateway, 'entered')).toEqual([200, 'Bearer sk-entered-second'])

  const shown = [await (await gateway.call('GET', '/credentials')).text()]
  shown.push(await (await gateway.call('GET', '/credentials/by_name/team-openai')).text(), await made.text())
  expect(shown.join()).toContain('"owner":"red"')
  expect(shown.join()).toContain('https://other.example')
  for (const secret of ['sk-entered-first', 'sk-entered-second', 'sk-of-the-file-1'])
    expect(shown.join() + gateway.logs()).not.toContain(secret)
  const file = readFileSync(join(gateway.dataDir, 'tollgate.sqlite'), 'latin1')
  expect(file.includes('sk-entered')).toBe(false)

  expect((await gateway.call('DELETE', '/credentials/team-openai')).status).toBe(200)
  expect((await sent(gateway, 'entered'))[1]).not.toContain('sk-')
  await gateway.stop()
}, 30_000)

test('what cannot be done is told', async () => {
  const gateway = await startGateway({ yaml: yaml() })
  const told = async (method: string, path: string, body?: unknown) => {
    const response = await gateway.call(method, path, body)
    return [response.status, await response.text()] as const
  }
  const values = { api_key: 'sk-x' }
  expect((await told('POST', '/credentials', { credential_name: 'of-the-file', credential_values: values }))[0]).toBe(
    400,
  )
  expect((await told('PATCH', '/credentials/of-the-file', { credential_values: values }))[1]).toContain(
    'configuration file',
  )
  expect((await told('DELETE', '/credentials/of-the-file'))[0]).toBe(400)
  expect((await told('DELETE', '/credentials/none'))[0]).toBe(404)
  expect((await told('GET', '/credentials/by_name/none'))[0]).toBe(404)
  expect((await told('POST', '/credentials', { credential_name: 'x', credential_values: { 'a b': 'c' } }))[0]).toBe(400)
  expect((await told('POST', '/credentials', { credential_name: 'x', credential_values: values, x: 1 }))[0]).toBe(400)
  await gateway.stop()
}, 30_000)

test('another key of the seal: everything is sealed anew, and the one before is needed no more', async () => {
  const dataDir = makeTemp('seal')
  const start = (tollgate: Record<string, unknown>) => startGateway({ yaml: yaml(tollgate), dataDir })
  const keep = async (gateway: Gateway) => {
    const made = await gateway.call('POST', '/v1/responses', { model: 'own', input: 'Remember this.' })
    return ((await made.json()) as { id: string }).id
  }
  // Sealed under the data folder's own key.
  let gateway = await start({})
  await gateway.call('POST', '/credentials', {
    credential_name: 'team-openai',
    credential_values: { api_key: 'sk-kept' },
  })
  const id = await keep(gateway)
  await gateway.stop()

  const DONE = 'are needed no more'
  const sealedAnew = async (tollgate: Record<string, unknown>) => {
    gateway = await start(tollgate)
    for (let n = 0; n < 200 && !gateway.logs().includes(DONE); n++) await Bun.sleep(20)
    // The credential, the response, and the key that signs the audit.
    expect(gateway.logs()).toContain('"sealed":3')
    expect(await sent(gateway, 'entered')).toEqual([200, 'Bearer sk-kept'])
    expect((await gateway.call('GET', `/v1/responses/${id}`)).status).toBe(200)
    await gateway.stop()
  }
  await sealedAnew({ seal_key: SEAL.first })
  await sealedAnew({ seal_key: SEAL.second, seal_keys_before: [SEAL.first] })

  // The one before is gone, and nothing misses it.
  gateway = await start({ seal_key: SEAL.second })
  expect(await sent(gateway, 'entered')).toEqual([200, 'Bearer sk-kept'])
  await gateway.stop()
  // Without the right one it does not start, and says what is missing.
  await expect(start({ seal_key: SEAL.first })).rejects.toThrow('seal_keys_before')
}, 60_000)
