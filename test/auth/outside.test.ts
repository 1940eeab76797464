/** An outside service that decides, and certificates that a proxy vouches for. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { bearer, startWorld, type World } from './world.ts'

interface Asked {
  url: string
  headers: Record<string, string>
}

/** Lets in whoever's cookie is `good-<name>`. */
function startService() {
  const asked: Asked[] = []
  const state: { status: number | undefined; delay: number } = { status: undefined, delay: 0 }
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request: Request) {
      asked.push({ url: request.url, headers: Object.fromEntries([...request.headers] as [string, string][]) })
      if (state.delay > 0) await Bun.sleep(state.delay)
      const name = /good-(\w+)/.exec(request.headers.get('cookie') ?? '')?.[1]
      const status = state.status ?? (name ? 200 : 401)
      const headers: Record<string, string> = {
        ...(name === 'nameless' ? {} : { 'x-auth-user': name ?? 'nobody' }),
        'x-auth-team': 'red',
        'x-role': 'write',
        location: '/elsewhere',
      }
      return new Response('body', { status, headers })
    },
  })
  return { asked, state, url: `http://127.0.0.1:${server.port}/check`, stop: () => void server.stop(true) }
}

describe('an outside service', () => {
  let service: ReturnType<typeof startService>
  let world: World
  beforeAll(async () => {
    service = startService()
    world = await startWorld(() => ({
      auth_attempts: { free: 1_000 },
      auth: [
        { api_key: {} },
        {
          check: {
            url: service.url,
            headers: ['Cookie', 'X-Ticket'],
            cache: 2,
            timeout: 1,
            role_header: 'X-Role',
            as: { models: ['m'] },
          },
        },
      ],
    }))
  })
  afterAll(async () => {
    await world.stop()
    service.stop()
  })

  test('says who it is, and is told what was said to be passed on, and nothing else', async () => {
    const headers = { cookie: 'session=good-ada', 'x-ticket': 't', 'x-auth-user': 'root', 'x-secret': 's' }
    expect(await world.who(headers)).toMatchObject({
      ...{ status: 204, name: 'check:ada', user: 'ada', team: 'red', role: 'internal_user' },
    })
    const told = service.asked.at(-1)?.headers ?? {}
    expect([told.cookie, told['x-ticket']]).toEqual(['session=good-ada', 't'])
    for (const name of ['x-auth-user', 'x-secret', 'authorization', 'x-original-uri'])
      expect(told[name]).toBeUndefined()
    expect([await world.chat(headers), await world.chat(headers, 'other')]).toEqual([200, 403])
  })

  test('is asked once for the same, and again for anything else', async () => {
    const before = service.asked.length
    for (let i = 0; i < 3; i++) await world.who({ cookie: 'session=good-bob' })
    expect(service.asked.length - before).toBe(1)
    expect((await world.who({ cookie: 'session=good-bobby' })).user).toBe('bobby')
    expect((await world.who({ cookie: 'session=good-bob', 'x-ticket': 'x' })).user).toBe('bob')
    expect(service.asked.length - before).toBe(3)
    await Bun.sleep(2_100)
    await world.who({ cookie: 'session=good-bob' })
    expect(service.asked.length - before).toBe(4)
  })

  test('whoever has no name is not one with the others who have none', async () => {
    const [a, b] = [await world.who({ cookie: 'good-nameless 1' }), await world.who({ cookie: 'good-nameless 2' })]
    expect([a.status, b.status, a.name === b.name, a.user]).toEqual([204, 204, false, ''])
    expect((await world.who({ cookie: 'good-nameless 1' })).name).toBe(a.name)
  })

  test('keeps out, and is asked each time then', async () => {
    const before = service.asked.length
    for (let i = 0; i < 2; i++) expect((await world.who({ cookie: 'session=bad' })).status).toBe(401)
    expect(service.asked.length - before).toBe(2)
  })

  test('is not asked where there is nothing to pass on, nor where a key opens', async () => {
    const before = service.asked.length
    expect((await world.who({ 'x-other': 'good-ada' })).status).toBe(401)
    expect((await world.who(bearer(world.gateway.masterKey))).name).toBe('master')
    expect(service.asked.length).toBe(before)
  })

  test.each([500, 404, 301, 302, 429])('an answer of %d lets nobody in', async (status) => {
    service.state.status = status
    const said = await world.who({ cookie: `good-s${status}` })
    service.state.status = undefined
    expect([said.status, said.name]).toEqual([503, 'auth_unavailable'])
  })

  test('no answer in time, and none at all, let nobody in', async () => {
    service.state.delay = 1_500
    expect((await world.who({ cookie: 'good-slow' })).status).toBe(503)
    service.state.delay = 0
    const gone = await startWorld(() => ({ auth: [{ check: { url: 'http://127.0.0.1:9/check' } }] }))
    try {
      expect((await gone.who({ cookie: 'good-ada' })).status).toBe(503)
    } finally {
      await gone.stop()
    }
  })

  test('what is asked for is judged each by itself, where it is passed on', async () => {
    const other = await startWorld(() => ({
      auth: [{ check: { url: service.url, headers: ['Cookie'], request: true, cache: 60 } }],
    }))
    try {
      await other.who({ cookie: 'good-ada' }, '?model=m')
      await other.chat({ cookie: 'good-ada' })
      const [first, second] = service.asked.slice(-2).map(({ headers }) => headers)
      expect(first).toMatchObject({
        'x-original-method': 'GET',
        'x-original-uri': '/auth/validate?model=m',
        'x-forwarded-for': '127.0.0.1',
      })
      expect(second).toMatchObject({ 'x-original-method': 'POST', 'x-original-uri': '/v1/chat/completions' })
    } finally {
      await other.stop()
    }
  })
})

/** Authorities and certificates, as openssl makes them. */
function makeCertificates(folder: string) {
  const run = (...args: string[]) => {
    const done = Bun.spawnSync(['openssl', ...args], { cwd: folder })
    if (done.exitCode !== 0) throw new Error(done.stderr.toString())
  }
  const authority = (name: string) =>
    run(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.pem`,
      '-days',
      '2',
      '-subj',
      `/CN=${name}`,
    )
  const client = (ca: string, name: string, subject: string, san: string, days = '1') => {
    run(
      'req',
      '-new',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
      '-subj',
      subject,
    )
    Bun.spawnSync(['sh', '-c', `printf 'subjectAltName=${san}' > ${name}.ext`], { cwd: folder })
    run(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      `${ca}.pem`,
      '-CAkey',
      `${ca}.key`,
      '-CAcreateserial',
      '-out',
      `${name}.pem`,
      '-days',
      days,
      '-extfile',
      `${name}.ext`,
    )
  }
  authority('ours')
  authority('theirs')
  client('ours', 'ada', '/O=Acme, Inc./CN=ada', 'email:ada@example.com')
  client('theirs', 'fake', '/CN=ada', 'email:ada@example.com')
  client('ours', 'two', '/CN=ada/CN=root', 'email:a@example.com,email:b@example.com')
}

test('a certificate in a trusted proxy’s header, signed by an authority of ours', async () => {
  const world = await startWorld((write) => {
    const folder = write('x', '').replace(/\/x$/, '')
    makeCertificates(folder)
    return {
      trusted_proxies: ['127.0.0.1'],
      auth_attempts: { free: 1_000 },
      auth: [
        {
          mtls: {
            header: 'X-Client-Cert',
            ca: `${folder}/ours.pem`,
            allow: ['ada', 'b*'],
            users: { ada: { role: 'write' } },
            as: { team: 'red' },
          },
        },
      ],
    }
  })
  try {
    const pem = async (name: string) => encodeURIComponent(await Bun.file(`${world.folder}/${name}.pem`).text())
    const show = async (name: string) => world.who({ 'x-client-cert': await pem(name) })
    expect(await show('ada')).toMatchObject({
      status: 204,
      name: 'cert:ada',
      user: 'ada',
      team: 'red',
      role: 'internal_user',
    })
    expect((await show('fake')).message).toContain('none of the authorities')
    expect((await show('ours')).status).toBe(403)
    expect((await show('two')).message).toContain('no cn')
    for (const wrong of ['x', '%', encodeURIComponent('-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----')])
      expect([wrong, (await world.who({ 'x-client-cert': wrong })).status]).toEqual([wrong, 401])
    expect((await world.who({})).status).toBe(401)
  } finally {
    await world.stop()
  }
}, 30_000)

test('a subject that a trusted proxy has verified, and nobody else’s word', async () => {
  const mtls = { subject_header: 'X-Dn', verify_header: 'X-Verify', allow: ['ada'] }
  const [trusting, other] = (await Promise.all(
    ['127.0.0.1', '192.0.2.1'].map((proxy) =>
      startWorld(() => ({ trusted_proxies: [proxy], auth: [{ mtls }], auth_attempts: { free: 1_000 } })),
    ),
  )) as [World, World]
  try {
    const dn = (subject: string, verify = 'SUCCESS') => ({ 'x-dn': subject, 'x-verify': verify })
    for (const subject of ['CN=ada,O=Acme', 'O=Acme\\, Inc,CN=ada', 'O="Acme, Inc",CN=ada', 'CN = ada, O = Acme'])
      expect([subject, (await trusting.who(dn(subject))).name]).toEqual([subject, 'cert:ada'])
    for (const verify of ['FAILED:expired', 'NONE', '', 'success?'])
      expect([verify, (await trusting.who(dn('CN=ada', verify))).status]).toEqual([verify, 401])
    for (const subject of [
      'CN=ada,CN=root',
      'O=CN\\=ada',
      'CN=adamant',
      'XCN=ada',
      'O=x\\,CN=ada',
      'O="x,CN=ada"',
      '/O=x/CN=ada',
    ])
      expect([subject, (await trusting.who(dn(subject))).status === 204]).toEqual([subject, false])
    expect((await other.who(dn('CN=ada'))).status).toBe(401)
  } finally {
    await Promise.all([trusting.stop(), other.stop()])
  }
})
