/**
 * A price as text, the same text for the same price: what the ledger keeps of each charge. Short, since what follows
 * from the rest is left out; a text of before there were audio, images and time is read as one of today.
 */
import { type Price, type Priced, type Rates, UNKNOWN } from './price.ts'
import { saidRates, wholeRates } from './rates.ts'

/** A price that something was charged with: of one moment, in one service. */
export function priceText(price: Price): string {
  if (price.kind !== 'priced') return JSON.stringify(price)
  const { kind, rates, tiers, version } = price
  const short = tiers.map((tier) => ({ above: tier.above, rates: saidRates(tier.rates) }))
  return JSON.stringify({ kind, version, rates: saidRates(rates), ...(short.length > 0 ? { tiers: short } : {}) })
}

/** @throws SyntaxError where it is no JSON; what is no price is unknown */
export function readPrice(text: string): Price {
  const said = JSON.parse(text) as Partial<Omit<Priced, 'kind'>> & { kind?: string }
  const version = typeof said.version === 'string' ? said.version : ''
  if (said.kind === 'free') return { kind: 'free', version }
  if (said.kind !== 'priced') return UNKNOWN
  const tiers = (said.tiers ?? []).map(({ above, rates }) => ({ above, rates: wholeRates(rates) }))
  return { kind: 'priced', rates: wholeRates((said.rates ?? {}) as Rates), tiers, version }
}
