/** Puts together what logs people in. */
import type { AdminConfig } from '../../config/admin.ts'
import type { SsoProvider } from '../../config/sso.ts'
import type { TellChange } from '../../core/change.ts'
import type { Holder } from '../../core/holder.ts'
import type { Badges } from '../badges.ts'
import type { Guard } from '../guard.ts'
import type { WayOut } from '../way-out.ts'
import { Accounts, type LoginShelf } from './accounts.ts'
import { cookie, SESSION_COOKIE } from './cookie.ts'
import { Login } from './login.ts'
import { Passkeys } from './passkeys.ts'
import { Passwords } from './passwords.ts'
import { type SessionShelf, Sessions } from './sessions.ts'
import { Sso } from './sso/sso.ts'
import type { WhoseHouse } from './sso/whose.ts'
import { type Seal, Tickets } from './tickets.ts'

export interface LoginParts {
  admin: AdminConfig
  shelf: LoginShelf
  sessionShelf: SessionShelf
  /** For what is kept, and for what goes with somebody and comes back. */
  seals: { kept: Seal; lent: Seal }
  /** A keyed digest. */
  digestOf(text: string): string
  badges: Badges
  guard: Guard
  providers: readonly SsoProvider[]
  wayOut: WayOut
  register: WhoseHouse['register']
  user(id: string): Holder | undefined
  users(): readonly Holder[]
  roleOf(userId: string): string
  /** Where pages are opened; known once the gateway listens. */
  siteUrl(): string
  addressOf(request: Request): string | undefined
  /** Told who fails to come in. */
  tell: TellChange
  now(): number
  info(message: string, facts: Readonly<Record<string, unknown>>): void
  warn(message: string, facts: Readonly<Record<string, unknown>>): void
}

export function makeLogins(parts: LoginParts) {
  const { admin, shelf, sessionShelf, seals, digestOf, badges, guard, user, siteUrl, now, warn } = parts
  const tickets = new Tickets(seals.lent, now)
  const passwords = new Passwords()
  const accounts = new Accounts({ shelf, passwords, seal: seals.kept, tickets, digestOf, now, tell: parts.tell })
  const { idleMs, longestMs, invitationMs } = admin
  const sessions = new Sessions(sessionShelf, { idleMs, longestMs, digestOf, now, tell: parts.tell })
  const site = () => {
    const { origin, hostname } = new URL(siteUrl())
    return { origin, host: hostname }
  }
  const passkeys = new Passkeys({
    ...{ site, tickets, now, warn },
    passkey: (id) => shelf.passkey(id),
    handleOf: (userId) => accounts.handleOf(userId),
    use: (id, counter, at) => shelf.usePasskey(id, counter, at),
  })
  const login = new Login({
    ...{
      accounts,
      passkeys,
      passwords,
      sessions,
      badges,
      guard,
      now,
      warn,
      tell: parts.tell,
      requireMfa: admin.requireMfa,
    },
    userOf: user,
    findUser: (name) => user(name) ?? ofAddress(parts.users(), name),
    configured: admin.login && {
      userId: admin.login.user,
      hash: passwords.hash(admin.login.password.reveal()),
    },
    origin: () => site().origin,
  })
  const { providers, wayOut, register, info } = parts
  const sso = new Sso(providers, { ...{ tickets, wayOut, register, shelf, siteUrl, now, info, warn } })
  login.tidy()
  return {
    ...{ login, accounts, passkeys, sessions, sso, user, siteUrl, longestMs, invitationMs },
    ...{ addressOf: parts.addressOf, roleOf: parts.roleOf, info: parts.info },
    cookie: (value: string, seconds: number) => cookie(SESSION_COOKIE, value, seconds),
  }
}

/** Whoever alone has this address. */
function ofAddress(users: readonly Holder[], name: string): Holder | undefined {
  if (!name.includes('@')) return undefined
  const his = users.filter(({ metadata }) => String(metadata.user_email ?? '').toLowerCase() === name.toLowerCase())
  return his.length === 1 ? his[0] : undefined
}

/** What a browser is given: passkeys and cookies are for names, and an address of the loopback has one. */
export const siteOf = (url: string): string =>
  url.replace(/\/\/(127\.0\.0\.1|\[::1?\]|0\.0\.0\.0)(?=:|$)/, '//localhost')
