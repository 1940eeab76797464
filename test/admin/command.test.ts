/** `tollgate admin`: the first login, from the machine itself. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { tollgate } from '../cli/world.ts'
import { PASSWORD, setUpTotp, startWorld, type World } from './world.ts'

setDefaultTimeout(60_000)

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.stop())

const admin = (words: string[], password = PASSWORD) =>
  tollgate(
    ['admin', ...words, '--url', world.gateway.url],
    { TOLLGATE_MASTER_KEY: world.gateway.masterKey },
    { password: async () => password },
  )

test('a user is made with a password, which nobody sees, and gets another one', async () => {
  const made = await admin(['password', 'root', '--new'])
  expect([made.code, made.err]).toEqual([0, 'The password of root is set.'])
  expect((await world.loggedIn('root')).session?.length).toBe(43)
  const again = await admin(['password', 'root'], 'another one, and long')
  expect(again.err).toBe('The password of root is set. His 1 sessions are ended.')
  expect((await world.browser().login('root')).status).toBe(401)
  expect(world.gateway.logs() + made.out + made.err).not.toContain(PASSWORD)
  const short = await admin(['password', 'root'], 'short')
  expect([short.code, short.err]).toEqual([1, expect.stringContaining('12 characters')])
  expect((await admin(['password', 'nobody'])).err).toContain("There is no user 'nobody'")
  expect((await admin(['password', 'root', '--role', 'admin'])).code).toBe(2)
  const viewer = await admin(['password', 'vera', '--new', '--role', 'proxy_admin_viewer'])
  expect(viewer.code).toBe(0)
  expect((await world.browser().login('vera')).json.role).toBe('proxy_admin_viewer')
})

test('a link for him who sets it himself; and lost factors are taken away', async () => {
  await world.user('ida')
  const { out } = await admin(['invite', 'ida'])
  const id = /invitation_id=([\w-]{43})$/.exec(out)?.[1]
  const claimed = await world
    .browser()
    .post('/onboarding/claim_token', { invitation_link: id, password: 'a password of her own' })
  expect(claimed.json.user_id).toBe('ida')
  const browser = world.browser()
  await browser.login('ida', { password: 'a password of her own' })
  await setUpTotp(browser)
  expect((await admin(['reset', 'ida'])).err).toBe('ida has no second factor now. His 1 sessions are ended.')
  expect((await world.browser().login('ida', { password: 'a password of her own' })).json.second_factor).toBe('none')
})
