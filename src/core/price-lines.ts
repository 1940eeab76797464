/** A cost taken apart, part by part, for people: what was counted, at which rate, and what it comes to. */
import { type Price, type Rates, ratesFor } from './price.ts'
import type { Usage } from './usage.ts'

/** What a rate is of. `amount` is nano-dollars per million tokens, characters or ms, or nano-dollars a piece. */
type Unit = 'token' | 'character' | 'second' | 'piece'

/** In the order that people read a bill. */
const PARTS: readonly (readonly [rate: keyof Rates, unit: Unit, what: string, count: (used: Usage) => number])[] = [
  ['request', 'piece', 'request', () => 1],
  [
    'input',
    'token',
    'prompt',
    (u) => u.input - u.cacheRead - u.cacheWrite - u.cacheWriteHour - u.audioInput - u.imageInput,
  ],
  ['audioInput', 'token', 'audio in the prompt', (u) => u.audioInput],
  ['imageInput', 'token', 'images in the prompt', (u) => u.imageInput],
  ['cacheRead', 'token', 'read from the cache', (u) => u.cacheRead - u.audioRead - u.imageRead],
  ['audioRead', 'token', 'audio from the cache', (u) => u.audioRead],
  ['imageRead', 'token', 'images from the cache', (u) => u.imageRead],
  ['cacheWrite', 'token', 'cached for 5 minutes', (u) => u.cacheWrite],
  ['cacheWriteHour', 'token', 'cached for an hour', (u) => u.cacheWriteHour],
  ['output', 'token', 'answer', (u) => u.output - u.reasoning - u.audioOutput - u.imageOutput],
  ['reasoning', 'token', 'reasoning', (u) => u.reasoning],
  ['audioOutput', 'token', 'audio in the answer', (u) => u.audioOutput],
  ['imageOutput', 'token', 'images in the answer', (u) => u.imageOutput],
  ['image', 'piece', 'images made', (u) => u.images],
  ['media', 'second', 'seconds of media', (u) => u.mediaMs],
  ['gpu', 'second', 'seconds of GPU', (u) => u.gpuMs],
  ['character', 'character', 'characters spoken', (u) => u.characters],
  ['search', 'piece', 'searches', (u) => u.searches],
]

export interface PriceLine {
  what: string
  /** Tokens, characters, seconds (with their ms behind the point) or pieces. */
  count: number
  /** `$2.5 per million tokens` */
  rate: string
  /** The exact product in dollars: `$0.00125`. */
  cost: string
  /** The same in millionths of a nano-dollar. */
  micros: bigint
}

const MILLION = 1_000_000n

/**
 * Each part of what `costOf` says of a usage: those that were used, and those that cost something. The products are
 * exact; the sum of them is rounded once.
 */
export function priceLines(price: Price, used: Usage): PriceLine[] {
  if (price.kind !== 'priced') return []
  const rates = ratesFor(price, used.input)
  return PARTS.flatMap(([name, unit, what, count]) => {
    const n = count(used)
    const amount = rates[name]
    if (n === 0 || (name === 'request' && amount === 0)) return []
    const micros = BigInt(n) * BigInt(amount) * (unit === 'piece' ? MILLION : 1n)
    return {
      what,
      count: unit === 'second' ? n / 1000 : n,
      rate: showRate(name, amount),
      cost: showMicros(micros),
      micros,
    }
  })
}

/** `$2.5 per million tokens`, `$0.006 a second`, `$0.04 each`. */
export function showRate(name: keyof Rates, amount: number): string {
  const unit = PARTS.find(([rate]) => rate === name)?.[1]
  if (unit === 'piece') return `$${decimal(BigInt(amount), 9)} each`
  if (unit === 'second') return `$${decimal(BigInt(amount), 12)} a second`
  return `$${decimal(BigInt(amount), 9)} per million ${unit}s`
}

/** Millionths of nano-dollars → `$0.00125`, exact. */
const showMicros = (micros: bigint): string => `$${decimal(micros, 15)}`

/** A whole number with its point moved left, without zeros at its end. */
function decimal(whole: bigint, places: number): string {
  const digits = whole.toString().padStart(places + 1, '0')
  const rest = digits.slice(-places).replace(/0+$/, '')
  return digits.slice(0, -places) + (rest && `.${rest}`)
}
