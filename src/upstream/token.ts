/** Tokens that are fetched: kept until shortly before they end, and fetched once for all who wait. */
import { UpstreamFailure } from '../core/failure.ts'

export interface Token {
  text: string
  /** How long it holds, ms from when it was asked for. */
  lifeMs: number
}

/** A token is not used in its last five minutes, nor in the last tenth of a short life. */
const MARGIN_MS = 5 * 60_000
/** The longest that fetching one may take, ms. */
const PATIENCE_MS = 10_000

interface Kept {
  until: number
  token: Promise<string>
}

const kept = new Map<string, Kept>()

/**
 * @param key who the token is for; holds no secret
 * @param fetchToken must stop at `signal`
 * @throws UpstreamFailure auth, without a word of what was sent
 */
export function tokenFor(key: string, fetchToken: (signal: AbortSignal) => Promise<Token>): Promise<string> {
  const now = Date.now()
  const have = kept.get(key)
  if (have && now < have.until) return have.token
  const mine: Kept = { until: now + PATIENCE_MS, token: fetched(key, fetchToken, (until) => (mine.until = until)) }
  kept.set(key, mine)
  mine.token.catch(() => kept.get(key) === mine && kept.delete(key))
  return mine.token
}

async function fetched(
  key: string,
  fetchToken: (signal: AbortSignal) => Promise<Token>,
  keepUntil: (at: number) => void,
): Promise<string> {
  const asked = Date.now()
  const { text, lifeMs } = await within(PATIENCE_MS, fetchToken).catch((cause: unknown) => {
    if (cause instanceof UpstreamFailure) throw cause
    const told = cause instanceof Error && cause.name !== 'Error' ? cause.name : 'it can not be reached'
    throw noToken(key, told)
  })
  keepUntil(asked + lifeMs - Math.min(MARGIN_MS, lifeMs / 10))
  return text
}

/** The failure of a token that was not given; `why` must hold no secret. */
export function noToken(key: string, why: string): UpstreamFailure {
  const issuer = key.split(' ')[0]
  return new UpstreamFailure({ kind: 'auth', status: 0, message: `No token from ${issuer}: ${why}.` })
}

/** Some libraries know no signal: then their answer is not waited for. */
async function within<T>(ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const signal = AbortSignal.timeout(ms)
  return await Promise.race([
    work(signal),
    new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true })),
  ])
}

/**
 * OAuth's client credentials (RFC 6749 4.4).
 * @param issuer a word for the log and the cache
 * @param url of the token endpoint
 * @param form what is sent beside the grant type
 */
export function clientCredentials(
  issuer: string,
  url: string,
  form: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { client_secret: _, ...said } = form
  const key = `${issuer} ${url} ${JSON.stringify(said)} ${Bun.hash(JSON.stringify([form, headers]))}`
  return tokenFor(key, async (signal) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: new URLSearchParams({ grant_type: 'client_credentials', ...form }),
      redirect: 'manual',
      signal,
    })
    const answer = (await response.json().catch(() => ({}))) as Record<string, unknown>
    const { access_token: text, expires_in: seconds, error } = answer
    if (!response.ok || typeof text !== 'string') {
      // The error's code is a word of the standard's; its description may repeat what was sent.
      const code = typeof error === 'string' && /^[a-z_]{1,40}$/.test(error) ? ` (${error})` : ''
      throw noToken(issuer, `it answers ${response.status}${code}`)
    }
    return { text, lifeMs: (Number(seconds) || 3600) * 1000 }
  })
}
