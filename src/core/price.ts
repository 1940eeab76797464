/**
 * What an answer costs. Rates of tokens, characters and time are integer nano-dollars per million ($0.15 per million
 * tokens = 150_000_000), so that every product is exact; a charge is rounded once, at its end, to whole nano-dollars
 * (half up). Images, searches and requests cost whole nano-dollars each.
 */
import type { Load } from './load.ts'
import { ANYTHING } from './load.ts'
import { MOST_TOKENS, type Service, type Usage } from './usage.ts'

export interface Rates {
  /** Nano-dollars per million tokens, as all down to `imageOutput`. */
  input: number
  cacheRead: number
  cacheWrite: number
  cacheWriteHour: number
  audioInput: number
  imageInput: number
  audioRead: number
  imageRead: number
  output: number
  reasoning: number
  audioOutput: number
  imageOutput: number
  /** Nano-dollars per million ms of media that is heard or made. */
  media: number
  /** Nano-dollars per million ms that the machine works. */
  gpu: number
  /** Nano-dollars per million characters that are spoken. */
  character: number
  /** Nano-dollars an image that is made. */
  image: number
  /** Nano-dollars a search. */
  search: number
  /** Nano-dollars a request, whatever is in it. */
  request: number
}

/** Rates that hold for the whole request once its prompt is longer than `above` tokens. */
export interface Tier {
  above: number
  rates: Rates
}

export interface Priced {
  kind: 'priced'
  rates: Rates
  /** Lowest first. */
  tiers: readonly Tier[]
  /** Where it is from, for people: `genai-prices@0.1.8:openai/gpt-4o`, `config`. */
  version: string
  /** What other services than the standard one cost. None of these has services or times of its own. */
  services?: Readonly<Partial<Record<Service, Priced>>> | undefined
  /** What holds at other times: the last one that is right for the moment wins (core/price-at.ts). */
  times?: readonly Timed[] | undefined
}

export interface Timed {
  /** ms since the epoch, from when on it holds; undefined: always. */
  from?: number | undefined
  /** Only in these hours of each day, ms after midnight in UTC; `to` before `from` goes over midnight. */
  hours?: { from: number; to: number } | undefined
  price: Priced
}

export type Price = Priced | { kind: 'free'; version: string } | { kind: 'unknown' }

export const FREE: Price = { kind: 'free', version: 'free' }
export const UNKNOWN: Price = { kind: 'unknown' }

const MILLION = 1_000_000

/** The rates that a prompt of this many tokens is billed at. Tiers are sorted by `above`, lowest first. */
export function ratesFor(price: Priced, inputTokens: number): Rates {
  let { rates } = price
  for (const tier of price.tiers) if (inputTokens > tier.above) rates = tier.rates
  return rates
}

/**
 * The cost of a usage in nano-dollars, by the price's own rates, whatever the service (see `served`); 0 where the price
 * is free or unknown (an unknown price never reaches a caller with a budget: see plan.ts).
 */
export function costOf(price: Price, used: Usage): number {
  if (price.kind !== 'priced') return 0
  const r = ratesFor(price, used.input)
  const { cacheRead, cacheWrite, cacheWriteHour, audioInput, imageInput, audioRead, imageRead } = used
  const { reasoning, audioOutput, imageOutput, images, mediaMs, gpuMs, characters, searches } = used
  const uncached = used.input - cacheRead - cacheWrite - cacheWriteHour - audioInput - imageInput
  const written = used.output - reasoning - audioOutput - imageOutput
  let whole = r.request + uncached * wholes(r.input) + written * wholes(r.output)
  let rest = uncached * rests(r.input) + written * rests(r.output)
  if (cacheRead + cacheWrite + cacheWriteHour > 0) {
    const read = cacheRead - audioRead - imageRead
    whole += read * wholes(r.cacheRead) + cacheWrite * wholes(r.cacheWrite) + cacheWriteHour * wholes(r.cacheWriteHour)
    rest += read * rests(r.cacheRead) + cacheWrite * rests(r.cacheWrite) + cacheWriteHour * rests(r.cacheWriteHour)
  }
  if (reasoning > 0) {
    whole += reasoning * wholes(r.reasoning)
    rest += reasoning * rests(r.reasoning)
  }
  // Most answers are text for text: what only some have is looked at only there (measured: 20 ns against 45).
  if (audioInput + imageInput + audioRead + imageRead + audioOutput + imageOutput > 0) {
    whole += audioInput * wholes(r.audioInput) + imageInput * wholes(r.imageInput)
    whole += audioRead * wholes(r.audioRead) + imageRead * wholes(r.imageRead)
    whole += audioOutput * wholes(r.audioOutput) + imageOutput * wholes(r.imageOutput)
    rest += audioInput * rests(r.audioInput) + imageInput * rests(r.imageInput)
    rest += audioRead * rests(r.audioRead) + imageRead * rests(r.imageRead)
    rest += audioOutput * rests(r.audioOutput) + imageOutput * rests(r.imageOutput)
  }
  if (images + mediaMs + gpuMs + characters + searches > 0) {
    whole += images * r.image + searches * r.search
    whole += mediaMs * wholes(r.media) + gpuMs * wholes(r.gpu) + characters * wholes(r.character)
    rest += mediaMs * rests(r.media) + gpuMs * rests(r.gpu) + characters * rests(r.character)
  }
  return whole + Math.floor(rest / MILLION + 0.5)
}

/**
 * What prompt and answer cost, to put prices in order: not exact to the nano-dollar, the same for the same rates, and a
 * quarter of the time (choosing among 100 targets). Millionths of nano-dollars.
 */
export function roughCost(price: Price, input: number, output: number): number {
  if (price.kind !== 'priced') return 0
  const { rates } = price.tiers.length === 0 ? price : { rates: ratesFor(price, input) }
  return rates.request * MILLION + input * rates.input + output * rates.output
}

/**
 * A rate is split into whole nano-dollars a unit and a rest below 1e6, so that no product passes the 2^53 that a double
 * holds exactly (1e9 tokens at $9,000 per million). By subtraction, since `%` of a double that is no int32 is slow.
 */
const wholes = (rate: number): number => Math.floor(rate / MILLION)
const rests = (rate: number): number => rate - Math.floor(rate / MILLION) * MILLION

/** `units` at `rate`, rounded up to a whole nano-dollar. */
const roundedUp = (units: number, rate: number): number =>
  units * wholes(rate) + Math.ceil((units * rests(rate)) / MILLION)

/**
 * The dearest that a prompt of at most `inputTokens`, an answer of at most `outputTokens` and a load can be, in
 * nano-dollars, in whichever of the price's services it is served.
 */
export function worstCost(price: Price, inputTokens: number, outputTokens: number, load: Load = ANYTHING): number {
  if (price.kind !== 'priced') return 0
  let worst = worstAt(price.rates, inputTokens, outputTokens, load)
  for (const tier of price.tiers)
    if (inputTokens > tier.above) worst = Math.max(worst, worstAt(tier.rates, inputTokens, outputTokens, load))
  for (const service in price.services)
    worst = Math.max(worst, worstCost(price.services[service as Service] as Price, inputTokens, outputTokens, load))
  return worst
}

function worstAt(r: Rates, inputTokens: number, outputTokens: number, load: Load): number {
  return (
    r.request +
    roundedUp(inputTokens, dearestInput(r, load)) +
    roundedUp(outputTokens, dearestOutput(r, load)) +
    (load.beside ? besideAt(r, load) : 0)
  )
}

const besideAt = (r: Rates, load: Load): number =>
  load.images * r.image +
  load.searches * r.search +
  roundedUp(load.mediaMs, r.media) +
  roundedUp(load.gpuMs, r.gpu) +
  roundedUp(load.characters, r.character)

function dearestInput(r: Rates, { kinds }: Load): number {
  let dearest = Math.max(r.input, r.cacheRead, r.cacheWrite)
  if (kinds.hourCache) dearest = Math.max(dearest, r.cacheWriteHour)
  if (kinds.audioInput) dearest = Math.max(dearest, r.audioInput, r.audioRead)
  return kinds.imageInput ? Math.max(dearest, r.imageInput, r.imageRead) : dearest
}

function dearestOutput(r: Rates, { kinds }: Load): number {
  const dearest = Math.max(r.output, r.reasoning, r.imageOutput)
  return kinds.audioOutput ? Math.max(dearest, r.audioOutput) : dearest
}

/**
 * How many tokens of answer `nano` pays for after a prompt of `inputTokens` and a load: -1 where not even those are
 * paid for.
 */
export function outputAffordable(price: Price, inputTokens: number, nano: number, load: Load = ANYTHING): number {
  if (price.kind !== 'priced') return Number.POSITIVE_INFINITY
  const left = nano - worstCost(price, inputTokens, 0, load)
  if (left < 0) return -1
  const rate = dearestAnswer(price, inputTokens, load)
  if (rate === 0) return Number.POSITIVE_INFINITY
  // One below the quotient where rounding could carry the product past what is left.
  const tokens = Math.min(Math.floor((left / rate) * MILLION), MOST_TOKENS)
  return roundedUp(tokens, rate) <= left ? tokens : tokens - 1
}

/** The dearest rate of an answer behind a prompt of this length, in any service. */
function dearestAnswer(price: Priced, inputTokens: number, load: Load): number {
  let dearest = dearestOutput(price.rates, load)
  for (const tier of price.tiers)
    if (inputTokens > tier.above) dearest = Math.max(dearest, dearestOutput(tier.rates, load))
  for (const service in price.services)
    dearest = Math.max(dearest, dearestAnswer(price.services[service as Service] as Priced, inputTokens, load))
  return dearest
}
