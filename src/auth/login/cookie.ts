/** The cookies of a login. `__Host-`: no other host, path or plain connection can set or get it (RFC 6265bis, 4.1.3.2). */

export const SESSION_COOKIE = '__Host-tollgate'

/** undefined: there is none, or there are several, of which one would be somebody else's. */
export function cookieIn(headers: Headers, name: string): string | undefined {
  const all = (headers.get('cookie') ?? '').split(';').map((part) => part.trim())
  const found = all.filter((part) => part.startsWith(`${name}=`))
  return found.length === 1 ? found[0]?.slice(name.length + 1) : undefined
}

/**
 * @param seconds 0 takes it away
 * @param sameSite `Lax` for what has to come back with somebody whom an identity provider sends
 */
export const cookie = (name: string, value: string, seconds: number, sameSite: 'Strict' | 'Lax' = 'Strict'): string =>
  `${name}=${value}; Path=/; Max-Age=${Math.floor(seconds)}; Secure; HttpOnly; SameSite=${sameSite}`
