/** What somebody does with his own login. */

import { readBody } from '../../admin/fields.ts'
import * as bodies from '../../admin/login-bodies.ts'
import type { Session } from '../../auth/login/sessions.ts'
import { Refusal } from '../../core/refusal.ts'
import { dialects } from '../../dialects/index.ts'
import { jsonBody } from '../json-body.ts'
import type { PlainRoute, Visit } from '../route.ts'
import type { LoginDesk } from './desk.ts'
import { describe, fromOf, showSession, unkept, withSession } from './tell.ts'

type Json = Record<string, unknown>

export function sessionRoutes(desk: LoginDesk): PlainRoute[] {
  const { login, accounts, passkeys, sessions } = desk
  const plain = (method: PlainRoute['method'], path: string, handle: PlainRoute['handle']): PlainRoute => ({
    ...{ method, path, dialect: dialects['openai-chat'], handle },
  })
  const post = (path: string, run: (body: Json, session: Session, visit: Visit) => unknown) =>
    plain('POST', path, async (visit) => {
      const session = login.sessionOf(visit.who)
      return run(await jsonBody(visit.request), session, visit)
    })
  /** Changes of what he logs in with. */
  const change = (path: string, run: (body: Json, session: Session, visit: Visit) => unknown) =>
    post(path, (body, session, visit) => {
      login.needFresh(session)
      return run(body, session, visit)
    })
  const bare = (body: Json) => readBody(bodies.nothing, body)
  const secretOf = ({ who }: Visit): string => who.session?.secret.reveal() ?? ''
  const now = (visit: Visit, more: Json = {}) => unkept({ ...describe(desk, secretOf(visit)), ...more })
  /** After a change: a new number, the other sessions end, and the first factor brings recovery codes. */
  const changed = (session: Session, mfa: number, request: Request, more: Json = {}): Response => {
    const { userId } = session
    const codes = mfa === 1 && accounts.recoveryLeft(userId) === 0 ? accounts.renewRecovery(userId) : undefined
    const secret = sessions.rotate(session, mfa)
    const { id } = sessions.find(secret) as Session
    const ended = sessions.end(userId, (one) => one.id !== id)
    desk.info('A login was changed.', { user: userId, path: new URL(request.url).pathname, ended_sessions: ended })
    return withSession(desk, secret, {
      ...describe(desk, secret),
      ...(codes ? { recovery_codes: codes } : {}),
      ...more,
    })
  }
  return [
    plain('GET', '/session', (visit) => {
      login.sessionOf(visit.who)
      return now(visit)
    }),
    post('/logout', (body, session, { request: _ }) => {
      bare(body)
      sessions.end(session.userId, ({ id }) => id === session.id)
      const headers = new Headers({ 'cache-control': 'no-store', 'clear-site-data': '"cookies"' })
      headers.append('set-cookie', desk.cookie('', 0))
      return Response.json({ logged_out: true }, { headers })
    }),
    post('/session/verify', async (body, session, { request }) => {
      const secret = await login.verify(session, readBody(bodies.verify, body), fromOf(desk, request))
      return withSession(desk, secret, describe(desk, secret))
    }),
    post('/session/passkey/options', async (body, { userId }) => {
      bare(body)
      return unkept(await passkeys.ask(accounts.passkeysOf(userId)))
    }),
    plain('GET', '/session/list', ({ who }) => {
      const { userId, id } = login.whole(login.sessionOf(who))
      return unkept({ sessions: sessions.of(userId).map((one) => showSession(desk, one, id)) })
    }),
    post('/session/revoke', (body, session) => {
      login.whole(session)
      const { id, all } = readBody(bodies.revoke, body)
      if (!id && !all)
        throw new Refusal('invalid_request', 'Say id (of GET /session/list), or all: true for all others.', {
          param: 'id',
        })
      const ended = sessions.end(session.userId, (one) => (all ? one.id !== session.id : one.id === id))
      if (!all && ended === 0) throw new Refusal('not_found', 'You have no such session.', { param: 'id' })
      return { ended }
    }),
    change('/session/password', async (body, session, { request }) => {
      login.whole(session)
      const { password } = readBody(bodies.ownPassword, body)
      if (login.isConfigured(session.userId))
        throw new Refusal('conflict', 'Your password stands in the environment of the gateway (UI_PASSWORD).')
      await accounts.setPassword(session.userId, password)
      return changed(login.again(session), session.mfa, request)
    }),
    change('/session/totp/new', (body, { userId }) => {
      bare(body)
      return unkept(accounts.beginTotp(userId))
    }),
    change('/session/totp/confirm', (body, session, { request }) => {
      const { ticket, code } = readBody(bodies.confirmTotp, body)
      accounts.confirmTotp(session.userId, ticket, code)
      return changed(session, 1, request)
    }),
    change('/session/totp/delete', (body, session, { request }) => {
      bare(body)
      accounts.removeTotp(session.userId)
      return changed(session, accounts.hasFactor(session.userId) ? session.mfa : 0, request)
    }),
    change('/session/passkey/new', async (body, { userId }) => {
      bare(body)
      return unkept(await passkeys.begin(userId, accounts.passkeysOf(userId)))
    }),
    change('/session/passkey/confirm', async (body, session, { request }) => {
      const { ticket, response, name } = readBody(bodies.newPasskey, body)
      accounts.addPasskey(await passkeys.register(session.userId, ticket, response, name ?? 'passkey'))
      return changed(login.again(session), 1, request)
    }),
    change('/session/passkey/delete', (body, session, { request }) => {
      accounts.removePasskey(session.userId, readBody(bodies.onePasskey, body).id)
      return changed(session, accounts.hasFactor(session.userId) ? session.mfa : 0, request)
    }),
    change('/session/recovery/new', (body, { userId }) => {
      bare(body)
      if (!accounts.hasFactor(userId))
        throw new Refusal('invalid_request', 'Recovery codes stand in for a second factor: set one up first.')
      return unkept({ recovery_codes: accounts.renewRecovery(userId) })
    }),
  ]
}
