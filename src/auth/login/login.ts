/** Logging in: who shows what becomes a session, and what a session may. The routes are http/login-routes.ts. */
import type { AttemptRules } from '../../core/attempts.ts'
import type { TellChange } from '../../core/change.ts'
import type { LoggedIn, Principal } from '../../core/principal.ts'
import { Refusal } from '../../core/refusal.ts'
import { Secret } from '../../secrets/secret.ts'
import type { Badges } from '../badges.ts'
import { byAccount, byAddress, Guard } from '../guard.ts'
import { ABSENT, type Verdict } from '../way.ts'
import type { Accounts } from './accounts.ts'
import { cookieIn, SESSION_COOKIE } from './cookie.ts'
import type { Passkeys } from './passkeys.ts'
import type { Passwords } from './passwords.ts'
import { isSafe, siteFault } from './same-site.ts'
import type { Session, Sessions } from './sessions.ts'

/** Somebody of this gateway, as far as logging in goes. */
export interface User {
  id: string
  blocked: boolean
}

export interface LoginHouse {
  accounts: Accounts
  passkeys: Passkeys
  passwords: Passwords
  sessions: Sessions
  badges: Badges
  /** Shared with the other ways in: who guesses here has guessed there. */
  guard: Guard
  userOf(id: string): User | undefined
  /** By his id, or by an address that only he has. */
  findUser(name: string): User | undefined
  /** The user and the hash of the password that stand in the environment. */
  configured: { userId: string; hash: Promise<string> } | undefined
  requireMfa: boolean
  /** Origin of the pages, where it is configured. */
  origin(): string | undefined
  /** Told who fails. */
  tell: TellChange
  now(): number
  warn(message: string, facts: Readonly<Record<string, unknown>>): void
}

/** From where somebody logs in. */
export interface From {
  ip: string | undefined
  agent: string | null
}

/** What he shows beside a password. */
export interface Proof {
  code?: string | null | undefined
  recovery_code?: string | null | undefined
}

/** A second factor is six digits: five free guesses an hour, then half a minute, doubled each time. */
const SECOND: AttemptRules = { free: 5, windowMs: 3_600_000, waitMs: 30_000, longestMs: 3_600_000 }
/** What is changed in a login needs something shown so lately, ms. */
const FRESH_MS = 900_000

export class Login {
  readonly house: LoginHouse
  readonly #second: Guard

  constructor(house: LoginHouse) {
    this.house = house
    this.#second = new Guard(SECOND, house.now, house.warn, house.tell)
  }

  /** @returns what the browser keeps @throws Refusal: in the same words and time whether name or password is wrong */
  async byPassword(name: string, password: string, proof: Proof, from: From): Promise<string> {
    const { accounts, passwords, sessions, guard, findUser, configured } = this.house
    const user = findUser(name)
    const names = [byAddress(from.ip), byAccount(`login:${user?.id ?? name.toLowerCase()}`)]
    const own = user && configured?.userId === user.id ? await configured.hash : undefined
    const hash = own ?? (user && accounts.passwordOf(user.id))
    const right = await passwords.isRight(password, hash, () => guard.refusalFor(...names))
    if (!right || !user || user.blocked) {
      this.house.tell({ table: 'login', id: user?.id ?? 'unknown', action: 'failed' })
      guard.failed(...names)
      throw new Refusal('invalid_credentials', 'The user name or the password is wrong.')
    }
    guard.succeeded(...names)
    const isProved = saysProof(proof)
    if (isProved) this.#takeSecond(user.id, proof)
    return sessions.start({
      userId: user.id,
      way: 'password',
      mfa: isProved ? 1 : 0,
      address: from.ip,
      agent: from.agent,
    })
  }

  /** A passkey that verifies its user is two factors by itself. */
  async byPasskey(ticket: string, response: unknown, from: From): Promise<string> {
    const { passkeys, sessions, guard, userOf } = this.house
    const wait = guard.refusalFor(byAddress(from.ip))
    if (wait) throw wait
    const { userId } = await passkeys.check(ticket, response).catch((cause) => {
      guard.failed(byAddress(from.ip))
      throw cause
    })
    if (userOf(userId)?.blocked !== false) throw new Refusal('invalid_credentials', 'This passkey opens nothing here.')
    return sessions.start({ userId, way: 'passkey', mfa: 1, address: from.ip, agent: from.agent })
  }

  /** Whom somebody else has vouched for. @param mfa whether he was asked for two factors there */
  bySso(userId: string, id: string, mfa: boolean, from: From): string {
    return this.house.sessions.start({
      ...{ userId, way: `sso:${id}`, mfa: mfa ? 1 : 0, address: from.ip, agent: from.agent },
    })
  }

  /** @throws Refusal invalid_credentials, too_many_attempts */
  #takeSecond(userId: string, { code, recovery_code }: Proof): void {
    const { accounts } = this.house
    const name = byAccount(`second:${userId}`)
    const wait = this.#second.refusalFor(name)
    if (wait) throw wait
    const isRight = recovery_code ? accounts.takeRecovery(userId, recovery_code) : accounts.takeTotp(userId, code ?? '')
    if (!isRight) {
      this.house.tell({ table: 'second_factor', id: userId, action: 'failed' })
      this.#second.failed(name)
      throw new Refusal(
        'invalid_credentials',
        recovery_code
          ? 'This recovery code is none of yours, or was used.'
          : 'This code is wrong, over, or was used: each counts once. Wait for the next one.',
        { param: recovery_code ? 'recovery_code' : 'code' },
      )
    }
    this.#second.succeeded(name)
  }

  /**
   * The second factor of a session that has none yet, or, of one that has, what shows that it is still he.
   * @returns what the browser keeps from now on
   */
  async verify(
    session: Session,
    said: Proof & { password?: string | null | undefined; ticket?: string | null | undefined; response?: unknown },
    from: From,
  ): Promise<string> {
    const { accounts, passkeys, passwords, guard, configured } = this.house
    const { userId } = session
    if (said.ticket) {
      const wait = this.#second.refusalFor(byAccount(`second:${userId}`))
      if (wait) throw wait
      const passkey = await passkeys.check(said.ticket, said.response)
      if (passkey.userId !== userId) throw new Refusal('invalid_credentials', 'This passkey opens nothing here.')
      return this.#rotated(session, 1)
    }
    if (saysProof(said)) {
      this.#takeSecond(userId, said)
      return this.#rotated(session, 1)
    }
    if (accounts.hasFactor(userId))
      throw new Refusal(
        'mfa_required',
        'Show your second factor: code, recovery_code, or ticket and response of a passkey.',
        { param: 'code' },
      )
    const names = [byAddress(from.ip), byAccount(`login:${userId}`)]
    const hash = configured?.userId === userId ? await configured.hash : accounts.passwordOf(userId)
    if (!(await passwords.isRight(said.password ?? '', hash, () => guard.refusalFor(...names)))) {
      guard.failed(...names)
      throw new Refusal('invalid_credentials', 'The password is wrong.', { param: 'password' })
    }
    return this.#rotated(session, session.mfa)
  }

  #rotated(session: Session, mfa: number): string {
    // It may have been ended while something was checked: then it stays so.
    return this.house.sessions.rotate(this.again(session), mfa)
  }

  /** Whether a session's user still has to show a second factor, or to set one up, before he may do anything else. */
  standing({ userId, mfa }: Session): LoggedIn['second'] {
    if (mfa === 1) return 'shown'
    if (this.house.accounts.hasFactor(userId)) return 'to_show'
    return this.house.requireMfa ? 'to_set_up' : 'none'
  }

  /** Who a request's cookie says he is. ABSENT where it has none, or where cookies do not count. */
  verdict(request: Request, headers: Headers, errand: 'models' | 'manage' | 'session'): Verdict {
    // Whoever says who he is in a header means that; and models are never called by a cookie.
    if (errand === 'models' || headers.has('authorization')) return ABSENT
    const secret = cookieIn(headers, SESSION_COOKIE)
    if (secret === undefined) return ABSENT
    const { sessions, badges, userOf, origin } = this.house
    const session = sessions.find(secret)
    if (!session) return loggedOut()
    const user = userOf(session.userId)
    if (!user || user.blocked) {
      sessions.end(session.userId)
      return loggedOut()
    }
    if (!isSafe(request.method)) {
      const fault = siteFault(request, origin()) ?? this.#tokenFault(secret, headers)
      if (fault) return new Refusal('forbidden', `${fault} Nothing was done.`)
    }
    const second = this.standing(session)
    if (errand === 'manage' && (second === 'to_show' || second === 'to_set_up')) return missing(second)
    const logged: LoggedIn = { id: session.id, secret: new Secret(secret), second }
    return { ...badges.of({ way: 'session', name: user.id, user: user.id }), session: logged }
  }

  #tokenFault(secret: string, headers: Headers): string | undefined {
    const token = headers.get('x-csrf-token') ?? ''
    const right = this.house.sessions.tokenOf(secret)
    let differs = token.length ^ right.length
    for (let i = 0; i < right.length; i++) differs |= token.charCodeAt(i) ^ right.charCodeAt(i)
    return differs === 0 ? undefined : 'The header X-CSRF-Token is not what GET /session tells.'
  }

  /** The session of whoever asks. @throws Refusal where he came otherwise */
  sessionOf({ session }: Principal): Session {
    const found = session && this.house.sessions.find(session.secret.reveal())
    if (!session)
      throw new Refusal('forbidden', 'This is for people who have logged in: POST /login. A key has no session.')
    if (!found) throw loggedOut()
    return found
  }

  /**
   * What is changed in a login asks that it is he, and not somebody at his unlocked screen.
   * @throws Refusal reauthentication_required, mfa_required
   */
  needFresh(session: Session): void {
    if (this.standing(session) === 'to_show')
      throw new Refusal('mfa_required', 'Show your second factor first: POST /session/verify.')
    if (this.house.now() - session.provedAt > FRESH_MS)
      throw new Refusal('reauthentication_required', 'Show once more that it is you: POST /session/verify.')
  }

  /** The same, where nothing is missing. @throws Refusal mfa_required */
  whole(session: Session): Session {
    const second = this.standing(session)
    if (second === 'to_show' || second === 'to_set_up') throw missing(second)
    return session
  }

  /** A session as it is after something was waited for. @throws Refusal where it was ended meanwhile */
  again({ userId, digest }: Session): Session {
    const found = this.house.sessions.of(userId).find((one) => one.digest === digest)
    if (!found) throw loggedOut()
    return found
  }

  /** The session that a browser came with, when it gets another one. */
  endOld(request: Request, secret: string): void {
    const old = cookieIn(request.headers, SESSION_COOKIE)
    const { sessions } = this.house
    const found = old === undefined || old === secret ? undefined : sessions.find(old)
    if (found) sessions.end(found.userId, ({ digest }) => digest === found.digest)
  }

  /** Whether a user's password stands in the environment, where nothing here can change it. */
  isConfigured(userId: string): boolean {
    return this.house.configured?.userId === userId
  }

  /** Sets a password by an invitation. @returns whose @throws Refusal */
  async claim(token: string, userId: string | undefined, password: string, { ip }: From): Promise<string> {
    const { accounts, guard, userOf } = this.house
    const name = byAddress(ip)
    const wait = guard.refusalFor(name)
    if (wait) throw wait
    const whose = accounts.invitation(token)?.userId
    const isOpen = whose !== undefined && userOf(whose)?.blocked === false
    return accounts.claim(isOpen ? token : '', userId, password).catch((cause) => {
      if (cause instanceof Refusal && cause.code === 'invalid_credentials') guard.failed(name)
      throw cause
    })
  }

  /** Users who are gone leave nothing behind: whoever gets the name later is somebody else. */
  tidy(): void {
    const { accounts, sessions, userOf } = this.house
    for (const id of new Set([...sessions.users(), ...accounts.users()]))
      if (!userOf(id)) {
        sessions.end(id)
        accounts.forget(id)
      }
  }

  /** For what is open to those who log in. @throws Refusal where another site makes a browser ask */
  needOwnSite(request: Request): void {
    const fault = siteFault(request, this.house.origin())
    if (fault) throw new Refusal('forbidden', `${fault} Nothing was done.`)
  }
}

const saysProof = ({ code, recovery_code }: Proof): boolean => Boolean(code) || Boolean(recovery_code)

const missing = (second: 'to_show' | 'to_set_up'): Refusal =>
  new Refusal(
    'mfa_required',
    second === 'to_show'
      ? 'Your second factor is missing. Show it first: POST /session/verify.'
      : 'A second factor is needed here. Set one up first: POST /session/totp/new or /session/passkey/new.',
  )

const loggedOut = () => new Refusal('expired_credentials', 'You are logged in no longer. Log in again: POST /login.')
