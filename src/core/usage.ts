/** Tokens of one attempt, counted the same way whoever reported them. */
export interface Usage {
  /** All of the prompt: uncached + cacheRead + cacheWrite. */
  input: number
  /** Of the prompt, read from the provider's cache. */
  cacheRead: number
  /** Of the prompt, written to the provider's cache (5 minutes). */
  cacheWrite: number
  /** Of the prompt, written to the provider's cache for an hour. */
  cacheWriteHour: number
  /** All of the answer, reasoning included. */
  output: number
  /** Of the answer, reasoning. */
  reasoning: number
}

/** Where the numbers of a charge come from. */
export type UsageSource = 'provider' | 'estimated' | 'none'

export const NO_USAGE: Usage = { input: 0, cacheRead: 0, cacheWrite: 0, cacheWriteHour: 0, output: 0, reasoning: 0 }

/** More tokens than any request has: what lies above is a lie, and would carry a price out of exact numbers. */
export const MOST_TOKENS = 1_000_000_000

const count = (n: unknown): number => (typeof n === 'number' && n > 0 ? Math.min(Math.floor(n), MOST_TOKENS) : 0)

/**
 * A usage that keeps its invariants whatever the provider said: parts never exceed their whole
 * (new-api#3259: a negative uncached input), nothing is negative, everything is an integer.
 */
export function usage(said: Partial<Record<keyof Usage, unknown>>): Usage {
  const cacheRead = count(said.cacheRead)
  const cacheWrite = count(said.cacheWrite)
  const cacheWriteHour = count(said.cacheWriteHour)
  const reasoning = count(said.reasoning)
  return {
    input: Math.max(count(said.input), cacheRead + cacheWrite + cacheWriteHour),
    cacheRead,
    cacheWrite,
    cacheWriteHour,
    output: Math.max(count(said.output), reasoning),
    reasoning,
  }
}
