/** JSON Web Tokens of identity providers (RFC 7519, OpenID Connect Core 1.0), verified whole each time or by a digest of the whole. */
import { errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose'
import type { JwtSettings } from '../config/auth.ts'
import { Refusal } from '../core/refusal.ts'
import type { Badges, Identity } from './badges.ts'
import { readClaims } from './claims.ts'
import { Jwks, Unavailable } from './jwks.ts'
import { Lru } from './lru.ts'
import { ABSENT, type Verdict, type Way } from './way.ts'
import type { WayOut } from './way-out.ts'

/** Bytes of a token: what is longer is none. */
const LONGEST = 16 * 1024
const MOST_KNOWN = 10_000
/** Verified tokens hold no longer than this without being verified anew. */
const KNOWN_MS = 300_000

const PUBLIC = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']
const SECRET = ['HS256', 'HS384', 'HS512']

export interface JwtHouse {
  badges: Badges
  hasTeam(id: string): boolean
  wayOut: WayOut
  now(): number
  warn(message: string, facts: Readonly<Record<string, unknown>>): void
}

/** @throws Error with a sentence for the operator where nothing can be verified */
export function jwtWay(said: JwtSettings, house: JwtHouse): Way {
  const { badges, hasTeam, now } = house
  const { issuer, audience, algorithms, clock_skew: skew } = said
  const known = new Lru<{ claims: JWTPayload; until: number }>(MOST_KNOWN)
  const key = keysOf(said, house, () => known.clear())
  const options: JWTVerifyOptions = {
    algorithms: algorithms ?? (said.secret === undefined ? PUBLIC : SECRET),
    clockTolerance: skew,
    // A token without an end would be a key that nobody can take back.
    requiredClaims: ['exp'],
    ...(issuer === undefined ? {} : { issuer }),
    ...(audience === undefined ? {} : { audience }),
  }
  const header = said.header?.toLowerCase()

  const admitted = (claims: JWTPayload): Verdict => {
    const read = readClaims(claims, said, hasTeam)
    if (typeof read === 'string') return new Refusal('forbidden', read)
    // Of two issuers with a user of the same name each has his own. An issuer is an address and holds no @.
    const from = (claims.iss ?? 'secret').replace(/^https?:\/\//, '')
    const identity: Identity = { way: 'jwt', name: `${read.user}@${from}`, ...read }
    return badges.of(identity, ((claims.exp as number) + skew) * 1000)
  }

  const verify = async (token: string, digest: string): Promise<Verdict> => {
    try {
      const checked = { ...options, currentDate: new Date(now()) }
      const { payload } = await (typeof key === 'function'
        ? jwtVerify(token, key, checked)
        : jwtVerify(token, key, checked))
      const until = Math.min(now() + KNOWN_MS, ((payload.exp as number) + skew) * 1000)
      known.set(digest, { claims: payload, until })
      return admitted(payload)
    } catch (cause) {
      return refusalOf(cause)
    }
  }

  return {
    told: 'a token of the identity provider (`Authorization: Bearer …`)',
    try({ headers }) {
      const token = tokenIn(headers, header)
      if (token === undefined) return ABSENT
      if (token.length > LONGEST)
        return new Refusal('invalid_credentials', `This token is longer than ${LONGEST / 1024} kB.`)
      // Of the whole token: by its beginning two would be one (CVE-2026-35030).
      const digest = new Bun.CryptoHasher('sha256').update(token).digest('base64')
      const before = known.get(digest)
      if (before && before.until > now()) return admitted(before.claims)
      return verify(token, digest)
    },
  }
}

/** What looks like a token: three parts, the first a JSON object. A key does not. */
function tokenIn(headers: Headers, own: string | undefined): string | undefined {
  const said = [headers.get('authorization'), own === undefined ? null : headers.get(own)]
  for (const value of said) {
    const token = value?.replace(/^bearer /i, '').trim()
    if (token && /^eyJ[\w-]*\.[\w-]*\.[\w-]*$/.test(token)) return token
  }
  return undefined
}

function keysOf(said: JwtSettings, { wayOut, now, warn }: JwtHouse, changed: () => void) {
  if (said.secret !== undefined) return new TextEncoder().encode(said.secret.reveal())
  const issuers =
    said.issuer === undefined ? [] : [`${said.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`]
  const urls = said.jwks === undefined ? issuers : [said.jwks].flat()
  if (urls.length === 0)
    throw new Error(
      'tollgate.auth: a jwt needs issuer, jwks or secret (LiteLLM: JWT_PUBLIC_KEY_URL in the environment).',
    )
  const [freshMs, staleMs] = [(said.keys_for ?? 600) * 1000, (said.keys_stale ?? 3600) * 1000]
  return new Jwks({ urls, freshMs, staleMs, wayOut, now, warn, changed }).key
}

/** What is wrong with a token, in words that hold nothing of it. */
function refusalOf(cause: unknown): Refusal {
  if (cause instanceof Unavailable)
    return new Refusal(
      'auth_unavailable',
      'The keys of the identity provider can not be had now. Try again in a moment.',
      {
        private: cause.message,
        retryAfterMs: 5_000,
      },
    )
  if (cause instanceof errors.JWTExpired)
    return new Refusal('expired_credentials', 'This token has expired. Get a new one from the identity provider.')
  if (cause instanceof errors.JWTClaimValidationFailed) {
    const [claim] = [cause.claim]
    if (claim === 'nbf')
      return new Refusal('invalid_credentials', 'This token is not valid yet (nbf): are the clocks right?')
    const told = { iss: 'Its issuer (iss) is another one.', aud: 'It is for somebody else (aud).' }[claim]
    return new Refusal(
      'invalid_credentials',
      `This token is not for this gateway. ${told ?? `Its claim '${claim}' is missing or wrong.`}`,
    )
  }
  return new Refusal(
    'invalid_credentials',
    'This token can not be verified: it is not signed by a key of the identity provider.',
  )
}
