/** Rates that are only partly said, made whole. */
import type { Rates } from './price.ts'
import type { Service } from './usage.ts'

/** What somebody says of rates, beside those that hold for all of them. Undefined: not said. */
export type SaidRates = { readonly [R in keyof Rates]?: Rates[R] | undefined }

/** Rates by length of the prompt. */
export interface SaidTiers {
  rates: SaidRates
  /** Above so many tokens of prompt; what a tier leaves out is as it is below. */
  tiers?: readonly { above: number; rates: SaidRates }[] | undefined
}

/** A price as a configuration, a key or a list says it: any part may be missing. */
export interface SaidPrice extends SaidTiers {
  /** What is dearer or cheaper in another service. What it leaves out is as in the standard one. */
  services?: Readonly<Partial<Record<Service, SaidTiers>>> | undefined
}

/**
 * All rates. A cache that nobody speaks of costs as much as what is not cached, an hour's as five minutes'; reasoning,
 * audio and images cost as much as text; what is not counted in tokens costs nothing.
 */
export function wholeRates(said: SaidRates): Rates {
  const input = said.input ?? 0
  const output = said.output ?? 0
  const cacheRead = said.cacheRead ?? input
  const cacheWrite = said.cacheWrite ?? input
  const audioInput = said.audioInput ?? input
  const imageInput = said.imageInput ?? input
  return {
    input,
    cacheRead,
    cacheWrite,
    cacheWriteHour: said.cacheWriteHour ?? cacheWrite,
    audioInput,
    imageInput,
    audioRead: said.audioRead ?? said.cacheRead ?? audioInput,
    imageRead: said.imageRead ?? said.cacheRead ?? imageInput,
    output,
    reasoning: said.reasoning ?? output,
    audioOutput: said.audioOutput ?? output,
    imageOutput: said.imageOutput ?? output,
    media: said.media ?? 0,
    gpu: said.gpu ?? 0,
    character: said.character ?? 0,
    image: said.image ?? 0,
    search: said.search ?? 0,
    request: said.request ?? 0,
  }
}

export const NO_RATES: Rates = wholeRates({})
export const RATES = Object.keys(NO_RATES) as (keyof Rates)[]

/** `over` where it says something, `under` elsewhere. */
export function layRates(under: SaidRates, over: SaidRates): SaidRates {
  const laid: { -readonly [R in keyof Rates]?: Rates[R] } = {}
  for (const name of RATES) {
    const rate = over[name] ?? under[name]
    if (rate !== undefined) laid[name] = rate
  }
  return laid
}

/** What of whole rates needs to be said beside `under`: the rest follows from it ({@link wholeRates}). */
export function saidRates(rates: Rates, under: SaidRates = {}): SaidRates {
  const said: { -readonly [R in keyof Rates]?: Rates[R] } = {}
  for (const name of RATES) if (rates[name] !== wholeRates(layRates(under, said))[name]) said[name] = rates[name]
  return said
}

export const saysAnything = (said: SaidRates): boolean => RATES.some((name) => said[name] !== undefined)
