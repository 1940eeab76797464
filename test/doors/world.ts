/** Doors of a gateway that tells who came in, and what it takes to knock at them. */
import tls from 'node:tls'
import type { TlsConfig } from '../../src/config/tls.ts'
import { openDoors } from '../../src/http/doors.ts'
import { Sockets } from '../../src/http/sockets.ts'
import type { CallerSocket, Talk } from '../../src/pipeline/realtime/talk.ts'
import { makeTemp } from '../support/temp.ts'

export interface Opened {
  url: string
  port: number
  told: string[]
  stop(): Promise<void>
}

const TLS: Omit<TlsConfig, 'source'> = { min: '1.3', clients: undefined, redirectPort: undefined, hsts: 31_536_000 }

export const tlsConfig = (source: TlsConfig['source'], more: Partial<TlsConfig> = {}): TlsConfig => ({
  ...TLS,
  source,
  ...more,
})

/** `/who` tells who is at the other end, `/echo` gives a body back, `/stream` 30 parts, `/large` 20 MB, `/socket` a talk. */
export async function open(
  tlsSaid: TlsConfig | undefined,
  more: { host?: string; insecure?: boolean; dataDir?: string; lookMs?: number; heartbeat?: number } = {},
): Promise<Opened> {
  const sockets = new Sockets()
  const told: string[] = []
  const fetch = async (request: Request): Promise<Response> => {
    const { pathname } = new URL(request.url)
    if (pathname === '/who') return Response.json(sockets.peerOf(request))
    if (pathname === '/socket') {
      let caller: CallerSocket | undefined
      const talk: Talk = {
        opened: (socket) => {
          caller = socket
        },
        said: (message) => caller?.send(`you said ${message}`),
        left: () => {},
        end: () => caller?.close(1001, 'over'),
      }
      // As the gateway does: what is answered to a request that became a WebSocket goes nowhere.
      return sockets.accept(request, talk, undefined) ? new Response(null) : new Response('no', { status: 426 })
    }
    if (pathname === '/echo') return new Response(await request.bytes())
    if (pathname === '/large') return new Response(new Uint8Array(20 * 1024 * 1024).fill(65))
    if (pathname === '/stream')
      return new Response(
        new ReadableStream({
          async start(controller) {
            for (let n = 0; n < 30; n++) {
              controller.enqueue(new TextEncoder().encode(`part ${n}\n`))
              await Bun.sleep(20)
            }
            controller.close()
          },
        }),
      )
    return new Response('here')
  }
  const note = (message: string, facts: Readonly<Record<string, unknown>>) =>
    told.push(`${message} ${JSON.stringify(facts)}`)
  const { host = '127.0.0.1', insecure = false, heartbeat = 15_000, dataDir = makeTemp('doors'), lookMs = 50 } = more
  const doors = await openDoors({
    ...{ app: { fetch }, port: 0, host, tls: tlsSaid, insecure, heartbeat, dataDir, sockets, lookMs },
    now: Date.now,
    info: note,
    warn: note,
  })
  return { url: doors.url, port: Number(new URL(doors.url).port), told, stop: () => doors.stop(true) }
}

export interface Shaken {
  /** `TLSv1.3` */
  protocol: string | null
  cipher: string
  /** The certificate's SHA-256. */
  fingerprint: string
}

/** One handshake. @throws where it fails */
export function shake(port: number, options: tls.ConnectionOptions = {}): Promise<Shaken> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options }, () => {
      const { fingerprint256 } = socket.getPeerCertificate()
      resolve({ protocol: socket.getProtocol(), cipher: socket.getCipher().name, fingerprint: fingerprint256 })
      socket.destroy()
    })
    socket.on('error', reject)
    socket.setTimeout(10_000, () => reject(new Error('no handshake within 10 s')))
  })
}
