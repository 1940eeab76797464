/** The provider's end of a conversation. */
import type { Ending } from '../../core/ending.ts'
import { UpstreamFailure } from '../../core/failure.ts'
import type { Link } from '../../upstream/link.ts'

/** Said before anybody listens: kept, so that the first events are not lost. */
export interface Connection {
  socket: WebSocket
  early: (string | ArrayBuffer)[]
}

/**
 * Connects to a target's Realtime API with its credentials. The address is the target's own; of the caller's query
 * nothing goes along (`call_id` would be another's call).
 * @param beta whether the caller speaks the beta's events
 * @throws UpstreamFailure unreachable, timeout
 */
export async function connectTo(link: Link, beta: boolean, ms: number, gone: Ending): Promise<Connection> {
  const place = new URL(link.place('realtime') as string)
  place.protocol = place.protocol === 'https:' ? 'wss:' : 'ws:'
  // Azure's dated versions name the deployment instead.
  if (!place.searchParams.has('deployment')) place.searchParams.set('model', link.target.model)
  const url = place.href
  const authorized = await link.authorized({ method: 'GET', url, body: '' })
  const headers: Record<string, string> = { ...authorized, ...(beta ? { 'openai-beta': 'realtime=v1' } : {}) }
  for (const name of ['content-type', 'accept-encoding']) delete headers[name]
  const socket = await link
    .way()
    .socket(url, headers)
    .catch((cause: Error) => {
      throw new UpstreamFailure({ kind: 'unreachable', status: 0, message: cause.message })
    })
  socket.binaryType = 'arraybuffer'
  const early: Connection['early'] = []
  return await new Promise((resolve, reject) => {
    const fail = (kind: 'unreachable' | 'timeout' | 'cancelled', message: string) => {
      clearTimeout(timer)
      gone.removeEventListener('abort', leave)
      socket.onopen = socket.onerror = socket.onclose = socket.onmessage = null
      socket.close()
      reject(new UpstreamFailure({ kind, status: 0, message }))
    }
    const leave = () => fail('cancelled', 'The caller left.')
    const timer = setTimeout(() => fail('timeout', `No connection within ${ms} ms.`), ms)
    gone.addEventListener('abort', leave, { once: true })
    socket.onmessage = ({ data }) => early.push(data as string | ArrayBuffer)
    socket.onerror = (event) => fail('unreachable', String((event as ErrorEvent).message ?? 'The connection failed.'))
    socket.onclose = ({ code, reason }) => fail('unreachable', `The connection was closed (${code} ${reason}).`)
    socket.onopen = () => {
      clearTimeout(timer)
      gone.removeEventListener('abort', leave)
      resolve({ socket, early })
    }
  })
}
