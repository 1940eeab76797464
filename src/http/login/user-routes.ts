/** Logins of others: for those who administer. */

import { readBody } from '../../admin/fields.ts'
import * as bodies from '../../admin/login-bodies.ts'
import type { Reach } from '../../admin/reach.ts'
import type { Invitation } from '../../auth/login/accounts.ts'
import { Refusal } from '../../core/refusal.ts'
import { dialects } from '../../dialects/index.ts'
import { jsonBody } from '../json-body.ts'
import type { PlainRoute, Visit } from '../route.ts'
import type { LoginDesk } from './desk.ts'
import { showSession, unkept } from './tell.ts'

export function userLoginRoutes(desk: LoginDesk): PlainRoute[] {
  const { login, accounts, sessions } = desk
  const plain = (method: PlainRoute['method'], path: string, handle: PlainRoute['handle']): PlainRoute => ({
    ...{ method, path, dialect: dialects['openai-chat'], handle },
  })
  const post = (path: string, run: (body: Record<string, unknown>, visit: Visit) => unknown) =>
    plain('POST', path, async (visit) => run(await jsonBody(visit.request), visit))
  const need = (reach: Reach, id: string) => {
    const user = desk.user(id)
    if (!reach.isAll)
      reach.need(user !== undefined && reach.rulesHolder(user), `The user '${id.slice(0, 100)}'`, 'user_id')
    if (!user)
      throw new Refusal('not_found', `There is no user '${id.slice(0, 100)}'. Make him first: POST /user/new.`, {
        param: 'user_id',
      })
    return user
  }
  const invitationOf = (token: string, reach: Reach): Invitation => {
    const found = accounts.invitation(token)
    if (!found || !desk.user(found.userId))
      throw new Refusal('not_found', 'There is no such invitation.', { param: 'invitation_id' })
    need(reach, found.userId)
    return found
  }
  return [
    post('/user/password', async (body, { reach, who }) => {
      const { user_id, password } = readBody(bodies.setPassword, body)
      need(reach, user_id)
      if (login.isConfigured(user_id))
        throw new Refusal('conflict', "This user's password stands in the environment of the gateway (UI_PASSWORD).")
      await accounts.setPassword(user_id, password)
      const ended_sessions = sessions.end(user_id)
      desk.info("A user's password was set.", { user: user_id, by: who.name, ended_sessions })
      return { user_id, ended_sessions }
    }),
    post('/user/factors/reset', (body, { reach, who }) => {
      const { user_id } = readBody(bodies.oneUser, body)
      need(reach, user_id)
      accounts.resetFactors(user_id)
      const ended_sessions = sessions.end(user_id)
      desk.info("A user's second factors were taken away.", { user: user_id, by: who.name, ended_sessions })
      return { user_id, ended_sessions }
    }),
    plain('GET', '/user/sessions', ({ url, reach }) => {
      const id = url.searchParams.get('user_id')
      if (!id) throw new Refusal('invalid_request', 'Say whose: ?user_id=…', { param: 'user_id' })
      if (!reach.isAll) need(reach, id)
      return unkept({ sessions: sessions.of(id).map((one) => showSession(desk, one)) })
    }),
    post('/user/sessions/revoke', (body, { reach, who }) => {
      const { user_id, id } = readBody(bodies.endSessions, body)
      need(reach, user_id)
      const ended = sessions.end(user_id, (one) => !id || one.id === id)
      if (id && ended === 0) throw new Refusal('not_found', 'This user has no such session.', { param: 'id' })
      desk.info("A user's sessions were ended.", { user: user_id, by: who.name, ended })
      return { user_id, ended }
    }),
    post('/invitation/new', (body, { reach, who }) => {
      const { user_id } = readBody(bodies.oneUser, body)
      need(reach, user_id)
      if (login.isConfigured(user_id))
        throw new Refusal('conflict', "This user's password stands in the environment of the gateway (UI_PASSWORD).")
      const { invitation, token } = accounts.invite(user_id, who.name, desk.invitationMs)
      desk.info('A user was invited to set a password.', { user: user_id, by: who.name })
      return unkept({
        ...showInvitation(token, invitation),
        invitation_link: `${desk.siteUrl()}/onboarding#invitation_id=${token}`,
      })
    }),
    plain('GET', '/invitation/info', ({ url, reach }) => {
      const token = url.searchParams.get('invitation_id') ?? ''
      return unkept(showInvitation(token, invitationOf(token, reach)))
    }),
    post('/invitation/delete', (body, { reach }) => {
      const { invitation_id } = readBody(bodies.invitation, body)
      const found = invitationOf(invitation_id, reach)
      accounts.withdraw(invitation_id)
      return unkept(showInvitation(invitation_id, found))
    }),
  ]
}

/** In LiteLLM's words. */
const showInvitation = (token: string, { userId, createdBy, createdAt, expiresAt, acceptedAt }: Invitation) => ({
  ...{ id: token, user_id: userId, is_accepted: acceptedAt !== null, accepted_at: time(acceptedAt) },
  ...{ expires_at: time(expiresAt), created_at: time(createdAt), created_by: createdBy },
})

const time = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString())
