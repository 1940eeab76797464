/**
 * What the price library knows of a model. Looked up once a target (the library's own calculation costs 170 µs a call);
 * test/upstream proves that both agree.
 */
import { calcPrice, findProvider, type ModelInfo, type ModelPrice } from '@pydantic/genai-prices'
import pkg from '../../package.json'
import type { Rates, Timed } from '../core/price.ts'
import type { Listed, Listing } from '../core/price-lay.ts'
import type { SaidRates } from '../core/rates.ts'

/** The version of the library's data that is installed (pinned, so that it is what package.json says). */
export const LIST_VERSION = `genai-prices@${pkg.dependencies['@pydantic/genai-prices']}`

type Words = Record<string, number | { base: number; tiers: readonly { start: number; price: number }[] } | undefined>

/** Dollars per million tokens → nano-dollars per million tokens. */
const perMillion = (dollars: number): number => Math.round(dollars * 1e9)
/** Dollars per hour → nano-dollars per million ms. */
const perHour = (dollars: number): number => Math.round((dollars * 1e9) / 3.6)
/** Dollars per thousand → nano-dollars each. */
const perThousand = (dollars: number): number => Math.round(dollars * 1e6)

/** The library's words. Of two for one rate the dearer counts (images and videos are one kind of token here). */
const RATE_OF: Readonly<Record<string, readonly [keyof Rates, (dollars: number) => number]>> = {
  input_mtok: ['input', perMillion],
  cache_read_mtok: ['cacheRead', perMillion],
  cache_write_mtok: ['cacheWrite', perMillion],
  cache_write_1h_mtok: ['cacheWriteHour', perMillion],
  input_audio_mtok: ['audioInput', perMillion],
  cache_audio_read_mtok: ['audioRead', perMillion],
  input_image_mtok: ['imageInput', perMillion],
  cache_image_read_mtok: ['imageRead', perMillion],
  input_video_mtok: ['imageInput', perMillion],
  output_mtok: ['output', perMillion],
  output_reasoning_mtok: ['reasoning', perMillion],
  output_audio_mtok: ['audioOutput', perMillion],
  output_image_mtok: ['imageOutput', perMillion],
  output_video_mtok: ['imageOutput', perMillion],
  // `audio_hours` is both directions together; a transcription has one.
  input_audio_hours: ['media', perHour],
  requests_kcount: ['request', perThousand],
  web_searches_kcount: ['search', perThousand],
  rerank_searches_kcount: ['search', perThousand],
}
/** Sold beside the answer by providers' own tools and told in no usage: an answer's price is whole without them. */
const BESIDE = new Set(['storage_searches_kcount', 'output_citation_mtok', 'audio_hours'])

/** What the library knows of a model: its price, and its context window in tokens. */
export interface Found {
  listing: Listing | undefined
  contextTokens: number | undefined
}

/**
 * @param providerId the library's id of the provider
 * @param model the model in the upstream's words
 */
export function listed(providerId: string, model: string): Found {
  const found = lookUp(providerId, model)
  return found ? foundOf(found.provider.id, found.model) : { listing: undefined, contextTokens: undefined }
}

/** All that the library knows of a provider, by its own name of each model. */
export function listedOf(providerId: string): readonly (Found & { model: string })[] {
  const provider = findProvider({ providerId })
  return (provider?.models ?? []).map((model) => ({ model: model.id, ...foundOf(providerId, model) }))
}

function foundOf(providerId: string, model: ModelInfo): Found {
  const { prices, id, name, description, price_comments, context_window: contextTokens } = model
  const version = `${LIST_VERSION}:${providerId}/${id}`
  if (!Array.isArray(prices)) {
    // An empty price is that of a free model, or one that nobody has written down.
    const isFree =
      Object.keys(prices).length === 0 && /\bfree\b/i.test(`${id} ${name} ${description} ${price_comments}`)
    return { listing: isFree ? { rates: {}, version } : listingOf(prices, version), contextTokens }
  }
  const [first, ...others] = prices
  const base = first && listingOf(first.prices, version)
  if (!base) return { listing: undefined, contextTokens }
  // The library takes the last that is right for the moment, and the first where none is.
  const times = others.flatMap(({ constraint, prices: at }) => {
    const when = constraint ? momentOf(constraint) : {}
    const price = listingOf(at, version + (constraint ? ` ${wordsOf(constraint)}` : ''))
    return price ? [{ ...when, price }] : []
  })
  return { listing: { ...base, times }, contextTokens }
}

type Constraint = { start_date: string } | { start_time: string; end_time: string }

function momentOf(constraint: Constraint): Pick<Timed, 'from' | 'hours'> {
  if ('start_date' in constraint) return { from: Date.parse(`${constraint.start_date}T00:00:00Z`) }
  return { hours: { from: msOf(constraint.start_time), to: msOf(constraint.end_time) } }
}

const wordsOf = (constraint: Constraint): string =>
  'start_date' in constraint
    ? `from ${constraint.start_date}`
    : `${constraint.start_time.slice(0, 5)} to ${constraint.end_time.slice(0, 5)} UTC`

const DAY_MS = 86_400_000

/** `16:30:00Z` → ms after midnight in UTC. */
const msOf = (time: string): number => ((Date.parse(`1970-01-01T${time}`) % DAY_MS) + DAY_MS) % DAY_MS

function lookUp(providerId: string, model: string) {
  try {
    // Nothing is used and so nothing can be missing: what is wanted is the model that it finds.
    return calcPrice({}, model, { providerId, timestamp: new Date(0) })
  } catch {
    return null
  }
}

/** Undefined where it holds what is not counted here (pages, messages): such a price would bill too low. */
function listingOf(prices: ModelPrice, version: string): Listed | undefined {
  const words = prices as Words
  const known = Object.entries(words).flatMap(([word, value]) => {
    const rate = RATE_OF[word]
    return value === undefined || !rate ? [] : [{ name: rate[0], of: rate[1], value }]
  })
  const isWhole = Object.keys(words).every((word) => RATE_OF[word] || BESIDE.has(word))
  if (!isWhole || known.length === 0) return undefined
  const starts = new Set(
    known.flatMap(({ value }) => (typeof value === 'number' ? [] : value.tiers.map((t) => t.start))),
  )
  const at = (start: number): SaidRates => {
    const rates: { -readonly [R in keyof Rates]?: Rates[R] } = {}
    for (const { name, of, value } of known) {
      const dollars =
        typeof value === 'number' ? value : (value.tiers.findLast((t) => t.start <= start)?.price ?? value.base)
      rates[name] = Math.max(rates[name] ?? 0, of(dollars))
    }
    return rates
  }
  const tiers = [...starts].sort((a, b) => a - b).map((above) => ({ above, rates: at(above) }))
  return { rates: at(-1), tiers, version }
}
