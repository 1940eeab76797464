/** A name and a password by `Authorization: Basic` (RFC 7617). */
import { randomBytes } from 'node:crypto'
import type { BasicSettings } from '../config/auth.ts'
import type { Principal } from '../core/principal.ts'
import { Refusal } from '../core/refusal.ts'
import type { Badges } from './badges.ts'
import { byAccount, byAddress, type Guard } from './guard.ts'
import { type Htpasswd, isPassword, parseHtpasswd } from './htpasswd.ts'
import { Lru } from './lru.ts'
import { factsOf } from './said.ts'
import { Turns } from './turns.ts'
import { WatchedFile } from './watched-file.ts'
import { ABSENT, type Asking, type Verdict, type Way } from './way.ts'

/** Passwords that were right lately, by a digest: bcrypt takes longer than many an answer. */
const MOST_KNOWN = 1_000
const KNOWN_MS = 300_000
/** Passwords that are checked at one time, and those that may wait for it: each costs a core tens of milliseconds. */
const AT_ONCE = 4
const MOST_WAITING = 64
const LONGEST = 1_024

export interface BasicHouse {
  badges: Badges
  guard: Guard
  now(): number
  warn(message: string, facts: Readonly<Record<string, unknown>>): void
}

export function basicWay({ htpasswd: path, users, as }: BasicSettings, house: BasicHouse): Way {
  const { badges, guard, now, warn } = house
  const read = (text: string): Htpasswd => {
    const file = parseHtpasswd(text)
    for (const { line, why } of file.strange.slice(0, 20))
      warn('A line of an htpasswd file counts for nothing.', { file: path, line, why })
    return file
  }
  const file = new WatchedFile(path, read, now, warn)
  const known = new Lru<number>(MOST_KNOWN)
  const pepper = randomBytes(32)
  const digest = (...parts: readonly string[]) =>
    new Bun.CryptoHasher('sha256', pepper).update(JSON.stringify(parts)).digest('hex')
  const turn = new Turns(AT_ONCE, MOST_WAITING)

  const admitted = (name: string): Principal => {
    const own = users && Object.hasOwn(users, name) ? users[name] : undefined
    return badges.of({ way: 'basic', name, ...factsOf({ user: name }, as, own) })
  }

  const check = async (name: string, password: string, { ip }: Asking): Promise<Verdict> => {
    const { hashes } = file.value
    const hash = hashes.get(name)
    // Somebody's has to be checked for a name that is not there, or the time would tell which names are.
    const [somebodys] = hashes.values()
    const against = hash ?? somebodys
    const early = guard.refusalFor(byAddress(ip), byAccount(name))
    if (early) return early
    const refused = await turn.take(async () => {
      // An attempt that waited for its turn may have been overtaken by others that failed.
      const wait = guard.refusalFor(byAddress(ip), byAccount(name))
      if (wait) return wait
      const isRight = against !== undefined && (await isPassword(password, against))
      if (isRight && hash !== undefined) return undefined
      guard.failed(byAccount(name))
      return new Refusal('invalid_credentials', 'The user name or the password is wrong.')
    })
    if (refused) return refused
    known.set(digest(name, password, hash as string), now() + KNOWN_MS)
    guard.succeeded(byAccount(name), byAddress(ip))
    return admitted(name)
  }

  return {
    told: 'a user name and a password (`Authorization: Basic …`)',
    try(asking) {
      const said = credentialsIn(asking.headers.get('authorization'))
      if (said === undefined) return ABSENT
      const [name, password] = said
      const hash = file.value.hashes.get(name)
      if (hash !== undefined) {
        const until = known.get(digest(name, password, hash))
        if (until !== undefined && until > now()) return admitted(name)
      }
      return check(name, password, asking)
    },
  }
}

/** [name, password]; undefined where the header is of another kind. What is none of both is an empty name, which nobody has. */
function credentialsIn(header: string | null): readonly [string, string] | undefined {
  if (header === null || !/^basic /i.test(header)) return undefined
  const text = Buffer.from(header.slice('basic '.length).trim(), 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (colon <= 0 || text.length > LONGEST) return ['', '']
  return [text.slice(0, colon), text.slice(colon + 1)]
}
