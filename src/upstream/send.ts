import type { Json } from '../dialects/canonical.ts'
import type { Dialect } from '../dialects/dialect.ts'
import type { Link } from './link.ts'

/**
 * Sends a body to a target and gives its answer as soon as there are headers. Never follows a redirect.
 * `fetch` and not a provider's SDK: measured 29 µs of CPU a request against 123–136, and the bytes stay bytes.
 * @param signal ends the request and, later, its answer
 */
export function send(link: Link, dialect: Dialect, body: Uint8Array | string, signal: AbortSignal): Promise<Response> {
  const { provider } = link
  if (provider.inProcess) {
    const json = JSON.parse(typeof body === 'string' ? body : new TextDecoder().decode(body)) as Json
    return Promise.resolve(provider.inProcess({ path: provider.speaks[dialect.id] as string, body: json, signal }))
  }
  return fetch(link.url(dialect.id), { method: 'POST', headers: link.headers, body, signal, redirect: 'manual' })
}
