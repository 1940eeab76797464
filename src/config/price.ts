/** Prices in a configuration file, and how they lie over those of the price list. */
import { fromDollars, ratePerMillion } from '../core/money.ts'
import { FREE, type Price, type Rates } from '../core/price.ts'
import type { ModelEntry } from './schema.ts'

const RATE_OF = {
  input_cost_per_token: 'input',
  output_cost_per_token: 'output',
  cache_read_input_token_cost: 'cacheRead',
  cache_creation_input_token_cost: 'cacheWrite',
  cache_creation_input_token_cost_above_1hr: 'cacheWriteHour',
  output_cost_per_reasoning_token: 'reasoning',
} as const satisfies Record<string, keyof Rates>

/** What an entry says of its price, nano-dollars per million tokens. `litellm_params` wins over `model_info`. */
export function ratesOf(entry: ModelEntry): Partial<Rates> {
  const rates: Partial<Rates> = {}
  const say = { ...entry.model_info, ...defined(entry.litellm_params) } as Record<string, unknown>
  for (const [word, rate] of Object.entries(RATE_OF)) {
    const dollars = say[word]
    if (typeof dollars === 'number') rates[rate] = ratePerMillion(dollars)
  }
  if (typeof say.input_cost_per_request === 'number') rates.request = fromDollars(say.input_cost_per_request)
  return rates
}

const defined = (map: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(map).filter(([, value]) => value !== undefined))

/**
 * The price of a target: what the file says, laid over what the list says. Where the file gives the rate of a prompt
 * or of an answer, the list's tiers and its rates for parts of that no longer hold: the parts cost what the whole does.
 * @param listed the price of the list, unknown where it has none
 */
export function priceWith(listed: Price, own: Partial<Rates>): Price {
  if (Object.keys(own).length === 0) return listed
  const base = listed.kind === 'priced' ? listed.rates : undefined
  // A rate for a part, or for a request, makes no price of a model whose tokens nobody has priced.
  if (listed.kind === 'unknown' && own.input === undefined && own.output === undefined) return listed
  const input = own.input ?? base?.input ?? 0
  const output = own.output ?? base?.output ?? 0
  const partOf = (whole: 'input' | 'output', rate: keyof Rates): number =>
    own[rate] ?? (own[whole] === undefined ? base?.[rate] : undefined) ?? (whole === 'input' ? input : output)
  const rates: Rates = {
    input,
    output,
    cacheRead: partOf('input', 'cacheRead'),
    cacheWrite: partOf('input', 'cacheWrite'),
    cacheWriteHour: own.cacheWriteHour ?? own.cacheWrite ?? partOf('input', 'cacheWriteHour'),
    reasoning: partOf('output', 'reasoning'),
    request: own.request ?? base?.request ?? 0,
  }
  if (Object.values(rates).every((rate) => rate === 0)) return FREE
  const keep = listed.kind === 'priced' && own.input === undefined && own.output === undefined
  const tiers = keep ? listed.tiers.map((tier) => ({ above: tier.above, rates: { ...tier.rates, ...own } })) : []
  return { kind: 'priced', rates, tiers, version: 'config' }
}
