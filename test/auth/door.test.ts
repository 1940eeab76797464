/** The ways in, tried on a running gateway: keys, files, passwords, addresses, and what is put together of them. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { apr1 } from '../../src/auth/apr1.ts'
import { makeKey } from '../support/books.ts'
import { startGateway } from '../support/gateway.ts'
import { basic, bearer, startWorld, type World } from './world.ts'

const FILE_KEY = 'sk-of-the-file-0123456789'

describe('keys, and passwords, and addresses', () => {
  let world: World
  beforeAll(async () => {
    const bcrypt = await Bun.password.hash('geheim', { algorithm: 'bcrypt', cost: 4 })
    world = await startWorld((write) => ({
      trusted_proxies: ['127.0.0.1'],
      auth_attempts: { free: 1_000 },
      auth: [
        { api_key: { header: 'X-Team-Key', file: write('keys', `${FILE_KEY} ci user=robot team=red models=m\n`) } },
        {
          basic: {
            htpasswd: write(
              'htpasswd',
              `ada:${bcrypt}\nbob:${apr1('secret', 'abc')}\nstrange line\nzoë:${apr1('x:y', 'abc')}\nroot:${bcrypt}\n`,
            ),
            users: { root: { role: 'admin' } },
            as: { team: 'staff', models: ['m'], rpm_limit: 3 },
          },
        },
        {
          all: [
            { ip: { allow: ['198.51.100.0/24'], deny: ['198.51.100.66'] } },
            { any: [{ basic: { htpasswd: write('office', `eve:${apr1('pw', 'abc')}\n`) } }] },
          ],
        },
        { ip: { allow: ['203.0.113.0/24'], as: { user: 'lobby', role: 'read-only', models: ['m'] } } },
      ],
    }))
  })
  afterAll(() => world.stop())

  test('a key of the gateway, in every header', async () => {
    const key = await makeKey(world.gateway, { team_id: 'red' })
    for (const headers of [
      bearer(key),
      { authorization: `bearer ${key}` },
      ...['x-api-key', 'api-key', 'x-goog-api-key', 'x-litellm-api-key', 'x-team-key'].map((name) => ({ [name]: key })),
    ] as Record<string, string>[]) {
      const said = await world.who(headers)
      expect([headers, said.status, said.role, said.team]).toEqual([headers, 204, 'customer', 'red'])
      expect(said.name).toMatch(/^key:[0-9a-f]{32}$/)
    }
    expect(await world.who(bearer(world.gateway.masterKey))).toMatchObject({
      status: 204,
      name: 'master',
      role: 'proxy_admin',
    })
  })

  test('`Authorization` is the one that counts, right or wrong', async () => {
    const key = await makeKey(world.gateway)
    const { masterKey } = world.gateway
    expect((await world.who({ ...bearer(key), 'x-api-key': masterKey })).role).toBe('customer')
    expect((await world.who({ ...bearer(masterKey), 'x-api-key': key })).role).toBe('proxy_admin')
    expect((await world.who({ ...bearer('sk-wrong'), 'x-api-key': masterKey })).status).toBe(401)
    expect((await world.who({ authorization: 'Bearer', 'x-api-key': key })).status).toBe(204)
  })

  test('a key of a file, which is read anew', async () => {
    expect(await world.who(bearer(FILE_KEY))).toMatchObject({
      name: 'key:file:ci',
      user: 'robot',
      team: 'red',
      role: 'customer',
    })
    expect([await world.chat(bearer(FILE_KEY)), await world.chat(bearer(FILE_KEY), 'other')]).toEqual([200, 403])
    world.write('keys', 'sk-of-another-file-012345 two\n')
    await Bun.sleep(1_100)
    expect((await world.who(bearer(FILE_KEY))).status).toBe(401)
    expect((await world.who(bearer('sk-of-another-file-012345'))).name).toBe('key:file:two')
    world.write('keys', `${FILE_KEY} ci user=robot team=red models=m\n`)
  })

  test('a name and a password', async () => {
    expect(await world.who(basic('ada', 'geheim'))).toMatchObject({
      ...{ status: 204, name: 'basic:ada', user: 'ada', team: 'staff', role: 'customer' },
    })
    expect((await world.who(basic('bob', 'secret'))).name).toBe('basic:bob')
    expect(await world.who(basic('root', 'geheim'))).toMatchObject({ role: 'proxy_admin' })
    const zoe = await world.who(basic('zoë', 'x:y'))
    expect([zoe.status, zoe.user]).toEqual([204, 'zo%C3%AB'])
    for (const wrong of [
      ...[
        basic('ada', 'secret'),
        basic('ada', ''),
        basic('nobody', 'geheim'),
        basic('', 'geheim'),
        basic('ADA', 'geheim'),
      ],
      ...[{ authorization: 'Basic !!!' }, { authorization: 'Basic YWRh' }],
      ...[basic('strange line', ''), basic('__proto__', 'x'), basic('a'.repeat(5_000), 'b')],
    ] as Record<string, string>[])
      expect([wrong, (await world.who(wrong)).status]).toEqual([wrong, 401])
    expect([await world.chat(basic('bob', 'secret')), await world.chat(basic('bob', 'secret'), 'other')]).toEqual([
      200, 403,
    ])
    expect((await fetch(`${world.gateway.url}/key/list`, { headers: basic('ada', 'geheim') })).status).toBe(403)
    expect((await fetch(`${world.gateway.url}/key/list`, { headers: basic('root', 'geheim') })).status).toBe(200)
    const logs = world.gateway.logs()
    expect(logs).toContain('A line of an htpasswd file counts for nothing.')
    for (const secret of ['geheim', 'strange line', FILE_KEY]) expect(logs).not.toContain(secret)
  })

  test('limits of the configuration hold for each by himself', async () => {
    const said: number[] = []
    for (let i = 0; i < 5; i++) said.push(await world.chat(basic('ada', 'geheim')))
    expect(said).toEqual([200, 200, 200, 429, 429])
    const { rows } = {
      rows: (await (await world.gateway.call('GET', '/spend/logs?user_id=ada')).json()) as Record<string, string>[],
    }
    expect(rows[0]).toMatchObject({ api_key: 'basic:ada', user: 'ada', team_id: 'staff' })
  })

  test('a password is changed by the file', async () => {
    const before = await Bun.file(`${world.folder}/htpasswd`).text()
    world.write('htpasswd', before.replace(/^bob:.*$/m, `bob:${apr1('new', 'abc')}`))
    await Bun.sleep(1_100)
    expect((await world.who(basic('bob', 'secret'))).status).toBe(401)
    expect((await world.who(basic('bob', 'new'))).status).toBe(204)
  })

  const from = (ip: string, more: Record<string, string> = {}) => ({ 'x-forwarded-for': ip, ...more })

  test('an address and a password, together and not one by one', async () => {
    expect((await world.who(from('198.51.100.7', basic('eve', 'pw')))).name).toBe('basic:eve')
    expect((await world.who(from('198.51.100.66', basic('eve', 'pw')))).status).not.toBe(204)
    expect((await world.who(from('192.0.2.1', basic('eve', 'pw')))).status).not.toBe(204)
    expect((await world.who(from('198.51.100.7', basic('eve', 'no')))).status).not.toBe(204)
    expect((await world.who(from('198.51.100.7'))).status).not.toBe(204)
  })

  test('an address that is somebody', async () => {
    expect(await world.who(from('203.0.113.5'))).toMatchObject({
      name: 'ip:lobby',
      user: 'lobby',
      role: 'internal_user_viewer',
    })
    expect([await world.chat(from('203.0.113.5')), await world.chat(from('203.0.113.5'), 'other')]).toEqual([200, 403])
    // What stands before what the proxy wrote is the client's own word.
    expect((await world.who(from('203.0.113.5, 192.0.2.1'))).status).not.toBe(204)
    for (const spoof of ['x-real-ip', 'forwarded', 'x-client-ip', 'cf-connecting-ip', 'true-client-ip'])
      expect([spoof, (await world.who({ [spoof]: '203.0.113.5' })).status]).not.toEqual([spoof, 204])
  })

  test('headers that say who somebody is are nobody’s to send', async () => {
    const smuggled = {
      ...{ 'x-auth-user': 'root', 'x-auth-role': 'proxy_admin', 'x-auth-name': 'master', 'x-forwarded-user': 'root' },
      ...{
        'remote-user': 'root',
        'x-litellm-user-role': 'proxy_admin',
        'x-ssl-client-s-dn': 'CN=root',
        'x-ssl-client-verify': 'SUCCESS',
      },
    }
    expect((await world.who(smuggled)).status).not.toBe(204)
    const key = await makeKey(world.gateway)
    expect(await world.who({ ...bearer(key), ...smuggled })).toMatchObject({ role: 'customer', user: '' })
  })

  test('huge and strange credentials are refused and nothing else happens', async () => {
    for (const authorization of [
      ...[`Bearer ${'x'.repeat(14_000)}`, `Basic ${'A'.repeat(14_000)}`, `Bearer eyJ${'a.'.repeat(3_000)}`],
      ...[
        'Bearer ',
        'Bearer  ',
        'Negotiate x',
        'Digest username="root"',
        'bearer\tsk-x',
        'Bearer null',
        'Bearer undefined',
        'Bearer sk-',
      ],
    ]) {
      const { status } = await world.who({ authorization })
      expect([authorization.slice(0, 20), status === 401 || status === 403]).toEqual([authorization.slice(0, 20), true])
    }
  })

  test('the role and the model that a proxy asks for', async () => {
    const key = await makeKey(world.gateway, { models: ['m'] })
    const { masterKey } = world.gateway
    expect((await world.who(bearer(key), '?model=m')).status).toBe(204)
    expect((await world.who(bearer(key), '?model=other')).status).toBe(403)
    expect((await world.who(bearer(key), '?model=m&model=nothing')).status).toBe(403)
    expect((await world.who(bearer(key), '?role=admin,write')).status).toBe(403)
    expect((await world.who(bearer(masterKey), '?role=admin&model=other')).status).toBe(204)
    expect((await world.who(bearer(masterKey), '?role=king')).status).toBe(400)
  })
})

describe('who fails', () => {
  let world: World
  beforeAll(async () => {
    const hash = await Bun.password.hash('geheim', { algorithm: 'bcrypt', cost: 4 })
    world = await startWorld((write) => ({
      trusted_proxies: ['127.0.0.1'],
      auth_attempts: { free: 5, wait: 30 },
      auth: [{ api_key: {} }, { basic: { htpasswd: write('htpasswd', `ada:${hash}\nbob:${hash}\n`) } }],
    }))
  })
  afterAll(() => world.stop())

  const from = (ip: string, more: Record<string, string>) => ({ 'x-forwarded-for': ip, ...more })

  test('has to wait, by his address: and a right key is right all the same', async () => {
    const key = await makeKey(world.gateway)
    const said: number[] = []
    for (let i = 0; i < 8; i++) said.push((await world.who(from('192.0.2.1', bearer(`sk-guess-${i}`)))).status)
    expect(said).toEqual([401, 401, 401, 401, 401, 401, 429, 429])
    const told = await world.who(from('192.0.2.1', bearer('sk-guess')))
    expect([told.name, Number(told.headers.get('retry-after')) > 20]).toEqual(['too_many_attempts', true])
    expect((await world.who(from('192.0.2.1', basic('bob', 'geheim')))).status).toBe(429)
    expect((await world.who(from('192.0.2.1', bearer(key)))).status).toBe(204)
    expect((await world.who(from('192.0.2.2', basic('bob', 'geheim')))).status).toBe(204)
    await Bun.sleep(200)
    expect(world.gateway.logs()).toContain('Somebody fails to come in and has to wait.')
  })

  test('has to wait, by the account, from wherever he comes', async () => {
    for (let i = 0; i < 6; i++)
      expect((await world.who(from(`192.0.3.${i}`, basic('ada', `guess ${i}`)))).status).toBe(401)
    expect((await world.who(from('192.0.3.99', basic('ada', 'geheim')))).status).toBe(429)
    expect((await world.who(from('192.0.3.99', basic('bob', 'geheim')))).status).toBe(204)
    // An account that is not there is told nothing else.
    for (let i = 0; i < 6; i++) expect((await world.who(from(`192.0.4.${i}`, basic('nobody', 'x')))).status).toBe(401)
    expect((await world.who(from('192.0.4.99', basic('nobody', 'x')))).status).toBe(429)
  })

  test('learns nothing from the time: no name, and no wrong password', async () => {
    const slow = await Bun.password.hash('geheim', { algorithm: 'bcrypt', cost: 9 })
    const other = await startWorld((write) => ({
      auth_attempts: { free: 1_000 },
      auth: [{ api_key: {} }, { basic: { htpasswd: write('htpasswd', `ada:${slow}\n`) } }],
    }))
    try {
      const known = await makeKey(other.gateway)
      // The least of many: what is left is not the machine's noise.
      const least = async (headers: () => Record<string, string>, times: number) => {
        let best = Number.POSITIVE_INFINITY
        for (let i = 0; i < times; i++) {
          const start = performance.now()
          await other.who(headers())
          best = Math.min(best, performance.now() - start)
        }
        return best
      }
      let n = 0
      const wrong = await least(() => basic('ada', `wrong ${n++}`), 12)
      const nobody = await least(() => basic(`nobody${n++}`, 'wrong'), 12)
      expect(Math.max(wrong, nobody) / Math.min(wrong, nobody)).toBeLessThan(1.6)
      const last = known.at(-1) === 'a' ? 'b' : 'a'
      const near = await least(() => bearer(known.slice(0, -1) + last), 40)
      const far = await least(() => bearer(`sk-${'z'.repeat(known.length - 3)}`), 40)
      expect(Math.max(near, far) / Math.min(near, far)).toBeLessThan(2.5)
    } finally {
      await other.stop()
    }
  }, 30_000)
})

test('lists of addresses for what is asked', async () => {
  const world = await startWorld(
    () => ({
      trusted_proxies: ['127.0.0.1'],
      allow_from: { manage: ['192.0.2.0/25'], models: ['192.0.2.0/24'] },
    }),
    { general_settings: { allowed_ips: ['192.0.2.0/24', '127.0.0.1'] } },
  )
  try {
    const status = async (ip: string, path: string) => {
      const headers = { 'x-forwarded-for': ip, ...bearer(world.gateway.masterKey) }
      return (await fetch(world.gateway.url + path, { headers })).status
    }
    expect(await Promise.all(['/v1/models', '/key/list'].map((path) => status('192.0.2.1', path)))).toEqual([200, 200])
    expect(await Promise.all(['/v1/models', '/key/list'].map((path) => status('192.0.2.200', path)))).toEqual([
      200, 403,
    ])
    expect(await Promise.all(['/v1/models', '/key/list'].map((path) => status('192.0.3.1', path)))).toEqual([403, 403])
    expect(await status('192.0.3.1', '/health/liveliness')).toBe(200)
    expect(await world.chat({ 'x-forwarded-for': '192.0.3.1', ...bearer(world.gateway.masterKey) })).toBe(403)
    // By itself the loopback is in none of the two.
    expect(await world.chat(bearer(world.gateway.masterKey))).toBe(403)
  } finally {
    await world.stop()
  }
})

test('a file that is not there stops the start', async () => {
  const yaml = { model_list: [], tollgate: { auth: [{ basic: { htpasswd: '/nowhere/htpasswd' } }] } }
  expect(startGateway({ yaml })).rejects.toThrow("The file /nowhere/htpasswd (tollgate.auth) can't be read: ENOENT.")
})

test('without keys in the list, no key opens: not the master key either', async () => {
  const world = await startWorld((write) => ({
    auth: [{ basic: { htpasswd: write('htpasswd', `ada:${apr1('pw', 'abc')}\n`), as: { role: 'admin' } } }],
  }))
  try {
    expect((await world.who(bearer(world.gateway.masterKey))).status).toBe(401)
    expect((await world.who(basic('ada', 'pw'))).role).toBe('proxy_admin')
    expect((await world.who({})).message).toContain('a user name and a password')
  } finally {
    await world.stop()
  }
})
