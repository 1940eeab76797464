/** An outside service that decides, asked as nginx asks with `auth_request`. Where it does not answer, nobody comes in. */
import type { CheckSettings } from '../config/auth.ts'
import { Refusal } from '../core/refusal.ts'
import { readRole } from '../core/role.ts'
import type { Badges, Identity } from './badges.ts'
import { Lru } from './lru.ts'
import { factsOf } from './said.ts'
import { ABSENT, type Asking, type Way } from './way.ts'
import type { WayOut } from './way-out.ts'

const MOST_KNOWN = 10_000
/** Bytes of headers that are passed on. */
const LONGEST = 32 * 1024
/** Questions that are under way at one time. */
const MOST_AT_ONCE = 256
/** The same trouble is told no more often. */
const WARN_MS = 10_000

export interface OutsideHouse {
  badges: Badges
  wayOut: WayOut
  now(): number
  warn(message: string, facts: Readonly<Record<string, unknown>>): void
}

export function outsideWay(said: CheckSettings, { badges, wayOut, now, warn }: OutsideHouse): Way {
  const known = new Lru<{ identity: Identity; until: number }>(MOST_KNOWN)
  const names = said.headers.map((name) => name.toLowerCase())
  const { hostname } = new URL(said.url)
  let asked = 0

  const ask = async (
    headers: Record<string, string>,
    digest: string,
    nameless: string,
  ): Promise<ReturnType<Badges['of']> | Refusal> => {
    if (asked >= MOST_AT_ONCE) return unavailable('too many questions at once')
    asked++
    try {
      const answer = await wayOut(said.url, true, {
        headers,
        signal: AbortSignal.timeout((said.timeout ?? 5) * 1000),
      })
      await answer.body?.cancel()
      const { status } = answer
      if (status === 401 || status === 403)
        return new Refusal(status === 401 ? 'invalid_credentials' : 'forbidden', 'You are not let in here.')
      if (status < 200 || status > 299) return unavailable(`it answers ${status}`)
      const identity = identityIn(answer.headers, said, nameless)
      if (said.cache > 0) known.set(digest, { identity, until: now() + said.cache * 1000 })
      return badges.of(identity)
    } catch (cause) {
      return unavailable(
        (cause as Error).name === 'TimeoutError' ? 'it does not answer in time' : 'it can not be reached',
      )
    } finally {
      asked--
    }
  }
  let warnedAt = Number.NEGATIVE_INFINITY
  const unavailable = (why: string): Refusal => {
    if (now() - warnedAt >= WARN_MS) warnOf(why)
    return new Refusal('auth_unavailable', 'Who you are can not be checked now. Try again in a moment.', {
      private: why,
      retryAfterMs: 2_000,
    })
  }
  const warnOf = (why: string) => {
    warnedAt = now()
    warn('The outside check of tollgate.auth fails: nobody comes in by it.', { host: hostname, told: why })
  }

  return {
    told: 'what the outside service of this gateway asks for',
    try(asking) {
      const headers: Record<string, string> = {}
      let size = 0
      for (const name of names) {
        const value = asking.headers.get(name)
        if (value === null || value === '') continue
        headers[name] = value
        size += value.length
      }
      if (size === 0) return ABSENT
      if (size > LONGEST) return new Refusal('invalid_credentials', 'These credentials are too long.')
      const nameless = `nameless-${digestOf(headers).slice(0, 16)}`
      if (said.request) Object.assign(headers, askedFor(asking))
      // Of all that is sent: another header, another question.
      const digest = digestOf(headers)
      const before = known.get(digest)
      if (before && before.until > now()) return badges.of(before.identity)
      return ask(headers, digest, nameless)
    },
  }
}

function askedFor({ request, ip }: Asking): Record<string, string> {
  const { pathname, search } = new URL(request.url)
  return {
    'x-original-method': request.method,
    'x-original-uri': pathname + search,
    ...(ip === undefined ? {} : { 'x-forwarded-for': ip }),
  }
}

const digestOf = (headers: Readonly<Record<string, string>>): string =>
  new Bun.CryptoHasher('sha256').update(JSON.stringify(headers)).digest('hex')

/** @param nameless what somebody is called whom the service lets in without a name: he must not be one with the others */
function identityIn(headers: Headers, said: CheckSettings, nameless: string): Identity {
  const at = (name: string | undefined) =>
    name === undefined ? undefined : headers.get(name)?.slice(0, 256) || undefined
  const user = at(said.user_header)
  const [team, organization] = [at(said.team_header), at(said.organization_header)]
  const role = readRole(at(said.role_header) ?? '')
  const facts = {
    ...(user === undefined ? {} : { user }),
    ...(team === undefined ? {} : { team }),
    ...(organization === undefined ? {} : { organization }),
    ...(role === undefined ? {} : { role }),
  }
  return { way: 'check', name: user ?? nameless, ...factsOf(said.as, facts) }
}
