/** What a batch costs: providers ask half for answers that may take a day (platform.openai.com/docs/guides/batch). */
import type { Price, Rates } from './price.ts'

/** Every rate of a price halved, rounded up to a whole nano-dollar per million. */
export function batchPrice(price: Price): Price {
  if (price.kind !== 'priced') return price
  const tiers = price.tiers.map((tier) => ({ ...tier, rates: halved(tier.rates) }))
  // A price per request is a price of one answer: a batch as a whole has none.
  return { kind: 'priced', rates: { ...halved(price.rates), request: 0 }, tiers, version: `${price.version}, batch` }
}

const halved = (rates: Rates): Rates =>
  Object.fromEntries(Object.entries(rates).map(([name, rate]) => [name, Math.ceil(rate / 2)])) as unknown as Rates
