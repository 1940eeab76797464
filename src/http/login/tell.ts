/** What is told of a login, and how the browser gets it. */
import type { From } from '../../auth/login/login.ts'
import type { Session } from '../../auth/login/sessions.ts'
import type { LoginDesk } from './desk.ts'

type Json = Record<string, unknown>

export const fromOf = (desk: LoginDesk, request: Request): From => ({
  ip: desk.addressOf(request),
  agent: request.headers.get('user-agent'),
})

const time = (at: number): string => new Date(at).toISOString()

export function showSession(desk: LoginDesk, session: Session, current?: string): Json {
  const { id, userId, way, mfa, createdAt, seenAt, address, agent } = session
  return {
    ...{ id, user_id: userId, way, second_factor: mfa === 1, created_at: time(createdAt), seen_at: time(seenAt) },
    ...{ expires_at: time(desk.sessions.endOf(session)), address, agent, current: id === current },
  }
}

/** Whoever has just logged in, or shown something more. @param secret what his cookie holds from now on */
export function describe(desk: LoginDesk, secret: string): Json {
  const { sessions, login, accounts } = desk
  const session = sessions.find(secret)
  if (!session) throw new Error('A session was over as it began.')
  const { userId } = session
  return {
    ...{ user_id: userId, role: desk.roleOf(userId), session: showSession(desk, session, session.id) },
    second_factor: login.standing(session),
    csrf_token: sessions.tokenOf(secret),
    factors: {
      totp: accounts.hasTotp(userId),
      passkeys: accounts.passkeysOf(userId).map(({ id, name, createdAt, usedAt }) => ({
        ...{ id, name, created_at: time(createdAt), used_at: usedAt === null ? null : time(usedAt) },
      })),
      recovery_codes: accounts.recoveryLeft(userId),
    },
  }
}

/**
 * A new number, always: what a browser came with is over, so that nobody can be logged in to a session that was put there.
 * @param request whose cookie, if it had one of ours, is ended
 */
export function loggedIn(desk: LoginDesk, secret: string, request: Request, more: Json = {}): Response {
  desk.login.endOld(request, secret)
  return withSession(desk, secret, { ...describe(desk, secret), ...more })
}

export function withSession(desk: LoginDesk, secret: string, body: Json): Response {
  const headers = new Headers({ 'cache-control': 'no-store' })
  headers.append('set-cookie', desk.cookie(secret, desk.longestMs / 1000))
  return Response.json(body, { headers })
}

/** Nothing of it is kept by anybody on the way. */
export const unkept = (body: unknown): Response => Response.json(body, { headers: { 'cache-control': 'no-store' } })
