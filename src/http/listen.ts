/** The sockets that callers connect to, encrypted or not. */
import type { Server } from 'bun'
import type { Talk } from '../pipeline/realtime/talk.ts'
import type { Sockets } from './sockets.ts'
import { Front } from './tls/front.ts'
import type { Pair } from './tls/pair.ts'

export interface Listening {
  /** `https://127.0.0.1:4000` */
  url: string
  /** Requests that are being answered, streams included. */
  pending(): number
  /** From the next connection on there is another certificate, or other authorities for those of callers; open ones go on. */
  renew(encryption: Encryption): void
  /** Takes no new connection; those that are open may end. `force` cuts them. */
  stop(force: boolean): Promise<void>
}

export interface Encryption {
  pair: Pair
  min: '1.2' | '1.3'
  /** Seconds of `Strict-Transport-Security`; 0: none. */
  hsts: number
  /** The authorities of callers' certificates, PEM. */
  clients?: { ca: string; required: boolean } | undefined
}

export interface Place {
  /** 0 takes any free one. */
  port: number
  host: string
  encryption?: Encryption | undefined
  /**
   * Seconds until a connection is closed on which nothing moves: one that is kept without a request, or whose reader takes
   * nothing of a stream. 0: never, where streams have no heartbeat.
   */
  idleS: number
}

type Handler = { fetch(request: Request): Response | Promise<Response> }

/** OpenSSL's flag: RFC 8446 only. */
const NO_TLS_1_2 = 0x08000000
/** Of TLS 1.2, those with ephemeral keys and authenticated encryption (RFC 9325, 4.2). 1.3 has no others. */
const SUITES =
  'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305'

/** @throws Error with the system's code where the port is taken, or the address is none of this machine */
export function listen(app: Handler, place: Place, sockets: Sockets): Listening {
  let { encryption } = place
  let port = place.port
  /** Servers that end: they take nothing new, and their last answers are on the way. */
  const ending = new Set<Server<Talk>>()
  let front: Front | undefined
  let server = start()

  function start(): Server<Talk> {
    const fronted = encryption?.clients !== undefined
    const server = serve(
      app,
      fronted ? { port: 0, host: '127.0.0.1', idleS: place.idleS } : { ...place, port, encryption },
      sockets,
      encryption,
    )
    if (encryption?.clients) {
      try {
        front = new Front({ host: place.host, port, tls: tlsOptions(encryption), inner: server.port as number })
      } catch (cause) {
        void server.stop(true)
        throw cause
      }
    }
    port = front?.port ?? (server.port as number)
    sockets.attach(server, front)
    return server
  }

  function end(old: Server<Talk>): void {
    ending.add(old)
    void old.stop(false).then(() => ending.delete(old))
  }

  const { host } = place
  return {
    url: `${encryption ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`,
    pending: () => server.pendingRequests + [...ending].reduce((sum, one) => sum + one.pendingRequests, 0),
    renew: (next) => {
      encryption = next
      // Bun's reload() keeps the certificate. Between the two nobody is listening for some microseconds.
      if (front) front.renew(tlsOptions(next))
      else {
        end(server)
        server = start()
      }
    },
    stop: async (force) => {
      sockets.endAll()
      front?.stop(force)
      await Promise.all([...ending, server].map((one) => one.stop(force)))
    },
  }
}

function tlsOptions({ pair, min, clients }: Encryption): Bun.TLSOptions {
  return {
    cert: pair.cert,
    key: pair.key,
    ...(min === '1.3' ? { secureOptions: NO_TLS_1_2 } : { ciphers: SUITES }),
    ...(clients ? { ca: clients.ca, requestCert: true, rejectUnauthorized: clients.required } : {}),
  }
}

function serve(app: Handler, place: Place, sockets: Sockets, told: Encryption | undefined): Server<Talk> {
  const hsts = told && told.hsts > 0 ? `max-age=${told.hsts}` : undefined
  const leave = (response: Response, request: Request, server: Server<Talk>): Response => {
    if (hsts) response.headers.set('strict-transport-security', hsts)
    if (place.idleS > 0) server.timeout(request, place.idleS)
    return response
  }
  return Bun.serve<Talk>({
    port: place.port,
    hostname: place.host,
    ...(place.encryption ? { tls: tlsOptions(place.encryption) } : {}),
    fetch: (request, server) => {
      // An answer may take as long as it likes: its timeouts are ours (Bun's default cuts at 10 s). Headers that do not come
      // are Bun's matter (it closes after 12 s), a body's is receive.ts.
      server.timeout(request, 0)
      if (!sockets.isKnown(request))
        return new Response('This port is for connections that come through the front.\n', { status: 403 })
      const answer = app.fetch(request)
      if (!(answer instanceof Promise)) return leave(answer, request, server)
      return answer.then((response) => leave(response, request, server))
    },
    websocket: sockets.handlers,
    idleTimeout: place.idleS,
    // Two gateways on one port would share it silently.
    reusePort: false,
    // The limit is ours (receive.ts), told in the caller's dialect; Bun's own would close without a word.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    error: () =>
      new Response(
        '{"error":{"message":"Something went wrong inside the gateway.","type":"server_error","param":null,"code":"internal_error"}}',
        { status: 500, headers: { 'content-type': 'application/json' } },
      ),
  })
}
