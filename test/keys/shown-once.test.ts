/** A key is shown once: by no other route, in no error, no header and no line of the log, whoever asks. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PERMISSIONS } from '../../src/http/permissions.ts'
import { makeKey } from '../support/books.ts'
import { bearer, CHAT, startWorld, type World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld({ tollgate: { auth_attempts: { free: 1_000 } } })
})
afterAll(() => world.stop())

/** With something for each of its parameters: a route that names a key is given the key itself. */
const path = (route: string, key: string): string =>
  route
    .replace(/\/models\/\*$/, '/models/fast:generateContent')
    .replace('/deployments/*', '/deployments/fast/chat/completions')
    .replace(/\/\*$/, '/fast')
    .replace(':key', encodeURIComponent(key))
    .replace(':id', 'some_id')

/** These answer with the new secret of a key: of another one than the one that was named. */
const SHOWS = /^POST \/key\/(generate|service-account\/generate|regenerate|:key\/regenerate|rotate)$|^POST \/user\/new$/

test('no route, error or log repeats a key, wherever in a request one may be named', async () => {
  const leaks: string[] = []
  const secrets = new Set<string>([world.gateway.masterKey])
  let asked = 0
  for (const name of Object.keys(PERMISSIONS)) {
    const [method = '', route = ''] = name.split(' ')
    // A key of its own for each: some of the routes end it.
    const key = await makeKey(world.gateway, { key_alias: `of ${name}`, user_id: 'u', team_id: 't' })
    secrets.add(key)
    const isRead = method === 'GET' || method === 'HEAD'
    const bodies = isRead ? [undefined] : [{ key }, { keys: [key] }, { api_key: key }, { ...CHAT, key }]
    for (const body of bodies)
      for (const who of [world.gateway.masterKey, key, `${key}x`]) {
        const query = isRead ? `?key=${key}&api_key=${key}&key_hash=${key}` : ''
        const said = await world.send(method, path(route, key) + query, bearer(who), body)
        asked++
        const told = said.text + JSON.stringify([...said.headers])
        if (SHOWS.test(name) && said.status === 200) {
          const shown = said.body.key as string | undefined
          if (shown) secrets.add(shown)
          if (told.includes(key)) leaks.push(`${name}: the old key in ${told.slice(0, 300)}`)
          continue
        }
        for (const secret of [key, world.gateway.masterKey])
          if (told.includes(secret)) leaks.push(`${name} ${JSON.stringify(body)?.slice(0, 60)}: ${told.slice(0, 300)}`)
      }
  }
  expect(leaks).toEqual([])
  expect(asked).toBeGreaterThan(800)
  const logs = world.gateway.logs()
  expect([...secrets].filter((secret) => logs.includes(secret))).toEqual([])
  for (const file of readdirSync(world.gateway.dataDir)) {
    const bytes = readFileSync(join(world.gateway.dataDir, file)).toString('latin1')
    expect([file, [...secrets].filter((secret) => bytes.includes(secret)).length]).toEqual([file, 0])
  }
}, 120_000)
