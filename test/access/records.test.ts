/** What is kept of one team is nothing to another: every route that tells of requests, asked by everybody of the other side. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { ROLES } from '../../src/core/role.ts'
import { makeKey } from '../support/books.ts'
import { startWorld, type World } from './world.ts'

let world: World
/** What blue has left: ids by which it could be asked for. */
const blue: { key: string; token: string; request: string; response: string; file: string; batch: string } = {
  ...{ key: '', token: '', request: '', response: '', file: '', batch: '' },
}
let red: string
const MARK = 'blue-secret-4711'

beforeAll(async () => {
  world = await startWorld()
  blue.key = await makeKey(world.gateway, { team_id: 'blue', user_id: 'berta', metadata: { log_content: true } })
  red = await makeKey(world.gateway, { team_id: 'red', user_id: 'ida' })
  blue.token = ((await world.manage('GET', `/key/info?key=${blue.key}`)).info as { token: string }).token
  const as = (path: string, body: unknown) =>
    fetch(world.gateway.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${blue.key}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  const chat = await as('/v1/chat/completions', { model: 'm', user: MARK, messages: [{ role: 'user', content: MARK }] })
  expect(chat.status).toBe(200)
  await chat.text()
  blue.request = chat.headers.get('x-request-id') ?? ''
  const response = await as('/v1/responses', { model: 'm', input: MARK })
  blue.response = ((await response.json()) as { id: string }).id
  const form = new FormData()
  form.set('purpose', 'batch')
  form.set('file', new File(['{}'], `${MARK}.jsonl`))
  const file = await fetch(`${world.gateway.url}/v1/files`, {
    method: 'POST',
    headers: { authorization: `Bearer ${blue.key}` },
    body: form,
  })
  blue.file = ((await file.json()) as { id?: string }).id ?? 'file-none'
  await Bun.sleep(200)
})
afterAll(() => world.stop())

/** Every route that tells of what was asked, answered, uploaded or spent. */
const paths = (): string[] => [
  ...['/spend/logs', `/spend/logs?request_id=${blue.request}`, `/spend/logs?api_key=${blue.token}`],
  ...['/user/daily/activity', '/team/daily/activity', '/project/daily/activity', '/customer/daily/activity'],
  ...['/tag/daily/activity', '/organization/daily/activity', '/global/spend', '/global/spend/report', '/spend/keys'],
  ...['/spend/users', '/spend/tags', '/spend/statement?month=2026-11'],
  ...['/audit', '/audit/1', '/audit/2', '/audit/key', '/audit/requests', `/audit/requests?key=${blue.token}`],
  ...[`/audit/requests?id=${blue.request}`, '/audit/export', '/audit/export?chain=admin', '/audit/export?format=cef'],
  ...[`/content/${blue.request}`, `/v1/responses/${blue.response}`, `/v1/responses/${blue.response}/input_items`],
  ...['/v1/files', `/v1/files/${blue.file}`, `/v1/files/${blue.file}/content`, '/v1/batches', '/v1/batches/batch-1'],
  ...['/key/refused', '/customer/list', `/customer/info?end_user_id=${MARK}`, '/cache/report', '/guardrails/report'],
]

test('there is something of blue to be seen, for whoever may', async () => {
  const all = await world.send('GET', '/spend/logs', world.gateway.masterKey)
  expect(all.text).toContain(blue.request)
  expect((await world.send('GET', `/v1/responses/${blue.response}`, blue.key)).text).toContain(blue.response)
  const entries = await world.send('GET', `/audit/requests?id=${blue.request}`, world.gateway.masterKey)
  expect(JSON.parse(entries.text)).toHaveLength(1)
})

test.each(ROLES.filter((role) => role !== 'proxy_admin' && role !== 'proxy_admin_viewer'))(
  '%s of red sees nothing of it',
  async (role) => {
    for (const key of [world.keys[role], red])
      for (const path of paths()) {
        const { status, text } = await world.send('GET', path, key)
        const seen = [MARK, blue.request, blue.response, blue.token, 'berta'].filter(
          // What he has asked for stands in the sentence that says it is not there.
          (mark) => text.includes(mark) && !(status >= 400 && path.includes(mark)),
        )
        expect([path, status < 500, seen]).toEqual([path, true, []])
      }
    for (const [method, path] of [
      ['DELETE', `/v1/responses/${blue.response}`],
      ['DELETE', `/v1/files/${blue.file}`],
      ['POST', '/privacy/forget'],
    ] as const) {
      const { status } = await world.send(
        method,
        path,
        world.keys[role],
        method === 'POST' ? { user_id: 'berta' } : undefined,
      )
      expect([path, status === 403 || status === 404]).toEqual([path, true])
    }
  },
)

test('and what was said before goes on with nobody but blue', async () => {
  const { status } = await world.send('POST', '/v1/responses', red, {
    ...{ model: 'm', input: 'x', previous_response_id: blue.response },
  })
  expect(status).toBe(400)
})

test('not even the operator reads what was said without being named for it', async () => {
  for (const key of [world.gateway.masterKey, world.keys.proxy_admin, world.keys.proxy_admin_viewer, blue.key])
    expect((await world.send('GET', `/content/${blue.request}`, key)).status).toBe(403)
  for (const path of ['/audit', '/audit/requests', '/audit/export', '/spend/logs'])
    expect((await world.send('GET', path, world.gateway.masterKey)).text).not.toContain(`"content":"${MARK}"`)
})
