/** A real nginx asks `GET /auth/validate` by `auth_request` before it lets anybody to a page of its own. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeKey } from '../support/books.ts'
import { bury, freePort, makeTemp, removeTemp, terminate } from '../support/temp.ts'
import { findNginx } from './nginx.ts'
import { bearer, startWorld, type World } from './world.ts'

let world: World
let folder: string
let url: string
let nginx: Bun.Subprocess
/** What reached the page behind nginx. */
const reached: Record<string, string>[] = []
const page = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  fetch: (request: Request) => {
    reached.push(Object.fromEntries([...request.headers] as [string, string][]))
    return new Response('the page')
  },
})

beforeAll(async () => {
  const binary = await findNginx()
  world = await startWorld(() => ({ trusted_proxies: ['127.0.0.1'], auth_attempts: { free: 1_000 } }))
  folder = makeTemp('nginx')
  const port = freePort()
  url = `http://127.0.0.1:${port}`
  for (const name of ['body', 'proxy', 'fastcgi', 'uwsgi', 'scgi', 'logs']) mkdirSync(join(folder, name))
  // The example of docs/auth.md, with its own places.
  const text = await Bun.file(join(import.meta.dir, '../../docs/auth.md')).text()
  const block = /```nginx\n(location \/grafana[\s\S]*?)```/.exec(text)?.[1] as string
  const locations = block
    .replace('http://127.0.0.1:3000', `http://127.0.0.1:${page.port}`)
    .replace('http://127.0.0.1:4000', world.gateway.url)
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; error_log stderr; pid ${folder}/pid; events {}
http {
  access_log off; client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi; uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  server { listen 127.0.0.1:${port}; ${locations} }
}`,
  )
  nginx = Bun.spawn([binary, '-p', folder, '-c', join(folder, 'nginx.conf')], { stdout: 'ignore', stderr: 'ignore' })
  bury(nginx)
  for (let i = 0; i < 100; i++) {
    if (
      await fetch(url).then(
        () => true,
        () => false,
      )
    )
      return
    await Bun.sleep(50)
  }
  throw new Error('nginx did not start')
}, 180_000)
afterAll(async () => {
  await terminate(nginx, 5_000)
  removeTemp(folder)
  await page.stop(true)
  await world.stop()
})

const get = async (headers: Record<string, string>) => {
  const reply = await fetch(`${url}/grafana/`, { headers })
  return { status: reply.status, text: await reply.text() }
}

test('who may comes through, and the page is told who it is', async () => {
  const made = (await (
    await world.gateway.call('POST', '/user/new', { user_id: 'ada', user_role: 'write' })
  ).json()) as { key: string }
  expect(await get(bearer(made.key))).toEqual({ status: 200, text: 'the page' })
  expect(reached.at(-1)?.['x-auth-user']).toBe('ada')
  // A header that the client wrote itself is overwritten by what is so, even where that is nobody.
  await get({ ...bearer(world.gateway.masterKey), 'x-auth-user': 'root' })
  expect(reached.at(-1)?.['x-auth-user'] ?? '').toBe('')
})

test('who may not is kept out, and the page does not hear of it', async () => {
  const before = reached.length
  expect((await get({})).status).toBe(401)
  expect((await get(bearer('sk-wrong'))).status).toBe(401)
  expect((await get(bearer(await makeKey(world.gateway)))).status).toBe(403)
  expect(reached.length).toBe(before)
})
