/** What a target asks of this caller at this moment, for what he asked. */
import type { Price } from '../core/price.ts'
import { offered, priceAt } from '../core/price-at.ts'
import { overridePrice } from '../core/price-lay.ts'
import type { SaidPrice } from '../core/rates.ts'
import type { Target } from '../core/target.ts'
import type { Call } from './call.ts'

/**
 * The price that an attempt begun now is held for and charged by: the same object for the same price, since the ledger
 * knows prices by their identity.
 */
export function priceFor(call: Call, target: Target, now: number): Price {
  const price = priceAt(ownPrice(call, target), now)
  return price.kind === 'priced' && price.services ? offered(price, askedService(call, target)) : price
}

/** The target's price at all times, with what the caller's key pays instead. */
export function ownPrice(call: Call, target: Target): Price {
  const own = call.who?.key?.pricing?.[target.alias]
  if (!own) return target.price
  return remembered(remembered(overridden, own, fresh), target.price, () => overridePrice(target.price, own))
}

const overridden = new WeakMap<SaidPrice, WeakMap<Price, Price>>()
const fresh = () => new WeakMap<Price, Price>()

function remembered<K extends object, V extends object>(known: WeakMap<K, V>, key: K, make: () => V): V {
  let found = known.get(key)
  if (!found) {
    found = make()
    known.set(key, found)
  }
  return found
}

/** Where a caller says which service he wants: OpenAI's and Anthropic's word, Google's, Anthropic's other one. */
const FIELDS = ['service_tier', 'serviceTier', 'speed']

/** The caller's own word for the service, or the target's default. */
export function askedService(call: Call, target: Target): unknown {
  const { scan } = call.peek
  for (const field of FIELDS) {
    const span = scan?.keys.get(field)
    if (span?.kind === 'string') return new TextDecoder().decode(call.bytes.subarray(span.start + 1, span.end - 1))
  }
  return target.defaults.service_tier
}
