/**
 * Prices in LiteLLM's words (docs.litellm.ai/docs/proxy/custom_pricing): US dollars a single token, second, image. Read
 * from configurations and keys, written for /model/info.
 */
import { fromDollars, ratePerMillion } from './money.ts'
import type { Price, Rates } from './price.ts'
import { showRate } from './price-lines.ts'
import { layRates, type SaidPrice, type SaidRates, type SaidTiers, saidRates } from './rates.ts'
import type { Service } from './usage.ts'

type Rate = keyof Rates
type Unit = 'token' | 'second' | 'character' | 'piece'

/** What a word prices, by which unit. The first word of a rate is the one it is written as. */
const WORDS: Readonly<Record<string, readonly [Unit, ...Rate[]]>> = {
  input_cost_per_token: ['token', 'input'],
  output_cost_per_token: ['token', 'output'],
  cache_read_input_token_cost: ['token', 'cacheRead'],
  input_cost_per_token_cache_hit: ['token', 'cacheRead'],
  cache_creation_input_token_cost: ['token', 'cacheWrite'],
  cache_creation_input_token_cost_above_1hr: ['token', 'cacheWriteHour'],
  output_cost_per_reasoning_token: ['token', 'reasoning'],
  input_cost_per_audio_token: ['token', 'audioInput'],
  output_cost_per_audio_token: ['token', 'audioOutput'],
  cache_read_input_audio_token_cost: ['token', 'audioRead'],
  input_cost_per_image_token: ['token', 'imageInput'],
  output_cost_per_image_token: ['token', 'imageOutput'],
  cache_read_input_image_token_cost: ['token', 'imageRead'],
  input_cost_per_video_token: ['token', 'imageInput'],
  output_cost_per_video_token: ['token', 'imageOutput'],
  input_cost_per_audio_per_second: ['second', 'media'],
  output_cost_per_audio_per_second: ['second', 'media'],
  output_cost_per_video_per_second: ['second', 'media'],
  cost_per_gpu_second: ['second', 'gpu'],
  // LiteLLM multiplies these by the length of the media where there is some, and by the time of the answer elsewhere.
  input_cost_per_second: ['second', 'media', 'gpu'],
  output_cost_per_second: ['second', 'media', 'gpu'],
  cost_per_second: ['second', 'media', 'gpu'],
  input_cost_per_character: ['character', 'character'],
  output_cost_per_image: ['piece', 'image'],
  input_cost_per_image: ['piece', 'image'],
  input_cost_per_query: ['piece', 'search'],
  input_cost_per_request: ['piece', 'request'],
}

/** LiteLLM's endings for services. */
const ENDINGS = {
  priority: 'priority',
  flex: 'flex',
  batches: 'batch',
  balanced: 'balanced',
  ultrafast: 'ultrafast',
} as const satisfies Record<string, Service>

interface Meant {
  word: string
  /** Tokens of prompt above which it holds. */
  above?: number
  service?: Service
}

/** `input_cost_per_token_above_200k_tokens_priority` taken apart; undefined where it is no word for a price. */
export function meaningOf(key: string): Meant | undefined {
  const found = /^(.*?)(?:_above_(\d+)k_tokens)?(?:_(priority|flex|batches|balanced|ultrafast))?$/.exec(key)
  const [, word = '', thousands, ending] = found ?? []
  const unit = Object.hasOwn(WORDS, word) ? WORDS[word]?.[0] : undefined
  // Only tokens come in lengths and services.
  if (!unit || (unit !== 'token' && (thousands !== undefined || ending !== undefined))) return undefined
  return {
    word,
    ...(thousands === undefined ? {} : { above: Number(thousands) * 1000 }),
    ...(ending === undefined ? {} : { service: ENDINGS[ending as keyof typeof ENDINGS] }),
  }
}

const amountOf = (unit: Unit, dollars: number): number => {
  if (unit === 'piece') return fromDollars(dollars)
  // A second is a thousand ms.
  return unit === 'second' ? ratePerMillion(dollars / 1000) : ratePerMillion(dollars)
}

type Building = { -readonly [R in Rate]?: Rates[R] }
interface Part {
  rates: Building
  tiers: Map<number, Building>
}

/** What a map says of a price in LiteLLM's words; what is none of them is passed over. */
export function readPriceWords(say: Readonly<Record<string, unknown>>): SaidPrice {
  const whole: Part = { rates: {}, tiers: new Map() }
  const services = new Map<Service, Part>()
  for (const [key, dollars] of Object.entries(say)) {
    const meant = typeof dollars === 'number' ? meaningOf(key) : undefined
    if (!meant) continue
    const part = meant.service ? getOr(services, meant.service, () => ({ rates: {}, tiers: new Map() })) : whole
    const rates = meant.above === undefined ? part.rates : getOr(part.tiers, meant.above, () => ({}))
    put(rates, meant.word, dollars as number)
  }
  readTiers(say.tiered_pricing, whole)
  readSearches(say.search_context_cost_per_query, whole.rates)
  return {
    ...tiersOf(whole),
    ...(services.size === 0
      ? {}
      : { services: Object.fromEntries([...services].map(([name, part]) => [name, tiersOf(part)])) }),
  }
}

function put(rates: Building, word: string, dollars: number): void {
  const [unit, ...names] = WORDS[word] as readonly [Unit, ...Rate[]]
  // Two words for one rate: the dearer counts, so that nothing is billed too low (LiteLLM's whisper-1 has both of
  // input_ and output_cost_per_second and bills one of them).
  for (const name of names) rates[name] = Math.max(rates[name] ?? 0, amountOf(unit, dollars))
}

/** `[{ range: [0, 32000], input_cost_per_token: …, … }, …]`: a range holds above its beginning. */
function readTiers(said: unknown, whole: Part): void {
  if (!Array.isArray(said)) return
  for (const one of said as Record<string, unknown>[]) {
    const from = Array.isArray(one?.range) ? Number(one.range[0]) : Number.NaN
    if (!(from >= 0)) continue
    const rates = from === 0 ? whole.rates : getOr(whole.tiers, from, () => ({}))
    for (const [key, dollars] of Object.entries(one)) {
      const meant = typeof dollars === 'number' ? meaningOf(key) : undefined
      if (meant && meant.above === undefined && !meant.service) put(rates, meant.word, dollars as number)
    }
  }
}

/** By how much of a page is read; the answer does not say which it was, so that the dearest counts. */
function readSearches(said: unknown, rates: Building): void {
  const dollars = Object.values((said ?? {}) as Record<string, unknown>).filter((d) => typeof d === 'number')
  if (dollars.length > 0) rates.search = Math.max(rates.search ?? 0, ...dollars.map(fromDollars))
}

function tiersOf({ rates, tiers }: Part): SaidTiers {
  if (tiers.size === 0) return { rates }
  return {
    rates,
    tiers: [...tiers].map(([above, one]) => ({ above, rates: one as SaidRates })).sort((a, b) => a.above - b.above),
  }
}

/** The word that each rate is written as. */
const WORD_OF = Object.fromEntries(
  Object.entries(WORDS)
    .reverse()
    .flatMap(([word, [, ...rates]]) => rates.map((rate) => [rate, word])),
) as Record<Rate, string>
const ENDING_OF = Object.fromEntries(Object.entries(ENDINGS).map(([ending, service]) => [service, ending]))

const dollarsOf = (rate: Rate, amount: number): number => {
  const unit = (WORDS[WORD_OF[rate]] as readonly [Unit])[0]
  if (unit === 'piece') return amount / 1e9
  return unit === 'second' ? amount / 1e12 : amount / 1e15
}

/** A price in LiteLLM's words: prompt and answer, and what does not follow from them. */
export function writePriceWords(price: Price): Record<string, number | null> {
  if (price.kind === 'unknown') return { input_cost_per_token: null, output_cost_per_token: null }
  const words: Record<string, number> = { input_cost_per_token: 0, output_cost_per_token: 0 }
  if (price.kind === 'free') return words
  const said = saidRates(price.rates)
  write(words, said, '')
  let below = said
  const steps = price.tiers.map(({ above, rates }) => {
    const step = saidRates(rates, below)
    below = layRates(below, step)
    write(words, step, `_above_${above / 1000}k_tokens`)
    return { above, step }
  })
  for (const [service, one] of Object.entries(price.services ?? {})) {
    const ending = `_${ENDING_OF[service] ?? service}`
    const own = saidRates(one.rates, said)
    write(words, own, ending)
    let under = layRates(said, own)
    for (const { above, rates } of one.tiers) {
      under = layRates(under, steps.find((s) => s.above === above)?.step ?? {})
      const more = saidRates(rates, under)
      under = layRates(under, more)
      write(words, more, `_above_${above / 1000}k_tokens${ending}`)
    }
  }
  return words
}

/** What a word and its dollars mean to people: `$2.5 per million tokens`. What stands behind a space is a time. */
export function showWord(word: string, dollars: number): string {
  const meant = meaningOf(word.replace(/ .*$/, ''))
  if (!meant) return `$${dollars}`
  const [unit, rate] = WORDS[meant.word] as readonly [Unit, Rate]
  return showRate(rate, amountOf(unit, dollars))
}

/** What somebody said of a price, in the words he said it in. */
export function writeSaidWords(said: SaidPrice): Record<string, number> {
  const words: Record<string, number> = {}
  const parts: [string, SaidTiers][] = Object.entries(said.services ?? {})
  for (const [ending, part] of [
    ['', said] as const,
    ...parts.map(([s, part]) => [`_${ENDING_OF[s] ?? s}`, part] as const),
  ]) {
    write(words, part.rates, ending)
    for (const { above, rates } of part.tiers ?? []) write(words, rates, `_above_${above / 1000}k_tokens${ending}`)
  }
  return words
}

function write(words: Record<string, number>, said: SaidRates, ending: string): void {
  for (const [name, amount] of Object.entries(said) as [Rate, number][])
    if (meaningOf(WORD_OF[name] + ending)) words[WORD_OF[name] + ending] = dollarsOf(name, amount)
}

function getOr<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key)
  if (value === undefined) {
    value = make()
    map.set(key, value)
  }
  return value
}
