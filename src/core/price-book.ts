/** The prices that a configuration comes to, as a list: to be read by people, kept, and compared with those of before. */
import type { Price } from './price.ts'
import { priceAt } from './price-at.ts'
import { showWord, writePriceWords } from './price-words.ts'

export interface BookedPrice {
  /** As callers name it; a pattern where the model was put into one. Empty where no configuration names it. */
  alias: string
  /** `openai/gpt-4o` */
  target: string
  /** The target's id. */
  id: string
  /** It is one of many behind a pattern. */
  byPattern: boolean
  price: Price
}

export interface PriceBook {
  /** The price library and its release: `genai-prices@0.1.8`. */
  library: string
  /** Each target of the configuration; of a pattern's, each model that the library knows. */
  targets: readonly BookedPrice[]
  /** What a name means: an alias's targets, or a model of a provider that no configuration names. */
  named(name: string): readonly BookedPrice[]
  /** All that the library knows of the providers that are here. */
  all(): readonly BookedPrice[]
}

/** A price in LiteLLM's words, those of other times behind their `from …`. */
type Words = Readonly<Record<string, number>>

/** What is kept of a book: by the name of each line. `null`: the price is unknown. */
export interface KeptPrices {
  library: string
  prices: Readonly<Record<string, { readonly from: string; readonly words: Words } | null>>
}

/** @param now the moment (ms since the epoch) whose prices come first */
export function keptPrices(book: PriceBook, now: number): KeptPrices {
  const prices: Record<string, KeptPrices['prices'][string]> = {}
  for (const one of book.targets) {
    const plain = `${one.alias} → ${one.target}`
    // Targets may differ in nothing but their keys.
    const name = Object.hasOwn(prices, plain) ? `${plain} (${one.id})` : plain
    prices[name] = one.price.kind === 'unknown' ? null : { from: one.price.version, words: wholeWords(one.price, now) }
  }
  return { library: book.library, prices }
}

/** A price's words, with those of days to come (`input_cost_per_token from 2026-12-01`) and of hours of the day. */
export function wholeWords(price: Price, now: number): Record<string, number> {
  if (price.kind !== 'priced') return known(price)
  const times = price.times ?? []
  // What holds now is that of this day, whichever hour it is: two looks on one day see the same.
  const words = known(priceAt({ ...price, times: times.filter(({ hours }) => !hours) }, now))
  for (const { from, hours, price: other } of times) {
    const isToCome = from !== undefined && from > now
    if (!hours && !isToCome) continue
    const when = `${isToCome ? ` from ${dayOf(from)}` : ''}${hours ? ` ${hoursOf(hours)}` : ''}`
    for (const [word, dollars] of Object.entries(known(other))) words[word + when] = dollars
  }
  return words
}

function known(price: Price): Record<string, number> {
  const entries = Object.entries(writePriceWords(price))
  return Object.fromEntries(entries.filter((entry): entry is [string, number] => entry[1] !== null))
}

/** `2026-12-01`, or with its minute where it is not midnight, in UTC. */
export function dayOf(ms: number): string {
  const text = new Date(ms).toISOString()
  return text.endsWith('T00:00:00.000Z') ? text.slice(0, 10) : `${text.slice(0, 16)}Z`
}

/** `16:30 to 00:30 UTC` */
export const hoursOf = ({ from, to }: { from: number; to: number }): string =>
  `${new Date(from).toISOString().slice(11, 16)} to ${new Date(to).toISOString().slice(11, 16)} UTC`

export interface PriceChange {
  /** `gpt → openai/gpt-4o` */
  name: string
  kind: 'new' | 'gone' | 'changed'
  /** Words whose price differs, in dollars; undefined: not said. */
  words: readonly { word: string; before: number | undefined; after: number | undefined }[]
}

/** What differs: lines that came, went, or whose prices are others. Where a price is from does not count. */
export function priceChanges(before: KeptPrices, after: KeptPrices): PriceChange[] {
  const names = new Set([...Object.keys(before.prices), ...Object.keys(after.prices)])
  return [...names].flatMap((name): PriceChange[] => {
    const kind = !Object.hasOwn(before.prices, name) ? 'new' : Object.hasOwn(after.prices, name) ? 'changed' : 'gone'
    const words = differences(before.prices[name]?.words ?? {}, after.prices[name]?.words ?? {})
    return kind === 'changed' && words.length === 0 ? [] : [{ name, kind, words }]
  })
}

const differences = (before: Words, after: Words): PriceChange['words'] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((word) => before[word] !== after[word])
    .map((word) => ({ word, before: before[word], after: after[word] }))

/** Lines of a terminal: `gpt → openai/gpt-4o: input_cost_per_token $2.5 per million tokens → $2 per million tokens`. */
export function showChange({ name, kind, words }: PriceChange): string[] {
  if (kind === 'gone') return [`${name}: gone`]
  if (kind === 'new') return [`${name}: new${words.length > 0 ? '' : ', without a price'}`]
  return words.map(({ word, before, after }) => {
    const was = before === undefined ? '' : `${showWord(word, before)} → `
    return `${name}: ${word} ${was}${after === undefined ? 'not said any more' : showWord(word, after)}`
  })
}
