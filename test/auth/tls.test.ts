/** A certificate that the connection itself has shown says who somebody is. */
import { afterAll, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { makeAuthority, writePair } from '../support/authority.ts'
import { bury, collect, freePort, makeTemp, removeTemp, terminate } from '../support/temp.ts'

const folder = makeTemp('mtls')
const children: Bun.Subprocess[] = []
afterAll(async () => {
  for (const child of children) await terminate(child, 10_000)
  removeTemp(folder)
})

test('by its common name, by its address, and not without one that our authority signed', async () => {
  const [ours, theirs] = [await makeAuthority(), await makeAuthority('Others')]
  const site = writePair(folder, 'site', await ours.issue('site', { ip: ['127.0.0.1'] }))
  writeFileSync(join(folder, 'clients.pem'), ours.ca)
  const port = freePort()
  const config = join(folder, 'tollgate.yaml')
  const master_key = 'sk-the-master-of-this-test'
  const tls = { ...site, client_ca: join(folder, 'clients.pem'), client_certs: 'optional' }
  const auth = [
    { api_key: {} },
    { mtls: { allow: ['ada', 'b*'], users: { ada: { role: 'write' } }, as: { team: 'red' } } },
    { mtls: { user: 'email', allow: ['*@example.com'] } },
  ]
  writeFileSync(config, stringify({ general_settings: { master_key }, tollgate: { tls, auth } }))
  const words = ['serve', '--config', config, '--port', String(port), '--data', join(folder, 'data')]
  const child = Bun.spawn([process.execPath, join(import.meta.dir, '../../src/main.ts'), ...words], {
    ...{ cwd: folder, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' },
    env: { PATH: process.env.PATH ?? '', HOME: folder },
  })
  bury(child)
  children.push(child)
  const said = collect(child)
  for (let n = 0; n < 400 && child.exitCode === null && !said().includes('Tollgate listens on'); n++)
    await Bun.sleep(25)
  const who = async (shown: { cert: string; key: string } | undefined, headers: Record<string, string> = {}) => {
    const reply = await fetch(`https://127.0.0.1:${port}/auth/validate`, { headers, tls: { ca: ours.ca, ...shown } })
    return [
      reply.status,
      reply.headers.get('x-auth-name'),
      reply.headers.get('x-auth-role'),
      reply.headers.get('x-auth-team'),
    ]
  }
  expect(await who(await ours.issue('ada'))).toEqual([204, 'cert:ada', 'internal_user', 'red'])
  expect(await who(await ours.issue('bob'))).toEqual([204, 'cert:bob', 'customer', 'red'])
  expect(await who(await ours.issue('eve', { email: ['eve@example.com'] }))).toEqual([
    204,
    'cert:eve@example.com',
    'customer',
    '',
  ])
  expect((await who(await ours.issue('eve')))[0]).toBe(403)
  expect((await who(undefined))[0]).toBe(401)
  expect((await who(undefined, { authorization: `Bearer ${master_key}` }))[1]).toBe('master')
  // Signed by others: no connection, or nobody.
  const fake = await who(await theirs.issue('ada')).catch(() => [0])
  expect([0, 401]).toContain(fake[0] as number)
  // A header says nothing of who shows a certificate.
  expect((await who(undefined, { 'x-client-cert': encodeURIComponent((await ours.issue('ada')).cert) }))[0]).toBe(401)
}, 30_000)
