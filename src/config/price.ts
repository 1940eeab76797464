/** Prices in a configuration file, in the house's units. How they lie over the price list is the upstream's business. */
import { fromDollars, ratePerMillion } from '../core/money.ts'
import type { Rates } from '../core/price.ts'
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
