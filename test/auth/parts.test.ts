/** The parts of the door by themselves: addresses, files of passwords and keys, claims, and how ways are put together. */
import { describe, expect, test } from 'bun:test'
import { clientAddress } from '../../src/auth/address.ts'
import { apr1 } from '../../src/auth/apr1.ts'
import { claimAt, readClaims } from '../../src/auth/claims.ts'
import { byAddress, Guard } from '../../src/auth/guard.ts'
import { htpasswdLine, isPassword, parseHtpasswd } from '../../src/auth/htpasswd.ts'
import { parseKeyFile } from '../../src/auth/key-file.ts'
import { Lru } from '../../src/auth/lru.ts'
import { plainAddress, Ranges } from '../../src/auth/ranges.ts'
import { ABSENT, type Asking, allOf, anyOf, PASSED, type Verdict, type Way } from '../../src/auth/way.ts'
import type { JwtSettings } from '../../src/config/auth.ts'
import { MASTER } from '../../src/core/principal.ts'
import { Refusal } from '../../src/core/refusal.ts'

describe('addresses', () => {
  test.each([
    ['10.1.2.3', ['10.0.0.0/8'], true],
    ['11.1.2.3', ['10.0.0.0/8'], false],
    ['::ffff:10.1.2.3', ['10.0.0.0/8'], true],
    ['10.1.2.3', ['::ffff:10.0.0.0/104'], true],
    ['fd00::1', ['fd00::/8', '10.0.0.1'], true],
    ['10.0.0.1', ['fd00::/8', '10.0.0.1'], true],
    ['10.0.0.2', ['10.0.0.1'], false],
    ['fe80::1', ['0.0.0.0/0'], false],
    ['1.2.3.4', ['0.0.0.0/0'], true],
    ['nonsense', ['0.0.0.0/0', '::/0'], false],
    [undefined, ['0.0.0.0/0', '::/0'], false],
  ] as const)('%p in %p: %p', (address, list, expected) => expect(new Ranges(list).has(address)).toBe(expected))

  test.each([
    ['1.2.3.4:5678', '1.2.3.4'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['::FFFF:1.2.3.4', '1.2.3.4'],
    ['unknown', undefined],
    ['', undefined],
    ['1.2.3.4, 5.6.7.8', undefined],
  ])('%p is %p', (said, plain) => expect(plainAddress(said)).toBe(plain))

  const trusted = new Ranges(['10.0.0.0/8', '::1'])
  test.each([
    // Nobody is believed who is not trusted.
    ['203.0.113.9', '1.1.1.1', '203.0.113.9'],
    ['203.0.113.9', undefined, '203.0.113.9'],
    ['10.0.0.1', '198.51.100.7', '198.51.100.7'],
    ['10.0.0.1', undefined, '10.0.0.1'],
    // What the client wrote itself stands further left.
    ['10.0.0.1', '127.0.0.1, 198.51.100.7', '198.51.100.7'],
    ['10.0.0.1', '1.1.1.1, 198.51.100.7, 10.0.0.2, ::1', '198.51.100.7'],
    ['10.0.0.1', '10.0.0.3,10.0.0.2', '10.0.0.3'],
    ['10.0.0.1', '198.51.100.7, unknown', undefined],
    ['10.0.0.1', '', undefined],
    ['10.0.0.1', Array(1_000).fill('10.0.0.2').join(','), undefined],
    [undefined, '1.1.1.1', undefined],
  ])('from %p with X-Forwarded-For %p: %p', (peer, forwarded, expected) => {
    const headers = new Headers(forwarded === undefined ? {} : { 'x-forwarded-for': forwarded })
    expect(clientAddress(peer, headers, trusted)).toBe(expected)
  })
})

describe('passwords', () => {
  test('apr1 is what openssl says', async () => {
    for (const [password, salt] of [
      ['password', 'xxxxxxxx'],
      ['', 'abc'],
      ['a', '12345678'],
      ['a password that is longer than sixteen bytes', 'zz./zz'],
      ['pässwörd', 'saltsalt'],
    ] as const) {
      const openssl = Bun.spawnSync(['openssl', 'passwd', '-apr1', '-salt', salt, '-stdin'], {
        stdin: Buffer.from(`${password}\n`),
      })
      expect([password, apr1(password, salt)]).toEqual([password, openssl.stdout.toString().trim()])
    }
  })

  test('each kind is checked, right and wrong', async () => {
    const bcrypt = await Bun.password.hash('geheim', { algorithm: 'bcrypt', cost: 4 })
    const hashes = [
      apr1('geheim', 'r31'),
      `{SHA}${new Bun.CryptoHasher('sha1').update('geheim').digest('base64')}`,
      bcrypt,
      bcrypt.replace('$2b$', '$2y$'),
      (await htpasswdLine('ada', 'geheim')).slice('ada:'.length),
    ]
    const file = parseHtpasswd(hashes.map((hash, i) => `u${i}:${hash}`).join('\n'))
    expect([file.hashes.size, file.strange]).toEqual([hashes.length, []])
    for (const hash of hashes) {
      expect([hash, await isPassword('geheim', hash)]).toEqual([hash, true])
      for (const wrong of ['Geheim', 'geheim ', '', 'geheim\0', 'geheimgeheim'])
        expect([hash, wrong, await isPassword(wrong, hash)]).toEqual([hash, wrong, false])
    }
    const long = 'x'.repeat(100)
    const cut = await Bun.password.hash('x'.repeat(72), { algorithm: 'bcrypt', cost: 4 })
    expect(await isPassword(long, cut)).toBe(true)
  })

  test('strange lines count for nothing, and each says why', () => {
    const good = apr1('x', 'abc')
    const { hashes, strange } = parseHtpasswd(
      [
        '# a comment',
        '',
        `ada:${good}\r`,
        `bob:${good}:a comment of nginx`,
        'eve:plaintext',
        `:${good}`,
        'nothing',
        `ada:${apr1('y', 'abc')}`,
        'dan:$2y$31$0000000000000000000000000000000000000000000000000000',
        'fay:$6$rounds=5000$salt$hash',
        'gus:',
        `  ida:${good}  `,
        `__proto__:${good}`,
      ].join('\n'),
    )
    expect([...hashes.keys()]).toEqual(['ada', 'bob', 'ida', '__proto__'])
    expect(hashes.get('ada')).toBe(good)
    expect(strange.map(({ line }) => line)).toEqual([5, 6, 7, 8, 9, 10, 11])
    expect(strange.every(({ why }) => why.length > 10)).toBe(true)
  })
})

test('a file of keys: half understood lines let nobody in', () => {
  const { keys, strange } = parseKeyFile(
    [
      '# mine',
      'sk-0123456789abcdef',
      'sk-1123456789abcdef ci user=ada team=red role=write models=a,b/* tags=x',
      'short ci',
      'sk-2123456789abcdef role=king',
      'sk-3123456789abcdef colour=red',
      'sk-1123456789abcdef again',
    ].join('\n'),
    (secret) => `digest of ${secret}`,
  )
  expect(strange.map(({ line }) => line)).toEqual([4, 5, 6, 7])
  expect(keys.get('digest of sk-1123456789abcdef')).toEqual({
    ...{ way: 'key', name: 'file:ci', user: 'ada', team: 'red', role: 'internal_user' },
    ...{ models: ['a', 'b/*'], tags: ['x'] },
  })
  expect(keys.size).toBe(2)
})

describe('claims', () => {
  const said = (more: Record<string, unknown>): JwtSettings =>
    ({ any_audience: true, clock_skew: 0, ...more, claims: { user: 'sub', ...(more.claims as object) } }) as never
  const read = (claims: Record<string, unknown>, more: Record<string, unknown> = {}) =>
    readClaims(claims, said(more), (id) => id === 'red')

  test('are found by their path, and by a whole name first', () => {
    const claims = { 'a.b': 1, a: { b: 2, c: { d: 3 } } }
    expect([claimAt(claims, 'a.b'), claimAt(claims, 'a.c.d'), claimAt(claims, 'a.x.y')]).toEqual([1, 3, undefined])
    for (const path of ['__proto__', 'constructor', 'a.constructor', 'toString'])
      expect(claimAt(claims, path)).toBeUndefined()
  })

  test('say who somebody is', () => {
    expect(
      read(
        { sub: 'ada', groups: ['blue', 'red'], org: 'acme', models: ['m'], rpm: 5, realm: { roles: ['dev', 'boss'] } },
        {
          claims: { teams: 'groups', organization: 'org', models: 'models', rpm_limit: 'rpm', role: 'realm.roles' },
          roles: { boss: 'team_admin', dev: 'internal_user' },
        },
      ),
    ).toEqual({
      ...{ user: 'ada', team: 'red', organization: 'acme', models: ['m'] },
      role: 'team_admin',
      limits: { rpm: 5 },
    })
  })

  test('a word that no role was given for is none', () => {
    for (const role of ['proxy_admin', 'admin', ['proxy_admin'], { admin: true }, '__proto__', 'constructor'])
      expect(read({ sub: 'ada', role }, { claims: { role: 'role' }, roles: { boss: 'admin' } })).toEqual({
        user: 'ada',
      })
  })

  test.each([
    [{}, {}, 'sub'],
    [{ sub: '' }, {}, 'sub'],
    [{ sub: { a: 1 } }, {}, 'sub'],
    [{ sub: 'x'.repeat(1_000) }, {}, 'sub'],
    [{ sub: 'ada' }, { require: { groups: 'llm' } }, 'groups'],
    [{ sub: 'ada', groups: ['x'] }, { require: { groups: ['llm', 'ml'] } }, 'groups'],
    [{ sub: 'ada', email: 'ada@evil.com' }, { email_domain: 'example.com' }, 'domain'],
    [{ sub: 'ada', email: 'ada@notexample.com' }, { email_domain: 'example.com' }, 'domain'],
    [{ sub: 'ada', email: 'a@example.com', email_verified: false }, { email_domain: 'example.com' }, 'domain'],
  ] as const)('%p with %p: no', (claims, more, told) => expect(String(read(claims, more))).toContain(told))
})

test('names are remembered to a bound, and the oldest goes first', () => {
  const lru = new Lru<number>(3)
  for (const [i, name] of ['a', 'b', 'c'].entries()) lru.set(name, i)
  expect(lru.get('a')).toBe(0)
  lru.set('d', 3)
  expect([lru.size, lru.get('b'), lru.get('a'), lru.get('d')]).toEqual([3, undefined, 0, 3])
  const guard = new Guard(
    { free: 1, windowMs: 1e9, waitMs: 1, longestMs: 1 },
    () => 0,
    () => {},
  )
  for (let i = 0; i < 100_000; i++) guard.failed(`ip:${i}`)
  guard.failed('ip:99999')
  guard.failed('account:ada', 'account:ada')
  for (let i = 0; i < 30_000; i++) guard.failed(`ip:a${i}`)
  guard.failed('ip:99999', 'ip:99999')
  expect(guard.refusalFor('account:ada')?.status).toBe(429)
  expect([guard.refusalFor('ip:99999')?.status, guard.refusalFor('ip:1')]).toEqual([429, undefined])
})

test('addresses of one caller are one', () => {
  expect(byAddress('2001:db8:1:2:3:4:5:6')).toBe(byAddress('2001:db8:1:2:ffff::1'))
  expect(byAddress('2001:db8:1:2::1')).not.toBe(byAddress('2001:db8:1:3::1'))
  expect([byAddress('192.0.2.1'), byAddress(undefined)]).toEqual(['ip:192.0.2.1', 'ip:unknown'])
})

describe('ways', () => {
  const somebody = { ...MASTER, name: 'a' }
  const other = { ...MASTER, name: 'b' }
  const wrong = new Refusal('invalid_credentials', 'wrong')
  const unknown = new Refusal('invalid_api_key', 'unknown')
  const expired = new Refusal('expired_credentials', 'expired')
  const elsewhere = new Refusal('address_forbidden', 'elsewhere')
  const now = (verdict: Verdict): Way => ({ told: 'x', try: () => verdict })
  const later = (verdict: Verdict): Way => ({ told: 'x', try: () => Promise.resolve(verdict) })
  const asking = {} as Asking

  test.each([
    ['the first that fits', [ABSENT, somebody, other], somebody],
    ['after a wrong one', [wrong, somebody], somebody],
    ['nothing at all', [ABSENT, ABSENT], ABSENT],
    ['what says more', [wrong, unknown], wrong],
    ['what says more, the other way round', [unknown, wrong], wrong],
    ['only that', [ABSENT, unknown, ABSENT], unknown],
    ['an address', [ABSENT, PASSED, somebody], PASSED],
    ['a guess, whatever was sent beside it', [expired, wrong], wrong],
    ['a wrong key, and not where it came from', [unknown, elsewhere], unknown],
  ] as const)('any: %s', async (_, verdicts, expected) => {
    for (const make of [now, later]) expect(await anyOf(verdicts.map(make)).try(asking)).toBe(expected as never)
    expect(anyOf(verdicts.map(now)).try(asking)).not.toBeInstanceOf(Promise)
  })

  test.each([
    ['both', [PASSED, somebody], somebody],
    ['who it is says the first', [somebody, PASSED, other], somebody],
    ['one is missing', [somebody, ABSENT], ABSENT],
    ['one is wrong', [PASSED, wrong, somebody], wrong],
    ['nobody says', [PASSED, PASSED], PASSED],
  ] as const)('all: %s', async (_, verdicts, expected) => {
    for (const make of [now, later]) expect(await allOf(verdicts.map(make)).try(asking)).toBe(expected as never)
  })
})
