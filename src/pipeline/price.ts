/** What a target asks of this caller at this moment, for what he asked. */
import type { Price } from '../core/price.ts'
import { offered, priceAt } from '../core/price-at.ts'
import { overridePrice } from '../core/price-lay.ts'
import type { SaidPrice } from '../core/rates.ts'
import type { Target } from '../core/target.ts'
import { type Counts, type Service, serviceOf, type Usage } from '../core/usage.ts'
import type { OpenHold } from '../store/ledger.ts'
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
  const own = call.who?.role === 'caller' ? call.who.key.pricing?.[target.alias] : undefined
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
function askedService(call: Call, target: Target): unknown {
  const { scan } = call.peek
  for (const field of FIELDS) {
    const span = scan?.keys.get(field)
    if (span?.kind === 'string') return new TextDecoder().decode(call.bytes.subarray(span.start + 1, span.end - 1))
  }
  return target.defaults.service_tier
}

/**
 * What was used, made whole: the service that was asked for where the answer does not say how it was served, and the
 * time that the answer took where time is what costs and nobody measured it.
 */
export function completed(call: Call, hold: OpenHold, used: Usage, now: number): Usage {
  const { price } = hold
  if (price.kind !== 'priced' || (!price.services && price.rates.gpu === 0)) return used
  const { target, startedAt } = hold.attempt
  const more: { service?: Service } & Partial<Counts> = {}
  const isSilent = used.service === undefined && price.services !== undefined
  const service = isSilent ? (call.service ?? serviceOf(askedService(call, target))) : undefined
  if (service) more.service = service
  // What has media is paid by its length (LiteLLM's input_cost_per_second).
  const isTimed = price.rates.gpu > 0 && used.gpuMs === 0 && call.door.dialect.op !== 'forward'
  if (isTimed) more.gpuMs = Math.max(0, Math.round(now - startedAt))
  return { ...used, ...more }
}
