/** Where a request comes from: the connection's own address, and behind named proxies what these say. */
import { plainAddress, type Ranges } from './ranges.ts'

/** What one header may hold: longer than any chain of proxies, shorter than an attack. */
const MOST_HOPS = 64

/**
 * The nearest address that is no trusted proxy's, read from the end of `X-Forwarded-For`: what stands before it was
 * written by somebody whom nobody vouches for. Where a trusted proxy wrote something that is no address, nobody knows.
 * @param peer the connection's own
 */
export function clientAddress(peer: string | undefined, headers: Headers, trusted: Ranges): string | undefined {
  if (!trusted.has(peer)) return peer === undefined ? undefined : (plainAddress(peer) ?? peer)
  const forwarded = headers.get('x-forwarded-for')
  if (forwarded === null) return peer
  const hops = forwarded.split(',')
  if (hops.length > MOST_HOPS) return undefined
  let last = peer
  for (let i = hops.length - 1; i >= 0; i--) {
    const hop = plainAddress((hops[i] as string).trim())
    if (hop === undefined) return undefined
    if (!trusted.has(hop)) return hop
    last = hop
  }
  return last
}
