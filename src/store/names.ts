/** Numbers for targets, payers, prices and words, so that a charge holds an integer in place of a sentence. */
import type { Price } from '../core/price.ts'
import { GATEWAY, type Payer, scopesOfPayer, scopesOfTarget } from '../core/scope.ts'
import type { Target } from '../core/target.ts'
import type { Store } from './open.ts'

/** Callers can make new names through wildcards (`openai/*`) and customers: what is remembered is bounded, rows are not lost. */
const REMEMBERED = 10_000

/** What a charge says of its target. */
export type NamedTarget = Pick<Target, 'id' | 'alias' | 'provider' | 'model'>

export class Names {
  readonly #targets = new Map<string, number>()
  readonly #prices = new Map<string, number>()
  readonly #payers = new Map<string, number>()
  /** By identity first: making the text anew each time costs more than the row itself. */
  readonly #knownTargets = new WeakMap<NamedTarget, number>()
  readonly #knownPrices = new WeakMap<Price, number>()
  readonly #knownPayers = new WeakMap<Payer, number>()
  readonly #words = new Map<string, number>()
  /** Scopes of payers and of targets, by their numbers. */
  readonly #payerScopes = new Map<number, readonly number[]>()
  readonly #targetScopes = new Map<number, readonly number[]>()
  readonly #target
  readonly #price
  readonly #payer
  readonly #word
  readonly #payerText
  readonly #targetOf

  constructor({ sqlite }: Store) {
    // The update that changes nothing makes RETURNING answer for rows that were there already.
    this.#target = sqlite.prepare<[string, string, string, string], { id: number }>(
      'INSERT INTO targets (name, alias, provider, model) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET name = excluded.name RETURNING id',
    )
    this.#price = sqlite.prepare<[string], { id: number }>(
      'INSERT INTO prices (price) VALUES (?) ON CONFLICT DO UPDATE SET price = excluded.price RETURNING id',
    )
    this.#payer = sqlite.prepare<(string | null)[], { id: number }>(
      `INSERT INTO payers (payer, key, user, team, organization, project, customer, tags) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET payer = excluded.payer RETURNING id`,
    )
    this.#word = sqlite.prepare<[string], { id: number }>(
      'INSERT INTO words (word) VALUES (?) ON CONFLICT DO UPDATE SET word = excluded.word RETURNING id',
    )
    this.#payerText = sqlite.prepare<[number], Record<string, string | null>>('SELECT * FROM payers WHERE id = ?')
    this.#targetOf = sqlite.prepare<[number], { alias: string; provider: string }>(
      'SELECT alias, provider FROM targets WHERE id = ?',
    )
  }

  /** The number of a word that stands in many rows. */
  word(word: string): number {
    return this.#words.get(word) ?? remember(this.#words, word, () => this.#word.get(word))
  }

  target(target: NamedTarget): number {
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

  payer(payer: Payer): number {
    return known(this.#knownPayers, payer, () => {
      const { key, user, team, organization, project, customer, tags } = payer
      const text = JSON.stringify({ key, user, team, organization, project, customer, tags })
      const columns = [key, user, team, organization, project, customer].map((id) => id ?? null)
      return remember(this.#payers, text, () => this.#payer.get(text, ...columns, JSON.stringify(tags)))
    })
  }

  /** The numbers of all scopes that a charge of this payer at this target is booked on, by their own numbers. */
  scopes(payer: number, target: number): readonly number[] {
    return [...this.#scopesOf(payer), ...this.#scopesAt(target)]
  }

  #scopesOf(payer: number): readonly number[] {
    return bounded(this.#payerScopes, payer, () => {
      const row = this.#payerText.get(payer)
      const of = (name: string): string | undefined => row?.[name] ?? undefined
      const found: Payer = {
        ...{ key: of('key'), user: of('user'), team: of('team'), organization: of('organization') },
        ...{ project: of('project'), customer: of('customer'), tags: JSON.parse(of('tags') ?? '[]') },
      }
      return scopesOfPayer(found).map((scope) => this.word(scope))
    })
  }

  #scopesAt(target: number): readonly number[] {
    return bounded(this.#targetScopes, target, () => {
      const row = this.#targetOf.get(target)
      return [...(row ? scopesOfTarget(row) : []), GATEWAY].map((scope) => this.word(scope))
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

const remember = (known: Map<string, number>, name: string, ask: () => { id: number } | undefined): number =>
  bounded(known, name, () => ask()?.id as number)

function bounded<K, V>(known: Map<K, V>, name: K, make: () => V): V {
  const found = known.get(name)
  if (found !== undefined) return found
  const made = make()
  if (known.size >= REMEMBERED) known.clear()
  known.set(name, made)
  return made
}
