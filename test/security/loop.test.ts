/** A gateway whose target is itself, and two that ask each other: the first round is the last. */
import { afterAll, expect, test } from 'bun:test'
import { atRest } from '../support/books.ts'
import { type Gateway, MASTER_KEY, startGateway } from '../support/gateway.ts'
import { freePort } from '../support/temp.ts'

const started: Gateway[] = []
afterAll(() => Promise.all(started.map((gateway) => gateway.stop())))

async function start(port: number, to: number): Promise<Gateway> {
  const litellm_params = { model: 'openai/m', api_base: `http://127.0.0.1:${to}/v1`, api_key: MASTER_KEY }
  const gateway = await startGateway({
    port,
    yaml: { model_list: [{ model_name: 'm', litellm_params }], router_settings: { num_retries: 0 } },
  })
  started.push(gateway)
  return gateway
}

const ask = (gateway: Gateway, stream: boolean) =>
  gateway.call('POST', '/v1/chat/completions', { model: 'm', stream, messages: [{ role: 'user', content: 'x' }] })

/** Requests that it has answered. */
async function requestsOf(gateway: Gateway): Promise<number> {
  await Bun.sleep(1_200)
  return gateway.logs().split('"message":"request"').length - 1
}

test('a gateway whose target is itself refuses its own request', async () => {
  const port = freePort()
  const gateway = await start(port, port)
  for (const stream of [false, true]) {
    const reply = await ask(gateway, stream)
    expect([reply.status, await reply.text()]).toEqual([502, expect.stringContaining("The model 'm' can't answer")])
  }
  // Only the two that came from outside have gone on: each came back once and was told so at the door.
  expect(await requestsOf(gateway)).toBe(2)
  expect(gateway.logs()).toContain('This request has been here before')
  await atRest(gateway)
})

test('two that ask each other, likewise', async () => {
  const [one, two] = [freePort(), freePort()]
  const first = await start(one, two)
  const second = await start(two, one)
  expect((await ask(first, false)).status).toBe(502)
  expect([await requestsOf(first), await requestsOf(second)]).toEqual([1, 1])
})

test('a chain of gateways goes on, and does not grow without an end', async () => {
  const last = await start(freePort(), 1)
  const hops = (n: number) => Array.from({ length: n }, (_, i) => i.toString(16).padStart(12, '0')).join(',')
  const through = (hop: string) =>
    fetch(`${last.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${last.masterKey}`, 'x-tollgate-hop': hop },
      body: '{"model":"m","messages":[{"role":"user","content":"x"}]}',
    })
  expect((await through(hops(3))).status).toBe(502)
  expect((await through(hops(8))).status).toBe(508)
  // What is no such list is nobody's.
  expect((await through('a'.repeat(5_000))).status).toBe(502)
})
