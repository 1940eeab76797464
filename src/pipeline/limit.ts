import { type Exceeded, takeLimits } from '../core/limit.ts'
import { Refusal } from '../core/refusal.ts'
import { readScope, spokenScope } from '../core/scope.ts'
import type { Call } from './call.ts'
import type { Io } from './io.ts'
import { wantedOf } from './wanted.ts'

/** Tokens that a request counts as before anybody has counted it: bytes ÷ 4 and a usual answer. */
const guessTokens = (call: Call): number => {
  const { input, output } = wantedOf(call)
  return input + output
}

/** Takes the limits of all who pay in one step, or none. @throws Refusal rate_limit_exceeded */
export function limit(call: Call, io: Io): void {
  const limited = io.payers.limits(call.payer)
  if (limited.length === 0) return
  const checked = limited.map(({ scope, limits }) => ({ scope, limits, counters: io.counters(scope) }))
  const taken = takeLimits(checked, guessTokens(call), io.now())
  if ('what' in taken) throw tooMany(taken)
  call.taken = taken
}

function tooMany({ scope, what, used, max, retryAfterMs }: Exceeded): Refusal {
  const { kind, id } = readScope(scope)
  const whose = kind === 'key' ? 'this API key' : spokenScope(scope)
  return new Refusal(
    'rate_limit_exceeded',
    `Rate limit exceeded for ${whose}: ${used} of ${max} ${what}${what === 'parallel requests' ? ' at once' : ' in the last minute'}. ` +
      `Try again in ${Math.ceil(retryAfterMs / 1000)} s.`,
    { retryAfterMs, facts: { scope, entity_type: kind, entity_id: id, limit: what, used, max } },
  )
}
