/** Numbers for targets, prices and words, so that a charge holds an integer in place of a sentence. */
import type { Price } from '../core/price.ts'
import type { Target } from '../core/target.ts'
import type { Store } from './open.ts'

/** Callers can make new names through wildcards (`openai/*`): what is remembered is bounded, the rows are not lost. */
const REMEMBERED = 10_000

export class Names {
  readonly #targets = new Map<string, number>()
  readonly #prices = new Map<string, number>()
  /** By identity first: making the text anew each time costs more than the row itself. */
  readonly #knownTargets = new WeakMap<Target, number>()
  readonly #knownPrices = new WeakMap<Price, number>()
  readonly #words = new Map<string, number>()
  readonly #target
  readonly #price
  readonly #word

  constructor({ sqlite }: Store) {
    // The update that changes nothing makes RETURNING answer for rows that were there already.
    this.#target = sqlite.prepare<[string, string, string, string], { id: number }>(
      'INSERT INTO targets (name, alias, provider, model) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET name = excluded.name RETURNING id',
    )
    this.#price = sqlite.prepare<[string], { id: number }>(
      'INSERT INTO prices (price) VALUES (?) ON CONFLICT DO UPDATE SET price = excluded.price RETURNING id',
    )
    this.#word = sqlite.prepare<[string], { id: number }>(
      'INSERT INTO words (word) VALUES (?) ON CONFLICT DO UPDATE SET word = excluded.word RETURNING id',
    )
  }

  /** The number of a word that stands in many rows. */
  word(word: string): number {
    return this.#words.get(word) ?? remember(this.#words, word, () => this.#word.get(word))
  }

  target(target: Target): number {
    return known(this.#knownTargets, target, () => {
      const { id, alias, provider, model } = target
      return remember(this.#targets, `${id}\0${alias}\0${provider}\0${model}`, () =>
        this.#target.get(id, alias, provider, model),
      )
    })
  }

  price(price: Price): number {
    return known(this.#knownPrices, price, () => {
      const text = JSON.stringify(price)
      return remember(this.#prices, text, () => this.#price.get(text))
    })
  }
}

function known<T extends object>(numbers: WeakMap<T, number>, it: T, find: () => number): number {
  let id = numbers.get(it)
  if (id === undefined) {
    id = find()
    numbers.set(it, id)
  }
  return id
}

function remember(known: Map<string, number>, name: string, ask: () => { id: number } | undefined): number {
  const id = known.get(name) ?? (ask()?.id as number)
  if (known.size >= REMEMBERED) known.clear()
  known.set(name, id)
  return id
}
