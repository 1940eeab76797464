/** How busy the gateway is, as nginx's `stub_status` says it: for programs on this machine that read that. */
import { Refusal } from '../core/refusal.ts'
import { isLoopback } from './doors.ts'

export interface Busy {
  /** Requests that are being answered, and open WebSockets. */
  active: number
  /** Since the start. */
  requests: number
}

/** What a proxy adds: then whoever asks is not on this machine, although the proxy is. */
const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via']

/** @param peer at the other end of the connection, whatever headers say @throws Refusal 403 for anybody else */
export function showStatus(request: Request, peer: string | undefined, busy: Busy): Response {
  const isHere = peer !== undefined && isLoopback(peer.replace(/^::ffff:/i, ''))
  if (!isHere || FORWARDED.some((name) => request.headers.has(name)))
    throw new Refusal('forbidden', '/status is for programs on the machine of the gateway alone.')
  const { active, requests } = busy
  if (new URL(request.url).searchParams.get('format') === 'json')
    return Response.json({
      active,
      accepts: requests,
      handled: requests,
      requests,
      reading: 0,
      writing: active,
      waiting: 0,
    })
  const text = [
    `Active connections: ${active} `,
    'server accepts handled requests',
    ` ${requests} ${requests} ${requests} `,
    `Reading: 0 Writing: ${active} Waiting: 0 `,
  ].join('\n')
  return new Response(`${text}\n`, { headers: { 'content-type': 'text/plain; charset=utf-8' } })
}
