/**
 * What a model costs: the configuration's own rates over the price library's, over nothing. Looked up once a target
 * (the library's own calculation costs 170 µs a call); test/upstream proves that both agree.
 */
import { calcPrice } from '@pydantic/genai-prices'
import { FREE, type Price, type Rates, type Tier, UNKNOWN } from '../core/price.ts'

type Listed = number | { base: number; tiers: readonly { start: number; price: number }[] } | undefined

/** Dollars per million tokens → nano-dollars per million tokens. */
const rate = (dollars: number): number => Math.round(dollars * 1e9)

const at = (listed: Listed, start: number): number | undefined => {
  if (listed === undefined || typeof listed === 'number') return listed
  return listed.tiers.findLast((t) => t.start <= start)?.price ?? listed.base
}

/** What the library knows of a model: its price, and its context window in tokens. */
export interface Listing {
  price: Price
  contextTokens: number | undefined
}

/**
 * @param providerId the library's id of the provider
 * @param model the model in the upstream's words
 * @param now the day whose prices hold
 */
export function listed(providerId: string, model: string, now: Date): Listing {
  const found = lookUp(providerId, model, now)
  if (!found) return { price: UNKNOWN, contextTokens: undefined }
  const p = found.model_price as Record<string, Listed>
  const starts = new Set(Object.values(p).flatMap((v) => (typeof v === 'object' ? v.tiers.map((t) => t.start) : [])))
  const tiers: Tier[] = [...starts].sort((a, b) => a - b).map((start) => ({ above: start, rates: ratesAt(p, start) }))
  return {
    price: { kind: 'priced', rates: ratesAt(p, 0), tiers, version: `genai-prices:${found.model.id}` },
    contextTokens: found.model.context_window,
  }
}

function lookUp(providerId: string, model: string, now: Date) {
  try {
    return calcPrice({ input_tokens: 1, output_tokens: 1 }, model, { providerId, timestamp: now })
  } catch {
    // It throws where a model has no token prices at all (images, minutes): unknown to us as well.
    return null
  }
}

function ratesAt(p: Record<string, Listed>, start: number): Rates {
  const input = at(p.input_mtok, start) ?? 0
  const write = at(p.cache_write_mtok, start) ?? input
  const output = at(p.output_mtok, start) ?? 0
  return {
    input: rate(input),
    cacheRead: rate(at(p.cache_read_mtok, start) ?? input),
    cacheWrite: rate(write),
    cacheWriteHour: rate(at(p.cache_write_1h_mtok, start) ?? write),
    output: rate(output),
    reasoning: rate(at(p.output_reasoning_mtok, start) ?? output),
    request: Math.round(rate(at(p.requests_kcount, start) ?? 0) / 1000),
  }
}

/**
 * The price of a target. Rates in the configuration win one by one; those it leaves out come from the list, and where
 * the list knows nothing a cache costs as much as plain input and reasoning as much as output.
 */
export function priceOf(own: Partial<Rates>, listing: Listing, local: boolean): Price {
  const given = Object.values(own).some((r) => r !== undefined)
  if (!given) return local ? FREE : listing.price
  const base = !local && listing.price.kind === 'priced' ? listing.price : undefined
  const lay = (under: Rates | undefined): Rates => {
    const input = own.input ?? under?.input ?? 0
    const output = own.output ?? under?.output ?? 0
    const cacheWrite = own.cacheWrite ?? under?.cacheWrite ?? input
    return {
      input,
      output,
      cacheRead: own.cacheRead ?? under?.cacheRead ?? input,
      cacheWrite,
      cacheWriteHour: own.cacheWriteHour ?? under?.cacheWriteHour ?? cacheWrite,
      reasoning: own.reasoning ?? (own.output === undefined ? under?.reasoning : undefined) ?? output,
      request: own.request ?? under?.request ?? 0,
    }
  }
  const rates = lay(base?.rates)
  if (Object.values(rates).every((r) => r === 0)) return FREE
  // A tier of the list is kept only where the configuration leaves the base rates to the list.
  const tiers = own.input === undefined && own.output === undefined ? (base?.tiers ?? []) : []
  return {
    kind: 'priced',
    rates,
    tiers: tiers.map((t) => ({ above: t.above, rates: lay(t.rates) })),
    version: 'config',
  }
}
