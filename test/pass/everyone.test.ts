/** Any other path of every provider there is: below its own address, with its own credentials, for whom it was granted. */
import { afterAll, beforeEach, expect, test } from 'bun:test'
import { providers } from '../../providers/index.ts'
import { startUpstream, startWorld } from './world.ts'

const KEY = 'up-secret-0123456789'
const upstream = startUpstream()
const base = `http://127.0.0.1:${upstream.port}`

/** What a provider needs beside its key and address. */
const MORE: Readonly<Record<string, object>> = {
  bedrock: {
    api_key: undefined,
    aws_region_name: 'eu-west-1',
    aws_access_key_id: 'AKIDEXAMPLE',
    aws_secret_access_key: KEY,
  },
  sagemaker_chat: {
    api_key: undefined,
    aws_region_name: 'eu-west-1',
    aws_access_key_id: 'AKIDEXAMPLE',
    aws_secret_access_key: KEY,
  },
  cloudflare: { account_id: 'acc' },
  snowflake: { account_id: 'acc' },
}
/** Without a network; closed, since its paths change the models that all share; and by tokens that only Google makes. */
const NOT_HERE = ['demo', 'ollama', 'vertex_ai']
/** No key in a header, but a signature. */
const SIGNED = ['bedrock', 'sagemaker_chat']
const asked = providers.filter(({ id }) => !NOT_HERE.includes(id))

const world = await startWorld({
  yaml: {
    model_list: asked.map(({ id }) => ({
      model_name: `of-${id}`,
      litellm_params: {
        model: `${id}/${id === 'ragflow' ? 'chat/1/m' : 'm'}`,
        api_base: `${base}/at/${id}`,
        api_key: KEY,
        ...MORE[id],
      },
    })),
  },
})
const everything = await world.key({ allowed_passthrough_routes: ['*'] })
const nothing = await world.key()
beforeEach(() => {
  upstream.seen = []
})
afterAll(async () => {
  await world.gateway.stop()
  await upstream.stop()
})

test.each(asked.map(({ id }) => id))('%s', async (id) => {
  const reply = await everything('POST', `/${id}/v7/odd/things?x=1&api_key=mine`, { name: 'it' }, { cookie: 'c=1' })
  expect([reply.status, await reply.json()]).toEqual([200, { ok: true }])
  const [seen, ...more] = upstream.seen
  expect(more).toEqual([])
  expect(seen?.path).toStartWith(`/at/${id}`)
  expect(seen).toMatchObject({ method: 'POST', query: '?x=1', body: '{"name":"it"}' })
  expect(seen?.path).toEndWith('/odd/things')
  const headers = JSON.stringify([...(seen?.headers ?? [])])
  expect(headers).toContain(SIGNED.includes(id) ? 'Credential=AKIDEXAMPLE/' : KEY)
  for (const never of [everything.key, 'c=1']) expect(headers).not.toContain(never)
  const [row] = await world.rows(1)
  expect(row).toMatchObject({ call_type: 'pass_through_endpoint', api_key: everything.token, outcome: 'ok' })

  const refused = await nothing('POST', `/${id}/v7/odd/things`, { name: 'it' })
  expect([refused.status, await refused.text()]).toMatchObject([403, expect.stringContaining('allowed_passthrough')])
  for (const out of [`//evil.example/x`, `/${id}/..%2f..%2fx`, `/${id}/@evil.example/x`, `/${id}//evil.example`])
    expect([out, (await everything('GET', out)).status >= 400]).toEqual([out, true])
  expect(upstream.seen).toHaveLength(1)
})

test('none but these three is left out', async () => {
  for (const id of NOT_HERE) expect([id, (await everything('GET', `/${id}/v1/x`)).status]).toEqual([id, 404])
  expect(upstream.seen).toEqual([])
})

test('errors of a provider do not repeat its credentials, nor do the logs', async () => {
  upstream.answer = ({ headers }) =>
    Response.json({ error: { message: `bad ${JSON.stringify([...headers])}` } }, { status: 400 })
  for (const { id } of asked) {
    const text = await (await everything('POST', `/${id}/v7/x`, { name: 'it' })).text()
    expect([id, text.includes(KEY), /Signature=[0-9a-f]{64}/.test(text)]).toEqual([id, false, false])
  }
  upstream.answer = () => Response.json({ ok: true })
  expect(world.gateway.logs()).not.toContain(KEY)
})
