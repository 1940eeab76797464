/** Which of a target's prices holds: by the moment, by what a caller asked for, and by how he was served. */
import type { Price, Priced } from './price.ts'
import { type Service, serviceOf } from './usage.ts'

const DAY_MS = 86_400_000

/** The price of this moment (ms since the epoch), without those of other times. */
export function priceAt(price: Price, now: number): Price {
  if (price.kind !== 'priced' || !price.times) return price
  const ofDay = ((now % DAY_MS) + DAY_MS) % DAY_MS
  const found = price.times.findLast(({ from, hours }) => {
    if (from !== undefined && now < from) return false
    if (!hours) return true
    return hours.to < hours.from ? ofDay >= hours.from || ofDay < hours.to : ofDay >= hours.from && ofDay < hours.to
  })
  return found ? found.price : timeless(price)
}

/** When the price of this moment ends, ms since the epoch; undefined where it does not. For people, not for holds. */
export function nextPriceAt(price: Price, now: number): number | undefined {
  if (price.kind !== 'priced') return undefined
  const coming = (price.times ?? []).flatMap(({ from }) => (from !== undefined && from > now ? [from] : []))
  return coming.length > 0 ? Math.min(...coming) : undefined
}

const withoutTimes = new WeakMap<Priced, Priced>()
function timeless(price: Priced): Priced {
  return remembered(withoutTimes, price, () => {
    const { times: _, ...rest } = price
    return rest
  })
}

/**
 * The price with only those services that a request may be served in, for its hold: the dearest of them is set aside.
 * `auto`, and nothing, may be served faster where the provider's own settings say so.
 * @param asked the caller's own word (`service_tier`), or undefined
 */
export function offered(price: Price, asked: unknown): Price {
  if (price.kind !== 'priced' || !price.services) return price
  const service = serviceOf(asked)
  if (service === 'standard') return served(price, 'standard')
  if (service === 'flex') return only(price, 'flex')
  return only(price, service === 'balanced' || service === 'ultrafast' || service === 'batch' ? service : 'priority')
}

const offers = new WeakMap<Priced, Map<Service, Priced>>()
/** The same object each time: the ledger knows prices by their identity. */
function only(price: Priced, service: Service): Priced {
  const known = remembered(offers, price, () => new Map<Service, Priced>())
  let found = known.get(service)
  if (!found) {
    // What was to be fast may be sold as slow, which costs less than what is set aside.
    const kept = ([service, 'flex'] as const).filter((name) => price.services?.[name])
    const services = Object.fromEntries(kept.map((name) => [name, price.services?.[name]])) as Priced['services']
    found = kept.length > 0 ? { ...price, services } : standard(price)
    known.set(service, found)
  }
  return found
}

const standards = new WeakMap<Priced, Priced>()
const standard = (price: Priced): Priced =>
  remembered(standards, price, () => {
    const { services: _, ...rest } = price
    return rest
  })

/** The price of what was sold in this service; undefined and services without a price of their own are the standard one. */
export function served(price: Price, service: Service | undefined): Price {
  if (price.kind !== 'priced' || !price.services) return price
  return (service === undefined ? undefined : price.services[service]) ?? standard(price)
}

function remembered<K extends object, V>(known: WeakMap<K, V>, key: K, make: () => V): V {
  let found = known.get(key)
  if (found === undefined) {
    found = make()
    known.set(key, found)
  }
  return found
}
