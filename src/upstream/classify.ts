/** What an upstream's answer, or the runtime's error in its place, means: one {@link Failure}, whoever it was. */
import { type Failure, UpstreamFailure } from '../core/failure.ts'
import { Refusal } from '../core/refusal.ts'
import type { TargetDialect } from '../dialects/dialect.ts'
import type { Provider } from './provider.ts'

/** An answer that is not 200. The dialect reads its own errors; status and Retry-After are read here. */
export function failureOf(response: Response, body: string, dialect: TargetDialect, provider: Provider): Failure {
  const { status } = response
  if (status >= 300 && status < 400) {
    // Never followed: neither prompt nor key may reach another host.
    return {
      kind: 'bad_reply',
      status,
      message: `It redirects (${status}), and redirects are not followed. Correct its api_base.`,
    }
  }
  const read = dialect.readError(status, body)
  const failure = { ...read, retryAfterMs: read.retryAfterMs ?? retryAfter(response.headers) }
  return provider.classify?.(failure, status, body) ?? failure
}

/** Retry-After in seconds or as a date (RFC 9110 10.2.3), in ms from now; `retry-after-ms` where a provider is exact. */
function retryAfter(headers: Headers): number | undefined {
  const exact = headers.get('retry-after-ms')
  if (exact !== null && Number(exact) >= 0) return Number(exact)
  const said = headers.get('retry-after')
  if (said === null) return undefined
  if (/^\s*\d+(\.\d+)?\s*$/.test(said)) return Number(said) * 1000
  const date = Date.parse(said)
  const sent = Date.parse(headers.get('date') ?? '')
  if (Number.isNaN(date)) return undefined
  return Math.max(0, date - (Number.isNaN(sent) ? Date.now() : sent))
}

/** Bun's fetch says what happened in `code`; these mean that the request never arrived whole or was not answered. */
const UNREACHABLE =
  /ConnectionRefused|ConnectionClosed|ECONNRESET|ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EPIPE|FailedToOpenSocket|UnexpectedRedirect|CERT|TLS|SSL|DNS/i

/**
 * Anything thrown on the way to an answer. Refusals pass unchanged: they are about the request, not about the target.
 * @param left the caller has hung up
 */
export function thrown(cause: unknown, left: boolean): UpstreamFailure | Refusal {
  if (cause instanceof Refusal) return cause
  if (left) return new UpstreamFailure({ kind: 'cancelled', status: 0, message: 'The caller left.' })
  if (cause instanceof UpstreamFailure) return cause
  const { code, message, name } = cause as { code?: string; message?: string; name?: string }
  if (code === 'EgressRefused') return new UpstreamFailure({ kind: 'no_way', status: 0, message: message ?? '' })
  const told = `${code ?? name ?? ''} ${message ?? String(cause)}`.trim().slice(0, 500)
  return new UpstreamFailure({ kind: UNREACHABLE.test(told) ? 'unreachable' : 'bad_reply', status: 0, message: told })
}
