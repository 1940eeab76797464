/** Numbers for targets, payers, prices and words, so that a charge holds an integer in place of a sentence. */
import type { Price } from '../core/price.ts'
import { priceText } from '../core/price-text.ts'
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
  #knownPayers = new WeakMap<Payer, number>()
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
    /** Most names are known, and reading needs no transaction: what is read costs a tenth of what is written. */
    const numbered = (table: string, columns: string, by: string) => {
      const find = sqlite.prepare<string[], number>(`SELECT id FROM ${table} WHERE ${by}`).pluck()
      const marks = columns.replaceAll(/\w+/g, '?')
      const insert = sqlite.prepare<(string | null)[], number>(
        `INSERT INTO ${table} (${columns}) VALUES (${marks}) RETURNING id`,
      )
      insert.pluck()
      return (known: string[], all: (string | null)[] = known) => find.get(...known) ?? (insert.get(...all) as number)
    }
    this.#target = numbered(
      'targets',
      'name, alias, provider, model',
      'name = ? AND alias = ? AND provider = ? AND model = ?',
    )
    this.#price = numbered('prices', 'price', 'price = ?')
    this.#payer = numbered('payers', 'payer, key, user, team, organization, project, customer, tags', 'payer = ?')
    this.#word = numbered('words', 'word', 'word = ?')
    this.#payerText = sqlite.prepare<[number], Record<string, string | null>>('SELECT * FROM payers WHERE id = ?')
    this.#targetOf = sqlite.prepare<[number], { alias: string; provider: string }>(
      'SELECT alias, provider FROM targets WHERE id = ?',
    )
  }

  /** Names have changed in the database: what is remembered of payers and words is asked for anew. */
  forget(): void {
    this.#knownPayers = new WeakMap()
    for (const map of [this.#payers, this.#words, this.#payerScopes]) map.clear()
  }

  /** The number of a word that stands in many rows. */
  word(word: string): number {
    return this.#words.get(word) ?? bounded(this.#words, word, () => this.#word([word]))
  }

  target(target: NamedTarget): number {
    return known(this.#knownTargets, target, () => {
      const { id, alias, provider, model } = target
      const columns = [id, alias, provider, model]
      return bounded(this.#targets, columns.join('\0'), () => this.#target(columns))
    })
  }

  price(price: Price): number {
    return known(this.#knownPrices, price, () => {
      const text = priceText(price)
      return bounded(this.#prices, text, () => this.#price([text]))
    })
  }

  payer(payer: Payer): number {
    return known(this.#knownPayers, payer, () => {
      const { key, user, team, organization, project, customer, tags } = payer
      const text = JSON.stringify({ key, user, team, organization, project, customer, tags })
      const columns = [key, user, team, organization, project, customer].map((id) => id ?? null)
      return bounded(this.#payers, text, () => this.#payer([text], [text, ...columns, JSON.stringify(tags)]))
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

function bounded<K, V>(known: Map<K, V>, name: K, make: () => V): V {
  const found = known.get(name)
  if (found !== undefined) return found
  const made = make()
  if (known.size >= REMEMBERED) known.clear()
  known.set(name, made)
  return made
}
