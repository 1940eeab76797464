import { takeLimits } from '../core/limit.ts'
import { Refusal } from '../core/refusal.ts'
import type { Call } from './call.ts'
import type { Io } from './io.ts'

/** An answer of unknown length counts as this many tokens until it has come. */
const USUAL_ANSWER = 256
/** And one that may be very long as no more than this: a limit is for what is used, not for what might be. */
const LONG_ANSWER = 1_024

/** Tokens that a request counts as before anybody has counted it: bytes ÷ 4 and a usual answer. */
export const guessTokens = (call: Call): number =>
  Math.ceil(call.bytes.byteLength / 4) + Math.min(call.peek.maxTokens ?? USUAL_ANSWER, LONG_ANSWER)

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
