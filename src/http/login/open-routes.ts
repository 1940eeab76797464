/** The way to a login: for those of whom nothing is known yet. */

import { readBody } from '../../admin/fields.ts'
import * as bodies from '../../admin/login-bodies.ts'
import { dialects } from '../../dialects/index.ts'
import { jsonBody } from '../json-body.ts'
import type { OpenRoute, OpenVisit } from '../route.ts'
import type { LoginDesk } from './desk.ts'
import { fromOf, loggedIn } from './tell.ts'

export function openLoginRoutes(desk: LoginDesk): OpenRoute[] {
  const { login, accounts, passkeys, sessions, sso } = desk
  const open = (method: OpenRoute['method'], path: string, run: OpenRoute['open']): OpenRoute => ({
    ...{ method, path, dialect: dialects['openai-chat'], open: run },
  })
  const post = (path: string, run: (body: Record<string, unknown>, visit: OpenVisit) => unknown) =>
    open('POST', path, async (visit) => {
      login.needOwnSite(visit.request)
      return run(await jsonBody(visit.request), visit)
    })
  return [
    open('GET', '/login/methods', () => ({ password: true, passkey: true, sso: sso.list() })),
    post('/login', async (body, { request }) => {
      const { username, password, ...proof } = readBody(bodies.byPassword, body)
      return loggedIn(desk, await login.byPassword(username, password, proof, fromOf(desk, request)), request)
    }),
    post('/login/passkey/options', async (body) => {
      readBody(bodies.nothing, body)
      return passkeys.ask()
    }),
    post('/login/passkey', async (body, { request }) => {
      const { ticket, response } = readBody(bodies.byPasskey, body)
      return loggedIn(desk, await login.byPasskey(ticket, response, fromOf(desk, request)), request)
    }),
    post('/onboarding/claim_token', async (body, { request }) => {
      const said = readBody(bodies.claim, body)
      const user_id = await login.claim(
        said.invitation_link,
        said.user_id ?? undefined,
        said.password,
        fromOf(desk, request),
      )
      sessions.end(user_id)
      desk.info('A password was set by an invitation.', { user: user_id, second_factor: accounts.hasFactor(user_id) })
      return { user_id, login_url: `${desk.siteUrl()}/login` }
    }),
  ]
}
