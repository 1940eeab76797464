/** What the routes of logins take. */
import { z } from 'zod'
import { name } from './fields.ts'

const user = name(256)
const password = z.string().min(1).max(4_096)
const code = z.string().min(1).max(64).nullish()
const ticket = z.string().min(1).max(8_192)
/** What `navigator.credentials` gave, by its `toJSON()`. */
const response = z.record(z.string(), z.unknown())

export const byPassword = z.object({ username: user, password, code, recovery_code: code })
export const byPasskey = z.object({ ticket, response })
export const nothing = z.object({})
export const claim = z.object({ invitation_link: z.string().min(1).max(256), user_id: user.nullish(), password })
export const verify = z.object({
  ...{ password: password.nullish(), code, recovery_code: code, ticket: ticket.nullish() },
  response: response.nullish(),
})
export const revoke = z.object({ id: z.string().min(1).max(64).nullish(), all: z.boolean().nullish() })
export const ownPassword = z.object({ password })
export const confirmTotp = z.object({ ticket, code: z.string().min(1).max(64) })
export const newPasskey = z.object({ ticket, response, name: z.string().min(1).max(100).nullish() })
export const onePasskey = z.object({ id: z.string().min(1).max(2_048) })
export const setPassword = z.object({ user_id: user, password })
export const oneUser = z.object({ user_id: user })
export const endSessions = z.object({ user_id: user, id: z.string().min(1).max(64).nullish() })
export const invitation = z.object({ invitation_id: z.string().min(1).max(256) })

export const LOGIN_BODIES: Readonly<Record<string, z.ZodType>> = {
  'POST /login': byPassword,
  'POST /login/passkey/options': nothing,
  'POST /login/passkey': byPasskey,
  'POST /onboarding/claim_token': claim,
  'POST /logout': nothing,
  'POST /session/verify': verify,
  'POST /session/passkey/options': nothing,
  'POST /session/revoke': revoke,
  'POST /session/password': ownPassword,
  'POST /session/totp/new': nothing,
  'POST /session/totp/confirm': confirmTotp,
  'POST /session/totp/delete': nothing,
  'POST /session/passkey/new': nothing,
  'POST /session/passkey/confirm': newPasskey,
  'POST /session/passkey/delete': onePasskey,
  'POST /session/recovery/new': nothing,
  'POST /user/password': setPassword,
  'POST /user/factors/reset': oneUser,
  'POST /user/sessions/revoke': endSessions,
  'POST /invitation/new': oneUser,
  'POST /invitation/delete': invitation,
}
