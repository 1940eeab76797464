/** What a batch costs: providers ask half for answers that may take a day (platform.openai.com/docs/guides/batch). */
import type { Price, Rates } from './price.ts'
import { RATES } from './rates.ts'

/** The price of batches where it has one, else every rate halved, rounded up to a whole nano-dollar per million. */
export function batchPrice(price: Price): Price {
  if (price.kind !== 'priced') return price
  const { services, times: _, ...one } = price
  if (services?.batch) return services.batch
  const tiers = one.tiers.map((tier) => ({ ...tier, rates: halved(tier.rates) }))
  // A price per request is a price of one answer: a batch as a whole has none.
  return { kind: 'priced', rates: { ...halved(one.rates), request: 0 }, tiers, version: `${one.version}, batch` }
}

function halved(rates: Rates): Rates {
  const half = { ...rates }
  for (const name of RATES) half[name] = Math.ceil(rates[name] / 2)
  return half
}
