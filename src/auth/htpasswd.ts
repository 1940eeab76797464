/** Files of names and hashed passwords, as Apache's `htpasswd` writes them; argon2 is our own, for new ones. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { apr1 } from './apr1.ts'

export interface Htpasswd {
  hashes: ReadonlyMap<string, string>
  /** Lines that count for nothing, each with why. From 1. */
  strange: readonly { line: number; why: string }[]
}

/** bcrypt looks at no more of a password. Bytes. */
const LONGEST_BCRYPT = 72

const APR1 = /^\$apr1\$([./0-9A-Za-z]{1,8})\$[./0-9A-Za-z]{22}$/
const SHA = /^\{SHA\}[A-Za-z0-9+/]{27}=$/
const BCRYPT = /^\$2[aby]\$(\d\d)\$[./0-9A-Za-z]{53}$/
const ARGON = /^\$argon2(id|i|d)\$v=\d+\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+$/
/** A cost of 16 takes 4 s: a file must not be able to stop the house. */
const MOST_COST = 15

/** The first line of a name counts, as with Apache and nginx. */
export function parseHtpasswd(text: string): Htpasswd {
  const hashes = new Map<string, string>()
  const strange: { line: number; why: string }[] = []
  for (const [i, raw] of text.split('\n').entries()) {
    const line = raw.replace(/\r$/, '').trim()
    if (line === '' || line.startsWith('#')) continue
    const colon = line.indexOf(':')
    const name = line.slice(0, Math.max(0, colon))
    // nginx allows a comment behind a second colon.
    const hash = line.slice(colon + 1).split(':')[0] as string
    const why = colon <= 0 ? 'it is no user:hash' : hashes.has(name) ? 'the user stands above already' : faultOf(hash)
    if (why) strange.push({ line: i + 1, why })
    else hashes.set(name, hash)
  }
  return { hashes, strange }
}

function faultOf(hash: string): string | undefined {
  const bcrypt = BCRYPT.exec(hash)
  if (bcrypt) return Number(bcrypt[1]) > MOST_COST ? `its cost is above ${MOST_COST}` : undefined
  if (APR1.test(hash) || SHA.test(hash) || ARGON.test(hash)) return undefined
  return 'its password is in none of the known forms (argon2, bcrypt, apr1, SHA); write it anew with `tollgate auth htpasswd`'
}

/** Whether it is the password. Slow ones run on other threads. */
export async function isPassword(password: string, hash: string): Promise<boolean> {
  if (password.includes('\0')) return false
  const salt = APR1.exec(hash)?.[1]
  if (salt !== undefined) return same(apr1(password, salt), hash)
  if (hash.startsWith('{SHA}')) return same(`{SHA}${createHash('sha1').update(password).digest('base64')}`, hash)
  if (!hash.startsWith('$2')) return Bun.password.verify(password, hash)
  // `$2y$` is `$2b$`. Bun hashes what is longer than bcrypt reads; Apache cuts it.
  const bytes = Buffer.from(password).subarray(0, LONGEST_BCRYPT)
  return Bun.password.verify(bytes, hash.replace(/^\$2y\$/, '$2b$'))
}

const same = (a: string, b: string): boolean => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))

/** A line for a new password. @param name without colons, line ends or control characters */
export const htpasswdLine = async (name: string, password: string): Promise<string> =>
  `${name}:${await Bun.password.hash(password, 'argon2id')}`
