/** `tollgate auth htpasswd` writes what the door reads. */
import { expect, test } from 'bun:test'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { isPassword, parseHtpasswd } from '../../src/auth/htpasswd.ts'
import { folder, tollgate } from './world.ts'

const set = (file: string, user: string, password: string, ...more: string[]) =>
  tollgate(['auth', 'htpasswd', file, user, ...more], {}, { password: async () => password })

test('a user is added, changed and taken out, and the others stay', async () => {
  const file = join(await folder(), 'htpasswd')
  expect(await set(file, 'ada', 'first password')).toMatchObject({ code: 0, out: '' })
  expect(statSync(file).mode & 0o777).toBe(0o600)
  await set(file, 'bob', 'second password')
  expect((await set(file, 'ada', 'third password')).err).toContain('ada is changed')
  const { hashes, strange } = parseHtpasswd(await Bun.file(file).text())
  expect([[...hashes.keys()].sort(), strange]).toEqual([['ada', 'bob'], []])
  expect(hashes.get('ada')).toStartWith('$argon2id$')
  expect(await isPassword('third password', hashes.get('ada') as string)).toBe(true)
  expect(await isPassword('first password', hashes.get('ada') as string)).toBe(false)
  expect((await set(file, 'ada', '', '--delete')).code).toBe(0)
  expect([...parseHtpasswd(await Bun.file(file).text()).hashes.keys()]).toEqual(['bob'])
  expect((await set(file, 'ada', '', '--delete')).code).toBe(1)
})

test('what is wrong is said, and nothing is written', async () => {
  const file = join(await folder(), 'htpasswd')
  for (const [user, password] of [
    ['ada', 'short'],
    ['a:b', 'long enough'],
    ['#a', 'long enough'],
    ['a\nb', 'long enough'],
    ['ada', 'long enough\0'],
  ] as const)
    expect([user, (await set(file, user, password)).code]).toEqual([user, 2])
  expect(await Bun.file(file).exists()).toBe(false)
  expect((await set('/nowhere/htpasswd', 'ada', 'long enough')).code).toBe(1)
})

test('the password comes through a pipe', async () => {
  const file = join(await folder(), 'htpasswd')
  const child = Bun.spawn(
    [process.execPath, join(import.meta.dir, '../../src/main.ts'), 'auth', 'htpasswd', file, 'ada'],
    {
      stdin: Buffer.from('through a pipe\n'),
      stderr: 'pipe',
    },
  )
  expect([await child.exited, await new Response(child.stderr).text()]).toEqual([
    0,
    expect.stringContaining('ada is added'),
  ])
  const hash = parseHtpasswd(await Bun.file(file).text()).hashes.get('ada') as string
  expect(await isPassword('through a pipe', hash)).toBe(true)
})
