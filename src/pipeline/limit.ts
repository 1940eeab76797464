import { takeLimits } from '../core/limit.ts'
import { Refusal } from '../core/refusal.ts'
import type { Call } from './call.ts'
import type { Io } from './io.ts'
import { wantedOf } from './wanted.ts'

/** Tokens that a request counts as before anybody has counted it: bytes ÷ 4 and a usual answer. */
const guessTokens = (call: Call): number => {
  const { input, output } = wantedOf(call)
  return input + output
}

/** Takes all limits of the caller in one step, or none. @throws Refusal rate_limit_exceeded */
export function limit(call: Call, io: Io): void {
  if (call.who?.role !== 'caller') return
  const { key } = call.who
  const { rpm, tpm, parallel } = key.limits
  if (rpm === undefined && tpm === undefined && parallel === undefined) return
  const scope = `key:${key.id}`
  const taken = takeLimits([{ scope, limits: key.limits, counters: io.counters(scope) }], guessTokens(call), io.now())
  if (!('scope' in taken)) {
    call.taken = taken
    return
  }
  const { what, used, max, retryAfterMs } = taken
  throw new Refusal(
    'rate_limit_exceeded',
    `Rate limit exceeded for this API key: ${used} of ${max} ${what}${what === 'parallel requests' ? ' at once' : ' in the last minute'}. ` +
      `Try again in ${Math.ceil(retryAfterMs / 1000)} s.`,
    { retryAfterMs, facts: { scope: 'key', limit: what, used, max } },
  )
}
