/**
 * One price over another: the configuration's over the list's, a key's over the configuration's, a margin over all.
 */
import { FREE, type Price, type Priced, type Rates, type Tier, type Timed } from './price.ts'
import {
  layRates,
  RATES,
  type SaidPrice,
  type SaidRates,
  type SaidTiers,
  saidRates,
  saysAnything,
  wholeRates,
} from './rates.ts'
import type { Service } from './usage.ts'

/** What a list says at one time. */
export interface Listed extends SaidTiers {
  version: string
}

/** What a list says of a model: what holds, and what holds at other times ({@link Timed}). */
export interface Listing extends Listed {
  times?: readonly { from?: number | undefined; hours?: Timed['hours']; price: Listed }[] | undefined
}

/** What somebody says of a price himself, and from when on he says something else. */
export interface OwnPrice extends SaidPrice {
  /** From a moment on (ms since the epoch), earliest first: what it leaves out is as before. */
  later?: readonly { from: number; price: SaidPrice }[] | undefined
}

/** Whether anything is said at all. */
export const says = (own: OwnPrice): boolean =>
  saysAnything(own.rates) ||
  (own.tiers ?? []).length > 0 ||
  Object.keys(own.services ?? {}).length > 0 ||
  (own.later ?? []).length > 0

/**
 * The price of a target. What is said of it oneself wins rate by rate; what that leaves out comes from the list, and
 * where the list knows nothing a cache costs as much as plain input and reasoning as much as output.
 * @returns undefined where neither says anything
 */
export function layPrice(own: OwnPrice, listing: Listing | undefined): Price | undefined {
  if (!says(own)) {
    if (!listing) return undefined
    const price = withTimes(listing, (listed) => priced({ rates: {} }, listed, listed?.version ?? ''))
    return isFree(price) ? { kind: 'free', version: price.version } : price
  }
  const laid = withTimes(listing, (listed) => priced(own, listed, versionOf(listed)))
  const later = (own.later ?? []).flatMap(({ from, price }) => {
    const since = `${new Date(from).toISOString().slice(0, 10)}`
    const both = laySaid(own, price)
    const then = withTimes(listing, (listed) => priced(both, listed, `${versionOf(listed)}, from ${since}`))
    const { times, ...first } = then
    // From then on the list's own times go on below what is said.
    return [{ from, price: first }, ...(times ?? []).map((t) => ({ ...t, from: Math.max(from, t.from ?? from) }))]
  })
  const price = later.length === 0 ? laid : { ...laid, times: [...(laid.times ?? []), ...later] }
  return isFree(price) ? FREE : price
}

const versionOf = (listed: Listed | undefined): string => (listed ? `config over ${listed.version}` : 'config')

function withTimes(listing: Listing | undefined, make: (listed: Listed | undefined) => Priced): Priced {
  const price = make(listing)
  if (!listing?.times) return price
  return { ...price, times: listing.times.map((time) => ({ ...time, price: make(time.price) })) }
}

const isFree = (price: Priced): boolean =>
  [price, ...Object.values(price.services ?? {}), ...(price.times ?? []).map((t) => t.price)].every(
    (p) => RATES.every((name) => p.rates[name] === 0) && p.tiers.every((t) => RATES.every((n) => t.rates[n] === 0)),
  )

function laySaid(under: SaidPrice, over: SaidPrice): SaidPrice {
  const names = new Set([...Object.keys(under.services ?? {}), ...Object.keys(over.services ?? {})]) as Set<Service>
  const none: SaidTiers = { rates: {} }
  return {
    ...layTiers(under, over),
    services: Object.fromEntries(
      [...names].map((name) => [name, layTiers(under.services?.[name] ?? none, over.services?.[name] ?? none)]),
    ),
  }
}

const layTiers = (under: SaidTiers, over: SaidTiers): SaidTiers => ({
  rates: layRates(under.rates, over.rates),
  tiers: lengths(under, over).map((above) => ({ above, rates: layRates(at(under, above), at(over, above)) })),
})

const at = (said: SaidTiers, above: number): SaidRates => said.tiers?.find((t) => t.above === above)?.rates ?? {}
const lengths = (...all: readonly SaidTiers[]): number[] =>
  [...new Set(all.flatMap((said) => (said.tiers ?? []).map((t) => t.above)))].sort((a, b) => a - b)

/** One moment's price: of the list, of what is said oneself, and of each service. */
function priced(own: SaidPrice, listed: Listed | undefined, version: string): Priced {
  // Whoever says what an answer costs does not mean the list's reasoning, and whoever says a base not the list's tiers.
  const isBased = own.rates.input !== undefined || own.rates.output !== undefined
  const listTiers = isBased ? [] : (listed?.tiers ?? [])
  const list: SaidTiers = {
    rates: { ...listed?.rates, ...(own.rates.output === undefined ? {} : { reasoning: undefined }) },
    tiers: listTiers.map(({ above, rates }) => ({ above, rates: without(rates, own.rates) })),
  }
  const base = layTiers(list, own)
  const price: Priced = { kind: 'priced', ...wholeTiers(base), version }
  const services = Object.entries(own.services ?? {}).map(([name, said]): [string, Priced] => {
    // A tier that the service does not name is the standard one's (as LiteLLM reads its keys).
    const rates = layRates(base.rates, said.rates)
    const tiers = lengths(base, said).map((above) => ({ above, rates: layRates(at(base, above), at(said, above)) }))
    return [name, { kind: 'priced', ...wholeTiers({ rates, tiers }), version: `${version}, ${name}` }]
  })
  return services.length === 0 ? price : { ...price, services: Object.fromEntries(services) }
}

const without = (listed: SaidRates, own: SaidRates): SaidRates =>
  Object.fromEntries(Object.entries(listed).filter(([name]) => own[name as keyof Rates] === undefined))

/** A tier holds for the whole request, and leaves as it is below what it does not name. */
function wholeTiers(said: SaidTiers): { rates: Rates; tiers: Tier[] } {
  let below = said.rates
  const tiers = (said.tiers ?? []).map(({ above, rates }) => {
    below = layRates(below, rates)
    return { above, rates: wholeRates(below) }
  })
  return { rates: wholeRates(said.rates), tiers }
}

/** What a key pays of its own: over the target's price, in every service and at every time. */
export function overridePrice(price: Price, own: SaidPrice): Price {
  if (!says(own)) return price
  if (price.kind !== 'priced') return layPrice(own, undefined) as Price
  const override = ({ services, times, ...one }: Priced): Priced => {
    const laid = priced(own, { rates: saidRates(one.rates), tiers: one.tiers, version: one.version }, '')
    const all = {
      ...Object.fromEntries(Object.entries(services ?? {}).map(([n, p]) => [n, override(p)])),
      ...laid.services,
    }
    return {
      ...laid,
      version: `key over ${one.version}`,
      ...(Object.keys(all).length > 0 ? { services: all } : {}),
      ...(times ? { times: times.map((time) => ({ ...time, price: override(time.price) })) } : {}),
    }
  }
  const laid = override(price)
  return isFree(laid) ? FREE : laid
}

/** What the house takes off or puts on what a provider asks. */
export interface Adjustment {
  /** Of the provider's price: 0.05 takes 5 % off. */
  discount: number
  /** On what is left: 0.1 puts 10 % on. */
  margin: number
  /** Nano-dollars a request. */
  fee: number
}

/** A price with discount and margin in its rates, each rounded to a whole nano-dollar per million. */
export function adjustPrice(price: Price, { discount, margin, fee }: Adjustment): Price {
  if (price.kind === 'unknown' || (discount === 0 && margin === 0 && fee === 0)) return price
  if (price.kind === 'free')
    return fee === 0
      ? price
      : {
          kind: 'priced',
          rates: wholeRates({ request: fee }),
          tiers: [],
          version: `free${said({ discount: 0, margin: 0, fee })}`,
        }
  const factor = (1 - discount) * (1 + margin)
  const rates = (all: Rates): Rates => {
    const adjusted = { ...all }
    for (const name of RATES) adjusted[name] = Math.round(all[name] * factor)
    adjusted.request += fee
    return adjusted
  }
  const adjust = ({ services, times, ...one }: Priced): Priced => ({
    ...one,
    rates: rates(one.rates),
    tiers: one.tiers.map((tier) => ({ above: tier.above, rates: rates(tier.rates) })),
    version: one.version + said({ discount, margin, fee }),
    ...(services ? { services: Object.fromEntries(Object.entries(services).map(([n, p]) => [n, adjust(p)])) } : {}),
    ...(times ? { times: times.map((time) => ({ ...time, price: adjust(time.price) })) } : {}),
  })
  return adjust(price)
}

const percent = (share: number): string => `${Number((share * 100).toFixed(4))} %`
const said = ({ discount, margin, fee }: Adjustment): string =>
  [
    discount === 0 ? '' : `, -${percent(discount)}`,
    margin === 0 ? '' : `, +${percent(margin)}`,
    fee === 0 ? '' : `, +$${fee / 1e9} a request`,
  ].join('')
