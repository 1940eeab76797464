/** Plain HTTP beside HTTPS: the authority's challenges are answered, everything else is sent to the encrypted port. */

/** The path of RFC 8555, 8.3. */
const CHALLENGE = '/.well-known/acme-challenge/'

export interface RedirectOptions {
  host: string
  port: number
  /** Where HTTPS is. */
  httpsPort: number
  challenge(token: string): string | undefined
}

/** @throws Error with the system's code where the port can't be had */
export function listenForRedirects({ host, port, httpsPort, challenge }: RedirectOptions): {
  port: number
  stop(): void
} {
  const server = Bun.serve({
    hostname: host,
    port,
    idleTimeout: 10,
    reusePort: false,
    maxRequestBodySize: 0,
    fetch: (request) => {
      const url = new URL(request.url)
      if (url.pathname.startsWith(CHALLENGE)) {
        const answer = challenge(url.pathname.slice(CHALLENGE.length))
        if (answer !== undefined) return new Response(answer, { headers: { 'content-type': 'text/plain' } })
      }
      // A key that came here has been on the wire in the clear already: an API client is told so, and not sent on with it.
      if (request.method !== 'GET' && request.method !== 'HEAD')
        return Response.json(
          {
            error: {
              message: `This port only leads to the encrypted one: use https:// and port ${httpsPort}. What was sent here could be read on the way.`,
              type: 'invalid_request_error',
              param: null,
              code: 'https_required',
            },
          },
          { status: 403, headers: { connection: 'close' } },
        )
      url.protocol = 'https:'
      url.port = String(httpsPort)
      return new Response(null, { status: 308, headers: { location: url.href, connection: 'close' } })
    },
    error: () => new Response(null, { status: 400 }),
  })
  return { port: server.port as number, stop: () => void server.stop(true) }
}
