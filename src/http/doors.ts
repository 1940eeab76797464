/** Opens the gateway to its callers: encrypted where it is so configured, and at the loopback only where it is not. */
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import type { TlsConfig } from '../config/tls.ts'
import { type Listening, listen, type Place } from './listen.ts'
import { listenForRedirects } from './redirect.ts'
import type { Sockets } from './sockets.ts'
import { type Certificates, certificates } from './tls/certificates.ts'
import type { Pair } from './tls/pair.ts'

export interface DoorOptions {
  app: { fetch(request: Request): Response | Promise<Response> }
  port: number
  host: string
  tls: TlsConfig | undefined
  insecure: boolean
  /** ms between two signs of life of a silent stream; 0: none. */
  heartbeat: number
  dataDir: string
  sockets: Sockets
  /** The management's own address, where it has one; encrypted as the other one is. */
  desk?: { app: DoorOptions['app']; port: number; host: string; sockets: Sockets } | undefined
  now(): number
  info(message: string, facts: Readonly<Record<string, unknown>>): void
  warn(message: string, facts: Readonly<Record<string, unknown>>): void
  /** ms between two looks at the files of certificates. */
  lookMs?: number
}

/** nginx closes what is kept open after 75 s; heartbeats of streams may come less often than that. */
const IDLE_S = 120

/** @throws Error with a sentence for the operator; nothing is left open then */
export async function openDoors(options: DoorOptions): Promise<
  Pick<Listening, 'url' | 'pending' | 'stop'> & {
    deskUrl: string | undefined
    /** What callers are shown now. */
    certificate(): Pair | undefined
  }
> {
  const { tls, host, port, heartbeat, sockets, app, desk } = options
  for (const one of [host, ...(desk ? [desk.host] : [])])
    if (!tls && !options.insecure && !isLoopback(one)) throw new Error(exposed(one))
  const held: Certificates | undefined = tls && (await certificates({ ...options, tls }))
  const idleS = heartbeat === 0 ? 0 : Math.min(255, Math.max(IDLE_S, Math.ceil((2 * heartbeat) / 1000)))
  const listening = listen(app, { port, host, idleS, encryption: held?.encryption }, sockets)
  let managed: Listening | undefined
  const both = () => (managed ? [listening, managed] : [listening])
  try {
    managed = desk && listenAtDesk(desk, { idleS, encryption: held?.encryption })
    const plain =
      held && tls?.redirectPort !== undefined
        ? listenForRedirects({
            host,
            port: tls.redirectPort,
            httpsPort: Number(new URL(listening.url).port || 443),
            challenge: held.challenge,
          })
        : undefined
    held?.start((next) => {
      for (const one of both()) one.renew(next)
    })
    return {
      url: listening.url,
      deskUrl: managed?.url,
      certificate: () => held?.current().pair,
      pending: () => both().reduce((sum, one) => sum + one.pending(), 0),
      stop: async (force) => {
        held?.stop()
        plain?.stop()
        await Promise.all(both().map((one) => one.stop(force)))
      },
    }
  } catch (cause) {
    await Promise.all(both().map((one) => one.stop(true)))
    throw redirectTrouble(cause, tls?.redirectPort)
  }
}

function listenAtDesk(
  { app, host, port, sockets }: NonNullable<DoorOptions['desk']>,
  rest: Pick<Place, 'idleS' | 'encryption'>,
): Listening {
  try {
    return listen(app, { port, host, ...rest }, sockets)
  } catch (cause) {
    const { code } = (cause ?? {}) as { code?: string }
    const why = code === 'EADDRINUSE' ? 'is taken' : `can't be had (${code ?? String(cause)})`
    throw new Error(`${host}:${port} (tollgate.admin.listen) ${why}. Take another address.`)
  }
}

/** `localhost` is looked up by the system, and is the loopback wherever RFC 6761 holds. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || (isIP(host) !== 0 && ipaddr.process(host).range() === 'loopback')

const exposed = (host: string): string =>
  `${host} can be reached from other machines, and without encryption keys and prompts can be read on the way. ` +
  'Give a certificate (tollgate.tls: cert and key, acme, or self_signed: true); or stay at 127.0.0.1 behind a proxy that ends TLS; ' +
  'or, in a network that is closed otherwise, say so: --insecure (TOLLGATE_INSECURE=true, tollgate.insecure: true).'

function redirectTrouble(cause: unknown, port: number | undefined): unknown {
  const { code } = (cause ?? {}) as { code?: string }
  if (code !== 'EADDRINUSE' && code !== 'EACCES') return cause
  const why = code === 'EACCES' ? 'may not be used by this user' : 'is taken'
  return new Error(`port ${port} (tollgate.tls.redirect_port) ${why}. Take another one, or lead port 80 to it.`)
}
