/** The address that a request comes from, as a way in or as a part of one. */
import type { IpSettings } from '../config/auth.ts'
import { Refusal } from '../core/refusal.ts'
import type { Badges } from './badges.ts'
import { Ranges } from './ranges.ts'
import { factsOf } from './said.ts'
import { PASSED, type Way } from './way.ts'

export function ipWay({ allow, deny = [], as }: IpSettings, badges: Badges): Way {
  const [allowed, denied] = [new Ranges(allow), new Ranges(deny)]
  return {
    told: 'an address that is let in',
    try({ ip }) {
      if (ip === undefined || !allowed.has(ip) || denied.has(ip)) return notFromThere(ip)
      // All who come from there are one: behind one address there may be many.
      return as ? badges.of({ way: 'ip', name: as.user ?? 'listed', ...factsOf(as) }) : PASSED
    },
  }
}

/** LiteLLM's words (docs.litellm.ai/docs/proxy/ip_address): 403. */
export const notFromThere = (ip: string | undefined): Refusal =>
  new Refusal(
    'address_forbidden',
    `Requests from ${ip ?? 'an address that is not known'} are not let in here. Ask the operator of this gateway to list it.`,
  )
