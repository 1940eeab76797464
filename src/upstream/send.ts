import type { Json } from '../dialects/canonical.ts'
import type { Dialect } from '../dialects/dialect.ts'
import type { Link } from './link.ts'

/**
 * Sends a body to a target and gives its answer as soon as there are headers. Never follows a redirect.
 * `fetch` and not a provider's SDK: measured 29 µs of CPU a request against 123–136, and the bytes stay bytes.
 * @param stream whether a stream is asked for: some providers have another path for it
 * @param signal ends the request and, later, its answer
 */
export function send(
  link: Link,
  dialect: Dialect,
  body: Uint8Array | string,
  stream: boolean,
  signal: AbortSignal,
): Promise<Response> {
  const { provider } = link
  const url = link.url(dialect.id, stream)
  if (provider.inProcess) {
    const json = JSON.parse(typeof body === 'string' ? body : new TextDecoder().decode(body)) as Json
    return Promise.resolve(provider.inProcess({ path: url.slice(link.origin.length), body: json, signal }))
  }
  if (provider.authorize) return sendAuthorized(link, url, body, signal)
  return fetch(url, { method: 'POST', headers: link.headers, body, signal, redirect: 'manual' })
}

async function sendAuthorized(
  link: Link,
  url: string,
  body: Uint8Array | string,
  signal: AbortSignal,
): Promise<Response> {
  const headers = await link.authorized({ method: 'POST', url, body })
  return await fetch(url, { method: 'POST', headers, body, signal, redirect: 'manual' })
}
