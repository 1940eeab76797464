/** What a key is bound to beside its models: where its requests come from, what they are for, and which gateway it is of. */

import type { Errand } from '../core/errand.ts'
import type { Key } from '../core/key.ts'
import { mayCall } from '../core/key-routes.ts'
import { Refusal } from '../core/refusal.ts'
import { Ranges } from './ranges.ts'

interface Asked {
  request: Request
  /** Behind trusted proxies the client's. */
  ip: string | undefined
  errand: Errand
  /** What this gateway is; undefined: it does not say. */
  environment: string | undefined
}

/** Of keys as they are now: whoever changes one makes another object of it. */
const ranges = new WeakMap<Key, Ranges>()

/** What stands in the way of a request with this key. At once where it is bound to nothing. */
export function outOfBounds(key: Key, { request, ip, errand, environment }: Asked): Refusal | undefined {
  const { environment: own, allowedIps, allowedRoutes } = key
  if (own !== undefined && own !== environment)
    return new Refusal(
      'forbidden',
      `This API key is of the environment '${own}', and this gateway ${environment === undefined ? 'does not say what it is (tollgate.environment)' : `is '${environment}'`}. ${environment === undefined ? 'Use a key without an environment, or ask the operator.' : `Use a key of '${environment}' here.`}`,
      { facts: { key_environment: own, environment: environment ?? null } },
    )
  if (allowedIps) {
    let allowed = ranges.get(key)
    if (!allowed) {
      allowed = new Ranges(allowedIps)
      ranges.set(key, allowed)
    }
    if (!allowed.has(ip))
      return new Refusal(
        'address_forbidden',
        `This API key may not be used from ${ip ?? 'an address that is not known'} (allowed_ips). Whoever gave it to you can list the address.`,
      )
  }
  if (allowedRoutes) {
    const { pathname } = new URL(request.url)
    if (!mayCall(allowedRoutes, request.method, pathname, errand))
      return new Refusal(
        'forbidden',
        `This API key may not call ${request.method} ${pathname.slice(0, 200)}. It may call: ${allowedRoutes.slice(0, 20).join(', ')} (allowed_routes).`,
      )
  }
  return undefined
}
