/** Where a passed-through request goes: always below the provider's own origin, whatever the caller wrote. Pure. */
import { Refusal } from '../../core/refusal.ts'

/** What a segment of a path may hold once it is decoded: all that providers use, and nothing that can lead elsewhere. */
const SEGMENT = /^[A-Za-z0-9_~!$'()*+,=:-][A-Za-z0-9._~!$'()*+,=:-]*$/
/** Parameters that callers put keys into. Ours go in headers; a caller's must not reach the provider. */
const KEYS = ['key', 'api_key', 'api-key', 'apikey', 'access_token', 'token']
const LONGEST = 4_096

const wrong = (): Refusal =>
  new Refusal(
    'invalid_request',
    "This path can't be passed through: write it plainly, without dots, empty parts, encoded slashes or '@'.",
  )

/**
 * The segments behind `/{provider}`, decoded.
 * @param raw the request's URL as it came
 * @throws Refusal invalid_request for whatever could lead out of the provider's path
 */
export function segmentsBehind(raw: string, provider: string): string[] {
  const from = raw.indexOf('/', raw.indexOf('//') + 2)
  const path = /^[^?#]*/.exec(raw.slice(from))?.[0] ?? ''
  if (path.length > LONGEST || !path.startsWith(`/${provider}/`)) throw wrong()
  const parts = path.slice(provider.length + 2).split('/')
  return parts.map((part) => {
    let plain: string
    try {
      plain = decodeURIComponent(part)
    } catch {
      throw wrong()
    }
    if (!SEGMENT.test(plain)) throw wrong()
    return plain
  })
}

/**
 * The whole address. A version that ends the origin's path may stand at the beginning of the caller's: clients write
 * `/openai/v1/files` for what is `https://api.openai.com/v1` + `/files`.
 */
export function addressUnder(origin: string, segments: readonly string[], query: string): string {
  const base = new URL(origin)
  const own = base.pathname.split('/').filter((part) => part !== '')
  const wholeAgain = own.length > 0 && own.every((part, i) => segments[i] === part)
  const last = own.at(-1)
  const versionAgain = last !== undefined && /^v\d/.test(last) && segments[0] === last
  const rest = wholeAgain ? segments.slice(own.length) : versionAgain ? segments.slice(1) : segments
  const path = [...own, ...rest].join('/')
  const params = new URLSearchParams(query)
  for (const name of [...params.keys()]) if (KEYS.includes(name.toLowerCase())) params.delete(name)
  const url = `${base.protocol}//${base.host}/${path}${params.size > 0 ? `?${params}` : ''}`
  // What was built is read once more: it must be what was meant.
  const built = new URL(url)
  if (built.origin !== base.origin || built.pathname !== `/${path}` || built.username + built.password !== '')
    throw wrong()
  return url
}
