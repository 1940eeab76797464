/**
 * Whether a request that changes something comes from our own pages: a browser sends a cookie along whoever made it ask
 * (OWASP, Cross-Site Request Forgery Prevention). Programs send neither of these headers.
 */

const SAFE = ['GET', 'HEAD', 'OPTIONS']

export const isSafe = (method: string): boolean => SAFE.includes(method)

/** @param own origin of the management's pages, where it is configured @returns what is wrong */
export function siteFault(request: Request, own: string | undefined): string | undefined {
  const { headers } = request
  const site = headers.get('sec-fetch-site')
  if (site !== null && site !== 'same-origin')
    return `It was made by another site (Sec-Fetch-Site: ${site.slice(0, 20)}).`
  const origin = headers.get('origin')
  if (origin !== null && origin !== own && !isOfHost(origin, headers.get('host')))
    return `It was made by another site (Origin: ${origin.slice(0, 100)}).`
  // A form can send neither: a page elsewhere would have to ask first, and nobody answers it.
  const type = headers.get('content-type')
  if (headers.get('content-length') !== '0' && request.body !== null && !/^application\/json\b/i.test(type ?? ''))
    return 'Its body must be JSON, and say so (Content-Type: application/json).'
  return undefined
}

function isOfHost(origin: string, host: string | null): boolean {
  if (host === null || !URL.canParse(origin)) return false
  return new URL(origin).host === host.toLowerCase()
}
