/** `Idempotency-Key`: a repeat gets the first answer, and nothing is charged twice, whatever became of the connection. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Mock, startMock } from '../mock/upstream.ts'
import { ask } from '../support/ask.ts'
import { atRest, makeKey, rowsOf } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { makeTemp, removeTemp } from '../support/temp.ts'

let mock: Mock
let gateway: Gateway
let yaml: Record<string, unknown>

beforeAll(async () => {
  mock = await startMock({ words: 12 })
  const prices = { input_cost_per_token: 1e-6, output_cost_per_token: 2e-6 }
  yaml = {
    model_list: ['m', 'slow', 'fails'].map((name) => ({
      model_name: name,
      litellm_params: { model: `openai/${name}`, api_base: `${mock.url}/v1`, api_key: 'sk-up', ...prices },
    })),
    router_settings: { num_retries: 0 },
  }
  gateway = await startGateway({ yaml })
}, 60_000)
afterAll(async () => {
  await gateway?.stop()
  mock?.stop()
})

let n = 0
const idempotent = () => ({ 'idempotency-key': `order-${++n}` })
const isReplayed = (said: { headers: Headers }) => said.headers.get('idempotent-replayed') === 'true'

describe.each([false, true])('stream: %p', (stream) => {
  test('a repeat gets the same answer, and is charged once', async () => {
    const headers = idempotent()
    const key = await makeKey(gateway)
    const asked = mock.of('m').length
    const first = await ask(gateway, { model: 'm', key, stream, headers })
    const again = await ask(gateway, { model: 'm', key, stream, headers })
    expect([isReplayed(first), isReplayed(again)]).toEqual([false, true])
    expect(again.body).toBe(first.body)
    expect(again.headers.get('x-tollgate-cache')).toBe('repeat')
    expect(mock.of('m').length).toBe(asked + 1)
    await atRest(gateway)
    expect((await rowsOf(gateway, key)).length).toBe(1)
  })

  test('a repeat while the first is on its way waits for it', async () => {
    const headers = idempotent()
    mock.plan('slow', [{ delayHeaders: 250, delayBetween: 10 }])
    const asked = mock.of('slow').length
    const all = await Promise.all([0, 1, 2].map(() => ask(gateway, { model: 'slow', stream, headers })))
    expect(mock.of('slow').length).toBe(asked + 1)
    expect(all.map(isReplayed).sort()).toEqual([false, true, true])
    expect(new Set(all.map(({ text }) => text)).size).toBe(1)
  })

  test('whoever hangs up and comes again has the answer that was made meanwhile', async () => {
    const headers = idempotent()
    const key = await makeKey(gateway)
    mock.plan('slow', [{ delayHeaders: 150, delayBetween: 40 }])
    const asked = mock.of('slow').length
    const leaving = new AbortController()
    const first = ask(gateway, { model: 'slow', key, stream, headers, signal: leaving.signal }).catch(() => 'left')
    await mock.until(() => mock.of('slow').length > asked)
    await Bun.sleep(stream ? 250 : 50)
    leaving.abort()
    await first
    await Bun.sleep(50)
    const again = await ask(gateway, { model: 'slow', key, stream, headers })
    expect([again.status, again.whole, isReplayed(again)]).toEqual([200, true, true])
    expect(mock.of('slow').length).toBe(asked + 1)
    await atRest(gateway)
    const rows = await rowsOf(gateway, key)
    expect(rows.map(({ outcome }) => outcome)).toEqual(['ok'])
  })
})

test('without such a key, whoever hangs up ends it, as ever', async () => {
  mock.plan('slow', [{ delayHeaders: 400 }])
  const asked = mock.of('slow').length
  const leaving = new AbortController()
  const first = ask(gateway, { model: 'slow', signal: leaving.signal }).catch(() => 'left')
  await mock.until(() => mock.of('slow').length > asked)
  leaving.abort()
  expect(await first).toBe('left')
  await mock.until(() => mock.of('slow').at(-1)?.abortedAt !== undefined, 3_000)
})

test('a failure is not kept: the repeat is asked anew', async () => {
  const headers = idempotent()
  mock.plan('fails', ['status:500', 'ok'])
  expect((await ask(gateway, { model: 'fails', headers })).status).toBeGreaterThanOrEqual(500)
  const again = await ask(gateway, { model: 'fails', headers })
  expect([again.status, isReplayed(again)]).toEqual([200, false])
})

test('the same key with another request is refused, and so is one that is none', async () => {
  const headers = idempotent()
  await ask(gateway, { model: 'm', headers })
  const other = await ask(gateway, { model: 'm', headers, text: 'something else' })
  expect([other.status, other.error]).toEqual([422, expect.stringContaining('with another request before')])
  const streamed = await ask(gateway, { model: 'm', headers, stream: true })
  expect(streamed.status).toBe(422)
  const long = await ask(gateway, { model: 'm', headers: { 'idempotency-key': 'x'.repeat(300) } })
  expect(long.status).toBe(400)
})

test('another caller with the same key is another one', async () => {
  const headers = idempotent()
  const [mine, yours] = [await makeKey(gateway), await makeKey(gateway)]
  const asked = mock.of('m').length
  await ask(gateway, { model: 'm', headers, key: mine, text: 'mine' })
  const theirs = await ask(gateway, { model: 'm', headers, key: yours, text: 'yours' })
  expect([theirs.status, isReplayed(theirs)]).toEqual([200, false])
  expect(mock.of('m').length).toBe(asked + 2)
})

test('a key that is blocked meanwhile gets nothing, and its request ends', async () => {
  const headers = idempotent()
  const key = await makeKey(gateway)
  mock.plan('slow', [{ delayHeaders: 100, delayBetween: 100 }])
  const asked = mock.of('slow').length
  const first = ask(gateway, { model: 'slow', key, stream: true, headers })
  await mock.until(() => mock.of('slow').length > asked)
  await Bun.sleep(200)
  await gateway.call('POST', '/key/block', { key })
  expect((await first).whole).toBe(false)
  await mock.until(() => mock.of('slow').at(-1)?.abortedAt !== undefined, 3_000)
  expect((await ask(gateway, { model: 'slow', key, stream: true, headers })).status).toBe(401)
})

test('it holds over a restart, and what is kept can not be read', async () => {
  const dataDir = makeTemp('repeats')
  const headers = idempotent()
  const before = await startGateway({ yaml, dataDir })
  const first = await ask(before, { model: 'm', headers, text: 'nobody else reads this' })
  await before.stop()
  for (const file of new Bun.Glob('tollgate.sqlite*').scanSync(dataDir))
    expect(Buffer.from(await Bun.file(`${dataDir}/${file}`).arrayBuffer()).includes(first.text.slice(0, 20))).toBe(
      false,
    )
  const after = await startGateway({ yaml, dataDir })
  const again = await ask(after, { model: 'm', headers, text: 'nobody else reads this' })
  expect([isReplayed(again), again.body]).toEqual([true, first.body])
  await after.stop()
  removeTemp(dataDir)
}, 60_000)

test('a form is the same one with another boundary', async () => {
  const headers = { ...idempotent(), authorization: `Bearer ${gateway.masterKey}` }
  let heard = 0
  const ears = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: () => Response.json({ text: `recording ${++heard}`, usage: { type: 'duration', seconds: 2 } }),
  })
  const base = `http://127.0.0.1:${ears.port}/v1`
  const model = { model_name: 'ears', litellm_params: { model: 'openai/whisper-1', api_base: base, api_key: 'sk-up' } }
  const own = await startGateway({ yaml: { model_list: [model] } })
  const send = async (text: string) => {
    const form = new FormData()
    form.set('model', 'ears')
    form.set('file', new Blob([text], { type: 'audio/wav' }), 'a.wav')
    const reply = await fetch(`${own.url}/v1/audio/transcriptions`, {
      ...{ method: 'POST', headers: { ...headers, authorization: `Bearer ${own.masterKey}` }, body: form },
    })
    return [reply.status, await reply.text()]
  }
  const first = await send('RIFFone')
  expect(first[0]).toBe(200)
  expect(await send('RIFFone')).toEqual(first)
  expect(heard).toBe(1)
  expect((await send('RIFFtwo'))[0]).toBe(422)
  await own.stop()
  ears.stop(true)
}, 30_000)
