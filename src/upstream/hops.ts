/**
 * A gateway whose target is itself, or a circle of gateways, would ask without an end. Each request to an address that the
 * operator wrote carries the gateways it has been through; one that comes back to where it was is refused
 * (as RFC 9110, 7.6.3, has `Via` for).
 */
import { randomBytes } from 'node:crypto'

export const HOP_HEADER = 'x-tollgate-hop'

/** This process, by a name that says nothing of it. */
export const OWN_HOP = randomBytes(6).toString('hex')

/** Longer chains of gateways are a mistake, too. */
const MOST_HOPS = 8
const HOPS = /^[0-9a-f]{12}(,[0-9a-f]{12})*$/

/** @param said the header of a request that came in; null: none */
export function isCircle(said: string | null): boolean {
  if (said === null || !HOPS.test(said)) return false
  const hops = said.split(',')
  return hops.length >= MOST_HOPS || hops.includes(OWN_HOP)
}

/** What a request that came through other gateways carries on; undefined where it came through none. */
export function onward(said: string | null): Record<string, string> | undefined {
  return said === null || !HOPS.test(said) ? undefined : { [HOP_HEADER]: `${said},${OWN_HOP}` }
}
