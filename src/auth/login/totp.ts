/** Codes of an authenticator app (RFC 6238): six digits, a new one every 30 s. */
import { randomBytes } from 'node:crypto'
import { Secret, TOTP } from 'otpauth'

const STEP_MS = 30_000
/** Clocks may be a step apart (RFC 6238, 5.2). */
const SKEW = 1
const SHA1 = { algorithm: 'SHA1', digits: 6, period: STEP_MS / 1000 } as const

/** 160 bits, as base32 (RFC 4226, 4). */
export const newTotpSecret = (): string => new Secret({ buffer: new Uint8Array(randomBytes(20)).buffer }).base32

/** What an app reads from a picture: `otpauth://totp/…`. */
export const totpUri = (secret: string, userId: string, issuer: string): string =>
  new TOTP({ ...SHA1, issuer, label: userId, secret: Secret.fromBase32(secret) }).toString()

/** The step that a code is of, counted from 1970; undefined where it is of none near. @param now ms */
export function stepOf(code: string, secret: string, now: number): number | undefined {
  const token = code.replace(/\s/g, '')
  if (!/^\d{6}$/.test(token)) return undefined
  const delta = TOTP.validate({ ...SHA1, token, secret: Secret.fromBase32(secret), timestamp: now, window: SKEW })
  return delta === null ? undefined : Math.floor(now / STEP_MS) + delta
}
