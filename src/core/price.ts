/**
 * What a token costs. Rates are integer nano-dollars per million tokens ($0.15 per million = 150_000_000), so that
 * every product is exact; a charge is rounded once, at its end, to whole nano-dollars (half up).
 */
import { MOST_TOKENS, type Usage } from './usage.ts'

/** Nano-dollars per million tokens. */
export interface Rates {
  input: number
  cacheRead: number
  cacheWrite: number
  cacheWriteHour: number
  output: number
  reasoning: number
  /** Nano-dollars a request, whatever its tokens. */
  request: number
}

/** Rates that hold for the whole request once its prompt is longer than `above` tokens. */
export interface Tier {
  above: number
  rates: Rates
}

export type Price =
  | { kind: 'priced'; rates: Rates; tiers: readonly Tier[]; version: string }
  | { kind: 'free'; version: string }
  | { kind: 'unknown' }

export const FREE: Price = { kind: 'free', version: 'free' }
export const UNKNOWN: Price = { kind: 'unknown' }

const MILLION = 1_000_000

/** The rates that a prompt of this many tokens is billed at. Tiers are sorted by `above`, lowest first. */
export function ratesFor(price: Price & { kind: 'priced' }, inputTokens: number): Rates {
  let rates = price.rates
  for (const tier of price.tiers) if (inputTokens > tier.above) rates = tier.rates
  return rates
}

/**
 * The cost of a usage in nano-dollars; 0 where the price is free or unknown (an unknown price never reaches a
 * caller with a budget: see plan.ts).
 */
export function costOf(price: Price, used: Usage): number {
  if (price.kind !== 'priced') return 0
  const rates = ratesFor(price, used.input)
  const { cacheRead, cacheWrite, cacheWriteHour, reasoning } = used
  const uncached = used.input - cacheRead - cacheWrite - cacheWriteHour
  const spoken = used.output - reasoning
  const whole =
    uncached * perToken(rates.input) +
    cacheRead * perToken(rates.cacheRead) +
    cacheWrite * perToken(rates.cacheWrite) +
    cacheWriteHour * perToken(rates.cacheWriteHour) +
    spoken * perToken(rates.output) +
    reasoning * perToken(rates.reasoning)
  const rest =
    uncached * (rates.input % MILLION) +
    cacheRead * (rates.cacheRead % MILLION) +
    cacheWrite * (rates.cacheWrite % MILLION) +
    cacheWriteHour * (rates.cacheWriteHour % MILLION) +
    spoken * (rates.output % MILLION) +
    reasoning * (rates.reasoning % MILLION)
  return whole + Math.floor(rest / MILLION + 0.5) + rates.request
}

/**
 * A rate is split into whole nano-dollars per token and a rest below 1e6, so that no product passes the 2^53 that a
 * double holds exactly (1e9 tokens at $9,000 per million).
 */
const perToken = (rate: number): number => Math.floor(rate / MILLION)

/** `tokens` at `rate`, rounded up to a whole nano-dollar. */
const roundedUp = (tokens: number, rate: number): number =>
  tokens * perToken(rate) + Math.ceil((tokens * (rate % MILLION)) / MILLION)

/** The dearest a prompt of at most `inputTokens` and an answer of at most `outputTokens` can be, in nano-dollars. */
export function worstCost(price: Price, inputTokens: number, outputTokens: number): number {
  if (price.kind !== 'priced') return 0
  let worst = worstAt(price.rates, inputTokens, outputTokens)
  for (const tier of price.tiers)
    if (inputTokens > tier.above) worst = Math.max(worst, worstAt(tier.rates, inputTokens, outputTokens))
  return worst
}

function worstAt(rates: Rates, inputTokens: number, outputTokens: number): number {
  const input = Math.max(rates.input, rates.cacheWrite, rates.cacheWriteHour, rates.cacheRead)
  return (
    roundedUp(inputTokens, input) + roundedUp(outputTokens, Math.max(rates.output, rates.reasoning)) + rates.request
  )
}

/** How many tokens of answer `nano` pays for after a prompt of `inputTokens`: 0 or less where not even the prompt. */
export function outputAffordable(price: Price, inputTokens: number, nano: number): number {
  if (price.kind !== 'priced') return Number.POSITIVE_INFINITY
  const left = nano - worstCost(price, inputTokens, 0)
  if (left < 0) return -1
  const dearest = price.tiers.filter((t) => inputTokens > t.above).map((t) => t.rates)
  const rate = Math.max(...[price.rates, ...dearest].map((r) => Math.max(r.output, r.reasoning)))
  if (rate === 0) return Number.POSITIVE_INFINITY
  // One below the quotient where rounding could carry the product past what is left.
  const tokens = Math.min(Math.floor((left / rate) * MILLION), MOST_TOKENS)
  return roundedUp(tokens, rate) <= left ? tokens : tokens - 1
}
