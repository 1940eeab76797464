/** What the routes of logins need: src/auth/login, seen from here. */
import type { Accounts } from '../../auth/login/accounts.ts'
import type { Login } from '../../auth/login/login.ts'
import type { Passkeys } from '../../auth/login/passkeys.ts'
import type { Sessions } from '../../auth/login/sessions.ts'
import type { Sso } from '../../auth/login/sso/sso.ts'
import type { Holder } from '../../core/holder.ts'

export interface LoginDesk {
  login: Login
  accounts: Accounts
  passkeys: Passkeys
  sessions: Sessions
  sso: Sso
  /** auth/login/cookie.ts */
  cookie(value: string, seconds: number): string
  addressOf(request: Request): string | undefined
  user(id: string): Holder | undefined
  roleOf(userId: string): string
  /** Where invitations lead. */
  siteUrl(): string
  invitationMs: number
  /** ms. */
  longestMs: number
  info(message: string, facts: Readonly<Record<string, unknown>>): void
}
