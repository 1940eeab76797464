/** What the fuzzing found, each in the smallest request that showed it. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { atRest } from '../support/books.ts'
import { startWorld, type World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.stop())

const chat = { model: 'm', messages: [{ role: 'user', content: 'x' }] }
/** It has a `toString`, and it is no function: nothing makes a text of it. */
const ODD = { toString: 0, valueOf: 0 }

async function send(method: string, path: string, body?: unknown): Promise<[status: number, text: string]> {
  const headers = { authorization: `Bearer ${world.gateway.masterKey}`, 'content-type': 'application/json' }
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const reply = await fetch(world.gateway.url + path, {
    method,
    headers,
    ...(body === undefined ? {} : { body: text }),
  })
  return [reply.status, await reply.text()]
}

test.each([
  ['/v1/models/%', 'GET'],
  ['/v1beta/models/%zz:generateContent', 'POST'],
  ['/openai/deployments/m%/chat/completions', 'POST'],
])('a path that is encoded wrongly is the caller’s fault: %s', async (path, method) => {
  const [status, text] = await send(method, path, method === 'POST' ? chat : undefined)
  expect([status, text]).toEqual([400, expect.stringContaining('%25')])
})

test.each(['/v1/chat/completions', '/v1/messages', '/api/chat', '/v1/responses'])(
  'a raw control character in a string is no JSON, holds no money and keeps no slot: %s',
  async (path) => {
    for (const model of ['m', 'claude', 'gem', 'local']) {
      const body = `{"model":"${model}","max_tokens":9,"messages":[{"role":"user","content":"a\u0001b"}],"input":"a\u0001b"}`
      const [status, text] = await send('POST', path, body)
      // Where the bytes are relayed it is the upstream that refuses, or takes them.
      expect([path, model, status === 400 || status === 200, text.includes('inside the gateway')]).toEqual([
        ...[path, model, true, false],
      ])
    }
    expect(await atRest(world.gateway)).toMatchObject({ open_holds: 0, held: 0 })
  },
)

test.each([
  ['/api/chat', { model: 'm', messages: [], keep_alive: ODD }],
  ['/v1/chat/completions', { ...chat, model: 'claude', tools: [{ type: ODD }] }],
  ['/v1/chat/completions', { ...chat, model: 'gem', messages: [{ role: 'user', content: [{ type: ODD }] }] }],
  ['/v1/responses', { model: 'm', input: 'x', previous_response_id: ODD }],
])('what stands for a word and becomes no text is refused or passed on: %s %j', async (path, body) => {
  const [status, text] = await send('POST', path, body)
  expect([status < 500, text.includes('inside the gateway')]).toEqual([true, false])
})

test.each(['constructor', '__proto__', 'toString', 'hasOwnProperty'])(
  'what every object has is no name of ours: group_by=%s',
  async (group) => {
    const [status, text] = await send('GET', `/global/spend/report?group_by=${group}`)
    expect([status, text]).toEqual([400, expect.stringContaining("'group_by' must be one of")])
  },
)
